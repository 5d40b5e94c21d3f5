//! Processes that are measured, and what the system knows of them.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::Outcome;

/// How long a process may take to listen.
const PATIENCE: Duration = Duration::from_mins(1);

/// The unit of processor time the system tells, on every usual Linux.
const TICK: Duration = Duration::from_millis(10);

/// Says where a child listens, in the words of `capstan serve`.
pub(crate) fn announce(address: SocketAddr) -> Outcome<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address}")?;
    Ok(out.flush()?)
}

/// A process of ours. It ends with its value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
    _child: Child,
}

/// Starts a part of this program as a process of its own.
pub(crate) async fn start(arguments: &[&str]) -> Outcome<Server> {
    start_program(&std::env::current_exe()?.to_string_lossy(), arguments).await
}

/// Starts a program that says where it listens.
pub(crate) async fn start_program(program: &str, arguments: &[&str]) -> Outcome<Server> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let pid = child.id().ok_or("the process is over before it began")?;
    let output = child.stdout.take().ok_or("no output")?;
    let address = timeout(PATIENCE, listening(output)).await.map_err(|_| format!("{program} does not listen"))??;
    Ok(Server { address, pid, _child: child })
}

/// Where a process says that it listens.
async fn listening(output: ChildStdout) -> Outcome<SocketAddr> {
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = line.strip_prefix("listening on http://") {
            return Ok(address.parse()?);
        }
    }
    Err("the process is over and did not say where it listens".into())
}

/// What a process has used so far.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    cpu: Duration,
    /// Resident memory, in bytes.
    pub(crate) memory: u64,
}

impl Used {
    /// How many seconds of a processor it has taken since.
    pub(crate) fn seconds_since(self, before: Self) -> f64 {
        self.cpu.saturating_sub(before.cpu).as_secs_f64()
    }
}

pub(crate) fn used(pid: u32) -> Outcome<Used> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name may have spaces in it; what follows its bracket has none.
    let (_, fields) = stat.rsplit_once(')').ok_or("no process time")?;
    let ticks: u32 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no memory")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(Used { cpu: TICK * ticks, memory: kibibytes << 10 })
}
