//! What models there are: asked of each backend now and then, in the background.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use transport::{ListedModel, Problem, Provider};

use super::Backend;
use super::choose::Shelf;
use crate::settings::{Routes, SCRIPTED};

/// How often a server that was configured is asked, and how often it is looked for one that was not.
const CONFIGURED_EVERY: Duration = Duration::from_mins(1);
const DISCOVERED_EVERY: Duration = Duration::from_secs(30);

/// How long an answer may take: from anywhere, and on this machine.
const WITHIN: Duration = Duration::from_secs(10);
const WITHIN_HERE: Duration = Duration::from_secs(1);

/// How often a server on this machine may not answer in time before it is taken to be gone: it may have much to do.
const MISSES: u32 = 3;

/// Who asks for a model that nobody knows has it looked for again, if the last look is older than this.
const FRESH: Duration = Duration::from_secs(5);

/// And waits for that no longer than this.
const PATIENCE: Duration = Duration::from_secs(3);

/// The lists of all backends, and the task that keeps them.
#[derive(Debug)]
pub(super) struct Lists {
    known: Arc<watch::Sender<Known>>,
    wanted: mpsc::Sender<()>,
    _task: JoinSet<()>,
}

#[derive(Debug, Clone, Default)]
struct Known {
    shelves: Arc<[Shelf]>,
    /// How often all places were looked at, and when that was last.
    looks: u64,
    looked: Option<Instant>,
}

/// A server on this machine that nobody configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundServer {
    /// What people call it.
    pub name: Box<str>,
    /// Where it is.
    pub address: Box<str>,
    /// How many models it has.
    pub models: usize,
}

impl FoundServer {
    pub(super) fn of(provider: &Provider, shelf: &Shelf) -> Self {
        let address = provider.base_url.models().authority().map_or("", |authority| authority.as_str());
        Self { name: provider.name.clone(), address: address.into(), models: shelf.models.len() }
    }
}

impl fmt::Display for FoundServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = if self.models == 1 { "" } else { "s" };
        write!(f, "{} at {} with {} model{many}", self.name, self.address, self.models)
    }
}

/// A name that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The name.
    pub id: Box<str>,
    /// Who has it: a backend, or `capstan` where a route leads to it.
    pub owner: Box<str>,
    /// Since when there is it, in seconds since 1970; 0 where nobody says.
    pub created: u64,
    /// How many tokens it can see, where its server says so.
    pub window: Option<u64>,
}

/// Every name that can be asked for, in alphabetical order: those of routes, those that are listed, and the scripted one.
pub(super) fn offered(routes: &Routes, shelves: &[Shelf]) -> Vec<Offered> {
    /// Who has what a route leads to.
    const OURS: &str = "capstan";
    let mut offered = BTreeMap::new();
    let listed = |shelf: &Shelf, model: &ListedModel| {
        let (owner, created) = (shelf.id.clone(), model.created.unwrap_or(0));
        Offered { id: model.id.clone(), owner, created, window: model.window }
    };
    for shelf in shelves.iter().filter(|shelf| shelf.present) {
        for model in &shelf.models {
            offered.entry(model.id.clone()).or_insert_with(|| listed(shelf, model));
        }
    }
    for name in routes.names() {
        let target = routes.of(name).and_then(<[_]>::first);
        let behind = target.and_then(|target| {
            let shelf = shelves.iter().find(|shelf| shelf.id == target.backend)?;
            let model = target.model.as_deref().unwrap_or(name);
            shelf.models.iter().find(|listed| *listed.id == *model)
        });
        let (created, window) = (behind.and_then(|model| model.created), behind.and_then(|model| model.window));
        let ours = Offered { id: name.into(), owner: OURS.into(), created: created.unwrap_or(0), window };
        offered.insert(name.into(), ours);
    }
    let scripted = || Offered { id: SCRIPTED.into(), owner: OURS.into(), created: 0, window: None };
    offered.entry(SCRIPTED.into()).or_insert_with(scripted);
    offered.into_values().collect()
}

impl Lists {
    /// Begins to look.
    pub(super) fn keep(backends: Arc<[Arc<Backend>]>) -> Self {
        let shelf = |backend: &Arc<Backend>| Shelf {
            id: Box::from(&*backend.id),
            present: !backend.discovered,
            ..Shelf::default()
        };
        let shelves = backends.iter().map(shelf).collect();
        let known = Arc::new(watch::Sender::new(Known { shelves, ..Known::default() }));
        let (wanted, orders) = mpsc::channel(1);
        let mut task = JoinSet::new();
        task.spawn(keep_looking(backends, Arc::clone(&known), orders));
        Self { known, wanted, _task: task }
    }

