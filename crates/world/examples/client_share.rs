//! What the client takes for itself: processor time of a turn, memory of a line. The server is another process.
//!
//! `cargo run --release --package world --example client_share` measures both and prints tables, `cpu` or `memory`
//! behind `--` one of them. Instructions are counted by
//! `valgrind --tool=callgrind target/release/examples/client_share turns N events=60`.
//!
//! The scripted model says its events about a millisecond apart, if it is not asked to go slower: each wakes the client.

#[path = "support/client.rs"]
mod client;
#[path = "client_share/floor.rs"]
mod floor;
#[path = "client_share/lines.rs"]
mod lines;
#[path = "support/process.rs"]
mod process;
#[path = "client_share/server.rs"]
mod server;
#[path = "client_share/turns.rs"]
mod turns;

use std::io::{self, Write};

use client::Outcomes;
use server::Scene;

const USAGE: &str = "usage: client_share [cpu | memory | turns N | floor N | idle N | streaming N | serve] \
    [events=N] [tools=N] [pause=MS] [tls=0|1] [lanes=0|1]";

fn main() -> Outcomes<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let split = words.iter().position(|word| word.contains('=')).unwrap_or(words.len());
    let (task, scene) = words.split_at_checked(split).ok_or(USAGE)?;
    let scene = Scene::read(scene).ok_or(USAGE)?;
    let mut out = io::stdout().lock();
    match task.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            turns::table(&mut out)?;
            lines::table(&mut out)
        }
        ["cpu"] => turns::table(&mut out),
        ["memory"] => lines::table(&mut out),
        ["turns", times] => turns::run(scene, times.parse()?).map(drop),
        ["floor", times] => turns::floor(scene, times.parse()?).map(drop),
        [state @ ("idle" | "streaming"), count] => {
            let resident = lines::resident(scene, count.parse()?, *state == "streaming")?;
            Ok(writeln!(out, "{resident}")?)
        }
        ["serve"] => {
            drop(out);
            server::serve(scene)
        }
        _ => Err(USAGE.into()),
    }
}
