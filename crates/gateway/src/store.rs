//! Responses that outlive this process.
//!
//! A [`Store`] is told of [`Change`]s, each call one transaction that is durable when the call returns, and is asked
//! through its [`Reader`]. It knows no runtime and no clock: [`Keeper`] is what async code holds, and owns the threads.
//! A response that is not to be stored never comes here.

mod error;
mod keeper;
mod pack;
mod sqlite;
#[cfg(test)]
mod tests;
mod volatile;

use std::sync::Arc;
use std::time::Duration;

use responses::chain::Context;
use responses::id::ResponseId;
use responses::item::Item;
use responses::json::Json;

use crate::Owner;
pub use error::StoreError;
pub(crate) use keeper::{Keeper, Keeping};
pub(crate) use pack::failed_by_restart;
pub(crate) use sqlite::Sqlite;
pub(crate) use volatile::Volatile;

/// A response as it is kept. One that has only begun has no output and no events yet.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// Its name; one owner has each name once.
    pub(crate) id: ResponseId,
    /// Whose it is.
    pub(crate) owner: Owner,
    /// When it was made, in seconds since 1970. The oldest goes first when there is too much.
    pub(crate) at: u64,
    /// What it went on from. If that is kept too, only what is new is written.
    pub(crate) parent: Option<ResponseId>,
    /// All that was said: the past, this request's input, its output.
    pub(crate) context: Context,
    /// How many items of the context are this request's input, right before the output.
    pub(crate) input: usize,
    /// How many items at the end of the context are its output.
    pub(crate) output: usize,
    /// The response object.
    pub(crate) response: Json,
    /// Its events from the first on, exact texts.
    pub(crate) events: Vec<Arc<str>>,
}

impl Kept {
    /// The items that this response added to its past: input, then output.
    fn news(&self) -> Vec<Item> {
        self.context.newest(self.input.saturating_add(self.output))
    }

    /// Its input.
    fn input_items(&self) -> Vec<Item> {
        let mut items = self.news();
        items.truncate(self.input);
        items
    }

    /// Whether the context is a past of this size with the news after it. It is not when the past was rewritten on the
    /// way, by a compaction for instance.
    fn goes_on_from(&self, len: usize, bytes: usize) -> bool {
        let news = self.news();
        let new_bytes: usize = news.iter().map(|item| item.text().len()).sum();
        (len + news.len(), bytes + new_bytes) == (self.context.len(), self.context.bytes())
    }
}

/// One thing to do to a store.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A response that takes its time has begun. If the store is opened again before it was kept whole, it has failed.
    Begin(Kept),
    /// A response has ended. It takes the place of what was there by its name.
    Keep(Kept),
    /// A response is to be gone, and its texts with it, except those that another response is made of.
    Delete(Owner, ResponseId),
}

/// Answers what is asked about kept responses. What belongs to one owner does not exist for another.
pub(crate) trait Reader: Send {
    /// The response object.
    fn response(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Json>, StoreError>;

    /// The input of the request it answers.
    fn input(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Vec<Item>>, StoreError>;

    /// All that was said up to its end. There is none before it has ended.
    fn context(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Context>, StoreError>;

    /// Its events from the first on.
    fn events(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Vec<Arc<str>>>, StoreError>;
}

/// Where responses are kept.
pub(crate) trait Store: Send {
    /// Does all of it or nothing, in order. When it returns, that is durable. Says of each change whether a response of
    /// that name was there before.
    fn write(&mut self, changes: &[Change]) -> Result<Vec<bool>, StoreError>;

    /// Drops what is too old, then the oldest of what is too much; never what has not ended. Does a bounded part of it,
    /// and says whether there is more.
    fn prune(&mut self, now: u64, limits: &StoreLimits) -> Result<Pruned, StoreError>;

    /// Reads what was written.
    fn reader(&mut self) -> &mut dyn Reader;

    /// A reader for another thread, that does not wait for writes. A store that cannot have one is read between them.
    fn another_reader(&self) -> Result<Option<Box<dyn Reader>>, StoreError>;
}

/// How much is kept, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreLimits {
    /// Bytes of all that is kept.
    pub(crate) bytes: u64,
    /// How old a response gets.
    pub(crate) age: Duration,
}

impl StoreLimits {
    /// What was made before this is too old.
    fn oldest(&self, now: u64) -> u64 {
        now.saturating_sub(self.age.as_secs())
    }
}

/// What one step of pruning did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pruned {
    /// Responses dropped.
    pub(crate) responses: usize,
    /// Bytes that are kept now.
    pub(crate) bytes: u64,
    /// Whether the limits ask for another step.
    pub(crate) more: bool,
}

/// How many responses one step of pruning drops at most.
const PRUNE_STEP: usize = 256;
