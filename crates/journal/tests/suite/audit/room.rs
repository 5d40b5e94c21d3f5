//! An audit log to look at, and what stands still to be damaged.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use journal::audit::checkpoint::PublicKey;
use journal::audit::entry::{Begun, Case, Ended, Spent, Who};
use journal::audit::verify::{Report, Trust};
use journal::audit::{Audit, AuditError, Options, folder, verify};
use journal::disk::{Disk, File, How, Machine};
use journal::log::Hash;
use policy::act::Role;
use tempfile::TempDir;

/// The time at which tests begin.
pub(crate) const DAWN: u64 = 1_764_115_200_000;

/// A home.
pub(crate) struct Home(pub(crate) TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn folder(&self) -> PathBuf {
        folder(self.0.path())
    }

    pub(crate) async fn open(&self) -> Result<Audit, AuditError> {
        Audit::open(Arc::new(Machine), self.0.path(), options()).await
    }

    /// One that is closed and has these acts.
    pub(crate) async fn with_acts(acts: usize) -> Self {
        let home = Self::new();
        let audit = home.open().await.unwrap();
        for act in 0..acts {
            let ticket = audit.begin(begun(&format!("call {act}"))).await.unwrap();
            ticket.end(ended("done")).unwrap().on_disk().await.unwrap();
        }
        audit.close().await.unwrap();
        home
    }

    pub(crate) fn verify(&self) -> Report {
        verify::folder(&Machine, &self.folder(), Trust::default()).unwrap()
    }

    /// All lines, without the breaks.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder().join("log")).unwrap();
        text.trim_end_matches('\0').lines().map(str::to_owned).collect()
    }

    /// What the records say.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.lines().iter().map(|line| line.splitn(4, ' ').nth(3).unwrap().to_owned()).collect()
    }

    pub(crate) fn key(&self) -> PublicKey {
        PublicKey::parse(&std::fs::read_to_string(self.folder().join("key.pub")).unwrap()).unwrap()
    }
}

/// Time goes on by a second whenever somebody looks.
pub(crate) fn options() -> Options {
    let time = AtomicU64::new(DAWN);
    Options {
        version: "0.1.0".to_owned(),
        host: "bench".to_owned(),
        clock: Arc::new(move || time.fetch_add(1000, Ordering::Relaxed)),
        redact: Arc::new(|text| {
            if text.contains("sk-planted") {
                Cow::Owned(text.replace("sk-planted", "[key]"))
            } else {
                Cow::Borrowed(text)
            }
        }),
    }
}

pub(crate) fn case(call: &str) -> Case<'_> {
    Case {
        actor: Who { name: "robin".into(), role: Some(Role::Agent) },
        session: "s1".into(),
        call: call.into(),
        what: "command".into(),
        on: "cargo test".into(),
        input: Some(Hash::of(b"input")),
    }
}

pub(crate) fn begun(call: &str) -> Begun<'_> {
    let by = vec!["rules.toml line 3: cargo *".into()];
    Begun { case: case(call), verdict: "allow".into(), by, policy: Some(Hash::of(b"rules")) }
}

pub(crate) fn ended(outcome: &str) -> Ended<'_> {
    let spent = Spent { nanoseconds: 1_500_000, ..Spent::default() };
    Ended { outcome: outcome.into(), output: Some(Hash::of(b"output")), spent }
}

/// A folder that stands still: files as they are given.
#[derive(Clone)]
pub(crate) struct Still(pub(crate) BTreeMap<String, Vec<u8>>);

impl Still {
    /// What is in an audit folder.
    pub(crate) fn of(folder: &Path) -> Self {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())
        });
        Self(files.collect())
    }

    /// With another file in the place of one.
    pub(crate) fn with(&self, name: &str, bytes: Vec<u8>) -> Self {
        let mut still = self.clone();
        still.0.insert(name.to_owned(), bytes);
        still
    }

    pub(crate) fn verify(&self, trust: Trust<'_>) -> Report {
        verify::folder(self, Path::new("audit"), trust).unwrap()
    }
}

impl Disk for Still {
    fn open(&self, path: &Path, how: How) -> io::Result<Box<dyn File>> {
        assert_eq!(how, How::Read);
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Bytes(bytes.clone())))
    }
    fn create_folder(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn remove(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn remove_folder(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        Ok(self.0.keys().cloned().collect())
    }
    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

struct Bytes(Vec<u8>);

impl File for Bytes {
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = self.0.get(usize::try_from(at).unwrap()..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
    fn is_named(&self, _: &Path) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
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
