//! Errors of the server, cuts in mid-answer, and what is kept.

use std::time::Duration;

use responses::chain::{Class, Config, Failure, Heard, LinkId, Mode, Notice, Outcome, RetryPolicy, Transport, WhyAll};
use responses::error::ApiError;
use responses::item::Item;

use super::{auto, socket_only};
use crate::pair::{Ending, Opening, Pair, Step};

#[test]
fn a_forgetful_server_costs_one_full_send_on_the_same_line_and_no_wait() {
    let mut pair = auto();
    pair.turn();
    pair.step(Step::Forget);
    pair.submit();
    let before = pair.now;
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
    assert_eq!((pair.last_sent().1, pair.lines_opened(), pair.now), (Some(WhyAll::NothingThere), 1, before));
    assert!(!pair.notices.iter().any(|notice| matches!(notice, Notice::Waiting { .. })));
}

/// A turn whose answer begins with a call, up to the moment the call is whole.
fn cut_after_a_call() -> Pair {
    let mut pair = auto();
    pair.turn();
    pair.submit();
    pair.deliver_to_server();
    while pair.chain.transcript().is_empty() || !pair.last_told_is_call() {
        assert!(pair.produce());
        while pair.deliver_to_client() {}
    }
    pair.step(Step::Cut);
    pair
}

#[test]
fn a_call_that_was_whole_before_the_cut_is_kept_and_answered_before_anything_is_asked_again() {
    let mut pair = cut_after_a_call();
    let sends = pair.ledger.sends.len();
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::CallsFirst(_)), "{:?}", pair.outcome());
    assert_eq!(pair.ledger.sends.len(), sends, "asked again with an open call");
    assert_eq!(pair.chain.transcript().unanswered().len(), 1);
    assert!(matches!(pair.turn(), Outcome::Answered(_)));
}

#[test]
fn a_cut_before_anything_is_whole_is_asked_again_and_watchers_drop_the_partial_text() {
    let mut pair = auto();
    pair.submit();
    pair.deliver_to_client();
    pair.deliver_to_server();
    for _ in 0..3 {
        pair.produce();
        pair.deliver_to_client();
    }
    pair.step(Step::Cut);
    pair.settle();
    let dropped = |notice: &&Notice| matches!(notice, Notice::Dropped { kept: 0, .. });
    assert_eq!(pair.notices.iter().filter(dropped).count(), 1);
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
    assert_eq!(pair.ledger.begun, 2);
}

#[test]
fn losses_with_progress_between_them_never_use_up_the_budget() {
    let mut pair = socket_only();
    for _ in 0..20 {
        pair.submit();
        for _ in 0..200 {
            if pair.last_told_in_this_turn() {
                break;
            }
            pair.deliver();
        }
        pair.step(Step::Cut);
        pair.settle();
        assert!(!matches!(pair.outcome(), Outcome::Failed(_)), "{:?}", pair.outcome());
    }
}

#[test]
fn a_server_that_is_cut_after_every_item_does_not_keep_a_turn_for_ever() {
    let retry = RetryPolicy { resumptions: 5, ..RetryPolicy::default() };
    let mut pair = Pair::new(Config { mode: Mode::Http, retry, ..Config::default() });
    pair.submit();
    let mut cuts = 0;
    while !pair.chain.is_idle() && cuts < 100 {
        let told = pair.told();
        for _ in 0..100 {
            if pair.told() > told {
                break;
            }
            if !pair.deliver() {
                pair.step(Step::Wake);
            }
        }
        cuts += usize::from(pair.step(Step::Cut));
        while pair.deliver_to_client() {}
        if pair.chain.is_idle() && matches!(pair.outcome(), Outcome::CallsFirst(_)) {
            break;
        }
    }
    assert!(pair.chain.is_idle(), "{cuts} cuts");
}

#[test]
fn a_rate_limit_is_waited_for_as_long_as_told_and_visibly() {
    let mut pair = auto();
    pair.submit();
    while pair.deliver_to_client() {}
    pair.limit_instead_of_an_answer(90);
    let waiting = pair.notices.iter().find_map(|notice| match notice {
        Notice::Waiting { until, class: Class::Limit, .. } => Some(until.since(pair.now)),
        _ => None,
    });
    assert_eq!(waiting, Some(Duration::from_secs(90)));
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
}

