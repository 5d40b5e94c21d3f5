//! HTTP over our own way out: connections are kept, and HTTP/2 is spoken where the server has it.

use std::error::Error as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::connect::{CaptureConnection, Connected, Connection, capture_connection};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioIo, TokioTimer};
use responses::chain::{Trouble, TroubleKind};
use tower_service::Service;

use crate::dial::{Alpn, BoxedStream, Dial, DialError, Origin};
use crate::link::Word;
use crate::tasks::Spawner;

/// How long a connection without requests is kept. Proxies and servers close theirs after a minute or so.
const KEPT: Duration = Duration::from_secs(50);

/// How many connections without requests are kept.
const MAX_KEPT: usize = 8;

/// On HTTP/2 the other end is asked whether it is there: as often as on a socket.
const PING_EVERY: Duration = Duration::from_secs(15);

/// And is taken for dead after this.
const PING_WITHIN: Duration = Duration::from_secs(20);

/// How much a server may send ahead on one answer, and on all of them: a delay must not make them slow.
const AHEAD: u32 = 1 << 20;
const ALL_AHEAD: u32 = 4 << 20;

/// Sends requests.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client<Connector, Full<Bytes>>,
}

impl Http {
    pub(crate) fn new(dial: Dial, spawner: Spawner) -> Self {
        let mut builder = Client::builder(spawner);
        builder.pool_timer(TokioTimer::new()).timer(TokioTimer::new());
        builder.pool_idle_timeout(KEPT).pool_max_idle_per_host(MAX_KEPT);
        builder.http2_initial_stream_window_size(AHEAD).http2_initial_connection_window_size(ALL_AHEAD);
        builder.http2_keep_alive_interval(PING_EVERY).http2_keep_alive_timeout(PING_WITHIN);
        Self { client: builder.build(Connector { dial }) }
    }

    /// Sends a request, and gives the head of its answer; its [`Carrier`] is among its extensions.
    pub(crate) async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Word> {
        let uri = request.uri().clone();
        let carrier = Carrier(capture_connection(&mut request));
        let mut answer = self.client.request(request).await.map_err(|error| why(&error, &uri))?;
        answer.extensions_mut().insert(carrier);
        Ok(answer)
    }
}

/// The connection that an answer came over.
#[derive(Debug, Clone)]
pub(crate) struct Carrier(CaptureConnection);

impl Carrier {
    /// Nothing more is asked over it: what broke one answer may break the next.
    pub(crate) fn avoid(&self) {
        if let Some(connected) = self.0.connection_metadata().as_ref() {
            connected.poison();
        }
    }
}

/// A request failed before its answer began.
fn why(error: &legacy::Error, uri: &Uri) -> Word {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<DialError>() {
            return Word::Unreachable(error.clone().into());
        }
        source = inner.source();
    }
    let of_tls = Origin::of(uri).ok().and_then(|origin| DialError::of_tls(error, &origin));
    match of_tls {
        Some(error) => Word::Unreachable(error.into()),
        None if error.is_connect() => {
            Word::Unreachable(Trouble::new(TroubleKind::Connect, "the connection broke before the first request"))
        }
        None => Word::Closed(None),
    }
}

#[derive(Clone)]
struct Connector {
    dial: Dial,
}

impl Service<Uri> for Connector {
    type Response = Connecting;
    type Error = DialError;
    type Future = BoxFuture<'static, Result<Connecting, DialError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dial = self.dial.clone();
        Box::pin(async move {
            let origin = Origin::of(&uri).map_err(|error| DialError::new(TroubleKind::Name, error.to_string()))?;
            let dialed = dial.dial(&origin, Alpn::Http2OrHttp1).await?;
            Ok(Connecting { io: TokioIo::new(dialed.stream), http2: dialed.http2 })
        })
    }
}

/// A connection as hyper wants it.
struct Connecting {
    io: TokioIo<BoxedStream>,
    http2: bool,
}

impl Connection for Connecting {
    fn connected(&self) -> Connected {
        let connected = Connected::new();
        if self.http2 { connected.negotiated_h2() } else { connected }
    }
}

impl Read for Connecting {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl Write for Connecting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
