//! The files of an audit log, and how they are found when it is opened.
//!
//! ```text
//! audit/log           the records; its lock is the lock of all these files
//! audit/checkpoint    the latest checkpoint, and zeros up to MAX_NOTE bytes: written over in one piece, not synced
//! audit/checkpoints   earlier ones: one at least per process and per EVERY records, synced
//! audit/key           the private key, for the owner's eyes only
//! audit/key.pub       the public key
//! ```
//!
//! If the machine loses power the latest checkpoint may be lost, or be half of one. Then the log goes on from the last
//! one in the history; what came after is read again.

use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use policy::act::Hash;

use super::checkpoint::{Checkpoint, Key, MAX_NOTE, NoteError, PublicKey};
use super::entry::Torn;
use super::merkle;
use super::notes::{Note, Notes};
use super::{AuditError, disk};
use crate::disk::{Disk, File, How};
use crate::log::{Damage, Found, MAX_BODY, Reader, Start};

/// How many records there are at most from one checkpoint of the history to the next, a batch aside.
pub(super) const EVERY: u64 = 256;

/// How much before the end of what was signed is looked at first for two lines, and at most.
const FIRST_LOOK: u64 = 8 << 10;
const LAST_LOOK: u64 = 4 * MAX_BODY as u64;

/// The longest key file.
const MAX_KEY: usize = 1024;

/// Where the audit log of a home is.
pub fn folder(home: &Path) -> PathBuf {
    home.join("audit")
}

/// The files.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) folder: PathBuf,
    pub(super) log: PathBuf,
    pub(super) checkpoint: PathBuf,
    pub(super) history: PathBuf,
    pub(super) key: PathBuf,
    pub(super) public: PathBuf,
}

impl Files {
    pub(super) fn of(folder: &Path) -> Self {
        let file = |name| folder.join(name);
        Self {
            folder: folder.to_owned(),
            log: file("log"),
            checkpoint: file("checkpoint"),
            history: file("checkpoints"),
            key: file("key"),
            public: file("key.pub"),
        }
    }
}

/// What an audit log goes on from.
pub(super) struct State {
    pub(super) key: Key,
    /// How far it was signed.
    pub(super) signed: Checkpoint,
    /// All records: those that no checkpoint covers too.
    pub(super) now: Checkpoint,
    /// What is wrong after those, unless it was never whole.
    pub(super) damage: Option<Damage>,
    /// How many records the last checkpoint of the history covers.
    pub(super) history: u64,
    /// What was cut off beside the log.
    pub(super) torn: Vec<Torn<'static>>,
}

/// Finds what is there, or makes it, while nobody else writes.
pub(super) fn find(on: &dyn Disk, files: &Files) -> Result<State, AuditError> {
    let Files { folder, log, .. } = files;
    let home = folder.parent().unwrap_or(folder);
    on.create_folder(folder).and_then(|()| on.sync_folder(home)).map_err(|error| disk("making", folder, error))?;
    let lock = on.open(log, How::Write).map_err(|error| disk("opening", log, error))?;
    lock.lock().map_err(|error| disk("locking", log, error))?;
    let key = match read_key(on, files)? {
        Some(key) => key,
        None if starts(&*lock).map_err(|error| disk("reading", log, error))? => {
            return Err(AuditError::NoKey { path: files.key.clone() });
        }
        None => make_key(on, files)?,
    };
    let mut torn = Vec::new();
    let earlier = end_history(on, files, key.public(), &mut torn)?;
    let history = earlier.as_ref().map_or(0, Checkpoint::size);
    let latest = read_latest(on, files, key.public(), &mut torn)?;
    let signed = [earlier, latest].into_iter().flatten().max_by_key(Checkpoint::size).unwrap_or(Checkpoint::EMPTY);
    if !ends_with(on, log, &signed)? {
        return Err(AuditError::NotAsSigned { path: log.clone(), records: signed.size() });
    }
    let (now, damage) = read_on(on, log, &signed)?;
    Ok(State { key, signed, now, damage, history, torn })
}

