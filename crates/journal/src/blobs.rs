//! Long strings, kept by the hash of what they say beside the log that names them.
//!
//! In a line, `"@blob HASH BYTES"` stands for a string that is kept; the file `blobs/HA/HASH` holds what stood between its
//! quotes, escapes and all, so that an item comes back byte for byte. A string that itself begins with `@blob ` gets one
//! more `@`, and so does one that begins with `@@blob `. A record that has a line break between its parts, is too long even so,
//! or has a field of that name itself, is a string of another: `{"at":…,"kind":…,"@body":"…"}`.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::HEXLOWER;
use responses::json::{Object, ObjectWriter};

use crate::disk::{Disk, How};
use crate::log::{Hash, MAX_BODY};
use crate::strings::replace;

/// The longest string, in bytes between its quotes, that stands in a line.
pub const INLINE_MAX: usize = 16 << 10;

/// What a reference begins with.
const MARK: &str = "@blob ";

/// The field of a record that holds another as a string.
const BODY: &str = "@body";

/// The folder in that of a session.
const FOLDER: &str = "blobs";

/// How many hexadecimal digits of a hash name the folder of its blob.
const FAN: usize = 2;

/// What a string was that stands elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The hash of what stood between its quotes.
    pub hash: Hash,
    /// How long that was.
    pub bytes: u64,
}

/// A record as one line, and the strings that it only names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detached {
    /// The line.
    pub line: String,
    /// The strings: what stood between their quotes.
    pub blobs: Vec<(Reference, String)>,
}

/// Why a string that is named is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// There is no such file.
    Missing,
    /// It is not what was written.
    Damaged,
    /// It cannot be read: what the disk says.
    Unreadable(String),
    /// It is longer than whoever asked wants to read.
    TooLong,
}

/// A record as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its text. A string that is lost is a note in its place.
    pub text: String,
    /// The strings that are lost.
    pub lost: Vec<(Reference, Lost)>,
}

/// Takes the long strings out of a record.
pub fn detach(text: &str) -> Detached {
    let looks_wrapped = text.contains(BODY) && body(text).is_some();
    if !text.contains('\n') && !looks_wrapped {
        let detached = out_of(text);
        if detached.line.len() <= MAX_BODY {
            return detached;
        }
    }
    out_of(&wrapped(text))
}

/// A short record as a line, where no string can be put beside the log.
pub(crate) fn escape(text: &str) -> String {
    replace(text, |token| marked(token.inner).map(|_| format!("@{}", token.inner))).into_owned()
}

fn out_of(text: &str) -> Detached {
    let mut blobs = Vec::new();
    let line = replace(text, |token| {
        if token.inner.len() > INLINE_MAX {
            let hash = Hash::of(token.inner.as_bytes());
            let reference = Reference { hash, bytes: token.inner.len() as u64 };
            blobs.push((reference, token.inner.to_owned()));
            return Some(reference.to_string());
        }
        marked(token.inner).map(|_| format!("@{}", token.inner))
    });
    Detached { line: line.into_owned(), blobs }
}

/// A record as a string of another, which says when it was and of which kind.
fn wrapped(text: &str) -> String {
    let object = Object::split(text).unwrap_or_default();
    let mut out = String::new();
    let mut outer = ObjectWriter::begin(&mut out);
    for key in ["at", "kind"] {
        if let Some(value) = object.get(key).filter(|value| value.len() <= INLINE_MAX) {
            outer.raw(key, value);
        }
    }
    outer.field(BODY, text);
    outer.end();
    out
}

/// How many `@` a string begins with, if it could be taken for a reference, or for one with more of them.
fn marked(inner: &str) -> Option<usize> {
    let rest = inner.trim_start_matches('@');
    let count = inner.len() - rest.len();
    (count > 0 && rest.starts_with(MARK.trim_start_matches('@'))).then_some(count)
}

/// The strings that a line names.
pub fn references(line: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    if line.contains(MARK) {
        let _ = replace(line, |token| {
            found.extend(Reference::parse(token.inner));
            None
        });
    }
    found
}

/// Puts the long strings back into a record.
pub fn attach(line: &str, mut find: impl FnMut(Reference) -> Result<String, Lost>) -> Attached {
    let mut lost = Vec::new();
    let text = if line.contains(MARK) {
        replace(line, |token| match marked(token.inner)? {
            1 => Reference::parse(token.inner).map(|reference| {
                find(reference).unwrap_or_else(|why| {
                    lost.push((reference, why));
                    format!("[lost: {} bytes, {}]", reference.bytes, reference.hash)
                })
            }),
            _ => token.inner.strip_prefix('@').map(str::to_owned),
        })
    } else {
        Cow::Borrowed(line)
    };
    let inner = text.contains(BODY).then(|| body(&text)).flatten();
    Attached { text: inner.unwrap_or_else(|| text.into_owned()), lost }
}

