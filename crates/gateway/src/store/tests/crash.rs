//! The process is killed in the middle of keeping: what it acknowledged is there, and chains go on from it.

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tokio::task::JoinSet;

use super::*;
use crate::store::{Keeper, StoreError};

/// How often, unless this variable says so.
const KILLS: (&str, usize) = ("CAPSTAN_STORE_KILLS", 60);

/// Tells the process that is to be killed where the file is.
const FILE: &str = "CAPSTAN_STORE_FILE";

/// Tells it how many responses of each chain it will find.
const HEADS: &str = "CAPSTAN_STORE_HEADS";

const CHAINS: usize = 8;

/// The response of a chain after so many others.
fn link(chain: usize, parent: Option<&Kept>, number: usize) -> Kept {
    let id = format!("{chain}-{number}");
    let (input, output) = (format!("asked {id}"), format!("answered {id} {}", "x".repeat(number * 37 % 5000)));
    match parent {
        Some(parent) => next(parent, &id, &[&input], &[&output]),
        None => first(&id, &[&input], &[&output]),
    }
}

/// All links of a chain.
fn links(chain: usize, count: usize) -> Vec<Kept> {
    let mut links: Vec<Kept> = Vec::new();
    for number in 0..count {
        links.push(link(chain, links.last(), number));
    }
    links
}

/// Not a test by itself: what the other starts, and kills.
#[tokio::test]
async fn the_process_that_is_killed() {
    let Ok(file) = env::var(FILE) else { return };
    say("up");
    let store = Sqlite::open(Path::new(&file)).unwrap();
    let (keeper, _keeping) = Keeper::start(Box::new(store), ALL).unwrap();
    let heads = env::var(HEADS).unwrap();
    let mut chains: JoinSet<()> = JoinSet::new();
    for (chain, head) in heads.split(',').enumerate() {
        chains.spawn(grow(keeper.clone(), chain, head.parse().unwrap()));
    }
    chains.join_all().await;
}

async fn grow(keeper: Keeper, chain: usize, head: usize) {
    let mut last = links(chain, head).pop();
    if let Some(last) = &mut last {
        // It goes on from what is in the store, not from what it remembers.
        last.context = keeper.context(&last.owner, &last.id).await.unwrap().unwrap();
    }
    for number in head..100_000 {
        let kept = link(chain, last.as_ref(), number);
        if number % 5 == 0 {
            keeper.begin(Kept { events: Vec::new(), ..kept.clone() }).await.unwrap();
        }
        keeper.keep(kept.clone()).await.unwrap();
        say(&format!("kept {chain} {number}"));
        last = Some(kept);
    }
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    out.write_all(format!("\n{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

fn start(file: &Path, heads: &[usize]) -> (Child, impl Iterator<Item = String> + use<>) {
    let heads = heads.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "store::tests::crash::the_process_that_is_killed", "--nocapture"])
        .env(FILE, file)
        .env(HEADS, heads)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    (child, lines)
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let kills = env::var(KILLS.0).map_or(KILLS.1, |kills| kills.parse().unwrap());
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("responses.db");
    let mut heads = [0; CHAINS];
    let mut dice = 7_usize;
    for kill in 0..kills {
        let (mut child, mut lines) = start(&file, &heads);
        assert!(lines.any(|line| line == "up"));
        // Some are killed while they open the file.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let live = (dice >> 33) % 40;
        let mut acknowledged: Vec<String> =
            lines.by_ref().filter(|line| line.starts_with("kept ")).take(live).collect();
        if live > 0 {
            assert_eq!(Sqlite::open(&file).unwrap_err(), StoreError::InUse { path: file.clone() });
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(lines.filter(|line| line.starts_with("kept ")));
        assert!(acknowledged.len() >= live);
        let before = heads;
        for line in acknowledged {
            let [chain, number] =
                line["kept ".len()..].split(' ').map(|part| part.parse().unwrap()).collect::<Vec<usize>>()[..]
            else {
                panic!("{line}")
            };
            assert_eq!(heads[chain], number);
            heads[chain] = number + 1;
        }
        let mut store = Sqlite::open(&file).unwrap();
        for chain in 0..CHAINS {
            let from = if kill + 1 == kills { 0 } else { before[chain] };
            for kept in &links(chain, heads[chain])[from..] {
                assert_whole(&mut store, kept);
            }
        }
    }
    assert!(heads.iter().sum::<usize>() > kills);
}
