//! Why keys cannot be read or changed.

use std::io;
use std::path::{Path, PathBuf};

/// Why keys cannot be read or changed. No message shows a key, or a line of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The file is there and cannot be read.
    #[error("the keys in {} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What stands against it.
        why: String,
    },
    /// Others could give themselves a key.
    #[error("the keys in {0} may be written by other users: use `chmod 600 {0}`", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file is not as it is written here.
    #[error("the keys in {} are damaged: {what}: correct it, or put back an older copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        what: String,
    },
    /// Another process holds the lock.
    #[error("another command is changing the keys in {}: try again", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The change cannot be written; the file is as it was.
    #[error("the keys in {} cannot be written: {why}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What stands against it.
        why: String,
    },
    /// A key with this name is valid.
    #[error("a key with the name {name} exists: choose another name, or use `keys rotate` for a new secret")]
    Taken {
        /// The name.
        name: Box<str>,
    },
    /// No key can have this name.
    #[error("this is no name for a key: use 1 to {most} characters that can be seen, not beginning with key_")]
    Name {
        /// How many characters a name may have.
        most: usize,
    },
    /// No model can be meant by this.
    #[error("these are no models: name at most {most}, each by a name or a pattern such as gpt-*")]
    Models {
        /// How many patterns a key may have.
        most: usize,
    },
    /// The file is full.
    #[error("there are {most} keys, and no more can be kept: delete those that are revoked from the file")]
    Full {
        /// How many there may be.
        most: usize,
    },
    /// No key has this id or name.
    #[error("no key has the id or name {wanted}: `keys list` shows those there are")]
    Unknown {
        /// What was looked for.
        wanted: String,
    },
    /// The key is not valid any more, and will not be again.
    #[error("the key {id} is {state}: make a new one with `keys create`")]
    Past {
        /// The id of the key.
        id: Box<str>,
        /// What it is.
        state: super::KeyState,
    },
    /// Without chance there are no secrets.
    #[error("the system gives no random numbers: no key can be made on this machine")]
    NoChance,
}

impl KeysError {
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::Unreadable { path: path.into(), why: why(error) }
    }

    pub(super) fn unwritable(path: &Path, error: &io::Error) -> Self {
        Self::Unwritable { path: path.into(), why: why(error) }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.into(), what: what.into() }
    }
}

/// The cause, without numbers of the system where the words are known.
fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "this user may not: use the user who runs the gateway".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder: name a file".to_owned(),
        io::ErrorKind::NotADirectory => "a part of its path is no folder: name another file".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full: make room".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "it is on a disk that can only be read: name another file".to_owned(),
        _ => error.to_string(),
    }
}
