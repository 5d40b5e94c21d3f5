//! What a client, or what runs behind a connection, cannot make a server do.

use std::time::Duration;

use responses::chain::{Connection, ConnectionEffect, ConnectionLimits, Limits, Powers, RunId, Time};
use responses::event::ServerEvent;

use super::completed;
use crate::server_rules::{Server, field, message, user};

fn that_steers() -> Server {
    Server::with(ConnectionLimits::default(), Powers { steer: true, ..Powers::default() })
}

fn recalls(server: &Server) -> usize {
    server.other.iter().filter(|effect| matches!(effect, ConnectionEffect::Recall(..))).count()
}

fn steer(previous: &str) -> String {
    format!(r#"{{"type":"response.steer","previous_response_id":"{previous}","input":"steered"}}"#)
}

#[test]
fn a_request_that_waits_takes_along_what_was_said_to_the_response_it_goes_on_from() {
    let mut server = that_steers();
    let first = server.create(r#""input":"a""#).unwrap();
    server.start(first, "r1");
    assert_eq!(server.create(r#""previous_response_id":"r1","input":"b""#), None);
    server.hear(&steer("r1"));
    assert_eq!(server.last("type"), "response.steer.accepted");
    server.event(first, &completed("r1", ""));
    assert_eq!((server.begun.len(), recalls(&server)), (2, 0));
    assert_eq!(server.context(), [user("a"), user("steered"), user("b")]);
    server.answer(server.begun[1].0, "r2");
    assert_eq!((server.begun.len(), recalls(&server)), (2, 0));
}

#[test]
fn a_successor_made_by_a_steer_waits_for_its_turn_like_any_other() {
    let mut server = that_steers();
    let run = server.create(r#""input":"a""#).unwrap();
    server.answer(run, "r1");
    for lane in 0..16 {
        server.create(&format!(r#""stream_id":"l{lane}""#)).unwrap();
    }
    server.hear(&steer("r1"));
    assert_eq!(server.last("type"), "response.steer.accepted");
    assert_eq!(server.begun.len(), 17, "sixteen run");
    server.answer(RunId(9), "r9");
    assert_eq!(server.begun.len(), 18);
    assert_eq!(server.context(), [user("a"), message("r1"), user("steered")]);
}

#[test]
fn a_run_that_speaks_nonsense_is_said_to_be_of_no_use() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.event(run, "garbage");
    assert!(matches!(server.other[..], [ConnectionEffect::Unwatched(useless)] if useless == run), "{:?}", server.other);
    server.last_is_error(500, "server_error");
}

#[test]
fn an_event_never_says_its_lane_or_its_status_twice() {
    for event in [
        r#"{"type":"error","status":"500","stream_id":"up","error":{"message":"m"}}"#,
        r#"{"type":"error","status":null,"stream_id":null,"error":{"message":"m"}}"#,
        r#"{"type":"error","stream_id":"x","error":{"message":"m"}}"#,
        r#"{"type":"error","error":{"message":"m"}}"#,
    ] {
        let mut server = Server::new();
        let run = server.create(r#""stream_id":"x""#).unwrap();
        server.event(run, event);
        let said = server.said.last().unwrap();
        assert!(ServerEvent::parse(said).is_ok(), "{said}");
        assert_eq!(field(said, "type"), "error");
    }
}

#[test]
fn requests_that_wait_are_bounded_by_their_bytes() {
    let limits = ConnectionLimits { queued_bytes: 1000, ..ConnectionLimits::default() };
    let mut server = Server::with(limits, Powers::default());
    let input = format!(r#""input":"{}""#, "x".repeat(350));
    let run = server.create(&input).unwrap();
    assert_eq!((server.create(&input), server.create(&input)), (None, None));
    assert!(server.said.is_empty(), "two wait");
    server.create(&input);
    server.last_is_error(429, "rate_limit_exceeded");
    // One that waits begins: there is room again.
    server.answer(run, "r1");
    let said = server.said.len();
    server.create(&input);
    assert_eq!((server.said.len(), server.begun.len()), (said, 2));
}

#[test]
fn responses_of_one_name_on_two_lanes_are_gone_on_from_each_on_its_own() {
    let mut server = Server::new();
    for lane in ["a", "b"] {
        let run = server.create(&format!(r#""stream_id":"{lane}","input":"secret of {lane}""#)).unwrap();
        server.answer(run, "resp_1");
    }
    for lane in ["b", "a"] {
        server.create(&format!(r#""stream_id":"{lane}","previous_response_id":"resp_1","input":"go on""#)).unwrap();
        assert_eq!(server.context(), [user(&format!("secret of {lane}")), message("resp_1"), user("go on")]);
    }
}

#[test]
fn a_search_that_is_not_answered_frees_its_lane() {
    let mut server = Server::new();
    server.create(r#""previous_response_id":"old""#);
    assert_eq!(server.create(r#""input":"next""#), None);
    server.pass(29);
    assert!(server.said.is_empty() && server.begun.is_empty());
    server.pass(1);
    server.last_is_error(400, "previous_response_not_found");
    assert_eq!(server.context(), [user("next")]);
}

#[test]
fn a_response_that_was_said_to_be_whole_can_be_gone_on_from() {
    let mut server = Server::new();
    let run = server.create(r#""input":"a""#).unwrap();
    server.start(run, "r1");
    server.event(run, &completed("r1", r#","usage":{"input_tokens":1.5}"#));
    assert_eq!(server.last("type"), "response.completed");
    assert!(server.create(r#""previous_response_id":"r1""#).is_some());
}

#[test]
fn an_end_of_which_no_response_can_be_made_is_not_said() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.start(run, "r1");
    server.event(run, r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"message"}}"#);
    server.event(run, &completed("r1", ""));
    server.last_is_error(500, "server_error");
    assert!(!server.said.iter().any(|said| said.contains("response.completed")));
}

/// A client that says nothing for a minute, asked as often as a server is; gives the second in which it was taken for
/// dead.
fn upload(progress_every: Option<u64>) -> Option<u64> {
    let limits = ConnectionLimits { beat: Limits::default().beat, ..ConnectionLimits::default() };
    let mut connection = Connection::new(Time::default(), limits, Powers::default());
    (1..=60).find(|second| {
        let now = Time::at(Duration::from_secs(*second));
        if connection.poll_deadline().is_some_and(|next| next <= now) {
            connection.handle_deadline(now);
        }
        if progress_every.is_some_and(|every| second % every == 0) {
            connection.handle_progress();
        }
        while connection.poll_effect().is_some() {}
        connection.is_closed()
    })
}

#[test]
fn a_client_whose_bytes_still_move_is_not_taken_for_dead() {
    for every in 1..=4 {
        assert_eq!(upload(Some(every)), None, "progress every {every} s");
    }
    let given_up = upload(None);
    assert!(given_up.is_some_and(|second| second <= 35), "{given_up:?}");
}

#[test]
fn two_steers_that_wait_for_room_keep_their_order() {
    let mut server = that_steers();
    let run = server.create(r#""input":"a""#).unwrap();
    server.answer(run, "r1");
    for lane in 0..16 {
        server.create(&format!(r#""stream_id":"l{lane}""#)).unwrap();
    }
    server.hear(&steer("r1").replace("steered", "first"));
    server.hear(&steer("r1").replace("steered", "second"));
    server.answer(RunId(9), "r9");
    assert_eq!(server.context(), [user("a"), message("r1"), user("first"), user("second")]);
}
