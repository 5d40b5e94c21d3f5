//! The tables of the index.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{IN_MEMORY, LOCK_WAIT, Trouble};

/// Says in the header of the file that it is ours: "capi".
const APPLICATION: i64 = 0x6361_7069;

/// The layout below. Another one is no index: it is made anew.
const VERSION: i64 = 1;

/// `at`, `seq` and `before` are where reading goes on, `length` is how long the log was.
const LAYOUT: &str = "
    CREATE TABLE session (
        id TEXT PRIMARY KEY,
        at INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        before BLOB NOT NULL,
        length INTEGER NOT NULL,
        title TEXT,
        named INTEGER NOT NULL,
        cwd TEXT NOT NULL,
        created INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        inputs INTEGER NOT NULL,
        outputs INTEGER NOT NULL,
        calls INTEGER NOT NULL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        cost INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        wait TEXT,
        wait_until INTEGER,
        past TEXT,
        damage TEXT
    ) STRICT;
    CREATE INDEX session_changed ON session (changed);
    CREATE INDEX session_cwd ON session (cwd, changed);
    CREATE TABLE said (
        number INTEGER PRIMARY KEY,
        session TEXT NOT NULL,
        seq INTEGER NOT NULL,
        kind TEXT NOT NULL
    ) STRICT;
    CREATE INDEX said_session ON said (session);
    CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2');
    INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
";

pub(super) fn open(path: &Path) -> Result<Connection, Trouble> {
    if path != Path::new(IN_MEMORY) {
        // For its owner only. Where it cannot be made the library says why.
        let _ = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    }
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(LOCK_WAIT)?;
    let number = |connection: &Connection, sql| connection.query_row(sql, (), |row| row.get::<_, i64>(0));
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tables = number(&transaction, "SELECT count(*) FROM sqlite_schema")?;
    let application = number(&transaction, "PRAGMA application_id")?;
    let version = number(&transaction, "PRAGMA user_version")?;
    if tables == 0 {
        transaction.execute_batch(LAYOUT)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    } else if (application, version) != (APPLICATION, VERSION) {
        return Err(Trouble::Sqlite(rusqlite::Error::InvalidQuery));
    }
    transaction.commit()?;
    Ok(connection)
}
