//! What does a durable append cost, beside a plain append with fdatasync and beside `SQLite`?
//!
//! `append [FOLDER] [ROUNDS]` prints a table of appends a second: the median of short turns that everybody has in every
//! round, and the median of our part of the better of the two others in the same round, so that what else the disk does
//! is everybody's. FOLDER is where the files are, for a while: it must be on a disk. Read with
//! `docs/decisions/0012-a-file-is-the-truth.md`.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use journal::disk::Machine;
use journal::log::{LogError, Sharing, Writer};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const SIZES: [usize; 3] = [200, 1024, 8192];
const APPENDERS: [usize; 3] = [1, 8, 32];
const ROUNDS: usize = 101;

/// Appends of one appender in a turn.
const EACH: usize = 16;

/// What is appended, and by how many.
#[derive(Clone)]
struct Load {
    body: String,
    appenders: usize,
}

/// Appends of all appenders, as often as it is asked.
type Turn = Box<dyn FnMut() -> Outcome<()>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".to_owned());
    let rounds = arguments.next().map_or(Ok(ROUNDS), |number| number.parse())?;
    let mut out = std::io::stdout();
    writeln!(out, "| bytes | appenders | plain + fdatasync | SQLite, WAL, FULL | durable | of the better | note |")?;
    writeln!(out, "|--|--|--|--|--|--|--|")?;
    for bytes in SIZES {
        for appenders in APPENDERS {
            let load = Load { body: "x".repeat(bytes), appenders };
            let folder = TempDir::new_in(&folder)?;
            writeln!(out, "| {bytes} | {appenders} | {} |", row(folder.path(), &load, rounds)?)?;
        }
    }
    Ok(())
}

/// Everybody's rates, and our part of the better.
fn row(folder: &Path, load: &Load, rounds: usize) -> Outcome<String> {
    let mut turns = [
        plain(&folder.join("plain"), load)?,
        sqlite(&folder.join("sqlite"), load)?,
        ours(&folder.join("durable"), load, true)?,
        ours(&folder.join("note"), load, false)?,
    ];
    let mut rates = [const { Vec::new() }; 4];
    let all = u32::try_from(load.appenders * EACH)?;
    for _ in 0..rounds {
        for (turn, rates) in turns.iter_mut().zip(&mut rates) {
            let started = Instant::now();
            turn()?;
            rates.push(f64::from(all) / started.elapsed().as_secs_f64());
        }
    }
    let [plain, sqlite, durable, note] = rates;
    let better = plain.iter().zip(&sqlite).map(|(plain, sqlite)| plain.max(*sqlite));
    let part = median(durable.iter().zip(better).map(|(ours, better)| ours / better).collect());
    let [plain, sqlite, durable, note] = [plain, sqlite, durable, note].map(median);
    Ok(format!("{plain:.0} | {sqlite:.0} | {durable:.0} | {part:.2} | {note:.0}"))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A write at the end of a file and a wait for the disk. Each appender has a thread, and the file open.
fn plain(path: &Path, load: &Load) -> Outcome<Turn> {
    let line = format!("{}\n", load.body);
    let open = || OpenOptions::new().create(true).append(true).open(path);
    let mut files = (0..load.appenders).map(|_| open()).collect::<Result<Vec<_>, _>>()?;
    Ok(Box::new(move || match files.as_mut_slice() {
        [file] => append_plainly(file, line.as_bytes()),
        files => thread::scope(|scope| {
            let spawn = |file| scope.spawn(|| append_plainly(file, line.as_bytes()));
            let threads: Vec<_> = files.iter_mut().map(spawn).collect();
            threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("an appender fell".into())))
        }),
    }))
}

fn append_plainly(file: &mut File, line: &[u8]) -> Outcome<()> {
    for _ in 0..EACH {
        file.write_all(line)?;
        file.sync_data()?;
    }
    Ok(())
}

/// A row in a table, committed. `SQLite` has one writer: who has more appenders lets them wait for each other.
fn sqlite(path: &Path, load: &Load) -> Outcome<Turn> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE record (body TEXT NOT NULL) STRICT;",
    )?;
    let load = load.clone();
    Ok(Box::new(move || {
        let mut insert = connection.prepare("INSERT INTO record VALUES (?)")?;
        for _ in 0..load.appenders * EACH {
            insert.execute([&load.body])?;
        }
        Ok(())
    }))
}

/// A line of the log, told when it is on the disk; or one that may be lost, told when it was handed over.
fn ours(path: &Path, load: &Load, durable: bool) -> Outcome<Turn> {
    let (writer, _) = Writer::open(Arc::new(Machine), path, Sharing::Own, None)?;
    let runtime = Builder::new_current_thread().build()?;
    let load = load.clone();
    Ok(Box::new(move || {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for _ in 0..load.appenders {
                tasks.spawn(append(writer.clone(), load.body.clone(), durable));
            }
            while let Some(ended) = tasks.join_next().await {
                ended??;
            }
            Ok(())
        })
    }))
}

async fn append(writer: Writer, body: String, durable: bool) -> Result<(), LogError> {
    for _ in 0..EACH {
        if durable {
            writer.append(body.clone()).await?;
        } else {
            writer.note(body.clone()).await?;
        }
    }
    Ok(())
}
