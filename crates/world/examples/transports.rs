//! Chains of tool turns over WebSocket, HTTP/1.1 and HTTP/2, side by side.
//!
//! `cargo run --release --package world --example transports`, with `-- --quick` for a look at it, with `-- 2` for its
//! second part only. Client and server are
//! threads of one process, between them is a relay that delays; all three ways run in turns, so that what else the
//! machine does falls on all of them. What is printed is what was measured, medians where a case runs more than once.

#[path = "support/client.rs"]
mod client;
#[path = "transports/journey.rs"]
mod journey;
#[path = "support/process.rs"]
mod process;
#[path = "transports/report.rs"]
mod report;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use client::Outcomes;
use journey::{Case, Far, Way, travel};
use report::{Report, Row};

/// A byte of context that the server has to find again in its cache: a microsecond for a token of four bytes.
const WARM: Duration = Duration::from_nanos(250);

/// A byte of context that it has to read anew: a hundred thousand tokens a second.
const COLD: Duration = Duration::from_nanos(2500);

/// A byte on a line of ten megabits a second.
const TEN_MEGABITS: Duration = Duration::from_nanos(800);

/// The model thinks for so long before each of its events.
const THINKING: Duration = Duration::from_millis(2);

/// Not nothing: over a socket the scripted model says its events a millisecond apart, over HTTP without a pause at once.
const QUICK_THINKING: Duration = Duration::from_millis(1);

const NEAR: Far = Far { round_trip: Duration::ZERO, per_byte: Duration::ZERO };
const MIDDLE: Far = Far { round_trip: Duration::from_millis(20), ..NEAR };
const DISTANT: Far = Far { round_trip: Duration::from_millis(80), ..NEAR };

/// Cases that are shown together.
struct Part {
    title: &'static str,
    rebuild: Duration,
    far: &'static [Far],
    /// How many turns, and how often.
    turns: &'static [(u32, usize)],
}

static PARTS: [Part; 4] = [
    Part {
        title: "The server rebuilds context at 1 µs a token (a prompt cache that is warm)",
        rebuild: WARM,
        far: &[NEAR, MIDDLE, DISTANT],
        turns: &[(1, 5), (20, 3), (50, 1), (200, 1)],
    },
    Part {
        title: "The server rebuilds context for nothing: only bytes and round trips count",
        rebuild: Duration::ZERO,
        far: &[NEAR, MIDDLE, DISTANT],
        turns: &[(1, 5), (20, 3)],
    },
    Part {
        title: "The same, and the line takes 10 Mbit/s each way",
        rebuild: Duration::ZERO,
        far: &[Far { per_byte: TEN_MEGABITS, ..MIDDLE }, Far { per_byte: TEN_MEGABITS, ..DISTANT }],
        turns: &[(20, 1)],
    },
    Part {
        title: "The server rebuilds context at 10 µs a token (no prompt cache)",
        rebuild: COLD,
        far: &[DISTANT],
        turns: &[(20, 1)],
    },
];

static QUICK: [Part; 2] = [
    Part {
        title: "The server rebuilds context at 1 µs a token (a prompt cache that is warm)",
        rebuild: WARM,
        far: &[NEAR, DISTANT],
        turns: &[(1, 1), (20, 1)],
    },
    Part {
        title: "The server rebuilds context for nothing: only bytes and round trips count",
        rebuild: Duration::ZERO,
        far: &[DISTANT],
        turns: &[(20, 1)],
    },
];

fn main() -> Outcomes<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (parts, thinking): (&[Part], _) = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => (&PARTS, THINKING),
        ["--quick"] => (&QUICK, QUICK_THINKING),
        [number] => (part(number).ok_or("usage: transports [--quick | PART]")?, THINKING),
        _ => return Err("usage: transports [--quick | PART]".into()),
    };
    let began = Instant::now();
    let mut reports = Vec::new();
    for part in parts {
        let rows = measure(part, thinking, began)?;
        let report = Report { rebuild: part.rebuild, rows };
        let mut out = io::stdout().lock();
        writeln!(out, "### {}\n", part.title)?;
        report.table(&mut out)?;
        reports.push(report);
    }
    let mut out = io::stdout().lock();
    for (part, report) in parts.iter().zip(&reports) {
        writeln!(out, "### What follows: {}\n", part.title)?;
        report.conclusions(&mut out)?;
    }
    Ok(())
}

/// A part by its number, counted from 1.
fn part(number: &str) -> Option<&'static [Part]> {
    let at: usize = number.parse().ok()?;
    PARTS.get(at.checked_sub(1)?..at)
}

fn measure(part: &Part, thinking: Duration, began: Instant) -> Outcomes<Vec<Row>> {
    let mut rows = Vec::new();
    for &(turns, times) in part.turns {
        for &far in part.far {
            let case = Case { turns, far, rebuild: part.rebuild, thinking };
            let mut runs = Way::ALL.map(|_| Vec::new());
            for time in 1..=times {
                for (way, runs) in Way::ALL.into_iter().zip(&mut runs) {
                    let seconds = began.elapsed().as_secs();
                    let at = far.round_trip.as_millis();
                    writeln!(io::stderr(), "{seconds} s: {turns} turns, {at} ms, {}, {time}/{times}", way.name())?;
                    runs.push(travel(way, &case)?);
                }
            }
            rows.extend(Way::ALL.into_iter().zip(runs).map(|(way, runs)| Row::of(way, &case, &runs)));
        }
    }
    Ok(rows)
}
