//! Lines in a file, each bound to the one before it by a hash.
//!
//! ```text
//! HASH SEQ MARK BODY
//! ```
//!
//! `SEQ` counts from 0, `BODY` is text without a line break, and `HASH` is the SHA-256 of the hash before it and of what
//! stands after it in the line: a line that is changed, missing, added or moved is found. `MARK` is `=` on the first
//! line that was written after all before it had reached the disk, `-` on the others. So a line that is broken can be
//! told apart: before an `=` it was damaged, after the last `=` it may never have been whole, for nobody was told that
//! it is there. The file is longer than its lines while it is written, by zeros.

mod appender;
mod line;
mod reader;
mod tail;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, How};

pub use line::{Line, Start};
pub use policy::act::Hash;
pub use reader::{Damage, Fault, Found, Reader};
pub use tail::Torn;
pub(crate) use tail::end_of_text;
pub(crate) use writer::MAX_WAITING;
pub use writer::{Observer, Opened, Place, Receipt, Reserved, Sharing, Writer};

/// The longest body of a line. What is longer is kept beside the log.
pub const MAX_BODY: usize = 1 << 20;

/// How much may be written before it is put on the disk, asked for or not. A torn tail is never longer than this and one
/// batch.
pub const MAX_UNSYNCED: u64 = 1 << 20;

/// Adds a line to the text of a log that is brought here whole, and says its hash: [`Start::before`] of the next.
pub(crate) fn write_line(out: &mut Vec<u8>, before: &Hash, (seq, marked): (u64, bool), body: &str) -> Hash {
    line::write(out, before, (seq, marked), body)
}

/// Where what was never whole begins in a log, or would: whoever writes next drops it. `None` if the log is damaged.
pub(crate) fn torn_from(disk: &dyn Disk, path: &Path) -> Result<Option<u64>, LogError> {
    let tail = disk.open(path, How::Read).and_then(|file| tail::find(&*file));
    let failed = |error| LogError::Disk { what: "reading", path: path.to_owned(), error: Arc::new(error) };
    Ok(tail.map_err(failed)?.ok().map(|tail| tail.next.at))
}

/// Makes sure that what can be read of a log is on the disk, though it be written by somebody else.
pub(crate) fn make_sure(disk: &dyn Disk, path: &Path) -> Result<(), LogError> {
    let make_sure = || {
        let file = disk.open(path, How::Write)?;
        // Whoever writes it has seen no sync fail: the lock is given up then. If nobody does, one may have failed, and
        // another would not say so.
        if file.try_lock()?
            && let Ok(tail) = tail::find(&*file)?
        {
            file.write_at(tail.next.at - tail.unsure.len() as u64, &tail.unsure)?;
        }
        file.sync()
    };
    make_sure().map_err(|error| LogError::Disk { what: "writing", path: path.to_owned(), error: Arc::new(error) })
}

/// Why a log cannot be opened, read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// Somebody else writes it.
    #[error("{path} is being written by another process: end that one first, or fork what it does")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// What was on the disk for sure is not what it was.
    #[error("{path} is damaged: {damage}. nothing was changed; export what can be read, and go on from that")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        damage: Damage,
    },
    /// The disk says no.
    #[error("{what} {path}: {error}")]
    Disk {
        /// What was tried: `writing`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the disk says.
        error: Arc<io::Error>,
    },
    /// After a failed write to the disk it is not known what is there.
    #[error(
        "{path}: what was written did not reach the disk ({error}); nothing more is written until it is opened again"
    )]
    Unsure {
        /// The file.
        path: PathBuf,
        /// What the disk said.
        error: Arc<io::Error>,
    },
    /// A body is longer than [`MAX_BODY`].
    #[error("a record of {bytes} bytes is over the limit of {MAX_BODY}: keep what is long beside the log")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// A body has a line break in it.
    #[error("a record with a line break cannot be a line: write it as JSON, where it is an escape")]
    NotOneLine,
    /// Lines were reserved when the writer was closed, and did not come in time.
    #[error(
        "{path} is not closed after {} s: {} still open. the end of each is written if it comes while this process lives",
        writer::LAST_LINES.as_secs(), count(*.lines)
    )]
    StillOpen {
        /// The file.
        path: PathBuf,
        /// How many.
        lines: usize,
    },
    /// The writer has ended.
    #[error("{path} is closed")]
    Closed {
        /// The file.
        path: PathBuf,
    },
}

fn count(lines: usize) -> String {
    if lines == 1 { "1 line is".to_owned() } else { format!("{lines} lines are") }
}
