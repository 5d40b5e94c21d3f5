//! Why a session cannot be had.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SessionId;
use crate::log::LogError;

/// Why something cannot be done with a session.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SessionError {
    /// The log says no.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The disk says no.
    #[error("{what} {path}: {error}")]
    Disk {
        /// What was tried: `writing`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the disk says.
        error: Arc<io::Error>,
    },
    /// There is none of this name.
    #[error("there is no session {name}: `capstan sessions list` shows those there are")]
    NotFound {
        /// What was asked for.
        name: String,
    },
    /// Several begin like this.
    #[error("{count} sessions begin with {name}, {one} and {other} among them: use more of the id")]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// How many.
        count: usize,
        /// One of them.
        one: SessionId,
        /// Another.
        other: SessionId,
    },
    /// Too little of an id was given.
    #[error("{name} is too short for the id of a session: use at least {} characters", super::MIN_PREFIX)]
    TooShort {
        /// What was asked for.
        name: String,
    },
    /// Another process writes it.
    #[error("the session {id} is in use by another process: end that one first, or fork the session")]
    InUse {
        /// Which.
        id: SessionId,
    },
    /// It was begun by a version that writes another format.
    #[error(
        "the session {id} was written by a newer capstan ({version:?}, format {format}); nothing was changed. update          capstan, or use `capstan sessions fork {id}` to go on in a new session"
    )]
    Newer {
        /// Which.
        id: SessionId,
        /// The version of the program.
        version: String,
        /// The format.
        format: u32,
    },
    /// It is not as it was written.
    #[error("the session {id} is damaged: {what}. nothing was changed; {next}")]
    Damaged {
        /// Which.
        id: SessionId,
        /// What is wrong.
        what: String,
        /// What can be done.
        next: String,
    },
    /// It lacks its first record.
    #[error("the session {id} has no beginning: it was never made, or it is damaged; remove it")]
    NoHead {
        /// Which.
        id: SessionId,
    },
    /// It has a record less than is wanted.
    #[error("the session {id} has no record {seq}: its last is {last}")]
    NoSuchRecord {
        /// Which session.
        id: SessionId,
        /// Which record was asked for.
        seq: u64,
        /// The last there is.
        last: u64,
    },
    /// A bound was passed.
    #[error("{what} of {found} is over the limit of {limit}: {next}")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// The bound.
        limit: u64,
        /// What can be done.
        next: &'static str,
    },
    /// Others share its past.
    #[error("the session {id} is the past of {}: remove these too, with --with-forks", names(.forks))]
    HasForks {
        /// Which.
        id: SessionId,
        /// The sessions that share its past.
        forks: Vec<SessionId>,
    },
    /// An export is not what was exported.
    #[error("line {line} of the export: {what}. nothing was imported")]
    Import {
        /// Which line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// One of this name is there and says something else.
    #[error(
        "another session {id} is there already, and says something else: remove that one first, or export it elsewhere"
    )]
    Exists {
        /// Which.
        id: SessionId,
    },
    /// A task that writes was ended.
    #[error("the session was not written: the program is ending")]
    Ending,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: a session cannot be named")]
    NoRandomness,
}

fn names(ids: &[SessionId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What the disk says of a path.
pub(super) fn disk(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SessionError {
    let path = path.to_owned();
    move |error| SessionError::Disk { what, path, error: Arc::new(error) }
}
