//! The machine's disk, with something that happens just before an operation.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use journal::disk::{Disk, File, How, Machine};

type Hook = dyn Fn(&'static str, &Path) + Send + Sync;

/// The disk. It counts the files that are open at once.
#[derive(Clone)]
pub(crate) struct Hooked {
    hook: Arc<Hook>,
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Hooked {
    pub(crate) fn new(hook: impl Fn(&'static str, &Path) + Send + Sync + 'static) -> Self {
        Self { hook: Arc::new(hook), open: Arc::default(), most: Arc::default() }
    }

    /// The most files that were open at once.
    pub(crate) fn most_open(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

struct Opened {
    file: Box<dyn File>,
    path: PathBuf,
    disk: Hooked,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.disk.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Disk for Hooked {
    fn open(&self, path: &Path, how: How) -> io::Result<Box<dyn File>> {
        let file = Machine.open(path, how)?;
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(open, Ordering::SeqCst);
        Ok(Box::new(Opened { file, path: path.to_owned(), disk: self.clone() }))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        Machine.create_folder(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Machine.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Machine.remove(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        Machine.remove_folder(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        Machine.list(folder)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        Machine.sync_folder(path)
    }
}

impl File for Opened {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        (self.disk.hook)("read_at", &self.path);
        self.file.read_at(at, into)
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(at, bytes)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn is_named(&self, path: &Path) -> io::Result<bool> {
        self.file.is_named(path)
    }

    fn try_lock(&self) -> io::Result<bool> {
        (self.disk.hook)("try_lock", &self.path);
        self.file.try_lock()
    }

    fn lock(&self) -> io::Result<()> {
        self.file.lock()
    }

    fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }
}
