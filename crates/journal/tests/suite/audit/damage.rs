//! Whatever is done to a log, it is found and named.

use data_encoding::HEXLOWER;
use journal::audit::verify::{Finding, Report, Trust, Why};
use journal::log::{Damage, Fault};
use sha2::{Digest as _, Sha256};

use super::room::{Home, Still};

/// Which bits of a byte are turned over.
const MASKS: [u8; 4] = [0x01, 0x04, 0x80, 0xFF];

/// A small log, with the key that is trusted.
async fn small() -> (Home, Still) {
    let home = Home::with_acts(3).await;
    let still = Still::of(&home.folder());
    (home, still)
}

/// The record in which each byte of a log stands.
fn record_of(log: &[u8]) -> Vec<u64> {
    let mut record = 0;
    log.iter()
        .map(|byte| {
            let of = record;
            record += u64::from(*byte == b'\n');
            of
        })
        .collect()
}

/// Lines that follow each other, whoever wrote them: what somebody makes who has no key.
fn chained(bodies: &[String], mark: char) -> Vec<u8> {
    let mut before = [0; 32];
    let mut log = Vec::new();
    for (seq, body) in bodies.iter().enumerate() {
        let bound = format!("{seq} {mark} {body}");
        before = Sha256::new().chain_update(before).chain_update(&bound).finalize().into();
        log.extend(format!("{} {bound}\n", HEXLOWER.encode(&before)).into_bytes());
    }
    log
}

/// The record that a report names first.
fn first_named(report: &Report) -> Option<u64> {
    match report.findings.first()? {
        Finding::Record(Damage { seq, .. }) => Some(*seq),
        Finding::Rewritten { records, .. } | Finding::Missing { records, .. } | Finding::Unvouched { records } => {
            Some(records.start)
        }
        Finding::Checkpoint { .. } | Finding::OtherKey | Finding::Unsigned => None,
    }
}

/// The text of a log made of these lines.
fn joined(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

#[tokio::test]
async fn every_flipped_byte_of_the_log_is_found_and_named() {
    let (home, still) = small().await;
    let key = home.key();
    let trust = Trust { key: Some(&key), since: None };
    let log = still.0["log"].clone();
    assert!(still.verify(trust).is_whole());
    assert_eq!(log.len(), joined(&home.lines()).len(), "nothing but lines is in a log that was closed");
    for (at, record) in record_of(&log).into_iter().enumerate() {
        for mask in MASKS {
            let mut flipped = log.clone();
            flipped[at] ^= mask;
            let report = still.with("log", flipped).verify(trust);
            assert_eq!(first_named(&report), Some(record), "byte {at} ^ {mask}: {:?}", report.findings);
        }
    }
}

#[tokio::test]
async fn every_flipped_byte_of_the_checkpoints_is_found_and_named() {
    let (home, still) = small().await;
    let key = home.key();
    for name in ["checkpoint", "checkpoints"] {
        let text = still.0[name].clone();
        for (at, mask) in (0..text.len()).flat_map(|at| MASKS.map(|mask| (at, mask))) {
            let mut flipped = text.clone();
            flipped[at] ^= mask;
            let report = still.with(name, flipped).verify(Trust { key: Some(&key), since: None });
            let named = |finding: &Finding| matches!(finding, Finding::Checkpoint { file, .. } if *file == name);
            assert!(report.findings.iter().any(named), "byte {at} ^ {mask} of {name}: {:?}", report.findings);
        }
    }
}

#[tokio::test]
async fn every_record_removed_doubled_or_moved_is_found_and_named() {
    let (home, still) = small().await;
    let lines = home.lines();
    let verify = |lines: &[String]| still.with("log", joined(lines)).verify(Trust::default());
    for at in 0..lines.len() {
        let mut removed = lines.clone();
        removed.remove(at);
        let report = verify(&removed);
        assert_eq!(first_named(&report), Some(at as u64), "{at} removed: {:?}", report.findings);
        if at + 1 < lines.len() {
            let missing = Fault::Instead(at as u64 + 1);
            assert!(matches!(&report.findings[0], Finding::Record(damage) if damage.fault == missing));
        }
        let mut doubled = lines.clone();
        doubled.insert(at + 1, lines[at].clone());
        let report = verify(&doubled);
        assert_eq!(first_named(&report), Some(at as u64 + 1), "{at} doubled: {:?}", report.findings);
        for other in at + 1..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(at, other);
            let report = verify(&swapped);
            assert_eq!(first_named(&report), Some(at as u64), "{at} and {other}: {:?}", report.findings);
        }
    }
}

