//! Lines written at the end of a file: the part that has no thread.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::line::{self, Start};
use super::reader::{Found, Reader};
use super::tail::{self, Torn};
use super::{LogError, MAX_UNSYNCED};
use crate::disk::{Disk, File, How};

/// How far zeros are written ahead of the lines: a write that neither lengthens the file nor takes new room needs no
/// entry in the journal of the file system, which costs a third of a small write.
const AHEAD: u64 = 64 << 10;

/// Writes lines at the end of a file.
pub(super) struct Appender {
    file: Box<dyn File>,
    path: PathBuf,
    /// Where the next line goes, of those that were written.
    next: Start,
    /// The same, of those that stand in the buffer too.
    ahead: Start,
    buffer: Vec<u8>,
    /// How long the file is.
    length: u64,
    /// How much of what was written is not known to be on the disk.
    unsynced: u64,
    /// Why nothing more is written.
    unsure: Option<LogError>,
}

impl Appender {
    /// Opens a log to be written, or makes it. `Err(InUse)` if somebody else does, where it is to be one's own.
    pub(super) fn open(disk: &dyn Disk, path: &Path, own: bool) -> Result<(Self, Option<Torn>), LogError> {
        let failed = |what, error| LogError::Disk { what, path: path.to_owned(), error: Arc::new(error) };
        let file = disk.open(path, How::Write).map_err(|error| failed("opening", error))?;
        let is_free = || Ok(file.try_lock()? && file.is_named(path)?);
        if own && !is_free().map_err(|error| failed("locking", error))? {
            return Err(LogError::InUse { path: path.to_owned() });
        }
        if !own {
            file.lock().map_err(|error| failed("locking", error))?;
        }
        let tail = tail::find(&*file).map_err(|error| failed("reading", error))?;
        let tail = tail.map_err(|found| Self::damaged(disk, path, found))?;
        let length = tail.next.at;
        let mut appender = Self {
            file,
            path: path.to_owned(),
            next: tail.next,
            ahead: tail.next,
            buffer: Vec::new(),
            length,
            unsynced: 0,
            unsure: None,
        };
        appender.make_sure(&tail.unsure).map_err(|error| failed("writing", error))?;
        if length == 0 {
            disk.sync_folder(path.parent().unwrap_or(path)).map_err(|error| failed("writing", error))?;
        }
        if !own {
            appender.unlock();
        }
        Ok((appender, tail.torn))
    }

    /// What is wrong first, from the beginning on: the end shows only that something is.
    fn damaged(disk: &dyn Disk, path: &Path, at_the_end: super::Damage) -> LogError {
        let first = || {
            let mut reader = Reader::open(disk, path).ok()?;
            while let Some(found) = reader.next().ok()? {
                if let Found::Damage(damage) = found {
                    return Some(damage);
                }
            }
            None
        };
        LogError::Damaged { path: path.to_owned(), damage: first().unwrap_or(at_the_end) }
    }

    /// Makes sure of lines that can be read: they are written again, for the machine forgets that it did not write them
    /// when a sync has failed. A line that follows may then say that they are on the disk.
    fn make_sure(&mut self, unsure: &[u8]) -> io::Result<()> {
        if !unsure.is_empty() {
            self.file.write_at(self.next.at - unsure.len() as u64, unsure)?;
        }
        self.drop_rest()
    }

    /// Cuts off what stands after the last line, and puts all on the disk.
    fn drop_rest(&mut self) -> io::Result<()> {
        self.file.set_len(self.next.at)?;
        self.length = self.next.at;
        self.file.sync()
    }

    /// Where the line after all that were pushed will stand.
    pub(super) fn end(&self) -> Start {
        self.ahead
    }

    /// Whether so much is unsure that it is to be put on the disk, asked for or not.
    pub(super) fn is_due(&self) -> bool {
        self.unsynced >= MAX_UNSYNCED
    }

    /// Adds a line to what is written next.
    pub(super) fn push(&mut self, body: &str) -> Start {
        let Start { seq, before, .. } = self.ahead;
        let marked = self.unsynced == 0 && self.buffer.is_empty();
        let hash = line::write(&mut self.buffer, &before, (seq, marked), body);
        self.ahead = Start { at: self.next.at + self.buffer.len() as u64, seq: seq + 1, before: hash };
        self.ahead
    }

