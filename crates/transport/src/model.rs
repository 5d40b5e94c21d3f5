//! One model server, and the conversations with it.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use responses::chain::{Chain, Config, Mode};
use responses::item::Item;
use responses::json::Json;
use responses::request::{Request, Settings};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::breaker::{Breakers, Decision, Place, State};
use crate::caller::Caller;
use crate::chat_link::Chat;
use crate::conversation::Conversation;
use crate::credentials::{Credentials, Environment};
use crate::dial::{Dial, Origin};
use crate::drive::Drive;
use crate::http::Http;
use crate::lines::{Lines, MAX_JOINERS, Opener};
use crate::link::{Link, Post, SocketId, Ways, Word, Words};
use crate::provider::{BadHeader, Provider, Wire};
use crate::route::Choice;
use crate::sse_link::{self, AsItIs};
use crate::tasks::{Spawner, Tasks};
use crate::websocket_link::Joiner;

/// How many lanes of a socket are used where the server has lanes: as many as run at once, so that no chain waits for
/// another.
const LANES: usize = 16;

/// What surrounds a client, and is shared by all clients of a process.
#[derive(Clone)]
pub struct Surroundings {
    /// The way out.
    pub dial: Dial,
    /// Where keys and headers may come from.
    pub environment: Environment,
    /// What is known of sockets, by place.
    pub breakers: Arc<watch::Sender<Breakers>>,
    /// Our own address on the way out: in another network, another truth.
    pub here: fn() -> Option<IpAddr>,
}

impl Surroundings {
    /// Nothing known of sockets yet.
    pub fn new(dial: Dial, environment: Environment) -> Self {
        Self { dial, environment, breakers: Arc::new(watch::Sender::new(Breakers::default())), here: own_address }
    }
}

/// The address that this machine has on its way to the world. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    /// An address that documentation may use, and nobody else.
    const ANYWHERE: &str = "192.0.2.1:9";
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect(ANYWHERE).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// What a conversation is to be like.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The ways it may go, if the user said so.
    pub mode: Option<Mode>,
    /// How hard the model is asked to think: it may be silent for longer.
    pub effort: Option<Box<str>>,
    /// There will be one answer and nothing after it: a socket would not pay.
    pub single: bool,
    /// What was said before.
    pub items: Vec<Item>,
}

/// One model server. Cheap to clone; when the last clone and the last conversation are gone, so are its connections.
#[derive(Debug, Clone)]
pub struct ModelClient {
    inner: Arc<Inner>,
}

struct Inner {
    caller: Caller,
    place: Place,
    surroundings: Surroundings,
    joiners: mpsc::Sender<Joiner>,
    began: Instant,
    epoch: Duration,
    tasks: Tasks,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelClient").field("provider", &self.caller.provider.id).finish_non_exhaustive()
    }
}

impl ModelClient {
    /// A client of this provider. Nothing is opened yet. To be called within a runtime.
    pub fn new(provider: Provider, surroundings: Surroundings) -> Result<Self, BadHeader> {
        let tasks = Tasks::new();
        let headers = provider.headers(&surroundings.environment)?;
        let environment = Arc::clone(&surroundings.environment);
        let (credentials, keeper) = Credentials::new(provider.key_owner(), provider.key.clone(), environment);
        tasks.spawner().spawn(keeper);
        let http = Http::new(surroundings.dial.clone(), tasks.spawner().clone());
        let provider = Arc::new(provider);
        let dial = surroundings.dial.clone();
        let sent = Arc::new(watch::Sender::new(None));
        let caller = Caller { provider, headers, credentials, sent, dial, http };
        let (joiners, queue) = mpsc::channel(MAX_JOINERS);
        tasks.spawner().spawn(lines(&caller, tasks.spawner()).keep(queue, joiners.clone()));
        let place = place(&caller, &surroundings);
        let (began, epoch) = (Instant::now(), since_1970());
        Ok(Self { inner: Arc::new(Inner { caller, place, surroundings, joiners, began, epoch, tasks }) })
    }

    /// Whom it asks.
    pub fn provider(&self) -> &Provider {
        &self.inner.caller.provider
    }

    /// Which ways a conversation goes, and why.
    pub fn choice(&self, options: &Options) -> Choice {
        Choice::of(self.provider(), options.mode, options.single)
    }

    /// How a chain with this server behaves.
    pub fn chain_config(&self, options: &Options) -> Config {
        let mut config = self.provider().chain_config(self.choice(options).mode, options.effort.as_deref());
        config.seed = RandomState::new().hash_one(self.inner.began);
        config
    }

