//! A log that is being imported, beside the one that may be there.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::error::disk;
use super::super::{LOG, Lines, NEW, NEW_LOG, SessionError, SessionId, Sessions};
use super::Wrong;
use crate::blobs::{Blobs, Reference};
use crate::disk::{File, How};
use crate::log::{Found, Hash, MAX_BODY, Start, write_line};

/// How much is gathered before it is written.
const CHUNK: usize = 1 << 20;

/// A log that is being imported.
pub(super) struct Staged {
    pub(super) id: SessionId,
    /// Where the next line goes.
    pub(super) next: Start,
    file: Box<dyn File>,
    blobs: Blobs,
    /// The strings that wait.
    waiting: Vec<Reference>,
    buffer: Vec<u8>,
    written: u64,
    there: There,
    /// How much may still come.
    room: u64,
    /// Keeps others from writing the log that is there.
    held: Option<Box<dyn File>>,
}

/// The log of the same name that is there.
enum There {
    No,
    /// So far the same.
    Same(Box<Lines>),
    /// The same, and it ended here.
    Shorter(Start),
    Differs,
}

/// What becomes of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is taken, in the place of its beginning if that is there.
    New,
    /// All of it is there.
    There,
}

impl Staged {
    pub(super) fn begin(sessions: &Sessions, id: SessionId) -> Result<Self, SessionError> {
        let place = sessions.place(id);
        let path = place.join(NEW_LOG);
        sessions.disk.create_folder(&place).map_err(disk("making", &place))?;
        let open = || {
            let file = sessions.disk.open(&path, How::Write)?;
            if !file.try_lock()? || !file.is_named(&path)? {
                return Ok(None);
            }
            file.set_len(0)?;
            Ok(Some(file))
        };
        let file = open().map_err(disk("writing", &path))?.ok_or(SessionError::InUse { id })?;
        let is_there = sessions.is_there(id)?;
        let lines = is_there.then(|| Lines::open(&sessions.disk, &sessions.log(id))).transpose()?;
        let there = lines.map_or(There::No, |lines| There::Same(Box::new(lines)));
        let beside = if is_there { place.join(NEW) } else { place };
        // What an import left that did not come to its end.
        let _ = is_there.then(|| sessions.disk.remove_folder(&beside));
        let blobs = Blobs::new(Arc::clone(&sessions.disk), &beside);
        Ok(Self {
            id,
            next: Start::FIRST,
            file,
            blobs,
            waiting: Vec::new(),
            buffer: Vec::new(),
            written: 0,
            there,
            room: sessions.limits.session_bytes,
            held: None,
        })
    }

    /// Refuses what is more than a session may have.
    fn take_room(&mut self, bytes: u64) -> Result<(), Wrong> {
        let left = self.room.checked_sub(bytes);
        self.room = left.ok_or_else(|| Wrong::line("the session is larger than a session may be"))?;
        Ok(())
    }

    pub(super) fn put(&mut self, reference: Reference, text: &str) -> Result<(), Wrong> {
        self.take_room(reference.bytes)?;
        let path = PathBuf::from(self.id.to_string());
        if !matches!(self.there, There::No) {
            self.waiting.push(reference);
        }
        self.blobs.put(reference, text).map(drop).map_err(|error| Wrong::Session(disk("writing beside", &path)(error)))
    }

    /// Takes a line if it follows the one before it.
    pub(super) fn line(&mut self, seq: u64, hash: Hash, body: &str) -> Result<(), Wrong> {
        if seq != self.next.seq || body.len() > MAX_BODY {
            return Err(Wrong::Line(format!("record {} belongs there", self.next.seq)));
        }
        let length = self.buffer.len();
        // An export does not say which lines are marked: their hashes do.
        let follows = [false, true].into_iter().any(|marked| {
            self.buffer.truncate(length);
            write_line(&mut self.buffer, &self.next.before, (seq, marked), body) == hash
        });
        if !follows {
            return Err(Wrong::Line(format!("record {seq} was changed, or what stood before it was")));
        }
        let added = (self.buffer.len() - length) as u64;
        self.take_room(added)?;
        self.next = Start { at: self.next.at + added, seq: seq + 1, before: hash };
        self.compare(hash)?;
        if self.buffer.len() >= CHUNK {
            self.write()?;
        }
        Ok(())
    }

