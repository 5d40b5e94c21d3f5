//! What a backend refuses before it has said anything is refused by the gateway too: by a status, and not by a response.

use hyper::Method;

use crate::support::{Running, of, text_of, whole};

const BUSY: &str = r#"{"model":"scripted","input":"reject 429 rate_limit_exceeded later""#;

#[tokio::test]
async fn a_folded_request_that_a_backend_refuses_has_the_status_of_the_refusal() {
    let gateway = Running::start();
    let (status, text) = gateway.ask(Method::POST, "/v1/responses", &format!("{BUSY}}}")).await;
    assert_eq!((status.as_u16(), text_of(&text, "error.code")), (429, "rate_limit_exceeded".into()), "{text}");
    gateway.stop().await;
}

#[tokio::test]
async fn a_stream_that_a_backend_refuses_never_begins() {
    let gateway = Running::start();
    let reply = gateway.send(Method::POST, "/v1/responses", &[], &format!("{BUSY},\"stream\":true}}")).await;
    assert_eq!(reply.status(), 429, "{}", whole(reply).await);
    gateway.stop().await;
}

#[tokio::test]
async fn over_a_socket_a_refusal_is_an_error_with_its_status_and_nothing_before_it() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    socket.create(r#""input":"reject 429 rate_limit_exceeded later""#).await;
    let heard = socket.answer().await;
    let kinds: Vec<String> = heard.iter().map(|event| text_of(event, "type")).collect();
    assert_eq!(kinds, ["error"]);
    assert_eq!(of::<u64>(&heard[0], "status"), 429);
    gateway.stop().await;
}

#[tokio::test]
async fn where_no_backend_can_be_reached_the_status_says_so() {
    let settings = "gateway.models.m = [\"east\"]\nmodel_providers.east.base_url = \"http://127.0.0.1:9/v1\"\n";
    let gateway = Running::with(settings);
    let (status, text) = gateway.ask(Method::POST, "/v1/responses", r#"{"model":"m","input":"hi"}"#).await;
    assert_eq!(status, 503, "{text}");
    gateway.stop().await;
}

/// Codex compacts by a trigger. It begins before the model is asked, so that its refusal has no status either.
#[tokio::test]
async fn a_compaction_that_no_backend_makes_has_the_status_of_the_refusal() {
    let settings = "gateway.models.m = [\"east\"]\nmodel_providers.east.base_url = \"http://127.0.0.1:9/v1\"\n";
    let gateway = Running::with(settings);
    let body = r#"{"model":"m","input":[{"role":"user","content":"hi"},{"type":"compaction_trigger"}]}"#;
    let (status, text) = gateway.ask(Method::POST, "/v1/responses", body).await;
    assert_eq!(status, 503, "{text}");
    gateway.stop().await;
}
