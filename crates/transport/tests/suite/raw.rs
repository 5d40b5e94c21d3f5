//! A server whose every byte the test decides, on a network within the test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use responses::chain::TroubleKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use transport::dial::{Connected, DialError, Network};
use transport::proxy::Proxies;
use transport::tls::{Tls, TlsSettings};
use transport::{Dial, ModelClient};

use crate::support::client_by;

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// A client, and those who connect to its server.
pub(crate) struct Raw {
    pub(crate) client: ModelClient,
    arriving: mpsc::Receiver<DuplexStream>,
}

impl Raw {
    pub(crate) fn new(table: &str) -> Self {
        let (arrives, arriving) = mpsc::channel(64);
        let dial = Dial::new(Arc::new(Arrives(arrives)), Proxies::none(), Tls::new(&TlsSettings::default()).unwrap());
        Self { client: client_by(dial, "http://model/v1", table), arriving }
    }

    /// The next connection, and the head of its first request.
    pub(crate) async fn accept(&mut self) -> (Peer, String) {
        let stream = self.arriving.recv().await.unwrap();
        let mut peer = Peer { stream };
        let head = peer.head().await;
        (peer, head)
    }

    /// The next connection, which becomes a socket.
    pub(crate) async fn socket(&mut self) -> Peer {
        let (mut peer, head) = self.accept().await;
        let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).expect("it is an upgrade");
        let accept = derive_accept_key(key.trim().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
        );
        peer.write(answer.as_bytes()).await;
        peer
    }
}

struct Arrives(mpsc::Sender<DuplexStream>);

impl Network for Arrives {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<Connected, DialError>> {
        Box::pin(async move {
            let (client, server) = tokio::io::duplex(64 << 10);
            self.0.send(server).await.map_err(|_| DialError::new(TroubleKind::Connect, "the test is over"))?;
            Ok(Connected { stream: Box::new(client), peer: None, resolve: Duration::ZERO, connect: Duration::ZERO })
        })
    }

    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<Vec<SocketAddr>, DialError>> {
        Box::pin(async { Err(DialError::new(TroubleKind::Name, "there are no addresses here")) })
    }
}

/// The server's end of a connection.
pub(crate) struct Peer {
    stream: DuplexStream,
}

impl Peer {
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        // The client may have gone: what follows from that, the test sees elsewhere.
        let _ = self.stream.write_all(bytes).await;
    }

    /// The head of an HTTP request, and its body if it says how long it is.
    pub(crate) async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.stream.read_exact(&mut body).await.unwrap();
        head
    }

    /// Some bytes of whatever comes.
    pub(crate) async fn bytes(&mut self, count: usize) {
        self.stream.read_exact(&mut vec![0; count]).await.unwrap();
    }

    pub(crate) async fn frame(&mut self, kind: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | kind];
        match payload.len() {
            short @ 0..126 => frame.push(u8::try_from(short).unwrap()),
            long => {
                frame.push(126);
                frame.extend(u16::try_from(long).unwrap().to_be_bytes());
            }
        }
        frame.extend_from_slice(payload);
        self.write(&frame).await;
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.frame(TEXT, text.as_bytes()).await;
    }

    /// The next frame of the client; none when it has gone.
    pub(crate) async fn hear(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.stream.read_u8().await.ok()?;
        let length = match self.stream.read_u8().await.ok()? & 0x7f {
            126 => u64::from(self.stream.read_u16().await.ok()?),
            127 => self.stream.read_u64().await.ok()?,
            short => u64::from(short),
        };
        let mut mask = [0; 4];
        self.stream.read_exact(&mut mask).await.ok()?;
        let mut payload = vec![0; usize::try_from(length).ok()?];
        self.stream.read_exact(&mut payload).await.ok()?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        Some((first & 0x0f, payload))
    }

    /// The next text; pings before it are answered.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            let (kind, payload) = self.hear().await.expect("the client is there");
            match kind {
                TEXT => return String::from_utf8(payload).unwrap(),
                PING => self.frame(PONG, &payload).await,
                _ => {}
            }
        }
    }
}

/// The events of a short response on a lane.
pub(crate) fn events(lane: Option<&str>, id: &str) -> [String; 3] {
    let lane = lane.map(|lane| format!(r#""stream_id":"{lane}","#)).unwrap_or_default();
    let item = r#"{"type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"hi","annotations":[]}]}"#;
    [
        format!(r#"{{{lane}"type":"response.created","response":{{"id":"{id}","status":"in_progress","output":[]}}}}"#),
        format!(r#"{{{lane}"type":"response.output_item.done","output_index":0,"item":{item}}}"#),
        format!(
            r#"{{{lane}"type":"response.completed","response":{{"id":"{id}","status":"completed","output":[{item}]}}}}"#
        ),
    ]
}
