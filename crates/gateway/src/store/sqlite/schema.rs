//! The layout of the file.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::said_of;
use crate::store::StoreError;

/// Says in the header of the file that it is ours: "caps".
const APPLICATION: i64 = 0x6361_7073;

/// The layout below.
const VERSION: i64 = 1;

/// A segment is what one response added to its past; responses that go on from one another share their pasts. `len` and
/// `bytes` count all items up to and including the segment's.
const LAYOUT: &str = "
    CREATE TABLE segment (
        id INTEGER PRIMARY KEY,
        before INTEGER REFERENCES segment (id),
        len INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        items TEXT NOT NULL
    ) STRICT;
    CREATE INDEX segment_before ON segment (before);
    CREATE TABLE response (
        number INTEGER PRIMARY KEY,
        owner TEXT NOT NULL,
        id TEXT NOT NULL,
        at INTEGER NOT NULL,
        segment INTEGER REFERENCES segment (id),
        input INTEGER NOT NULL,
        output INTEGER NOT NULL,
        running INTEGER NOT NULL,
        response TEXT NOT NULL,
        events BLOB NOT NULL,
        UNIQUE (owner, id)
    ) STRICT;
    CREATE INDEX response_at ON response (running, at);
    CREATE INDEX response_segment ON response (segment);
";

/// Sets the connection up, and makes the tables in a file that is empty.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let said = |error| said_of(path, &error);
    let number = |connection: &Connection, sql| connection.query_row(sql, (), |row| row.get::<_, i64>(0)).map_err(said);
    let tables = number(connection, "SELECT count(*) FROM sqlite_schema")?;
    let application = number(connection, "PRAGMA application_id")?;
    let version = number(connection, "PRAGMA user_version")?;
    match (tables, application, version) {
        (0, 0, 0) | (_, APPLICATION, VERSION) => {}
        (_, APPLICATION, found) => return Err(StoreError::Newer { path: path.to_owned(), found, known: VERSION }),
        _ => return Err(StoreError::Foreign { path: path.to_owned() }),
    }
    // Room can be given back only if that was said before anything else was written.
    if tables == 0 {
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL").map_err(said)?;
    }
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
             PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864",
        )
        .map_err(said)?;
    if tables == 0 {
        create(connection).map_err(said)?;
    }
    Ok(())
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(LAYOUT)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
