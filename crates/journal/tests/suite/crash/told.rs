//! What a writer says about a disk that fails.

use journal::log::{LogError, Opened, Sharing, Writer};

use super::ledger::read;
use crate::simulated::{Simulated, place};

fn disk() -> Simulated {
    let disk = Simulated::new(7);
    disk.make_folder(place().parent().unwrap());
    disk
}

fn open(disk: &Simulated) -> (Writer, Opened) {
    Writer::open(disk.disk(), &place(), Sharing::Own, None).unwrap()
}

fn bodies(disk: &Simulated) -> Vec<String> {
    read(disk, &place(), "").into_iter().map(|(_, _, body)| body).collect()
}

#[tokio::test]
async fn a_write_that_fails_is_told_and_the_next_one_goes_on() {
    let disk = disk();
    let (writer, _) = open(&disk);
    writer.append("one".to_owned()).await.unwrap();
    disk.fail(0);
    let said = writer.append("two".to_owned()).await;
    assert!(matches!(said, Err(LogError::Disk { what: "writing", .. })), "{said:?}");
    assert_eq!(disk.failed(), ["write_at"]);
    assert_eq!(writer.append("three".to_owned()).await.unwrap().seq, 1);
    assert_eq!(bodies(&disk), ["one", "three"]);
}

#[tokio::test]
async fn after_a_sync_that_fails_nothing_is_written_until_the_log_is_opened_again() {
    let disk = disk();
    let (writer, _) = open(&disk);
    writer.append("one".to_owned()).await.unwrap();
    disk.fail(1);
    let said = writer.append("two".to_owned()).await;
    assert_eq!(disk.failed(), ["sync"]);
    assert!(matches!(said, Err(LogError::Unsure { .. })), "{said:?}");
    let before = disk.read(&place());
    assert!(matches!(writer.append("three".to_owned()).await, Err(LogError::Unsure { .. })));
    assert_eq!(disk.read(&place()), before, "it is not touched");
    assert!(matches!(writer.close().await, Err(LogError::Unsure { .. })));
    let (writer, _) = open(&disk);
    writer.append("four".to_owned()).await.unwrap();
    disk.crash(1);
    let bodies = bodies(&disk);
    assert_eq!((bodies.first().unwrap().as_str(), bodies.last().unwrap().as_str()), ("one", "four"));
}

#[tokio::test]
async fn notes_that_were_lost_are_told_once_by_a_line_that_is_not_written() {
    let disk = disk();
    let (writer, _) = open(&disk);
    writer.append("one".to_owned()).await.unwrap();
    disk.fail_from(0);
    writer.note("lost".to_owned()).await.unwrap();
    until(&disk, "set_len").await;
    disk.heal();
    // What could not be cut off makes the writer unsure: this disk is opened again.
    assert!(writer.append("two".to_owned()).await.is_err());
}

/// Waits until an operation has failed.
async fn until(disk: &Simulated, operation: &'static str) {
    while disk.failed().last() != Some(&operation) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_line_that_tells_of_lost_notes_is_not_there_and_the_next_one_is() {
    let disk = disk();
    let (writer, _) = open(&disk);
    writer.append("one".to_owned()).await.unwrap();
    disk.fail(0);
    writer.note("lost".to_owned()).await.unwrap();
    until(&disk, "write_at").await;
    let said = writer.append("two".to_owned()).await;
    assert!(matches!(said, Err(LogError::Disk { what: "writing", .. })), "{said:?}");
    writer.append("three".to_owned()).await.unwrap();
    assert_eq!(bodies(&disk), ["one", "three"]);
    disk.fail(0);
    writer.note("lost too".to_owned()).await.unwrap();
    until(&disk, "write_at").await;
    let said = writer.close().await;
    assert!(matches!(said, Err(LogError::Disk { what: "writing", .. })), "closing tells as well: {said:?}");
    let (_writer, opened) = open(&disk);
    assert_eq!((opened.next.seq, opened.torn), (2, None));
}

#[tokio::test]
async fn a_torn_tail_is_dropped_and_named() {
    let disk = disk();
    let (writer, _) = open(&disk);
    let end = writer.append("one".to_owned()).await.unwrap().end;
    writer.close().await.unwrap();
    let mut bytes = disk.read(&place()).unwrap();
    bytes.extend(b"half of a li\0\0\0\0");
    disk.put(&place(), &bytes);
    let (writer, opened) = open(&disk);
    let torn = opened.torn.unwrap();
    assert_eq!((torn.at, torn.bytes.as_slice()), (end, b"half of a li".as_slice()));
    writer.append("two".to_owned()).await.unwrap();
    assert_eq!(bodies(&disk), ["one", "two"]);
}

#[tokio::test]
async fn a_body_is_one_line_and_not_too_long() {
    let disk = disk();
    let (writer, _) = open(&disk);
    let said = writer.append("two\nlines".to_owned()).await;
    assert!(matches!(said, Err(LogError::NotOneLine)), "{said:?}");
    let said = writer.append("x".repeat(journal::log::MAX_BODY + 1)).await;
    assert!(matches!(said, Err(LogError::TooLong { .. })), "{said:?}");
    let reserved = writer.reserve().await.unwrap();
    assert!(matches!(reserved.write("\n".to_owned()), Err(LogError::NotOneLine)));
    let longest = "\0".repeat(journal::log::MAX_BODY);
    writer.append(longest.clone()).await.unwrap();
    assert_eq!(bodies(&disk), [longest]);
}
