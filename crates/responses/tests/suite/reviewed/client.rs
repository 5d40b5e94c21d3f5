//! Turns end, lines are not trusted beyond reason, and nothing is asked again in vain.

use std::time::Duration;

use responses::chain::{Class, Config, Failure, Fault, Mode, Notice, Outcome, Peer, RetryPolicy, Transport};
use responses::error::{ApiError, CODES, Meaning, Remedy};
use responses::id::LaneId;
use responses::item::Item;

use super::{Client, THOUGHT, completed, created, done, error, failed, said};
use crate::pair::settings;

fn in_mode(mode: Mode) -> Config {
    Config { mode, ..Config::default() }
}

fn on_a_lane(mode: Mode) -> Client {
    let mut client = Client::new(in_mode(mode));
    client.lane = Some(LaneId::parse("x").unwrap());
    client.submit("hi");
    client
}

fn gave_up(client: &Client) -> bool {
    matches!(client.ended(), Some(Outcome::Failed(Failure::GaveUp(_))))
}

#[test]
fn a_turn_that_is_cut_after_every_thought_ends() {
    for mode in [Mode::Auto, Mode::Http, Mode::WebSocket] {
        let mut client = Client::asking(in_mode(mode));
        let sends = client.play(|client, n| {
            client.begin(&format!("r{n}"), &[THOUGHT]);
            client.hang_up(None);
        });
        assert!(gave_up(&client) && sends < 20, "{mode:?}: {sends} sends, {:?}", client.ended());
        assert_eq!(client.chain.transcript().len(), 1, "a thought that led nowhere was kept");
    }
}

#[test]
fn a_turn_that_fails_after_every_thought_ends() {
    let mut client = Client::asking(in_mode(Mode::Http));
    let sends = client.play(|client, n| {
        client.begin(&format!("r{n}"), &[THOUGHT]);
        let _ = client.hear(&failed("another", "server_error"));
    });
    assert!(gave_up(&client) && sends < 20, "{sends} sends, {:?}", client.ended());
}

#[test]
fn an_answer_that_is_always_cut_before_its_end_is_asked_for_a_few_times_only() {
    let mut client = Client::asking(in_mode(Mode::Http));
    let sends = client.play(|client, n| {
        client.begin(&format!("r{n}"), &[&said("All done.")]);
        client.hang_up(None);
    });
    assert!(gave_up(&client) && sends < 10, "{sends} sends, {:?}", client.ended());
}

#[test]
fn sockets_are_left_although_each_attempt_over_them_brings_an_item() {
    let mut client = Client::asking(in_mode(Mode::Auto));
    client.play(|client, n| {
        client.begin(&format!("r{n}"), &[&said(&n.to_string())]);
        client.hang_up(None);
    });
    let (sockets, http) = (client.sends_over(Transport::WebSocket), client.sends_over(Transport::Http));
    assert!(http > 0 && sockets < 10 && http < 10, "{sockets} over sockets, {http} over http");
}

