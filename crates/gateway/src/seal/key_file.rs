//! The file with the keys: read, or made whole at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64URL, BASE64URL_NOPAD, HEXLOWER};

use super::{KEY_BYTES, SealError, random};

/// How many keys a file may hold.
pub(super) const MAX_KEYS: usize = 16;

/// How much of a file is looked at.
const MAX_FILE: u64 = 64 << 10;

/// The secrets in the file, newest first; a file that is not there is made.
pub(super) fn read_or_make(path: &Path) -> Result<Vec<[u8; KEY_BYTES]>, SealError> {
    let not_read = |source| SealError::Read { path: path.to_owned(), source };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(path)?;
            File::open(path)
        }
        opened => opened,
    };
    let file = file.map_err(not_read)?;
    only_for_its_owner(&file, path)?;
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text).map_err(not_read)?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> Result<Vec<[u8; KEY_BYTES]>, SealError> {
    let mut keys = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key = key(line).ok_or_else(|| SealError::NotAKey { path: path.to_owned(), line: at + 1 })?;
        keys.push(key);
    }
    if (1..=MAX_KEYS).contains(&keys.len()) {
        return Ok(keys);
    }
    Err(SealError::Count { path: path.to_owned(), found: keys.len() })
}

/// A key as a person may have written it: padded or not.
fn key(line: &str) -> Option<[u8; KEY_BYTES]> {
    let bytes = BASE64URL_NOPAD.decode(line.as_bytes()).or_else(|_| BASE64URL.decode(line.as_bytes())).ok()?;
    bytes.try_into().ok()
}

/// Makes the file. It is written under another name and then linked: nobody ever sees a part of it, and whoever links
/// first has made it.
fn make(path: &Path) -> Result<(), SealError> {
    let draft = draft(path)?;
    let key = BASE64URL_NOPAD.encode(&random::<KEY_BYTES>()?);
    let text = format!("# Keys of the gateway, newest first. Whoever has them can open what it sealed.\n{key}\n");
    let made = write(&draft, &text).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    // A draft that stays behind holds a key that was never used.
    let _ = fs::remove_file(&draft);
    made.map_err(|source| SealError::Make { path: path.to_owned(), source })
}

fn draft(path: &Path) -> Result<PathBuf, SealError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", HEXLOWER.encode(&random::<8>()?)));
    Ok(path.with_file_name(name))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn only_for_its_owner(file: &File, path: &Path) -> Result<(), SealError> {
    use std::os::unix::fs::PermissionsExt as _;

    let metadata = file.metadata().map_err(|source| SealError::Read { path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode | 0o700 == 0o700 {
        return Ok(());
    }
    Err(SealError::OpenToOthers { path: path.to_owned(), mode })
}

/// Elsewhere files are the business of the folder they are in.
#[cfg(not(unix))]
fn only_for_its_owner(_: &File, _: &Path) -> Result<(), SealError> {
    Ok(())
}
