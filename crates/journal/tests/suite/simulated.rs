//! A disk in memory that fails when it is told to and forgets what it was not made to keep.
//!
//! What a real disk does to those who trust it too much: a crash keeps any pieces of what was not synced, in any order,
//! and the length of a file apart from its bytes; a name is not on the disk before its folder was synced; after a sync
//! that failed the bytes are still read, but nobody writes them any more.

mod namespace;
mod random;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use journal::disk::{Disk, File, How};
use namespace::Names;
pub(crate) use random::Random;

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub(crate) struct Simulated(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    unlocked: Condvar,
}

struct State {
    names: Names,
    inodes: Vec<Inode>,
    random: Random,
    /// How often the machine lost its power: what was opened before does not work after.
    crashes: u32,
    handles: u64,
    operations: u64,
    failing: Failing,
    failed: Vec<&'static str>,
}

/// Which operations fail.
enum Failing {
    None,
    One(u64),
    From(u64),
}

/// What a file is, whatever its names are.
#[derive(Default)]
struct Inode {
    /// As it is read.
    cache: Vec<u8>,
    /// As a crash leaves it if nothing else was kept.
    durable: Vec<u8>,
    /// What was done since, in order.
    pending: Vec<Change>,
    /// The handle that has the lock.
    lock: Option<u64>,
    /// The handles that have not heard yet of a sync that failed.
    owed: Vec<u64>,
    open: Vec<u64>,
}

enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

impl Simulated {
    /// An empty disk; all it does by chance follows from the seed.
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            names: Names::default(),
            inodes: Vec::new(),
            random: Random::new(seed),
            crashes: 0,
            handles: 0,
            operations: 0,
            failing: Failing::None,
            failed: Vec::new(),
        };
        Self(Arc::new(Shared { state: Mutex::new(state), unlocked: Condvar::new() }))
    }

    /// The disk as a log wants it.
    pub(crate) fn disk(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    /// Makes a folder; not an operation.
    pub(crate) fn make_folder(&self, path: &Path) {
        self.state().names.create_folder(path);
    }

    /// How many operations there were.
    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Lets one operation fail; 0 is the next one.
    pub(crate) fn fail(&self, after: u64) {
        let mut state = self.state();
        state.failing = Failing::One(state.operations + after);
    }

    /// Lets every operation fail from one on.
    pub(crate) fn fail_from(&self, after: u64) {
        let mut state = self.state();
        state.failing = Failing::From(state.operations + after);
    }

    /// Nothing fails from now on.
    pub(crate) fn heal(&self) {
        self.state().failing = Failing::None;
    }

    /// The operations that failed, by name.
    pub(crate) fn failed(&self) -> Vec<&'static str> {
        self.state().failed.clone()
    }

    /// The power is lost and comes back. Nothing fails afterwards, and nothing that was open works.
    pub(crate) fn crash(&self, seed: u64) {
        let mut state = self.state();
        state.crashes += 1;
        state.failing = Failing::None;
        let mut random = Random::new(seed);
        state.names.crash(&mut random);
        for inode in &mut state.inodes {
            inode.crash(&mut random);
        }
        state.random = random;
        self.0.unlocked.notify_all();
    }

    /// What is read from a file; not an operation.
    pub(crate) fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        let inode = state.names.find(path)?;
        Some(state.inodes[inode].cache.clone())
    }

    /// Puts a file on the disk, for sure; not an operation.
    pub(crate) fn put(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.state();
        let inode = state.names.find(path).unwrap_or(state.inodes.len());
        if inode == state.inodes.len() {
            state.inodes.push(Inode::default());
            state.names.put(path, inode);
        }
        let inode = &mut state.inodes[inode];
        (inode.cache, inode.durable) = (bytes.to_vec(), bytes.to_vec());
        inode.pending.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// Counts an operation; an error if it is to fail.
    fn begin(&self, name: &'static str) -> Result<MutexGuard<'_, State>, io::Error> {
        let mut state = self.state();
        if state.is_failing(name) { Err(io::Error::from_raw_os_error(EIO)) } else { Ok(state) }
    }
}

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

impl State {
    fn is_failing(&mut self, name: &'static str) -> bool {
        let now = self.operations;
        self.operations += 1;
        let fails = match self.failing {
            Failing::None => false,
            Failing::One(at) => at == now,
            Failing::From(at) => now >= at,
        };
        if fails {
            self.failed.push(name);
        }
        fails
    }
}

impl Inode {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.cache);
        self.pending.push(change);
    }

    fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// What was to be written is taken for written. Some of it was.
    fn fail_sync(&mut self, random: &mut Random, handle: u64) {
        self.keep_some(random);
        if random.chance(2) {
            self.cache.clone_from(&self.durable);
        }
        self.owed = self.open.iter().copied().filter(|open| *open != handle).collect();
    }

    fn crash(&mut self, random: &mut Random) {
        self.keep_some(random);
        self.cache.clone_from(&self.durable);
        self.lock = None;
        self.owed.clear();
        self.open.clear();
    }

    fn keep_some(&mut self, random: &mut Random) {
        let piece = *random.one_of(&[512, 4096]);
        // Of ten pieces, how many are kept.
        let kept = *random.one_of(&[0, 3, 5, 9, 10]);
        let before = self.durable.len();
        for change in std::mem::take(&mut self.pending) {
            match change {
                Change::Length(_) if random.chance(2) => {}
                Change::Length(length) => Change::Length(length).apply(&mut self.durable),
                Change::Write(at, bytes) => {
                    for (at, bytes) in pieces(at, &bytes, piece) {
                        if random.below(10) < kept {
                            Change::Write(at, bytes.to_vec()).apply(&mut self.durable);
                        }
                    }
                }
            }
        }
        // The length has a life of its own.
        match random.below(4) {
            0 if self.durable.len() > before => self.durable.truncate(before),
            1 if self.cache.len() > self.durable.len() => self.durable.resize(self.cache.len(), 0),
            _ => {}
        }
    }
}

