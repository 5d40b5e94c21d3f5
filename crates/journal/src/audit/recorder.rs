//! Writing the audit log.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand;
use data_encoding::HEXLOWER;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::checkpoint::PublicKey;
use super::entry::{Begun, Ended, Entry, Opened, Recorded, Redact, Spent};
use super::home::{self, Files};
use super::keeper::Keeper;
use super::{AuditError, disk};
use crate::disk::Disk;
use crate::log::{LogError, Place, Receipt, Reserved, Sharing, Writer};

/// How many acts may be under way at once. Each keeps room for two lines: this is below half of what a log keeps, so that
/// nobody who has room for one line waits for another who has.
pub const MAX_ACTS: usize = 240;

/// Says what time it is, in milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Who writes, and what helps.
#[derive(Clone)]
pub struct Options {
    /// The version of Capstan.
    pub version: String,
    /// The machine's name.
    pub host: String,
    /// The time.
    pub clock: Clock,
    /// What takes secrets out of all text.
    pub redact: Redact,
}

/// Writes the audit log of a home. Others may write it at the same time.
#[derive(Clone)]
pub struct Audit {
    writer: Writer,
    acts: Arc<Semaphore>,
    pen: Arc<Pen>,
}

/// Room for the begin and the end of one act.
pub struct Room {
    begin: Reserved,
    end: Reserved,
    pen: Arc<Pen>,
    one: OwnedSemaphorePermit,
}

/// An act that has begun. What became of it is written in any case: that it was abandoned, if the ticket is dropped.
#[must_use = "an act whose ticket is dropped ends as abandoned"]
pub struct Ticket {
    act: String,
    /// Gone when it was used.
    end: Option<Reserved>,
    pen: Arc<Pen>,
    _one: OwnedSemaphorePermit,
}

/// What makes text of entries.
struct Pen {
    key: PublicKey,
    clock: Clock,
    redact: Redact,
    /// What no other process has: names of acts begin with it.
    run: String,
    acts: AtomicU64,
}

impl Audit {
    /// Opens the audit log of a home, or makes it and its key, and writes down that it did. Reads, on this thread, what
    /// was written since the latest checkpoint.
    pub async fn open(on: Arc<dyn Disk>, home: &Path, options: Options) -> Result<Self, AuditError> {
        let Options { version, host, clock, redact } = options;
        let files = Files::of(&home::folder(home));
        let state = home::find(&*on, &files)?;
        let key = state.key.public().clone();
        let (signed, now, damage) = (state.signed.clone(), state.now.clone(), state.damage.clone());
        let mut torn = state.torn.clone();
        let helps = (Arc::clone(&clock), Arc::clone(&redact));
        let keeper = Keeper::open(Arc::clone(&on), files.clone(), helps, state)
            .map_err(|error| disk("opening", &files.checkpoint, error))?;
        let (writer, opened) = Writer::open(on, &files.log, Sharing::Shared, Some(Box::new(keeper)))?;
        if let Some(damage) = damage.filter(|damage| damage.at < opened.next.at) {
            return Err(LogError::Damaged { path: files.log, damage }.into());
        }
        let same = opened.next.seq > now.size() || opened.next == now.next();
        if !same {
            return Err(AuditError::NotAsSigned { path: files.log, records: signed.size() });
        }
        torn.extend(opened.torn.map(|torn| home::was_torn("log", torn.at, &torn.bytes)));
        let mut run = [0; 8];
        rand::fill(&mut run).map_err(|_| AuditError::Key { path: files.key, error: super::KeyError::Random })?;
        let pen = Pen { key, clock, redact, run: HEXLOWER.encode(&run), acts: AtomicU64::new(0) };
        let audit = Self { writer, acts: Arc::new(Semaphore::new(MAX_ACTS)), pen: Arc::new(pen) };
        for torn in torn {
            audit.record(Entry::Torn(torn)).await?;
        }
        let unsigned = now.size() - signed.size();
        let opened = Opened { version: version.into(), pid: std::process::id(), host: host.into(), unsigned };
        audit.record(Entry::Opened(opened)).await?;
        Ok(audit)
    }

    /// What verifies this log.
    pub fn key(&self) -> &PublicKey {
        &self.pen.key
    }

    /// Waits until there is room for the begin of an act and for its end. Nothing is written by this.
    pub async fn room(&self) -> Result<Room, LogError> {
        // It is never closed: who has an act waits for it, and whoever waits has this log.
        let one = Arc::clone(&self.acts).acquire_owned().await.ok();
        let (begin, end) = (self.writer.reserve().await?, self.writer.reserve().await?);
        let one = one.ok_or_else(|| LogError::Closed { path: "the audit log".into() })?;
        Ok(Room { begin, end, pen: Arc::clone(&self.pen), one })
    }

    /// Writes down that an act begins, and returns when that is on the disk.
    pub async fn begin(&self, begun: Begun<'_>) -> Result<Ticket, LogError> {
        let (ticket, receipt) = self.room().await?.begin(begun)?;
        receipt.on_disk().await?;
        Ok(ticket)
    }

    /// Writes something else down, and returns when it is on the disk.
    pub async fn record(&self, entry: Entry<'_>) -> Result<Place, LogError> {
        self.writer.append(self.pen.text(entry)).await
    }

    /// Writes what waits and the ends of the acts that are under way, and ends. No act begins any more.
    pub async fn close(self) -> Result<Place, LogError> {
        self.writer.close().await
    }
}

impl Room {
    /// Hands over that an act begins. It does not wait; the act has begun when the receipt says that it is on the disk.
    pub fn begin(self, begun: Begun<'_>) -> Result<(Ticket, Receipt), LogError> {
        let (ticket, receipt) = self.start(begun);
        Ok((ticket, receipt?))
    }

    pub(super) fn start(self, begun: Begun<'_>) -> (Ticket, Result<Receipt, LogError>) {
        let Self { begin, end, pen, one } = self;
        let act = format!("{}-{}", pen.run, pen.acts.fetch_add(1, Ordering::Relaxed));
        let receipt = begin.write(pen.text(Entry::Begun(act.as_str().into(), begun)));
        (Ticket { act, end: Some(end), pen, _one: one }, receipt)
    }
}

impl Ticket {
    /// What the act is called in the log.
    pub fn act(&self) -> &str {
        &self.act
    }

    /// Hands over that the act has ended. It does not wait; the receipt says when it is on the disk.
    pub fn end(mut self, ended: Ended<'_>) -> Result<Receipt, LogError> {
        self.write(ended).unwrap_or_else(|| Err(LogError::Closed { path: "the audit log".into() }))
    }

    fn write(&mut self, ended: Ended<'_>) -> Option<Result<Receipt, LogError>> {
        let end = self.end.take()?;
        Some(end.write(self.pen.text(Entry::Ended(self.act.as_str().into(), ended))))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let abandoned = Ended { outcome: "abandoned".into(), output: None, spent: Spent::default() };
        // Nobody is left who could be told.
        drop(self.write(abandoned));
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Ticket").field("act", &self.act).finish_non_exhaustive()
    }
}

impl Pen {
    fn text(&self, entry: Entry<'_>) -> String {
        Recorded { at: (self.clock)(), entry }.text(&self.redact)
    }
}
