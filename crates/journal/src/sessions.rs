//! Sessions: each a log in a folder of its own, beside it the long strings that it names.
//!
//! ```text
//! sessions/ID/log          sessions/ID/blobs/HA/HASH          sessions/lock
//! ```
//!
//! A folder without a log is no session: one is made by its log, and removed with it. A session may share the past of
//! another up to a record; nothing of it is copied.

mod error;
mod export;
mod history;
mod id;
mod import;
mod lines;
mod open;
mod pending;
mod remove;
mod session;
mod trace;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::blobs::listed;
use crate::disk::{Disk, File, How};
use crate::log::Hash;
use crate::record::Forked;
use crate::redact::Redactor;

pub use error::SessionError;
pub use export::Exported;
pub(crate) use history::glance;
pub use history::{Entry, History, Step, Verified};
pub use id::{NoSessionId, SessionId};
pub use import::Imported;
pub(crate) use lines::Lines;
pub use open::Resumed;
pub use pending::Pending;
pub use remove::{Keep, Pruned};
pub use session::Session;
pub(crate) use session::Slot;

/// How much of an id is needed at least.
pub const MIN_PREFIX: usize = 4;

/// How deep sessions may share pasts.
pub const MAX_DEPTH: usize = 64;

/// The log in the folder of a session.
const LOG: &str = "log";

/// A log that is being imported.
const NEW_LOG: &str = "log.new";

/// Where the strings of a session that is there already wait until it is known whether they belong to it.
const NEW: &str = "new";

/// Held while sessions begin to share a past, or are removed.
const LOCK: &str = "lock";

/// What a session may have at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one session, blobs included.
    pub session_bytes: u64,
    /// Bytes of one record, with all its strings.
    pub record_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { session_bytes: 8 << 30, record_bytes: 64 << 20 }
    }
}

/// How a session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    /// Its name: [`SessionId::fresh`].
    pub id: SessionId,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// The version of the program.
    pub version: String,
    /// The folder it works in.
    pub cwd: String,
}

/// All sessions of a home.
#[derive(Clone)]
pub struct Sessions {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    redactor: Arc<Redactor>,
    limits: Limits,
}

impl Sessions {
    /// Those in a folder; it is made if it is not there.
    pub fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        redactor: Arc<Redactor>,
        limits: Limits,
    ) -> Result<Self, SessionError> {
        disk.create_folder(folder).map_err(error::disk("making", folder))?;
        Ok(Self { disk, folder: folder.to_owned(), redactor, limits })
    }

    /// The folder they are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The disk they are on.
    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The longest record there can be.
    pub(crate) fn longest(&self) -> u64 {
        self.limits.record_bytes
    }

    /// The names of all, the oldest first.
    pub fn ids(&self) -> Result<Vec<SessionId>, SessionError> {
        let names = listed(&*self.disk, &self.folder).map_err(error::disk("listing", &self.folder))?;
        let mut ids: Vec<SessionId> = names.iter().filter_map(|name| name.parse().ok()).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The session whose id begins like this.
    pub fn find(&self, prefix: &str) -> Result<SessionId, SessionError> {
        let name = || prefix.to_owned();
        if let Ok(id) = prefix.parse() {
            return if self.is_there(id)? { Ok(id) } else { Err(SessionError::NotFound { name: name() }) };
        }
        if prefix.len() < MIN_PREFIX {
            return Err(SessionError::TooShort { name: name() });
        }
        let mut found = Vec::new();
        for id in self.ids()?.into_iter().filter(|id| id.to_string().starts_with(prefix)) {
            found.extend(self.is_there(id)?.then_some(id));
        }
        match found.as_slice() {
            [] => Err(SessionError::NotFound { name: name() }),
            [id] => Ok(*id),
            [one, other, ..] => {
                Err(SessionError::Ambiguous { name: name(), count: found.len(), one: *one, other: *other })
            }
        }
    }

    /// Whether there is a log of this name.
    pub(crate) fn is_there(&self, id: SessionId) -> Result<bool, SessionError> {
        let path = self.log(id);
        match self.disk.open(&path, How::Read) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
            Err(error) => Err(error::disk("opening", &path)(error)),
        }
    }

    /// Where a session lies.
    pub(crate) fn place(&self, id: SessionId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Where its log lies.
    pub(crate) fn log(&self, id: SessionId) -> PathBuf {
        self.place(id).join(LOG)
    }

    /// Keeps sessions from being removed while others begin to share their past.
    fn lock(&self) -> Result<Box<dyn File>, SessionError> {
        let path = self.folder.join(LOCK);
        let lock = || {
            let file = self.disk.open(&path, How::Write)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(error::disk("locking", &path))
    }
}

/// A place in a session: up to here, it is the past of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Until {
    seq: u64,
    hash: Hash,
}

impl From<Forked> for Until {
    fn from(forked: Forked) -> Self {
        Self { seq: forked.seq, hash: forked.hash }
    }
}
