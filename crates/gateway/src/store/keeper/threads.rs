//! The threads that have the store.

use std::slice;
use std::thread;
use std::time::SystemTime;

use tokio::sync::{mpsc, oneshot};

use super::WRITES;
use crate::store::{Change, Pruned, Reader, Store, StoreError, StoreLimits};

/// Changes after which the limits are looked at.
const PRUNE_AFTER: usize = 256;

/// A question with the way its answer goes.
pub(super) type Job = Box<dyn FnOnce(&mut dyn Reader) + Send>;

/// What a reader is handed. `None`: answer what waits, and end.
pub(super) type Question = Option<Job>;

/// What the writer is handed.
pub(super) enum Work {
    /// To write, and where to say whether a response of that name was there.
    Change(Change, Answer),
    /// A question, where there is no reader for it.
    Read(Job),
    /// Look at the limits.
    Prune,
    /// Do what waits, and end.
    Stop,
}

type Answer = oneshot::Sender<Result<bool, StoreError>>;

/// Threads that were started. Each ends when nobody can hand it anything, or when it is told to.
#[derive(Debug, Default)]
pub(super) struct Threads {
    /// Closed by the end of a thread.
    ends: Vec<oneshot::Receiver<()>>,
}

impl Threads {
    pub(super) fn read(&mut self, reader: Box<dyn Reader>, jobs: mpsc::Receiver<Question>) -> Result<(), StoreError> {
        self.start("store-read", move || read(reader, jobs))
    }

    pub(super) fn write(
        &mut self,
        store: Box<dyn Store>,
        work: mpsc::Receiver<Work>,
        limits: StoreLimits,
    ) -> Result<(), StoreError> {
        self.start("store-write", move || write(store, work, &limits))
    }

    fn start(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        let (end, ended) = oneshot::channel();
        let run = move || {
            run();
            drop(end);
        };
        let started = thread::Builder::new().name(name.to_owned()).spawn(run);
        started.map_err(|error| StoreError::NoThread { what: error.to_string() })?;
        self.ends.push(ended);
        Ok(())
    }

    /// Waits until all have ended.
    pub(super) async fn ended(self) {
        for end in self.ends {
            // Nothing is sent: the thread drops its half.
            let _ = end.await;
        }
    }
}

fn read(mut reader: Box<dyn Reader>, mut jobs: mpsc::Receiver<Question>) {
    while let Some(question) = jobs.blocking_recv() {
        match question {
            Some(job) => job(&mut *reader),
            None => jobs.close(),
        }
    }
}

fn write(mut store: Box<dyn Store>, mut work: mpsc::Receiver<Work>, limits: &StoreLimits) {
    let (mut unlooked, mut more) = (0, false);
    loop {
        let mut batch = Batch::default();
        if !batch.fill(&mut work, !more) {
            return;
        }
        if batch.stop {
            work.close();
        }
        unlooked += batch.changes.len();
        more |= batch.prune || unlooked >= PRUNE_AFTER;
        batch.commit(&mut *store);
        for job in batch.reads {
            job(store.reader());
        }
        if more {
            unlooked = 0;
            more = prune(&mut *store, limits);
        }
    }
}

/// One step. What waits to be written comes before the next.
fn prune(store: &mut dyn Store, limits: &StoreLimits) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match store.prune(now, limits) {
        Ok(Pruned { responses, bytes, more }) => {
            if responses > 0 {
                tracing::info!(responses, bytes, "dropped what was too old or too much from the store");
            }
            more
        }
        Err(error) => {
            tracing::warn!(%error, "what is too old or too much could not be dropped from the store; it is tried again");
            false
        }
    }
}

/// All that waited at one time.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    answers: Vec<Answer>,
    reads: Vec<Job>,
    prune: bool,
    stop: bool,
}

impl Batch {
    /// Takes what waits; waits for it, if it may. Says no when nothing will come any more.
    fn fill(&mut self, work: &mut mpsc::Receiver<Work>, may_wait: bool) -> bool {
        let mut waiting = Vec::new();
        if may_wait {
            work.blocking_recv_many(&mut waiting, WRITES);
        }
        while waiting.len() < WRITES
            && let Ok(next) = work.try_recv()
        {
            waiting.push(next);
        }
        let over = waiting.is_empty() && work.is_closed();
        for work in waiting {
            self.add(work);
        }
        !over
    }

    fn add(&mut self, work: Work) {
        match work {
            Work::Change(change, answer) => {
                self.changes.push(change);
                self.answers.push(answer);
            }
            Work::Read(job) => self.reads.push(job),
            Work::Prune => self.prune = true,
            Work::Stop => self.stop = true,
        }
    }

    /// One transaction for all; when it fails for what may be the fault of one of them, one for each.
    fn commit(&mut self, store: &mut dyn Store) {
        if self.changes.is_empty() {
            return;
        }
        let answers = self.answers.drain(..);
        match store.write(&self.changes) {
            Ok(were_there) => answers.zip(were_there).for_each(|(answer, was_there)| tell(answer, Ok(was_there))),
            Err(error) if self.changes.len() > 1 && error.may_be_of_one() => {
                for (change, answer) in self.changes.iter().zip(answers) {
                    let alone = store.write(slice::from_ref(change));
                    tell(answer, alone.map(|were_there| were_there.first() == Some(&true)));
                }
            }
            Err(error) => answers.for_each(|answer| tell(answer, Err(error.clone()))),
        }
    }
}

fn tell(answer: Answer, result: Result<bool, StoreError>) {
    // Who asked may be gone. What was asked for is done all the same.
    let _ = answer.send(result);
}
