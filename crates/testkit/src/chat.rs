//! A model that speaks Chat Completions and nothing else: each request gets the next turn, as it was written.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::body;
use crate::http::{EVENT_STREAM, JSON, recorded};
use crate::record::{Happened, HttpRequest, Log};
use crate::refusal::Refusal;
use crate::serving::Serving;

/// A scripted server of Chat Completions. Everything but `POST /v1/chat/completions` is unknown to it.
#[derive(Debug)]
pub struct ChatModel {
    turns: Vec<Vec<String>>,
}

/// A Chat Completions server that serves. Dropping it ends all it does.
#[derive(Debug)]
pub struct RunningChatModel {
    serving: Serving,
    log: Log,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    turns: Vec<Vec<String>>,
    taken: AtomicUsize,
    connections: AtomicU64,
    log: Log,
}

impl ChatModel {
    /// A model that says these turns, each once. A turn is its chunks, each the text of a JSON object.
    pub fn scripted<Turn>(turns: impl IntoIterator<Item = Turn>) -> Self
    where
        Turn: IntoIterator<Item: Into<String>>,
    {
        let chunks = |turn: Turn| turn.into_iter().map(Into::into).collect();
        Self { turns: turns.into_iter().map(chunks).collect() }
    }

    /// Serves on a free port of this machine.
    pub async fn start_loopback(self) -> io::Result<RunningChatModel> {
        let log = Log::default();
        let shared = Arc::new(Shared {
            turns: self.turns,
            taken: AtomicUsize::new(0),
            connections: AtomicU64::new(0),
            log: log.clone(),
        });
        let serving = Serving::start(move |io| serve(Arc::clone(&shared), io)).await?;
        Ok(RunningChatModel { serving, log })
    }
}

impl RunningChatModel {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.serving.address()
    }

    /// What a client is given as its base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address())
    }

    /// The record of what clients do.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// All HTTP requests in order, those that were refused included.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.log.requests()
    }

    /// Ends all it does, and returns when that is done.
    pub async fn stop(self) {
        self.serving.stop().await;
    }
}

async fn serve(shared: Arc<Shared>, io: TcpStream) {
    let number = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
    shared.log.note(number, Happened::Opened);
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(reply(&shared, number, request).await) }
    });
    // An error is a client that left.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(io), service).await;
    shared.log.note(number, Happened::Gone);
}

async fn reply(shared: &Shared, connection: u64, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let received = body::receive(&head.headers, body).await;
    shared.log.note(connection, Happened::Request(recorded(&head, &received)));
    if let Some(refusal) = received.refusal {
        return refused(&refusal);
    }
    if (&head.method, head.uri.path()) != (&Method::POST, "/v1/chat/completions") {
        return refused(&Refusal::not_found(format!("there is no {} {} here", head.method, head.uri.path())));
    }
    let at = shared.taken.fetch_add(1, Ordering::Relaxed);
    match shared.turns.get(at) {
        Some(turn) => answer(StatusCode::OK, EVENT_STREAM, stream(turn)),
        None => refused(&Refusal::exhausted(shared.turns.len(), at + 1)),
    }
}

fn stream(turn: &[String]) -> String {
    let mut text = String::new();
    for chunk in turn.iter().map(String::as_str).chain(["[DONE]"]) {
        text.extend(["data: ", chunk, "\n\n"]);
    }
    text
}

fn refused(refusal: &Refusal) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, JSON, refusal.body())
}

fn answer(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}
