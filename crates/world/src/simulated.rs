//! A network within the process, with time of its own: what a client dials, and what a model serves.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use config::Layers;
use futures_util::future::BoxFuture;
use futures_util::stream;
use responses::chain::TroubleKind;
use testkit::FakeModel;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use transport::dial::{Connected, DialError, Network};
use transport::proxy::Proxies;
use transport::tls::{Tls, TlsSettings};
use transport::{Dial, ModelClient, Providers, Surroundings};
use turmoil::net::{TcpListener, TcpStream};

/// The host on which the model serves.
pub(crate) const MODEL: &str = "model";

/// The host on which the clients live.
pub(crate) const CLIENT: &str = "client";

/// The port of plain HTTP.
const PORT: u16 = 80;

/// The simulated network, as a client dials it.
#[derive(Debug, Clone, Copy)]
struct Simulated;

impl Network for Simulated {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Connected, DialError>> {
        Box::pin(async move {
            let began = Instant::now();
            let refused = |error: io::Error| DialError::new(TroubleKind::Connect, error.kind().to_string());
            let stream = TcpStream::connect((host, port)).await.map_err(refused)?;
            let peer = stream.peer_addr().ok();
            Ok(Connected { stream: Box::new(stream), peer, resolve: Duration::ZERO, connect: began.elapsed() })
        })
    }

    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, Result<Vec<SocketAddr>, DialError>> {
        Box::pin(async move { Ok(vec![SocketAddr::new(turmoil::lookup(host), port)]) })
    }
}

/// The system's authorities are read once, and never asked: nothing here speaks TLS.
static TLS: LazyLock<Option<Tls>> = LazyLock::new(|| Tls::new(&TlsSettings::default()).ok());

/// A client of the model, where it has lanes or has not. To be called within the simulation.
pub(crate) fn client(lanes: bool) -> Result<ModelClient, Box<dyn std::error::Error>> {
    let tls = TLS.clone().ok_or("the authorities of this system cannot be read")?;
    let dial = Dial::new(Arc::new(Simulated), Proxies::none(), tls);
    client_by(dial, &format!("http://{MODEL}/v1"), lanes)
}

/// A client of a model at this address, over this way out.
pub(crate) fn client_by(dial: Dial, base_url: &str, lanes: bool) -> Result<ModelClient, Box<dyn std::error::Error>> {
    let table = format!(
        "[model_providers.model]\nbase_url = \"{base_url}\"\nsupports_websockets = true\nsupports_lanes = {lanes}\n"
    );
    let environment: transport::credentials::Environment = Arc::new(|_| None);
    let mut settings = Layers::new().file("world.toml", &table)?.merge();
    let provider = Providers::read(&mut settings, &environment)?.get("model")?.clone();
    // The address of this machine is not that of the simulated one.
    let surroundings = Surroundings { here: || None, ..Surroundings::new(dial, environment) };
    Ok(ModelClient::new(provider, surroundings)?)
}

/// Lets the model serve in a simulation.
pub(crate) fn host(sim: &mut turmoil::Sim<'_>, model: FakeModel) {
    let model = Arc::new(Mutex::new(Some(model)));
    sim.host(MODEL, move || {
        let model = model.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move { serve(model).await }
    });
}

async fn serve(model: Option<FakeModel>) -> turmoil::Result {
    let Some(model) = model else { return Ok(()) };
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    let incoming = stream::unfold(listener, |listener| async {
        let accepted = listener.accept().await.map(|(io, _)| io);
        Some((accepted, listener))
    });
    Ok(model.serve(incoming, CancellationToken::new()).await?)
}
