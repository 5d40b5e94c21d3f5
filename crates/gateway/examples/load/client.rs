//! A client that reads as little as it can, and notes when it reads what.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::Outcome;
use crate::case::{Case, Wire};

/// The time of day in nanoseconds, the same for all processes.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|time| time.as_nanos().try_into().ok()).unwrap_or(0)
}

/// What was heard of one answer.
#[derive(Default)]
pub(crate) struct Heard {
    /// How long the first event took.
    pub(crate) first: Duration,
    /// How long each word was on its way, in microseconds.
    pub(crate) delays: Vec<f64>,
    pub(crate) events: usize,
    /// What those who want it keep.
    pub(crate) kept: Option<Vec<String>>,
}

impl Heard {
    /// An event, without what HTTP puts around it.
    fn take(&mut self, event: &str, asked: Instant) {
        if self.events == 0 {
            self.first = asked.elapsed();
        }
        self.events += 1;
        let is_word = event.contains("output_text.delta") || event.contains("chat.completion.chunk");
        let said = event.split_once("\"@").filter(|_| is_word).and_then(|(_, rest)| rest.split_once('@'));
        if let Some(said) = said.and_then(|(said, _)| said.parse::<u64>().ok()) {
            #[expect(clippy::cast_precision_loss, reason = "a time on its way has few digits")]
            self.delays.push(now().saturating_sub(said) as f64 / 1000.0);
        }
        if let Some(kept) = &mut self.kept {
            kept.push(event.to_owned());
        }
    }
}

/// A connection to what is measured.
pub(crate) enum Line {
    /// With the task that moves its bytes.
    Http(SendRequest<Full<Bytes>>, JoinSet<()>),
    Socket(Box<WebSocketStream<TcpStream>>),
}

impl Line {
    pub(crate) async fn connect(case: &Case) -> Outcome<Self> {
        Self::connect_from(case, [127, 0, 0, 1]).await
    }

    /// Connects from an address of this machine: each has only so many ports.
    pub(crate) async fn connect_from(case: &Case, from: [u8; 4]) -> Outcome<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        let stream = socket.connect(case.address).await?;
        stream.set_nodelay(true)?;
        if case.wire == Wire::Socket {
            let url = format!("ws://{}{}", case.address, case.path);
            let (socket, _) = tokio_tungstenite::client_async(url, stream).await?;
            return Ok(Self::Socket(Box::new(socket)));
        }
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let mut task = JoinSet::new();
        task.spawn(async move {
            let _ = connection.await;
        });
        Ok(Self::Http(sender, task))
    }

    /// Asks, and hears all of the answer.
    pub(crate) async fn ask(&mut self, case: &Case, request: String, heard: &mut Heard) -> Outcome<()> {
        let asked = Instant::now();
        match self {
            Self::Http(sender, _) => ask_over_http(sender, case, request, asked, heard).await,
            Self::Socket(socket) => {
                socket.send(Message::text(request)).await?;
                while let Some(message) = socket.next().await {
                    let Message::Text(event) = message? else { continue };
                    heard.take(&event, asked);
                    match kind(&event) {
                        "response.completed" => return Ok(()),
                        "error" | "response.failed" | "response.incomplete" => return Err(event.as_str().into()),
                        _ => {}
                    }
                }
                Err("the socket was closed".into())
            }
        }
    }
}

async fn ask_over_http(
    sender: &mut SendRequest<Full<Bytes>>,
    case: &Case,
    request: String,
    asked: Instant,
    heard: &mut Heard,
) -> Outcome<()> {
    let request = Request::post(&case.path)
        .header("host", case.address.to_string())
        .header("content-type", "application/json")
        .header("authorization", "Bearer load")
        .body(Full::from(request))?;
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let mut body = response.into_body();
    if !status.is_success() {
        return Err(format!("{}: {status}: {:?}", case.name, body.collect().await?.to_bytes()).into());
    }
    let mut open = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        open.extend_from_slice(&data);
        while let Some(end) = open.iter().position(|byte| *byte == b'\n') {
            let rest = open.split_off(end + 1);
            if let Some(event) = std::str::from_utf8(&open)?.trim_end().strip_prefix("data: ") {
                heard.take(event, asked);
            }
            open = rest;
        }
    }
    Ok(())
}

/// The type of an event, which all servers write first or nearly so.
fn kind(event: &str) -> &str {
    let rest = event.split_once("\"type\":\"").map_or("", |(_, rest)| rest);
    rest.split_once('"').map_or("", |(kind, _)| kind)
}
