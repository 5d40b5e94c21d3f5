//! Tables, and what follows from them.

use std::io::{self, Write};
use std::time::Duration;

use crate::journey::{Case, Run, Traffic, Way};

/// A case over one way.
#[derive(Debug)]
pub(crate) struct Row {
    way: Way,
    case: Case,
    /// When each turn had ended: the median of all runs.
    ends: Vec<Duration>,
    cpu: Duration,
    traffic: Traffic,
}

impl Row {
    /// The medians of runs. What passed is the same in all of them but for a few bytes: the first run says it.
    pub(crate) fn of(way: Way, case: &Case, runs: &[Run]) -> Self {
        let at = |turn: usize| median(runs.iter().filter_map(|run| run.ends.get(turn).copied()));
        let ends = (0..case.turns as usize).map(at).collect();
        let nothing = Traffic { up: 0, down: 0, connections: 0, requests: 0 };
        let traffic = runs.first().map_or(nothing, |run| run.traffic);
        Self { way, case: *case, ends, cpu: median(runs.iter().map(|run| run.cpu)), traffic }
    }

    fn wall(&self) -> Duration {
        self.ends.last().copied().unwrap_or_default()
    }

    fn per_turn(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e3 / f64::from(self.case.turns)
    }

    fn kilobytes(&self, bytes: u64) -> f64 {
        real(bytes) / 1e3 / f64::from(self.case.turns)
    }

    fn is_beside(&self, other: &Self) -> bool {
        self.case.turns == other.case.turns && self.case.far == other.case.far
    }
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// All cases of one price.
pub(crate) struct Report {
    pub(crate) rebuild: Duration,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    pub(crate) fn table(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "| turns | round trip, ms | way | wall, ms | a turn, ms | KB up a turn | KB down a turn | requests | \
             connections | client CPU a turn, ms |\n|--|--|--|--|--|--|--|--|--|--|"
        )?;
        for row in &self.rows {
            let (traffic, name) = (row.traffic, row.way.name());
            writeln!(
                out,
                "| {} | {} | {name} | {:.0} | {:.1} | {:.1} | {:.1} | {} | {} | {:.2} |",
                row.case.turns,
                row.case.far.round_trip.as_millis(),
                row.wall().as_secs_f64() * 1e3,
                row.per_turn(row.wall()),
                row.kilobytes(traffic.up),
                row.kilobytes(traffic.down),
                traffic.requests,
                traffic.connections,
                row.per_turn(row.cpu),
            )?;
        }
        writeln!(out)
    }

    /// From which turn on the socket is ahead, by how much, and what the arithmetic says.
    pub(crate) fn conclusions(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "| turns | round trip, ms | against | ahead from turn | saving | saved a turn, ms | of that context, ms | \
             and upload, ms |\n|--|--|--|--|--|--|--|--|"
        )?;
        for socket in self.rows.iter().filter(|row| row.way == Way::WebSocket) {
            for other in self.rows.iter().filter(|row| row.way != Way::WebSocket && row.is_beside(socket)) {
                self.conclusion(out, socket, other)?;
            }
        }
        writeln!(out)
    }

    fn conclusion(&self, out: &mut impl Write, socket: &Row, other: &Row) -> io::Result<()> {
        let (wall, longer) = (socket.wall().as_secs_f64(), other.wall().as_secs_f64());
        let bytes = real(other.traffic.up.saturating_sub(socket.traffic.up));
        let turns = f64::from(socket.case.turns);
        let ahead = ahead_from(&socket.ends, &other.ends);
        writeln!(
            out,
            "| {} | {} | {} | {} | {:.1} % | {:.1} | {:.1} | {:.1} |",
            socket.case.turns,
            socket.case.far.round_trip.as_millis(),
            other.way.name(),
            ahead.map_or_else(|| "never".to_owned(), |turn| turn.to_string()),
            100.0 * (longer - wall) / longer,
            1e3 * (longer - wall) / turns,
            1e3 * bytes * self.rebuild.as_secs_f64() / turns,
            1e3 * bytes * socket.case.far.per_byte.as_secs_f64() / turns,
        )
    }
}

/// A number of bytes, to be divided. Nothing here sends four gigabytes.
fn real(bytes: u64) -> f64 {
    u32::try_from(bytes).map_or(f64::INFINITY, f64::from)
}

/// The turn, counted from 1, from which on the first is never behind the second.
fn ahead_from(first: &[Duration], second: &[Duration]) -> Option<usize> {
    let behind = first.iter().zip(second).rposition(|(first, second)| first > second);
    let from = behind.map_or(1, |turn| turn + 2);
    (from <= first.len()).then_some(from)
}