#[tokio::test]
async fn a_log_cut_at_any_byte_is_found_and_what_is_missing_is_named() {
    let (_home, still) = small().await;
    let log = &still.0["log"];
    let records = record_of(log);
    let all = records.last().unwrap() + 1;
    for (at, record) in records.iter().enumerate() {
        let report = still.with("log", log[..at].to_vec()).verify(Trust::default());
        let begins = records.iter().position(|one| one == record).unwrap();
        let Finding::Missing { unproved, .. } = report.findings[0] else { panic!("{:?}", report.findings) };
        let missing = Finding::Missing { records: *record..all, unproved, unfinished: at - begins };
        assert_eq!(report.findings, [missing], "cut at {at}");
        assert_eq!(report.entries, *record);
    }
}

#[tokio::test]
async fn a_log_made_anew_without_the_key_is_found_and_the_record_is_among_those_named() {
    let home = Home::with_acts(2).await;
    // Another process: another checkpoint in the history.
    home.open().await.unwrap().close().await.unwrap();
    let still = Still::of(&home.folder());
    let bodies = home.bodies();
    let verify = |bodies: &[String]| still.with("log", chained(bodies, '=')).verify(Trust::default());
    let forged = bodies[2].replace("cargo test", "cargo tent");
    for at in 0..bodies.len() {
        let mut changed = bodies.clone();
        changed[at].push(' ');
        let mut removed = bodies.clone();
        removed.remove(at);
        let mut added = bodies.clone();
        added.insert(at, forged.clone());
        for (what, forged) in [("changed", changed), ("removed", removed), ("added", added)] {
            let report = verify(&forged);
            let named = |finding: &Finding| match finding {
                Finding::Rewritten { records, .. } => records.contains(&(at as u64)),
                Finding::Missing { records, unproved, .. } => (*unproved..records.end).contains(&(at as u64)),
                _ => false,
            };
            assert!(report.findings.iter().any(named), "{at} {what}: {:?}", report.findings);
            let chain_is_whole = report.findings.iter().all(|finding| !matches!(finding, Finding::Record(_)));
            assert!(chain_is_whole, "{at} {what}: {:?}", report.findings);
        }
    }
    let mut swapped = bodies.clone();
    swapped.swap(2, 3);
    let report = verify(&swapped);
    assert_eq!(report.findings, [Finding::Rewritten { records: 1..4, size: 6 }], "between two checkpoints, by a peak");
}

#[tokio::test]
async fn of_a_log_that_was_cut_what_is_left_is_compared_with_what_was_signed() {
    let (home, still) = small().await;
    let mut bodies = home.bodies();
    bodies.pop();
    let missing = |unproved| Finding::Missing { records: 6..7, unproved, unfinished: 0 };
    let report = still.with("log", chained(&bodies, '=')).verify(Trust::default());
    assert_eq!(report.findings, [missing(6)], "all that is left was proved");
    bodies[2].push(' ');
    let report = still.with("log", chained(&bodies, '=')).verify(Trust::default());
    assert_eq!(report.findings, [Finding::Rewritten { records: 1..4, size: 7 }, missing(6)]);
    bodies.truncate(5);
    bodies[2].pop();
    bodies[4].push(' ');
    let report = still.with("log", chained(&bodies, '=')).verify(Trust::default());
    let Finding::Missing { records, unproved, .. } = &report.findings[0] else { panic!("{:?}", report.findings) };
    assert_eq!((records.clone(), *unproved), (5..7, 4), "what stands below half of a peak cannot be compared");
}

