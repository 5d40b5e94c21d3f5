//! What a log needs of a file system. There are two: the machine's, and one in tests that fails and forgets.

mod machine;

use std::io;
use std::path::Path;

pub use machine::Machine;

/// A file system.
pub trait Disk: Send + Sync + 'static {
    /// Opens a file.
    fn open(&self, path: &Path, how: How) -> io::Result<Box<dyn File>>;
    /// Makes a folder and those above it, for its owner only, and puts their names on the disk.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Gives a file another name, in place of what has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes a folder and all in it.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder, in no order.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Puts the names that a folder holds on the disk.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// An open file. Closed, and its lock given up, when dropped.
pub trait File: Send {
    /// Reads what there is from a place on; fewer bytes than asked for at the end of the file only.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize>;
    /// Writes all of it.
    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file, or lengthens it by zeros that need no room yet.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// How long it is.
    fn len(&self) -> io::Result<u64>;
    /// Whether there is nothing in it.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Puts what was written on the disk.
    fn sync(&self) -> io::Result<()>;
    /// Whether this is the file that has this name now: whoever had its lock before may have renamed or removed it.
    fn is_named(&self, path: &Path) -> io::Result<bool>;
    /// Takes the file's lock if nobody else has it.
    fn try_lock(&self) -> io::Result<bool>;
    /// Takes the file's lock, after whoever has it.
    fn lock(&self) -> io::Result<()>;
    /// Gives the lock up.
    fn unlock(&self) -> io::Result<()>;
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// To be read.
    Read,
    /// To be read and written; made, for its owner only, if it is not there.
    Write,
    /// To be read and written; it must not be there yet.
    New,
}
