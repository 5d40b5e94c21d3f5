//! A network within the test, on which time is virtual: what takes an hour takes none.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream;
use responses::chain::TroubleKind;
use testkit::{FakeModel, Log};
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transport::dial::{Connected, DialError, Network};
use transport::proxy::Proxies;
use transport::tls::{Tls, TlsSettings};
use transport::{Dial, ModelClient};

use crate::support::client_by;

/// How much a connection holds in each direction.
const PIPE: usize = 64 << 10;

/// What becomes of those who connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    Fair,
    /// The way breaks off here.
    Fails(TroubleKind),
}

/// A network on which the test itself is the server: what connects arrives in the channel.
pub(crate) fn raw(table: &str) -> (ModelClient, mpsc::Receiver<io::Result<DuplexStream>>) {
    let (arrives, arriving) = mpsc::channel(8);
    let (_, weather) = watch::channel(Weather::Fair);
    let network = Pipes { weather, arrives, connections: Arc::default() };
    let dial = Dial::new(Arc::new(network), Proxies::none(), Tls::new(&TlsSettings::default()).unwrap());
    (client_by(dial, "http://model/v1", table), arriving)
}

/// A server on a network of its own.
pub(crate) struct Place {
    pub(crate) log: Log,
    pub(crate) client: ModelClient,
    pub(crate) dial: Dial,
    pub(crate) weather: watch::Sender<Weather>,
    connections: Arc<AtomicUsize>,
    _server: JoinSet<()>,
}

impl Place {
    /// This model, and a client of it whose table says this.
    pub(crate) fn new(model: FakeModel, table: &str) -> Self {
        let (weather, now) = watch::channel(Weather::Fair);
        let (arrives, arriving) = mpsc::channel(8);
        let connections = Arc::new(AtomicUsize::new(0));
        let network = Pipes { weather: now, arrives, connections: Arc::clone(&connections) };
        let log = model.log();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let incoming = stream::unfold(arriving, |mut arriving| async { Some((arriving.recv().await?, arriving)) });
            model.serve(incoming, CancellationToken::new()).await.unwrap();
        });
        let tls = Tls::new(&TlsSettings::default()).unwrap();
        let dial = Dial::new(Arc::new(network), Proxies::none(), tls);
        let client = client_by(dial.clone(), "http://model/v1", table);
        Self { log, client, dial, weather, connections, _server: server }
    }

    /// How many connections were begun.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many upgrades were asked for.
    pub(crate) fn upgrades(&self) -> usize {
        self.log.requests().iter().filter(|request| request.header("upgrade").is_some()).count()
    }
}

struct Pipes {
    weather: watch::Receiver<Weather>,
    arrives: mpsc::Sender<io::Result<DuplexStream>>,
    connections: Arc<AtomicUsize>,
}

impl Network for Pipes {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<Connected, DialError>> {
        Box::pin(async move {
            self.connections.fetch_add(1, Ordering::Relaxed);
            let weather = *self.weather.borrow();
            match weather {
                Weather::Fair => {}
                Weather::Fails(kind) => return Err(DialError::new(kind, "as the test has it")),
            }
            let (client, server) = tokio::io::duplex(PIPE);
            self.arrives.send(Ok(server)).await.unwrap();
            Ok(Connected { stream: Box::new(client), peer: None, resolve: Duration::ZERO, connect: Duration::ZERO })
        })
    }

    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, Result<Vec<SocketAddr>, DialError>> {
        Box::pin(async { Err(DialError::new(TroubleKind::Name, "there are no addresses here")) })
    }
}
