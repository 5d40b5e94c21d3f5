//! A session that is being written.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::disk;
use super::trace::Trace;
use super::{Limits, SessionError, SessionId};
use crate::blobs::{Blobs, Detached, INLINE_MAX, detach, escape};
use crate::log::{LogError, Place, Receipt, Reserved, Writer};
use crate::record::{Durability, Record, Stamped};
use crate::redact::Redactor;

/// About how many bytes of a line are not its body.
const AROUND_BODY: u64 = 80;

/// A session that is being written. No other process writes it until this is closed or dropped.
pub struct Session {
    id: SessionId,
    writer: Writer,
    kept: Arc<Kept>,
    trace: Mutex<Trace>,
    bytes: AtomicU64,
    limits: Limits,
}

/// What a record goes through before it is a line.
pub(super) struct Kept {
    pub(super) blobs: Blobs,
    pub(super) redactor: Arc<Redactor>,
    pub(super) place: PathBuf,
}

impl Kept {
    /// Takes the secrets out of a record, and puts its long strings on the disk. Says how many bytes these are.
    fn prepare(&self, text: &str) -> io::Result<(String, u64)> {
        let clean = self.redactor.json(text);
        let Detached { line, blobs } = detach(&clean);
        let mut bytes = 0;
        for (reference, text) in blobs {
            bytes += self.blobs.put(reference, &text)?;
        }
        Ok((line, bytes))
    }
}

/// Room for one short record.
pub(crate) struct Slot {
    reserved: Reserved,
    redactor: Arc<Redactor>,
}

impl Slot {
    /// Writes the record without its secrets. It does not wait; the receipt says when it is on the disk.
    pub(crate) fn write(self, at: u64, record: &Record) -> Result<Receipt, LogError> {
        self.reserved.write(escape(&self.redactor.json(&record.text(at))))
    }
}

impl Session {
    pub(super) fn new(id: SessionId, writer: Writer, kept: Kept, (bytes, limits): (u64, Limits)) -> Self {
        let (bytes, trace) = (AtomicU64::new(bytes), Mutex::default());
        Self { id, writer, kept: Arc::new(kept), trace, bytes, limits }
    }

    /// Its name.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// How much of the disk it has, about.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Writes a record, without its secrets. One that must be on the disk is there when this returns, and its place is
    /// known; of the others the next of those makes sure.
    pub async fn append(&self, at: u64, record: Record) -> Result<Option<Place>, SessionError> {
        for held in self.held_before(at, &record) {
            self.write(held).await?;
        }
        if matches!(record, Record::Delta(_)) {
            return Ok(None);
        }
        self.write(Stamped { at, record }).await
    }

    /// What of the trace is to be written before this record.
    fn held_before(&self, at: u64, record: &Record) -> Vec<Stamped> {
        let mut trace = self.trace.lock().unwrap_or_else(PoisonError::into_inner);
        match record {
            Record::Delta(delta) => trace.push(at, delta.clone(), &self.kept.redactor),
            // What of other responses is held may be half of a secret: it waits for the other half.
            Record::Output { response, .. } => {
                trace.ended(response.as_ref(), &self.kept.redactor).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    async fn write(&self, Stamped { at, record }: Stamped) -> Result<Option<Place>, SessionError> {
        let text = record.text(at);
        self.check_limits(text.len() as u64)?;
        let (line, blob_bytes) = self.prepare(text).await?;
        self.bytes.fetch_add(line.len() as u64 + AROUND_BODY + blob_bytes, Ordering::Relaxed);
        match record.durability() {
            Durability::Durable => Ok(Some(self.writer.append(line).await?)),
            Durability::Relaxed => {
                self.writer.note(line).await?;
                Ok(None)
            }
        }
    }

    fn check_limits(&self, bytes: u64) -> Result<(), SessionError> {
        if bytes > self.limits.record_bytes {
            let next = "say it in parts, or put it into a file and name that";
            return Err(SessionError::Limit {
                what: "a record's size",
                found: bytes,
                limit: self.limits.record_bytes,
                next,
            });
        }
        let found = self.bytes() + bytes;
        if found > self.limits.session_bytes {
            let next = "start a new session; this one can still be read, exported and forked";
            return Err(SessionError::Limit {
                what: "a session's size",
                found,
                limit: self.limits.session_bytes,
                next,
            });
        }
        Ok(())
    }

    /// What is long may take a while, and wait for the disk.
    async fn prepare(&self, text: String) -> Result<(String, u64), SessionError> {
        let kept = Arc::clone(&self.kept);
        let prepared = if text.len() <= INLINE_MAX {
            kept.prepare(&text)
        } else {
            let preparing = tokio::task::spawn_blocking(move || kept.prepare(&text));
            preparing.await.map_err(|_| SessionError::Ending)?
        };
        prepared.map_err(disk("writing beside", &self.kept.place))
    }

    /// Keeps room for two short records, so that they can be written from where nothing can be waited for.
    pub(crate) async fn room(&self) -> Result<[Slot; 2], LogError> {
        let slot =
            async || Ok(Slot { reserved: self.writer.reserve().await?, redactor: Arc::clone(&self.kept.redactor) });
        Ok([slot().await?, slot().await?])
    }

    /// Writes what is held back, ends the log with its last line, and gives the session up. Says which line that is.
    pub async fn close(self) -> Result<Place, SessionError> {
        let held = self.trace.lock().unwrap_or_else(PoisonError::into_inner).flush(&self.kept.redactor);
        for held in held {
            self.write(held).await?;
        }
        Ok(self.writer.close().await?)
    }
}
