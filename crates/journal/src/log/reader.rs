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
    /// Where the next line begins; what it follows is not known after a line that cannot be read.
    next: Start,
    known: bool,
    buffer: Vec<u8>,
    /// What of the buffer was read already.
    used: usize,
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
        Ok(Self { file, path, next: start, known: true, buffer: Vec::new(), used: 0 })
    }

    /// The next line, or `None` at the end of what is there now. A line whose end is not there yet is not there.
    #[expect(clippy::should_implement_trait, reason = "what is found borrows from the reader")]
    pub fn next(&mut self) -> Result<Option<Found<'_>>, LogError> {
        let Some(length) = self.fill().map_err(|error| failed(&self.path, error))? else { return Ok(None) };
        let Start { at, seq, before } = self.next;
        let damage = |fault| Ok(Some(Found::Damage(Damage { seq, at, fault })));
        let text = self.buffer.get(self.used..self.used + length).unwrap_or_default();
        let claimed = Claimed::parse(text);
        // After a gap the line is read again, as the one that it is.
        let gap = claimed.as_ref().map(|claimed| claimed.line.seq).filter(|found| *found > seq);
        if let Some(found) = gap {
            self.next.seq = found;
            self.known = false;
            return damage(Fault::Instead(found));
        }
        self.used += length + 1;
        self.next.at += length as u64 + 1;
        let known = std::mem::replace(&mut self.known, false);
        let Some(claimed) = claimed else {
            self.next.seq += 1;
            return damage(Fault::Garbled);
        };
        if claimed.line.seq < seq {
            return damage(Fault::Instead(claimed.line.seq));
        }
        self.next.seq += 1;
        self.next.before = claimed.line.hash;
        self.known = true;
        if known && !claimed.follows(&before) { damage(Fault::Changed) } else { Ok(Some(Found::Line(claimed.line))) }
    }

    /// Where the next line will begin, to go on from there another time.
    pub fn stopped(&self) -> Start {
        self.next
    }

    /// How many bytes stand after the last line: of a line whose end is not there.
    pub fn unfinished(&self) -> usize {
        let rest = self.buffer.get(self.used..).unwrap_or_default();
        rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
    }

    /// Reads until a whole line is in the buffer, and says how long it is.
    fn fill(&mut self) -> io::Result<Option<usize>> {
        let mut searched = 0;
        let mut zeros_end_it = true;
        loop {
            let unread = self.buffer.get(self.used..).unwrap_or_default();
            let rest = unread.get(searched..).unwrap_or_default();
            let stop =
                rest.iter().position(|byte| *byte == b'\n' || zeros_end_it && *byte == 0).map(|at| searched + at);
            match stop {
                Some(at) if unread.get(at) == Some(&0) => {
                    if zeros_to_the_end(&*self.file, self.next.at + at as u64)? {
                        return Ok(None);
                    }
                    zeros_end_it = false;
                    searched = at;
                    continue;
                }
                Some(at) => return Ok(Some(at)),
                // Longer than any line: what cannot be a line ends here.
                None if unread.len() > MAX_LINE => return Ok(Some(unread.len() - 1)),
                None => searched = unread.len(),
            }
            self.buffer.drain(..self.used);
            self.used = 0;
            let had = self.buffer.len();
            self.buffer.resize(had + CHUNK, 0);
            let read = self.file.read_at(self.next.at + had as u64, self.buffer.get_mut(had..).unwrap_or_default())?;
            self.buffer.truncate(had + read);
            if read == 0 {
                return Ok(None);
            }
        }
    }
}

/// Whether nothing but zeros stands in a file from there on.
fn zeros_to_the_end(file: &dyn File, mut at: u64) -> io::Result<bool> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read_at(at, &mut chunk)?;
        if read == 0 {
            return Ok(true);
        }
        if chunk.iter().take(read).any(|byte| *byte != 0) {
            return Ok(false);
        }
        at += read as u64;
    }
}

fn failed(path: &Path, error: io::Error) -> LogError {
    LogError::Disk { what: "reading", path: path.to_owned(), error: Arc::new(error) }
}