    /// What is known now.
    pub(super) fn shelves(&self) -> Arc<[Shelf]> {
        Arc::clone(&self.known.borrow().shelves)
    }

    /// Waits until all places were looked at so often.
    pub(super) async fn looked(&self, times: u64) {
        // It fails only where nobody looks any more.
        let _ = self.known.subscribe().wait_for(|known| known.looks >= times).await;
    }

    /// How often all places were looked at.
    #[cfg(test)]
    pub(super) fn looks(&self) -> u64 {
        self.known.borrow().looks
    }

    /// Looks at all places again, unless that was done just now, until it is found what is looked for.
    pub(super) async fn look_again(&self, found: impl Fn(&[Shelf]) -> bool) {
        let mut known = self.known.subscribe();
        let (looks, looked) = {
            let known = known.borrow_and_update();
            (known.looks, known.looked)
        };
        match looked {
            Some(looked) if looked.elapsed() < FRESH => return,
            // If one order waits already, it is as good as ours.
            Some(_) => drop(self.wanted.try_send(())),
            // The first look is on its way.
            None => {}
        }
        // If it takes too long, it is not found.
        let _ = timeout(PATIENCE, known.wait_for(|known| known.looks > looks || found(&known.shelves))).await;
    }
}

async fn keep_looking(backends: Arc<[Arc<Backend>]>, known: Arc<watch::Sender<Known>>, mut wanted: mpsc::Receiver<()>) {
    let mut misses = vec![0; backends.len()];
    let mut due: Vec<Instant> = vec![Instant::now(); backends.len()];
    loop {
        let now = Instant::now();
        let asked = backends.iter().enumerate().filter(|(at, _)| due.get(*at).is_some_and(|due| *due <= now));
        let mut answers: FuturesUnordered<_> =
            asked.map(|(at, backend)| async move { (at, ask(backend).await) }).collect();
        while let Some((at, answer)) = answers.next().await {
            let Some(((backend, due), misses)) = backends.get(at).zip(due.get_mut(at)).zip(misses.get_mut(at)) else {
                continue;
            };
            *due = now + every(backend);
            known.send_modify(|known| {
                let mut shelves = known.shelves.to_vec();
                if let Some(shelf) = shelves.get_mut(at) {
                    put(shelf, answer, backend.discovered, misses);
                }
                known.shelves = shelves.into();
            });
        }
        known.send_modify(|known| (known.looks, known.looked) = (known.looks + 1, Some(Instant::now())));
        let next = due.iter().min().copied().unwrap_or_else(|| now + CONFIGURED_EVERY);
        tokio::select! {
            () = sleep_until(next) => {}
            order = wanted.recv() => match order {
                Some(()) => due.fill(Instant::now()),
                None => return,
            },
        }
    }
}

fn every(backend: &Backend) -> Duration {
    if backend.discovered { DISCOVERED_EVERY } else { CONFIGURED_EVERY }
}

async fn ask(backend: &Backend) -> Result<Vec<ListedModel>, Problem> {
    backend.client.models(if backend.discovered { WITHIN_HERE } else { WITHIN }).await
}

/// Writes down what a backend answered. One that was configured stays, with what it listed last.
fn put(shelf: &mut Shelf, answer: Result<Vec<ListedModel>, Problem>, discovered: bool, misses: &mut u32) {
    match answer {
        Ok(models) => {
            *misses = 0;
            if discovered && !shelf.present {
                tracing::info!(backend = &*shelf.id, models = models.len(), "found a server on this machine");
            }
            (shelf.present, shelf.models, shelf.problem) = (true, models, None);
        }
        Err(problem) => {
            *misses += 1;
            tracing::debug!(backend = &*shelf.id, %problem, "the backend does not list its models");
            shelf.problem = Some(problem.to_string().into());
            let slow = matches!(problem, Problem::Broke) && *misses < MISSES;
            if discovered && !slow {
                if shelf.present {
                    tracing::info!(backend = &*shelf.id, "a server on this machine is gone");
                }
                (shelf.present, shelf.models) = (false, Vec::new());
            }
        }
    }
}
