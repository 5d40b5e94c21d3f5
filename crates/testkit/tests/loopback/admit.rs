//! Whom the model lets in, what every answer carries, what a request may be packed in, what reading costs.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, stream};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use testkit::{FakeModel, RunningModel, Script, Turn};
use tokio::io::{DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::sync::CancellationToken;

use crate::support::{after, body, create, ends, events, fold, said, send, soon, user};

fn model() -> FakeModel {
    FakeModel::scripted(Script::new([Turn::new().message("hello there")]).repeating_last())
}

/// A request with headers.
async fn post(model: &RunningModel, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Incoming> {
    let io = TcpStream::connect(model.address()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io)).await.unwrap();
    let mut request = Request::post("/v1/responses").header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    // The connection ends with the answer: it need not be waited for.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let response = soon(sender.send_request(request.body(Full::new(body.into())).unwrap())).await.unwrap();
    tasks.detach_all();
    response
}

/// The status of an upgrade, and what it says in a header.
async fn upgrade(model: &RunningModel, key: &str, header: &str) -> (u16, Option<String>) {
    let io = TcpStream::connect(model.address()).await.unwrap();
    let mut request = model.websocket_url().into_client_request().unwrap();
    request.headers_mut().insert("authorization", key.parse().unwrap());
    let answer = match soon(client_async(request, io)).await {
        Ok((_, answer)) => answer,
        Err(Error::Http(answer)) => *answer,
        Err(error) => panic!("{error}"),
    };
    let value = answer.headers().get(header).map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), value)
}

