//! Steers, injections and interrupts: each is answered, and what was said is never lost.

use responses::chain::{ConnectionEffect, ConnectionLimits, Powers, RunId};

use super::{Server, call, message, user};

const ALL: Powers = Powers { steer: true, inject: true, interrupt: true };

fn able() -> Server {
    Server::with(ConnectionLimits::default(), ALL)
}

fn steer(server: &mut Server, id: &str, text: &str) {
    server.hear(&format!(r#"{{"type":"response.steer","previous_response_id":"{id}","input":"{text}"}}"#));
}

#[test]
fn a_steer_is_accepted_and_a_successor_with_the_same_settings_says_it() {
    let mut server = able();
    let run = server.create(r#""stream_id":"a","instructions":"be brief","input":"go""#).unwrap();
    server.start(run, "resp_1");
    steer(&mut server, "resp_1", "left");
    assert_eq!((server.last("type"), server.last("stream_id")), ("response.steer.accepted".into(), "a".into()));
    assert_eq!(server.last("steer.previous_response_id"), "resp_1");
    assert_eq!(server.last("steer.id").len(), "steer_".len() + 32);
    assert!(matches!(server.other.last(), Some(ConnectionEffect::EndEarly(early)) if *early == run));
    server.event(run, r#"{"type":"response.incomplete","response":{"id":"resp_1","status":"incomplete","incomplete_details":{"reason":"steered"}}}"#);
    assert_eq!(server.context(), [user("go"), user("left")]);
    let (successor, request) = server.begun.last().unwrap();
    assert_ne!(*successor, run);
    assert_eq!(request.previous.as_ref().unwrap().as_str(), "resp_1");
    assert_eq!(request.request.instructions().unwrap(), "be brief");
    let successor = *successor;
    server.answer(successor, "resp_2");
    assert_eq!(server.last("stream_id"), "a");
    assert!(server.create(r#""stream_id":"a","previous_response_id":"resp_2""#).is_some());
}

#[test]
fn a_response_that_ends_by_itself_is_followed_by_the_successor_too() {
    let mut server = able();
    let run = server.create(r#""input":"go""#).unwrap();
    server.start(run, "resp_1");
    steer(&mut server, "resp_1", "left");
    server.answer(run, "resp_1");
    assert_eq!(server.context(), [user("go"), message("resp_1"), user("left")]);
}

#[test]
fn a_response_that_has_just_ended_can_be_steered() {
    let mut server = able();
    let run = server.create(r#""input":"go""#).unwrap();
    server.answer(run, "resp_1");
    steer(&mut server, "resp_1", "more");
    assert_eq!(server.context(), [user("go"), message("resp_1"), user("more")]);
}

#[test]
fn a_steer_waits_for_answers_and_is_said_before_them() {
    let mut server = able();
    let run = server.create(r#""input":"go""#).unwrap();
    server.start(run, "resp_1");
    steer(&mut server, "resp_1", "left");
    let custom = r#"{"type":"custom_tool_call","call_id":"c2","name":"g","input":""}"#;
    let approval = r#"{"type":"mcp_approval_request","id":"ap_1","server_label":"s","name":"n","arguments":"{}"}"#;
    server.answer_with(run, "resp_1", &[&call("c1"), custom, approval]);
    assert_eq!(
        (server.last("type"), server.last("reason")),
        ("response.steer.pending".into(), "waiting_for_required_input".into())
    );
    let stubs = server.last("required_input");
    assert_eq!(
        stubs,
        r#"[{"type":"function_call_output","call_id":"c1","name":"f"},{"type":"custom_tool_call_output","call_id":"c2"},{"type":"mcp_approval_response","approval_request_id":"ap_1"}]"#
    );
    let output = r#"{"type":"function_call_output","call_id":"c1","output":"done"}"#;
    server.create(&format!(r#""previous_response_id":"resp_1","input":[{output}]"#));
    assert_eq!(server.context(), [user("go"), call("c1"), custom.into(), approval.into(), user("left"), output.into()]);
    assert_eq!(server.begun.last().unwrap().1.new_items, 2);
}

#[test]
fn a_steer_that_waits_is_given_back_when_the_lane_starts_afresh() {
    let mut server = able();
    let run = server.create("").unwrap();
    server.start(run, "resp_1");
    steer(&mut server, "resp_1", "left");
    server.answer_with(run, "resp_1", &[&call("c1")]);
    server.create(r#""input":"forget it""#);
    assert_eq!(
        (server.last("type"), server.last("error.code")),
        ("response.steer.failed".into(), "response_not_active".into())
    );
    assert_eq!(server.last("steer.input"), "left");
    assert_eq!(server.context(), [user("forget it")]);
}

#[test]
fn a_steer_of_a_response_that_fails_is_given_back() {
    let mut server = able();
    let run = server.create("").unwrap();
    server.start(run, "resp_1");
    steer(&mut server, "resp_1", "left");
    server.fail(run, "resp_1");
    assert_eq!(
        (server.last("type"), server.last("error.code")),
        ("response.steer.failed".into(), "successor_creation_failed".into())
    );
    assert_eq!(server.last("steer.input"), "left");
}

#[test]
fn each_reason_to_refuse_a_steer_has_its_code() {
    let code = |server: &Server| {
        assert_eq!(server.last("type"), "response.steer.failed");
        server.last("error.code")
    };
    let mut server = able();
    steer(&mut server, "resp_9", "x");
    assert_eq!(code(&server), "response_not_found");
    let run = server.create("").unwrap();
    server.answer(run, "resp_1");
    server.create("");
    steer(&mut server, "resp_1", "x");
    assert_eq!(code(&server), "response_already_completed");
    let run = server.create(r#""stream_id":"b""#).unwrap();
    server.start(run, "resp_b");
    for bad in [r"[]", r#"[{"type":"reasoning","summary":[]}]"#, r#"[{"role":"assistant","content":"x"}]"#] {
        server.hear(&format!(r#"{{"type":"response.steer","previous_response_id":"resp_b","input":{bad}}}"#));
        assert_eq!(code(&server), "invalid_input", "{bad}");
    }
    for _ in 0..8 {
        steer(&mut server, "resp_b", "x");
        assert_eq!(server.last("type"), "response.steer.accepted");
    }
    steer(&mut server, "resp_b", "x");
    assert_eq!(code(&server), "too_many_pending_steers");
    let early = |effect: &&ConnectionEffect| matches!(effect, ConnectionEffect::EndEarly(_));
    assert_eq!(server.other.iter().filter(early).count(), 1, "one end is enough");
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.start(run, "resp_1");
    steer(&mut server, "resp_1", "x");
    assert_eq!(code(&server), "steering_not_supported");
}

#[test]
fn an_answer_to_a_function_can_be_a_steer() {
    let mut server = able();
    let run = server.create("").unwrap();
    server.start(run, "resp_1");
    let output = r#"{"type":"function_call_output","call_id":"c1","output":"x"}"#;
    server.hear(&format!(r#"{{"type":"response.steer","previous_response_id":"resp_1","input":[{output}]}}"#));
    assert_eq!(server.last("type"), "response.steer.accepted");
}

#[test]
fn an_interrupt_reaches_the_run_or_is_refused_in_words() {
    let interrupt = |server: &mut Server, id: &str| {
        server.hear(&format!(r#"{{"type":"response.interrupt","response_id":"{id}","mode":"discard_partial_items"}}"#));
    };
    let mut server = able();
    let run = server.create(r#""stream_id":"a""#).unwrap();
    server.start(run, "resp_1");
    interrupt(&mut server, "resp_1");
    assert_eq!((server.last("type"), server.last("stream_id")), ("response.interrupt.accepted".into(), "a".into()));
    assert!(matches!(server.other.last(), Some(ConnectionEffect::Interrupt(stopped)) if *stopped == run));
    interrupt(&mut server, "resp_9");
    assert_eq!(
        (server.last("type"), server.last("error.code")),
        ("response.interrupt.failed".into(), "response_not_found".into())
    );
    server.answer(run, "resp_1");
    interrupt(&mut server, "resp_1");
    assert_eq!(server.last("error.code"), "response_already_completed");
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.start(run, "resp_1");
    interrupt(&mut server, "resp_1");
    assert_eq!(
        (server.last("type"), server.last("error.code")),
        ("response.interrupt.failed".into(), "interrupt_not_supported".into())
    );
}

#[test]
fn an_injection_reaches_the_run_or_is_given_back() {
    let item = r#"{"type":"function_call_output","call_id":"c1","output":"x"}"#;
    let inject = |server: &mut Server, id: &str| {
        server.hear(&format!(r#"{{"type":"response.inject","response_id":"{id}","input":[{item}]}}"#));
    };
    let mut server = able();
    let run = server.create("").unwrap();
    server.start(run, "resp_1");
    inject(&mut server, "resp_1");
    assert_eq!(server.last("type"), "response.inject.created");
    assert!(matches!(server.other.last(), Some(ConnectionEffect::Inject(RunId(1), items)) if items[0].text() == item));
    server.answer(run, "resp_1");
    for (id, code) in [("resp_1", "response_already_completed"), ("resp_9", "response_not_found")] {
        inject(&mut server, id);
        assert_eq!((server.last("type"), server.last("error.code")), ("response.inject.failed".into(), code.into()));
        assert_eq!(server.last("input"), format!("[{item}]"));
    }
    let mut server = Server::new();
    let run = server.create("").unwrap();
    server.start(run, "resp_1");
    inject(&mut server, "resp_1");
    assert_eq!(server.last("error.code"), "inject_not_supported");
}
