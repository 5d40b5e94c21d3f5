//! The index brought up to date: what logs have more than it knows, read once.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::facts::Facts;
use super::{Counts, Trouble};
use crate::blobs::Blobs;
use crate::disk::{File, How};
use crate::log::{Found, Hash, Start};
use crate::record::Stamped;
use crate::sessions::{Lines, SessionError, SessionId, Sessions, glance};

/// How many sessions are read before others may go on.
const AT_ONCE: usize = 256;

/// The longest string beside a log that is looked into: what is longer is an image, or the output of a tool.
const LONGEST: u64 = 256 << 10;

/// What is known of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    next: Start,
    length: u64,
}

/// What has become of a log.
enum News {
    Gone,
    Nothing,
    More(Change),
}

/// What is to be read.
struct Change {
    id: SessionId,
    length: u64,
    /// Where reading goes on; from the beginning if this is not known any more.
    from: Option<Start>,
}

pub(super) fn catch_up(connection: &mut Connection, sessions: &Sessions) -> Result<(), Trouble> {
    let mut gone = known(connection)?;
    let mut changes = Vec::new();
    for id in sessions.ids()? {
        match compare(sessions, id, gone.get(&id).copied()) {
            News::Gone => continue,
            News::Nothing => {}
            News::More(change) => changes.push(change),
        }
        gone.remove(&id);
    }
    for some in changes.chunks(AT_ONCE) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        some.iter().try_for_each(|change| read(&transaction, sessions, change))?;
        transaction.commit()?;
    }
    let gone: Vec<_> = gone.into_keys().collect();
    for some in gone.chunks(AT_ONCE) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        some.iter().try_for_each(|id| forget(&transaction, *id))?;
        transaction.commit()?;
    }
    Ok(())
}

/// Compares a log with what is known of it.
fn compare(sessions: &Sessions, id: SessionId, known: Option<Known>) -> News {
    let path = sessions.log(id);
    let look = || {
        let file = sessions.disk().open(&path, How::Read)?;
        let length = file.len()?;
        let Some(Known { next, length: before }) = known else { return Ok((length, true)) };
        let more = length < next.at || length > next.at && has_more(&*file, next.at)?;
        Ok((length, more || length != before))
    };
    match look() {
        Ok((_, false)) => News::Nothing,
        Ok((length, true)) => {
            let from = known.map(|known| known.next).filter(|next| next.at <= length);
            News::More(Change { id, length, from })
        }
        Err(error) if matches!(io::Error::kind(&error), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            News::Gone
        }
        // Whoever reads it says what is wrong with it.
        Err(_) => News::More(Change { id, length: 0, from: None }),
    }
}

/// Whether something was written where the next line belongs.
fn has_more(file: &dyn File, at: u64) -> io::Result<bool> {
    let mut first = [0];
    file.read_at(at, &mut first)?;
    Ok(first != [0])
}

fn known(connection: &Connection) -> rusqlite::Result<BTreeMap<SessionId, Known>> {
    let mut statement = connection.prepare("SELECT id, at, seq, before, length FROM session")?;
    let row = |row: &rusqlite::Row<'_>| {
        let [at, seq, length] = [row.get(1)?, row.get(2)?, row.get(4)?].map(unsigned);
        Ok((id(row, 0)?, Known { next: Start { at, seq, before: Hash(row.get(3)?) }, length }))
    };
    statement.query_map((), row)?.collect()
}

/// Reads what is new in a log. If it does not follow what is known, all of it is. One that cannot be read is known by
/// that, and hides no other.
fn read(to: &Transaction<'_>, sessions: &Sessions, change: &Change) -> Result<(), Trouble> {
    let why = match read_on(to, sessions, change) {
        Err(Trouble::Sessions(why)) => why.to_string(),
        done => return done,
    };
    let id = change.id;
    forget(to, id)?;
    let (created, changed) = (id.began(), id.began());
    Ok(keep(to, id, (Start::FIRST, 0, 0), &Facts { created, changed, damage: Some(why), ..Facts::default() })?)
}

fn read_on(to: &Transaction<'_>, sessions: &Sessions, change: &Change) -> Result<(), Trouble> {
    if let Some(from) = change.from
        && let Some(facts) = facts(to, change.id)?
        && gather(to, sessions, change, (from, facts))?
    {
        return Ok(());
    }
    forget(to, change.id)?;
    gather(to, sessions, change, (Start::FIRST, Facts::default()))?;
    Ok(())
}

