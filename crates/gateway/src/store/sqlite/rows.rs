//! What is read from the tables and written to them, within a transaction.

use responses::id::ResponseId;
use responses::item::Item;
use rusqlite::{Connection, Error, OptionalExtension as _, Row as SqlRow, named_params, params};

use crate::Owner;
use crate::store::{Change, Kept, pack};

/// How many items go into one segment; a longer run becomes several.
const SEGMENT_ITEMS: usize = 4096;

/// What is looked at before the rest is read.
#[derive(Debug)]
pub(super) struct Row {
    number: i64,
    pub(super) segment: Option<i64>,
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) running: bool,
}

/// Does one change. Says whether there was a response of that name.
pub(super) fn apply(connection: &Connection, change: &Change) -> rusqlite::Result<bool> {
    match change {
        Change::Begin(kept) => put(connection, kept, true),
        Change::Keep(kept) => put(connection, kept, false),
        Change::Delete(owner, id) => remove(connection, owner, id),
    }
}

/// Finds a response.
pub(super) fn find(connection: &Connection, owner: &Owner, id: &ResponseId) -> rusqlite::Result<Option<Row>> {
    let sql = "SELECT number, segment, input, output, running FROM response WHERE owner = ?1 AND id = ?2";
    let read = |row: &SqlRow<'_>| {
        Ok(Row {
            number: row.get(0)?,
            segment: row.get(1)?,
            input: count(row, 2)?,
            output: count(row, 3)?,
            running: row.get(4)?,
        })
    };
    connection.query_row(sql, params![owner.as_str(), id.as_str()], read).optional()
}

/// The text of a response object.
pub(super) fn response(connection: &Connection, owner: &Owner, id: &ResponseId) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT response FROM response WHERE owner = ?1 AND id = ?2";
    connection.query_row(sql, params![owner.as_str(), id.as_str()], |row| row.get(0)).optional()
}

/// The events of a response, packed.
pub(super) fn events(connection: &Connection, owner: &Owner, id: &ResponseId) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = "SELECT events FROM response WHERE owner = ?1 AND id = ?2";
    connection.query_row(sql, params![owner.as_str(), id.as_str()], |row| row.get(0)).optional()
}

/// The items up to and including a segment, one text for each segment, the newest first.
pub(super) fn past(connection: &Connection, segment: Option<i64>) -> rusqlite::Result<Vec<String>> {
    let mut read = connection.prepare("SELECT before, items FROM segment WHERE id = ?1")?;
    let mut texts = Vec::new();
    let mut next = segment;
    while let Some(id) = next {
        let (before, text) = read.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        texts.push(text);
        next = before;
    }
    Ok(texts)
}

