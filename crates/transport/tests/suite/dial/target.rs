//! A server to be reached, and a word with it in each protocol.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use transport::dial::{Alpn, BoxedStream, Dialed};

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Http1,
    Http2,
    WebSocket,
}

impl Speaks {
    pub(crate) fn alpn(self) -> Alpn {
        match self {
            Self::Http2 => Alpn::Http2OrHttp1,
            Self::Http1 | Self::WebSocket => Alpn::Http1,
        }
    }
}

/// A server on loopback. Dropping it ends it.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Target {
    pub(crate) async fn start(tls: Option<Arc<ServerConfig>>, speaks: Speaks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((io, _)) = listener.accept().await {
                connections.spawn(serve(io, tls.clone(), speaks));
            }
        });
        Self { address, _tasks: tasks }
    }
}

async fn serve(io: TcpStream, tls: Option<Arc<ServerConfig>>, speaks: Speaks) {
    let mut http2 = false;
    let io: BoxedStream = match tls {
        None => Box::new(io),
        Some(config) => {
            let Ok(io) = TlsAcceptor::from(config).accept(io).await else { return };
            http2 = io.get_ref().1.alpn_protocol() == Some(b"h2");
            Box::new(io)
        }
    };
    let answer = service_fn(|request: Request<Incoming>| async move {
        Ok::<_, hyper::Error>(Response::new(Full::<Bytes>::from(format!(
            "{:?} {}",
            request.version(),
            request.uri().path()
        ))))
    });
    // A client that leaves is no fault here.
    if speaks == Speaks::WebSocket {
        let Ok(mut socket) = tokio_tungstenite::accept_async(io).await else { return };
        while let Some(Ok(message)) = socket.next().await {
            let _ = socket.send(message).await;
        }
    } else if http2 {
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(io), answer)
            .await;
    } else {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(io), answer).await;
    }
}

/// A word with the server. An error is in words.
pub(crate) async fn exchange(dialed: Dialed, speaks: Speaks) -> Result<String, hyper::Error> {
    let Dialed { stream, http2, .. } = dialed;
    assert_eq!(http2, speaks == Speaks::Http2);
    let mut tasks = JoinSet::new();
    let answer = match speaks {
        Speaks::WebSocket => {
            let (mut socket, _) = tokio_tungstenite::client_async("ws://model.test/socket", stream).await.unwrap();
            socket.send(Message::text("over a socket")).await.unwrap();
            return Ok(socket.next().await.unwrap().unwrap().into_text().unwrap().to_string());
        }
        Speaks::Http1 => {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            tasks.spawn(async { connection.await.unwrap_or_default() });
            let request = Request::builder().uri("/word").header("host", "model.test");
            sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await?
        }
        Speaks::Http2 => {
            let io = TokioIo::new(stream);
            let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
            tasks.spawn(async { connection.await.unwrap_or_default() });
            let request = Request::builder().uri("https://model.test/word");
            sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await?
        }
    };
    let body = answer.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}
