//! The floor: a proxy that passes on what it gets and looks at nothing, and sockets that do nothing.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::Outcome;
use crate::child::announce;

/// Each connection has a connection of its own to the upstream, at its first request.
type Onward = Arc<Mutex<Option<SendRequest<Incoming>>>>;

pub(crate) async fn proxy(upstream: String) -> Outcome<()> {
    let upstream: SocketAddr = upstream.parse()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?)?;
    let mut tasks = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let onward = Onward::default();
            let service = service_fn(move |request| pass(request, upstream, Arc::clone(&onward)));
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = connection.await;
        });
    }
}

async fn pass(request: Request<Incoming>, upstream: SocketAddr, onward: Onward) -> Outcome<Response<Incoming>> {
    let kept = onward.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut sender = match kept {
        Some(sender) => sender,
        None => connect(upstream).await?,
    };
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    *onward.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    Ok(response)
}

async fn connect(upstream: SocketAddr) -> Outcome<SendRequest<Incoming>> {
    let stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    #[expect(clippy::disallowed_methods, reason = "it ends with its sender, which the connection to the client owns")]
    tokio::spawn(connection);
    Ok(sender)
}

/// What a socket reads at once: as much as the gateway reads.
const READ_BUFFER: usize = 4 << 10;

/// Sockets on which nothing is said and only pings are answered.
pub(crate) async fn sockets() -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?)?;
    let mut tasks = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        tasks.spawn(async move {
            let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
            if let Ok(mut socket) = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await {
                while let Some(Ok(_)) = socket.next().await {}
            }
        });
    }
}
