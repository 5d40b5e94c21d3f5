use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::store::Kept;
use crate::store::tests::*;

const NAME: &str = "responses.db";

fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(NAME);
    (folder, path)
}

fn number(store: &Sqlite, sql: &str) -> i64 {
    store.reading.connection.query_row(sql, (), |row| row.get(0)).unwrap()
}

/// The database, its log, its index, its lock.
fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn holds(path: &Path, words: &str) -> bool {
    fs::read(path).unwrap().windows(words.len()).any(|window| window == words.as_bytes())
}

#[test]
fn pages_that_lie_free_beyond_need_or_beyond_the_limit_go_back() {
    let table = [
        (100, 0, 1000, 0),
        (100, 11, 1000, 0),
        (100, 20, 1000, 10),
        (100, 100, 1000, 100),
        (100, 8, 95, 5),
        (100, 3, 50, 3),
    ];
    for (all, free, limit, spare) in table {
        assert_eq!(Pages { all, free, size: 10 }.spare(limit * 10), spare, "{all} {free} {limit}");
    }
}

#[test]
fn what_was_kept_is_there_after_the_store_is_opened_again() {
    let (_folder, path) = folder();
    let root = first("root", &["a"], &["b"]);
    keep(&mut Sqlite::open(&path).unwrap(), &root);
    let child = next(&root, "child", &["c"], &["d"]);
    keep(&mut Sqlite::open(&path).unwrap(), &child);
    let mut store = Sqlite::open(&path).unwrap();
    assert_whole(&mut store, &root);
    assert_whole(&mut store, &child);
}

#[test]
fn a_child_adds_only_what_is_new_and_the_last_heir_takes_the_past_along() {
    let (_folder, path) = folder();
    let mut store = Sqlite::open(&path).unwrap();
    let noise = "x".repeat(100_000);
    let root = first("root", &[&noise], &["b"]);
    let child = next(&root, "child", &["c"], &["d"]);
    keep(&mut store, &root);
    let before = number(&store, "SELECT sum(length(items)) FROM segment");
    keep(&mut store, &child);
    assert!(number(&store, "SELECT sum(length(items)) FROM segment") - before < 200);
    delete(&mut store, &root);
    assert_eq!(number(&store, "SELECT count(*) FROM segment"), 2);
    delete(&mut store, &child);
    assert_eq!(number(&store, "SELECT count(*) FROM segment"), 0);
}