#[test]
fn overload_is_waited_out_however_often_it_comes_within_patience() {
    let mut pair = socket_only();
    pair.next_endings([Ending::Error(503, "server_is_overloaded"); 40]);
    assert!(matches!(pair.turn(), Outcome::Answered(_)));
    assert_eq!(pair.lines_opened(), 1);
}

#[test]
fn status_503_is_overload_whatever_its_code() {
    for code in ["server_is_overloaded", "a_code_of_next_year"] {
        let mut pair = socket_only();
        pair.next_endings([Ending::Error(503, code); 20]);
        assert!(matches!(pair.turn(), Outcome::Answered(_)), "{code}");
    }
}

#[test]
fn a_turn_goes_on_as_often_as_its_policy_says_and_no_oftener() {
    let retry = RetryPolicy { resumptions: 2, ..RetryPolicy::default() };
    let mut pair = Pair::new(Config { mode: Mode::Http, retry, ..Config::default() });
    pair.submit();
    for link in 1..=3 {
        let message = format!(r#"{{"type":"message","role":"assistant","content":"part {link}"}}"#);
        let done = format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{message}}}"#);
        assert!(!pair.chain.is_idle(), "gave up after {link} parts");
        assert_eq!(pair.hear_over(LinkId(link), &done), Heard::Turn);
        pair.lose_what_is_on_its_way_to_the_server();
        pair.close_over(LinkId(link));
        while !pair.chain.is_idle() && pair.ledger.sends.len() == usize::try_from(link).unwrap() {
            assert!(pair.wake());
        }
    }
    assert!(matches!(pair.outcome(), Outcome::Failed(Failure::GaveUp(_))));
    assert_eq!(pair.ledger.sends.len(), 3);
}

#[test]
fn patience_ends_a_wait() {
    let retry = RetryPolicy { patience: Duration::from_mins(1), ..RetryPolicy::default() };
    let mut pair = Pair::new(Config { mode: Mode::WebSocket, retry, ..Config::default() });
    pair.next_endings([Ending::Error(503, "server_is_overloaded"); 40]);
    assert!(matches!(pair.turn(), Outcome::Failed(Failure::GaveUp(_))));
    assert!(pair.now.since_beginning() <= Duration::from_secs(70));
}

#[test]
fn a_failing_server_is_asked_again_a_bounded_number_of_times() {
    let mut pair = socket_only();
    pair.next_endings([Ending::Error(500, "server_error"); 100]);
    assert!(matches!(pair.turn(), Outcome::Failed(Failure::GaveUp(_))));
    assert_eq!(pair.ledger.begun, 9);
    pair.clear_trouble();
    assert!(matches!(pair.turn(), Outcome::Answered(_)));
}

#[test]
fn what_no_repetition_mends_fails_at_once_with_the_next_step() {
    for (code, word) in
        [("context_length_exceeded", "compact"), ("model_not_found", "choose"), ("invalid_prompt", "policy")]
    {
        let mut pair = socket_only();
        pair.next_endings([Ending::Error(400, code)]);
        let Outcome::Failed(failure) = pair.turn().clone() else { panic!("{code}: {:?}", pair.outcome()) };
        assert!(failure.to_string().contains(word), "{code}: {failure}");
        assert_eq!(pair.ledger.begun, 1);
    }
}

#[test]
fn a_failed_continuation_is_not_gone_on_from() {
    let mut pair = socket_only();
    pair.turn();
    pair.next_endings([Ending::Error(400, "invalid_prompt")]);
    pair.turn();
    // The server has evicted the parent: naming it would be refused, and could be foreseen.
    pair.turn();
    assert_eq!((pair.last_sent().1, pair.ledger.not_found), (Some(WhyAll::NothingThere), 0));
}

#[test]
fn an_item_overtaken_by_the_end_of_its_response_is_waited_for() {
    let mut pair = auto();
    pair.next_endings([Ending::WithoutOutput]);
    pair.submit();
    pair.deliver_to_client();
    while pair.deliver_to_server() || pair.produce() || pair.on_its_way() > 2 && pair.deliver_to_client() {}
    assert_eq!(pair.on_its_way(), 2);
    pair.step(Step::Swap);
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
    assert_eq!(pair.transcript().len(), 3);
}

#[test]
fn a_response_that_nobody_asked_for_costs_the_line_its_trust() {
    let mut pair = auto();
    pair.turn();
    let event = r#"{"type":"response.created","response":{"id":"resp_99","status":"in_progress"}}"#;
    assert_eq!(pair.hear_over(LinkId(1), event), Heard::Nobody);
    pair.settle();
    pair.turn();
    assert_eq!((pair.lines_opened(), pair.last_sent().1), (2, Some(WhyAll::NothingThere)));
}

