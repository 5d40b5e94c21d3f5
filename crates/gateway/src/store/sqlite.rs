//! The store within the process: `SQLite` in one file, a write-ahead log beside it.

mod file;
mod rows;
mod schema;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use responses::chain::Context;
use responses::id::ResponseId;
use responses::item::Item;
use responses::json::Json;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::{Change, PRUNE_STEP, Pruned, Reader, Store, StoreError, StoreLimits, pack};
use crate::Owner;
use file::Claim;

/// How long another program's lock is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// How long readers are waited for when the log is to be emptied.
const WIPE_WAIT: Duration = Duration::from_millis(100);

/// How many pages one step of pruning gives back to the disk at most.
const VACUUM_STEP: u64 = 4096;

/// One part in so many of what is used may lie free for what comes next; the rest goes back to the disk.
const SPARE: u64 = 8;

/// Responses in a file. One process has it at a time.
#[derive(Debug)]
pub(crate) struct Sqlite {
    reading: Reading,
    /// Whether deleted text may still be in the write-ahead log.
    to_wipe: bool,
    /// Given back last, or when the process ends, however it does.
    _claim: Claim,
}

/// A connection to the file.
#[derive(Debug)]
struct Reading {
    connection: Connection,
    path: PathBuf,
}

impl Sqlite {
    /// Opens the file; makes it, and its folder, if it is not there: for nobody but this user. Responses that were in the
    /// making when the last gateway ended have failed from then on.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let claim = file::claim(&path)?;
        let mut reading = Reading::open(path)?;
        schema::prepare(&mut reading.connection, &reading.path)?;
        reading.change(rows::fail_what_runs)?;
        Ok(Self { reading, to_wipe: true, _claim: claim })
    }

    /// Gives some free pages back to the disk, and says how many.
    fn give_back(&mut self, limit: u64) -> Result<u64, StoreError> {
        let before = self.reading.pages()?;
        let pages = before.spare(limit).min(VACUUM_STEP);
        if pages == 0 {
            return Ok(0);
        }
        // One row for each page, and no work before it is asked for.
        let vacuum = |transaction: &Transaction<'_>| {
            let mut vacuum = transaction.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = vacuum.query(())?;
            while rows.next()?.is_some() {}
            Ok(())
        };
        self.reading.change(vacuum)?;
        Ok(before.all.saturating_sub(self.reading.pages()?.all))
    }

    /// Writes the log into the file and empties it, so that what was deleted is nowhere. A reader or another program may
    /// stand in the way; then the next prune tries again.
    fn wipe(&mut self) {
        let connection = &self.reading.connection;
        let wipe = || {
            connection.busy_timeout(WIPE_WAIT)?;
            let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get::<_, bool>(0));
            connection.busy_timeout(LOCK_WAIT)?;
            busy
        };
        match wipe() {
            Ok(busy) => self.to_wipe = busy,
            Err(error) => tracing::warn!(%error, "the log of the store could not be emptied; it is tried again"),
        }
    }
}

impl Store for Sqlite {
    fn write(&mut self, changes: &[Change]) -> Result<Vec<bool>, StoreError> {
        let were_there = self.reading.change(|transaction| {
            changes.iter().map(|change| rows::apply(transaction, change)).collect::<rusqlite::Result<Vec<_>>>()
        })?;
        if changes.iter().any(|change| matches!(change, Change::Delete(..))) {
            self.to_wipe = true;
            self.wipe();
        }
        Ok(were_there)
    }

    fn prune(&mut self, now: u64, limits: &StoreLimits) -> Result<Pruned, StoreError> {
        let (oldest, page) = (limits.oldest(now), self.reading.pages()?.size);
        let responses = self.reading.change(|transaction| {
            let mut dropped = 0;
            while dropped < PRUNE_STEP {
                let too_much = Pages::of(transaction)?.used() * page > limits.bytes;
                if !rows::drop_oldest(transaction, (!too_much).then_some(oldest))? {
                    break;
                }
                dropped += 1;
            }
            Ok(dropped)
        })?;
        let given_back = self.give_back(limits.bytes)?;
        self.to_wipe |= responses > 0 || given_back > 0;
        let more = responses == PRUNE_STEP || given_back == VACUUM_STEP;
        if self.to_wipe && !more {
            self.wipe();
        }
        Ok(Pruned { responses, bytes: self.reading.pages()?.used() * page, more })
    }

