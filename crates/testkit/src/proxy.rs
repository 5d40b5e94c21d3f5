//! Proxies for tests: small, real, on loopback, with a record of what they were asked.
//!
//! A proxy knows the names it is told with [`Proxy::resolving`], `localhost`, and no others: it never asks the network
//! for a name. So a name that only the proxy knows proves who resolved it.

mod http;
mod socks;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::serving::Serving;
use crate::tls::{self, Authority};

/// How many requests are kept in the record; later ones are not.
const MAX_KEPT: usize = 1 << 16;

/// How long a client has to say what it wants, and a target to be reached.
const PATIENCE: Duration = Duration::from_secs(30);

/// A proxy that is to be.
#[derive(Debug)]
pub struct Proxy {
    rules: Rules,
}

/// What a proxy does.
#[derive(Debug)]
struct Rules {
    speaks: Speaks,
    credentials: Option<Credentials>,
    mood: Mood,
    names: HashMap<String, SocketAddr>,
}

#[derive(Debug)]
enum Speaks {
    Http,
    Https(Arc<ServerConfig>),
    Socks5,
}

/// How it treats what it is asked.
#[derive(Debug, Clone, Copy)]
enum Mood {
    Willing,
    Refusing(u16),
    Hanging,
    Closing,
}

#[derive(PartialEq, Eq)]
struct Credentials {
    user: String,
    password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// One thing a proxy was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Host and port, as the client wrote them. Empty if a client of SOCKS was turned away before it said.
    pub target: String,
    /// Whether the host was a name, which the proxy had to resolve, and not an address.
    pub by_name: bool,
    /// Whether the client showed the credentials that are demanded; false if none are.
    pub authenticated: bool,
    /// How it was asked.
    pub kind: Kind,
}

/// How a proxy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For a tunnel, over HTTP.
    Connect,
    /// For the answer to a plain `http://` request.
    Forward,
    /// For a tunnel, over SOCKS 5.
    Socks5,
}

impl Proxy {
    /// A proxy that is spoken to over plain HTTP: tunnels to anywhere, and plain requests in absolute form.
    pub fn http() -> Self {
        Self::speaking(Speaks::Http)
    }

    /// The same over TLS, as `localhost` and `127.0.0.1`.
    pub fn https(authority: &Authority) -> io::Result<Self> {
        let config = authority.server_config(&["localhost", "127.0.0.1"], &[b"http/1.1"])?;
        Ok(Self::speaking(Speaks::Https(config)))
    }

    /// A proxy that speaks SOCKS 5.
    pub fn socks5() -> Self {
        Self::speaking(Speaks::Socks5)
    }

    fn speaking(speaks: Speaks) -> Self {
        Self { rules: Rules { speaks, credentials: None, mood: Mood::Willing, names: HashMap::new() } }
    }

    /// Demands this user and password.
    #[must_use]
    pub fn with_credentials(mut self, user: &str, password: &str) -> Self {
        self.rules.credentials = Some(Credentials { user: user.to_owned(), password: password.to_owned() });
        self
    }

    /// Knows a name: whatever port of it is asked for, it is at this address.
    #[must_use]
    pub fn resolving(mut self, name: &str, address: SocketAddr) -> Self {
        self.rules.names.insert(name.to_owned(), address);
        self
    }

    /// Refuses everything: with an HTTP status and a body, or with a reply code of SOCKS.
    #[must_use]
    pub fn refusing(mut self, code: u16) -> Self {
        self.rules.mood = Mood::Refusing(code);
        self
    }

    /// Listens and never answers.
    #[must_use]
    pub fn hanging(mut self) -> Self {
        self.rules.mood = Mood::Hanging;
        self
    }

