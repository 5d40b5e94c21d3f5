//! What a server is and what it can do.
//!
//! Those everybody has stand in [`BUILT_IN`], in the form in which a user writes them, and are read by the same reader:
//! no name is reserved, a user's table is laid over the built-in one.

mod address;
mod read;

use std::path::PathBuf;
use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName};
use responses::chain::{Config, Limits, Mode, Peer, RetryPolicy};

pub use address::{BadUrl, BaseUrl};

use crate::credentials::{Environment, KeyOwner, KeySource};
use crate::secret::{BadSecret, Secret};

/// The table `[model_providers]` of providers that everybody has: the weakest layer of settings.
pub const BUILT_IN: &str = include_str!("provider/providers.toml");

/// A server, and how it is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// What the settings call it.
    pub id: Box<str>,
    /// What people call it.
    pub name: Box<str>,
    /// Where it is.
    pub base_url: BaseUrl,
    /// What it speaks.
    pub wire: Wire,
    /// What is sent with every request.
    pub headers: Vec<Header>,
    /// Where its key comes from.
    pub key: KeySource,
    /// How its users get a key, in the words of whoever configured it.
    pub key_instructions: Option<Box<str>>,
    /// What it can do.
    pub can: Abilities,
    /// Which ways are used, where a run says nothing.
    pub transport: Option<Mode>,
    /// How long and how often it is waited for, where the settings say so.
    pub patience: Patience,
    /// Whom it is trusted by, and who we are to it.
    pub certificates: Certificates,
    /// The tier of service that is asked for, where a run says nothing.
    pub service_tier: Option<Box<str>>,
}

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Wire {
    /// The Responses API.
    #[default]
    Responses,
    /// Chat Completions.
    Chat,
}

/// What a server can do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about a server")]
pub struct Abilities {
    /// It takes sockets.
    pub websocket: bool,
    /// Many conversations may share a socket.
    pub lanes: bool,
    /// The age at which it ends a socket.
    pub line_age: Duration,
    /// The largest message it takes over a socket.
    pub frame_bytes: usize,
    /// It takes bodies under `content-encoding: zstd`.
    pub zstd: bool,
    /// It can go on from a response that it stored.
    pub stores: bool,
    /// It takes steers.
    pub steers: bool,
    /// It takes interrupts.
    pub interrupts: bool,
}

impl Default for Abilities {
    /// What holds everywhere: no more than every server and every gateway on the way is known to bear.
    fn default() -> Self {
        Self {
            websocket: false,
            lanes: false,
            line_age: Duration::from_mins(25),
            frame_bytes: (4 << 20) - 1,
            zstd: false,
            stores: false,
            steers: false,
            interrupts: false,
        }
    }
}

/// How long and how often a server is waited for. What is not set is decided by the chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patience {
    /// For a word.
    pub silence: Option<Duration>,
    /// For a socket to open.
    pub connect: Option<Duration>,
    /// How often a line may be lost without progress.
    pub stream_retries: Option<u32>,
    /// How often the server may fail without progress.
    pub request_retries: Option<u32>,
}

/// Files with certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificates {
    /// Authorities that are trusted besides those of the system.
    pub authorities: Option<PathBuf>,
    /// Our own.
    pub client: Option<ClientCertificate>,
}

/// Who we are to a server that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The chain of certificates.
    pub certificate: PathBuf,
    /// The key of the first.
    pub key: PathBuf,
}

/// A header that every request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: HeaderSource,
}

/// Where the value of a header comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderSource {
    /// The settings. It may be a key, and is treated as one.
    Fixed(Secret),
    /// A variable. Where it is not set, the header is left out.
    Environment(Box<str>),
}

/// A variable holds what no header can carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} cannot be sent as header {name} to {provider}: {why}")]
pub struct BadHeader {
    provider: Box<str>,
    name: HeaderName,
    variable: Box<str>,
    why: BadSecret,
}

