//! Thousands of turns over real sockets that are cut at random, and what is left of them in memory afterwards.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use responses::chain::{Mode, Notice, Outcome};
use responses::id::CallId;
use responses::item::Item;
use responses::request::{Request, Settings};
use testkit::{FakeModel, Relay, RunningModel, Seen, Turn};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};
use transport::dial::{DialLimits, SystemNetwork};
use transport::proxy::Proxies;
use transport::tls::{Tls, TlsSettings};
use transport::{Conversation, Dial, Heard, ModelClient, Options, Told};

use crate::dice::Dice;
use crate::simulated::client_by;

/// Why a soak could not go on.
pub type Error = Box<dyn std::error::Error>;

/// The ways of the conversations, one each.
const MODES: [Mode; 3] = [Mode::Auto, Mode::WebSocket, Mode::Http];

/// After so many turns a conversation is written anew, so that it is not the transcript that fills the memory; and the
/// model is replaced by another one at the same address, so that it is not its record.
const CHAPTER: u64 = 50;

/// How many turns of a hundred are cut. A cut ends all connections.
const CUTS_OF_A_HUNDRED: u64 = 10;

/// A turn is cut after at most so many things were heard of it.
const LATEST_CUT: u64 = 30;

/// How long a turn may take: longer than all its pauses together.
const LONGEST_TURN: Duration = Duration::from_mins(3);

/// How long what was dropped may take to be gone.
const LAST_OF_ALL: Duration = Duration::from_secs(10);

/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The pool of HTTP connections has a task of its own from the first request on, for as long as there is a client.
const POOL: usize = 1;

/// By how much memory may grow from a fifth of the way to its end.
pub const MOST_GROWTH_KIB: u64 = 8 << 10;

/// What a process has at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Memory in use.
    pub rss_kib: u64,
    /// Open descriptors.
    pub descriptors: usize,
    /// Tasks of the client.
    pub client_tasks: usize,
    /// All tasks.
    pub tasks: usize,
}

/// How far a soak is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Turns that were taken.
    pub turns: u64,
    /// Turns that the model answered, or that broke after a call, which was answered next.
    pub went_on: u64,
    /// How often all connections were cut.
    pub cuts: u64,
    /// What there is now.
    pub now: Holdings,
}

/// How a soak ended.
#[derive(Debug, Clone, Copy)]
pub struct Verdict {
    /// When all turns were taken.
    pub end: Progress,
    /// Before the first conversation.
    pub before: Holdings,
    /// After the last one.
    pub after: Holdings,
    /// By how much memory grew after a fifth of the way.
    pub growth_kib: u64,
}

impl Verdict {
    /// Whether nothing is left of what was dropped.
    pub fn is_clean(&self) -> bool {
        is_clean(self.before, self.after)
    }

    /// Whether memory stayed as it was.
    pub fn is_flat(&self) -> bool {
        self.growth_kib <= MOST_GROWTH_KIB
    }
}

fn is_clean(before: Holdings, after: Holdings) -> bool {
    let tasks_are_gone = after.client_tasks <= before.client_tasks + POOL && after.tasks <= before.tasks + POOL;
    after.descriptors <= before.descriptors && tasks_are_gone
}

/// Takes so many turns, and tells how it goes after each chapter.
pub async fn soak(turns: u64, mut tell: impl FnMut(&Progress)) -> Result<Verdict, Error> {
    let mut model = model(0).await?;
    let port = model.address();
    let relay = Relay::start(port, Duration::ZERO).await?;
    let client = client(relay.address())?;
    let before = holdings(&client)?;
    let mut talks: Vec<Talk> = MODES.iter().zip(1..).map(|(mode, seed)| Talk::new(&client, *mode, seed)).collect();
    let mut progress = Progress { turns: 0, went_on: 0, cuts: 0, now: before };
    let mut early = None;
    while progress.turns < turns {
        let left = (turns - progress.turns).div_ceil(MODES.len() as u64).min(CHAPTER);
        for chapter in try_join_all(talks.iter_mut().map(|talk| talk.chapter(left, &relay))).await? {
            progress.turns += chapter.turns;
            progress.went_on += chapter.went_on;
            progress.cuts += chapter.cuts;
        }
        model.stop().await;
        model = self::model(port.port()).await?;
        progress.now = holdings(&client)?;
        if progress.turns * 5 >= turns {
            early.get_or_insert(progress.now.rss_kib);
        }
        tell(&progress);
    }
    drop(talks);
    relay.cut();
    let until = Instant::now() + LAST_OF_ALL;
    let mut after = holdings(&client)?;
    while !is_clean(before, after) && Instant::now() < until {
        sleep(LOOK).await;
        after = holdings(&client)?;
    }
    let growth_kib = progress.now.rss_kib.saturating_sub(early.unwrap_or(progress.now.rss_kib));
    Ok(Verdict { end: progress, before, after, growth_kib })
}