#[test]
fn a_usage_that_cannot_be_read_costs_the_answer_nothing() {
    let mut client = Client::asking(in_mode(Mode::Http));
    let sends = client.play(|client, _| {
        client.begin("r1", &[&said("All done.")]);
        let _ = client.hear(&completed("r1", r#","usage":{"input_tokens":1,"output_tokens":-1}"#));
    });
    assert_eq!(sends, 1);
    assert!(matches!(client.ended(), Some(Outcome::Answered(response)) if response.usage().is_none()));
}

#[test]
fn the_late_failure_of_a_response_is_not_taken_for_the_next_one() {
    let mut client = Client::asking(in_mode(Mode::WebSocket));
    let too_long = error(400, r#""type":"invalid_request_error","code":"context_length_exceeded""#);
    client.hear_all(&[&created("r1"), &too_long]);
    assert!(matches!(client.ended(), Some(Outcome::Failed(Failure::Refused(_)))));
    client.chain.rewrite(vec![Item::user("short")]).unwrap();
    client.told.clear();
    client.submit("again");
    assert_eq!((client.asked[0].link, client.sends_over(Transport::WebSocket)), (client.last().link, 2));
    let _ = client.hear(&failed("r1", "context_length_exceeded"));
    assert_eq!(client.ended(), None);
    client.answer("r2", &[&said("ok")]);
    assert!(matches!(client.ended(), Some(Outcome::Answered(response)) if response.id().as_str() == "r2"));
}

#[test]
fn a_line_without_lanes_left_is_not_sent_over_again() {
    let mut client = on_a_lane(Mode::WebSocket);
    let full = r#"{"type":"error","status":400,"stream_id":"x","error":{"code":"websocket_stream_limit_reached"}}"#;
    let sends = client.play(|client, _| {
        let line = client.last().link;
        let _ = client.hear(full);
        assert!(client.closed.contains(&line), "{line:?} is kept");
    });
    assert!(gave_up(&client) && sends < 20, "{sends} sends, {:?}", client.ended());
}

#[test]
fn a_retry_after_of_nothing_is_believed_once() {
    let mut client = Client::asking(in_mode(Mode::Http));
    for _ in 0..4 {
        let asked = client.asked.len();
        client.refuse(ApiError { status: Some(429), wait: Some(Duration::ZERO), ..ApiError::default() });
        if client.asked.len() == asked {
            client.wake();
        }
    }
    let waits = client.told.iter().filter(|notice| matches!(notice, Notice::Waiting { .. })).count();
    assert_eq!((client.asked.len(), waits), (5, 3), "requests, and waits between them");
    assert!(client.now.since_beginning() > Duration::from_secs(3));
}

#[test]
fn a_server_that_does_not_find_what_was_not_named_is_asked_again_with_pauses() {
    let mut client = Client::asking(in_mode(Mode::Auto));
    let not_found = error(400, r#""code":"previous_response_not_found""#);
    let begun = client.now;
    let mut at_once = 0;
    let sends = client.play(|client, _| {
        at_once += usize::from(client.now == begun);
        assert!(!client.last().text.contains("previous_response_id"));
        let _ = client.hear(&not_found);
    });
    assert!(gave_up(&client) && at_once <= 3 && sends < 20, "{sends} sends, {at_once} at once");
}

#[test]
fn a_peer_that_answers_pings_late_is_missed_when_it_is_gone() {
    let mut client = Client::asking(in_mode(Mode::WebSocket));
    let line = client.last().link;
    client.pass(Duration::from_secs(21));
    let _ = client.hear(&created("r1"));
    client.chain.handle_pong(line);
    for _ in 0..8 {
        client.pass(Duration::from_secs(5));
        client.chain.handle_pong(line);
    }
    assert!(!client.closed.contains(&line), "it was there");
    client.pass(Duration::from_secs(40));
    assert!(client.closed.contains(&line), "nobody noticed");
}

#[test]
fn a_conversation_that_the_service_keeps_is_not_named_beside_the_last_response() {
    let mut client = Client::over(Mode::Http);
    client.settings = settings(r#"{"model":"m","conversation":"conv_1"}"#);
    client.submit("one");
    client.answer("r1", &[&said("ok")]);
    client.submit("two");
    let named: Vec<bool> = client.asked.iter().map(|asked| asked.text.contains("previous_response_id")).collect();
    assert_eq!(named, [false, true]);
    assert!(!client.asked.iter().any(|asked| asked.text.contains("conv_1")), "{}", client.last().text);
}

#[test]
fn a_response_that_says_it_is_not_stored_is_not_gone_on_from_by_name() {
    for (fields, named) in [(r#","store":false"#, false), (r#","store":true"#, true), ("", true)] {
        let mut client = Client::over(Mode::Http);
        client.settings = settings(r#"{"model":"m"}"#);
        client.submit("one");
        client.begin("r1", &[&said("ok")]);
        let _ = client.hear(&completed("r1", fields));
        client.submit("two");
        assert_eq!(client.last().text.contains("previous_response_id"), named, "{fields}");
    }
}

#[test]
fn a_parent_that_is_missing_in_other_words_is_mended_by_sending_everything() {
    const VLLM: &[u8] = br#"{"error":{"message":"Response with id 'r1' not found.","type":"invalid_request_error","param":"response_id","code":404}}"#;
    let mut client = Client::over(Mode::Http);
    client.settings = settings(r#"{"model":"m"}"#);
    client.submit("one");
    client.answer("r1", &[&said("ok")]);
    client.submit("two");
    assert!(client.last().text.contains("previous_response_id"));
    client.refuse(ApiError::from_http(404, std::iter::empty(), VLLM));
    assert_eq!((client.asked.len(), client.last().text.contains("previous_response_id")), (3, false));
    client.answer("r2", &[&said("ok")]);
    assert!(matches!(client.ended(), Some(Outcome::Answered(_))));
}

#[test]
fn a_server_without_lanes_refuses_a_chain_on_one_at_once() {
    let mut client = on_a_lane(Mode::Auto);
    let begun = client.now;
    let unknown = error(400, r#""type":"invalid_request_error","code":"unknown_parameter","param":"stream_id""#);
    let _ = client.hear(&unknown);
    assert!(matches!(client.ended(), Some(Outcome::Failed(Failure::Refused(_)))), "{:?}", client.ended());
    assert_eq!((client.now, client.asked.len()), (begun, 1));
}

#[test]
fn a_steer_that_fails_is_given_back_by_its_name() {
    let peer = Peer { steers: true, ..Peer::default() };
    let mut client = Client::asking(Config { peer, ..in_mode(Mode::WebSocket) });
    let steer = r#""steer":{"id":"steer_a","previous_response_id":"r1"}"#;
    let _ = client.hear(&created("r1"));
    client.chain.steer(vec![Item::user("A")]).unwrap();
    let _ = client.hear(&format!(r#"{{"type":"response.steer.accepted",{steer}}}"#));
    client.chain.steer(vec![Item::user("B")]).unwrap();
    let reason = r#""error":{"type":"invalid_request_error","code":"successor_creation_failed","message":"m"}"#;
    let _ = client.hear(&format!(r#"{{"type":"response.steer.failed",{steer},{reason}}}"#));
    let returned: Vec<_> = client
        .told
        .iter()
        .filter_map(|notice| match notice {
            Notice::SteerReturned { items, .. } => Some(items.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(returned, [[Item::user("A")]]);
}

/// A turn whose request takes a minute to leave; says after how many seconds its line was given up.
fn upload(progress_every: Option<u64>) -> Option<u64> {
    let mut client = Client::asking(in_mode(Mode::WebSocket));
    let line = client.last().link;
    (1..=60).find(|second| {
        client.pass(Duration::from_secs(1));
        if progress_every.is_some_and(|every| second % every == 0) {
            client.chain.handle_progress(line);
        }
        client.closed.contains(&line)
    })
}

#[test]
fn a_line_over_which_bytes_still_move_is_not_taken_for_dead() {
    for every in 1..=4 {
        assert_eq!(upload(Some(every)), None, "progress every {every} s");
    }
    let given_up = upload(None);
    assert!(given_up.is_some_and(|second| second <= 35), "{given_up:?}");
}

#[test]
fn a_wait_longer_than_patience_ends_the_turn() {
    for status in [429, 500, 503] {
        let mut client = Client::asking(in_mode(Mode::Http));
        let wait = Some(Duration::from_hours(700));
        client.refuse(ApiError { status: Some(status), wait, ..ApiError::default() });
        assert!(gave_up(&client), "{status}: {:?}, next at {:?}", client.ended(), client.chain.poll_deadline());
    }
}

#[test]
fn a_small_message_that_is_called_too_large_does_not_end_sockets() {
    let mut client = Client::asking(in_mode(Mode::Auto));
    client.hang_up(Some(1009));
    assert_eq!(client.last().transport, Transport::Http);
    client.answer("r1", &[&said("ok")]);
    client.submit("more");
    assert_eq!(client.last().transport, Transport::WebSocket);
}

/// What a plan's backend says once its limit is reached.
fn limit_until(second: u64) -> ApiError {
    let fields = r#""type":"usage_limit_reached","message":"The usage limit has been reached","plan_type":"plus""#;
    let body = format!(r#"{{"error":{{{fields},"resets_at":{second}}}}}"#);
    ApiError::from_http(429, std::iter::empty(), body.as_bytes())
}

#[test]
fn a_limit_that_says_when_it_resets_is_waited_for_once() {
    const NOW: u64 = 1_793_000_000;
    const HOURS: u64 = 5 * 3600;
    let epoch = Some(Duration::from_secs(NOW));
    let mut client = Client::asking(Config { epoch, ..in_mode(Mode::Http) });
    client.refuse(limit_until(NOW + HOURS));
    client.pass(Duration::from_secs(HOURS - 1));
    assert_eq!(client.asked.len(), 1);
    client.pass(Duration::from_secs(1));
    assert_eq!(client.asked.len(), 2);
    // It should be over. If it is not, pauses of its own follow.
    client.refuse(limit_until(NOW + HOURS));
    assert_eq!(client.asked.len(), 2);
    client.wake();
    client.answer("r1", &[&said("ok")]);
    assert!(matches!(client.ended(), Some(Outcome::Answered(_))));
    assert_eq!(client.asked.len(), 3);
}

#[test]
fn a_limit_that_says_when_it_resets_to_a_chain_without_a_calendar_is_asked_about_with_growing_pauses() {
    let mut client = Client::asking(in_mode(Mode::Http));
    let pauses: Vec<Duration> = (0..6)
        .map(|_| {
            let before = client.now;
            client.refuse(limit_until(1_793_000_000));
            client.wake();
            client.now.since(before)
        })
        .collect();
    assert!(pauses.is_sorted_by(|one, next| next.as_secs_f64() > 1.7 * one.as_secs_f64()), "{pauses:?}");
    assert_eq!(client.asked.len(), 7);
}

#[test]
fn keepalives_do_not_keep_a_dead_turn_for_ever() {
    let mut client = Client::asking(in_mode(Mode::Http));
    let sends = client.play(|client, n| {
        let begun = client.now;
        while client.asked.len() == n && !client.chain.is_idle() {
            assert!(client.now.since(begun) < Duration::from_mins(20), "{n}: nobody noticed");
            client.pass(Duration::from_secs(30));
            let _ = client.hear(r#"{"type":"keepalive"}"#);
        }
        assert!(client.now.since(begun) > Duration::from_mins(14), "a model that thinks is left to think");
    });
    assert!(matches!(client.ended(), Some(Outcome::Failed(Failure::GaveUp(Fault::Silent)))), "{:?}", client.ended());
    assert_eq!(sends, 3);
}

/// A second turn over a socket, every request of which ends in this error, told by its code or by its type.
fn refused_throughout(mode: Mode, row: &Meaning, key: &str) -> (Client, usize) {
    let retry = RetryPolicy { patience: Duration::from_mins(10), ..RetryPolicy::default() };
    let mut client = Client::new(Config { mode, retry, ..Config::default() });
    client.submit("one");
    client.answer("r1", &[&said("ok")]);
    client.told.clear();
    client.submit("two");
    assert_eq!(client.last().transport, Transport::WebSocket);
    let refusal = error(row.status, &format!(r#""{key}":"{}""#, row.code));
    let sends = client.play(|client, n| {
        let (link, transport) = (client.last().link, client.last().transport);
        client.hear_all(&[&created(&format!("q{n}")), &done(0, THOUGHT), &refusal]);
        let given_up = row.remedy == Remedy::NewLine && transport == Transport::WebSocket;
        assert!(!given_up || client.closed.contains(&link), "{}: {link:?} is kept", row.code);
    });
    (client, sends)
}

#[test]
fn every_error_there_is_ends_a_turn_after_a_bounded_number_of_sends() {
    const BOUND: usize = 25;
    for row in CODES {
        for (mode, key) in [(Mode::Auto, "code"), (Mode::WebSocket, "code"), (Mode::WebSocket, "type")] {
            let (client, sends) = refused_throughout(mode, row, key);
            let final_at_once = matches!(row.remedy, Remedy::Credentials | Remedy::Compact | Remedy::Change);
            let most = if final_at_once { 1 } else { BOUND };
            assert!((1..=most).contains(&sends), "{}: {sends} sends", row.code);
            let refused = matches!(client.ended(), Some(Outcome::Failed(Failure::Refused(_))));
            assert_eq!((refused, gave_up(&client)), (final_at_once, !final_at_once), "{}", row.code);
        }
    }
}

#[test]
fn an_error_that_comes_once_is_waited_out_where_its_remedy_says_so() {
    for row in CODES.iter().filter(|row| matches!(row.remedy, Remedy::Wait | Remedy::BackOff)) {
        let mut client = Client::asking(in_mode(Mode::WebSocket));
        let _ = client.hear(&error(row.status, &format!(r#""code":"{}""#, row.code)));
        let class = client.told.iter().find_map(|notice| match notice {
            Notice::Waiting { class, .. } => Some(*class),
            _ => None,
        });
        assert!(matches!(class, Some(Class::Limit | Class::Server)), "{}: {class:?}", row.code);
        client.wake();
        client.answer("r1", &[&said("ok")]);
        assert!(matches!(client.ended(), Some(Outcome::Answered(_))), "{}: {:?}", row.code, client.ended());
    }
}