#[test]
fn an_echo_of_the_last_response_changes_nothing() {
    let mut pair = auto();
    pair.turn();
    let event = r#"{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[]}}"#;
    assert_eq!(pair.hear_over(LinkId(1), event), Heard::Nobody);
    pair.submit();
    assert_eq!(pair.hear_over(LinkId(1), event), Heard::Nobody);
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(response) if response.id().as_str() == "resp_2"));
    assert_eq!(pair.lines_opened(), 1);
}

#[test]
fn an_item_that_comes_after_the_end_of_its_response_is_not_taken_for_one_of_the_next() {
    let mut pair = auto();
    pair.turn();
    let item = pair.chain.transcript().items().last().unwrap().text().to_owned();
    let late = format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{item}}}"#);
    pair.submit();
    assert_eq!(pair.hear_over(LinkId(1), &late), Heard::Nobody);
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
}

#[test]
fn a_link_that_was_given_up_is_not_heard() {
    let mut pair = auto();
    pair.turn();
    pair.step(Step::Cut);
    while pair.deliver() {}
    pair.submit();
    let event = r#"{"type":"response.completed","response":{"id":"resp_7","status":"completed","output":[]}}"#;
    assert_eq!(pair.hear_over(LinkId(1), event), Heard::Nobody);
    pair.settle();
}

#[test]
fn limits_and_metadata_are_heard_between_turns() {
    let mut pair = auto();
    pair.turn();
    let event = r#"{"type":"codex.rate_limits","rate_limits":{}}"#;
    assert_eq!(pair.hear_over(LinkId(1), event), Heard::Aside);
}

#[test]
fn over_http_errors_are_read_from_the_answer() {
    let mut pair = Pair::new(Config { mode: Mode::Http, ..Config::default() });
    pair.submit();
    let error = ApiError::from_http(500, std::iter::empty(), b"<html>oops</html>");
    pair.refuse_post(LinkId(1), error);
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
    assert_eq!(pair.last_sent().0, Transport::Http);
}

#[test]
fn a_chain_on_a_lane_names_it_and_hears_nothing_else() {
    let lane = responses::id::LaneId::parse("side").unwrap();
    let mut pair = auto();
    pair.lane = Some(lane);
    pair.turn();
    pair.submit();
    let other = r#"{"type":"error","stream_id":"other","status":500,"error":{"message":"not ours"}}"#;
    assert_eq!(pair.hear_over(LinkId(1), other), Heard::Nobody);
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
    // The end of the connection is everybody's.
    pair.next_endings([Ending::Silence]);
    pair.submit();
    pair.step(Step::Flush);
    let end = r#"{"type":"error","status":400,"error":{"code":"websocket_connection_limit_reached","message":"old"}}"#;
    assert_eq!(pair.hear_over(LinkId(1), end), Heard::Turn);
    pair.settle();
    pair.turn();
    assert_eq!(pair.lines_opened(), 2);
}

#[test]
fn a_warm_up_that_says_something_is_not_built_upon() {
    let mut pair = auto();
    pair.warm_up();
    pair.deliver_to_client();
    let item = r#"{"type":"message","role":"assistant","content":[]}"#;
    let event = format!(r#"{{"type":"response.completed","response":{{"id":"resp_w","output":[{item}]}}}}"#);
    assert_eq!(pair.hear_over(LinkId(1), &event), Heard::Turn);
    assert!(pair.chain.transcript().is_empty());
    assert!(pair.chain.anchor().is_none());
}

#[test]
fn a_refused_opening_that_says_when_is_waited_for() {
    let mut pair = auto();
    pair.opening = Opening::Refused(503);
    assert!(matches!(pair.turn(), Outcome::Answered(_)));
    assert_eq!(pair.last_sent().0, Transport::WebSocket);
    assert!(pair.now.since_beginning() >= Duration::from_secs(7));
}

#[test]
fn resuming_from_elsewhere_sends_everything_once() {
    let mut pair = Pair::resumed_with(Config::default(), [Item::user("a"), Item::user("b")]);
    pair.turn();
    assert_eq!(pair.last_sent(), (Transport::WebSocket, Some(WhyAll::NothingThere), 3));
}