    fn reader(&mut self) -> &mut dyn Reader {
        &mut self.reading
    }

    fn another_reader(&self) -> Result<Option<Box<dyn Reader>>, StoreError> {
        let reading = Reading::open(self.reading.path.clone())?;
        reading.run("PRAGMA query_only = ON")?;
        Ok(Some(Box::new(reading)))
    }
}

impl Reading {
    fn open(path: PathBuf) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(|error| said_of(&path, &error))?;
        connection.busy_timeout(LOCK_WAIT).map_err(|error| said_of(&path, &error))?;
        Ok(Self { connection, path })
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(|error| said_of(&self.path, &error))
    }

    /// All of it or nothing.
    fn change<T>(&mut self, what: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let change = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = what(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        change().map_err(|error| said_of(&self.path, &error))
    }

    /// At one point in time.
    fn look<T>(&mut self, what: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let look = || what(&self.connection.transaction()?);
        look().map_err(|error| said_of(&self.path, &error))
    }

    fn pages(&mut self) -> Result<Pages, StoreError> {
        self.look(|transaction| Pages::of(transaction))
    }

    fn damaged(&self, what: String) -> StoreError {
        StoreError::Corrupt { path: self.path.clone(), what }
    }

    /// A response, and all that was said.
    fn conversation(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<(rows::Row, Context)>, StoreError> {
        let found = self.look(|transaction| {
            let Some(row) = rows::find(transaction, owner, id)? else { return Ok(None) };
            let texts = rows::past(transaction, row.segment)?;
            Ok(Some((row, texts)))
        })?;
        let Some((row, texts)) = found else { return Ok(None) };
        let mut context = Context::default();
        for text in texts.iter().rev() {
            context = context.with(pack::read_items(text).map_err(|what| self.damaged(what))?);
        }
        Ok(Some((row, context)))
    }
}

impl Reader for Reading {
    fn response(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Json>, StoreError> {
        let text = self.look(|transaction| rows::response(transaction, owner, id))?;
        text.map(|text| Json::parse(&text).map_err(|error| self.damaged(error.to_string()))).transpose()
    }

    fn input(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Vec<Item>>, StoreError> {
        let found = self.conversation(owner, id)?;
        Ok(found.map(|(row, context)| {
            let mut items = context.newest(row.input.saturating_add(row.output));
            items.truncate(row.input);
            items
        }))
    }

    fn context(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Context>, StoreError> {
        let found = self.conversation(owner, id)?;
        Ok(found.filter(|(row, _)| !row.running).map(|(_, context)| context))
    }

    fn events(&mut self, owner: &Owner, id: &ResponseId) -> Result<Option<Vec<Arc<str>>>, StoreError> {
        let block = self.look(|transaction| rows::events(transaction, owner, id))?;
        block.map(|block| pack::read_events(&block).map_err(|what| self.damaged(what))).transpose()
    }
}

/// What the file consists of.
#[derive(Debug, Clone, Copy)]
struct Pages {
    all: u64,
    free: u64,
    size: u64,
}

impl Pages {
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let number = |name| number(name).map(|number| u64::try_from(number).unwrap_or(0));
        Ok(Self { all: number("page_count")?, free: number("freelist_count")?, size: number("page_size")? })
    }

    fn used(self) -> u64 {
        self.all.saturating_sub(self.free)
    }

    /// How many free pages are to go back to the disk: what lies free beyond need, and what makes the file too large.
    fn spare(self, limit: u64) -> u64 {
        let beyond_need = self.free.saturating_sub(self.used() / SPARE);
        let too_large = self.all.saturating_sub(limit / self.size.max(1));
        beyond_need.max(too_large).min(self.free)
    }
}

/// The library's error in the words of a store.
fn said_of(path: &Path, error: &rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    let what = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { path },
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { path },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt { path, what },
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => StoreError::Unreachable { path, what },
        _ => StoreError::Failed { path, what },
    }
}
