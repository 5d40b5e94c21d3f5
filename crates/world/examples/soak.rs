//! `cargo run --release --package world --example soak 10000`: so many turns over sockets that are cut at random.
//!
//! Ends with an error if memory grew, or if a task or a descriptor outlived its conversation.

use std::io::{self, Write as _};
use std::process::ExitCode;

use world::soak::{Error, MOST_GROWTH_KIB, soak};

/// How often it is told how it goes.
const TOLD_EVERY: u64 = 1000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Error> {
    let turns = std::env::args().nth(1).ok_or("how many turns? say it as the first argument")?.parse()?;
    let mut next = 0;
    let verdict = soak(turns, |progress| {
        if progress.turns >= next {
            next = progress.turns - progress.turns % TOLD_EVERY + TOLD_EVERY;
            // Nobody is left to tell when stdout is gone.
            let _ = writeln!(io::stdout().lock(), "{progress}");
        }
    })
    .await?;
    let mut out = io::stdout().lock();
    writeln!(out, "before: {}", verdict.before)?;
    writeln!(out, "after:  {}", verdict.after)?;
    let flat = if verdict.is_flat() { "flat" } else { "not flat" };
    writeln!(out, "memory is {flat}: {} KiB more, at most {MOST_GROWTH_KIB}", verdict.growth_kib)?;
    let clean = if verdict.is_clean() { "nothing" } else { "something" };
    writeln!(out, "{clean} is left of the conversations")?;
    Ok(if verdict.is_flat() && verdict.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
