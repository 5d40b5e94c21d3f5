//! The model over TLS and over HTTP/2, and both.

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use testkit::tls::Authority;
use testkit::{FakeModel, Fault, FaultPlan, Happened, On, RunningModel, Script, Turn};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{body, create, ends, events, fold, misbehaving, nothing_from, said, soon, user};
use crate::trust;

const STREAMED: &str = r#"{"stream":true,"input":"hi"}"#;

/// A model over TLS that says hello for ever, and those who trust it.
async fn hello_over_tls(authority: &Authority) -> RunningModel {
    let config = authority.server_config(&["localhost"], &[b"h2", b"http/1.1"]).unwrap();
    let script = Script::new([Turn::new().message("hello there")]).repeating_last();
    FakeModel::scripted(script).start_tls(config).await.unwrap()
}

async fn over_tls(model: &RunningModel, authority: &Authority, alpn: &[u8]) -> TlsStream<TcpStream> {
    let io = TcpStream::connect(model.address()).await.unwrap();
    let connector = TlsConnector::from(trust::client(authority, &[alpn]));
    let io = soon(Box::pin(connector.connect(trust::name("localhost"), io))).await.unwrap();
    assert_eq!(io.get_ref().1.alpn_protocol(), Some(alpn));
    io
}

/// A client of HTTP/2. Its connection ends with the set.
async fn http2<S>(io: S, tasks: &mut JoinSet<()>) -> SendRequest<Full<Bytes>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = soon(http2::handshake(TokioExecutor::new(), TokioIo::new(io))).await.unwrap();
    tasks.spawn(async move { drop(connection.await) });
    sender
}

async fn post(
    sender: &mut SendRequest<Full<Bytes>>,
    url: &str,
    body: &'static str,
) -> Result<Response<Incoming>, hyper::Error> {
    let request = Request::post(format!("{url}/responses")).body(Full::new(Bytes::from(body))).unwrap();
    soon(sender.send_request(request)).await
}

#[tokio::test]
async fn a_socket_is_opened_over_tls() {
    let authority = Authority::new().unwrap();
    let model = hello_over_tls(&authority).await;
    let port = model.address().port();
    assert_eq!(model.base_url(), format!("https://localhost:{port}/v1"));
    assert_eq!(model.websocket_url(), format!("wss://localhost:{port}/v1/responses"));
    let io = over_tls(&model, &authority, b"http/1.1").await;
    let (mut socket, _) = soon(Box::pin(client_async(model.websocket_url(), io))).await.unwrap();
    socket.send(Message::text(create(&user("hi")))).await.unwrap();
    let mut texts = Vec::new();
    while !texts.last().is_some_and(|text: &String| ends(text)) {
        texts.push(soon(socket.next()).await.unwrap().unwrap().into_text().unwrap().to_string());
    }
    assert_eq!(said(&fold(&texts)), "hello there");
    model.stop().await;
}

#[tokio::test]
async fn over_tls_the_client_chooses_http2() {
    let authority = Authority::new().unwrap();
    let model = hello_over_tls(&authority).await;
    let mut tasks = JoinSet::new();
    let mut sender = http2(over_tls(&model, &authority, b"h2").await, &mut tasks).await;
    let response = post(&mut sender, &model.base_url(), STREAMED).await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
    let (text, whole) = body(response).await;
    assert!(whole);
    assert_eq!(said(&fold(&events(&text))), "hello there");
    let request = &model.log().requests()[0];
    assert!(request.http2);
    assert_eq!(request.path, "/v1/responses");
    assert_eq!(request.header(":authority"), Some(format!("localhost:{}", model.address().port()).as_str()));
    model.stop().await;
}