    /// Compares with the log that is there, line by line.
    fn compare(&mut self, hash: Hash) -> Result<(), Wrong> {
        if let There::Same(lines) = &mut self.there {
            match lines.next().map_err(SessionError::from)? {
                Some(Found::Line(line)) if line.hash == hash => {}
                Some(_) => self.there = There::Differs,
                None => self.there = There::Shorter(lines.stopped()),
            }
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Wrong> {
        let path = PathBuf::from(self.id.to_string()).join(NEW_LOG);
        let written = self.file.write_at(self.written, &self.buffer);
        written.map_err(|error| Wrong::Session(disk("writing", &path)(error)))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Puts all of it on the disk.
    pub(super) fn finish(&mut self) -> Result<(), Wrong> {
        self.write()?;
        let path = PathBuf::from(self.id.to_string()).join(NEW_LOG);
        self.file.sync().map_err(|error| Wrong::Session(disk("writing", &path)(error)))
    }

    pub(super) fn verdict(&mut self, sessions: &Sessions) -> Result<Verdict, SessionError> {
        match &self.there {
            There::No => Ok(Verdict::New),
            There::Same(_) if sessions.is_there(self.id)? => Ok(Verdict::There),
            There::Same(_) => Err(SessionError::NotFound { name: self.id.to_string() }),
            There::Differs => Err(SessionError::Exists { id: self.id }),
            There::Shorter(end) => {
                let path = sessions.log(self.id);
                let file = sessions.disk.open(&path, How::Write).map_err(disk("opening", &path))?;
                let free = file.try_lock().and_then(|free| Ok(free && file.is_named(&path)?));
                // Somebody may have gone on with it since its end was met.
                if !free.map_err(disk("locking", &path))? || Lines::at(&sessions.disk, &path, *end)?.next()?.is_some() {
                    return Err(SessionError::InUse { id: self.id });
                }
                self.held = Some(file);
                Ok(Verdict::New)
            }
        }
    }

    pub(super) fn publish(self, sessions: &Sessions, verdict: Verdict) -> Result<(), SessionError> {
        let place = sessions.place(self.id);
        let new = place.join(NEW_LOG);
        if !self.waiting.is_empty() {
            let kept = Blobs::new(Arc::clone(&sessions.disk), &place);
            let taken = self.waiting.iter().try_for_each(|reference| kept.take_over(&self.blobs, *reference));
            taken.map_err(disk("writing beside", &place))?;
            let beside = place.join(NEW);
            sessions.disk.remove_folder(&beside).map_err(disk("removing", &beside))?;
        }
        match verdict {
            Verdict::New => sessions.disk.rename(&new, &place.join(LOG)).map_err(disk("writing", &new))?,
            Verdict::There => sessions.disk.remove(&new).map_err(disk("removing", &new))?,
        }
        sessions.disk.sync_folder(&place).map_err(disk("writing", &place))?;
        sessions.disk.sync_folder(&sessions.folder).map_err(disk("writing", &sessions.folder))
    }

    /// Takes back what was begun. What cannot be removed is no session, and is removed with the next that are.
    pub(super) fn forget(self, sessions: &Sessions) {
        let place = sessions.place(self.id);
        let _ = match self.there {
            There::No => sessions.disk.remove_folder(&place),
            _ => {
                let _ = sessions.disk.remove_folder(&place.join(NEW));
                sessions.disk.remove(&place.join(NEW_LOG))
            }
        };
    }
}
