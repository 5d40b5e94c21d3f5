//! What each fault of a model costs, measured: the same conversation with it and without it.

mod cases;
mod play;

use std::collections::BTreeMap;
use std::fmt;

use responses::chain::Mode;
use testkit::FaultPlan;

pub use cases::NAMES;
use cases::{Case, cases, name};
use play::{Played, play};

/// Why a conversation could not be played.
pub type Error = Box<dyn std::error::Error>;

/// Which way the client goes, if it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// A socket, and HTTP where that does not work.
    WebSocket,
    /// HTTP, with server-sent events.
    Http,
}

impl Over {
    fn mode(self) -> Mode {
        match self {
            Self::WebSocket => Mode::Auto,
            Self::Http => Mode::Http,
        }
    }
}

/// What a fault did to a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The name of the fault.
    pub name: &'static str,
    /// The fault, and how it was set.
    pub fault: String,
    /// Which way the client went.
    pub over: Over,
    /// How many seconds longer the conversation took, in its own time.
    pub seconds: f64,
    /// How many requests more left.
    pub requests: i64,
    /// How many bytes more left in requests.
    pub bytes: i64,
    /// How many calls of the model were not answered, or are not in the transcript.
    pub lost: usize,
    /// How many items are in the transcript that would not be there without the fault.
    pub doubled: usize,
    /// What the user was told, besides the answers.
    pub told: String,
    /// Over what it went on.
    pub went_on: &'static str,
}

/// Plays all faults both ways.
pub fn table() -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for case in &cases() {
        for over in [Over::WebSocket, Over::Http] {
            let without = play(over.mode(), case, FaultPlan::default())?;
            let with = play(over.mode(), case, case.plan())?;
            rows.push(Row::of(case, over, &with, &without));
        }
    }
    Ok(rows)
}

impl Row {
    fn of(case: &Case, over: Over, with: &Played, without: &Played) -> Self {
        let (lost, doubled) = compare(&with.transcript, &without.transcript);
        Self {
            name: name(&case.fault),
            fault: case.to_string(),
            over,
            seconds: with.lasted.as_secs_f64() - without.lasted.as_secs_f64(),
            requests: difference(with.requests, without.requests),
            bytes: difference(with.bytes, without.bytes),
            lost: lost + with.unanswered,
            doubled,
            told: with.told.join("; "),
            went_on: went_on(with, without),
        }
    }
}

fn difference(with: usize, without: usize) -> i64 {
    i64::try_from(with).unwrap_or(i64::MAX) - i64::try_from(without).unwrap_or(i64::MAX)
}

/// How many calls of the second conversation are not in the first, and how many items more the first has.
fn compare(with: &[String], without: &[String]) -> (usize, usize) {
    let count = |texts: &[String]| {
        let mut counts = BTreeMap::<String, usize>::new();
        for text in texts {
            *counts.entry(text.clone()).or_default() += 1;
        }
        counts
    };
    let (with, without) = (count(with), count(without));
    let more = |a: &BTreeMap<String, usize>, b: &BTreeMap<String, usize>| {
        a.iter().map(|(text, times)| times.saturating_sub(b.get(text).copied().unwrap_or(0))).sum()
    };
    (more(&without, &with), more(&with, &without))
}

/// Over what the first request went that did not go the way it would have gone.
fn went_on(with: &Played, without: &Played) -> &'static str {
    use responses::chain::Transport;
    let mut ways = with.ways.iter().enumerate();
    let other = ways.find(|(at, way)| without.ways.get(*at).or(without.ways.last()) != Some(*way));
    match (other, without.ways.last()) {
        (None, Some((Transport::WebSocket, _))) => "same socket",
        (None, _) => "same connection",
        (Some((_, (Transport::WebSocket, _))), _) => "new socket",
        (Some(_), Some((Transport::WebSocket, _))) => "HTTP",
        (Some(_), _) => "new connection",
    }
}

/// A row of a table in a document.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = match self.over {
            Over::WebSocket => "WebSocket",
            Over::Http => "HTTP",
        };
        let Self { fault, seconds, requests, bytes, lost, doubled, went_on, .. } = self;
        // What is said may hold what a document takes for its own.
        let told = self.told.replace('<', "&lt;").replace('|', "\\|");
        let told = if told.is_empty() { "nothing" } else { &told };
        // A zero has no sign.
        let seconds = seconds + 0.0;
        write!(
            f,
            "| {fault} | {over} | {seconds:.2} | {requests} | {bytes} | {lost} | {doubled} | {told} | {went_on} |"
        )
    }
}
