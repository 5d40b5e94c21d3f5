//! Many sessions, and a long one: how long it takes to list, search and open them.
//!
//! ```text
//! cargo run --release -p journal --example many_sessions -- 10000 1024
//! ```
//!
//! The numbers are how many sessions, and how many megabytes the long one has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use journal::disk::Machine;
use journal::index::{Filter, Index};
use journal::record::{Record, Spent};
use journal::redact::Redactor;
use journal::sessions::{Limits, New, SessionError, SessionId, Sessions};
use responses::item::Item;
use responses::usage::Usage;

/// How often what is short is timed.
const TIMES: usize = 9;

type Done<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Done<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: u64| arguments.next().map_or(Ok(usual), |text| text.parse());
    let (count, megabytes) = (number(10_000)?, number(1024)?);
    let folder = tempfile::tempdir()?;
    let redactor = Arc::new(Redactor::new(&[1; 32], []));
    let sessions = Sessions::open(Arc::new(Machine), &folder.path().join("sessions"), redactor, Limits::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    show(&format!("{count} sessions made"), &[timed(|| runtime.block_on(make(&sessions, count)))?.0]);
    let list = || Ok(Index::of(&sessions)?.list(&Filter { limit: Some(50), ..Filter::default() })?.len());
    show("first list, which makes the index", &[timed(list)?.0]);
    show("list", &again(list)?);
    show("list of all", &again(|| Ok(Index::of(&sessions)?.list(&Filter::default())?.len()))?);
    show("search for words of one", &again(|| Ok(Index::of(&sessions)?.search("number 77", 50)?.len()))?);
    show("search for words of all", &again(|| Ok(Index::of(&sessions)?.search("please look", 50)?.len()))?);
    let changed = again(|| {
        runtime.block_on(say(&sessions, 7))?;
        list()
    })?;
    show("one gone on with, and list", &changed);
    runtime.block_on(long(&sessions, count, megabytes))?;
    show("list, with the long one to read", &[timed(list)?.0]);
    let id = id(count);
    let records = || Ok(sessions.read(id)?.try_fold(0_u64, |count, step| step.map(|_| count + 1))?);
    show(&format!("read {megabytes} MB"), &[timed(records)?.0]);
    let open = || {
        runtime.block_on(async {
            let (session, _) = sessions.resume(id, 1).await?;
            session.close().await.map(drop)
        })
    };
    show(&format!("open {megabytes} MB to go on with it"), &[timed(|| Ok(open()?))?.0]);
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find(|line| line.starts_with("VmHWM"));
        show(peak.unwrap_or_default(), &[]);
    }
    Ok(())
}

fn id(number: u64) -> SessionId {
    SessionId::of(1_795_289_538_000 + number, [3; 10])
}

async fn make(sessions: &Sessions, count: u64) -> Done<()> {
    for number in 0..count {
        let cwd = format!("/work/{}", number % 20);
        let new = New { id: id(number), at: id(number).began(), version: "0".to_owned(), cwd };
        let session = sessions.create(new).await?;
        let text = format!("please look at number {number}: why does the build fail?");
        session.append(id(number).began(), Record::Input { items: vec![Item::user(&text)] }).await?;
        let answer = r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"because a semicolon is missing"}]}"#;
        session.append(id(number).began(), Record::Output { response: None, items: vec![Item::keep(answer)?] }).await?;
        let usage = Usage { input: 1000, output: 20, total: 1020, ..Usage::default() };
        let spent = Spent { response: None, model: Some("gpt-5".to_owned()), usage, cost: Some(1500) };
        session.append(id(number).began(), Record::Usage(spent)).await?;
        session.close().await?;
    }
    Ok(())
}

async fn say(sessions: &Sessions, number: u64) -> Result<(), SessionError> {
    let (session, _) = sessions.resume(id(number), 1).await?;
    session.append(id(number).began(), Record::Input { items: vec![Item::user("go on")] }).await?;
    session.close().await.map(drop)
}

/// A session of records of 8 KB, of which none waits for the disk.
async fn long(sessions: &Sessions, number: u64, megabytes: u64) -> Done<()> {
    const RECORD: usize = 8 << 10;
    let new = New { id: id(number), at: id(number).began(), version: "0".to_owned(), cwd: "/work".to_owned() };
    let session = sessions.create(new).await?;
    let text = "a line of output, as tools write them\n".repeat(RECORD / 38);
    for _ in 0..megabytes * (1 << 20) / RECORD as u64 {
        session.append(5, Record::Route { way: "http".to_owned(), why: text.clone() }).await?;
    }
    session.close().await?;
    Ok(())
}

fn timed<T>(act: impl FnOnce() -> Done<T>) -> Done<(Duration, T)> {
    let start = Instant::now();
    let done = act()?;
    Ok((start.elapsed(), done))
}

fn again<T>(act: impl Fn() -> Done<T>) -> Done<Vec<Duration>> {
    (0..TIMES).map(|_| Ok(timed(&act)?.0)).collect()
}

#[expect(clippy::print_stdout, reason = "this is what the example is for")]
fn show(what: &str, times: &[Duration]) {
    let mut times = times.to_vec();
    times.sort_unstable();
    match times.get(times.len() / 2) {
        Some(median) => println!("{what:40} {:>10.1} ms", median.as_secs_f64() * 1000.0),
        None => println!("{what}"),
    }
}
