//! The store as async code sees it.
//!
//! One thread writes: all changes that wait become one transaction, so that one wait for the disk serves them all. Others
//! read, each with a connection of its own; a store that has none to give is read by the writer.

#[cfg(test)]
mod tests;
mod threads;

use std::sync::Arc;
use std::time::Duration;

use responses::chain::Context;
use responses::id::ResponseId;
use responses::item::Item;
use responses::json::Json;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::{Change, Kept, Reader, Store, StoreError, StoreLimits};
use crate::Owner;
use threads::{Job, Question, Threads, Work};

/// Changes that wait for the writer; who has more to write waits too.
const WRITES: usize = 256;

/// Questions that wait for one reader.
const READS: usize = 64;

/// Threads that read.
const READERS: usize = 4;

/// How often what is too old is looked for, whether or not anything is written.
const PRUNE_EVERY: Duration = Duration::from_mins(1);

/// A handle to a store. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    work: mpsc::Sender<Work>,
    readers: Arc<[mpsc::Sender<Question>]>,
}

/// The threads behind a store. They end with it, or when it is stopped.
#[derive(Debug)]
pub(crate) struct Keeping {
    keeper: Keeper,
    reading: Threads,
    writing: Threads,
    /// The clock of the writer.
    ticks: JoinSet<()>,
}

impl Keeper {
    /// Starts the threads of a store. Must be called within a runtime.
    pub(crate) fn start(store: Box<dyn Store>, limits: StoreLimits) -> Result<(Self, Keeping), StoreError> {
        let (mut reading, mut writing) = (Threads::default(), Threads::default());
        let mut readers = Vec::new();
        for _ in 0..READERS {
            let Some(reader) = store.another_reader()? else { break };
            let (sender, jobs) = mpsc::channel(READS);
            reading.read(reader, jobs)?;
            readers.push(sender);
        }
        let (work, to_do) = mpsc::channel(WRITES);
        writing.write(store, to_do, limits)?;
        let mut ticks = JoinSet::new();
        ticks.spawn(tick(work.downgrade()));
        let keeper = Self { work, readers: readers.into() };
        Ok((keeper.clone(), Keeping { keeper, reading, writing, ticks }))
    }

    /// Keeps that a response has begun. If the gateway ends before it is kept whole, it is found as failed.
    pub(crate) async fn begin(&self, kept: Kept) -> Result<(), StoreError> {
        self.change(Change::Begin(kept)).await.map(drop)
    }

    /// Keeps a response that has ended. When this returns, it is durable.
    pub(crate) async fn keep(&self, kept: Kept) -> Result<(), StoreError> {
        self.change(Change::Keep(kept)).await.map(drop)
    }

    /// Deletes a response. Says whether it was there.
    pub(crate) async fn delete(&self, owner: &Owner, id: &ResponseId) -> Result<bool, StoreError> {
        self.change(Change::Delete(owner.clone(), id.clone())).await
    }

    /// The response object.
    pub(crate) async fn response(&self, owner: &Owner, id: &ResponseId) -> Result<Option<Json>, StoreError> {
        self.ask(owner, id, |reader, owner, id| reader.response(owner, id)).await
    }

    /// The input of the request it answers.
    pub(crate) async fn input(&self, owner: &Owner, id: &ResponseId) -> Result<Option<Vec<Item>>, StoreError> {
        self.ask(owner, id, |reader, owner, id| reader.input(owner, id)).await
    }

    /// All that was said up to its end. There is none before it has ended.
    pub(crate) async fn context(&self, owner: &Owner, id: &ResponseId) -> Result<Option<Context>, StoreError> {
        self.ask(owner, id, |reader, owner, id| reader.context(owner, id)).await
    }

    /// Its events from the first on.
    pub(crate) async fn events(&self, owner: &Owner, id: &ResponseId) -> Result<Option<Vec<Arc<str>>>, StoreError> {
        self.ask(owner, id, |reader, owner, id| reader.events(owner, id)).await
    }

    async fn change(&self, change: Change) -> Result<bool, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.work.send(Work::Change(change, answer)).await.map_err(|_| StoreError::Stopped)?;
        answered.await.map_err(|_| StoreError::Stopped)?
    }

    async fn ask<T: Send + 'static>(
        &self,
        owner: &Owner,
        id: &ResponseId,
        question: fn(&mut dyn Reader, &Owner, &ResponseId) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let (owner, id) = (owner.clone(), id.clone());
        let job: Job = Box::new(move |reader| drop(answer.send(question(reader, &owner, &id))));
        // The one with the shortest queue.
        let sent = match self.readers.iter().max_by_key(|reader| reader.capacity()) {
            Some(reader) => reader.send(Some(job)).await.is_ok(),
            None => self.work.send(Work::Read(job)).await.is_ok(),
        };
        if sent { answered.await.map_err(|_| StoreError::Stopped)? } else { Err(StoreError::Stopped) }
    }
}

impl Keeping {
    /// Writes what waits, closes the store and ends its threads. Handles that are left get [`StoreError::Stopped`].
    pub(crate) async fn stop(mut self) {
        self.ticks.shutdown().await;
        // Sending fails when a thread is gone already, which is what is asked for. The writer goes last: then nobody
        // else has the file, and it can be left in one piece.
        for reader in &*self.keeper.readers {
            let _ = reader.send(None).await;
        }
        self.reading.ended().await;
        let _ = self.keeper.work.send(Work::Stop).await;
        self.writing.ended().await;
    }
}

/// Holds no strong sender: the writer is to end when all handles are gone.
async fn tick(work: mpsc::WeakSender<Work>) {
    let mut ticks = tokio::time::interval(PRUNE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(work) = work.upgrade() else { return };
        if work.send(Work::Prune).await.is_err() {
            return;
        }
    }
}