    /// Listens and closes the connection in place of an answer.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.rules.mood = Mood::Closing;
        self
    }

    /// Serves on a free port of this machine.
    pub async fn start_loopback(self) -> io::Result<RunningProxy> {
        let desk = Arc::new(Desk { rules: self.rules, asked: Mutex::default() });
        let shared = Arc::clone(&desk);
        let serving = Serving::start(move |io| serve(Arc::clone(&shared), io)).await?;
        Ok(RunningProxy { serving, desk })
    }
}

/// A proxy that serves. Dropping it ends all its tasks, tunnels included.
#[derive(Debug)]
pub struct RunningProxy {
    serving: Serving,
    desk: Arc<Desk>,
}

impl RunningProxy {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.serving.address()
    }

    /// What it was asked for, in order, whatever became of it.
    pub fn asked(&self) -> Vec<Asked> {
        self.desk.asked().clone()
    }

    /// Ends all its tasks, and returns when that is done.
    pub async fn stop(self) {
        self.serving.stop().await;
    }
}

/// What all connections of a proxy share.
#[derive(Debug)]
struct Desk {
    rules: Rules,
    asked: Mutex<Vec<Asked>>,
}

impl Desk {
    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, asked: Asked) {
        let mut kept = self.asked();
        if kept.len() < MAX_KEPT {
            kept.push(asked);
        }
    }

    async fn reach(&self, host: &str, port: u16) -> Result<TcpStream, Unreached> {
        let address = resolve(&self.rules.names, host, port).ok_or(Unreached::Unknown)?;
        let connecting = tokio::time::timeout(PATIENCE, TcpStream::connect(address));
        let io = connecting.await.map_err(|_| Unreached::Failed)?.map_err(|_| Unreached::Failed)?;
        // Without this, small messages wait for each other; if it fails, they do.
        let _ = io.set_nodelay(true);
        Ok(io)
    }
}

/// Why a target was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unreached {
    /// The proxy does not know the name.
    Unknown,
    /// Nobody answered there.
    Failed,
}

fn resolve(names: &HashMap<String, SocketAddr>, host: &str, port: u16) -> Option<SocketAddr> {
    let local = || (host == "localhost").then_some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let known = || names.get(host).copied();
    known().or_else(|| host.parse().ok().or_else(local).map(|ip| SocketAddr::new(ip, port)))
}

async fn serve(desk: Arc<Desk>, io: TcpStream) {
    // An error is a client that left, or spoke something else: it gets no answer.
    let _ = match &desk.rules.speaks {
        Speaks::Http => http::serve(&desk, io).await,
        Speaks::Https(config) => match tls::accept(Arc::clone(config), io).await {
            Ok(io) => http::serve(&desk, io).await,
            Err(error) => Err(error),
        },
        Speaks::Socks5 => socks::serve(&desk, io).await,
    };
}

/// Says nothing for as long as the client likes.
async fn hang(mut client: impl AsyncRead + Unpin) -> io::Result<()> {
    tokio::io::copy(&mut client, &mut tokio::io::sink()).await.map(drop)
}

/// Carries bytes both ways until both ends have finished.
async fn tunnel(mut client: impl AsyncRead + AsyncWrite + Unpin, mut target: TcpStream) -> io::Result<()> {
    tokio::io::copy_bidirectional(&mut client, &mut target).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_knows_addresses_localhost_and_what_it_was_told() {
        let names = HashMap::from([("model.test".to_owned(), "127.0.0.1:9".parse().unwrap())]);
        let found = |host| resolve(&names, host, 80).map(|address| address.to_string());
        assert_eq!(found("model.test").as_deref(), Some("127.0.0.1:9"));
        assert_eq!(found("localhost").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(found("10.0.0.1").as_deref(), Some("10.0.0.1:80"));
        assert_eq!(found("::1").as_deref(), Some("[::1]:80"));
        assert_eq!(found("example.com"), None);
    }

    #[test]
    fn a_password_is_not_shown() {
        let shown = format!("{:?}", Proxy::http().with_credentials("somebody", "secret"));
        assert!(!shown.contains("secret") && !shown.contains("somebody"), "{shown}");
    }
}
