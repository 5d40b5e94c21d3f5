//! The file on the disk: whose it is, and who may read it.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// The file is this process's for as long as this lives.
#[derive(Debug)]
pub(super) struct Claim(File);

impl Drop for Claim {
    /// Closing alone would leave it to a process that is just being started, which has a copy of every handle for a moment.
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock on the store could not be given back before its handle was closed");
        }
    }
}

/// Makes the file if it is not there, and takes it for this process. The lock is on a file of its own: the locks that the
/// database has on this one would go with any other handle of it that is closed.
pub(super) fn claim(path: &Path) -> Result<Claim, StoreError> {
    let unreachable = |error: io::Error| StoreError::Unreachable { path: path.to_owned(), what: error.to_string() };
    if let Some(folder) = path.parent() {
        make_folder(folder).map_err(unreachable)?;
    }
    let lock = open(&beside(path, ".lock")).map_err(unreachable)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::InUse { path: path.to_owned() },
        TryLockError::Error(error) => unreachable(error),
    })?;
    open(path).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { path: path.to_owned() }
        }
        _ => unreachable(error),
    })?;
    Ok(Claim(lock))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Folders that are there keep the rights they have.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The files that the database makes beside this one get the rights of this one.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_was_given_back_is_free_whoever_has_a_copy_of_its_handle() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("responses.db");
        let first = claim(&path).unwrap();
        let _copy = first.0.try_clone().unwrap();
        assert_eq!(claim(&path).unwrap_err(), StoreError::InUse { path: path.clone() });
        drop(first);
        claim(&path).unwrap();
    }
}
