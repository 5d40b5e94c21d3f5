//! One file in memory.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use journal::disk::{Disk, File, How};

/// A disk that has one file, whatever it is called.
#[derive(Clone)]
pub(super) struct Memory(Arc<Shared>);

struct Shared {
    file: Mutex<Vec<u8>>,
}

impl Memory {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Shared { file: Mutex::new(bytes) }))
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.with(|file| file.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        act(&mut self.0.file.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Disk for Memory {
    fn open(&self, _: &Path, _: How) -> io::Result<Box<dyn File>> {
        Ok(Box::new(self.clone()))
    }

    fn create_folder(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove_folder(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl File for Memory {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.with(|file| {
            let from = file.get(place(at)..).unwrap_or_default();
            Ok(into.iter_mut().zip(from).map(|(to, from)| *to = *from).count())
        })
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.with(|file| {
            let end = place(at).saturating_add(bytes.len());
            file.resize(file.len().max(end), 0);
            file.get_mut(place(at)..end).ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(bytes);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|file| file.resize(place(len), 0));
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|file| file.len()) as u64)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_named(&self, _: &Path) -> io::Result<bool> {
        Ok(true)
    }

    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }

    fn lock(&self) -> io::Result<()> {
        Ok(())
    }

    fn unlock(&self) -> io::Result<()> {
        Ok(())
    }
}

fn place(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
