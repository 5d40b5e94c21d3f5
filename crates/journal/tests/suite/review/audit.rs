//! An audit log of which others take parts away, or which they leave half written.

use std::task::{Context, Waker};

use journal::audit::entry::{Entry, Recorded};

use crate::audit::room::{Home, begun, ended};

/// What was said to be cut off: of which file, and how much.
fn torn(home: &Home) -> Vec<(String, u64)> {
    let bodies = home.bodies();
    let torn = bodies.iter().filter_map(|body| match Recorded::read(body).unwrap().entry {
        Entry::Torn(torn) => Some((torn.file.into_owned(), torn.bytes)),
        _ => None,
    });
    torn.collect()
}

/// Puts this after what stands in the log, over the zeros there.
fn leave_half(home: &Home, half: &[u8]) {
    let log = home.folder().join("log");
    let mut text = std::fs::read(&log).unwrap();
    let end = text.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    text.resize(text.len().max(end + half.len()), 0);
    text[end..end + half.len()].copy_from_slice(half);
    std::fs::write(&log, text).unwrap();
}

#[tokio::test]
async fn what_another_process_left_half_written_is_written_down_by_whoever_cuts_it_off() {
    let home = Home::new();
    let audit = home.open().await.unwrap();
    let act = async |call| {
        let ticket = audit.begin(begun(call)).await.unwrap();
        ticket.end(ended("done")).unwrap().on_disk().await.unwrap();
    };
    act("one").await;
    leave_half(&home, b"half of a line");
    act("two").await;
    assert_eq!(torn(&home), [("log".to_owned(), 14)]);
    leave_half(&home, b"half of the last line");
    audit.close().await.unwrap();
    assert_eq!(torn(&home), [("log".to_owned(), 14), ("log".to_owned(), 21)], "closing cuts off too");
    let report = home.verify();
    assert!(report.is_whole() && report.newer == 0 && report.unfinished == 0, "{report:?}");
}

#[tokio::test]
async fn a_log_is_closed_when_the_acts_that_are_under_way_have_ended() {
    let home = Home::new();
    let audit = home.open().await.unwrap();
    let (one, other) = (audit.begin(begun("one")).await.unwrap(), audit.begin(begun("two")).await.unwrap());
    let mut closing = Box::pin(audit.clone().close());
    let mut context = Context::from_waker(Waker::noop());
    assert!(closing.as_mut().poll(&mut context).is_pending());
    assert!(audit.room().await.is_err(), "no act begins any more");
    let ended = one.end(ended("done")).unwrap();
    drop(other);
    let last = closing.await.unwrap();
    ended.on_disk().await.unwrap();
    let report = home.verify();
    assert_eq!((report.open_count, report.entries), (0, last.seq + 1), "{report:?}");
}

#[tokio::test]
async fn files_of_the_log_that_were_taken_away_are_named() {
    for name in ["checkpoint", "checkpoints"] {
        let home = Home::with_acts(3).await;
        std::fs::remove_file(home.folder().join(name)).unwrap();
        let report = home.verify();
        let named = report.findings.iter().any(|finding| finding.to_string().contains(&format!("`{name}`")));
        assert!(named && !report.is_whole(), "{name}: {report:?}");
    }
}

#[tokio::test]
async fn more_unsigned_records_than_a_crash_can_leave_are_not_whole() {
    let home = Home::with_acts(3000).await;
    let history = std::fs::read_to_string(home.folder().join("checkpoints")).unwrap();
    let first = history.split_inclusive("\n\n").take(2).collect::<String>();
    std::fs::write(home.folder().join("checkpoints"), &first).unwrap();
    std::fs::write(home.folder().join("checkpoint"), first.trim_end_matches('\n').to_owned() + "\n").unwrap();
    let report = home.verify();
    assert!(!report.is_whole(), "{} records of {} are not signed, and it is whole", report.newer, report.entries);
}