async fn model(port: u16) -> io::Result<RunningModel> {
    FakeModel::respond_with(answer).start_on(port).await
}

/// A call, and an answer once it was run.
fn answer(seen: &Seen) -> Turn {
    let was_run = seen.items().last().is_some_and(|item| item.answers().is_some());
    let turn = Turn::new().message(format!("answer {} in a few words", seen.number));
    if was_run { turn } else { turn.function_call("do", format!(r#"{{"number":{}}}"#, seen.number)) }
}

fn client(to: SocketAddr) -> Result<ModelClient, Error> {
    let network = Arc::new(SystemNetwork::new(DialLimits::default()));
    let dial = Dial::new(network, Proxies::none(), Tls::new(&TlsSettings::default())?);
    client_by(dial, &format!("http://{to}/v1"), true)
}

fn holdings(client: &ModelClient) -> Result<Holdings, Error> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the system does not tell the RSS")?;
    let rss_kib = line.trim().trim_end_matches("kB").trim().parse()?;
    let descriptors = std::fs::read_dir("/proc/self/fd")?.count();
    let tasks = Handle::current().metrics().num_alive_tasks();
    Ok(Holdings { rss_kib, descriptors, client_tasks: client.tasks(), tasks })
}

/// A conversation, and chance.
struct Talk {
    conversation: Conversation,
    settings: Arc<Settings>,
    dice: Dice,
    calls: Vec<CallId>,
}

/// What happened in a chapter.
#[derive(Debug, Clone, Copy, Default)]
struct Chapter {
    turns: u64,
    went_on: u64,
    cuts: u64,
}

impl Talk {
    fn new(client: &ModelClient, mode: Mode, seed: u64) -> Self {
        let request = r#"{"model":"scripted","store":false,"tools":[{"type":"function","name":"do"}]}"#;
        let settings = Settings::new(&Request::parse(request).unwrap_or_default()).into();
        let conversation = client.converse(Options { mode: Some(mode), ..Options::default() });
        Self { conversation, settings, dice: Dice::of(seed), calls: Vec::new() }
    }

    async fn chapter(&mut self, turns: u64, relay: &Relay) -> Result<Chapter, Error> {
        let mut chapter = Chapter::default();
        for _ in 0..turns {
            let cut = self.dice.chance(CUTS_OF_A_HUNDRED).then(|| self.dice.below(LATEST_CUT));
            chapter.cuts += u64::from(cut.is_some());
            chapter.went_on += u64::from(timeout(LONGEST_TURN, self.turn(cut, relay)).await??);
            chapter.turns += 1;
        }
        self.calls.clear();
        self.conversation.rewrite(vec![Item::user("what was said so far")]).await??;
        Ok(chapter)
    }

    /// Runs the tools, or says something, and waits for the end. Says whether it ended well.
    async fn turn(&mut self, cut: Option<u64>, relay: &Relay) -> Result<bool, Error> {
        let calls = std::mem::take(&mut self.calls);
        let mut items: Vec<Item> = calls.iter().map(|call| Item::function_output(call, "done")).collect();
        if items.is_empty() {
            items.push(Item::user("go on"));
        }
        self.conversation.submit(items, Arc::clone(&self.settings)).await??;
        let (mut heard, mut cut) = (0, cut);
        loop {
            if cut.take_if(|cut| *cut <= heard).is_some() {
                relay.cut();
            }
            heard += 1;
            match self.conversation.next().await.ok_or("a conversation ended by itself")? {
                Heard::Told(Told::Notice(Notice::Item { item, .. })) => self.calls.extend(item.call()),
                Heard::Told(Told::Notice(Notice::Ended { outcome, .. })) => {
                    if cut.is_some() {
                        relay.cut();
                    }
                    return Ok(matches!(outcome, Outcome::Answered(_) | Outcome::CallsFirst(_)));
                }
                Heard::Told(_) | Heard::PassedOver(_) => {}
            }
        }
    }
}

impl fmt::Display for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rss_kib, descriptors, client_tasks, tasks } = self;
        write!(f, "{rss_kib} KiB, {descriptors} descriptors, {client_tasks} tasks of the client, {tasks} in all")
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} turns, {} went on, {} cuts: {}", self.turns, self.went_on, self.cuts, self.now)
    }
}
