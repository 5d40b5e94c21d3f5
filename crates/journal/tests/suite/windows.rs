//! The end of a log is found however far from it one has to look, and in constant memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use allocation_counter::measure;
use journal::disk::Machine;
use journal::log::{Found, MAX_BODY, MAX_UNSYNCED, Opened, Reader, Sharing, Writer};
use tempfile::TempDir;

use crate::format::Text;
use crate::simulated::{Simulated, place};

fn open(bytes: &[u8]) -> Opened {
    let disk = Simulated::new(0);
    disk.put(&place(), bytes);
    Writer::open(disk.disk(), &place(), Sharing::Own, None).unwrap().1
}

/// As much as may stand between a mark and the next: what stays unsynced, and a batch. All in lines of one length.
fn epoch(text: &mut Text, length: usize) {
    let most = usize::try_from(MAX_UNSYNCED).unwrap() + (4 << 20) - 2 * MAX_BODY;
    text.push('=', &"x".repeat(length));
    (0..most / (length + 90)).for_each(|_| text.push('-', &"y".repeat(length)));
}

#[test]
fn a_torn_mark_after_long_stretches_without_one_is_a_torn_tail() {
    for length in [300, 60_000, MAX_BODY] {
        let mut text = Text::new();
        text.push('=', "first");
        epoch(&mut text, length);
        epoch(&mut text, length);
        let mark = text.lines.len();
        epoch(&mut text, length);
        let bytes = text.bytes();
        assert_eq!(open(&bytes).next.seq, text.lines.len() as u64);
        let mut torn = bytes;
        torn[text.start(mark) + 70] ^= 1;
        let opened = open(&torn);
        assert_eq!(opened.next.seq, mark as u64, "lines of {length}");
        assert_eq!(opened.torn.unwrap().bytes.len(), torn.len() - text.start(mark));
    }
}

#[test]
fn the_end_is_found_behind_lines_of_any_length() {
    // Around what is looked at first.
    for length in [1, 100, 32_600, 32_700, 65_000, 65_400, 65_440, 65_536, 70_000, 131_000, 900_000, MAX_BODY] {
        for marks in ["==", "=-", "===", "==-", "=--", "=-=", "=---=--="] {
            let mut text = Text::new();
            for mark in marks.chars() {
                text.push(mark, &"z".repeat(length));
            }
            let bytes = text.bytes();
            let opened = open(&bytes);
            assert_eq!((opened.next.seq, opened.next.at), (marks.len() as u64, bytes.len() as u64));
            let cut = &bytes[..bytes.len() - 1];
            assert_eq!(open(cut).next.seq, marks.len() as u64 - 1, "{marks} of {length}, cut");
        }
    }
}

/// A log on a real disk, of notes of a kilobyte; the last line is asked for.
async fn written(folder: &Path, bytes: u64) -> PathBuf {
    let path = folder.join("log");
    let (writer, _) = Writer::open(Arc::new(Machine), &path, Sharing::Own, None).unwrap();
    for _ in 0..bytes / 1024 {
        writer.note("n".repeat(960)).await.unwrap();
    }
    writer.close().await.unwrap();
    path
}

/// Opens and reads a log of so many bytes. Says how much memory was in use for that at once, at most.
async fn memory_for(bytes: u64) -> u64 {
    let folder = TempDir::new().unwrap();
    let path = written(folder.path(), bytes).await;
    assert!(std::fs::metadata(&path).unwrap().len() >= bytes);
    let opened = measure(|| drop(Writer::open(Arc::new(Machine), &path, Sharing::Own, None).unwrap()));
    let read = measure(|| {
        let mut reader = Reader::open(&Machine, &path).unwrap();
        let mut lines = 0;
        while let Some(found) = reader.next().unwrap() {
            assert!(matches!(found, Found::Line(_)), "{found:?}");
            lines += 1;
        }
        assert_eq!(lines, bytes / 1024);
    });
    eprintln!("{} MB: {} bytes to open, {} to read", bytes >> 20, opened.bytes_max, read.bytes_max);
    opened.bytes_max.max(read.bytes_max)
}

#[tokio::test]
async fn a_log_of_any_length_is_opened_and_read_in_four_megabytes() {
    assert!(memory_for(32 << 20).await < 4 << 20);
}

#[tokio::test]
#[ignore = "writes a gigabyte"]
async fn a_log_of_a_gigabyte_is_opened_and_read_in_four_megabytes() {
    assert!(memory_for(1 << 30).await < 4 << 20);
}
