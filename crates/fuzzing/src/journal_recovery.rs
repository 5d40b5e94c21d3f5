//! A log that somebody or something was at.

mod disk;
mod edits;

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use disk::Memory;
use journal::log::{Found, LogError, Opened, Reader, Sharing, Start, Writer};

const LOG: &str = "log";

/// The first byte says whether the rest is the log itself, or first the lines of a good one and then, after a line break,
/// what is done to it. Opening it never falls, never drops what a mark says was whole, and loses no byte that it does not
/// name. What is damaged is left alone. What was opened goes on: what is written next is read again.
///
/// # Panics
///
/// If that does not hold.
pub fn journal_recovery(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let log = if kind % 2 == 0 { rest.to_vec() } else { edits::edited(rest) };
    let disk = Arc::new(Memory::new(log.clone()));
    let damaged = read(&disk, log.len()) > 0;
    let opened = Writer::open(Arc::<Memory>::clone(&disk), Path::new(LOG), Sharing::Own, None);
    match opened {
        Ok((writer, opened)) => goes_on(&disk, &log, writer, &opened),
        Err(error) => {
            assert!(matches!(error, LogError::Damaged { .. }), "{error}");
            assert!(damaged || log.len() > 1 << 20, "a reader finds nothing wrong: {error}");
            assert_eq!(disk.bytes(), log, "what is damaged is left alone");
        }
    }
}

/// Reads all of it, and says how much of it is damaged.
fn read(disk: &Memory, length: usize) -> usize {
    let reader = Reader::open(disk, Path::new(LOG));
    assert!(reader.is_ok(), "it is there");
    let Ok(mut reader) = reader else { return 0 };
    let (mut found, mut damaged) = (0, 0);
    while let Ok(Some(what)) = reader.next() {
        found += 1;
        damaged += usize::from(matches!(what, Found::Damage(_)));
        assert!(found <= 2 * length, "more found than there is");
    }
    damaged
}

fn goes_on(disk: &Arc<Memory>, log: &[u8], writer: Writer, opened: &Opened) {
    let at = usize::try_from(opened.next.at).unwrap_or(usize::MAX);
    let (kept, rest) = log.split_at_checked(at).unwrap_or((log, &[]));
    let torn = opened.torn.as_ref().map_or(&[][..], |torn| &torn.bytes);
    assert!(rest.starts_with(torn) && rest.iter().skip(torn.len()).all(|byte| *byte == 0), "what is dropped is named");
    let marked = torn.split_inclusive(|byte| *byte == b'\n').skip(1).any(is_marked);
    assert!(!marked, "a mark says that what was dropped had been whole");
    assert!(disk.bytes() == kept, "what is kept is as it was");

    let (one, two) = (append(&writer, "one"), append(&writer, "two"));
    drop(at_once(pin!(writer.close())));
    let closed = opened.next.seq + 2;
    assert_eq!((one, two), (Some(closed - 2), Some(closed - 1)));
    assert_eq!(after(disk, opened.next), ["one", "two"]);
    assert!(disk.bytes().starts_with(kept));
}

/// Appends a line and says which number it has.
fn append(writer: &Writer, body: &str) -> Option<u64> {
    let handed = at_once(pin!(writer.hand_over(body.to_owned())))?.ok()?;
    Some(handed.block().ok()?.seq)
}

/// What a future has that need not be waited for.
fn at_once<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// The lines from a place on, none of them damaged.
fn after(disk: &Memory, start: Start) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(mut reader) = Reader::at(disk, Path::new(LOG), start) else { return lines };
    while let Ok(Some(found)) = reader.next() {
        match found {
            Found::Line(line) => lines.push(line.body.to_owned()),
            Found::Damage(damage) => lines.push(damage.to_string()),
        }
    }
    lines
}

/// Whether this is a line with a mark, whatever its hash is.
fn is_marked(text: &[u8]) -> bool {
    let parts =
        |text| str::from_utf8(text).ok()?.strip_suffix('\n')?.splitn(4, ' ').collect::<Vec<_>>().try_into().ok();
    let Some::<[&str; 4]>([hash, number, "=", _]) = parts(text) else { return false };
    let canonical = number.parse::<u64>().is_ok_and(|value| value < u64::MAX && value.to_string() == number);
    hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) && canonical
}