    /// Writes the lines that were pushed. If that fails none of them is there, and more may be tried later.
    pub(super) fn write(&mut self) -> Result<(), LogError> {
        if let Some(unsure) = self.unsure.clone() {
            self.forget_pushed();
            return Err(unsure);
        }
        let lines = self.buffer.len() as u64;
        self.lengthen();
        let Err(error) = self.file.write_at(self.next.at, &self.buffer) else {
            self.unsynced += lines;
            self.next = self.ahead;
            self.buffer.clear();
            return Ok(());
        };
        self.forget_pushed();
        // What was written of it must not be taken for lines later on.
        let cut = self.file.set_len(self.next.at);
        self.length = self.next.at;
        if cut.is_err() {
            return Err(self.be_unsure(error));
        }
        Err(self.failed("writing", error))
    }

    fn forget_pushed(&mut self) {
        self.buffer.clear();
        self.ahead = self.next;
    }

    /// Adds zeros to what is written where it ends behind the end of the file.
    fn lengthen(&mut self) {
        let end = self.next.at + self.buffer.len() as u64;
        if end > self.length {
            self.length = end.next_multiple_of(AHEAD);
            let zeros = usize::try_from(self.length - end).unwrap_or_default();
            self.buffer.resize(self.buffer.len() + zeros, 0);
        }
    }

    /// Puts what was written on the disk. If that fails nobody knows what is there: nothing more is written.
    pub(super) fn sync(&mut self) -> Result<(), LogError> {
        if let Some(unsure) = &self.unsure {
            return Err(unsure.clone());
        }
        if let Err(error) = self.file.sync() {
            return Err(self.be_unsure(error));
        }
        self.unsynced = 0;
        Ok(())
    }

    fn be_unsure(&mut self, error: io::Error) -> LogError {
        let why = self.failed("writing", error);
        self.stop(why)
    }

    /// Ends the file with its last line.
    pub(super) fn close(&mut self) -> Result<(), LogError> {
        if let Some(unsure) = &self.unsure {
            return Err(unsure.clone());
        }
        self.drop_rest().map_err(|error| self.failed("writing", error))
    }

    /// Takes the lock of a log that others write too, and reads what they have written meanwhile. Says what it has cut
    /// off of that.
    pub(super) fn lock(&mut self, disk: &dyn Disk, seen: impl FnMut(line::Line<'_>)) -> Result<Option<Torn>, LogError> {
        if let Some(unsure) = &self.unsure {
            return Err(unsure.clone());
        }
        self.file.lock().map_err(|error| self.failed("locking", error))?;
        let others_wrote = self.others_wrote().map_err(|error| self.failed("reading", error));
        let caught_up = match others_wrote {
            Ok(true) => self.catch_up(disk, seen).map_err(|error| self.stop(error)),
            Ok(false) => Ok(None),
            Err(error) => Err(error),
        };
        if caught_up.is_err() {
            self.unlock();
        }
        caught_up
    }

    fn others_wrote(&mut self) -> io::Result<bool> {
        self.length = self.file.len()?;
        let mut first = [0];
        self.file.read_at(self.next.at, &mut first)?;
        Ok(first != [0])
    }

    fn catch_up(&mut self, disk: &dyn Disk, mut seen: impl FnMut(line::Line<'_>)) -> Result<Option<Torn>, LogError> {
        let mut reader = Reader::at(disk, &self.path, self.next)?;
        while let Some(found) = reader.next()? {
            match found {
                Found::Line(line) => seen(line),
                Found::Damage(damage) => return Err(LogError::Damaged { path: self.path.clone(), damage }),
            }
        }
        self.next = reader.stopped();
        self.ahead = self.next;
        // Whoever wrote it may have ended in the middle of a line, or before it was on the disk.
        let done = match reader.unfinished() {
            0 => self.file.sync().map(|()| None),
            unfinished => self.cut_off(unfinished).map(Some),
        };
        done.map_err(|error| self.failed("writing", error))
    }

    fn cut_off(&mut self, unfinished: usize) -> io::Result<Torn> {
        let mut bytes = vec![0; unfinished];
        let read = self.file.read_at(self.next.at, &mut bytes)?;
        bytes.truncate(read);
        self.drop_rest()?;
        Ok(Torn { at: self.next.at, bytes })
    }

    /// Nothing is written after lines of which it is not known what they are. Whoever opens the log again may: it finds
    /// out.
    fn stop(&mut self, why: LogError) -> LogError {
        let unsure = match why {
            LogError::Disk { path, error, .. } => LogError::Unsure { path, error },
            other => other,
        };
        self.unsure = Some(unsure.clone());
        self.unlock();
        unsure
    }

    /// Gives the lock up. If that fails it is given up with the file.
    pub(super) fn unlock(&self) {
        let _ = self.file.unlock();
    }

    pub(super) fn failed(&self, what: &'static str, error: io::Error) -> LogError {
        LogError::Disk { what, path: self.path.clone(), error: Arc::new(error) }
    }
}
