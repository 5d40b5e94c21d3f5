//! Two plain clients, and what tests say often.

use std::future::Future;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use responses::event::{Body, ServerEvent};
use responses::fold::{Fold, Response as Finished};
use responses::sse::SseDecoder;
use testkit::{FakeModel, Fault, FaultPlan, On, RunningModel, Script, Turn};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// No test waits longer than this for anything.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("this should not take so long")
}

/// Long enough to believe that nothing comes.
pub(crate) async fn nothing_from(work: impl Future) -> bool {
    tokio::time::timeout(Duration::from_millis(80), work).await.is_err()
}

/// A model that says hello for ever.
pub(crate) async fn hello() -> RunningModel {
    misbehaving(FaultPlan::default()).await
}

pub(crate) async fn misbehaving(plan: FaultPlan) -> RunningModel {
    let script = Script::new([Turn::new().message("hello there")]).repeating_last();
    FakeModel::scripted(script).with_faults(plan).start_loopback().await.unwrap()
}

pub(crate) async fn with_fault(on: On, fault: Fault) -> RunningModel {
    misbehaving(FaultPlan::default().on(on, fault)).await
}

pub(crate) async fn scripted(turns: impl IntoIterator<Item = Turn>) -> RunningModel {
    FakeModel::scripted(Script::new(turns)).start_loopback().await.unwrap()
}

/// A socket of a client.
pub(crate) struct Socket(pub(crate) WebSocketStream<TcpStream>);

impl Socket {
    pub(crate) async fn open(model: &RunningModel) -> Self {
        Self::try_open(model).await.unwrap()
    }

    pub(crate) async fn try_open(model: &RunningModel) -> Result<Self, tungstenite::Error> {
        let io = TcpStream::connect(model.address()).await.unwrap();
        let (socket, _) = soon(client_async(model.websocket_url(), io)).await?;
        Ok(Self(socket))
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next text message, or how the line ended.
    pub(crate) async fn next(&mut self) -> Result<String, Ended> {
        loop {
            match soon(self.0.next()).await {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(frame))) => return Err(Ended::Closed(frame.map(|frame| frame.code.into()))),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Ended::Broke),
            }
        }
    }

    /// All messages up to the end of a response, or of the line.
    pub(crate) async fn response(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while let Ok(text) = self.next().await {
            let over = ends(&text);
            texts.push(text);
            if over {
                break;
            }
        }
        texts
    }

    /// Sends a request and gives the whole response.
    pub(crate) async fn ask(&mut self, request: &str) -> Finished {
        self.send(request).await;
        fold(&self.response().await)
    }

    /// Everything up to the end of the line.
    pub(crate) async fn rest(&mut self) -> (Vec<String>, Ended) {
        let mut texts = Vec::new();
        loop {
            match self.next().await {
                Ok(text) => texts.push(text),
                Err(ended) => return (texts, ended),
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Closed(Option<u16>),
    Broke,
}

pub(crate) fn ends(text: &str) -> bool {
    match ServerEvent::parse(text).unwrap().body {
        Body::Response(stage, _) => stage.is_terminal(),
        Body::Error(_) => true,
        _ => false,
    }
}

pub(crate) fn create(fields: &str) -> String {
    format!(r#"{{"type":"response.create","model":"m","store":false{fields}}}"#)
}

pub(crate) fn user(text: &str) -> String {
    format!(r#","input":[{{"type":"message","role":"user","content":"{text}"}}]"#)
}

pub(crate) fn after(previous: &Finished) -> String {
    format!(r#","previous_response_id":"{}""#, previous.id())
}

pub(crate) fn fold(texts: &[String]) -> Finished {
    let mut fold = Fold::default();
    for text in texts {
        fold.push(&ServerEvent::parse(text).unwrap()).unwrap();
    }
    fold.finish().unwrap()
}

pub(crate) fn said(response: &Finished) -> String {
    use responses::item::ItemView;
    let text = |item: &responses::item::Item| match item.view() {
        ItemView::Message(message) => message.content.to_text().into_owned(),
        other => format!("{other:?}"),
    };
    response.output().iter().map(text).collect()
}

/// One HTTP request on a connection of its own.
pub(crate) async fn send(model: &RunningModel, method: &str, path: &str, body: &str) -> Response<Incoming> {
    try_send(model, method, path, body).await.unwrap()
}

pub(crate) async fn try_send(
    model: &RunningModel,
    method: &str,
    path: &str,
    body: &str,
) -> Result<Response<Incoming>, hyper::Error> {
    let io = TcpStream::connect(model.address()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io)).await?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap();
    // The connection ends with the answer: it need not be waited for.
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(connection);
    let sent = soon(sender.send_request(request)).await;
    tasks.detach_all();
    sent
}

/// The whole body, and whether it ended as it should.
pub(crate) async fn body(response: Response<Incoming>) -> (String, bool) {
    let mut body = response.into_body();
    let mut text = Vec::new();
    loop {
        match soon(body.frame()).await {
            Some(Ok(frame)) => text.extend_from_slice(frame.data_ref().unwrap()),
            Some(Err(_)) => return (String::from_utf8(text).unwrap(), false),
            None => return (String::from_utf8(text).unwrap(), true),
        }
    }
}

/// A streamed response: its events, and whether the stream ended as it should.
pub(crate) async fn stream(model: &RunningModel, fields: &str) -> (Vec<String>, bool) {
    let response = send(model, "POST", "/v1/responses", &format!(r#"{{"model":"m","stream":true{fields}}}"#)).await;
    assert_eq!(response.status(), 200);
    let (text, whole) = body(response).await;
    (events(&text), whole)
}

pub(crate) fn events(text: &str) -> Vec<String> {
    let mut events = Vec::new();
    let mut decoder = SseDecoder::default();
    decoder.push(text.as_bytes(), |event| events.push(event.data.to_owned())).unwrap();
    events.retain(|event| event != "[DONE]");
    events
}
