//! Who runs now, who waits, and who is sent away: the limits of all keys together and of each.
//!
//! The line decides; what is here lends it out, and rings for those whose turn it is. A [`Place`] and a [`Ticket`] give
//! back what they hold when they are dropped, wherever that happens.

mod line;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use responses::error::ApiError;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::Owner;
use line::{Line, Number, Why};

/// The shortest and the longest wait that is asked of a client.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How many may run and wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AdmitLimits {
    /// Responses that run at once.
    pub(crate) running: NonZeroUsize,
    /// Responses that wait for that; more are refused.
    pub(crate) waiting: usize,
    /// Responses of one key that run at once, where the key does not say otherwise. Nobody, whose all responses are where
    /// no keys are asked for, is no key.
    pub(crate) per_key_running: NonZeroUsize,
    /// Responses of one key that wait; more are refused.
    pub(crate) per_key_waiting: usize,
    /// How long a response waits before it is refused after all.
    pub(crate) patience: Duration,
}

/// The door to all backends. Clones are the same door.
#[derive(Debug, Clone)]
pub(crate) struct Admission(Arc<Door>);

/// How many run and wait now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Load {
    /// Responses that run.
    pub(crate) running: usize,
    /// Responses that wait.
    pub(crate) waiting: usize,
}

/// A place in the queue. Dropping it is leaving.
#[derive(Debug)]
pub(crate) struct Place {
    ticket: Ticket,
    bell: oneshot::Receiver<()>,
}

/// Leave to run. Dropping it makes way for the next.
pub(crate) struct Ticket {
    door: Arc<Door>,
    owner: Owner,
    number: Number,
}

#[derive(Debug)]
struct Door {
    patience: Duration,
    /// Only [`Door::change`] takes the lock, for a few steps that wait for nothing.
    desk: Mutex<Desk>,
}

#[derive(Debug)]
struct Desk {
    line: Line,
    bells: HashMap<Number, oneshot::Sender<()>>,
}

impl Admission {
    /// A door with these limits.
    pub(crate) fn new(limits: AdmitLimits) -> Self {
        let desk = Desk { line: Line::new(limits), bells: HashMap::new() };
        Self(Arc::new(Door { patience: limits.patience, desk: Mutex::new(desk) }))
    }

    /// A place for one more response of this owner, who may have `own_limit` running if the key says so.
    pub(crate) fn enter(&self, owner: &Owner, own_limit: Option<NonZeroUsize>) -> Result<Place, ApiError> {
        let entered = self.0.change(|desk| {
            let number = desk.line.enter(owner, own_limit)?;
            let (ring, bell) = oneshot::channel();
            desk.bells.insert(number, ring);
            Ok((number, bell))
        });
        match entered {
            Ok((number, bell)) => {
                let ticket = Ticket { door: Arc::clone(&self.0), owner: owner.clone(), number };
                Ok(Place { ticket, bell })
            }
            Err(why) => Err(self.0.refused(owner, why)),
        }
    }

    /// How many run and wait now.
    pub(crate) fn load(&self) -> Load {
        self.0.change(|desk| desk.line.load())
    }
}

impl Place {
    /// Waits for its turn, as long as there is patience.
    pub(crate) async fn turn(self) -> Result<Ticket, ApiError> {
        let Self { ticket, bell } = self;
        match timeout(ticket.door.patience, bell).await {
            Ok(_) => Ok(ticket),
            Err(_) => Err(ticket.door.refused(&ticket.owner, Why::Patience)),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.door.change(|desk| {
            desk.bells.remove(&self.number);
            desk.line.leave(&self.owner, self.number, Instant::now());
        });
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("owner", &self.owner).field("number", &self.number).finish_non_exhaustive()
    }
}

impl Door {
    /// Changes something, and rings for all whose turn it is then.
    fn change<T>(&self, change: impl FnOnce(&mut Desk) -> T) -> T {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let told = change(&mut desk);
        while let Some(number) = desk.line.call(Instant::now()) {
            // Who does not hear it is leaving, and makes way by that.
            let _ = desk.bells.remove(&number).map(|bell| bell.send(()));
        }
        told
    }

    fn refused(&self, owner: &Owner, why: Why) -> ApiError {
        let wait = self.change(|desk| desk.line.wait(owner));
        let wait = Some(wait.clamp(SHORTEST_WAIT, LONGEST_WAIT));
        ApiError { wait, ..ApiError::report(429, Some("rate_limit_exceeded"), None, why.to_string()) }
    }
}

#[cfg(test)]
mod tests;
