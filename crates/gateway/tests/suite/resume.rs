//! A response survives the line to its client: whoever comes back hears each event once.

use http_body_util::BodyExt;
use hyper::Method;
use responses::json::Json;

use crate::support::{Running, events, of, soon, text_of, whole};

/// What the model is asked for: two hundred events, a few more or less.
const LONG: &str = r#""input":"count 192""#;

fn number(event: &str) -> u64 {
    of(event, "sequence_number")
}

fn numbers(events: &[String]) -> Vec<u64> {
    events.iter().map(|event| number(event)).collect()
}

#[tokio::test]
async fn a_socket_cut_after_any_event_is_gone_on_from_over_another_socket() {
    let gateway = Running::start();
    let whole: Vec<u64> = (0..=199).collect();
    for cut in 0..whole.len() {
        let mut first = gateway.socket().await;
        first.create(&format!(r#"{LONG},"store":false"#)).await;
        let mut heard = Vec::new();
        while heard.len() <= cut {
            heard.push(first.hear().await.unwrap());
        }
        let id = text_of(&heard[0], "response.id");
        // Neither a close frame nor a word.
        drop(first);
        if heard.len() == whole.len() {
            assert_eq!(numbers(&heard), whole);
            break;
        }
        let mut second = gateway.socket().await;
        second
            .say(format!(r#"{{"type":"response.resume","response_id":"{id}","starting_after":{cut},"stream_id":"a"}}"#))
            .await;
        let rest = second.answer().await;
        assert!(rest.iter().all(|event| text_of(event, "stream_id") == "a"));
        heard.extend(rest);
        assert_eq!(numbers(&heard), whole, "cut after {cut}");
        assert_eq!(text_of(heard.last().unwrap(), "response.id"), id);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_stream_cut_after_any_event_is_gone_on_from_over_another_request() {
    let gateway = Running::start();
    for cut in (0..200).step_by(7) {
        let body = format!(r#"{{"model":"scripted",{LONG},"stream":true,"store":false}}"#);
        let mut reply = gateway.send(Method::POST, "/v1/responses", &[], &body).await.into_body();
        let mut text = String::new();
        // What came of an event in the middle of which the line was cut is not heard.
        let whole = |text: &str| events(text.rfind("\n\n").and_then(|end| text.get(..end)).unwrap_or_default());
        while whole(&text).len() <= cut {
            let frame = soon(reply.frame()).await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
        let mut heard = whole(&text);
        heard.truncate(cut + 1);
        drop(reply);
        let id = text_of(&heard[0], "response.id");
        let (status, rest) = gateway.get(&format!("/v1/responses/{id}?stream=true&starting_after={cut}")).await;
        assert_eq!(status, 200, "{rest}");
        assert!(rest.ends_with("data: [DONE]\n\n"));
        heard.extend(events(&rest));
        assert_eq!(numbers(&heard), (0..200).collect::<Vec<_>>(), "cut after {cut}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn who_comes_back_in_the_middle_hears_the_past_and_then_the_rest_as_it_is_made() {
    let gateway = Running::start();
    let mut first = gateway.socket().await;
    first.create(r#""input":"count 5\npause 60000\nsay late""#).await;
    let mut heard: Vec<String> = Vec::new();
    while heard.last().is_none_or(|event| text_of(event, "type") != "response.output_item.done") {
        heard.push(first.hear().await.unwrap());
    }
    let id = text_of(&heard[0], "response.id");
    drop(first);
    let mut second = gateway.socket().await;
    second.say(format!(r#"{{"type":"response.resume","response_id":"{id}","starting_after":3}}"#)).await;
    let next = second.hear().await.unwrap();
    assert_eq!(number(&next), 4);
    // It runs still: it can be stopped from here.
    second.say(format!(r#"{{"type":"response.cancel","response_id":"{id}"}}"#)).await;
    let rest = second.answer().await;
    assert_eq!(text_of(rest.last().unwrap(), "response.status"), "cancelled");
    gateway.stop().await;
}

#[tokio::test]
async fn a_lane_goes_on_from_the_response_that_it_resumed() {
    let gateway = Running::start();
    let mut first = gateway.socket().await;
    let made = first.made(r#""input":"remember the number 7","store":false"#).await;
    let id = text_of(&made, "id");
    drop(first);
    let mut second = gateway.socket().await;
    second.say(format!(r#"{{"type":"response.resume","response_id":"{id}"}}"#)).await;
    second.answer().await;
    let next = second.made(&format!(r#""input":"recall","store":false,"previous_response_id":"{id}""#)).await;
    assert!(next.contains("remember the number 7"), "{next}");
    gateway.stop().await;
}

#[tokio::test]
async fn a_response_that_nobody_listens_to_ends_after_its_grace() {
    let gateway = Running::with("gateway.limits.grace_seconds = 0");
    let mut socket = gateway.socket().await;
    socket.create(r#""input":"say a\npause 60000\nsay b""#).await;
    let id = text_of(&socket.hear().await.unwrap(), "response.id");
    drop(socket);
    soon(async {
        // To look is not to listen.
        while text_of(&gateway.get(&format!("/v1/responses/{id}")).await.1, "status") != "cancelled" {}
    })
    .await;
    gateway.stop().await;
}

#[tokio::test]
async fn what_cannot_be_resumed_is_told_so_and_the_socket_stays() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    socket.say(r#"{"type":"response.resume","response_id":"resp_never"}"#).await;
    let error = socket.hear().await.unwrap();
    assert_eq!((of::<u64>(&error, "status"), text_of(&error, "error.code")), (404, "response_not_found".into()));
    let (status, text) = gateway.get("/v1/responses/resp_never?stream=true&starting_after=3").await;
    assert_eq!((status.as_u16(), text_of(&text, "error.code")), (404, "response_not_found".into()));
    let (status, text) = gateway.get("/v1/responses/resp_never?stream=true&starting_after=x").await;
    assert_eq!((status.as_u16(), of::<Json>(&text, "error.message").is_null()), (400, false));
    socket.made(r#""input":"say still here""#).await;
    socket.0.close(None).await.unwrap();
    gateway.stop().await;
}

#[tokio::test]
async fn a_stored_response_is_heard_again_after_a_restart() {
    let gateway = Running::start();
    let folder = std::sync::Arc::clone(&gateway.folder);
    let made = gateway.create(r#""input":"count 5""#).await;
    let id = text_of(&made, "id");
    let before = gateway.get(&format!("/v1/responses/{id}?stream=true")).await.1;
    gateway.stop().await;
    let gateway = Running::in_folder("", folder);
    let (status, after) = gateway.get(&format!("/v1/responses/{id}?stream=true")).await;
    assert_eq!((status.as_u16(), &after), (200, &before));
    let rest = events(&gateway.get(&format!("/v1/responses/{id}?stream=true&starting_after=4")).await.1);
    assert_eq!(number(&rest[0]), 5);
    let reply = gateway.send(Method::GET, &format!("/v1/responses/{id}"), &[], "").await;
    assert_eq!(whole(reply).await, made);
    let next = gateway.create(&format!(r#""input":"recall","previous_response_id":"{id}""#)).await;
    assert!(next.contains("count 5"), "{next}");
    gateway.stop().await;
}
