//! One way out, for HTTP and WebSocket alike: directly or through a proxy, with TLS or without.

mod error;
mod limits;
mod network;
mod origin;
mod through;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use error::DialError;
pub use limits::DialLimits;
pub(crate) use network::with_first;
pub(crate) use network::words;
pub use network::{BoxedStream, Connected, Network, Stream, SystemNetwork};
pub(crate) use origin::authority;
pub use origin::{Origin, OriginError};
use responses::chain::TroubleKind;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::proxy::{Proxies, Proxy};
use crate::tls::{HTTP2, Tls, explain_io};
use through::Through;

/// What to do when a server is not reached.
const DIRECTLY: &str = "check the URL and the firewall, or set HTTPS_PROXY if this network is left through a proxy";

/// What a server is asked to speak over TLS. Without TLS it is always HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alpn {
    /// HTTP/1.1 only, as a WebSocket needs it.
    Http1,
    /// HTTP/2 if the server has it.
    Http2OrHttp1,
}

/// Reaches servers. Cheap to clone.
#[derive(Clone)]
pub struct Dial {
    inner: Arc<Inner>,
}

struct Inner {
    network: Arc<dyn Network>,
    proxies: Proxies,
    tls: Tls,
    limits: DialLimits,
}

/// A way to a server, open.
pub struct Dialed {
    /// What to speak with the server over.
    pub stream: BoxedStream,
    /// Whether the server chose HTTP/2.
    pub http2: bool,
    /// The route it took.
    pub path: Path,
}

/// The route that was taken, and how long its parts took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path {
    /// The proxy, without credentials.
    pub via: Option<Box<str>>,
    /// The address that was connected to: the proxy's, if there is one.
    pub peer: Option<SocketAddr>,
    /// How long the name took.
    pub resolve: Duration,
    /// How long the connection took.
    pub connect: Duration,
    /// How long the proxy took, with the TLS that is spoken with it.
    pub proxy: Option<Duration>,
    /// How long TLS with the server took.
    pub tls: Option<Duration>,
    /// Which TLS it is.
    pub tls_version: Option<&'static str>,
    /// What the server chose to speak.
    pub alpn: Option<Box<str>>,
}

impl Dial {
    /// Reaches servers over this network, through these proxies, trusting these authorities.
    pub fn new(network: Arc<dyn Network>, proxies: Proxies, tls: Tls) -> Self {
        Self::with_limits(network, proxies, tls, DialLimits::default())
    }

    /// The same with other bounds.
    pub fn with_limits(network: Arc<dyn Network>, proxies: Proxies, tls: Tls, limits: DialLimits) -> Self {
        Self { inner: Arc::new(Inner { network, proxies, tls, limits }) }
    }

    /// Through which proxy a server is reached. None is the direct way.
    pub fn proxy_for(&self, to: &Origin) -> Option<&Proxy> {
        self.inner.proxies.proxy_for(to)
    }

    /// Reaches a server.
    pub async fn dial(&self, to: &Origin, alpn: Alpn) -> Result<Dialed, DialError> {
        let Inner { network, tls, limits, .. } = &*self.inner;
        let clock = Clock { until: Instant::now() + limits.total, limits: *limits };
        let mut path = Path::default();
        let stream = match self.proxy_for(to) {
            None => {
                clock.connect(&**network, &to.host, to.port, &mut path).await.map_err(|error| error.and(DIRECTLY))?
            }
            Some(proxy) => Through { network: &**network, tls, clock, proxy }.open(to, &mut path).await?,
        };
        if !to.tls {
            return Ok(Dialed { stream, http2: false, path });
        }
        let failed = |detail| DialError::new(TroubleKind::Tls, detail);
        let config = tls.for_server(alpn).map_err(|error| failed(error.to_string()))?;
        let began = Instant::now();
        let stream = clock.tls(config, stream, &to.host).await?.map_err(failed)?;
        let (_, session) = stream.get_ref();
        let chosen = session.alpn_protocol();
        let http2 = chosen == Some(HTTP2);
        path.tls = Some(began.elapsed());
        path.tls_version = session.protocol_version().and_then(|version| version.as_str());
        path.alpn = chosen.map(|name| String::from_utf8_lossy(name).into());
        Ok(Dialed { stream: Box::new(stream), http2, path })
    }
}

/// The bounds of one dial.
#[derive(Clone, Copy)]
struct Clock {
    until: Instant,
    limits: DialLimits,
}

impl Clock {
    /// A step, as long as it may take and all of it together may.
    async fn within<T>(self, limit: Duration, what: &str, step: impl Future<Output = T>) -> Result<T, DialError> {
        let began = Instant::now();
        let until = self.until.min(began + limit);
        timeout_at(until, step).await.map_err(|_| DialError::late(what, until - began))
    }

    async fn connect(
        self,
        network: &dyn Network,
        host: &str,
        port: u16,
        path: &mut Path,
    ) -> Result<BoxedStream, DialError> {
        let what = format!("connecting to {}", authority(host, port));
        let connected = self.within(self.limits.total, &what, network.connect(host, port)).await??;
        path.peer = connected.peer;
        path.resolve += connected.resolve;
        path.connect += connected.connect;
        Ok(connected.stream)
    }

    /// A handshake with a host. What is wrong with it comes in words.
    async fn tls(
        self,
        config: Arc<ClientConfig>,
        stream: BoxedStream,
        host: &str,
    ) -> Result<Result<TlsStream<BoxedStream>, String>, DialError> {
        let Ok(name) = ServerName::try_from(host.to_owned()) else {
            return Ok(Err(format!("{host} is not a name that a certificate can be for")));
        };
        let handshake = TlsConnector::from(config).connect(name, stream);
        let outcome = self.within(self.limits.tls, &format!("the TLS handshake with {host}"), handshake).await?;
        Ok(outcome.map_err(|error| explain_io(&error, host)))
    }
}

impl std::fmt::Debug for Dialed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialed").field("http2", &self.http2).field("path", &self.path).finish_non_exhaustive()
    }
}
