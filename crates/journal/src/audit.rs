//! Who did what, on what, by which rule, and how it ended: a log of its own, signed as it grows.
//!
//! [`Audit`] writes it: every process of one home into the same log, whose lines are bound to each other. Above its
//! records stands a Merkle tree ([`merkle`]), and after every batch its root is signed ([`checkpoint`]): who has nothing
//! but the public key can tell whether a record was changed, added, moved or taken away ([`verify`]), that a single one
//! is in it ([`proof`]), and that an older state is the beginning of this one.

pub mod checkpoint;
pub mod entry;
pub mod export;
pub mod merkle;
pub mod proof;
pub mod verify;

mod gate;
mod home;
mod keeper;
mod notes;
mod recorder;
mod source;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::log::LogError;
use checkpoint::{KeyError, NoteError};

pub use home::folder;
pub use recorder::{Audit, Clock, MAX_ACTS, Options, Room, Ticket};

/// Why an audit log cannot be written, read or proved.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuditError {
    /// The log itself.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The disk says no.
    #[error("{what} {path}: {error}")]
    Disk {
        /// What was tried: `reading`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the disk says.
        error: Arc<io::Error>,
    },
    /// Whoever writes the log does not let go of it.
    #[error(
        "{path} was held by others for five seconds: one of them may be stopped. let it go on or end it (`lsof {path}` \
         names them), then try again"
    )]
    Held {
        /// The log.
        path: PathBuf,
    },
    /// There is a log, but not its key.
    #[error("{path} is not there, but the log that it signs is: put the key back, or {MOVE_AWAY}")]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{path}: {error}; put the right one back, or {MOVE_AWAY}")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        error: KeyError,
    },
    /// There is a log, but no checkpoint of it that its key has signed.
    #[error("{path}: {error}. nothing was changed; see `capstan audit verify`, then {MOVE_AWAY}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        error: NoteError,
    },
    /// The log is not the one that was signed last.
    #[error(
        "{path} is shorter than, or another than, the {records} records that were signed last. nothing was changed; \
         see `capstan audit verify`, then {MOVE_AWAY}"
    )]
    NotAsSigned {
        /// The log.
        path: PathBuf,
        /// How many records the checkpoint covers.
        records: u64,
    },
    /// What was given is no export of an audit log.
    #[error("{path} is no exported audit log: make one with `capstan audit export`")]
    NoBundle {
        /// The file.
        path: PathBuf,
    },
    /// The older checkpoint that was given.
    #[error("the older checkpoint: {0}")]
    Since(NoteError),
    /// What was asked for cannot be proved.
    #[error(transparent)]
    Proof(#[from] proof::ProofError),
}

/// What helps if a log cannot be gone on with.
const MOVE_AWAY: &str = "move the audit folder elsewhere and keep it: a new log begins then";

fn disk(what: &'static str, path: &Path, error: io::Error) -> AuditError {
    AuditError::Disk { what, path: path.to_owned(), error: Arc::new(error) }
}
