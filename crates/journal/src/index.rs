//! What sessions say, in a form that is quick to list and to search: a cache, made of their logs and of nothing else.
//! Delete it and nothing is lost.
//!
//! Nobody writes it but who lists or searches: before that, it reads what the logs have more than it knows.

mod catch_up;
mod facts;
mod query;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::sessions::{SessionError, SessionId, Sessions};

/// The file in the folder of sessions.
const FILE: &str = "index.sqlite";

/// What the library calls an index that is no file.
const IN_MEMORY: &str = ":memory:";

/// How long another process that catches up is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Why there is no list.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IndexError {
    /// The sessions cannot be read.
    #[error(transparent)]
    Sessions(#[from] SessionError),
    /// The index cannot be made or read.
    #[error("the index {path}: {error}. it is a cache: delete it, and try again")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What the library says.
        error: Arc<rusqlite::Error>,
    },
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub id: SessionId,
    /// What it is called: by its title, or by how it begins.
    pub title: Option<String>,
    /// The folder it works in.
    pub cwd: String,
    /// When it began, in milliseconds since 1970.
    pub created: u64,
    /// When its last record was written.
    pub changed: u64,
    /// What was said and done in it, without the past that it shares.
    pub counts: Counts,
    /// How much of the disk it has.
    pub bytes: u64,
    /// How it is.
    pub state: State,
    /// The session whose past it shares.
    pub past: Option<SessionId>,
}

/// How much was said and done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records.
    pub records: u64,
    /// Times somebody said something to the model.
    pub inputs: u64,
    /// Times the model said something.
    pub outputs: u64,
    /// Calls that were begun.
    pub calls: u64,
    /// Tokens the model read.
    pub input_tokens: u64,
    /// Tokens it wrote.
    pub output_tokens: u64,
    /// Millionths of a dollar, as far as prices are known.
    pub cost: u64,
}

/// How a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It was not closed: somebody writes it, or did when the process ended.
    Open,
    /// It waits.
    Waiting {
        /// For what.
        why: String,
        /// Until when, in milliseconds since 1970, if that is known.
        until: Option<u64>,
    },
    /// It was closed.
    Ended,
    /// It is not as it was written: what was found first.
    Damaged(String),
}

/// What is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only sessions in this folder.
    pub cwd: Option<String>,
    /// Only those that changed since, in milliseconds since 1970.
    pub since: Option<u64>,
    /// At most so many, the latest.
    pub limit: Option<u64>,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// In which session.
    pub session: Listed,
    /// The number of the record.
    pub seq: u64,
    /// What kind of record it is.
    pub kind: String,
    /// The text around what was found, which stands between `[` and `]`.
    pub snippet: String,
}

/// The index of a folder of sessions.
pub struct Index {
    connection: Connection,
    path: PathBuf,
    /// Another process has kept it from being brought up to date.
    stale: bool,
}

impl Index {
    /// The index of these sessions, up to date. One that is damaged, or something else, is made anew.
    pub fn of(sessions: &Sessions) -> Result<Self, IndexError> {
        let path = sessions.folder().join(FILE);
        match Self::try_open(&path, sessions) {
            Err(Trouble::Sqlite(error)) if is_no_index(&error) => {
                remove(&path);
                Self::try_open(&path, sessions)
            }
            // Where nothing may be written, or nothing has room, a list can be had all the same.
            Err(Trouble::Sqlite(error)) if is_unwritable(&error) => Self::try_open(Path::new(IN_MEMORY), sessions),
            opened => opened,
        }
        .map_err(|trouble| trouble.at(&path))
    }

    fn try_open(path: &Path, sessions: &Sessions) -> Result<Self, Trouble> {
        let connection = schema::open(path)?;
        let mut index = Self { connection, path: path.to_owned(), stale: false };
        match catch_up::catch_up(&mut index.connection, sessions) {
            Err(Trouble::Sqlite(error)) if is_busy(&error) => index.stale = true,
            done => done?,
        }
        Ok(index)
    }

    /// Whether another process has kept it from being brought up to date: what is newest may be missing.
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// Sessions, those that changed last first.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Listed>, IndexError> {
        query::list(&self.connection, filter).map_err(|error| Trouble::Sqlite(error).at(&self.path))
    }

    /// Sessions in which all these words stand together, in what was said or in titles; the last may be the beginning of
    /// one. The best first, at most so many.
    pub fn search(&self, text: &str, limit: u64) -> Result<Vec<Hit>, IndexError> {
        query::search(&self.connection, text, limit).map_err(|error| Trouble::Sqlite(error).at(&self.path))
    }
}

/// Why something cannot be done with an index.
enum Trouble {
    Sqlite(rusqlite::Error),
    Sessions(SessionError),
}

impl Trouble {
    fn at(self, path: &Path) -> IndexError {
        match self {
            Self::Sqlite(error) => IndexError::Sqlite { path: path.to_owned(), error: Arc::new(error) },
            Self::Sessions(error) => error.into(),
        }
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<SessionError> for Trouble {
    fn from(error: SessionError) -> Self {
        Self::Sessions(error)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Whether the file is no database, or has not our tables in it.
fn is_no_index(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown))
        || !matches!(error, rusqlite::Error::SqliteFailure(..))
}

fn is_unwritable(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::DiskFull | ErrorCode::PermissionDenied)
    )
}

/// Removes the file, and what the library puts beside it.
fn remove(path: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        // What cannot be removed is met again when it is opened.
        let _ = std::fs::remove_file(name);
    }
}
