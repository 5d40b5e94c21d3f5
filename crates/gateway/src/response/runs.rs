//! The responses that run, and those that ended not long ago.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use responses::error::ApiError;
use responses::id::ResponseId;
use responses::item::Item;
use responses::json::Json;
use responses::request::{Delivery, IDEMPOTENCY_KEY, Request};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;

use super::log::Live;
use crate::owner::Owner;

/// How much of what has ended is kept, and for how long: for those who come back to hear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Replay {
    pub(crate) age: Duration,
    pub(crate) bytes: usize,
}

/// What a client names a request by, so that asking twice is asking once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Idempotency {
    pub(crate) key: Box<str>,
    /// Of the whole request: the same key for something else is a mistake.
    pub(crate) digest: [u8; 32],
}

#[derive(Debug, Default)]
struct Table {
    responses: HashMap<ResponseId, Arc<Live>>,
    asked: HashMap<(Owner, Box<str>), ([u8; 32], ResponseId)>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Runs {
    table: watch::Sender<Table>,
    replay: Replay,
}

impl Idempotency {
    /// The name of a request, if it has one: in its own field, or in a header. The way in which the answer is to travel is
    /// no part of what is asked for.
    pub(crate) fn of(request: &Request, header: Option<&str>, new: impl FnOnce() -> Vec<Item>) -> Option<Self> {
        let key = header.filter(|key| !key.is_empty()).map(Box::from).or_else(|| Self::field(request))?;
        let mut asked = Request { input: None, delivery: Delivery::default(), ..request.clone() };
        asked.extra.retain(|(key, _)| &**key != IDEMPOTENCY_KEY);
        let mut digest = Sha256::new();
        digest.update(Json::of(&asked).text());
        for item in new() {
            digest.update(item.text());
        }
        Some(Self { key, digest: digest.finalize().into() })
    }

    /// What a client names its request by, beside its other fields.
    pub(crate) fn field(request: &Request) -> Option<Box<str>> {
        let (_, key) = request.extra.iter().find(|(key, _)| &**key == IDEMPOTENCY_KEY)?;
        key.read().ok()
    }
}

impl Runs {
    pub(crate) fn new(replay: Replay) -> Self {
        Self { table: watch::Sender::default(), replay }
    }

    /// The response of this id, if it is this owner's.
    pub(crate) fn find(&self, owner: &Owner, id: &ResponseId) -> Option<Arc<Live>> {
        self.table.borrow().responses.get(id).filter(|live| live.owner == *owner).cloned()
    }

    /// Takes one in; or gives the one that was asked for by the same name before.
    pub(crate) fn insert(&self, live: Arc<Live>, asked: Option<&Idempotency>) -> Result<Option<Arc<Live>>, ApiError> {
        let mut before = Ok(None);
        self.table.send_if_modified(|table| {
            if let Some(asked) = asked {
                let name = (live.owner.clone(), asked.key.clone());
                let known = table.asked.get(&name).and_then(|(digest, id)| Some((digest, table.responses.get(id)?)));
                if let Some((digest, known)) = known {
                    before = if *digest == asked.digest { Ok(Some(Arc::clone(known))) } else { Err(reused()) };
                    return false;
                }
                table.asked.insert(name, (asked.digest, live.id.clone()));
            }
            table.responses.insert(live.id.clone(), live);
            false
        });
        before
    }

    /// The response that goes by this name, whatever was asked for.
    pub(crate) fn named(&self, owner: &Owner, key: &str) -> Option<Arc<Live>> {
        let table = self.table.borrow();
        let (_, id) = table.asked.get(&(owner.clone(), key.into()))?;
        table.responses.get(id).cloned()
    }

    /// The response that was asked for by this name before.
    pub(crate) fn asked(&self, owner: &Owner, asked: &Idempotency) -> Result<Option<Arc<Live>>, ApiError> {
        let table = self.table.borrow();
        let Some((digest, id)) = table.asked.get(&(owner.clone(), asked.key.clone())) else { return Ok(None) };
        if *digest != asked.digest {
            return Err(reused());
        }
        Ok(table.responses.get(id).cloned())
    }

    /// Forgets a response of this owner. Says whether there was one.
    pub(crate) fn forget(&self, owner: &Owner, id: &ResponseId) -> Option<Arc<Live>> {
        let mut gone = None;
        self.table.send_if_modified(|table| {
            if table.responses.get(id).is_some_and(|live| live.owner == *owner) {
                gone = table.responses.remove(id);
                table.asked.retain(|_, (_, asked)| asked != id);
            }
            false
        });
        gone
    }

    /// A response goes by no name any more.
    pub(crate) fn unname(&self, id: &ResponseId) {
        self.table.send_if_modified(|table| {
            table.asked.retain(|_, (_, asked)| asked != id);
            false
        });
    }

    /// Forgets what has ended too long ago, and the oldest of what is too much.
    pub(crate) fn sweep(&self, now: Instant) {
        self.table.send_if_modified(|table| {
            let ended =
                table.responses.values().filter_map(|live| Some((live.ended_at()?, live.bytes(), live.id.clone())));
            let mut ended: Vec<_> = ended.collect();
            ended.sort_unstable_by_key(|(at, ..)| *at);
            let mut bytes: usize = ended.iter().map(|(_, bytes, _)| bytes).sum();
            for (at, size, id) in ended {
                if now.saturating_duration_since(at) < self.replay.age && bytes <= self.replay.bytes {
                    break;
                }
                bytes -= size;
                table.responses.remove(&id);
            }
            let Table { responses, asked } = table;
            asked.retain(|_, (_, id)| responses.contains_key(id));
            false
        });
    }

    /// How many run.
    pub(crate) fn running(&self) -> usize {
        self.table.borrow().responses.values().filter(|live| !live.has_ended()).count()
    }
}

fn reused() -> ApiError {
    let message = "this idempotency key was used for another request: use a new key, or send the same request";
    ApiError::report(422, Some("idempotency_key_reused"), Some("idempotency_key"), message)
}
