//! The network below everything: real, or made up by a test.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use responses::chain::TroubleKind;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep, timeout};

use super::error::DialError;
use super::limits::DialLimits;

/// A byte stream, whatever carries it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A byte stream that somebody owns.
pub type BoxedStream = Box<dyn Stream>;

/// A stream that begins with bytes which were read already.
pub(crate) fn with_first(first: Bytes, stream: BoxedStream) -> BoxedStream {
    if first.is_empty() {
        return stream;
    }
    let (reads, writes) = tokio::io::split(stream);
    Box::new(tokio::io::join(io::Cursor::new(first).chain(reads), writes))
}

/// A connection, and how it came about.
pub struct Connected {
    /// The connection.
    pub stream: BoxedStream,
    /// Which address took it, where there are addresses.
    pub peer: Option<SocketAddr>,
    /// How long the name took.
    pub resolve: Duration,
    /// How long the connection took.
    pub connect: Duration,
}

/// What names and connections come from.
pub trait Network: Send + Sync + 'static {
    /// Connects to a host, given by name or by address.
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Connected, DialError>>;

    /// The addresses of a host, for proxies that are to be given addresses only. It never succeeds with none.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Vec<SocketAddr>, DialError>>;
}

/// The network of this machine: names as the system resolves them, and the addresses of a name tried side by side.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNetwork {
    limits: DialLimits,
}

impl SystemNetwork {
    /// The network of this machine, with these bounds for names and addresses.
    pub fn new(limits: DialLimits) -> Self {
        Self { limits }
    }
}

/// Small messages must not wait for each other, and a peer that is gone is noticed although it is not written to: over
/// HTTP/1.1 nobody can ask. A socket that cannot do this still carries bytes.
fn tune(stream: &TcpStream) {
    /// Asked after so long, again after so long, and so often: 35 seconds, as on a WebSocket.
    const KEEPALIVE: TcpKeepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(15)).with_interval(Duration::from_secs(5)).with_retries(4);
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(&KEEPALIVE);
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(Some(Duration::from_secs(35)));
}

impl Network for SystemNetwork {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Connected, DialError>> {
        Box::pin(async move {
            let began = Instant::now();
            let addresses = self.resolve(host, port).await?;
            let resolved = Instant::now();
            let (stream, peer) = race(&addresses, &self.limits, TcpStream::connect)
                .await
                .map_err(|failed| nobody_answers(host, &failed))?;
            tune(&stream);
            Ok(Connected {
                stream: Box::new(stream),
                peer: Some(peer),
                resolve: resolved - began,
                connect: resolved.elapsed(),
            })
        })
    }

    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Vec<SocketAddr>, DialError>> {
        Box::pin(async move {
            let found = match timeout(self.limits.resolve, lookup_host((host, port))).await {
                Ok(Ok(found)) => in_turns(found.collect(), self.limits.addresses),
                Ok(Err(error)) => return Err(unknown_name(host, &error.to_string())),
                Err(_) => return Err(DialError::late(&format!("resolving the name {host}"), self.limits.resolve)),
            };
            if found.is_empty() { Err(unknown_name(host, "it has no address")) } else { Ok(found) }
        })
    }
}

fn unknown_name(host: &str, why: &str) -> DialError {
    DialError::new(TroubleKind::Name, format!("the name {host} is not known here ({why})"))
}

/// The addresses with their families by turns, beginning with the family that the resolver put first (RFC 8305, 4).
fn in_turns(found: Vec<SocketAddr>, most: usize) -> Vec<SocketAddr> {
    let six_first = found.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| address.is_ipv6() == six_first);
    let mut second = second.into_iter();
    let mut turns = Vec::new();
    for address in first {
        turns.push(address);
        turns.extend(second.next());
    }
    turns.extend(second);
    turns.truncate(most);
    turns
}

/// Connects to the first address that answers. Each gets a head start over the next, unless it fails before (RFC 8305, 5).
async fn race<S, C, F>(
    addresses: &[SocketAddr],
    limits: &DialLimits,
    connect: C,
) -> Result<(S, SocketAddr), Vec<(SocketAddr, io::Error)>>
where
    C: Fn(SocketAddr) -> F,
    F: Future<Output = io::Result<S>>,
{
    let mut waiting = addresses.iter().copied();
    let mut trying = FuturesUnordered::new();
    let mut failed = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            let attempt = timeout(limits.tcp, connect(address));
            trying
                .push(async move { (address, attempt.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))) });
        }
        tokio::select! {
            outcome = trying.next() => match outcome {
                Some((address, Ok(stream))) => return Ok((stream, address)),
                Some((address, Err(error))) => failed.push((address, error)),
                None => return Err(failed),
            },
            () = sleep(limits.stagger), if waiting.len() > 0 => {}
        }
    }
}

/// What all addresses said.
fn nobody_answers(host: &str, failed: &[(SocketAddr, io::Error)]) -> DialError {
    let each: Vec<_> = failed.iter().map(|(address, error)| format!("{} at {address}", words(error))).collect();
    let in_time = failed.iter().any(|(_, error)| error.kind() != io::ErrorKind::TimedOut);
    let kind = if in_time { TroubleKind::Connect } else { TroubleKind::Timeout };
    DialError::new(kind, format!("{host}: {}", each.join(", ")))
}

/// What the system says of a connection, in words that are the same on every system.
pub(crate) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "connection reset".to_owned(),
        io::ErrorKind::UnexpectedEof => "connection closed".to_owned(),
        io::ErrorKind::TimedOut => "no answer".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no route".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