#[test]
fn what_was_in_the_making_when_the_gateway_ended_has_failed() {
    let (_folder, path) = folder();
    let running = Json::parse(r#"{"id":"slow","status":"in_progress","error":null}"#).unwrap();
    let begun = Kept { response: running, events: Vec::new(), ..first("slow", &["a"], &[]) };
    let other = first("other", &["a"], &["b"]);
    let mut store = Sqlite::open(&path).unwrap();
    store.write(&[Change::Begin(begun.clone()), Change::Keep(other.clone())]).unwrap();
    drop(store);
    let mut store = Sqlite::open(&path).unwrap();
    let failed = pack::failed_by_restart(begun.response.text()).unwrap();
    assert_whole(&mut store, &Kept { response: failed, ..begun });
    assert_whole(&mut store, &other);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_what_is_made() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (folder, _) = folder();
    let path = folder.path().join("a/b").join(NAME);
    let mut store = Sqlite::open(&path).unwrap();
    keep(&mut store, &first("one", &["a"], &["b"]));
    for made in ["a", "a/b"] {
        assert_eq!(mode(&folder.path().join(made)), 0o700, "{made}");
    }
    let files = files(path.parent().unwrap());
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
}

#[test]
fn the_text_of_a_deleted_response_is_in_no_file() {
    let (folder, path) = folder();
    let mut store = Sqlite::open(&path).unwrap();
    let stays = first("stays", &["words that stay"], &[]);
    // Short and long: on a page with others, and on pages of its own.
    let long = "planted".repeat(5000);
    let planted = [
        first("short", &["planted text"], &["planted"]),
        first("long", &[&long], &[]),
        next(&stays, "child", &["planted text"], &[]),
    ];
    keep(&mut store, &stays);
    for kept in &planted {
        let events = vec![r#""planted""#.into()];
        let response = Json::parse(r#"{"text":"planted"}"#).unwrap();
        keep(&mut store, &Kept { response, events, ..kept.clone() });
    }
    assert!(files(folder.path()).iter().any(|path| holds(path, "planted")));
    for kept in &planted {
        assert!(delete(&mut store, kept));
    }
    assert_eq!(files(folder.path()).len(), 4);
    assert!(!files(folder.path()).iter().any(|path| holds(path, "planted")));
    assert!(files(folder.path()).iter().any(|path| holds(path, "words that stay")));
    assert_whole(&mut store, &stays);
}

#[test]
fn a_log_that_a_reader_keeps_from_being_emptied_is_emptied_by_a_later_prune() {
    let (folder, path) = folder();
    let mut store = Sqlite::open(&path).unwrap();
    store.reading.connection.busy_timeout(Duration::ZERO).unwrap();
    let kept = first("one", &["planted"], &[]);
    keep(&mut store, &kept);
    let other = Reading::open(path).unwrap();
    other.run("BEGIN; SELECT count(*) FROM response").unwrap();
    assert!(delete(&mut store, &kept));
    assert!(files(folder.path()).iter().any(|path| holds(path, "planted")));
    drop(other);
    prune(&mut store, 0, &ALL);
    assert!(!files(folder.path()).iter().any(|path| holds(path, "planted")));
}

#[test]
fn a_size_limit_makes_the_file_smaller() {
    let (_folder, path) = folder();
    let mut store = Sqlite::open(&path).unwrap();
    let noise = "x".repeat(20_000);
    for at in 0..200 {
        keep(&mut store, &Kept { at, ..first(&at.to_string(), &[&noise], &[]) });
    }
    prune(&mut store, 0, &ALL);
    assert!(fs::metadata(&path).unwrap().len() > 4_000_000);
    prune(&mut store, 0, &StoreLimits { bytes: 1_000_000, ..ALL });
    let length = fs::metadata(&path).unwrap().len();
    assert!((500_000..=1_000_000).contains(&length), "{length}");
    prune(&mut store, 1000, &StoreLimits { age: Duration::ZERO, ..ALL });
    let length = fs::metadata(&path).unwrap().len();
    assert!(length < 100_000, "{length}");
}

#[test]
fn a_full_disk_is_said_and_costs_nothing_that_was_acknowledged() {
    let (_folder, path) = folder();
    let mut store = Sqlite::open(&path).unwrap();
    store.reading.connection.pragma_update(None, "max_page_count", 100).unwrap();
    let noise = "x".repeat(10_000);
    let mut acknowledged = Vec::new();
    let error = loop {
        let id = acknowledged.len().to_string();
        let kept =
            acknowledged.last().map_or_else(|| first(&id, &[&noise], &[]), |last| next(last, &id, &[&noise], &[]));
        match store.write(&[Change::Keep(kept.clone())]) {
            Ok(_) => acknowledged.push(kept),
            Err(error) => break error,
        }
    };
    assert_eq!(error, StoreError::Full { path: path.clone() });
    assert!(error.to_string().contains("free some space on its disk"));
    assert!(acknowledged.len() > 10);
    for kept in &acknowledged {
        assert_whole(&mut store, kept);
    }
    // What replaces another is not lost with what it was to replace.
    let larger = next(&acknowledged[9], "9", &[&noise.repeat(50)], &[]);
    assert!(store.write(&[Change::Keep(larger)]).is_err());
    drop(store);
    let mut store = Sqlite::open(&path).unwrap();
    for kept in &acknowledged {
        assert_whole(&mut store, kept);
    }
}

type Prepare = fn(&Path);

#[test]
fn what_stands_in_the_way_of_opening_is_said_with_the_next_step() {
    let garbage = |path: &Path| fs::write(path, "not a database, but long enough to be looked at".repeat(100)).unwrap();
    let newer = |path: &Path| Sqlite::open(path).unwrap().reading.run("PRAGMA user_version = 7").unwrap();
    let foreign = |path: &Path| Connection::open(path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap();
    let folder_there = |path: &Path| fs::create_dir(path).unwrap();
    let table: [(Prepare, &str); 4] = [
        (garbage, "is damaged (file is not a database): restore it from a backup"),
        (newer, "was made by a newer gateway (layout 7, this one knows 1): use that version"),
        (foreign, "is a database, but not of a gateway: set another path"),
        (folder_there, "cannot be opened (Is a directory"),
    ];
    for (prepare, says) in table {
        let (_folder, path) = folder();
        prepare(&path);
        let error = Sqlite::open(&path).unwrap_err().to_string();
        assert!(error.contains(says) && error.starts_with(path.to_str().unwrap()), "{error}");
    }
    let (folder, path) = folder();
    fs::write(&path, "").unwrap();
    let error = Sqlite::open(&path.join("below a file")).unwrap_err().to_string();
    assert!(error.contains("see that the folder exists and is yours"), "{error}");
    drop(folder);
}

#[test]
fn a_file_has_one_gateway_at_a_time() {
    let (_folder, path) = folder();
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(Sqlite::open(&path).unwrap_err(), StoreError::InUse { path: path.clone() });
    drop(store);
    Sqlite::open(&path).unwrap();
}

#[test]
fn what_stands_in_the_way_of_writing_is_said_with_the_next_step() {
    let (_folder, path) = folder();
    let mut store = Sqlite::open(&path).unwrap();
    store.reading.connection.busy_timeout(Duration::ZERO).unwrap();
    let change = [Change::Keep(first("one", &["a"], &["b"]))];
    let other = Reading::open(path.clone()).unwrap();
    other.run("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.write(&change).unwrap_err(), StoreError::Locked { path: path.clone() });
    drop(other);
    store.reading.run("PRAGMA query_only = ON").unwrap();
    assert_eq!(store.write(&change).unwrap_err(), StoreError::ReadOnly { path });
    store.reading.run("PRAGMA query_only = OFF").unwrap();
    store.write(&change).unwrap();
}

#[test]
fn damage_in_the_middle_is_said_when_it_is_met() {
    let (_folder, path) = folder();
    let mut store = Sqlite::open(&path).unwrap();
    let noise = "x".repeat(20_000);
    let table: Vec<Kept> = (0..20).map(|number| first(&number.to_string(), &[&noise], &[])).collect();
    for kept in &table {
        keep(&mut store, kept);
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40_960].fill(0xA5);
    fs::write(&path, bytes).unwrap();
    let mut store = Sqlite::open(&path).unwrap();
    let results: Vec<_> = table.iter().map(|kept| store.reader().context(&ann(), &kept.id)).collect();
    let damaged = |result: &&Result<_, _>| matches!(result, Err(StoreError::Corrupt { .. }));
    assert!(results.iter().filter(damaged).count() > 0, "{results:?}");
    assert!(
        results.iter().all(|result| matches!(result, Ok(Some(_)) | Err(StoreError::Corrupt { .. }))),
        "{results:?}"
    );
}

#[test]
fn another_reader_sees_what_was_acknowledged_and_writes_nothing() {
    let (_folder, path) = folder();
    let mut store = Sqlite::open(&path).unwrap();
    let mut reader = store.another_reader().unwrap().unwrap();
    let kept = first("one", &["a"], &["b"]);
    assert_eq!(reader.response(&ann(), &kept.id).unwrap(), None);
    keep(&mut store, &kept);
    assert_eq!(reader.response(&ann(), &kept.id).unwrap(), Some(kept.response.clone()));
    // Even while the writer is in the middle of something.
    store.reading.run("BEGIN IMMEDIATE; DELETE FROM response").unwrap();
    assert_eq!(reader.response(&ann(), &kept.id).unwrap(), Some(kept.response.clone()));
}

#[test]
fn the_settings_that_promises_hang_on_are_in_force() {
    let (_folder, path) = folder();
    let store = Sqlite::open(&path).unwrap();
    let table = [("synchronous", 2), ("secure_delete", 1), ("auto_vacuum", 2), ("foreign_keys", 1), ("temp_store", 2)];
    for (name, value) in table {
        assert_eq!(number(&store, &format!("PRAGMA {name}")), value, "{name}");
    }
    let mode: String = store.reading.connection.query_row("PRAGMA journal_mode", (), |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}
