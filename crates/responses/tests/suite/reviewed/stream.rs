//! What real servers say, and what of it is an answer.

use responses::chain::{Heard, Mode, NotSubmitted, Outcome};
use responses::error::{ApiError, Remedy};
use responses::event::{Body, ServerEvent};
use responses::fold::{Fold, Folded};
use responses::id::CallId;
use responses::item::Item;

use super::{Client, THOUGHT, completed, created, done, said};

fn error_of(text: &str) -> ApiError {
    match ServerEvent::parse(text).unwrap().body {
        Body::Error(error) => *error,
        other => panic!("{other:?}"),
    }
}

fn over_http() -> Client {
    let mut client = Client::over(Mode::Http);
    client.submit("hi");
    client
}

#[test]
fn items_of_servers_that_do_not_number_them_are_taken_in_order() {
    let mut fold = Fold::default();
    let mut push = |text: &str| fold.push(&ServerEvent::parse(text).unwrap()).unwrap();
    push(&created("resp_a"));
    for (index, text) in [(0, "hi"), (1, "there")] {
        let started = r#"{"type":"message","id":"m","role":"assistant","content":[],"status":"in_progress"}"#;
        push(&format!(r#"{{"type":"response.output_item.added","item":{started}}}"#));
        let item = said(text);
        let folded = push(&format!(r#"{{"type":"response.output_item.done","item":{item}}}"#));
        assert_eq!(folded, Folded::Item(index, Item::parse(&item).unwrap()));
    }
}

#[test]
fn an_item_that_the_end_puts_elsewhere_is_there_once() {
    let mut client = over_http();
    let answer = said("A");
    client.begin("r1", &[&answer]);
    let _ = client.hear(&completed("r1", &format!(r#","output":[{THOUGHT},{answer}]"#)));
    assert_eq!(client.transcript()[1..], [THOUGHT, &answer]);
}

#[test]
fn two_calls_with_one_index_are_two_calls() {
    let mut client = over_http();
    let _ = client.hear(&created("r1"));
    for call in ["c0", "c1"] {
        let item = format!(r#"{{"type":"function_call","call_id":"{call}","name":"f","arguments":"{{}}"}}"#);
        assert_eq!(client.hear(&done(0, &item)), Heard::Turn);
    }
    let _ = client.hear(&completed("r1", ""));
    assert_eq!(client.chain.transcript().unanswered(), [CallId::from("c0"), CallId::from("c1")]);
    assert_eq!(client.items_told(), 2);
}

#[test]
fn over_http_answers_may_all_have_one_name() {
    let mut client = Client::over(Mode::Http);
    for turn in 1..=2 {
        client.told.clear();
        client.submit("hi");
        client.hear_all(&[&done(0, &said("ok")), &completed("resp_1", "")]);
        assert!(matches!(client.ended(), Some(Outcome::Answered(_))), "turn {turn}: {:?}", client.ended());
        assert_eq!(client.chain.transcript().len(), 2 * turn);
    }
}

#[test]
fn a_model_that_says_the_same_twice_is_heard_twice() {
    let mut client = Client::over(Mode::Http);
    for id in ["r1", "r2"] {
        client.submit("hi");
        client.hear_all(&[&done(0, &said("ok")), &completed(id, "")]);
    }
    let user = Item::user("hi").text().to_owned();
    assert_eq!(client.transcript(), [user.as_str(), &said("ok"), &user, &said("ok")]);
}

#[test]
fn a_call_made_while_warming_up_is_nobodys() {
    let mut client = Client::over(Mode::WebSocket);
    client.chain.warm_up(client.now, &client.settings).unwrap();
    client.drain();
    client.begin("r1", &[r#"{"type":"function_call","call_id":"c0","name":"f","arguments":"{}"}"#]);
    assert_eq!(client.ended(), Some(&Outcome::Cold));
    assert_eq!((client.items_told(), client.chain.transcript().len()), (0, 0));
    assert_eq!(client.closed, [client.last().link], "the server remembers a call that nobody answers");
    client.submit("hi");
    assert_eq!(client.asked.len(), 2);
}

#[test]
fn a_call_of_which_a_part_is_missing_is_told_and_waits_for_an_answer_and_is_not_whole() {
    let call =
        |more: &str| format!(r#"{{"type":"custom_tool_call","call_id":"c","name":"sh","input":"rm -rf /"{more}}}"#);
    for (status, whole) in [
        (r#","status":"incomplete""#, false),
        (r#","status":"in_progress""#, false),
        (r#","status":"completed""#, true),
        ("", true),
    ] {
        let mut client = over_http();
        client.begin("r1", &[&call(status)]);
        let reason = r#""incomplete_details":{"reason":"max_output_tokens"}"#;
        let _ = client.hear(&format!(
            r#"{{"type":"response.incomplete","response":{{"id":"r1","status":"incomplete",{reason}}}}}"#
        ));
        assert!(matches!(client.ended(), Some(Outcome::Answered(_))));
        assert_eq!(client.items_told(), 1, "{status}");
        assert_eq!(client.chain.transcript().unanswered(), [CallId::from("c")], "{status}");
        assert_eq!(client.chain.transcript().items()[1].is_whole(), whole, "{status}");
    }
}

#[test]
fn a_call_that_is_not_as_its_kind_should_be_waits_for_an_answer_all_the_same() {
    let mut client = over_http();
    client.answer("r1", &[r#"{"type":"function_call","call_id":"c0","name":"f","arguments":{"a":1}}"#]);
    let refused = client.try_submit("go on").unwrap_err();
    assert_eq!(refused, NotSubmitted::Unanswered(vec![CallId::from("c0")], vec![Item::user("go on")]));
    assert_eq!(client.asked.len(), 1);
}

#[test]
fn the_body_of_an_http_error_is_an_error_as_an_event_too() {
    let error = error_of(
        r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
    );
    assert_eq!((error.status, error.kind.as_deref()), (Some(400), Some("exceed_context_size_error")));
}

#[test]
fn a_status_in_the_place_of_the_code_is_a_status() {
    let error =
        error_of(r#"{"type":"error","error":{"message":"bad","type":"BadRequestError","param":null,"code":400}}"#);
    assert_eq!((error.status, error.code.as_deref()), (Some(400), None));
    assert_eq!(error.meaning().remedy, Remedy::Change);
}

#[test]
fn a_thought_that_led_nowhere_before_the_limit_is_not_sent_back() {
    let mut client = over_http();
    client.begin("r1", &[THOUGHT]);
    let _ = client.hear(r#"{"type":"response.incomplete","response":{"id":"r1","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}}}"#);
    client.submit("go on");
    assert!(client.last().text.contains("go on") && !client.last().text.contains("rs_1"), "{}", client.last().text);
}

#[test]
fn a_thought_that_is_only_a_name_is_not_sent_to_a_server_that_keeps_nothing() {
    let mut client = over_http();
    client.answer("r1", &[r#"{"type":"reasoning","id":"rs_9","summary":[]}"#, &said("answered")]);
    client.submit("two");
    assert!(client.last().text.contains("answered") && !client.last().text.contains("rs_9"), "{}", client.last().text);
}
