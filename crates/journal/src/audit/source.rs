//! An audit log as it is read from outside: the folder of a home, or what was exported from one.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use responses::json::{Object, ObjectWriter};

use super::checkpoint::{Checkpoint, NoteError, PublicKey};
use super::home::{self, Files};
use super::notes::{Note, Notes};
use super::{AuditError, disk};
use crate::disk::{Disk, File, How};
use crate::log::{Reader, Start, end_of_text};

/// The longest first line of an export.
const MAX_HEADER: usize = 1024;

/// How often the lock of a log is tried, with a pause after each: five seconds. Whoever writes has it for one batch.
const MAX_TRIES: u32 = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// The version of exports.
const VERSION: u64 = 1;

/// A log and its checkpoints.
pub(super) struct Source {
    /// The key that lies beside it, which is not to be trusted if another was given.
    pub(super) own_key: PublicKey,
    /// Where the log is, and where it begins and ends in that file.
    pub(super) log: PathBuf,
    pub(super) base: u64,
    pub(super) end: u64,
    /// Of a folder, how long the history is and what the latest checkpoint says.
    pub(super) history: u64,
    pub(super) latest: Vec<u8>,
    marks: Marks,
}

/// Checkpoints in the order of their making.
pub(super) struct Marks {
    /// `None` if the file is gone.
    earlier: Option<Notes>,
    /// That it is gone is not said yet.
    is_gone: bool,
    earlier_file: &'static str,
    path: PathBuf,
    /// Of a folder, the latest one as it was when the log was looked at; `None` if it was given out.
    latest: Option<Latest>,
}

type Latest = Result<(Checkpoint, String), Option<NoteError>>;

/// A checkpoint, or what stands in its place.
pub(super) struct Mark {
    /// Which file, by its name.
    pub(super) file: &'static str,
    /// Where in it.
    pub(super) at: u64,
    /// The checkpoint and its text; why it is none, or `None` if there is nothing.
    pub(super) read: Latest,
}

impl Source {
    /// The audit folder of a home. With the key that is trusted, or else its own.
    pub(super) fn folder(on: &dyn Disk, folder: &Path, key: Option<&PublicKey>) -> Result<Self, AuditError> {
        let files = Files::of(folder);
        let Files { log, checkpoint, history, .. } = &files;
        let own_key = match home::read_public(on, &files) {
            Err(error) => key.cloned().ok_or(error)?,
            Ok(key) => key,
        };
        let key = key.unwrap_or(&own_key);
        let open = |path: &Path| on.open(path, How::Read).map_err(|error| disk("opening", path, error));
        let lock = open(log)?;
        take_lock(&*lock, log, MAX_TRIES)?;
        let end = end_of_text(&*lock).map_err(|error| disk("reading", log, error))?;
        let or_gone = |path: &Path| match on.open(path, How::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => file.map(Some).map_err(|error| disk("opening", path, error)),
        };
        let earlier = or_gone(history)?;
        let length = earlier.as_ref().map_or(Ok(0), |file| file.len());
        let length = length.map_err(|error| disk("reading", history, error))?;
        let text = or_gone(checkpoint)?.map_or(Ok(Vec::new()), |file| home::read_region(&*file));
        let text = text.map_err(|error| disk("reading", checkpoint, error))?;
        let read = |text: Vec<u8>| {
            let text = String::from_utf8(text).map_err(|_| NoteError::Form)?;
            Checkpoint::read(&text, key).map(|checkpoint| (checkpoint, text))
        };
        let latest = if text.is_empty() { Err(None) } else { read(text.clone()).map_err(Some) };
        let is_gone = earlier.is_none();
        let marks = Marks {
            earlier: earlier.map(|file| Notes::new(file, 0..length, key)),
            earlier_file: "checkpoints",
            is_gone,
            path: history.clone(),
            latest: (end > 0 || !text.is_empty()).then_some(latest),
        };
        Ok(Self { own_key, log: log.clone(), base: 0, end, history: length, latest: text, marks })
    }

