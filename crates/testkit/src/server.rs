//! From a model to a server, and to its end.

use std::future::ready;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use responses::chain::{ConnectionLimits, Powers};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer::Mind;
use crate::connection;
use crate::fault::FaultPlan;
use crate::http;
use crate::lock::Lock;
use crate::record::{Log, Seen};
use crate::script::{Script, Turn};
use crate::serving::MAX_CONNECTIONS;
use crate::shared::Shared;
use crate::tls;

/// A model that says what it is told to say, and misbehaves as it is told to.
#[derive(Debug)]
pub struct FakeModel {
    shared: Shared,
}

impl FakeModel {
    /// A model that follows a script.
    pub fn scripted(mut script: Script) -> Self {
        let plan = std::mem::take(&mut script.faults);
        Self { shared: Shared::new(Mind::of(script), plan) }
    }

    /// A model that answers what it sees.
    pub fn respond_with(answer: impl Fn(&Seen) -> Turn + Send + Sync + 'static) -> Self {
        Self { shared: Shared::new(Mind::Function(Box::new(answer)), FaultPlan::default()) }
    }

    /// Misbehaves like this as well.
    #[must_use]
    pub fn with_faults(mut self, faults: FaultPlan) -> Self {
        self.shared.plan.extend(faults);
        self
    }

    /// Other bounds for its sockets.
    #[must_use]
    pub fn with_limits(mut self, limits: ConnectionLimits) -> Self {
        self.shared.limits = limits;
        self
    }

    /// Other powers; without this it takes steers, interrupts and injections.
    #[must_use]
    pub fn with_powers(mut self, powers: Powers) -> Self {
        self.shared.powers = powers;
        self
    }

    /// Says this in a header of every answer, upgrades included.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.shared.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Demands a bearer key, and answers 401 to everything without it.
    #[must_use]
    pub fn with_key(self, key: &str) -> Self {
        self.shared.lock.accept(key);
        self
    }

    /// Takes so long for each byte that it has to read, before it begins to say something. Of a continuation it reads
    /// what is new, of anything else all there is, settings included.
    #[must_use]
    pub fn with_rebuild_cost(mut self, per_byte: Duration) -> Self {
        self.shared.rebuild = per_byte;
        self
    }

    /// The record of what clients do.
    pub fn log(&self) -> Log {
        self.shared.log.clone()
    }

    /// Serves on a free port of this machine.
    pub async fn start_loopback(self) -> io::Result<RunningModel> {
        self.start_on(0).await
    }

    /// Serves on a port of this machine.
    pub async fn start_on(self, port: u16) -> io::Result<RunningModel> {
        self.start(port, "", |io| ready(Ok(io))).await
    }

    /// Serves over TLS on a free port of this machine. What it speaks is for the configuration to say, and for the
    /// client to choose: HTTP/1.1 with sockets, or HTTP/2.
    pub async fn start_tls(self, config: Arc<ServerConfig>) -> io::Result<RunningModel> {
        self.start(0, "s", move |io| Box::pin(tls::accept(Arc::clone(&config), io))).await
    }

    async fn start<T, P>(
        self,
        port: u16,
        secure: &'static str,
        prepare: impl Fn(TcpStream) -> P + Send + 'static,
    ) -> io::Result<RunningModel>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        P: Future<Output = io::Result<T>> + Send + 'static,
    {
        self.check()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let incoming = stream::unfold(listener, |listener| async {
            let accepted = listener.accept().await.map(|(io, _)| io);
            // Without this, small messages wait for each other; if it fails, they do.
            let accepted = accepted.inspect(|io| drop(io.set_nodelay(true)));
            Some((accepted, listener))
        });
        let (log, lock) = (self.log(), self.shared.lock.clone());
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(self.serve_prepared(incoming, stop.clone(), prepare));
        Ok(RunningModel { address, secure, log, lock, stop, tasks })
    }

    /// Serves every connection that comes, until it is to stop or no more can come.
    pub async fn serve<S>(self, incoming: impl Stream<Item = io::Result<S>>, stop: CancellationToken) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.check()?;
        self.serve_prepared(incoming, stop, |io| ready(Ok(io))).await
    }

    /// Serves what connections become once they are prepared, each in a task of its own.
    async fn serve_prepared<S, T, P>(
        self,
        incoming: impl Stream<Item = io::Result<S>>,
        stop: CancellationToken,
        prepare: impl Fn(S) -> P,
    ) -> io::Result<()>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        P: Future<Output = io::Result<T>> + Send + 'static,
    {
        let shared = Arc::new(self.shared);
        let (mut connections, streams) = (JoinSet::new(), TaskTracker::new());
        let mut incoming = std::pin::pin!(incoming);
        let outcome = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break Ok(()),
                Some(_) = connections.join_next() => {}
                accepted = incoming.next() => match accepted {
                    Some(Ok(io)) if connections.len() < MAX_CONNECTIONS => {
                        let (shared, streams, preparing) = (Arc::clone(&shared), streams.clone(), prepare(io));
                        connections.spawn(async move {
                            // A client that does not come through a handshake is not one.
                            if let Ok(io) = preparing.await {
                                connection::serve(shared, io, streams).await;
                            }
                        });
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => break Err(error),
                    None => break Ok(()),
                },
            }
        };
        connections.shutdown().await;
        streams.close();
        streams.wait().await;
        outcome
    }

    fn check(&self) -> io::Result<()> {
        let unusable = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        self.shared.plan.check().map_err(|error| unusable(error.to_string()))?;
        let wrong = self.shared.headers.iter().find(|header| http::header(header).is_none());
        wrong.map_or(Ok(()), |(name, _)| Err(unusable(format!("`{name}` and its value are not a header"))))
    }
}

/// A model that serves. Dropping it ends all it does.
#[derive(Debug)]
pub struct RunningModel {
    address: SocketAddr,
    /// What makes the scheme of a URL that of TLS.
    secure: &'static str,
    log: Log,
    lock: Lock,
    stop: CancellationToken,
    tasks: JoinSet<io::Result<()>>,
}

impl RunningModel {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client is given as its base URL.
    pub fn base_url(&self) -> String {
        format!("http{}://{}/v1", self.secure, self.host())
    }

    /// Where sockets are opened.
    pub fn websocket_url(&self) -> String {
        format!("ws{}://{}/v1/responses", self.secure, self.host())
    }

    /// A certificate is for a name.
    fn host(&self) -> String {
        if self.secure.is_empty() { self.address.to_string() } else { format!("localhost:{}", self.address.port()) }
    }

    /// From now on demands this bearer key and no other.
    pub fn accept_key(&self, key: &str) {
        self.lock.accept(key);
    }

    /// The record of what clients do.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Ends all it does, and returns when that is done.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}
