//! What a running server knows of keys.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use responses::error::ApiError;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::file::{self, Mark};
use super::secret::{Hash, claim};
use super::{KeyInfo, KeyState, KeysError, Models, seconds};
use crate::Owner;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Headers that carry a key alone, as clients of Azure and of others send it.
const PLAIN_HEADERS: [&str; 2] = ["api-key", "x-api-key"];

/// The keys of a file, as they are now. Cheap to clone.
#[derive(Debug, Clone)]
pub struct KeyRing(watch::Receiver<Ring>);

/// Keeps a [`KeyRing`] as its file is.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    seen: Mark,
    ring: watch::Sender<Ring>,
}

/// Who asks, and what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Whose responses they are.
    pub owner: Owner,
    /// What the key may use.
    pub models: Models,
    /// How many responses the key may have running at once, where it is not as many as any.
    pub max_concurrent: Option<NonZeroUsize>,
    secret: Hash,
}

#[derive(Debug)]
struct Ring(HashMap<Box<str>, KeyInfo>);

impl KeyRing {
    /// Reads the keys of a file. They stay as they are unless somebody runs the follower.
    pub fn open(path: impl Into<PathBuf>) -> Result<(Self, Follower), KeysError> {
        let path = path.into();
        let (keys, seen) = file::read(&path)?;
        let (ring, receiver) = watch::channel(Ring::new(keys));
        Ok((Self(receiver), Follower { path, seen, ring }))
    }

    /// Whether there is no key at all, so that nobody can be let in.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().0.is_empty()
    }

    /// Whose key these headers carry.
    pub fn who(&self, headers: &HeaderMap, now: SystemTime) -> Result<Holder, ApiError> {
        let Some(key) = presented(headers) else {
            return Err(refused(
                "no key was sent: send one as `authorization: Bearer …`; the operator makes them with `capstan keys create`",
            ));
        };
        let (id, secret) = claim(key);
        self.look_up(id, secret, now)
    }

    /// Who they are now: what holds for a key may have changed since they were let in, and the key may be void.
    pub fn again(&self, holder: &Holder, now: SystemTime) -> Result<Holder, ApiError> {
        self.look_up(holder.owner.as_str(), holder.secret.clone(), now)
    }

    fn look_up(&self, id: &str, secret: Hash, now: SystemTime) -> Result<Holder, ApiError> {
        let ring = self.0.borrow();
        let now = seconds(now);
        let Some(key) = ring.find(id, &secret, now) else {
            return Err(refused("the key is not known: check that all of it was sent, and to the right gateway"));
        };
        match key.state(now) {
            KeyState::Valid => Ok(Holder {
                owner: Owner::of_key(&key.id),
                models: key.models.clone(),
                max_concurrent: key.max_concurrent,
                secret,
            }),
            state @ (KeyState::Expired | KeyState::Revoked) => {
                let why = format!("the key {} is {state}: ask the operator for a new one", key.id);
                Err(refused(&why))
            }
        }
    }
}

impl Holder {
    /// Who asks where no key is asked for: nobody, who may do all.
    pub fn anybody() -> Self {
        Self { owner: Owner::nobody(), models: Models::default(), max_concurrent: None, secret: Hash::OF_NOTHING }
    }

    /// Refuses a model that the key may not use.
    pub fn may_use(&self, model: &str) -> Result<(), ApiError> {
        if self.models.allow(model) {
            return Ok(());
        }
        let why = format!("the key {} may not use this model: it may use {}", self.owner.as_str(), self.models);
        Err(ApiError::report(403, Some("model_not_allowed"), Some("model"), why))
    }
}

impl Ring {
    fn new(keys: Vec<KeyInfo>) -> Self {
        Self(keys.into_iter().map(|key| (key.id.clone(), key)).collect())
    }

    /// The key of this id, if this is a secret of it. Costs the same for all, known or not.
    fn find(&self, id: &str, secret: &Hash, now: u64) -> Option<&KeyInfo> {
        let key = self.0.get(id);
        let former = key.and_then(|key| key.former.as_ref()).filter(|former| now < former.until);
        let is_current = secret.is(key.map_or(&Hash::OF_NOTHING, |key| &key.sha256));
        let is_former = secret.is(former.map_or(&Hash::OF_NOTHING, |former| &former.sha256));
        key.filter(|_| bool::from(is_current | is_former))
    }
}

impl Follower {
    /// Looks at the file every second, for as long as anybody has the ring.
    pub async fn run(mut self) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.ring.closed() => return,
                _ = looks.tick() => {}
            }
            // A disk may take its time, and others wait on this thread.
            let looked = spawn_blocking(move || {
                self.look();
                self
            });
            match looked.await {
                Ok(follower) => self = follower,
                Err(_) => return,
            }
        }
    }

    /// Takes up what changed. A file that cannot be used changes nothing.
    fn look(&mut self) {
        let mark = Mark::of(&self.path);
        if mark == self.seen {
            return;
        }
        match file::read(&self.path) {
            Ok((keys, mark)) => {
                tracing::info!(keys = keys.len(), "the keys changed");
                self.seen = mark;
                self.ring.send_replace(Ring::new(keys));
            }
            Err(error) => {
                tracing::warn!("{error}; until then the keys stay as they were");
                // Said once: what is looked at next is the next change.
                self.seen = mark;
            }
        }
    }
}

/// The key that a request carries.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (scheme, token) = text(AUTHORIZATION.as_str()).and_then(|value| value.split_once(' ')).unwrap_or_default();
    let bearer = Some(token).filter(|_| scheme.eq_ignore_ascii_case("bearer"));
    let mut keys = bearer.into_iter().chain(PLAIN_HEADERS.into_iter().filter_map(text)).map(str::trim);
    keys.find(|key| !key.is_empty())
}

fn refused(why: &str) -> ApiError {
    ApiError::report(401, Some("invalid_api_key"), None, why)
}

#[cfg(test)]
mod tests;
