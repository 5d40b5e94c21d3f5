//! Every operation of a script made to fail, one after the other, and the power lost after it.

use std::path::Path;

use journal::log::{LogError, Sharing, Writer};

use super::ledger::{Ledger, read};
use crate::simulated::{Simulated, place};

/// What somebody does with a log.
#[derive(Debug, Clone, Copy)]
enum Step {
    Append(usize),
    Note(usize),
    /// So many handed over before any is waited for, with a note in between.
    Together(usize),
    Close,
}

use Step::{Append, Close, Note, Together};

/// Short and long lines, notes with and without one that asks, lines over the end of a piece and of a page.
const ALONE: &[(usize, Step)] = &[
    (0, Append(10)),
    (0, Note(600)),
    (0, Append(5000)),
    (0, Together(5)),
    (0, Note(10)),
    (0, Note(20_000)),
    (0, Close),
    (0, Append(3)),
    (0, Note(700)),
    (0, Append(900)),
    (0, Close),
    (0, Note(30)),
    (0, Close),
    (0, Append(700)),
];

/// More than the file is lengthened by, and more than stays unsynced.
const MUCH: &[(usize, Step)] = &[
    (0, Append(900)),
    (0, Note(400_000)),
    (0, Note(500_000)),
    (0, Note(200_000)),
    (0, Append(9)),
    (0, Note(900_000)),
    (0, Append(300_000)),
    (0, Close),
];

const SHARED: &[(usize, Step)] = &[
    (0, Append(10)),
    (1, Append(600)),
    (1, Together(3)),
    (0, Note(5000)),
    (0, Append(20)),
    (1, Append(20)),
    (0, Close),
    (1, Append(700)),
    (0, Append(7000)),
    (1, Together(2)),
    (0, Append(1)),
    (1, Append(9)),
];

/// What fails.
#[derive(Debug, Clone, Copy)]
enum Failing {
    Nothing,
    /// One operation.
    One(u64),
    /// All from one on: the power is lost there.
    From(u64),
}

/// Opens a log, again if that fails.
fn open(disk: &Simulated, path: &Path, sharing: Sharing) -> Option<Writer> {
    (0..3).find_map(|_| match Writer::open(disk.disk(), path, sharing, None) {
        Ok((writer, _)) => Some(writer),
        Err(LogError::Disk { .. }) => None,
        Err(other) => panic!("{other}"),
    })
}

struct Player {
    disk: Simulated,
    sharing: Sharing,
    writers: [Option<Writer>; 2],
    ledger: Ledger,
}

impl Player {
    /// One step. Who is unsure ends, and opens the log again.
    async fn step(&mut self, who: usize, step: Step) {
        let path = place();
        let writer = self.writers[who].take().or_else(|| open(&self.disk, &path, self.sharing));
        let Some(writer) = writer else { return };
        let said = self.act(&writer, who, step).await;
        let ended = matches!(step, Close) || said.iter().any(|said| matches!(said, Err(LogError::Unsure { .. })));
        if ended {
            let _ = writer.close().await;
        } else {
            self.writers[who] = Some(writer);
        }
    }

    async fn act(&mut self, writer: &Writer, who: usize, step: Step) -> Vec<Result<(), LogError>> {
        match step {
            Append(length) => {
                let body = self.ledger.body(who, length);
                let said = writer.append(body.clone()).await;
                self.ledger.told(body, &said);
                vec![said.map(drop)]
            }
            Note(length) => vec![writer.note(self.ledger.body(who, length)).await],
            Together(count) => {
                let mut receipts = Vec::new();
                for length in (0..count).map(|index| index * 900) {
                    let body = self.ledger.body(who, length);
                    receipts.push((body.clone(), writer.hand_over(body).await));
                    let _ = writer.note(self.ledger.body(who, 33)).await;
                }
                let mut all = Vec::new();
                for (body, receipt) in receipts {
                    let said = match receipt {
                        Ok(receipt) => receipt.on_disk().await,
                        Err(error) => Err(error),
                    };
                    self.ledger.told(body, &said);
                    all.push(said.map(drop));
                }
                all
            }
            Close => Vec::new(),
        }
    }
}

/// Plays a script, loses the power, opens the log again, goes on, loses the power again. Says how many operations the
/// script took.
async fn play(script: &[(usize, Step)], sharing: Sharing, failing: Failing, seed: u64) -> u64 {
    let disk = Simulated::new(seed);
    disk.make_folder(place().parent().unwrap());
    match failing {
        Failing::Nothing => {}
        Failing::One(at) => disk.fail(at),
        Failing::From(at) => disk.fail_from(at),
    }
    let mut player = Player { disk: disk.clone(), sharing, writers: [None, None], ledger: Ledger::default() };
    for (who, step) in script {
        player.step(*who, *step).await;
    }
    let operations = disk.operations();
    for again in 0..3 {
        let context = format!("{failing:?} ({:?}), seed {seed}, crash {again}", disk.failed());
        disk.crash(seed * 3 + again);
        player.writers = [None, None];
        let opened = Writer::open(disk.disk(), &place(), sharing, None);
        let (writer, opened) = opened.unwrap_or_else(|error| panic!("{context}: {error}"));
        let lines = read(&disk, &place(), &context);
        player.ledger.check(&lines, &context);
        assert_eq!(opened.next.seq, lines.len() as u64, "{context}");
        player.writers[0] = Some(writer);
        player.step(0, Append(1)).await;
        player.step(0, Note(5000)).await;
        player.step(0, Append(2)).await;
        player.ledger.check(&read(&disk, &place(), &context), &context);
    }
    operations
}

async fn every_operation(script: &[(usize, Step)], sharing: Sharing, failing: fn(u64) -> Failing, seeds: u64) {
    let operations = play(script, sharing, Failing::Nothing, 0).await;
    assert!(operations > 10, "a script of {operations} operations");
    // A failure takes some more.
    for at in 0..operations + 5 {
        for seed in 1..=seeds {
            play(script, sharing, failing(at), seed).await;
        }
    }
}

const SEEDS: u64 = 16;

#[tokio::test]
async fn one_operation_among_long_notes_fails_and_nothing_acknowledged_is_lost() {
    every_operation(MUCH, Sharing::Own, Failing::One, 1).await;
    every_operation(MUCH, Sharing::Own, Failing::From, 1).await;
}

#[tokio::test]
async fn one_operation_fails_and_nothing_acknowledged_is_lost() {
    every_operation(ALONE, Sharing::Own, Failing::One, SEEDS).await;
}

#[tokio::test]
async fn the_power_is_lost_at_every_operation_and_nothing_acknowledged_is_lost() {
    every_operation(ALONE, Sharing::Own, Failing::From, SEEDS).await;
}

#[tokio::test]
async fn one_operation_of_two_writers_fails_and_nothing_acknowledged_is_lost() {
    every_operation(SHARED, Sharing::Shared, Failing::One, SEEDS).await;
}

#[tokio::test]
async fn the_power_is_lost_while_two_write_and_nothing_acknowledged_is_lost() {
    every_operation(SHARED, Sharing::Shared, Failing::From, SEEDS).await;
}
