//! A gateway from its settings to its end.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use transport::credentials::Environment;
use transport::{Dial, Provider};

use crate::backend::{Backends, Unusable};
use crate::engine::{Engine, Parts};
use crate::keys::{KeyRing, KeysError};
use crate::seal::{Seal, SealError};
use crate::server;
use crate::settings::Settings;
use crate::store::{Keeper, Keeping, Sqlite, StoreError, StoreLimits, Volatile};

/// The way out to a provider, or why there is none.
pub type ToDial = dyn Fn(&Provider) -> Result<Dial, Box<dyn Error + Send + Sync>>;

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A backend cannot be used.
    #[error(transparent)]
    Backend(#[from] Unusable),
    /// The file of keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// Keys are asked for, and there is none.
    #[error(
        "a gateway that listens on {0} asks for API keys, and there are none in {1}: make one with `capstan keys create NAME --file {1}`"
    )]
    NoKeys(SocketAddr, PathBuf),
    /// The key for sealed items cannot be used.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error("{0} cannot be listened on: {1}: choose another address with --listen")]
    Listen(SocketAddr, io::Error),
}

/// A gateway that listens, and serves once it is told to.
pub struct Gateway {
    engine: Arc<Engine>,
    listener: TcpListener,
    address: SocketAddr,
    keeping: Keeping,
    /// What goes on besides.
    besides: JoinSet<()>,
}

impl Gateway {
    /// Makes it ready, and listens. `folder` is for what it keeps. To be called within a runtime.
    pub fn start(
        settings: Settings,
        environment: &Environment,
        dial: &ToDial,
        folder: &Path,
    ) -> Result<Self, StartError> {
        let mut besides = JoinSet::new();
        let listener = server::listen(settings.listen);
        let listener = listener.map_err(|error| StartError::Listen(settings.listen, error))?;
        let address = listener.local_addr().map_err(|error| StartError::Listen(settings.listen, error))?;
        let keys = if settings.requires_keys() {
            let path = settings.key_file.clone().unwrap_or_else(|| folder.join("keys.toml"));
            let (ring, follower) = KeyRing::open(&path)?;
            if ring.is_empty() {
                return Err(StartError::NoKeys(settings.listen, path));
            }
            besides.spawn(follower.run());
            Some(ring)
        } else {
            None
        };
        let limits = StoreLimits { bytes: settings.store.max_bytes, age: settings.store.max_age };
        let (keeper, keeping) = if settings.store.on_disk {
            Keeper::start(Box::new(Sqlite::open(&folder.join("responses.db"))?), limits)?
        } else {
            Keeper::start(Box::new(Volatile::default()), limits)?
        };
        let seal =
            if settings.store.on_disk { Seal::from_file(&folder.join("seal.keys"))? } else { Seal::ephemeral()? };
        let backends = Backends::new(&settings, environment, dial)?;
        let engine = Engine::new(Parts { settings, backends, keys, keeper, seal });
        Ok(Self { engine, listener, address, keeping, besides })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its backends, as they are now.
    pub fn health(&self) -> Vec<crate::backend::Health> {
        self.engine.backends.health()
    }

    /// The servers on this machine that it found by itself.
    pub async fn found_by_themselves(&self) -> Vec<crate::backend::FoundServer> {
        self.engine.backends.found_by_themselves().await
    }

    /// Serves until `stop`, and then until what runs has ended.
    pub async fn serve(mut self, stop: impl Future<Output = ()>) {
        server::serve(self.engine, self.listener, stop).await;
        self.besides.shutdown().await;
        self.keeping.stop().await;
    }
}
