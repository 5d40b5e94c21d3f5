//! A store that ends with its process.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use responses::chain::Context;
use responses::id::ResponseId;
use responses::item::Item;
use responses::json::Json;

use super::{Change, Kept, PRUNE_STEP, Pruned, Reader, Store, StoreError, StoreLimits};
use crate::Owner;

/// Responses in memory. Pasts are shared, and counted once.
#[derive(Debug, Default)]
pub(crate) struct Volatile {
    held: HashMap<Name, Held>,
    /// All names, the oldest first.
    order: BTreeMap<(u64, u64), Name>,
    segments: HashMap<u64, Segment>,
    numbers: u64,
    bytes: u64,
}

type Name = (Owner, ResponseId);

#[derive(Debug)]
struct Held {
    kept: Kept,
    running: bool,
    number: u64,
    segment: u64,
}

/// What is counted of the items of one response. It stays for as long as a response or a later segment builds on it.
#[derive(Debug)]
struct Segment {
    before: Option<u64>,
    bytes: u64,
    users: usize,
}

impl Volatile {
    fn put(&mut self, kept: &Kept, running: bool) -> bool {
        let name = (kept.owner.clone(), kept.id.clone());
        let was_there = self.remove(&name);
        let parent = kept.parent.as_ref().and_then(|parent| self.held.get(&(kept.owner.clone(), parent.clone())));
        let past = parent
            .filter(|parent| kept.goes_on_from(parent.kept.context.len(), parent.kept.context.bytes()))
            .map(|parent| (parent.segment, parent.kept.context.bytes()));
        let (before, shared) = past.unzip();
        if let Some(before) = before.and_then(|before| self.segments.get_mut(&before)) {
            before.users += 1;
        }
        self.numbers += 1;
        let number = self.numbers;
        let bytes = (kept.context.bytes() - shared.unwrap_or(0)) as u64;
        self.segments.insert(number, Segment { before, bytes, users: 1 });
        self.bytes += bytes + outside_of_context(kept);
        self.order.insert((kept.at, number), name.clone());
        self.held.insert(name, Held { kept: kept.clone(), running, number, segment: number });
        was_there
    }

    fn remove(&mut self, name: &Name) -> bool {
        let Some(held) = self.held.remove(name) else { return false };
        self.order.remove(&(held.kept.at, held.number));
        self.bytes -= outside_of_context(&held.kept);
        let mut next = Some(held.segment);
        while let Some(number) = next.take() {
            let Some(segment) = self.segments.get_mut(&number) else { break };
            segment.users -= 1;
            if segment.users == 0 {
                self.bytes -= segment.bytes;
                next = segment.before;
                self.segments.remove(&number);
            }
        }
        true
    }

    fn get(&self, owner: &Owner, id: &ResponseId) -> Option<&Held> {
        self.held.get(&(owner.clone(), id.clone()))
    }

    fn prunable(&self, now: u64, limits: &StoreLimits) -> Option<Name> {
        let mut ended = self.order.iter().filter(|(_, name)| self.held.get(*name).is_some_and(|held| !held.running));
        let ((at, _), name) = ended.next()?;
        (*at < limits.oldest(now) || self.bytes > limits.bytes).then(|| name.clone())
    }
}

fn outside_of_context(kept: &Kept) -> u64 {
    (kept.response.text().len() + kept.events.iter().map(|event| event.len()).sum::<usize>()) as u64
}

impl Store for Volatile {
    fn write(&mut self, changes: &[Change]) -> Result<Vec<bool>, StoreError> {
        let mut write = |change: &Change| match change {
            Change::Begin(kept) => self.put(kept, true),
            Change::Keep(kept) => self.put(kept, false),
            Change::Delete(owner, id) => self.remove(&(owner.clone(), id.clone())),
        };
        Ok(changes.iter().map(&mut write).collect())
    }

    fn prune(&mut self, now: u64, limits: &StoreLimits) -> Result<Pruned, StoreError> {
        let mut responses = 0;
        while let Some(name) = self.prunable(now, limits).filter(|_| responses < PRUNE_STEP) {
            self.remove(&name);
            responses += 1;
        }
        Ok(Pruned { responses, bytes: self.bytes, more: self.prunable(now, limits).is_some() })
    }

    fn reader(&mut self) -> &mut dyn Reader {
        self
    }

    fn another_reader(&self) -> Result<Option<Box<dyn Reader>>, StoreError> {
        Ok(None)
    }
}

impl Reader for Volatile {
    fn response(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Json>, StoreError> {
        Ok(self.get(owner, id).map(|held| held.kept.response.clone()))
    }

    fn input(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Vec<Item>>, StoreError> {
        Ok(self.get(owner, id).map(|held| held.kept.input_items()))
    }

    fn context(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Context>, StoreError> {
        Ok(self.get(owner, id).filter(|held| !held.running).map(|held| held.kept.context.clone()))
    }

    fn events(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Vec<Arc<str>>>, StoreError> {
        Ok(self.get(owner, id).map(|held| held.kept.events.clone()))
    }
}