/// Whether there is a line in a log.
fn starts(log: &dyn File) -> io::Result<bool> {
    let mut first = [0];
    Ok(log.read_at(0, &mut first)? == 1 && first != [0])
}

fn read_key(on: &dyn Disk, files: &Files) -> Result<Option<Key>, AuditError> {
    let Some(text) = read_small(on, &files.key)? else { return Ok(None) };
    let key = Key::parse(&text).map_err(|error| AuditError::Key { path: files.key.clone(), error })?;
    if read_small(on, &files.public)?.is_none() {
        put(on, &files.public, &format!("{}\n", key.public()))?;
    }
    Ok(Some(key))
}

/// The public key that lies beside a log.
pub(super) fn read_public(on: &dyn Disk, files: &Files) -> Result<PublicKey, AuditError> {
    let path = &files.public;
    let text = read_small(on, path)?.ok_or_else(|| disk("reading", path, io::ErrorKind::NotFound.into()))?;
    PublicKey::parse(&text).map_err(|error| AuditError::Key { path: path.clone(), error })
}

/// The names of both reach the disk with that of the log, before there is a line.
fn make_key(on: &dyn Disk, files: &Files) -> Result<Key, AuditError> {
    let wrong = |error| AuditError::Key { path: files.key.clone(), error };
    let key = Key::generate().map_err(wrong)?;
    put(on, &files.public, &format!("{}\n", key.public()))?;
    put(on, &files.key, &key.secret_text().map_err(wrong)?)?;
    Ok(key)
}

/// Makes a file that is whole or not there.
fn put(on: &dyn Disk, path: &Path, text: &str) -> Result<(), AuditError> {
    let new = path.with_added_extension("new");
    let write = || {
        let file = on.open(&new, How::Write)?;
        file.set_len(0)?;
        file.write_at(0, text.as_bytes())?;
        file.sync()?;
        on.rename(&new, path)
    };
    write().map_err(|error| disk("writing", path, error))
}

fn read_small(on: &dyn Disk, path: &Path) -> Result<Option<String>, AuditError> {
    let read = |file: Box<dyn File>| {
        let mut bytes = vec![0; MAX_KEY];
        let read = file.read_at(0, &mut bytes)?;
        bytes.truncate(read);
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    };
    let text = match on.open(path, How::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        file => file.and_then(read),
    };
    text.map_err(|error| disk("reading", path, error))
}

/// The latest checkpoint, if it is whole.
fn read_latest(
    on: &dyn Disk,
    files: &Files,
    key: &PublicKey,
    torn: &mut Vec<Torn<'static>>,
) -> Result<Option<Checkpoint>, AuditError> {
    let path = &files.checkpoint;
    let failed = |error| disk("reading", path, error);
    let file = on.open(path, How::Write).map_err(failed)?;
    let text = read_region(&*file).map_err(failed)?;
    if text.is_empty() {
        return Ok(None);
    }
    match str::from_utf8(&text).map_err(|_| NoteError::Form).and_then(|note| Checkpoint::read(note, key)) {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(error @ NoteError::Key) => Err(AuditError::Checkpoint { path: path.clone(), error }),
        Err(_) => {
            torn.push(was_torn("checkpoint", 0, &text));
            Ok(None)
        }
    }
}

/// What stands in the file of the latest checkpoint, without the zeros after it.
pub(super) fn read_region(file: &dyn File) -> io::Result<Vec<u8>> {
    let mut text = vec![0; MAX_NOTE + 1];
    let read = file.read_at(0, &mut text)?;
    text.truncate(read);
    let end = text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    text.truncate(end);
    Ok(text)
}