    /// A request made ready for this server: what its provider or the session says fills what the request leaves open.
    pub fn settings(&self, mut request: Request, session: &str) -> Arc<Settings> {
        let service = &mut request.service;
        let open = |field: &Option<Json>| field.as_ref().is_none_or(Json::is_null);
        if let Some(tier) = self.provider().service_tier.as_ref().filter(|_| open(&service.service_tier)) {
            service.service_tier = Some(Json::of(tier));
        }
        if open(&service.prompt_cache_key) {
            service.prompt_cache_key = Some(Json::of(&Cow::Borrowed(session)));
        }
        Arc::new(Settings::new(&request))
    }

    /// A conversation, to be driven by whoever asks for it, and at all times: one that does not listen while an answer
    /// comes loses its place on a shared socket.
    pub fn drive(&self, config: Config, items: Vec<Item>) -> Drive {
        let config = Config { epoch: Some(self.inner.epoch), ..config };
        let ways: Arc<dyn Ways> = Arc::clone(&self.inner) as Arc<dyn Ways>;
        Drive::new(Chain::resumed(config, items), ways, self.inner.began)
    }

    /// A conversation that drives itself.
    pub fn converse(&self, options: Options) -> Conversation {
        let (choice, config) = (self.choice(&options), self.chain_config(&options));
        Conversation::start(choice, self.drive(config, options.items))
    }

    /// How many tasks it has: for those who look for leaks.
    pub fn tasks(&self) -> usize {
        self.inner.tasks.spawner().count()
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.inner.caller
    }
}

fn lines(caller: &Caller, spawner: &Spawner) -> Lines {
    let can = &caller.provider.can;
    let (lanes, young) = (if can.lanes { LANES } else { 1 }, can.line_age / 2);
    let caller = caller.clone();
    let opener: Opener = Arc::new(move || {
        let caller = caller.clone();
        Box::pin(async move { caller.open().await })
    });
    Lines { spawner: spawner.clone(), opener, lanes, young }
}

fn place(caller: &Caller, surroundings: &Surroundings) -> Place {
    let origin = Origin::of(caller.provider.base_url.socket());
    let via = origin.as_ref().ok().and_then(|origin| surroundings.dial.proxy_for(origin)).map(ToString::to_string);
    let (host, port) = origin.map_or_else(|_| (Box::default(), 0), |origin| (origin.host, origin.port));
    Place { host, port, via: via.map(Into::into), network: None }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

impl Inner {
    fn place(&self) -> Place {
        Place { network: (self.surroundings.here)(), ..self.place.clone() }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Breakers) -> T) -> Option<T> {
        let mut outcome = None;
        self.surroundings.breakers.send_modify(|breakers| outcome = Some(change(breakers)));
        outcome
    }
}

impl Ways for Inner {
    fn open(&self, words: Words, after: Option<SocketId>) {
        let joiner = Joiner { words, after };
        if let Err(TrySendError::Full(joiner)) = self.joiners.try_send(joiner) {
            // More chains than anybody expects wait in line: one waiting task each.
            let joiners = self.joiners.clone();
            self.tasks.spawner().spawn(async move {
                let _ = joiners.send(joiner).await;
            });
        }
    }

    fn post(&self, words: Words, post: Post) -> Box<dyn Link> {
        let caller = self.caller.clone();
        let spawner = self.tasks.spawner();
        match self.caller.provider.wire {
            Wire::Responses => sse_link::start(spawner, words, async move { caller.post(post).await }, AsItIs),
            Wire::Chat => match Chat::of(post) {
                Ok((post, decode)) => sse_link::start(spawner, words, async move { caller.post(post).await }, decode),
                Err(error) => {
                    let refused = async move { Err(Word::Refused(error)) };
                    sse_link::start(spawner, words, refused, AsItIs)
                }
            },
        }
    }

    fn ask(&self) -> Decision {
        let (place, now) = (self.place(), Instant::now());
        let nothing = Decision { place: place.clone(), state: State::Open, until: None, reason: Box::default() };
        if self.surroundings.breakers.borrow().is_empty() {
            return nothing;
        }
        self.change(|breakers| breakers.ask(&place, now)).unwrap_or(nothing)
    }

    fn refused(&self, until: Instant, reason: &str) {
        let (place, now) = (self.place(), Instant::now());
        self.change(|breakers| breakers.refused(&place, now, Some(until), reason));
    }

    fn failed(&self, reason: &str) {
        let (place, now) = (self.place(), Instant::now());
        self.change(|breakers| breakers.failed(&place, now, reason));
    }

    fn without_secrets(&self, text: &str) -> Option<String> {
        self.caller.without_secrets(text)
    }

    fn worked(&self) {
        // To know the place the system is asked for our address, and every turn ends here.
        if self.surroundings.breakers.borrow().is_empty() {
            return;
        }
        let place = self.place();
        self.change(|breakers| breakers.worked(&place));
    }
}