    /// An export.
    pub(super) fn bundle(on: &dyn Disk, path: &Path, key: Option<&PublicKey>) -> Result<Self, AuditError> {
        let failed = |error| disk("reading", path, error);
        let file = on.open(path, How::Read).map_err(failed)?;
        let end = end_of_text(&*file).map_err(failed)?;
        let (own_key, header, checkpoints) =
            read_header(&*file).map_err(failed)?.ok_or_else(|| AuditError::NoBundle { path: path.to_owned() })?;
        let base = header + checkpoints;
        let marks = Marks {
            earlier: Some(Notes::new(file, header..base, key.unwrap_or(&own_key))),
            earlier_file: "export",
            is_gone: false,
            path: path.to_owned(),
            latest: None,
        };
        Ok(Self { own_key, log: path.to_owned(), base, end, history: 0, latest: Vec::new(), marks })
    }

    /// The log from its beginning, and the checkpoints.
    pub(super) fn open(self, on: &dyn Disk) -> Result<(Reader, Marks), AuditError> {
        Ok((Reader::at(on, &self.log, Start { at: self.base, ..Start::FIRST })?, self.marks))
    }
}

/// Takes the lock of a log, if whoever has it goes on.
fn take_lock(file: &dyn File, path: &Path, tries: u32) -> Result<(), AuditError> {
    for _ in 0..tries {
        if file.try_lock().map_err(|error| disk("locking", path, error))? {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Err(AuditError::Held { path: path.to_owned() })
}

impl Marks {
    /// The next one.
    pub(super) fn next(&mut self) -> Result<Option<Mark>, AuditError> {
        if std::mem::take(&mut self.is_gone) {
            return Ok(Some(Mark { file: self.earlier_file, at: 0, read: Err(None) }));
        }
        let note = self.earlier.as_mut().map_or(Ok(None), Notes::next);
        let note = note.map_err(|error| disk("reading", &self.path, error))?;
        if let Some(Note { at, read, .. }) = note {
            return Ok(Some(Mark { file: self.earlier_file, at, read: read.map_err(Some) }));
        }
        Ok(self.latest.take().map(|read| Mark { file: "checkpoint", at: 0, read }))
    }
}

/// The first line of an export.
pub(super) fn header(key: &PublicKey, checkpoints: u64) -> String {
    let mut text = String::new();
    let mut to = ObjectWriter::begin(&mut text);
    to.field("capstan_audit", &VERSION).field("key", &key.to_string()).field("checkpoint_bytes", &checkpoints);
    to.end();
    text + "\n"
}

/// The key, the length of the first line, and how long the checkpoints after it are.
fn read_header(file: &dyn File) -> io::Result<Option<(PublicKey, u64, u64)>> {
    let mut start = vec![0; MAX_HEADER];
    let read = file.read_at(0, &mut start)?;
    start.truncate(read);
    let parse = || {
        let text = str::from_utf8(start.split(|byte| *byte == b'\n').next()?).ok()?;
        let from = Object::parse(text).ok()?;
        let key: Box<str> = from.read("key").ok()?;
        let checkpoints: u64 = from.read("checkpoint_bytes").ok()?;
        let known = from.read::<u64>("capstan_audit").ok()? == VERSION;
        let key = PublicKey::parse(&key).ok().filter(|_| known)?;
        // What is written otherwise was not written here.
        let length = header(&key, checkpoints).len();
        start.starts_with(header(&key, checkpoints).as_bytes()).then_some((key, length as u64, checkpoints))
    };
    let end = file.len()?;
    Ok(parse().filter(|(_, header, checkpoints)| header.checked_add(*checkpoints).is_some_and(|base| base <= end)))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::disk::Machine;

    #[test]
    fn a_log_that_nobody_lets_go_of_is_waited_for_but_not_for_ever() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("log");
        let open = || Machine.open(&path, How::Write).unwrap();
        let stopped = open();
        stopped.lock().unwrap();
        let error = take_lock(&*open(), &path, 2).unwrap_err();
        assert!(matches!(error, AuditError::Held { .. }) && error.to_string().contains("end it"), "{error}");
        drop(stopped);
        take_lock(&*open(), &path, 1).unwrap();
    }
}
