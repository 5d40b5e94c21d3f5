//! Who answers: the backends of a gateway, which of them is asked, and what they say.

mod blame;
mod breaker;
mod choose;
mod lists;
mod parking;
mod telling;
#[cfg(test)]
mod tests;
mod upstream;

use std::convert::Infallible;
use std::error::Error;
use std::future::pending;
use std::sync::Arc;

use responses::error::ApiError;
use responses::id::ResponseId;
use responses::item::Item;
use responses::request::Request;
use tokio::sync::watch;
use tokio::time::Instant;
use transport::credentials::Environment;
use transport::provider::Wire;
use transport::{Dial, ModelClient, Provider, Surroundings, Text};

pub use blame::may_fail_over;
pub use breaker::Standing;
pub use lists::{FoundServer, Offered};
pub use upstream::Upstream;

use crate::scripted::Scripted;
use crate::settings::{Routes, SCRIPTED, Settings};
use breaker::Breaker;
use lists::Lists;
use parking::Parking;

/// What a backend says of a response in the making.
#[derive(Debug)]
pub enum Said {
    /// An event in the words of the Responses API. Its response object, response id and numbers are rewritten by the run.
    Event(Text),
    /// Refused, or broken off: nothing more comes.
    Failed(Box<ApiError>),
    /// It was told to end early, and has. What is whole is all there is; there was no terminal event.
    Steered,
    /// All was said: the last event was a terminal one.
    Ended,
}

/// What is asked of a backend.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The model, as the backend calls it.
    pub model: Box<str>,
    /// The settings; its input is not in it.
    pub request: Arc<Request>,
    /// What it goes on from, by the gateway's id.
    pub previous: Option<ResponseId>,
    /// All the model is to see, sealed items opened.
    pub items: Vec<Item>,
    /// How many of them at the end are new since `previous`.
    pub new_items: usize,
}

/// A response in the making. Dropping it ends it.
#[derive(Debug)]
pub enum Source {
    /// By rule.
    Scripted(Box<Scripted>),
    /// At a server.
    Upstream(Box<Upstream>),
}

impl Source {
    /// What is said next. Nothing is lost if this is left before it is ready. Not called again after the end.
    pub async fn next(&mut self) -> Said {
        match self {
            Self::Scripted(scripted) => scripted.next().await,
            Self::Upstream(upstream) => upstream.next().await,
        }
    }

    /// To be waited for while there is no room for what is said next: whoever says it is not kept waiting. Never ready.
    pub async fn keep_up(&mut self) -> Infallible {
        match self {
            Self::Scripted(_) => pending().await,
            Self::Upstream(upstream) => upstream.keep_up().await,
        }
    }

    /// A steer waits: it is to stop soon, with an `incomplete` of reason `steered`. False if it cannot.
    pub fn end_early(&mut self) -> bool {
        match self {
            Self::Scripted(scripted) => scripted.end_early(),
            Self::Upstream(upstream) => upstream.end_early(),
        }
    }

    /// It ended well, and is kept under this id: where that pays, the line to the server waits for the chain to go on.
    pub fn park(self, id: &ResponseId) {
        if let Self::Upstream(upstream) = self {
            upstream.park(id);
        }
    }
}

/// A place where a model is had.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// None is the scripted one.
    backend: Option<Arc<Backend>>,
    model: Box<str>,
}

impl Candidate {
    /// The name of the backend.
    pub fn backend(&self) -> &str {
        self.backend.as_ref().map_or(SCRIPTED, |backend| &backend.id)
    }

    /// The model, as the backend calls it.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether it speaks the Responses API itself: items that it sealed are its own to open.
    pub fn is_native(&self) -> bool {
        self.backend.as_ref().is_some_and(|backend| backend.client.provider().wire == Wire::Responses)
    }

    /// Whether what it says can be steered.
    pub fn steers(&self) -> bool {
        self.backend.as_ref().is_none_or(|backend| backend.client.provider().can.steers)
    }
}

/// One server.
#[derive(Debug)]
struct Backend {
    id: Arc<str>,
    client: ModelClient,
    /// It is there only while it answers.
    discovered: bool,
    breaker: watch::Sender<Breaker>,
}

/// How one backend is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What the settings call it.
    pub backend: Box<str>,
    /// How it stands.
    pub standing: Standing,
    /// Failures in a row.
    pub failures: u32,
    /// Whether it is there: a server that was found by itself is, as long as it answers.
    pub present: bool,
    /// How many models it listed.
    pub models: usize,
    /// Why it lists none, in words without secrets.
    pub problem: Option<Box<str>>,
}

/// Why there are no backends.
#[derive(Debug, thiserror::Error)]
#[error("the backend {backend} cannot be used: {why}")]
pub struct Unusable {
    backend: Box<str>,
    why: Box<dyn Error + Send + Sync>,
}

/// All backends of a gateway. Dropping it ends what they do in the background.
#[derive(Debug)]
pub struct Backends {
    servers: Arc<[Arc<Backend>]>,
    routes: Routes,
    lists: Lists,
    parking: Arc<Parking>,
}