#[tokio::test]
async fn who_does_not_trust_the_model_is_not_in_its_record() {
    let (authority, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let model = hello_over_tls(&authority).await;
    let io = TcpStream::connect(model.address()).await.unwrap();
    let connector = TlsConnector::from(trust::client(&other, &[b"h2"]));
    assert!(soon(Box::pin(connector.connect(trust::name("localhost"), io))).await.is_err());
    drop(over_tls(&model, &authority, b"h2").await);
    soon(model.log().until(|log| log.on_connection(1).contains(&Happened::Gone))).await;
    assert_eq!(model.log().entries().len(), 2);
    model.stop().await;
}

#[tokio::test]
async fn http2_with_prior_knowledge_carries_requests_side_by_side() {
    let turns = [Turn::new().message("one").silence(), Turn::new().message("two")];
    let model = FakeModel::scripted(Script::new(turns)).start_loopback().await.unwrap();
    let mut tasks = JoinSet::new();
    let mut sender = http2(TcpStream::connect(model.address()).await.unwrap(), &mut tasks).await;
    let silent = post(&mut sender, &model.base_url(), STREAMED).await.unwrap();
    let (text, whole) = body(post(&mut sender, &model.base_url(), STREAMED).await.unwrap()).await;
    assert!(whole);
    assert_eq!(said(&fold(&events(&text))), "two");
    let mut silent = silent.into_body();
    let mut text = String::new();
    while !text.contains("response.output_item.done") {
        let data = soon(silent.frame()).await.unwrap().unwrap().into_data().unwrap();
        text.push_str(std::str::from_utf8(&data).unwrap());
    }
    assert!(nothing_from(silent.frame()).await);
    assert_eq!(model.log().requests().len(), 2);
    assert_eq!(model.log().seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [1, 1]);
    model.stop().await;
}

#[tokio::test]
async fn a_line_of_http2_breaks_after_so_many_bytes() {
    let model = misbehaving(FaultPlan::default().on(On::Request(2), Fault::CutAfterBytes(700))).await;
    let mut tasks = JoinSet::new();
    let mut sender = http2(TcpStream::connect(model.address()).await.unwrap(), &mut tasks).await;
    let (text, whole) = body(post(&mut sender, &model.base_url(), STREAMED).await.unwrap()).await;
    assert!(whole && text.len() > 700);
    if let Ok(response) = post(&mut sender, &model.base_url(), STREAMED).await {
        let (text, whole) = body(response).await;
        assert!(!whole && text.len() <= 700, "{text}");
    }
    soon(model.log().until(|log| log.on_connection(1).contains(&Happened::Gone))).await;
    model.stop().await;
}

#[tokio::test]
async fn over_http2_the_fault_of_a_request_outlives_the_next() {
    let turns = [Turn::new().silence(), Turn::new().message("two")];
    let plan = FaultPlan::default().on(On::Request(1), Fault::CutAfterBytes(2_500));
    let model = FakeModel::scripted(Script::new(turns)).with_faults(plan).start_loopback().await.unwrap();
    let mut tasks = JoinSet::new();
    let mut sender = http2(TcpStream::connect(model.address()).await.unwrap(), &mut tasks).await;
    let _silent = post(&mut sender, &model.base_url(), STREAMED).await.unwrap();
    if let Ok(spoken) = post(&mut sender, &model.base_url(), STREAMED).await {
        assert!(!body(spoken).await.1);
    }
    assert_eq!(model.log().requests().len(), 2);
    model.stop().await;
}

#[tokio::test]
async fn nothing_is_left_of_a_model_that_answered_over_http2() {
    let before = Handle::current().metrics().num_alive_tasks();
    let turns = [Turn::new().message("one").silence()];
    let model = FakeModel::scripted(Script::new(turns)).start_loopback().await.unwrap();
    let mut tasks = JoinSet::new();
    let mut sender = http2(TcpStream::connect(model.address()).await.unwrap(), &mut tasks).await;
    let response = post(&mut sender, &model.base_url(), STREAMED).await.unwrap();
    soon(model.stop()).await;
    assert!(!body(response).await.1);
    drop(sender);
    tasks.shutdown().await;
    // The tasks of the client are not ours to wait for.
    soon(async {
        while Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_says_nothing_over_tls_holds_nothing_up() {
    let authority = Authority::new().unwrap();
    let model = hello_over_tls(&authority).await;
    let mut mute = TcpStream::connect(model.address()).await.unwrap();
    let _other = over_tls(&model, &authority, b"http/1.1").await;
    soon(model.log().until(|log| log.entries().len() == 1)).await;
    drop(model);
    assert!(!matches!(soon(mute.read(&mut [0])).await, Ok(1..)));
}
