//! The lines of a log, as whoever writes it next would find them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::Disk;
use crate::log::{Found, LogError, Reader, Start, is_torn};

/// Reads a log up to what was never whole: that is no damage, and is dropped when somebody goes on with the log.
pub(crate) struct Lines {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    reader: Reader,
    torn: Option<Start>,
}

impl Lines {
    pub(crate) fn at(disk: &Arc<dyn Disk>, path: &Path, start: Start) -> Result<Self, LogError> {
        let reader = Reader::at(&**disk, path, start)?;
        Ok(Self { disk: Arc::clone(disk), path: path.to_owned(), reader, torn: None })
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
            Some(Found::Damage(damage)) if is_torn(&*self.disk, &self.path, damage.at)? => {
                self.torn = Some(before);
                Ok(None)
            }
            found => Ok(found),
        }
    }

    /// Where the next line will begin.
    pub(crate) fn stopped(&self) -> Start {
        self.torn.unwrap_or_else(|| self.reader.stopped())
    }
}
