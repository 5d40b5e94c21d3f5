//! Lists and searches.

use std::collections::BTreeSet;

use rusqlite::{Connection, Row, params};

use super::catch_up::{counts, id, past, signed, unsigned};
use super::{Filter, Hit, Listed, State};

/// What [`listed`] reads, in its order. What has no title has that of its past.
const COLUMNS: &str =
    "session.id, coalesce(session.title, origin.title), session.cwd, session.created, session.changed,
    session.seq, session.inputs, session.outputs, session.calls, session.input_tokens, session.output_tokens,
    session.cost, session.bytes, session.wait, session.wait_until, session.past, session.damage,
    session.length > session.at";

/// How many columns that is.
const WIDTH: usize = 18;

/// How many words may be searched for at once.
const MAX_WORDS: usize = 32;

/// How many places are looked at for each session that is wanted.
const PLACES: u64 = 16;

pub(super) fn list(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Listed>> {
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS} FROM session LEFT JOIN session AS origin ON origin.id = session.past
         WHERE (?1 IS NULL OR session.cwd = ?1) AND session.changed >= ?2
         ORDER BY session.changed DESC, session.id DESC LIMIT ?3"
    ))?;
    let since = signed(filter.since.unwrap_or_default());
    let limit = filter.limit.map_or(i64::MAX, signed);
    statement.query_map(params![filter.cwd, since, limit], listed)?.collect()
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let until = row.get::<_, Option<i64>>(14)?.map(unsigned);
    let wait: Option<String> = row.get(13)?;
    let state = match (row.get::<_, Option<String>>(16)?, wait, row.get(17)?) {
        (Some(damage), ..) => State::Damaged(damage),
        (None, Some(why), _) => State::Waiting { why, until },
        (None, None, true) => State::Open,
        (None, None, false) => State::Ended,
    };
    Ok(Listed {
        id: id(row, 0)?,
        title: row.get(1)?,
        cwd: row.get(2)?,
        created: unsigned(row.get(3)?),
        changed: unsigned(row.get(4)?),
        counts: counts(row, 5)?,
        bytes: unsigned(row.get(12)?),
        state,
        past: past(row, 15)?,
    })
}

pub(super) fn search(connection: &Connection, text: &str, limit: u64) -> rusqlite::Result<Vec<Hit>> {
    let Some(query) = query(text) else { return Ok(Vec::new()) };
    let mut statement = connection.prepare(&format!(
        "SELECT {COLUMNS}, said.seq, said.kind, snippet(words, 0, '[', ']', '…', 12)
         FROM words JOIN said ON said.number = words.rowid JOIN session ON session.id = said.session
         LEFT JOIN session AS origin ON origin.id = session.past
         WHERE words MATCH ?1 ORDER BY words.rank LIMIT ?2"
    ))?;
    let hit = |row: &Row<'_>| {
        let (seq, kind, snippet) = (unsigned(row.get(WIDTH)?), row.get(WIDTH + 1)?, row.get(WIDTH + 2)?);
        Ok(Hit { session: listed(row)?, seq, kind, snippet })
    };
    let places = signed(limit.saturating_mul(PLACES));
    let mut met = BTreeSet::new();
    let mut hits = Vec::new();
    for hit in statement.query_map(params![query, places], hit)? {
        let hit = hit?;
        if hits.len() as u64 == limit {
            break;
        }
        if met.insert(hit.session.id) {
            hits.push(hit);
        }
    }
    Ok(hits)
}

/// Words as the library wants them: each as it is, the last as a beginning.
fn query(text: &str) -> Option<String> {
    let words: Vec<_> = text.split_whitespace().take(MAX_WORDS).map(|word| word.replace('"', "\"\"")).collect();
    (!words.is_empty()).then(|| format!("\"{}\"*", words.join("\" \"")))
}
