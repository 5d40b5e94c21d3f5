//! Reading a log from its beginning or from where somebody stopped, while it is being written or not.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::LogError;
use super::line::{Claimed, Line, MAX_LINE, Start};
use crate::disk::{Disk, File, How};

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// Reads line after line in constant memory.
pub struct Reader {
    file: Box<dyn File>,
    path: PathBuf,
    /// Where the next line begins, and the number that it has if nothing is missing.
    next: Start,
    /// Whether `next.before` is the hash of the line with the number before.
    known: bool,
    /// Whether something that cannot be read stands where the line with this number belongs.
    garbled: bool,
    buffer: Vec<u8>,
    /// What of the buffer was read already.
    used: usize,
    /// Before this place stands something that is not zero.
    text_until: u64,
    unfinished: usize,
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A line that follows the one before it. After damage, the first whose hash can be read again.
    Line(Line<'a>),
    /// Something that was not written there.
    Damage(Damage),
}

/// What is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The number that a line has there.
    pub seq: u64,
    /// The place in the file.
    pub at: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is no line.
    Garbled,
    /// Its hash is not the hash of what it says after what stands before it.
    Changed,
    /// Another line stands where it should.
    Instead(u64),
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, at, fault } = self;
        match fault {
            Fault::Garbled => write!(formatter, "record {seq}, at byte {at}, cannot be read"),
            Fault::Changed => write!(formatter, "record {seq}, at byte {at}, was changed, or what stood before it was"),
            Fault::Instead(found) if found > seq && found - seq == 1 => {
                write!(formatter, "record {seq} is missing at byte {at}")
            }
            Fault::Instead(found) if found > seq => {
                write!(formatter, "records {seq} to {} are missing at byte {at}", found - 1)
            }
            Fault::Instead(found) => {
                write!(
                    formatter,
                    "record {found} stands at byte {at}, where record {seq} belongs: it was added or moved"
                )
            }
        }
    }
}

impl Reader {
    /// Opens a log at its beginning.
    pub fn open(disk: &dyn Disk, path: &Path) -> Result<Self, LogError> {
        Self::at(disk, path, Start::FIRST)
    }

    /// Opens a log where somebody stopped who had read all before.
    pub fn at(disk: &dyn Disk, path: &Path, start: Start) -> Result<Self, LogError> {
        let path = path.to_owned();
        let file = disk.open(&path, How::Read).map_err(|error| failed(&path, error))?;
        Ok(Self {
            file,
            path,
            next: start,
            known: true,
            garbled: false,
            buffer: Vec::new(),
            used: 0,
            text_until: 0,
            unfinished: 0,
        })
    }

    /// The next line, or `None` at the end of what is there now. A line whose end is not there yet is not there.
    #[expect(clippy::should_implement_trait, reason = "what is found borrows from the reader")]
    pub fn next(&mut self) -> Result<Option<Found<'_>>, LogError> {
        let Some(length) = self.fill().map_err(|error| failed(&self.path, error))? else { return Ok(None) };
        let Start { at, seq, before } = self.next;
        let damage = |seq, fault| Ok(Some(Found::Damage(Damage { seq, at, fault })));
        let text = self.buffer.get(self.used..self.used + length).unwrap_or_default();
        let claimed = Claimed::parse(text);
        let found = claimed.as_ref().map(|claimed| claimed.line.seq);
        // What cannot be read stands for one line or for none.
        let first_missing = if self.garbled { seq.saturating_add(1) } else { seq };
        if let Some(found) = found.filter(|found| *found > first_missing) {
            // After a gap the line is read again, as the one that it is.
            self.next.seq = found;
            (self.known, self.garbled) = (false, false);
            return damage(first_missing, Fault::Instead(found));
        }
        self.used += length + 1;
        self.next.at += length as u64 + 1;
        let Some(claimed) = claimed else {
            self.garbled = true;
            return damage(seq, Fault::Garbled);
        };
        if claimed.line.seq < seq {
            return damage(seq, Fault::Instead(claimed.line.seq));
        }
        let checked = self.known && claimed.line.seq == seq;
        self.next = Start { at: self.next.at, seq: claimed.line.seq + 1, before: claimed.line.hash };
        (self.known, self.garbled) = (true, false);
        if checked && !claimed.follows(&before) {
            return damage(seq, Fault::Changed);
        }
        Ok(Some(Found::Line(claimed.line)))
    }

    /// Where the next line will begin, to go on from there another time.
    pub fn stopped(&self) -> Start {
        self.next
    }

    /// How many bytes stood after the last line when the end was reached: of a line whose end is not there.
    pub fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Reads until a whole line is in the buffer, and says how long it is.
    fn fill(&mut self) -> io::Result<Option<usize>> {
        let (mut searched, mut zero) = (0, None);
        loop {
            let unread = self.buffer.get(self.used..).unwrap_or_default();
            let line_break = unread.iter().skip(searched).position(|byte| *byte == b'\n').map(|at| searched + at);
            // Longer than any line: what cannot be a line ends here.
            let length = line_break.or_else(|| unread.len().checked_sub(1).filter(|length| *length >= MAX_LINE));
            searched = unread.len();
            if line_break.is_none() && unread.last() == Some(&0) && self.only_zeros_follow()? {
                return Ok(self.end());
            }
            if let Some(length) = length {
                let first_zero = self.unread().iter().take(length).position(|byte| *byte == 0);
                if first_zero.is_none() || first_zero == zero {
                    return Ok(Some(length));
                }
                // It may have been read while it was being written: then more of it is there by now.
                (searched, zero) = (0, first_zero);
                self.buffer.clear();
                self.used = 0;
            }
            if !self.read_more()? {
                return Ok(self.end());
            }
        }
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    fn read_more(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let had = self.buffer.len();
        self.buffer.resize(had + CHUNK, 0);
        let read = self.file.read_at(self.next.at + had as u64, self.buffer.get_mut(had..).unwrap_or_default())?;
        self.buffer.truncate(had + read);
        Ok(read > 0)
    }

    /// What was read of a line without an end is read anew when somebody asks again: it may be written by then.
    fn end(&mut self) -> Option<usize> {
        self.unfinished = self.unread().iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        self.buffer.clear();
        self.used = 0;
        None
    }

    /// Whether nothing but zeros stands in the file after what was read.
    fn only_zeros_follow(&mut self) -> io::Result<bool> {
        let mut at = self.next.at + self.unread().len() as u64;
        if at < self.text_until {
            return Ok(false);
        }
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = self.file.read_at(at, &mut chunk)?;
            let text = chunk.iter().take(read).position(|byte| *byte != 0);
            if let Some(text) = text {
                self.text_until = at + text as u64;
                return Ok(false);
            }
            if read == 0 {
                return Ok(true);
            }
            at += read as u64;
        }
    }
}

fn failed(path: &Path, error: io::Error) -> LogError {
    LogError::Disk { what: "reading", path: path.to_owned(), error: Arc::new(error) }
}
