//! The whole log in one text file, which is verified with nothing but the public key.
//!
//! The first line is a JSON object with the key and how long the checkpoints are; after it come the checkpoints, the
//! latest last, with an empty line after each; and then the lines of the log as they are.

use std::io::{self, Write};
use std::path::Path;

use super::home::Files;
use super::source::{Source, header};
use super::{AuditError, disk};
use crate::disk::{Disk, File, How};

/// How much is copied at once.
const CHUNK: usize = 64 << 10;

/// Writes what is in an audit folder, good or not.
pub fn export(on: &dyn Disk, folder: &Path, out: &mut dyn Write) -> Result<(), AuditError> {
    let Source { own_key, log, end, history, latest, .. } = Source::folder(on, folder, None)?;
    let open = |path: &Path| on.open(path, How::Read).map_err(|error| disk("opening", path, error));
    let failed = |error| disk("exporting", folder, error);
    let earlier = open(&Files::of(folder).history)?;
    let separator: &[u8] = if latest.is_empty() { b"" } else { b"\n" };
    let mut write = || {
        let checkpoints = history + (latest.len() + separator.len()) as u64;
        out.write_all(header(&own_key, checkpoints).as_bytes())?;
        copy(&*earlier, history, out)?;
        out.write_all(&latest)?;
        out.write_all(separator)
    };
    write().map_err(failed)?;
    copy(&*open(&log)?, end, out).and_then(|()| out.flush()).map_err(failed)
}

/// Copies the beginning of a file.
fn copy(from: &dyn File, length: u64, out: &mut dyn Write) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    while at < length {
        let wanted = usize::try_from(length - at).unwrap_or(CHUNK).min(CHUNK);
        let read = from.read_at(at, chunk.get_mut(..wanted).unwrap_or_default())?;
        if read == 0 {
            break;
        }
        at += read as u64;
        out.write_all(chunk.get(..read).unwrap_or_default())?;
    }
    Ok(())
}
