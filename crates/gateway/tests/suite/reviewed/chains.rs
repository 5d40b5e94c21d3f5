//! Chains and idempotency: what a client goes on from, and what it asks for twice.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};

use hyper::Method;
use testkit::{FakeModel, Turn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::support::{Running, of, said, soon, text_of, whole};

/// A backend at this server, by the name `m`.
fn at(base_url: &str) -> String {
    format!("gateway.models.m = [\"east\"]\nmodel_providers.east.base_url = \"{base_url}\"\n")
}

/// `Live::stored` gives `RunRequest.context` the input alone; `Connection::handle_rejoined` takes it for the whole past.
#[tokio::test]
async fn a_socket_that_resumes_a_stored_response_goes_on_from_its_whole_past() {
    let gateway = Running::start();
    let folder = Arc::clone(&gateway.folder);
    let first = gateway.create(r#""input":"my name is Ada""#).await;
    let id = text_of(&first, "id");
    let second = gateway.create(&format!(r#""input":"my dog is Bo","previous_response_id":"{id}""#)).await;
    let id = text_of(&second, "id");
    gateway.stop().await;
    let gateway = Running::in_folder("", folder);
    let mut socket = gateway.socket().await;
    socket.say(format!(r#"{{"type":"response.resume","response_id":"{id}"}}"#)).await;
    socket.answer().await;
    let third = socket.made(&format!(r#""input":"recall","previous_response_id":"{id}""#)).await;
    assert_eq!(said(&third), "my name is Ada\nmy dog is Bo");
    gateway.stop().await;
}

/// A successor is a clone of the request, its idempotency key included: it is refused as another use of that key.
#[tokio::test]
async fn a_steer_of_a_response_with_an_idempotency_key_has_its_successor() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    socket.create(r#""input":"say first\npace 60000\nsay never ever","idempotency_key":"k""#).await;
    let mut id = String::new();
    loop {
        let text = socket.hear().await.unwrap();
        match &*text_of(&text, "type") {
            "response.created" => id = text_of(&text, "response.id"),
            "response.output_item.added" if of::<u32>(&text, "output_index") == 1 => break,
            _ => {}
        }
    }
    socket.say(format!(r#"{{"type":"response.steer","previous_response_id":"{id}","input":"say instead"}}"#)).await;
    let first = socket.answer().await;
    assert_eq!(text_of(first.last().unwrap(), "response.incomplete_details.reason"), "steered");
    let successor = socket.answer().await;
    assert_eq!(text_of(successor.last().unwrap(), "type"), "response.completed", "{successor:?}");
    gateway.stop().await;
}

/// A server that has no time, until it has: where it is, whether it is busy, and how often it was asked.
async fn busy_server() -> (std::net::SocketAddr, Arc<AtomicBool>, Arc<AtomicU64>) {
    const DONE: &str = concat!(
        "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\",\"status\":\"in_progress\",\"output\":[]}}\n\n",
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":1,\"response\":{\"id\":\"r\",\"status\":\"completed\",\"output\":[]}}\n\n",
    );
    const BUSY: &str = r#"{"error":{"message":"not now","type":"rate_limit_error","code":"rate_limit_exceeded"}}"#;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (busy, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
    let (is_busy, count) = (Arc::clone(&busy), Arc::clone(&asked));
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        loop {
            let (mut io, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 65536];
            let read = io.read(&mut head).await.unwrap();
            let (status, kind, body) = match head.get(..read).is_some_and(|head| head.starts_with(b"POST")) {
                true if is_busy.load(Relaxed) => ("429 Too Many Requests", "application/json", BUSY),
                true => ("200 OK", "text/event-stream", DONE),
                false => ("200 OK", "application/json", r#"{"object":"list","data":[]}"#),
            };
            if head.starts_with(b"POST") {
                count.fetch_add(1, Relaxed);
            }
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            io.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    serving.detach_all();
    (address, busy, asked)
}

/// SDKs send the same idempotency key with each retry. What was refused for a moment must not be refused for ten minutes.
#[tokio::test]
async fn a_request_that_was_refused_may_be_sent_again_under_its_key() {
    let (address, busy, asked) = busy_server().await;
    let gateway = Running::with(&at(&format!("http://{address}/v1")));
    let body = r#"{"model":"m","input":"hi","store":false}"#;
    let ask = async || {
        let reply = gateway.send(Method::POST, "/v1/responses", &[("idempotency-key", "retry-1")], body).await;
        (reply.status().as_u16(), whole(reply).await)
    };
    let first = ask().await;
    assert!(!first.1.contains(r#""status":"completed""#), "{first:?}");
    let before = asked.load(Relaxed);
    busy.store(false, Relaxed);
    let second = ask().await;
    assert!(asked.load(Relaxed) > before, "nobody asked the backend again: {second:?}");
    assert!(second.1.contains(r#""status":"completed""#), "{second:?}");
    gateway.stop().await;
}

/// Nobody wanted the rest of it, and it was cut short. Who asks again under the same key wants a whole one.
#[tokio::test]
async fn a_request_that_was_given_up_for_want_of_a_listener_may_be_sent_again_under_its_key() {
    let gateway = Running::with("gateway.limits.grace_seconds = 0\n");
    let body = r#"{"model":"scripted","input":"pause 3000\nsay hi","store":false}"#;
    let mut io = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
    let ask = format!(
        "POST /v1/responses HTTP/1.1\r\nhost: g\r\nidempotency-key: k\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    io.write_all(ask.as_bytes()).await.unwrap();
    let running = async || of::<u64>(&gateway.get("/readyz").await.1, "running");
    soon(async { while running().await == 0 {} }).await;
    drop(io);
    soon(async { while running().await > 0 {} }).await;
    let again = whole(gateway.send(Method::POST, "/v1/responses", &[("idempotency-key", "k")], body).await).await;
    assert_eq!(text_of(&again, "status"), "completed", "{again}");
    gateway.stop().await;
}

/// Codex and our client fall back from a socket to HTTP with the same request under the same name.
#[tokio::test]
async fn a_key_names_the_same_request_over_a_socket_and_over_http() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    let first = socket.made(r#""input":"say once","idempotency_key":"k""#).await;
    let (status, again) = gateway.post(r#""input":"say once","idempotency_key":"k""#).await;
    assert_eq!((status.as_u16(), again), (200, first));
    gateway.stop().await;
}

/// The lane is how the answer travels, and no part of the request.
#[tokio::test]
async fn a_key_names_the_same_request_on_another_lane() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    let first = socket.made(r#""input":"say once","idempotency_key":"k","stream_id":"a""#).await;
    let again = socket.made(r#""input":"say once","idempotency_key":"k","stream_id":"b""#).await;
    assert_eq!(first, again);
    gateway.stop().await;
}

/// A client whose socket was cut sends its request again: by then the parent with `store: false` is in no connection.
#[tokio::test]
async fn a_request_sent_again_over_a_new_socket_is_found_by_its_key() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    let parent = text_of(&socket.made(r#""input":"one","store":false"#).await, "id");
    let next = format!(r#""input":"two","store":false,"previous_response_id":"{parent}","idempotency_key":"k""#);
    let made = socket.made(&next).await;
    drop(socket);
    let mut socket = gateway.socket().await;
    socket.create(&next).await;
    let again = socket.answer().await;
    let last = again.last().unwrap();
    assert_eq!(text_of(last, "type"), "response.completed", "{last}");
    assert_eq!(text_of(last, "response.id"), text_of(&made, "id"));
    gateway.stop().await;
}

/// The service answers 400 to fields that it does not know, and this one is ours.
#[tokio::test]
async fn the_field_for_an_idempotency_key_goes_to_no_backend() {
    let model = FakeModel::respond_with(|_| Turn::new().message("hi")).start_loopback().await.unwrap();
    let gateway = Running::with(&at(&model.base_url()));
    let body = r#"{"model":"m","input":"hi","idempotency_key":"mine","store":false}"#;
    let (status, text) = gateway.ask(Method::POST, "/v1/responses", body).await;
    assert_eq!(status, 200, "{text}");
    let sent: Vec<String> = model
        .log()
        .requests()
        .iter()
        .map(|request| format!("{:?}", request.body))
        .chain(model.log().frames())
        .collect();
    assert!(!sent.iter().any(|body| body.contains("idempotency_key")), "{sent:?}");
    gateway.stop().await;
}

/// `prompt_cache_options.prewarm` forces `generate: false`: the warm-up of HTTP.
#[tokio::test]
async fn a_warm_up_over_http_says_nothing() {
    let gateway = Running::start();
    let warm = gateway.create(r#""input":"say no word","prompt_cache_options":{"prewarm":true}"#).await;
    assert_eq!(of::<Vec<responses::json::Json>>(&warm, "output").len(), 0, "{warm}");
    gateway.stop().await;
}

/// Once the events are heard to the end there is nothing to come, and the client must not wait for it for ever.
#[tokio::test]
async fn who_resumes_after_the_last_event_is_told_something() {
    let gateway = Running::start();
    let made = gateway.create(r#""input":"say hi""#).await;
    let id = text_of(&made, "id");
    let mut socket = gateway.socket().await;
    socket.say(format!(r#"{{"type":"response.resume","response_id":"{id}","starting_after":1000}}"#)).await;
    let told = tokio::time::timeout(std::time::Duration::from_secs(3), socket.hear()).await;
    assert!(told.is_ok(), "not a word");
    soon(gateway.stop()).await;
}
