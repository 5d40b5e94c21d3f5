//! Sockets and requests of the client, each a task that ends with its link.

use std::io;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use responses::chain::{LinkId, Trouble, TroubleKind};
use responses::error::ApiError;
use responses::sse::SseDecoder;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use turmoil::net::TcpStream;

/// How much of an error's body is read.
const MAX_ERROR_BODY: usize = 1 << 20;

/// What a link says to the chain.
#[derive(Debug)]
pub(super) enum Word {
    Open,
    Refused(ApiError),
    Unreachable(Trouble),
    Text(String),
    Pong,
    Closed(Option<u16>),
}

/// What the chain says to a socket.
#[derive(Debug)]
pub(super) enum Order {
    Text(String),
    Ping,
}

/// Where a link's words go.
pub(super) type Words = mpsc::Sender<(LinkId, Word)>;

/// A socket, from its opening to its end.
pub(super) async fn socket(link: LinkId, words: Words, mut orders: mpsc::Receiver<Order>) {
    let mut socket = match open().await {
        Ok(socket) => socket,
        Err(word) => {
            let _ = words.send((link, word)).await;
            return;
        }
    };
    if words.send((link, Word::Open)).await.is_err() {
        return;
    }
    loop {
        let word = tokio::select! {
            order = orders.recv() => {
                let message = match order {
                    Some(Order::Text(text)) => Message::text(text),
                    Some(Order::Ping) => Message::Ping(Bytes::new()),
                    None => return,
                };
                match socket.send(message).await {
                    Ok(()) => continue,
                    Err(_) => Word::Closed(None),
                }
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => Word::Text(text.to_string()),
                Some(Ok(Message::Pong(_))) => Word::Pong,
                Some(Ok(Message::Close(frame))) => Word::Closed(code_of(frame)),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Word::Closed(None),
            },
        };
        let last = matches!(word, Word::Closed(_));
        if words.send((link, word)).await.is_err() || last {
            return;
        }
    }
}

fn code_of(frame: Option<CloseFrame>) -> Option<u16> {
    frame.map(|frame| frame.code.into())
}

async fn open() -> Result<WebSocketStream<TcpStream>, Word> {
    let io = connect().await.map_err(Word::Unreachable)?;
    match client_async("ws://model/v1/responses", io).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => {
            let (head, body) = answer.into_parts();
            let headers = head.headers.iter().filter_map(|(key, value)| Some((key.as_str(), value.to_str().ok()?)));
            Err(Word::Refused(ApiError::from_http(head.status.as_u16(), headers, &body.unwrap_or_default())))
        }
        Err(_) => Err(Word::Closed(None)),
    }
}

async fn connect() -> Result<TcpStream, Trouble> {
    TcpStream::connect("model:80").await.map_err(|_: io::Error| Trouble::new(TroubleKind::Connect, ""))
}

/// A request over HTTP, from its sending to the end of its answer.
pub(super) async fn post(link: LinkId, words: Words, body: String) {
    let last = match exchange(link, &words, body).await {
        Ok(()) => Word::Closed(None),
        Err(word) => word,
    };
    let _ = words.send((link, last)).await;
}

async fn exchange(link: LinkId, words: &Words, body: String) -> Result<(), Word> {
    let lost = |_: hyper::Error| Word::Closed(None);
    let io = connect().await.map_err(Word::Unreachable)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(io)).await.map_err(lost)?;
    let request = Request::post("/v1/responses")
        .header("host", "model")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| Word::Closed(None))?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(lost)?;
        let (head, body) = answer.into_parts();
        if head.status.is_success() {
            words.send((link, Word::Open)).await.map_err(|_| Word::Closed(None))?;
            return read_events(link, words, body).await;
        }
        let body = Limited::new(body, MAX_ERROR_BODY).collect().await.map(Collected::to_bytes).unwrap_or_default();
        let headers = head.headers.iter().filter_map(|(key, value)| Some((key.as_str(), value.to_str().ok()?)));
        Err(Word::Refused(ApiError::from_http(head.status.as_u16(), headers, &body)))
    };
    tokio::pin!(answer);
    tokio::select! {
        outcome = &mut answer => outcome,
        // The connection must be driven, and ends when the answer has.
        _ = connection => answer.await,
    }
}

async fn read_events(link: LinkId, words: &Words, mut body: Incoming) -> Result<(), Word> {
    let mut decoder = SseDecoder::default();
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|_| Word::Closed(None))?.into_data() else { continue };
        let mut texts = Vec::new();
        let read = decoder.push(&bytes, |event| {
            if !event.is_done() {
                texts.push(event.data.to_owned());
            }
        });
        for text in texts {
            words.send((link, Word::Text(text))).await.map_err(|_| Word::Closed(None))?;
        }
        read.map_err(|_| Word::Closed(None))?;
    }
    Ok(())
}
