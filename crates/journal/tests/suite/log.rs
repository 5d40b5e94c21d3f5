//! One writer, many readers.

use std::path::PathBuf;
use std::sync::Arc;

use journal::disk::Machine;
use journal::log::{Found, LogError, Opened, Reader, Sharing, Writer};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("log");
    (folder, path)
}

fn open(path: &std::path::Path) -> Result<(Writer, Opened), LogError> {
    Writer::open(Arc::new(Machine), path, Sharing::Own, None)
}

/// All lines of a log.
fn read(path: &std::path::Path) -> Vec<(u64, String)> {
    let mut reader = Reader::open(&Machine, path).unwrap();
    let mut lines = Vec::new();
    while let Some(found) = reader.next().unwrap() {
        let Found::Line(line) = found else { panic!("{found:?}") };
        lines.push((line.seq, line.body.to_owned()));
    }
    lines
}

#[tokio::test]
async fn what_was_acknowledged_is_read_again_and_gone_on_from() {
    let (_folder, path) = place();
    let (writer, opened) = open(&path).unwrap();
    assert_eq!((opened.next.seq, opened.torn), (0, None));
    writer.append("one".to_owned()).await.unwrap();
    writer.note("two".to_owned()).await.unwrap();
    let three = writer.append("three".to_owned()).await.unwrap();
    assert_eq!(three.seq, 2);
    assert_eq!(read(&path), [(0, "one".into()), (1, "two".into()), (2, "three".into())], "read while it is written");
    let closed = writer.close().await.unwrap();
    assert_eq!(closed, three);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), three.end, "no zeros are left behind");
    let (writer, opened) = open(&path).unwrap();
    assert_eq!((opened.next.seq, opened.next.before, opened.torn), (3, three.hash, None));
    writer.append("four".to_owned()).await.unwrap();
    assert_eq!(read(&path).len(), 4);
}

#[tokio::test]
async fn a_log_has_one_owner() {
    let (_folder, path) = place();
    let (writer, _) = open(&path).unwrap();
    assert!(matches!(open(&path), Err(LogError::InUse { .. })));
    writer.close().await.unwrap();
    open(&path).unwrap();
}

#[tokio::test]
async fn two_writers_of_a_shared_log_make_one_chain() {
    let (_folder, path) = place();
    let shared = || Writer::open(Arc::new(Machine), &path, Sharing::Shared, None).unwrap().0;
    let (one, two) = (shared(), shared());
    for round in 0..50 {
        one.append(format!("one {round}")).await.unwrap();
        two.append(format!("two {round}")).await.unwrap();
    }
    one.close().await.unwrap();
    two.append("last".to_owned()).await.unwrap();
    assert_eq!(read(&path).len(), 101);
}
