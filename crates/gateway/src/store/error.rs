//! What goes wrong with a store, said to those who run it.

use std::path::PathBuf;

/// Why a store did not do what it was asked to. Nothing that was acknowledged before is lost by it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room.
    #[error("{}: no room for more: free some space on its disk, or set a lower size limit for the store", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// It can only be read.
    #[error("{}: cannot be written: give the gateway the right to write the file and its folder, or set another path", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Another gateway has it.
    #[error("{}: another gateway uses it: stop that one first, or set another path", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Another program holds it for longer than a gateway waits.
    #[error("{}: another program has locked it: end that program's transaction and try again", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the gateway made it.
    #[error(
        "{}: was made by a newer gateway (layout {found}, this one knows {known}): use that version, or set another path",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Something else's database.
    #[error("{}: is a database, but not of a gateway: set another path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// What is in it makes no sense.
    #[error("{}: is damaged ({what}): restore it from a backup, or move it away and start with an empty one", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was noticed.
        what: String,
    },
    /// The file or its folder cannot be reached.
    #[error("{}: cannot be opened ({what}): see that the folder exists and is yours, or set another path", path.display())]
    Unreachable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        what: String,
    },
    /// Anything else.
    #[error("{}: {what}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the database says.
        what: String,
    },
    /// A thread of the store could not be started.
    #[error("the store cannot start a thread ({what}): raise the limit on threads of this user")]
    NoThread {
        /// What the system says.
        what: String,
    },
    /// The gateway ends.
    #[error("the store has been stopped: ask again when the gateway is back")]
    Stopped,
}

impl StoreError {
    /// Whether one of several changes may be the cause, so that the others may succeed without it.
    pub(super) fn may_be_of_one(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Failed { .. })
    }
}
