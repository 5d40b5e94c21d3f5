//! Names of files and folders: what is seen, and what a crash leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::Random;

/// Folders are kept as soon as they are made, as the machine's are; names in them when the folder is synced.
#[derive(Default)]
pub(super) struct Names {
    seen: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    pending: Vec<Change>,
    folders: BTreeSet<PathBuf>,
}

enum Change {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename { from: PathBuf, to: PathBuf, inode: usize },
}

impl Change {
    fn is_in(&self, folder: &Path) -> bool {
        match self {
            Self::Link(path, _) | Self::Unlink(path) => path.parent() == Some(folder),
            // Both folders of a rename are one place here: who syncs either has it.
            Self::Rename { from, to, .. } => from.parent() == Some(folder) || to.parent() == Some(folder),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Link(path, inode) => {
                names.insert(path.clone(), *inode);
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
            Self::Rename { from, to, inode } => {
                names.remove(from);
                names.insert(to.clone(), *inode);
            }
        }
    }
}

fn apply(changes: &[Change], names: &mut BTreeMap<PathBuf, usize>) {
    for change in changes {
        change.apply(names);
    }
}

impl Names {
    pub(super) fn find(&self, path: &Path) -> Option<usize> {
        self.seen.get(path).copied()
    }

    /// There for sure, with its folders.
    pub(super) fn put(&mut self, path: &Path, inode: usize) {
        self.create_folder(path.parent().unwrap());
        self.seen.insert(path.to_owned(), inode);
        self.durable.insert(path.to_owned(), inode);
    }

    pub(super) fn create_folder(&mut self, path: &Path) {
        self.folders.extend(path.ancestors().map(Path::to_owned));
    }

    pub(super) fn link(&mut self, path: &Path, inode: usize) -> io::Result<()> {
        self.folder(path.parent().unwrap())?;
        self.change(Change::Link(path.to_owned(), inode));
        Ok(())
    }

    pub(super) fn unlink(&mut self, path: &Path) -> io::Result<()> {
        self.find(path).ok_or(io::ErrorKind::NotFound)?;
        self.change(Change::Unlink(path.to_owned()));
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if self.folders.contains(from) {
            return self.rename_folder(from, to);
        }
        let inode = self.find(from).ok_or(io::ErrorKind::NotFound)?;
        self.folder(to.parent().unwrap())?;
        self.change(Change::Rename { from: from.to_owned(), to: to.to_owned(), inode });
        Ok(())
    }

    /// A folder moves at once and for good, with all in it: kinder than a disk.
    fn rename_folder(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.folder(to.parent().unwrap())?;
        if self.folders.contains(to) || self.seen.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.settle();
        let moved = |path: &Path| path.strip_prefix(from).map_or_else(|_| path.to_owned(), |rest| to.join(rest));
        self.folders = self.folders.iter().map(|path| moved(path)).collect();
        self.seen = self.seen.iter().map(|(path, inode)| (moved(path), *inode)).collect();
        self.durable = self.seen.clone();
        Ok(())
    }

    pub(super) fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        self.folder(path)?;
        let within: Vec<_> = self.seen.keys().filter(|name| name.starts_with(path)).cloned().collect();
        for name in within {
            self.change(Change::Unlink(name));
        }
        self.settle();
        self.folders.retain(|folder| !folder.starts_with(path));
        Ok(())
    }

    pub(super) fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.folder(folder)?;
        let all = self.seen.keys().chain(&self.folders);
        let within = all.filter(|path| path.parent() == Some(folder));
        Ok(within.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    pub(super) fn sync(&mut self, folder: &Path) -> io::Result<()> {
        self.folder(folder)?;
        let pending = std::mem::take(&mut self.pending).into_iter();
        let (now, later): (Vec<_>, _) = pending.partition(|change| change.is_in(folder));
        self.pending = later;
        apply(&now, &mut self.durable);
        Ok(())
    }

    /// Keeps what was synced, and of the rest what chance keeps.
    pub(super) fn crash(&mut self, random: &mut Random) {
        for change in std::mem::take(&mut self.pending) {
            if random.chance(2) {
                change.apply(&mut self.durable);
            }
        }
        self.seen.clone_from(&self.durable);
    }

    fn settle(&mut self) {
        apply(&std::mem::take(&mut self.pending), &mut self.durable);
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.pending.push(change);
    }

    fn folder(&self, path: &Path) -> io::Result<()> {
        if self.folders.contains(path) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}
