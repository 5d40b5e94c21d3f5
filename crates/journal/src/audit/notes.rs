//! Checkpoints one after the other in a file, with an empty line after each: read in constant memory, past what is none.

use std::io;
use std::ops::Range;

use super::checkpoint::{Checkpoint, MAX_NOTE, NoteError, PublicKey};
use crate::disk::File;

const BREAK: &[u8] = b"\n\n";

/// Reads checkpoints.
pub(super) struct Notes {
    file: Box<dyn File>,
    key: PublicKey,
    /// What of the file is not in the buffer yet.
    ahead: Range<u64>,
    buffer: Vec<u8>,
}

/// What stands at some place.
pub(super) struct Note {
    /// Where it begins.
    pub(super) at: u64,
    /// Where it ends, with the empty line after it.
    pub(super) end: u64,
    /// A checkpoint and its text, or why it is none.
    pub(super) read: Result<(Checkpoint, String), NoteError>,
}

impl Notes {
    /// Reads what stands in this part of the file.
    pub(super) fn new(file: Box<dyn File>, part: Range<u64>, key: &PublicKey) -> Self {
        Self { file, key: key.clone(), ahead: part, buffer: Vec::new() }
    }

    /// The next checkpoint, or what stands in its place up to the next that may be one.
    pub(super) fn next(&mut self) -> io::Result<Option<Note>> {
        self.fill()?;
        let at = self.ahead.start - self.buffer.len() as u64;
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let length = self.first_ends();
        let text = self.buffer.get(..length).unwrap_or_default();
        let read = parse(text, &self.key);
        let end = match &read {
            Ok(_) => length,
            Err(_) => self.next_begins()?,
        };
        self.buffer.drain(..end.min(self.buffer.len()));
        let end = self.ahead.start - self.buffer.len() as u64;
        Ok(Some(Note { at, end, read }))
    }

    /// Reads on, so that a whole note is in the buffer if one begins there.
    fn fill(&mut self) -> io::Result<()> {
        let had = self.buffer.len();
        let wanted = (2 * MAX_NOTE).saturating_sub(had) as u64;
        let wanted = usize::try_from(wanted.min(self.ahead.end - self.ahead.start)).unwrap_or_default();
        self.buffer.resize(had + wanted, 0);
        let read = self.file.read_at(self.ahead.start, self.buffer.get_mut(had..).unwrap_or_default())?;
        self.buffer.truncate(had + read);
        self.ahead.start += read as u64;
        if read < wanted {
            // The file is shorter than it was.
            self.ahead.end = self.ahead.start;
        }
        Ok(())
    }

    /// How long the first one is: two paragraphs and what divides it from the next.
    fn first_ends(&self) -> usize {
        let second = find(&self.buffer, BREAK).map(|at| at + BREAK.len());
        let rest = second.and_then(|second| self.buffer.get(second..)).unwrap_or_default();
        find(rest, BREAK).map_or(self.buffer.len(), |at| self.buffer.len() - rest.len() + at + BREAK.len())
    }

    /// Where the next one may begin: at the next line that names the log.
    fn next_begins(&mut self) -> io::Result<usize> {
        let origin = format!("\n{}\n", self.key.name());
        loop {
            if let Some(at) = find(&self.buffer, origin.as_bytes()) {
                return Ok(at + 1);
            }
            if self.ahead.is_empty() {
                return Ok(self.buffer.len());
            }
            let keep = self.buffer.len().saturating_sub(origin.len());
            self.buffer.drain(..keep);
            self.fill()?;
        }
    }
}

/// Reads one with the empty line after it; the last may have none.
fn parse(text: &[u8], key: &PublicKey) -> Result<(Checkpoint, String), NoteError> {
    let text = str::from_utf8(text).map_err(|_| NoteError::Form)?;
    let note = if text.ends_with("\n\n") { text.get(..text.len() - 1).unwrap_or_default() } else { text };
    Checkpoint::read(note, key).map(|checkpoint| (checkpoint, note.to_owned()))
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
