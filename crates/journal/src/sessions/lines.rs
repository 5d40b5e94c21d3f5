//! The lines of a log, as whoever writes it next would find them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SessionError;
use super::error::disk;
use crate::disk::{Disk, How};
use crate::log::{Found, LogError, Reader, Start, end_of_text, torn_from};

/// Reads a log up to what was never whole: that is no damage, and is dropped when somebody goes on with the log.
pub(crate) struct Lines {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    reader: Reader,
    torn: Option<Start>,
    /// What is damaged before this place had been whole.
    whole_until: u64,
}

impl Lines {
    pub(crate) fn at(disk: &Arc<dyn Disk>, path: &Path, start: Start) -> Result<Self, LogError> {
        let reader = Reader::at(&**disk, path, start)?;
        Ok(Self { disk: Arc::clone(disk), path: path.to_owned(), reader, torn: None, whole_until: 0 })
    }

    pub(crate) fn open(disk: &Arc<dyn Disk>, path: &Path) -> Result<Self, LogError> {
        Self::at(disk, path, Start::FIRST)
    }

    /// The next line, or damage; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Found<'_>>, LogError> {
        if self.torn.is_some() {
            return Ok(None);
        }
        let before = self.reader.stopped();
        match self.reader.next()? {
            Some(Found::Damage(damage))
                if damage.at >= self.whole_until
                    && is_torn((&*self.disk, &self.path), &mut self.whole_until, damage.at)? =>
            {
                self.torn = Some(before);
                Ok(None)
            }
            found => Ok(found),
        }
    }

    /// How many bytes stand after the last line when the end was reached: of what was never whole, or is being written.
    pub(super) fn unfinished(&self) -> Result<u64, SessionError> {
        let Some(torn) = self.torn else { return Ok(self.reader.unfinished() as u64) };
        let end = self.disk.open(&self.path, How::Read).and_then(|file| end_of_text(&*file));
        Ok(end.map_err(disk("reading", &self.path))?.saturating_sub(torn.at))
    }

    /// Where the next line will begin.
    pub(crate) fn stopped(&self) -> Start {
        self.torn.unwrap_or_else(|| self.reader.stopped())
    }
}

/// Whether what stands in a log from a place on was never whole. The end is looked at once for all that is damaged.
fn is_torn((disk, path): (&dyn Disk, &Path), whole_until: &mut u64, at: u64) -> Result<bool, LogError> {
    *whole_until = torn_from(disk, path)?.unwrap_or(u64::MAX);
    Ok(*whole_until <= at)
}
