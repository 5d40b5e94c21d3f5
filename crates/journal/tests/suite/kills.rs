//! Processes that write and are killed: what they had been told is there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use journal::disk::Machine;
use journal::log::{Found, Place, Reader, Sharing, Writer};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::simulated::Random;

/// Tells a process of this test that it is the one to be killed, and which log it writes.
const LOG: &str = "CAPSTAN_JOURNAL_KILLED_LOG";

/// Whether it shares it.
const SHARED: &str = "CAPSTAN_JOURNAL_KILLED_SHARED";

/// How many are killed.
const KILLS: &str = "CAPSTAN_JOURNAL_KILLS";

/// How many write at once in a process.
const APPENDERS: u64 = 4;

#[tokio::test]
#[ignore = "the process that is killed by the tests here"]
async fn killed() {
    let Some(path) = std::env::var_os(LOG) else { return };
    let sharing = if std::env::var_os(SHARED).is_some() { Sharing::Shared } else { Sharing::Own };
    let (writer, _) = Writer::open(Arc::new(Machine), Path::new(&path), sharing, None).unwrap();
    say("\nopened\n");
    let mut tasks = JoinSet::new();
    for name in 0..APPENDERS {
        tasks.spawn(write_for_ever(writer.clone(), name));
    }
    tasks.join_all().await;
}

async fn write_for_ever(writer: Writer, name: u64) {
    let mut random = Random::new(u64::from(std::process::id()) * APPENDERS + name);
    loop {
        let body = format!("{} {}", random.next(), "x".repeat(random.up_to(3000)));
        if random.chance(3) {
            writer.note(body).await.unwrap();
            continue;
        }
        let short = body.split(' ').next().unwrap().to_owned();
        let Place { seq, hash, .. } = writer.append(body).await.unwrap();
        say(&format!("told {seq} {hash} {short}\n"));
    }
}

/// Says a line to whoever will kill this process, at once and as a whole.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).unwrap();
}

/// A process that writes.
struct Victim {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
    told: Vec<String>,
}

impl Victim {
    fn start(path: &Path, shared: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["kills::killed", "--exact", "--ignored", "--nocapture"]).env(LOG, path).stdout(Stdio::piped());
        if shared {
            command.env(SHARED, "1");
        }
        let mut process = command.spawn().unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, said, told: Vec::new() }
    }

    /// Waits until it was told of so many lines.
    fn let_write(&mut self, lines: usize) {
        let end = self.told.len() + lines;
        while self.told.len() < end {
            self.hear().expect("it ended by itself");
        }
    }

    fn hear(&mut self) -> Option<()> {
        let line = self.said.next()?.ok()?;
        self.told.extend(line.strip_prefix("told ").map(str::to_owned));
        Some(())
    }

    /// Kills it, and says what it had been told.
    fn kill(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        while self.hear().is_some() {}
        self.process.wait().unwrap();
        self.told
    }
}

/// The lines of a log from a place on, each as it was told; the chain is whole.
fn read(reader: &mut Reader, lines: &mut BTreeMap<u64, String>) {
    while let Some(found) = reader.next().unwrap() {
        let Found::Line(line) = found else { panic!("{found:?}") };
        let short = line.body.split(' ').next().unwrap();
        lines.insert(line.seq, format!("{} {} {short}", line.seq, line.hash));
    }
}

fn kills() -> u64 {
    std::env::var(KILLS).map_or(25, |number| number.parse().unwrap())
}

async fn kill_at_random(shared: bool) {
    let folder = TempDir::new().unwrap();
    let path: PathBuf = folder.path().join("log");
    let mut random = Random::new(kills());
    let (mut told, mut torn) = (BTreeMap::new(), 0);
    for round in 0..kills() {
        let mut victim = Victim::start(&path, shared);
        let mut other = shared.then(|| Victim::start(&path, shared));
        // Some are killed before they have opened it.
        if !random.chance(10) {
            victim.let_write(random.up_to(120));
        }
        let mut said = victim.kill();
        if let Some(mut other) = other.take() {
            other.let_write(1 + random.up_to(20));
            said.extend(other.kill());
        }
        for line in said.iter().filter(|line| line.split(' ').count() == 3) {
            let seq = line.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(told.insert(seq, line.clone()), None, "round {round}: one place told twice");
        }
        let (writer, opened) = Writer::open(Arc::new(Machine), &path, Sharing::Own, None).unwrap();
        writer.close().await.unwrap();
        torn += u64::from(opened.torn.is_some());
        let mut lines = BTreeMap::new();
        read(&mut Reader::open(&Machine, &path).unwrap(), &mut lines);
        for (seq, line) in &told {
            assert_eq!(lines.get(seq), Some(line), "round {round}: told, and not there");
        }
    }
    eprintln!("{} kills, {} lines told and there, {torn} torn tails", kills(), told.len());
}

#[tokio::test]
async fn what_a_killed_process_had_been_told_is_there() {
    kill_at_random(false).await;
}

#[tokio::test]
async fn what_one_of_two_killed_processes_had_been_told_is_there_and_the_other_goes_on() {
    kill_at_random(true).await;
}
