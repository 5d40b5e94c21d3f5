//! The queue itself: numbers, and whose turn it is. It knows no task and no clock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::time::Instant;

use super::{AdmitLimits, Load};
use crate::Owner;

/// How long a run is taken to last before one has ended.
const FIRST_GUESS: Duration = Duration::from_secs(10);

/// How many runs back the average remembers, about.
const MEMORY: u32 = 16;

/// One place. A higher number came later.
pub(super) type Number = u64;

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Why {
    /// All places are taken.
    #[error("the gateway is busy, and as many responses wait as may: ask again later")]
    Everyone,
    /// The key has taken all it may.
    #[error("this key has as many responses running and waiting as it may: ask again when one of them has ended")]
    Key,
    /// It waited, and its turn did not come.
    #[error("the gateway was busy for as long as a response may wait: ask again later")]
    Patience,
}

/// Who runs and who waits.
#[derive(Debug)]
pub(super) struct Line {
    limits: AdmitLimits,
    /// Those who have anything running or waiting.
    owners: HashMap<Owner, Share>,
    load: Load,
    next: Number,
    /// How long a run lasts, as a moving average.
    lasts: Duration,
}

/// What one owner has of it.
#[derive(Debug, Default)]
struct Share {
    limit: usize,
    running: BTreeMap<Number, Instant>,
    waiting: VecDeque<Number>,
}

impl Line {
    pub(super) fn new(limits: AdmitLimits) -> Self {
        Self { limits, owners: HashMap::new(), load: Load::default(), next: 0, lasts: FIRST_GUESS }
    }

    /// Takes a place at the end, also if its turn is at once.
    pub(super) fn enter(&mut self, owner: &Owner, own_limit: Option<NonZeroUsize>) -> Result<Number, Why> {
        let is_nobody = *owner == Owner::nobody();
        let limit = if is_nobody { usize::MAX } else { own_limit.unwrap_or(self.limits.per_key_running).get() };
        let (running, waiting) = self.owners.get(owner).map_or((0, 0), Share::counts);
        // Whoever waits for its turn waits for itself or for all: nobody is passed over.
        let runs = self.load.running < self.limits.running.get() && running < limit && waiting == 0;
        if !runs && self.load.waiting >= self.limits.waiting {
            return Err(Why::Everyone);
        }
        if !runs && !is_nobody && waiting >= self.limits.per_key_waiting {
            return Err(Why::Key);
        }
        let number = self.next;
        self.next += 1;
        self.load.waiting += 1;
        let share = self.owners.entry(owner.clone()).or_default();
        share.limit = limit;
        share.waiting.push_back(number);
        Ok(number)
    }

    /// Lets one run whose turn it is: of those whose owners may have more running, the one who waits longest.
    pub(super) fn call(&mut self, now: Instant) -> Option<Number> {
        if self.load.running >= self.limits.running.get() {
            return None;
        }
        let shares = self.owners.values_mut().filter(|share| share.running.len() < share.limit);
        let share =
            shares.filter(|share| !share.waiting.is_empty()).min_by_key(|share| share.waiting.front().copied())?;
        let number = share.waiting.pop_front()?;
        share.running.insert(number, now);
        self.load.waiting -= 1;
        self.load.running += 1;
        Some(number)
    }

    /// Gives a place back, whether it ran or waited.
    pub(super) fn leave(&mut self, owner: &Owner, number: Number, now: Instant) {
        let Some(share) = self.owners.get_mut(owner) else { return };
        if let Some(since) = share.running.remove(&number) {
            self.load.running -= 1;
            let lasted = now.saturating_duration_since(since);
            self.lasts = self.lasts.saturating_mul(MEMORY - 1).saturating_add(lasted) / MEMORY;
        } else if let Ok(at) = share.waiting.binary_search(&number) {
            share.waiting.remove(at);
            self.load.waiting -= 1;
        }
        if share.counts() == (0, 0) {
            self.owners.remove(owner);
        }
    }

    /// When the turn of one more response of this owner would come, if runs last as they did lately.
    pub(super) fn wait(&self, owner: &Owner) -> Duration {
        let for_all = self.until(self.load.running, self.load.waiting, self.limits.running.get());
        let share = self.owners.get(owner);
        let for_own = share.map(|share| self.until(share.running.len(), share.waiting.len(), share.limit));
        for_all.max(for_own.unwrap_or_default())
    }

    fn until(&self, running: usize, waiting: usize, limit: usize) -> Duration {
        if running < limit {
            return Duration::ZERO;
        }
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        self.lasts.saturating_mul(count(waiting).saturating_add(1)) / count(limit).max(1)
    }

    pub(super) fn load(&self) -> Load {
        self.load
    }
}

impl Share {
    fn counts(&self) -> (usize, usize) {
        (self.running.len(), self.waiting.len())
    }
}

#[cfg(test)]
mod tests;
