//! What Capstan adds to the service: a client that comes back hears the rest, and may stop one response of many.

use std::sync::Arc;

use responses::chain::{ConnectionEffect, ConnectionLimits, Powers, RunId, RunRequest};
use responses::id::ResponseId;
use responses::item::Item;
use responses::request::Request;

use super::{Server, message, user};

fn resume(server: &mut Server, fields: &str) -> Option<RunId> {
    server.hear(&format!(r#"{{"type":"response.resume","response_id":"resp_1"{fields}}}"#));
    match server.other.pop() {
        Some(ConnectionEffect::Rejoin(run, id)) => (id.as_str() == "resp_1").then_some(run),
        _ => None,
    }
}

fn found() -> RunRequest {
    RunRequest {
        request: Arc::new(Request::parse(r#"{"model":"m","instructions":"be brief"}"#).unwrap()),
        previous: Some(ResponseId::from("resp_0")),
        context: [Item::user("go")].into_iter().collect(),
        new_items: 1,
        parent: None,
    }
}

fn delta(number: u32) -> String {
    format!(
        r#"{{"type":"response.output_text.delta","sequence_number":{number},"output_index":0,"item_id":"i","content_index":0,"delta":"{number}"}}"#
    )
}

fn tell(server: &mut Server, run: RunId) {
    server.event(
        run,
        r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress"}}"#,
    );
    for number in 1..4 {
        server.event(run, &delta(number));
    }
    let item = message("resp_1");
    server.event(
        run,
        &format!(r#"{{"type":"response.output_item.done","sequence_number":4,"output_index":0,"item":{item}}}"#),
    );
    server.event(
        run,
        r#"{"type":"response.completed","sequence_number":5,"response":{"id":"resp_1","status":"completed"}}"#,
    );
}

#[test]
fn a_client_that_comes_back_hears_what_it_has_not_heard_and_nothing_twice() {
    let mut server = Server::new();
    let run = resume(&mut server, r#","starting_after":2,"stream_id":"a""#).unwrap();
    server.rejoined(run, Some(found()));
    tell(&mut server, run);
    let said: Vec<_> = server.said.iter().map(|text| super::field(text, "sequence_number")).collect();
    assert_eq!(said, ["3", "4", "5"]);
    assert!(server.said.iter().all(|text| super::field(text, "stream_id") == "a"));
}

#[test]
fn the_lane_remembers_the_response_it_listened_to_again_and_goes_on_from_it() {
    let mut server = Server::new();
    let run = resume(&mut server, "").unwrap();
    server.rejoined(run, Some(found()));
    tell(&mut server, run);
    assert_eq!(server.said.len(), 6, "without a number all is told");
    server.create(r#""previous_response_id":"resp_1","input":"more""#).unwrap();
    assert_eq!(server.context(), [user("go"), message("resp_1"), user("more")]);
}

#[test]
fn a_response_that_is_not_kept_any_more_is_an_error_and_the_lane_is_free() {
    let mut server = Server::new();
    let run = resume(&mut server, r#","stream_id":"a""#).unwrap();
    server.rejoined(run, None);
    server.last_is_error(404, "response_not_found");
    assert_eq!(server.last("stream_id"), "a");
    assert!(server.create(r#""stream_id":"a""#).is_some());
}

#[test]
fn nobody_who_answers_in_time_is_an_error_too() {
    let mut server = Server::new();
    let run = resume(&mut server, "").unwrap();
    server.pass(31);
    server.last_is_error(404, "response_not_found");
    server.rejoined(run, Some(found()));
    assert_eq!(server.said.len(), 1, "a late answer is passed over");
}

#[test]
fn a_lane_that_is_in_use_is_not_listened_on() {
    let mut server = Server::new();
    server.create(r#""stream_id":"a""#).unwrap();
    assert_eq!(resume(&mut server, r#","stream_id":"a""#), None);
    server.last_is_error(409, "lane_busy");
    assert!(resume(&mut server, r#","stream_id":"b""#).is_some());
}

#[test]
fn requests_behind_a_resumed_response_wait_for_it() {
    let mut server = Server::new();
    let run = resume(&mut server, "").unwrap();
    assert_eq!(server.create(r#""input":"next""#), None);
    server.rejoined(run, Some(found()));
    tell(&mut server, run);
    assert_eq!(server.begun.len(), 1);
}

#[test]
fn one_response_of_many_is_cancelled_by_its_id() {
    let mut server = Server::new();
    let run = server.create(r#""stream_id":"a""#).unwrap();
    let other = server.create(r#""stream_id":"b""#).unwrap();
    server.start(run, "resp_a");
    server.start(other, "resp_b");
    server.hear(r#"{"type":"response.cancel","response_id":"resp_b"}"#);
    assert!(matches!(server.other.last(), Some(ConnectionEffect::Cancel(stopped)) if *stopped == other));
    server.hear(r#"{"type":"response.cancel","response_id":"resp_x"}"#);
    server.last_is_error(404, "response_not_found");
}

#[test]
fn what_can_be_done_to_a_run_is_said_run_by_run() {
    let mut server = Server::with(ConnectionLimits::default(), Powers::default());
    let run = server.create(r#""input":"go""#).unwrap();
    server.grant(run, Powers { steer: true, ..Powers::default() });
    server.start(run, "resp_1");
    let steer = r#"{"type":"response.steer","previous_response_id":"resp_1","input":"left"}"#;
    server.hear(steer);
    assert_eq!(server.last("type"), "response.steer.accepted");
    server.answer(run, "resp_1");
    assert_eq!(server.begun.len(), 2, "the successor begins");
    let (successor, _) = server.begun[1];
    server.start(successor, "resp_2");
    server.hear(&steer.replace("resp_1", "resp_2"));
    assert_eq!(server.last("error.code"), "steering_not_supported", "nobody granted it to the successor");
}
