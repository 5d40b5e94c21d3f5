//! What the gateway costs, beside a bare pass-through proxy written with the same libraries, and beside another proxy.
//!
//! `load latency|throughput|idle|continuation`. Everything measured is a process of its own, told to the system by its
//! id: a scripted upstream, the bare proxy, bare sockets, `capstan serve` (`--capstan PATH`). Another proxy is started by
//! hand in front of the upstream at port 18430 and named with `--base-url URL --model NAME --pid PID`; without those it
//! is left out. `--runs N` says how often each case runs (medians are shown), `--only NAME` leaves out all cases whose
//! name does not begin so. Linux only.

#[path = "load/case.rs"]
mod case;
#[path = "load/child.rs"]
mod child;
#[path = "load/client.rs"]
mod client;
#[path = "load/continuation.rs"]
mod continuation;
#[path = "load/floor.rs"]
mod floor;
#[path = "load/idle.rs"]
mod idle;
#[path = "load/latency.rs"]
mod latency;
#[path = "load/table.rs"]
mod table;
#[path = "load/throughput.rs"]
mod throughput;
#[path = "load/upstream.rs"]
mod upstream;

use std::error::Error;
use std::time::Duration;

/// Whatever goes wrong ends the program.
type Outcome<T> = Result<T, Failure>;

type Failure = Box<dyn Error + Send + Sync>;

const USAGE: &str = "load latency|throughput|idle|continuation [--capstan PATH] [--base-url URL --model NAME --pid PID] \
                     [--runs N] [--only NAME] [--connections N] [--held SECONDS]";

/// What the command line says.
struct Options {
    capstan: Option<String>,
    other: Option<case::Other>,
    runs: usize,
    only: String,
    connections: usize,
    held: u64,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Outcome<Self> {
        let mut options = Self {
            capstan: None,
            other: None,
            runs: 3,
            only: String::new(),
            connections: idle::CONNECTIONS,
            held: idle::HELD,
        };
        let mut other = case::Other::default();
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(USAGE)?;
            match name.as_str() {
                "--capstan" => options.capstan = Some(value),
                "--base-url" => other.base_url = value,
                "--model" => other.model = value,
                "--pid" => other.pid = value.parse()?,
                "--runs" => options.runs = value.parse()?,
                "--only" => options.only = value,
                "--connections" => options.connections = value.parse()?,
                "--held" => options.held = value.parse()?,
                _ => return Err(USAGE.into()),
            }
        }
        options.other = (!other.base_url.is_empty()).then_some(other);
        Ok(options)
    }
}

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut arguments = std::env::args().skip(1);
    let part = arguments.next().ok_or(USAGE)?;
    let mut next = || arguments.next().ok_or(USAGE);
    match part.as_str() {
        "upstream" => {
            let (events, pace): (usize, u64) = (next()?.parse()?, next()?.parse()?);
            runtime.block_on(upstream::serve(events, Duration::from_micros(pace)))
        }
        "floor" => runtime.block_on(floor::proxy(next()?)),
        "sockets" => runtime.block_on(floor::sockets()),
        _ => {
            let options = Options::read(arguments)?;
            match part.as_str() {
                "latency" => runtime.block_on(latency::measure(&options)),
                "throughput" => runtime.block_on(throughput::measure(&options)),
                "idle" => runtime.block_on(idle::measure(&options)),
                "continuation" => runtime.block_on(continuation::measure(&options)),
                _ => Err(USAGE.into()),
            }
        }
    }
}
