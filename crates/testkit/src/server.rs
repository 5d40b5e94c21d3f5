//! From a model to a server, and to its end.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError};

use futures_util::{Stream, StreamExt, stream};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use responses::chain::{ConnectionLimits, Powers};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::answer::Mind;
use crate::fault::FaultPlan;
use crate::http::{self, Upgrading};
use crate::record::{Happened, Log, Seen};
use crate::script::{Script, Turn};
use crate::shared::{Line, Shared};
use crate::socket;
use crate::wire::{Control, Wire};

/// How many connections are served at once; more are turned away.
const MAX_CONNECTIONS: usize = 1024;

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
        self.check()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let incoming = stream::unfold(listener, |listener| async {
            let accepted = listener.accept().await.map(|(io, _)| io);
            Some((accepted, listener))
        });
        let log = self.log();
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let stopped = stop.clone();
        tasks.spawn(async move { self.serve(incoming, stopped).await });
        Ok(RunningModel { address, log, stop, tasks })
    }

    /// Serves every connection that comes, until it is to stop or no more can come.
    pub async fn serve<S>(self, incoming: impl Stream<Item = io::Result<S>>, stop: CancellationToken) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.check()?;
        let shared = Arc::new(self.shared);
        let mut connections = JoinSet::new();
        let mut incoming = std::pin::pin!(incoming);
        let outcome = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break Ok(()),
                Some(_) = connections.join_next() => {}
                accepted = incoming.next() => match accepted {
                    Some(Ok(io)) if connections.len() < MAX_CONNECTIONS => {
                        connections.spawn(serve_connection(Arc::clone(&shared), io));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => break Err(error),
                    None => break Ok(()),
                },
            }
        };
        connections.shutdown().await;
        outcome
    }

    fn check(&self) -> io::Result<()> {
        self.shared.plan.check().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
    }
}

/// HTTP for as long as it is HTTP, then the socket it may have become.
async fn serve_connection<S>(shared: Arc<Shared>, io: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let number = shared.next_connection();
    let control = Control::default();
    let faults = shared.plan.of_connection(number);
    control.arm(None, &faults);
    let line = Line { shared, number, faults: faults.into(), control: control.clone() };
    line.shared.log.note(number, Happened::Opened);
    let upgrading = Arc::new(Upgrading::default());
    let service = service_fn(|request| {
        let (line, upgrading) = (line.clone(), Arc::clone(&upgrading));
        async move { Ok::<_, Infallible>(http::reply(&line, &upgrading, request).await) }
    });
    let io = TokioIo::new(Wire::new(io, control));
    // An error is a line that broke: often it was asked to.
    let _ = http1::Builder::new().serve_connection(io, service).with_upgrades().await;
    let upgraded = upgrading.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(upgraded) = upgraded
        && let Ok(upgraded) = upgraded.await
    {
        socket::serve(TokioIo::new(upgraded), line.clone()).await;
    }
    line.shared.log.note(number, Happened::Gone);
}

/// A model that serves. Dropping it ends all it does.
#[derive(Debug)]
pub struct RunningModel {
    address: SocketAddr,
    log: Log,
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
        format!("http://{}/v1", self.address)
    }

    /// Where sockets are opened.
    pub fn websocket_url(&self) -> String {
        format!("ws://{}/v1/responses", self.address)
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
