//! What the store does in a second. Not asserted: `cargo test -p gateway --lib figures -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::*;
use crate::store::Keeper;

/// For so long.
const RUN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn keeps_a_second_by_the_number_of_writers() {
    for writers in [1, 16, 64, 256] {
        let folder = TempDir::new().unwrap();
        let store = Sqlite::open(&folder.path().join("responses.db")).unwrap();
        let (keeper, keeping) = Keeper::start(Box::new(store), ALL).unwrap();
        let mut chains = JoinSet::new();
        let until = Instant::now() + RUN;
        for chain in 0..writers {
            chains.spawn(grow(keeper.clone(), chain, until));
        }
        let mut times: Vec<Duration> = chains.join_all().await.into_iter().flatten().collect();
        times.sort();
        let at = |part: usize| times[times.len() * part / 100];
        println!(
            "{writers:4} writers: {:6.0} a second, p50 {:?}, p99 {:?}",
            f64::from(u32::try_from(times.len()).unwrap()) / RUN.as_secs_f64(),
            at(50),
            at(99)
        );
        keeping.stop().await;
    }
}

/// Turns of 2 KB in, 2 KB out, with 100 events of 200 bytes.
async fn grow(keeper: Keeper, chain: usize, until: Instant) -> Vec<Duration> {
    let text = "some words of a turn ".repeat(100);
    let mut last: Option<Kept> = None;
    let mut times = Vec::new();
    while Instant::now() < until {
        let id = format!("{chain}-{}", times.len());
        let mut kept = match &last {
            Some(last) => next(last, &id, &[&text], &[&text]),
            None => first(&id, &[&text], &[&text]),
        };
        kept.events =
            (0..100).map(|at| format!("{{\"sequence_number\":{at},\"delta\":\"{at:0170}\"}}").into()).collect();
        let begun = Instant::now();
        keeper.keep(kept.clone()).await.unwrap();
        times.push(begun.elapsed());
        last = Some(kept);
    }
    times
}

#[tokio::test]
#[ignore = "a measurement"]
async fn reading_a_context_by_its_length() {
    for turns in [20, 200, 2000] {
        let folder = TempDir::new().unwrap();
        let mut store = Sqlite::open(&folder.path().join("responses.db")).unwrap();
        let text = "some words of a turn ".repeat(100);
        let mut last = first("0", &[&text], &[&text]);
        keep(&mut store, &last);
        for turn in 1..turns {
            last = next(&last, &turn.to_string(), &[&text], &[&text]);
            keep(&mut store, &last);
        }
        let begun = Instant::now();
        for _ in 0..10 {
            store.reader().context(&last.owner, &last.id).unwrap().unwrap();
        }
        println!("{turns:5} turns, {:5} KB: {:?}", last.context.bytes() / 1024, begun.elapsed() / 10);
    }
}
