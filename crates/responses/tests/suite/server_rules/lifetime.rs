//! Age, drain, size, pings, and input that makes no sense.

use std::time::Duration;

use responses::chain::{ConnectionEffect, ConnectionLimits, Powers, RunId, Shutdown};

use super::Server;

#[test]
fn nothing_is_said_before_the_client_speaks() {
    let mut server = Server::new();
    server.pass(10);
    assert!(server.said.is_empty());
}

#[test]
fn a_connection_of_age_takes_nothing_new_lets_what_runs_end_and_closes() {
    let mut server = Server::new();
    for _ in 0..180 {
        server.pass(20);
        server.pong();
    }
    // Nothing runs: it says so and closes at its age.
    server.last_is_error(400, "websocket_connection_limit_reached");
    assert_eq!(server.closed, Some(Shutdown::GoingAway));
    assert_eq!(Shutdown::GoingAway.code(), 1001);

    let mut server = Server::new();
    let run = server.create("").unwrap();
    for _ in 0..180 {
        server.pass(20);
        server.pong();
    }
    assert_eq!(server.closed, None, "a response is running");
    server.create(r#""stream_id":"new""#);
    server.last_is_error(400, "websocket_connection_limit_reached");
    server.answer(run, "resp_1");
    assert_eq!(server.closed, Some(Shutdown::GoingAway));
}

#[test]
fn a_response_that_does_not_end_does_not_keep_a_draining_connection() {
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.start(run, "resp_1");
    server.begin_drain();
    assert_eq!(server.closed, None);
    server.pass(40);
    server.pong();
    server.pass(21);
    server.last_is_error(400, "websocket_connection_limit_reached");
    assert_eq!(server.closed, Some(Shutdown::GoingAway));
    assert!(matches!(server.other.last(), Some(ConnectionEffect::Unwatched(RunId(1)))));
}

#[test]
fn what_waits_when_a_drain_begins_is_told_to_go_elsewhere() {
    let mut server = Server::new();
    server.create(r#""stream_id":"a""#);
    server.create(r#""stream_id":"a""#);
    server.begin_drain();
    server.last_is_error(400, "websocket_connection_limit_reached");
    assert_eq!(server.last("stream_id"), "a");
    server.answer(RunId(1), "resp_1");
    assert_eq!((server.begun.len(), server.closed), (1, Some(Shutdown::GoingAway)));
}

#[test]
fn a_message_over_the_limit_closes_with_1009_and_no_last_event() {
    let limits = ConnectionLimits { frame_bytes: 100, ..ConnectionLimits::default() };
    let mut server = Server::with(limits, Powers::default());
    let run = server.create("").unwrap();
    server.create(&format!(r#""input":"{}""#, "x".repeat(100)));
    assert_eq!(server.closed.map(Shutdown::code), Some(1009));
    assert!(server.said.is_empty());
    assert!(matches!(server.other.last(), Some(ConnectionEffect::Unwatched(gone)) if *gone == run));
    assert!(server.create("").is_none(), "a closed connection hears nothing");
}

#[test]
fn a_message_at_the_limit_is_taken() {
    let text = r#"{"type":"response.create","model":"m"}"#;
    let limits = ConnectionLimits { frame_bytes: text.len(), ..ConnectionLimits::default() };
    let mut server = Server::with(limits, Powers::default());
    server.hear(text);
    assert_eq!((server.begun.len(), server.closed), (1, None));
}

#[test]
fn a_client_that_answers_no_pings_is_given_up() {
    let mut server = Server::new();
    server.pass(61);
    assert_eq!(server.closed.map(Shutdown::code), Some(1011));
    let mut server = Server::new();
    for _ in 0..20 {
        server.pass(20);
        server.pong();
    }
    assert_eq!(server.closed, None);
}

#[test]
fn more_requests_than_may_wait_are_told_when_to_come_back() {
    let limits = ConnectionLimits { queued: 2, ..ConnectionLimits::default() };
    let mut server = Server::with(limits, Powers::default());
    for _ in 0..4 {
        server.create("");
    }
    server.last_is_error(429, "rate_limit_exceeded");
    // Codex reads the one, the SDKs the other.
    assert_eq!(
        (server.last("headers.retry-after"), server.last("error.headers.retry-after")),
        ("1".into(), "1".into())
    );
}

#[test]
fn input_that_makes_no_sense_is_answered_and_the_connection_stays() {
    let mut server = Server::new();
    let cases = [
        ("", ""),
        ("{", ""),
        ("[]", ""),
        ("7", ""),
        (r#"{"model":"m"}"#, "type"),
        (r#"{"type":7}"#, "type"),
        (r#"{"type":"response.creat"}"#, "type"),
        (r#"{"type":"response.create","model":7}"#, "model"),
        (r#"{"type":"response.create","input":7}"#, "input"),
        (r#"{"type":"response.create","input":[{"type":"function_call","name":"f"}]}"#, "input.0.call_id"),
        (r#"{"type":"response.create","tools":[{"name":"f"}]}"#, "tools.0.type"),
        (r#"{"type":"response.create","background":true}"#, "background"),
        (r#"{"type":"response.steer","input":"x"}"#, "previous_response_id"),
        (r#"{"type":"response.create","model":"a","model":"b"}"#, "model"),
    ];
    for (text, param) in cases {
        let said = server.said.len();
        server.hear(text);
        assert_eq!(server.said.len(), said + 1, "{text}");
        assert_eq!((server.last("type"), server.last("status")), ("error".into(), "400".into()), "{text}");
        assert_eq!(server.last("error.type"), "invalid_request_error", "{text}");
        assert_eq!(server.last("error.param"), if param.is_empty() { "null" } else { param }, "{text}");
    }
    assert!(server.create("").is_some());
}

#[test]
fn an_error_about_a_message_names_the_lane_of_the_message() {
    let mut server = Server::new();
    server.hear(r#"{"type":"response.create","stream_id":"a","model":7}"#);
    assert_eq!(server.last("stream_id"), "a");
}

#[test]
fn what_codex_says_after_a_response_is_passed_over() {
    let mut server = Server::new();
    server.hear(r#"{"type":"response.processed","response_id":"resp_1"}"#);
    assert!(server.said.is_empty());
}

#[test]
fn after_the_socket_is_gone_nothing_is_asked_for() {
    let limits = ConnectionLimits { age: Duration::from_secs(1), ..ConnectionLimits::default() };
    let mut server = Server::with(limits, Powers::default());
    server.pass(2);
    assert_eq!(server.closed, Some(Shutdown::GoingAway));
    let said = server.said.len();
    server.pass(10_000);
    server.begin_drain();
    assert_eq!(server.said.len(), said);
}