/// Drops the oldest response that has ended, if there is one; of those made before a time, if one is given.
pub(super) fn drop_oldest(connection: &Connection, before: Option<u64>) -> rusqlite::Result<bool> {
    let sql = "SELECT number, segment FROM response WHERE running = 0 AND at < ?1 ORDER BY at, number LIMIT 1";
    let before = before.map_or(i64::MAX, stored);
    let oldest = connection.query_row(sql, [before], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((number, segment)) = oldest else { return Ok(false) };
    drop_row(connection, number, segment)?;
    Ok(true)
}

/// Makes failed responses of those that were in the making.
pub(super) fn fail_what_runs(connection: &rusqlite::Transaction<'_>) -> rusqlite::Result<()> {
    let mut running = connection.prepare("SELECT number, response FROM response WHERE running = 1")?;
    let running = running.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let running = running.collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
    let mut fail = connection.prepare("UPDATE response SET running = 0, response = ?2 WHERE number = ?1")?;
    for (number, response) in running {
        let failed = pack::failed_by_restart(&response);
        fail.execute(params![number, failed.as_ref().map_or(&*response, |failed| failed.text())])?;
    }
    Ok(())
}

fn put(connection: &Connection, kept: &Kept, running: bool) -> rusqlite::Result<bool> {
    let was_there = remove(connection, &kept.owner, &kept.id)?;
    let segment = add_segments(connection, kept)?;
    let events = pack::events(&kept.events).map_err(|error| Error::ToSqlConversionFailure(error.into()))?;
    let sql = "INSERT INTO response (owner, id, at, segment, input, output, running, response, events)
               VALUES (:owner, :id, :at, :segment, :input, :output, :running, :response, :events)";
    let values = named_params! {
        ":owner": kept.owner.as_str(),
        ":id": kept.id.as_str(),
        ":at": stored(kept.at),
        ":segment": segment,
        ":input": stored(kept.input),
        ":output": stored(kept.output),
        ":running": running,
        ":response": kept.response.text(),
        ":events": events,
    };
    connection.execute(sql, values)?;
    Ok(was_there)
}

/// Writes what is not written yet of a context, and says which segment is its last.
fn add_segments(connection: &Connection, kept: &Kept) -> rusqlite::Result<Option<i64>> {
    let (mut before, items) = unwritten(connection, kept)?;
    let new_bytes: usize = items.iter().map(|item| item.text().len()).sum();
    let mut len = kept.context.len().saturating_sub(items.len());
    let mut bytes = kept.context.bytes().saturating_sub(new_bytes);
    let mut insert = connection.prepare("INSERT INTO segment (before, len, bytes, items) VALUES (?1, ?2, ?3, ?4)")?;
    for items in items.chunks(SEGMENT_ITEMS) {
        len += items.len();
        bytes += items.iter().map(|item| item.text().len()).sum::<usize>();
        before = Some(insert.insert(params![before, stored(len), stored(bytes), pack::items(items)])?);
    }
    Ok(before)
}

/// The segment that a context goes on from, and its items after that: the news if the parent is kept, else all of them.
fn unwritten(connection: &Connection, kept: &Kept) -> rusqlite::Result<(Option<i64>, Vec<Item>)> {
    let sql = "SELECT segment.id, coalesce(segment.len, 0), coalesce(segment.bytes, 0)
               FROM response LEFT JOIN segment ON segment.id = response.segment
               WHERE response.owner = ?1 AND response.id = ?2";
    let read = |row: &SqlRow<'_>| Ok((row.get(0)?, count(row, 1)?, count(row, 2)?));
    let past = match &kept.parent {
        Some(parent) => connection.query_row(sql, params![kept.owner.as_str(), parent.as_str()], read).optional()?,
        None => None,
    };
    Ok(match past.filter(|(_, len, bytes)| kept.goes_on_from(*len, *bytes)) {
        Some((segment, ..)) => (segment, kept.news()),
        None => (None, kept.context.to_vec()),
    })
}

fn remove(connection: &Connection, owner: &Owner, id: &ResponseId) -> rusqlite::Result<bool> {
    let Some(row) = find(connection, owner, id)? else { return Ok(false) };
    drop_row(connection, row.number, row.segment)?;
    Ok(true)
}

/// Deletes a response, then the segments that nobody is made of any more, from the newest on.
fn drop_row(connection: &Connection, number: i64, segment: Option<i64>) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM response WHERE number = ?1", [number])?;
    let mut delete = connection.prepare(
        "DELETE FROM segment WHERE id = ?1
         AND NOT EXISTS (SELECT 1 FROM response WHERE segment = ?1)
         AND NOT EXISTS (SELECT 1 FROM segment AS after WHERE after.before = ?1)
         RETURNING before",
    )?;
    let mut next = segment;
    while let Some(id) = next {
        next = delete.query_row([id], |row| row.get(0)).optional()?.flatten();
    }
    Ok(())
}

/// A number as the database has them.
fn stored(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

fn count(row: &SqlRow<'_>, at: usize) -> rusqlite::Result<usize> {
    let number: i64 = row.get(at)?;
    usize::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(at, number))
}