/// Finds the end of the history and its last checkpoint, and cuts off what was never whole.
fn end_history(
    on: &dyn Disk,
    files: &Files,
    key: &PublicKey,
    torn: &mut Vec<Torn<'static>>,
) -> Result<Option<Checkpoint>, AuditError> {
    let path = &files.history;
    let failed = |error| disk("reading", path, error);
    let open = || on.open(path, How::Write).map_err(failed);
    let file = open()?;
    let length = file.len().map_err(failed)?;
    let from = length.saturating_sub(2 * MAX_NOTE as u64);
    let mut notes = Notes::new(open()?, from..length, key);
    let (mut end, mut last) = (0, None);
    while let Some(Note { at, end: after, read }) = notes.next().map_err(failed)? {
        match read {
            // The empty line after it is part of it.
            Ok((checkpoint, text)) if at + (text.len() as u64) < after => (end, last) = (after, Some(checkpoint)),
            Err(error @ NoteError::Key) => return Err(AuditError::Checkpoint { path: path.clone(), error }),
            _ => {}
        }
    }
    if last.is_none() && length > MAX_NOTE as u64 {
        return Err(AuditError::Checkpoint { path: path.clone(), error: NoteError::Form });
    }
    if end < length {
        let mut rest = vec![0; usize::try_from(length - end).unwrap_or_default()];
        file.read_at(end, &mut rest).map_err(failed)?;
        file.set_len(end).and_then(|()| file.sync()).map_err(|error| disk("writing", path, error))?;
        torn.push(was_torn("checkpoints", end, &rest));
    }
    Ok(last)
}

/// What is written down of something that was cut off.
pub(super) fn was_torn(file: &'static str, at: u64, bytes: &[u8]) -> Torn<'static> {
    Torn { file: file.into(), at, bytes: bytes.len() as u64, hash: Hash::of(bytes) }
}

/// Whether the last record that a checkpoint covers is there, and is that one.
fn ends_with(on: &dyn Disk, log: &Path, signed: &Checkpoint) -> Result<bool, AuditError> {
    let Some(seq) = signed.size().checked_sub(1) else { return Ok(true) };
    let failed = |error| disk("reading", log, error);
    let file = on.open(log, How::Read).map_err(failed)?;
    let mut look = FIRST_LOOK;
    loop {
        let from = signed.bytes.saturating_sub(look);
        let mut window = vec![0; usize::try_from(signed.bytes - from).unwrap_or_default()];
        let read = file.read_at(from, &mut window).map_err(failed)?;
        if read < window.len() {
            return Ok(false);
        }
        let mut lines = window.split_inclusive(|byte| *byte == b'\n').rev();
        let (last, before) = (lines.next().unwrap_or_default(), lines.next());
        // A line whose begin is in the window has a line before it there, or is the first of all.
        if from > 0 && lines.next().is_none() {
            if look >= LAST_LOOK {
                return Ok(false);
            }
            look *= 2;
            continue;
        }
        let hash = before.and_then(|line| HEXLOWER.decode(line.get(..64)?).ok()?.try_into().ok());
        let before = if seq == 0 { Start::FIRST.before } else { Hash(hash.unwrap_or_default()) };
        let start = Start { at: signed.bytes - last.len() as u64, seq, before };
        let mut reader = Reader::at(on, log, start)?;
        return Ok(matches!(reader.next()?, Some(Found::Line(line)) if line.hash == signed.chain));
    }
}

/// Reads what was written since a checkpoint, up to what is no line.
fn read_on(on: &dyn Disk, log: &Path, signed: &Checkpoint) -> Result<(Checkpoint, Option<Damage>), AuditError> {
    let mut reader = Reader::at(on, log, signed.next())?;
    let mut tree = signed.tree.clone();
    let mut next = signed.next();
    let mut damage = None;
    while let Some(found) = reader.next()? {
        match found {
            Found::Line(line) => tree.push(merkle::leaf(line.body.as_bytes())),
            Found::Damage(found) => {
                damage = Some(found);
                break;
            }
        }
        next = reader.stopped();
    }
    Ok((Checkpoint { tree, bytes: next.at, chain: next.before, time: signed.time }, damage))
}