/// The record that another holds as a string.
fn body(text: &str) -> Option<String> {
    let body: Option<Cow<'_, str>> = Object::split(text).ok()?.read(BODY).ok()?;
    body.map(Cow::into_owned)
}

impl Reference {
    /// Reads what stands between the quotes of a string.
    fn parse(inner: &str) -> Option<Self> {
        let (hash, bytes) = inner.strip_prefix(MARK)?.split_once(' ')?;
        Some(Self { hash: unhex(hash)?, bytes: bytes.parse().ok()? })
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{MARK}{} {}", self.hash, self.bytes)
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => formatter.write_str("missing"),
            Self::Damaged => formatter.write_str("damaged"),
            Self::Unreadable(why) => formatter.write_str(why),
            Self::TooLong => formatter.write_str("too long"),
        }
    }
}

/// A hash from its lower-case text.
pub(crate) fn unhex(text: &str) -> Option<Hash> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Hash)
}

/// The blobs of one session.
pub(crate) struct Blobs {
    disk: Arc<dyn Disk>,
    /// The folder of the session.
    session: PathBuf,
    /// Makes the names of unfinished files differ.
    unfinished: AtomicU64,
}

impl Blobs {
    pub(crate) fn new(disk: Arc<dyn Disk>, session: &Path) -> Self {
        Self { disk, session: session.to_owned(), unfinished: AtomicU64::new(0) }
    }

    fn place(&self, hash: Hash) -> (PathBuf, String) {
        let name = hash.to_string();
        (self.session.join(FOLDER).join(name.get(..FAN).unwrap_or_default()), name)
    }

    /// Keeps a string, so that it is on the disk when this returns. Says how many bytes more are kept.
    pub(crate) fn put(&self, reference: Reference, text: &str) -> io::Result<u64> {
        let (folder, name) = self.place(reference.hash);
        let is_there = self.get(reference).is_ok();
        if !is_there {
            self.disk.create_folder(&folder)?;
            let number = self.unfinished.fetch_add(1, Ordering::Relaxed);
            let unfinished = folder.join(format!("{name}.{number}.new"));
            let file = self.disk.open(&unfinished, How::Write)?;
            file.set_len(0)?;
            file.write_at(0, text.as_bytes())?;
            file.sync()?;
            drop(file);
            self.disk.rename(&unfinished, &folder.join(&name))?;
        }
        // One that is there may have been named by a process that ended before it made sure of the name.
        self.disk.sync_folder(&folder)?;
        self.disk.sync_folder(&self.session.join(FOLDER))?;
        self.disk.sync_folder(&self.session)?;
        Ok(if is_there { 0 } else { reference.bytes })
    }

    /// Takes over a string that was kept elsewhere, where it is not here. It is on the disk when this returns.
    pub(crate) fn take_over(&self, from: &Self, reference: Reference) -> io::Result<()> {
        if self.get(reference).is_ok() {
            return Ok(());
        }
        let ((folder, name), (there, _)) = (self.place(reference.hash), from.place(reference.hash));
        self.disk.create_folder(&folder)?;
        self.disk.rename(&there.join(&name), &folder.join(&name))?;
        self.disk.sync_folder(&folder)?;
        self.disk.sync_folder(&self.session.join(FOLDER))?;
        self.disk.sync_folder(&self.session)
    }

    /// A string that was kept.
    pub(crate) fn get(&self, reference: Reference) -> Result<String, Lost> {
        let (folder, name) = self.place(reference.hash);
        let read = || -> io::Result<Vec<u8>> {
            let file = self.disk.open(&folder.join(name), How::Read)?;
            if file.len()? != reference.bytes {
                return Ok(Vec::new());
            }
            let mut bytes = vec![0; usize::try_from(reference.bytes).map_err(io::Error::other)?];
            let read = file.read_at(0, &mut bytes)?;
            bytes.truncate(read);
            Ok(bytes)
        };
        let bytes = read().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Lost::Missing,
            _ => Lost::Unreadable(error.to_string()),
        })?;
        if Hash::of(&bytes) != reference.hash {
            return Err(Lost::Damaged);
        }
        String::from_utf8(bytes).map_err(|_| Lost::Damaged)
    }

    /// How many bytes are kept. What has not the name of a string is somebody else's, and is left alone.
    pub(crate) fn bytes(&self) -> io::Result<u64> {
        let root = self.session.join(FOLDER);
        let mut bytes = 0;
        for fan in listed(&*self.disk, &root)?.into_iter().filter(|fan| fan.len() == FAN) {
            let names = match listed(&*self.disk, &root.join(&fan)) {
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => continue,
                names => names?,
            };
            for name in names {
                let Some(hash) = unhex(&name).filter(|_| name.starts_with(&fan)) else { continue };
                let (folder, name) = self.place(hash);
                bytes += self.disk.open(&folder.join(name), How::Read)?.len()?;
            }
        }
        Ok(bytes)
    }
}

/// The names in a folder that may not be there.
pub(crate) fn listed(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<String>> {
    match disk.list(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed,
    }
}