/// What is written, cut where the pieces of the disk are cut.
fn pieces(at: u64, bytes: &[u8], piece: usize) -> Vec<(u64, &[u8])> {
    let first = (piece - usize::try_from(at).unwrap() % piece).min(bytes.len());
    let (head, rest) = bytes.split_at(first);
    let mut found = vec![(at, head)];
    let starts = (at + first as u64..).step_by(piece);
    found.extend(starts.zip(rest.chunks(piece)));
    found
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(usize::try_from(*length).unwrap(), 0),
            Self::Write(at, written) => {
                let at = usize::try_from(*at).unwrap();
                bytes.resize(bytes.len().max(at + written.len()), 0);
                bytes[at..at + written.len()].copy_from_slice(written);
            }
        }
    }
}

impl Disk for Simulated {
    fn open(&self, path: &Path, how: How) -> io::Result<Box<dyn File>> {
        let mut state = self.begin("open")?;
        let inode = match (state.names.find(path), how) {
            (Some(_), How::New) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(inode), _) => inode,
            (None, How::Read) => return Err(io::ErrorKind::NotFound.into()),
            (None, _) => {
                state.inodes.push(Inode::default());
                let inode = state.inodes.len() - 1;
                state.names.link(path, inode)?;
                inode
            }
        };
        state.handles += 1;
        let handle = state.handles;
        state.inodes[inode].open.push(handle);
        let writes = how != How::Read;
        Ok(Box::new(Handle { disk: self.clone(), inode, number: handle, writes, crashes: state.crashes }))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.begin("create_folder")?.names.create_folder(path);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.begin("rename")?.names.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.begin("remove")?.names.unlink(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.begin("remove_folder")?.names.remove_folder(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.begin("list")?.names.list(folder)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.begin("sync_folder")?.names.sync(path)
    }
}

struct Handle {
    disk: Simulated,
    inode: usize,
    number: u64,
    writes: bool,
    crashes: u32,
}

impl Handle {
    fn begin(&self, name: &'static str) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.begin(name)?;
        if state.crashes == self.crashes { Ok(state) } else { Err(io::Error::from_raw_os_error(EIO)) }
    }

    fn to_write(&self, name: &'static str) -> io::Result<MutexGuard<'_, State>> {
        assert!(self.writes, "{name} on a file that was opened to be read");
        self.begin(name)
    }
}

impl File for Handle {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let state = self.begin("read_at")?;
        let cache = &state.inodes[self.inode].cache;
        let from = cache.get(usize::try_from(at).unwrap()..).unwrap_or_default();
        let count = from.len().min(into.len());
        into[..count].copy_from_slice(&from[..count]);
        Ok(count)
    }

    fn write_at(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        assert!(self.writes, "a write to a file that was opened to be read");
        let mut state = self.disk.state();
        if state.crashes != self.crashes {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        let fails = state.is_failing("write_at");
        // What fails may have begun.
        let written = if fails { state.random.up_to(bytes.len()) } else { bytes.len() };
        state.inodes[self.inode].change(Change::Write(at, bytes[..written].to_vec()));
        if fails { Err(io::Error::from_raw_os_error(ENOSPC)) } else { Ok(()) }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.to_write("set_len")?.inodes[self.inode].change(Change::Length(len));
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.begin("len")?.inodes[self.inode].cache.len() as u64)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        if state.crashes != self.crashes {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        let fails = state.is_failing("sync");
        let State { inodes, random, .. } = &mut *state;
        let inode = &mut inodes[self.inode];
        if fails {
            inode.fail_sync(random, self.number);
            return Err(io::Error::from_raw_os_error(EIO));
        }
        inode.sync();
        // Another sync of this file failed before: whoever had it open then is told once.
        let owed = inode.owed.len();
        inode.owed.retain(|handle| *handle != self.number);
        if inode.owed.len() == owed { Ok(()) } else { Err(io::Error::from_raw_os_error(EIO)) }
    }

    fn is_named(&self, path: &Path) -> io::Result<bool> {
        Ok(self.begin("is_named")?.names.find(path) == Some(self.inode))
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut state = self.begin("try_lock")?;
        let lock = &mut state.inodes[self.inode].lock;
        Ok(*lock.get_or_insert(self.number) == self.number)
    }

    fn lock(&self) -> io::Result<()> {
        let mut state = self.begin("lock")?;
        loop {
            if state.crashes != self.crashes {
                return Err(io::Error::from_raw_os_error(EIO));
            }
            let lock = &mut state.inodes[self.inode].lock;
            if *lock.get_or_insert(self.number) == self.number {
                return Ok(());
            }
            state = self.disk.0.unlocked.wait(state).unwrap();
        }
    }

    fn unlock(&self) -> io::Result<()> {
        // Nothing is asked of the disk: this does not fail.
        self.give_up(&mut self.disk.state());
        Ok(())
    }
}

impl Handle {
    fn give_up(&self, state: &mut State) {
        if state.crashes != self.crashes {
            return;
        }
        let inode = &mut state.inodes[self.inode];
        if inode.lock == Some(self.number) {
            inode.lock = None;
            self.disk.0.unlocked.notify_all();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.crashes == self.crashes {
            self.give_up(&mut state);
            state.inodes[self.inode].open.retain(|open| *open != self.number);
        }
    }
}

/// Where a test has its log.
pub(crate) fn place() -> PathBuf {
    PathBuf::from("/folder/log")
}