#[tokio::test]
async fn a_key_is_demanded_of_requests_and_upgrades_and_may_change() {
    let model = model().with_key("sk-old").start_loopback().await.unwrap();
    let refused = send(&model, "POST", "/v1/responses", r#"{"input":"hi"}"#).await;
    assert_eq!(refused.status(), 401);
    let (text, _) = body(refused).await;
    assert!(text.contains("invalid_api_key") && !text.contains("sk-"), "{text}");
    let status = async |key| {
        let posted = post(&model, &[("authorization", key)], r#"{"input":"hi"}"#).await.status().as_u16();
        (posted, upgrade(&model, key, "x").await.0)
    };
    assert_eq!(status("Bearer sk-old").await, (200, 101));
    assert_eq!(status("Bearer sk-new").await, (401, 401));
    model.accept_key("sk-new");
    assert_eq!(status("Bearer sk-old").await, (401, 401));
    assert_eq!(status("Bearer sk-new").await, (200, 101));
    assert_eq!(model.log().seen().len(), 2);
    model.stop().await;
}

#[tokio::test]
async fn a_header_is_in_every_answer_and_the_upgrade() {
    let model = model().with_header("x-codex-turn-state", "sticky").with_header("x-request-id", "req_mine");
    let model = model.start_loopback().await.unwrap();
    let streamed = post(&model, &[], r#"{"stream":true,"input":"hi"}"#).await;
    let missing = send(&model, "GET", "/v1/nothing", "").await;
    for answer in [streamed, missing] {
        assert_eq!(answer.headers()["x-codex-turn-state"], "sticky");
        let ids: Vec<_> = answer.headers().get_all("x-request-id").iter().collect();
        assert_eq!(ids, ["req_mine"]);
    }
    assert_eq!(upgrade(&model, "none", "x-codex-turn-state").await, (101, Some("sticky".into())));
    model.stop().await;
}

#[tokio::test]
async fn a_header_that_cannot_travel_is_refused_before_it_is_missed() {
    for (name, value) in [("not a name", "value"), ("name", "not a\nvalue")] {
        let error = model().with_header(name, value).start_loopback().await.unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn the_headers_of_an_upgrade_are_in_the_record() {
    let model = model().start_loopback().await.unwrap();
    upgrade(&model, "Bearer sk-x", "x").await;
    let request = &model.log().requests()[0];
    assert_eq!((request.method.as_str(), request.header("authorization")), ("GET", Some("Bearer sk-x")));
    assert!(!request.http2 && !request.is_compressed());
    model.stop().await;
}

#[tokio::test]
async fn a_packed_request_is_unpacked_and_its_size_on_the_wire_is_in_the_record() {
    let model = model().start_loopback().await.unwrap();
    let text = format!(r#"{{"stream":true,"input":"{}"}}"#, "again and ".repeat(400));
    let packed = zstd::stream::encode_all(text.as_bytes(), 3).unwrap();
    let answer = post(&model, &[("content-encoding", "zstd")], packed.clone()).await;
    assert_eq!(said(&fold(&events(&body(answer).await.0))), "hello there");
    post(&model, &[], text.clone()).await;
    let requests = model.log().requests();
    assert_eq!((&requests[0].body, &requests[1].body), (&text, &text));
    assert!(requests[0].is_compressed() && !requests[1].is_compressed());
    assert_eq!((requests[0].wire_bytes, requests[1].wire_bytes), (packed.len(), text.len()));
    assert!(packed.len() < text.len() / 10);
    model.stop().await;
}

#[tokio::test]
async fn a_body_that_cannot_be_unpacked_is_refused_and_in_the_record() {
    let model = model().start_loopback().await.unwrap();
    assert_eq!(post(&model, &[("content-encoding", "br")], "{}").await.status(), 415);
    assert_eq!(post(&model, &[("content-encoding", "zstd")], "{}").await.status(), 400);
    let requests = model.log().requests();
    assert_eq!((requests[1].body.as_str(), requests[1].wire_bytes), ("", 2));
    assert!(model.log().seen().is_empty());
    model.stop().await;
}

/// A client of a model that charges a second for each byte.
fn charging(tasks: &mut JoinSet<()>, stop: &CancellationToken) -> (testkit::Log, DuplexStream, DuplexStream) {
    let ((socket, far), (plain, other)) = (duplex(1 << 20), duplex(1 << 20));
    let model = model().with_rebuild_cost(Duration::from_secs(1));
    let log = model.log();
    let incoming = stream::iter([Ok(far), Ok(other)]).chain(stream::pending());
    let stop = stop.clone();
    tasks.spawn(async move { model.serve(incoming, stop).await.unwrap() });
    (log, socket, plain)
}

/// The response, and how many seconds passed before its first word.
async fn timed(socket: &mut WebSocketStream<DuplexStream>, request: String) -> (Vec<String>, u64) {
    let begun = Instant::now();
    socket.send(Message::text(request)).await.unwrap();
    let (mut texts, mut waited) = (Vec::<String>::new(), 0);
    while !texts.last().is_some_and(|text| ends(text)) {
        let Message::Text(text) = socket.next().await.unwrap().unwrap() else { continue };
        if texts.is_empty() {
            waited = begun.elapsed().as_secs();
        }
        texts.push(text.to_string());
    }
    (texts, waited)
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_costs_nothing_to_read_again() {
    let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
    let (log, io, _) = charging(&mut tasks, &stop);
    let (mut socket, _) = client_async("ws://model/v1/responses", io).await.unwrap();
    let (texts, first) = timed(&mut socket, create(&user("a first and rather long message"))).await;
    let first_response = fold(&texts);
    let (_, second) = timed(&mut socket, create(&(after(&first_response) + &user("short")))).await;
    let bytes = |number: usize, from: usize| {
        let items = log.seen()[number].items();
        items[from..].iter().map(|item| item.text().len() as u64).sum::<u64>()
    };
    assert!(first >= bytes(0, 0), "{first}");
    assert_eq!(second, bytes(1, 2));
    assert!(second < bytes(1, 0) / 2);
    stop.cancel();
    while tasks.join_next().await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_whole_over_http_is_read_whole() {
    let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
    let (log, _, io) = charging(&mut tasks, &stop);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io)).await.unwrap();
    tasks.spawn(async move { drop(connection.await) });
    let begun = Instant::now();
    let text = format!(r#"{{"store":false{}}}"#, user("everything"));
    let request = Request::post("/v1/responses").body(Full::new(Bytes::from(text))).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    let read: u64 = log.seen()[0].items().iter().map(|item| item.text().len() as u64).sum();
    assert!(begun.elapsed() >= Duration::from_secs(read));
    stop.cancel();
    drop(sender);
    while tasks.join_next().await.is_some() {}
}
