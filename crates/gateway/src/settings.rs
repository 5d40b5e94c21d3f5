//! What holds for a gateway: the table `[gateway]`, and the providers that are its backends.

mod read;
mod routes;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use transport::Provider;

pub use routes::{Routes, Target};

/// The backend that needs no model, by its name. A provider of this name is not taken.
pub const SCRIPTED: &str = "scripted";

/// What holds for a gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether it takes sockets.
    pub websockets: bool,
    /// Whether it asks for keys.
    pub keys: Keys,
    /// Where the keys are, if not in the folder for data.
    pub key_file: Option<PathBuf>,
    /// The folder for data, if not the usual one.
    pub data: Option<PathBuf>,
    /// What is kept of responses.
    pub store: StoreSettings,
    /// Every bound and every patience.
    pub limits: Limits,
    /// The providers it asks.
    pub backends: Vec<Planned>,
    /// Which model goes where.
    pub routes: Routes,
}

impl Default for Settings {
    /// This machine only, nothing to ask.
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), Self::PORT),
            websockets: true,
            keys: Keys::Auto,
            key_file: None,
            data: None,
            store: StoreSettings::default(),
            limits: Limits::default(),
            backends: Vec::new(),
            routes: Routes::default(),
        }
    }
}

impl Settings {
    /// The port where nothing is said.
    pub const PORT: u16 = 8787;

    /// Whether whoever asks must show a key.
    pub fn requires_keys(&self) -> bool {
        match self.keys {
            Keys::Auto => !self.listen.ip().is_loopback(),
            Keys::Required => true,
            Keys::Off => false,
        }
    }
}

/// Whether keys are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Of whoever comes from another machine: unless the gateway listens on loopback only.
    Auto,
    /// Of everybody.
    Required,
    /// Of nobody: something before the gateway sees to it.
    Off,
}

/// What is kept of responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// Whether they outlive the process.
    pub on_disk: bool,
    /// How many bytes.
    pub max_bytes: u64,
    /// For how long.
    pub max_age: Duration,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { on_disk: true, max_bytes: 1 << 30, max_age: Duration::from_hours(30 * 24) }
    }
}

/// Every bound and every patience that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How many responses are made at once.
    pub concurrency: usize,
    /// How many wait for their turn.
    pub queue: usize,
    /// How many of the responses that are made at once may belong to one key, where the key says nothing.
    pub concurrency_per_key: usize,
    /// The largest body of a request over HTTP.
    pub body_bytes: usize,
    /// The largest message over a socket.
    pub frame_bytes: usize,
    /// How long a response runs on that nobody watches.
    pub grace: Duration,
    /// How long the events of a response that ended can be had again.
    pub replay: Duration,
    /// The age at which a socket is ended.
    pub socket_age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 512,
            queue: 1024,
            concurrency_per_key: 128,
            body_bytes: 64 << 20,
            frame_bytes: (16 << 20) - 1,
            grace: Duration::from_mins(1),
            replay: Duration::from_mins(10),
            socket_age: Duration::from_hours(1),
        }
    }
}

/// A provider that is a backend.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// What it is.
    pub provider: Provider,
    /// It is there only while it answers: nobody configured it.
    pub discovered: bool,
}