impl Provider {
    /// The headers of every request, their values marked as secret. The key is not among them.
    pub fn headers(&self, environment: &Environment) -> Result<HeaderMap, BadHeader> {
        let mut headers = HeaderMap::with_capacity(self.headers.len());
        for Header { name, value } in &self.headers {
            let value = match value {
                HeaderSource::Fixed(secret) => secret.plain_header(),
                HeaderSource::Environment(variable) => {
                    let text = environment(variable).unwrap_or_default();
                    match Secret::new(text.trim()) {
                        Ok(secret) => secret.plain_header(),
                        Err(BadSecret::Empty) => continue,
                        Err(why) => {
                            let (provider, name) = (self.id.clone(), name.clone());
                            return Err(BadHeader { provider, name, variable: variable.clone(), why });
                        }
                    }
                }
            };
            headers.insert(name, value);
        }
        Ok(headers)
    }

    /// What its key belongs to, as messages name it.
    pub fn key_owner(&self) -> KeyOwner {
        KeyOwner { provider: self.id.clone(), instructions: self.key_instructions.clone() }
    }

    /// How a chain with this server behaves that goes these ways, at this effort. Seed and epoch are left to the caller.
    pub fn chain_config(&self, mode: Mode, effort: Option<&str>) -> Config {
        Config { mode, limits: self.limits(effort), retry: self.retry_policy(), peer: self.peer(), ..Config::default() }
    }

    fn peer(&self) -> Peer {
        Peer {
            steers: self.can.steers,
            interrupts: self.can.interrupts,
            stores: self.can.stores,
            frame_bytes: self.can.frame_bytes,
            line_age: self.can.line_age,
        }
    }

    fn limits(&self, effort: Option<&str>) -> Limits {
        /// Over HTTP nobody can be asked whether he is there, and who answers pings is: wait so much longer for either.
        const LONGER: u32 = 3;
        let usual = Limits::default();
        let budget = silence_for(effort);
        let silence = self.patience.silence.unwrap_or(budget);
        Limits {
            connect: self.patience.connect.unwrap_or(usual.connect),
            silence,
            silence_over_http: self.patience.silence.unwrap_or(budget * LONGER),
            silence_of_live_peer: silence * LONGER,
            ..usual
        }
    }

    fn retry_policy(&self) -> RetryPolicy {
        let mut retry = RetryPolicy::default();
        retry.line.tries = self.patience.stream_retries.unwrap_or(retry.line.tries);
        retry.server.tries = self.patience.request_retries.unwrap_or(retry.server.tries);
        retry
    }
}

/// How long a model that thinks this hard may be silent.
pub fn silence_for(effort: Option<&str>) -> Duration {
    Duration::from_mins(match effort {
        Some("none" | "minimal" | "low") => 2,
        Some("high") => 10,
        Some("xhigh" | "max" | "ultra") => 20,
        _ => 5,
    })
}

/// All providers of the settings.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    known: Vec<Known>,
}

#[derive(Debug, Clone)]
struct Known {
    provider: Provider,
    /// The variable that would say where it is, and is not set.
    unset: Option<Box<str>>,
}

/// Why there is no such provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoProvider {
    /// Nobody has heard of it.
    #[error(
        "no provider is called {id:?}{}; there are {}: name one of these, or add [model_providers.{id}]",
        nearest.as_ref().map(|name| format!(", did you mean {name}?")).unwrap_or_default(),
        known.join(", ")
    )]
    Unknown {
        /// The name that was asked for.
        id: Box<str>,
        /// The one that may have been meant.
        nearest: Option<Box<str>>,
        /// All there are.
        known: Vec<Box<str>>,
    },
    /// It has no address.
    #[error("the address of {id} is not known: set {variable}, or base_url in [model_providers.{id}]")]
    Nowhere {
        /// The provider.
        id: Box<str>,
        /// The variable that is not set.
        variable: Box<str>,
    },
}

impl Providers {
    /// The provider of this name.
    pub fn get(&self, id: &str) -> Result<&Provider, NoProvider> {
        let Some(Known { provider, unset }) = self.known.iter().find(|known| &*known.provider.id == id) else {
            let nearest = config::nearest(id, self.ids()).map(Box::from);
            return Err(NoProvider::Unknown { id: id.into(), nearest, known: self.ids().map(Box::from).collect() });
        };
        match unset {
            Some(variable) => Err(NoProvider::Nowhere { id: id.into(), variable: variable.clone() }),
            None => Ok(provider),
        }
    }

    /// The names of all, in alphabetical order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|known| &*known.provider.id)
    }
}
