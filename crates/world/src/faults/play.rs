//! Four turns with three calls, in simulated time.

use std::time::Duration;

use responses::chain::{Beat, Config, ConnectionLimits, Mode, Notice, Outcome, Transport};
use responses::id::CallId;
use responses::item::{Item, ItemView};
use responses::json::Object;
use responses::request::{Request, Settings};
use testkit::{FakeModel, FaultPlan, Log, Seen, Turn};
use tokio::sync::oneshot;
use tokio::time::Instant;
use transport::{Drive, Options, Told};

use super::Error;
use super::cases::Case;
use crate::simulated::{self, CLIENT};

/// How many calls the model makes, each in an answer of its own, before it is done.
const CALLS: usize = 3;

/// How long a packet is on its way.
const LATENCY: Duration = Duration::from_millis(20);

/// How finely time passes.
const TICK: Duration = Duration::from_millis(5);

/// A conversation that takes longer, in its own time, does not end.
const LONGEST: Duration = Duration::from_hours(4);

/// As does one that takes more turns.
const MOST_TURNS: usize = 20;

/// A conversation that was played.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) lasted: Duration,
    pub(super) requests: usize,
    pub(super) bytes: usize,
    /// What was said, without names that differ from time to time.
    pub(super) transcript: Vec<String>,
    /// How many calls are without an answer.
    pub(super) unanswered: usize,
    pub(super) told: Vec<String>,
    /// How each request came to the model, and over which connection.
    pub(super) ways: Vec<(Transport, u64)>,
}

/// Plays the conversation of a case with these faults.
pub(super) fn play(mode: Mode, case: &Case, faults: FaultPlan) -> Result<Played, Error> {
    let mut network = turmoil::Builder::new();
    network.tick_duration(TICK).simulation_duration(LONGEST).rng_seed(1);
    network.min_message_latency(LATENCY).max_message_latency(LATENCY);
    let mut sim = network.build();
    let thinks = case.thinks;
    // A server that does not ping: what is noticed is noticed by the client.
    let beat = Beat { every: LONGEST, ..ConnectionLimits::default().beat };
    let limits = ConnectionLimits { beat, ..ConnectionLimits::default() };
    let model = FakeModel::respond_with(move |seen| answer(seen, thinks)).with_faults(faults).with_limits(limits);
    let (log, answer) = (model.log(), case.answer);
    simulated::host(&mut sim, model);
    let (done, mut played) = oneshot::channel();
    sim.client(CLIENT, async move {
        let client = simulated::client(false)?;
        let options = Options { mode: Some(mode), ..Options::default() };
        let config = Config { seed: 1, ..client.chain_config(&options) };
        let talk = Talk::new(client.drive(config, Vec::new()), answer);
        // Whoever waits for it waits until the end.
        let _ = done.send(talk.play(&log).await);
        Ok(())
    });
    sim.run()?;
    Ok(played.try_recv()?)
}

/// What the model says follows from what it sees: asked again, it goes on where it was.
fn answer(seen: &Seen, thinks: Duration) -> Turn {
    let items = seen.items();
    let calls = items.iter().filter(|item| item.call().is_some()).count();
    let messages = items.iter().filter(|item| matches!(item.view(), ItemView::Message(_))).count();
    let mut turn = Turn::new();
    if calls == 1 {
        turn = turn.pace(8, thinks);
    }
    // The first message is that of the user.
    if messages <= calls + 1 {
        turn = turn.message(format!("this is step {calls}"));
    }
    if calls < CALLS { turn.function_call("do", format!(r#"{{"step":{calls}}}"#)) } else { turn }
}

struct Talk {
    drive: Drive,
    settings: std::sync::Arc<Settings>,
    /// How large the answer of the first tool is.
    answer: usize,
    requests: usize,
    bytes: usize,
    told: Vec<String>,
}

impl Talk {
    fn new(drive: Drive, answer: usize) -> Self {
        let request = r#"{"model":"scripted","store":false,"tools":[{"type":"function","name":"do"}]}"#;
        let settings = Settings::new(&Request::parse(request).unwrap_or_default()).into();
        Self { drive, settings, answer, requests: 0, bytes: 0, told: Vec::new() }
    }

    async fn play(mut self, log: &Log) -> Played {
        let began = Instant::now();
        self.drive.connect();
        let mut items = vec![Item::user("do what is to be done")];
        for _ in 0..MOST_TURNS {
            let answered = self.turn(items).await;
            let calls: Vec<CallId> = self.drive.chain().transcript().unanswered().to_vec();
            if answered && calls.is_empty() {
                break;
            }
            items = calls.iter().map(|call| self.run(call)).collect();
        }
        let transcript = self.drive.chain().transcript();
        Played {
            lasted: began.elapsed(),
            requests: self.requests,
            bytes: self.bytes,
            transcript: transcript.items().iter().map(nameless).collect(),
            unanswered: transcript.unanswered().len(),
            told: self.told,
            ways: log.seen().iter().map(|seen| (seen.transport, seen.connection)).collect(),
        }
    }

    /// Runs a tool.
    fn run(&self, call: &CallId) -> Item {
        let before = self.drive.chain().transcript().items().iter().filter(|item| item.answers().is_some()).count();
        let size = if before == 0 { self.answer } else { 0 };
        Item::function_output(call, &format!("done {}", "x".repeat(size)))
    }

    async fn turn(&mut self, items: Vec<Item>) -> bool {
        if let Err(refused) = self.drive.submit(items, &self.settings) {
            self.told.push(refused.to_string());
            return false;
        }
        loop {
            let Told::Notice(notice) = self.drive.next().await else { continue };
            match notice {
                Notice::Ended { outcome: Outcome::Answered(_), .. } => return true,
                Notice::Ended { outcome, .. } => {
                    self.told.extend(ended(&outcome));
                    return false;
                }
                Notice::Sent { bytes, .. } => {
                    self.requests += 1;
                    self.bytes += bytes;
                }
                Notice::Dropped { kept, fault, .. } => {
                    let kept = if kept == 1 { "1 item".to_owned() } else { format!("{kept} items") };
                    self.told.push(format!("answer dropped, {kept} kept: {fault}"));
                }
                Notice::Waiting { fault, .. } => {
                    // Why was said already, if an answer was dropped for it.
                    let said = self.told.last().is_some_and(|told| told.ends_with(&fault.to_string()));
                    let why = if said { String::new() } else { format!(": {fault}") };
                    self.told.push(format!("asks again after a pause{why}"));
                }
                Notice::WebSocketOff { fault, .. } => self.told.push(format!("goes over HTTP for now: {fault}")),
                Notice::WebSocketOn => self.told.push("goes over a socket again".to_owned()),
                Notice::Item { .. } | Notice::Steered { .. } | Notice::SteerReturned { .. } => {}
            }
        }
    }
}

fn ended(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::CallsFirst(fault) => Some(format!("the call is answered first: {fault}")),
        Outcome::Failed(failure) => Some(format!("the turn failed: {failure}")),
        Outcome::Answered(_) | Outcome::Warm | Outcome::Cold | Outcome::Cancelled => None,
    }
}

/// An item without its id and the name of its call.
fn nameless(item: &Item) -> String {
    let object = Object::parse(item.text()).unwrap_or_default();
    let fields = object.fields().filter(|(key, _)| !["id", "call_id"].contains(key));
    fields.map(|(key, value)| [key, value].join(":")).collect::<Vec<_>>().join(",")
}