#[tokio::test]
async fn the_same_records_in_other_lines_are_found_too() {
    let (home, still) = small().await;
    // All bodies are as they were; only the marks differ, and with them all hashes.
    let log = chained(&home.bodies(), '-');
    let report = still.with("log", log).verify(Trust::default());
    assert!(matches!(report.findings[0], Finding::Rewritten { .. }), "{:?}", report.findings);
}

#[tokio::test]
async fn what_is_added_at_the_end_is_told_from_what_was_signed() {
    let (home, still) = small().await;
    let mut bodies = home.bodies();
    bodies.push(bodies[1].clone());
    let report = still.with("log", chained(&bodies, '=')).verify(Trust::default());
    assert_eq!((report.newer, report.is_whole()), (1, true));
    assert_eq!(report.open_count, 1, "it says that an act began");
    bodies.push(bodies[2].clone());
    bodies.push(bodies[2].clone());
    let report = still.with("log", chained(&bodies, '=')).verify(Trust::default());
    assert_eq!((report.newer, report.open_count, report.loose_count), (3, 0, 1), "an end twice");
}

#[tokio::test]
async fn a_checkpoint_kept_elsewhere_shows_what_was_rolled_back() {
    let home = Home::with_acts(1).await;
    let earlier = Still::of(&home.folder());
    let audit = home.open().await.unwrap();
    audit.close().await.unwrap();
    let key = home.key();
    let later = String::from_utf8(Still::of(&home.folder()).0["checkpoint"].clone()).unwrap();
    assert!(earlier.verify(Trust { key: Some(&key), since: None }).is_whole(), "by itself an older state is whole");
    let report = earlier.verify(Trust { key: Some(&key), since: Some(&later) });
    assert_eq!(report.findings, [Finding::Missing { records: 3..4, unproved: 3, unfinished: 0 }]);
    assert!(Still::of(&home.folder()).verify(Trust { key: Some(&key), since: Some(&later) }).is_whole());
}

#[tokio::test]
async fn a_log_begun_anew_with_another_key_is_not_believed() {
    let (home, other) = (Home::with_acts(1).await, Home::with_acts(1).await);
    let key = home.key();
    let report = Still::of(&other.folder()).verify(Trust { key: Some(&key), since: None });
    assert_eq!(report.findings[0], Finding::OtherKey);
    assert!(report.findings.contains(&Finding::Unsigned) && report.checkpoints == 0, "{:?}", report.findings);
}

#[tokio::test]
async fn checkpoints_that_were_taken_away_or_moved_are_missed() {
    let home = Home::with_acts(1).await;
    home.open().await.unwrap().close().await.unwrap();
    let still = Still::of(&home.folder());
    let report = still.with("checkpoint", Vec::new()).verify(Trust::default());
    assert_eq!(report.findings, [Finding::Checkpoint { file: "checkpoint", at: 0, why: Why::Missing }]);
    let report = still.with("checkpoint", Vec::new()).with("checkpoints", Vec::new()).verify(Trust::default());
    assert!(report.findings.contains(&Finding::Unsigned), "{:?}", report.findings);
    let history = String::from_utf8(still.0["checkpoints"].clone()).unwrap();
    let second = history[1..].find("capstan/audit/").and_then(|_| history.find("\n\ncapstan")).unwrap() + 2;
    let turned = format!("{}{}", &history[second..], &history[..second]);
    let report = still.with("checkpoints", turned.into_bytes()).verify(Trust::default());
    let order = |finding: &Finding| matches!(finding, Finding::Checkpoint { file: "checkpoints", why: Why::Order, .. });
    assert!(report.findings.iter().any(order), "{:?}", report.findings);
}