/// Says whether the first new line follows what was known.
fn gather(
    to: &Transaction<'_>,
    sessions: &Sessions,
    change: &Change,
    (from, mut facts): (Start, Facts),
) -> Result<bool, Trouble> {
    let Change { id, length, .. } = *change;
    let blobs = Blobs::new(Arc::clone(sessions.disk()), &sessions.place(id));
    let mut lines = Lines::at(sessions.disk(), &sessions.log(id), from).map_err(SessionError::from)?;
    let mut said = to.prepare("INSERT INTO said (session, seq, kind) VALUES (?1, ?2, ?3)")?;
    let mut words = to.prepare("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?;
    while let Some(found) = lines.next().map_err(SessionError::from)? {
        match found {
            Found::Line(line) => {
                let stamped = Stamped::parse(&glance(line.body, &blobs, LONGEST, sessions.longest()).text);
                if let Some(text) = facts.take(&stamped) {
                    said.execute(params![id.to_string(), signed(line.seq), stamped.record.kind()])?;
                    words.execute(params![to.last_insert_rowid(), text])?;
                }
            }
            Found::Damage(damage) if from != Start::FIRST && damage.at == from.at => return Ok(false),
            Found::Damage(damage) => {
                facts.damage.get_or_insert_with(|| damage.to_string());
            }
        }
    }
    if facts.created == 0 && facts.damage.is_none() {
        facts.damage = Some("it has no beginning".to_owned());
    }
    let beside = blobs.bytes().unwrap_or_default();
    keep(to, id, (lines.stopped(), length, beside), &facts)?;
    Ok(true)
}

fn keep(
    to: &Transaction<'_>,
    id: SessionId,
    (next, length, beside): (Start, u64, u64),
    facts: &Facts,
) -> rusqlite::Result<()> {
    let Facts { title, named, cwd, created, changed, counts, wait, past, damage } = facts;
    let mut statement = to.prepare(
        "INSERT OR REPLACE INTO session VALUES
            (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    )?;
    statement.execute(params![
        id.to_string(),
        signed(next.at),
        signed(next.seq),
        next.before.0,
        signed(length),
        title,
        named,
        cwd,
        signed(*created),
        signed(*changed),
        signed(counts.inputs),
        signed(counts.outputs),
        signed(counts.calls),
        signed(counts.input_tokens),
        signed(counts.output_tokens),
        signed(counts.cost),
        signed(next.at + beside),
        wait.as_ref().map(|(why, _)| why),
        wait.as_ref().and_then(|(_, until)| until.map(signed)),
        past.map(|past| past.to_string()),
        damage,
    ])?;
    Ok(())
}

fn facts(connection: &Connection, id: SessionId) -> rusqlite::Result<Option<Facts>> {
    let mut statement = connection.prepare(
        "SELECT title, named, cwd, created, changed, seq, inputs, outputs, calls, input_tokens, output_tokens, cost,
            wait, wait_until, past, damage FROM session WHERE id = ?1",
    )?;
    let facts = |row: &rusqlite::Row<'_>| {
        let until = row.get::<_, Option<i64>>(13)?.map(unsigned);
        Ok(Facts {
            title: row.get(0)?,
            named: row.get(1)?,
            cwd: row.get(2)?,
            created: unsigned(row.get(3)?),
            changed: unsigned(row.get(4)?),
            counts: counts(row, 5)?,
            wait: row.get::<_, Option<String>>(12)?.map(|why| (why, until)),
            past: past(row, 14)?,
            damage: row.get(15)?,
        })
    };
    statement.query_row([id.to_string()], facts).optional()
}

/// Seven numbers from a column on.
pub(super) fn counts(row: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Counts> {
    let number = |at: usize| row.get(from + at).map(unsigned);
    Ok(Counts {
        records: number(0)?,
        inputs: number(1)?,
        outputs: number(2)?,
        calls: number(3)?,
        input_tokens: number(4)?,
        output_tokens: number(5)?,
        cost: number(6)?,
    })
}

/// The name of a session in a column.
pub(super) fn id(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<SessionId> {
    row.get::<_, String>(column)?.parse().map_err(|_| rusqlite::Error::InvalidQuery)
}

/// The same where there may be none.
pub(super) fn past(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Option<SessionId>> {
    Ok(row.get::<_, Option<String>>(column)?.and_then(|id| id.parse().ok()))
}

/// Takes out all that is known of a session.
fn forget(to: &Transaction<'_>, id: SessionId) -> rusqlite::Result<()> {
    let id = id.to_string();
    to.execute("DELETE FROM words WHERE rowid IN (SELECT number FROM said WHERE session = ?1)", [&id])?;
    to.execute("DELETE FROM said WHERE session = ?1", [&id])?;
    to.execute("DELETE FROM session WHERE id = ?1", [&id])?;
    Ok(())
}

/// Numbers as the library has them.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
