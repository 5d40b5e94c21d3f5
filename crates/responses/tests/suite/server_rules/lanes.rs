//! Lanes, continuation, forks, eviction.

use responses::chain::{ConnectionEffect, ConnectionLimits, Context, Powers, RunId};
use responses::item::Item;

use super::{Server, message, user};

#[test]
fn a_create_begins_with_its_own_input_and_nothing_else() {
    let mut server = Server::new();
    let run = server.create(r#""stream":true,"client_metadata":{"a":"b"},"field_of_next_year":1,"input":"hello""#);
    assert_eq!(run, Some(RunId(1)));
    assert_eq!(server.context(), [user("hello")]);
    server.answer(RunId(1), "resp_1");
    // A lane used again without naming a response starts afresh.
    server.create(r#""input":"anew""#);
    assert_eq!(server.context(), [user("anew")]);
}

#[test]
fn a_continuation_sees_everything_before_it() {
    let mut server = Server::new();
    let run = server.create(r#""input":"one""#).unwrap();
    server.answer(run, "resp_1");
    server.create(r#""previous_response_id":"resp_1","input":"two""#);
    assert_eq!(server.context(), [user("one"), message("resp_1"), user("two")]);
    assert_eq!(server.begun[1].1.new_items, 1);
}

#[test]
fn a_warm_up_is_a_parent_like_any_other() {
    let mut server = Server::new();
    let run = server.create(r#""generate":false,"input":"read this""#).unwrap();
    assert!(!server.begun[0].1.request.generate());
    server.answer_with(run, "resp_w", &[]);
    server.create(r#""previous_response_id":"resp_w","input":"go""#);
    assert_eq!(server.context(), [user("read this"), user("go")]);
}

#[test]
fn one_lane_runs_one_response_at_a_time_in_order() {
    let mut server = Server::new();
    let first = server.create(r#""input":"one""#).unwrap();
    assert_eq!(server.create(r#""previous_response_id":"resp_1","input":"two""#), None);
    assert_eq!(server.create(r#""input":"three""#), None);
    server.answer(first, "resp_1");
    assert_eq!(server.context(), [user("one"), message("resp_1"), user("two")]);
    let second = server.begun[1].0;
    server.answer(second, "resp_2");
    assert_eq!(server.context(), [user("three")]);
}

#[test]
fn lanes_run_side_by_side_and_events_say_where_they_belong() {
    let mut server = Server::new();
    let plain = server.create("").unwrap();
    let named = server.create(r#""stream_id":"side""#).unwrap();
    server.start(named, "resp_s");
    assert_eq!(server.last("stream_id"), "side");
    server.start(plain, "resp_p");
    assert_eq!(server.last("stream_id"), "");
}

#[test]
fn sixteen_run_and_more_wait_for_their_turn() {
    let mut server = Server::new();
    for lane in 0..20 {
        server.create(&format!(r#""stream_id":"l{lane}","input":"{lane}""#));
    }
    assert_eq!(server.begun.len(), 16);
    assert!(server.said.is_empty(), "waiting is not an error");
    server.answer(RunId(5), "resp_5");
    assert_eq!(server.begun.len(), 17);
    assert_eq!(server.context(), [user("16")], "first come, first served");
}

#[test]
fn the_33rd_name_is_refused_and_the_default_lane_does_not_count() {
    let mut server = Server::new();
    for lane in 0..32 {
        let run = server.create(&format!(r#""stream_id":"l{lane}""#)).unwrap();
        server.answer(run, &format!("resp_{lane}"));
    }
    server.create(r#""stream_id":"one-too-many""#);
    server.last_is_error(400, "websocket_stream_limit_reached");
    assert_eq!(server.last("stream_id"), "one-too-many");
    assert!(server.create("").is_some());
    assert!(server.create(r#""stream_id":"l7""#).is_some(), "a name that was used is there for ever");
}

#[test]
fn a_name_that_breaks_the_syntax_is_refused_without_a_lane() {
    let mut server = Server::new();
    for name in [r#""""#, "7", r#""a b""#, "true", &format!("\"{}\"", "x".repeat(257))] {
        server.create(&format!(r#""stream_id":{name}"#));
        server.last_is_error(400, "invalid_stream_id");
        assert_eq!(server.last("stream_id"), "");
    }
    assert!(server.create(r#""stream_id":null"#).is_some(), "null is the default lane");
}

#[test]
fn a_fork_goes_on_from_another_lane_and_leaves_it_alone() {
    let mut server = Server::new();
    let run = server.create(r#""input":"root""#).unwrap();
    server.answer(run, "resp_1");
    let fork = server.create(r#""stream_id":"side","previous_response_id":"resp_1","input":"left""#).unwrap();
    assert_eq!(server.context(), [user("root"), message("resp_1"), user("left")]);
    // After the fork's in_progress the source may move on.
    server.start(fork, "resp_2");
    server.create(r#""previous_response_id":"resp_1","input":"right""#);
    assert_eq!(server.context(), [user("root"), message("resp_1"), user("right")]);
}

#[test]
fn a_source_that_moves_on_before_its_fork_has_begun_takes_the_parent_away() {
    let mut server = Server::with(ConnectionLimits { active: 1, ..ConnectionLimits::default() }, Powers::default());
    let run = server.create(r#""input":"root""#).unwrap();
    server.answer(run, "resp_1");
    let source = server.create(r#""previous_response_id":"resp_1","input":"on""#).unwrap();
    server.create(r#""stream_id":"side","previous_response_id":"resp_1","input":"fork""#);
    server.answer(source, "resp_2");
    let Some(ConnectionEffect::Recall(fork, id)) = server.other.pop() else { panic!("{:?}", server.other) };
    assert_eq!(id.as_str(), "resp_1");
    server.recalled(fork, None);
    server.last_is_error(400, "previous_response_not_found");
    assert_eq!(server.last("stream_id"), "side");
}

#[test]
fn a_failed_continuation_takes_its_parent_with_it() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.answer(run, "resp_1");
    let run = server.create(r#""previous_response_id":"resp_1""#).unwrap();
    server.fail(run, "resp_2");
    server.create(r#""previous_response_id":"resp_1""#);
    assert!(matches!(server.other.last(), Some(ConnectionEffect::Recall(..))), "the parent is still remembered");
}

#[test]
fn a_failed_fork_leaves_the_parent_where_it_was() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.answer(run, "resp_1");
    let fork = server.create(r#""stream_id":"side","previous_response_id":"resp_1""#).unwrap();
    server.fail(fork, "resp_2");
    assert!(server.create(r#""previous_response_id":"resp_1""#).is_some());
}

#[test]
fn a_fork_that_fails_leaves_what_its_own_lane_remembers_too() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.answer(run, "resp_1");
    let run = server.create(r#""stream_id":"side""#).unwrap();
    server.answer(run, "resp_s");
    let fork = server.create(r#""stream_id":"side","previous_response_id":"resp_1""#).unwrap();
    server.fail(fork, "resp_2");
    assert!(server.create(r#""stream_id":"side","previous_response_id":"resp_s""#).is_some());
    assert!(server.create(r#""previous_response_id":"resp_1""#).is_some());
}

#[test]
fn a_fresh_start_that_fails_leaves_the_latest_response_where_it_was() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.answer(run, "resp_1");
    let run = server.create("").unwrap();
    server.fail(run, "resp_2");
    assert!(server.create(r#""previous_response_id":"resp_1""#).is_some());
}

#[test]
fn a_lane_remembers_its_latest_response_only() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.answer(run, "resp_1");
    let run = server.create(r#""previous_response_id":"resp_1""#).unwrap();
    server.answer(run, "resp_2");
    server.create(r#""previous_response_id":"resp_1""#);
    assert!(matches!(server.other.last(), Some(ConnectionEffect::Recall(..))));
}

#[test]
fn what_lanes_remember_is_bounded_and_the_oldest_goes_first() {
    let limits = ConnectionLimits { remembered_bytes: 1000, ..ConnectionLimits::default() };
    let mut server = Server::with(limits, Powers::default());
    for (lane, id) in [("a", "resp_a"), ("b", "resp_b"), ("c", "resp_c")] {
        let run = server.create(&format!(r#""stream_id":"{lane}","input":"{}""#, "x".repeat(250))).unwrap();
        server.answer(run, id);
    }
    assert!(server.create(r#""stream_id":"c","previous_response_id":"resp_c""#).is_some());
    assert!(server.create(r#""stream_id":"b","previous_response_id":"resp_b""#).is_some());
    assert_eq!(server.create(r#""stream_id":"a","previous_response_id":"resp_a""#), None);
    assert!(matches!(server.other.last(), Some(ConnectionEffect::Recall(_, id)) if id.as_str() == "resp_a"));
}

#[test]
fn what_is_found_in_storage_is_gone_on_from() {
    let mut server = Server::new();
    server.create(r#""previous_response_id":"resp_old","input":"again""#);
    let Some(ConnectionEffect::Recall(run, _)) = server.other.pop() else { panic!("{:?}", server.other) };
    // While it is looked for, the lane is taken.
    assert_eq!(server.create(""), None);
    let stored: Context = [Item::user("long ago")].into_iter().collect();
    server.recalled(run, Some(stored));
    assert_eq!(server.context(), [user("long ago"), user("again")]);
}

#[test]
fn what_is_found_nowhere_is_an_error_of_the_request_only() {
    let mut server = Server::new();
    server.create(r#""stream_id":"a","previous_response_id":"resp_x""#);
    let Some(ConnectionEffect::Recall(run, _)) = server.other.pop() else { panic!("{:?}", server.other) };
    server.recalled(run, None);
    server.last_is_error(400, "previous_response_not_found");
    assert_eq!(server.last("error.param"), "previous_response_id");
    assert_eq!(server.last("stream_id"), "a");
    assert!(server.create(r#""stream_id":"a""#).is_some());
}

#[test]
fn an_answer_to_a_search_that_is_over_changes_nothing() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.recalled(run, None);
    server.recalled(RunId(77), None);
    assert!(server.said.is_empty());
}

#[test]
fn a_response_at_its_limit_can_be_gone_on_from() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.start(run, "resp_1");
    server.event(run, r#"{"type":"response.incomplete","response":{"id":"resp_1","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}"#);
    assert!(server.create(r#""previous_response_id":"resp_1""#).is_some());
}

#[test]
fn a_run_that_is_lost_is_said_and_frees_its_lane() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.answer(run, "resp_1");
    let run = server.create(r#""previous_response_id":"resp_1""#).unwrap();
    server.gone(run);
    server.last_is_error(500, "server_error");
    assert!(server.create("").is_some());
    let said = server.said.len();
    server.event(run, r#"{"type":"response.created","response":{"id":"late"}}"#);
    assert_eq!(server.said.len(), said, "a run that is over is not heard");
}

#[test]
fn a_run_that_speaks_nonsense_is_treated_as_lost() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.event(run, "{");
    server.last_is_error(500, "server_error");
}
