//! Whatever fails and whenever the power is lost: the log goes on, is whole, and has what was acknowledged.

use std::path::{Path, PathBuf};

use journal::audit::entry::{Entry, Recorded, Session};
use journal::audit::verify::Trust;
use journal::audit::{Audit, AuditError, folder, verify};
use journal::disk::Disk;
use journal::log::{Found, Hash, LogError, Reader};

use super::room::{begun, ended, options};
use crate::simulated::Simulated;

fn home() -> PathBuf {
    PathBuf::from("/home")
}

/// What was acknowledged: words that stand in the log for it.
type Told = Vec<String>;

async fn open(disk: &Simulated) -> Result<Audit, AuditError> {
    Audit::open(disk.disk(), &home(), options()).await
}

/// Two processes that write by turns, as long as they can; acts in the one, notes in the other.
async fn story(disk: &Simulated, told: &mut Told) -> Result<(), AuditError> {
    let (one, other) = (open(disk).await?, open(disk).await?);
    for turn in 0..3 {
        let ticket = one.begin(begun(&format!("call {turn}"))).await?;
        told.push(format!(r#""kind":"begun","act":"{}""#, ticket.act()));
        let words = format!("session of turn {turn}");
        note(&other, &words).await?;
        told.push(words);
        let ends = format!(r#""kind":"ended","act":"{}","outcome":"done""#, ticket.act());
        ticket.end(ended("done"))?.on_disk().await?;
        told.push(ends);
    }
    one.close().await?;
    note(&other, "the last").await?;
    told.push("the last".to_owned());
    other.close().await?;
    Ok(())
}

async fn note(audit: &Audit, id: &str) -> Result<(), LogError> {
    let session = Session { id: id.into(), head: Hash::of(b"head"), records: 1 };
    audit.record(Entry::Session(session)).await.map(drop)
}

fn bodies(disk: &dyn Disk) -> Vec<String> {
    let mut reader = Reader::open(disk, &folder(&home()).join("log")).unwrap();
    let mut bodies = Vec::new();
    while let Some(found) = reader.next().unwrap() {
        let Found::Line(line) = found else { panic!("{found:?}") };
        bodies.push(line.body.to_owned());
    }
    bodies
}

/// Another process goes on, and finds all that was acknowledged.
async fn goes_on(disk: &Simulated, told: &Told, context: &str) {
    let audit = open(disk).await.unwrap_or_else(|error| panic!("{context}: {error}"));
    note(&audit, "after").await.unwrap();
    audit.close().await.unwrap();
    let report = verify::folder(&*disk.disk(), &folder(&home()), Trust::default()).unwrap();
    assert!(report.is_whole() && report.newer == 0, "{context}: {:?}", report.findings);
    let bodies = bodies(&*disk.disk());
    for words in told {
        assert!(bodies.iter().any(|body| body.contains(words)), "{context}: {words} is lost");
    }
    let unreadable = bodies.iter().find(|body| Recorded::read(body).is_err());
    assert_eq!(unreadable, None, "{context}");
}

/// How many operations the story takes.
async fn operations() -> u64 {
    let disk = Simulated::new(0);
    disk.make_folder(Path::new("/home"));
    story(&disk, &mut Told::new()).await.unwrap();
    disk.operations()
}

#[tokio::test]
async fn the_power_may_be_lost_after_any_operation() {
    for after in 0..=operations().await {
        for seed in 0..6 {
            let disk = Simulated::new(seed);
            disk.make_folder(Path::new("/home"));
            disk.fail_from(after);
            let mut told = Told::new();
            let _ = story(&disk, &mut told).await;
            disk.crash(seed);
            goes_on(&disk, &told, &format!("after {after} operations, seed {seed}")).await;
        }
    }
}

#[tokio::test]
async fn any_operation_may_fail_with_the_power_lost_then_or_not() {
    for after in 0..=operations().await {
        for (seed, crash) in [(1, true), (2, true), (3, false)] {
            let disk = Simulated::new(seed);
            disk.make_folder(Path::new("/home"));
            disk.fail(after);
            let mut told = Told::new();
            let done = story(&disk, &mut told).await;
            let context = format!("operation {after} {:?}, seed {seed}: {done:?}", disk.failed());
            if crash {
                disk.crash(seed);
            }
            disk.heal();
            goes_on(&disk, &told, &context).await;
        }
    }
}

#[tokio::test]
async fn a_key_that_was_told_is_the_key_after_the_power_was_lost() {
    let disk = Simulated::new(7);
    disk.make_folder(Path::new("/home"));
    let audit = open(&disk).await.unwrap();
    let key = audit.key().clone();
    disk.crash(7);
    drop(audit);
    assert_eq!(*open(&disk).await.unwrap().key(), key);
}
