//! Keeps the tree of a log while it grows, and signs it.

use std::io;
use std::sync::Arc;

use policy::act::Hash;

use super::checkpoint::{Checkpoint, Key, MAX_NOTE};
use super::entry::{Entry, Recorded, Redact};
use super::home::{self, EVERY, Files, State};
use super::merkle;
use super::recorder::Clock;
use crate::disk::{Disk, File, How};
use crate::log::{Found, Line, Observer, Reader, Torn};

/// Sees all records, and signs after each batch.
pub(super) struct Keeper {
    disk: Arc<dyn Disk>,
    files: Files,
    clock: Clock,
    redact: Redact,
    key: Key,
    /// All records seen.
    now: Checkpoint,
    /// How many records the last checkpoint of the history covers.
    history: u64,
    /// Nothing was added to the history by this process yet.
    new: bool,
    latest: Box<dyn File>,
    earlier: Box<dyn File>,
    /// Why records are not known.
    trouble: Option<io::Error>,
}

impl Keeper {
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        files: Files,
        (clock, redact): (Clock, Redact),
        state: State,
    ) -> io::Result<Self> {
        let State { key, now, history, .. } = state;
        let latest = disk.open(&files.checkpoint, How::Write)?;
        let earlier = disk.open(&files.history, How::Write)?;
        disk.sync_folder(&files.folder)?;
        Ok(Self { disk, files, clock, redact, key, now, history, new: true, latest, earlier, trouble: None })
    }

    fn take(&mut self, line: &Line<'_>) {
        self.now.tree.push(merkle::leaf(line.body.as_bytes()));
        self.now.chain = line.hash;
        self.now.bytes += length(line);
    }

    /// Reads what others wrote between the finding of the files and the opening of the log.
    fn catch_up(&mut self, to: u64) -> io::Result<()> {
        let mut reader = Reader::at(&*self.disk, &self.files.log, self.now.next()).map_err(io::Error::other)?;
        while self.now.size() < to {
            match reader.next().map_err(io::Error::other)? {
                Some(Found::Line(line)) => self.take(&line),
                Some(Found::Damage(damage)) => return Err(io::Error::other(damage.to_string())),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        Ok(())
    }

    /// Writes the latest checkpoint, and the history if it is due.
    fn sign(&mut self) -> io::Result<()> {
        self.now.time = (self.clock)();
        let note = self.now.signed(&self.key);
        let mut region = note.clone().into_bytes();
        region.resize(MAX_NOTE, 0);
        self.latest.write_at(0, &region)?;
        let size = self.now.size();
        if self.new || size / EVERY > self.history / EVERY {
            // Others write there too.
            let end = self.earlier.len()?;
            let text = note + "\n";
            if let Err(error) = self.earlier.write_at(end, text.as_bytes()) {
                self.earlier.set_len(end)?;
                return Err(error);
            }
            self.earlier.sync()?;
            self.history = size;
            self.new = false;
        }
        Ok(())
    }
}

impl Observer for Keeper {
    fn line(&mut self, line: Line<'_>) {
        if self.trouble.is_none() && line.seq > self.now.size() {
            self.trouble = self.catch_up(line.seq).err();
        }
        // What does not follow is not signed.
        if line.seq == self.now.size() {
            self.take(&line);
        }
    }

    fn synced(&mut self) -> io::Result<()> {
        match &self.trouble {
            Some(error) => Err(io::Error::new(error.kind(), error.to_string())),
            None => self.sign(),
        }
    }

    fn cut_off(&mut self, torn: &Torn) -> String {
        let entry = Entry::Torn(home::was_torn("log", torn.at, &torn.bytes));
        Recorded { at: (self.clock)(), entry }.text(&self.redact)
    }
}

/// How long a line is, with its line break.
fn length(line: &Line<'_>) -> u64 {
    let hash = 2 * size_of::<Hash>();
    let number = line.seq.checked_ilog10().unwrap_or_default() as usize + 1;
    (hash + number + line.body.len() + " ".len() * 3 + "=".len() + "\n".len()) as u64
}