impl Backends {
    /// The backends of these settings, each reached by the way out that `dial` gives it. Those who look for models begin
    /// to: to be called within a runtime.
    pub fn new(
        settings: &Settings,
        environment: &Environment,
        dial: impl Fn(&Provider) -> Result<Dial, Box<dyn Error + Send + Sync>>,
    ) -> Result<Self, Unusable> {
        let mut servers = Vec::with_capacity(settings.backends.len());
        let mut sockets = None;
        for planned in &settings.backends {
            let provider = planned.provider.clone();
            let unusable = |why| Unusable { backend: provider.id.clone(), why };
            let mut surroundings = Surroundings::new(dial(&provider).map_err(unusable)?, Arc::clone(environment));
            surroundings.breakers = Arc::clone(sockets.get_or_insert(surroundings.breakers));
            let client = ModelClient::new(provider.clone(), surroundings).map_err(|error| unusable(error.into()))?;
            let (id, discovered) = (Arc::from(&*provider.id), planned.discovered);
            servers.push(Arc::new(Backend { id, client, discovered, breaker: watch::Sender::default() }));
        }
        let servers: Arc<[Arc<Backend>]> = servers.into();
        let lists = Lists::keep(Arc::clone(&servers));
        Ok(Self { servers, routes: settings.routes.clone(), lists, parking: Arc::new(Parking::new()) })
    }

    /// Where this model is had, in the order in which it is to be asked for there: never nowhere. A name that nobody knows
    /// is looked for once more, if that was not done just now.
    pub async fn candidates(&self, model: &str) -> Result<Vec<Candidate>, Box<ApiError>> {
        let mut known = self.known(model, &self.lists.shelves());
        if known.is_empty() {
            self.lists.look_again(|shelves| !choose::places(model, &self.routes, shelves).is_empty()).await;
            known = self.known(model, &self.lists.shelves());
        }
        if known.is_empty() {
            return Err(Box::new(choose::not_found(model, &self.routes, &self.lists.shelves())));
        }
        Ok(known)
    }

    fn known(&self, model: &str, shelves: &[choose::Shelf]) -> Vec<Candidate> {
        let places = choose::places(model, &self.routes, shelves);
        let candidate = |place: choose::Place<'_>| {
            let model = Box::from(place.model);
            if place.backend == SCRIPTED {
                return Some(Candidate { backend: None, model });
            }
            let backend = self.servers.iter().find(|backend| *backend.id == *place.backend)?;
            Some(Candidate { backend: Some(Arc::clone(backend)), model })
        };
        let mut candidates: Vec<_> = places.into_iter().filter_map(candidate).collect();
        let now = Instant::now();
        choose::by_standing(&mut candidates, |candidate| match &candidate.backend {
            Some(backend) => backend.breaker.borrow().standing(now),
            None => Standing::Well,
        });
        candidates
    }

    /// Asks one of them.
    pub fn begin(&self, candidate: &Candidate, ask: Ask) -> Source {
        let Some(backend) = &candidate.backend else { return Source::Scripted(Box::new(Scripted::new(&ask))) };
        backend.breaker.send_if_modified(|breaker| {
            breaker.asked(Instant::now());
            false
        });
        Source::Upstream(Box::new(Upstream::begin(&backend.client, &backend.id, &self.parking, ask)))
    }

    /// It began to answer.
    pub fn succeeded(&self, candidate: &Candidate) {
        let Some(backend) = &candidate.backend else { return };
        if *backend.breaker.borrow() != Breaker::default() {
            backend.breaker.send_if_modified(|breaker| {
                breaker.succeeded();
                false
            });
        }
    }

    /// It did not, or broke off. What is the request's own fault does not count.
    pub fn failed(&self, candidate: &Candidate, error: &ApiError) {
        let Some(backend) = &candidate.backend else { return };
        if blame::counts_against_the_backend(error) {
            backend.breaker.send_if_modified(|breaker| {
                breaker.failed(Instant::now());
                false
            });
        }
    }

    /// Every model there is a name for, in the order of their names: what `GET /models` lists.
    pub fn models(&self) -> Vec<Offered> {
        lists::offered(&self.routes, &self.lists.shelves())
    }

    /// How the backends are.
    pub fn health(&self) -> Vec<Health> {
        let (shelves, now) = (self.lists.shelves(), Instant::now());
        let health = |(backend, shelf): (&Arc<Backend>, &choose::Shelf)| {
            let breaker = backend.breaker.borrow();
            Health {
                backend: shelf.id.clone(),
                standing: breaker.standing(now),
                failures: breaker.failures(),
                present: shelf.present,
                models: shelf.models.len(),
                problem: shelf.problem.clone(),
            }
        };
        self.servers.iter().zip(shelves.iter()).map(health).collect()
    }

    /// The servers on this machine that were found by themselves. Waits until all places were looked at once, which does
    /// not take long.
    pub async fn found_by_themselves(&self) -> Vec<FoundServer> {
        self.lists.looked(1).await;
        let shelves = self.lists.shelves();
        let here =
            self.servers.iter().zip(shelves.iter()).filter(|(backend, shelf)| backend.discovered && shelf.present);
        let found =
            |(backend, shelf): (&Arc<Backend>, &choose::Shelf)| FoundServer::of(backend.client.provider(), shelf);
        here.map(found).collect()
    }

    /// How many lines wait for their chain to go on.
    pub fn parked(&self) -> usize {
        self.parking.len()
    }
}
