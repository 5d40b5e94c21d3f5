//! The file of keys: read with suspicion, written whole or not at all.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::entry::MAX_KEYS;
use super::{KeyInfo, KeysError};

/// What a person reads who opens the file.
const HEAD: &str = "# The keys of the gateway, written by `capstan keys`. Of each secret only the SHA-256 is here.\n\n";

/// More than [`MAX_KEYS`] keys need.
const MAX_BYTES: u64 = 16 << 20;

/// How often the lock is tried before another writer counts as busy, and the pause between. Writing takes milliseconds.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    #[serde(default)]
    key: Vec<KeyInfo>,
}

/// By what a change of a file is noticed. A file that is not there has the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mark(Option<stamp::Stamp>);

impl Mark {
    /// The mark of what is there now.
    pub(super) fn of(path: &Path) -> Self {
        Self(fs::metadata(path).ok().map(|metadata| stamp::of(&metadata)))
    }
}

/// The keys of a file, and the mark of what was read.
pub(super) fn read(path: &Path) -> Result<(Vec<KeyInfo>, Mark), KeysError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Mark::default())),
        Err(error) => return Err(KeysError::unreadable(path, &error)),
    };
    let metadata = file.metadata().map_err(|error| KeysError::unreadable(path, &error))?;
    if stamp::others_may_write(&metadata) {
        return Err(KeysError::Exposed { path: path.into() });
    }
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| KeysError::unreadable(path, &error))?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes > MAX_BYTES) {
        return Err(KeysError::damaged(path, format!("it has more than {MAX_BYTES} bytes")));
    }
    Ok((parse(path, &text)?, Mark(Some(stamp::of(&metadata)))))
}

fn parse(path: &Path, text: &str) -> Result<Vec<KeyInfo>, KeysError> {
    let contents: Contents = toml::from_str(text).map_err(|error| {
        // What the parser says may quote the line, and somebody may have put a key there.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        KeysError::damaged(path, format!("what begins in line {line} is not as it is written here"))
    })?;
    let mut ids = HashSet::new();
    for key in &contents.key {
        key.check().map_err(|_| KeysError::damaged(path, "a key has an id or a name that no key can have"))?;
        if !ids.insert(&*key.id) {
            return Err(KeysError::damaged(path, format!("two keys have the id {}", key.id)));
        }
    }
    if contents.key.len() > MAX_KEYS {
        return Err(KeysError::damaged(path, format!("it has more than {MAX_KEYS} keys")));
    }
    Ok(contents.key)
}

/// Held while keys are read, changed and written. The file itself cannot be the lock: it is replaced.
pub(super) fn lock(path: &Path) -> Result<File, KeysError> {
    let failed = |error: &io::Error| KeysError::unwritable(path, error);
    make_folder(path).map_err(|error| failed(&error))?;
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let file = stamp::private(&mut options).open(beside(path, ".lock")).map_err(|error| failed(&error))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
    }
    Err(KeysError::Busy { path: path.into() })
}

/// Puts these keys in place of what the file holds. To be called with the lock held.
pub(super) fn write(path: &Path, keys: &[KeyInfo]) -> Result<(), KeysError> {
    let contents = Contents { key: keys.to_vec() };
    let text =
        toml::to_string(&contents).map_err(|_| KeysError::unwritable(path, &io::ErrorKind::InvalidData.into()))?;
    let new = beside(path, ".new");
    replace(path, &new, &format!("{HEAD}{text}")).map_err(|error| {
        // Nobody reads it, and the next writer starts afresh.
        let _ = fs::remove_file(&new);
        KeysError::unwritable(path, &error)
    })
}

fn replace(path: &Path, new: &Path, text: &str) -> io::Result<()> {
    // What a writer left behind that did not come to its end.
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = stamp::private(OpenOptions::new().create_new(true).write(true)).open(new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(new, path)?;
    stamp::sync_folder(folder(path))
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    stamp::private_folder(builder.recursive(true)).create(folder(path))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// What a file is known by, and who may use it, where there are users.
#[cfg(unix)]
mod stamp {
    use super::{DirBuilder, File, Metadata, OpenOptions, Path, io};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};

    const WRITTEN_BY_GROUP_OR_ALL: u32 = 0o022;

    /// Device, number, length, and when anything of it was last changed, permissions among it.
    pub(super) type Stamp = (u64, u64, u64, i64, i64);

    pub(super) fn of(metadata: &Metadata) -> Stamp {
        (metadata.dev(), metadata.ino(), metadata.len(), metadata.ctime(), metadata.ctime_nsec())
    }

    pub(super) fn others_may_write(metadata: &Metadata) -> bool {
        metadata.mode() & WRITTEN_BY_GROUP_OR_ALL != 0
    }

    pub(super) fn private(options: &mut OpenOptions) -> &OpenOptions {
        options.mode(0o600)
    }

    pub(super) fn private_folder(builder: &mut DirBuilder) -> &DirBuilder {
        builder.mode(0o700)
    }

    /// That a file has a new name is on the disk when its folder is.
    pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

/// What a file is known by elsewhere; who may use it, the folder of its user says.
#[cfg(not(unix))]
mod stamp {
    use super::{DirBuilder, Metadata, OpenOptions, Path, io};
    use std::time::SystemTime;

    pub(super) type Stamp = (u64, Option<SystemTime>);

    pub(super) fn of(metadata: &Metadata) -> Stamp {
        (metadata.len(), metadata.modified().ok())
    }

    pub(super) fn others_may_write(_: &Metadata) -> bool {
        false
    }

    pub(super) fn private(options: &mut OpenOptions) -> &OpenOptions {
        options
    }

    pub(super) fn private_folder(builder: &mut DirBuilder) -> &DirBuilder {
        builder
    }

    pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
        Ok(())
    }
}
