//! A listener, its connections, and their end.

mod patient;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::engine::Engine;
use crate::http::{Next, reply};
use crate::socket;
use patient::Patient;

/// How many connections there are at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 20_000;

/// How long a connection may be silent where a request is to come.
const HEAD_PATIENCE: Duration = Duration::from_mins(2);

/// How often HTTP/2 asks whether the other end is there, and how long it waits for the answer.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How much is read at once before a request is known.
const READ_BUFFER: usize = 16 << 10;

/// How long it rests when the system has no more connections to give.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// How long responses may go on after the end was announced, and what is left to be said after that.
const DRAIN: Duration = Duration::from_mins(1);
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Serves until it is told to stop, and then until what runs has ended, but not for ever.
pub(crate) async fn serve(engine: Arc<Engine>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let (connections, room) = (TaskTracker::new(), Arc::new(Semaphore::new(MAX_CONNECTIONS)));
    let sweeper = engine.tasks.spawn(Arc::clone(&engine).sweep());
    tokio::select! {
        () = stop => {}
        () = accept(&engine, &listener, &connections, &room) => {}
    }
    drop(listener);
    tracing::info!(running = engine.runs.running(), "no more requests are taken: what runs may end");
    engine.draining.cancel();
    sweeper.abort();
    connections.close();
    engine.tasks.close();
    let ended = async {
        connections.wait().await;
        engine.tasks.wait().await;
    };
    if tokio::time::timeout(DRAIN + LAST_WORDS, ended).await.is_err() {
        tracing::warn!(running = engine.runs.running(), "responses were still running at the end");
    }
}

async fn accept(engine: &Arc<Engine>, listener: &TcpListener, connections: &TaskTracker, room: &Arc<Semaphore>) {
    loop {
        let Ok(place) = Arc::clone(room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((io, peer)) => {
                let engine = Arc::clone(engine);
                connections.spawn(async move {
                    connection(engine, io, peer).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

/// Serves one connection; it may become a socket.
async fn connection(engine: Arc<Engine>, io: TcpStream, peer: SocketAddr) {
    // Without this, small messages wait for each other; if it fails, they do.
    let _ = io.set_nodelay(true);
    let (become_socket, mut becomes) = tokio::sync::mpsc::channel(1);
    let first = CancellationToken::new();
    let service = service_fn(|request| {
        let (engine, become_socket) = (Arc::clone(&engine), become_socket.clone());
        first.cancel();
        async move {
            let (reply, next) = reply(&engine, request).await;
            if let Next::Socket(on_upgrade, holder) = next {
                // There is room: a connection becomes a socket once.
                let _ = become_socket.try_send((on_upgrade, holder));
            }
            Ok::<_, std::convert::Infallible>(reply)
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(READ_BUFFER);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS);
    builder.http2().keep_alive_interval(KEEP_ALIVE).keep_alive_timeout(KEEP_ALIVE);
    let silent = async {
        // A connection on which nothing is ever asked is in the way of others.
        if tokio::time::timeout(HEAD_PATIENCE, first.cancelled()).await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(Patient::new(io)), service);
    tokio::pin!(serving);
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = silent => return,
        () = engine.draining.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a connection ended");
    }
    if let Ok((on_upgrade, holder)) = becomes.try_recv() {
        match on_upgrade.await {
            Ok(upgraded) => {
                let _open = engine.metrics.socket_open();
                socket::serve(TokioIo::new(upgraded), Arc::clone(&engine), holder, engine.draining.clone()).await;
            }
            Err(error) => tracing::debug!(%peer, %error, "a connection did not become a socket"),
        }
    }
}

/// How many requests one connection of HTTP/2 has at once.
const MAX_STREAMS: u32 = 256;

/// Listens there.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    /// How many connections wait to be accepted.
    const BACKLOG: u32 = 4096;
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
