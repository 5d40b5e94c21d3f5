//! A user with tools, and the loop that drives a chain for them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use responses::chain::{Chain, Effect, LinkId, Notice, Outcome, Time};
use responses::id::CallId;
use responses::item::Item;
use responses::request::{Request, Settings};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::Shared;
use super::links::{self, Order, Word, Words};
use super::scene::Scene;
use crate::Log;

/// How many words of links wait for the chain; a link that says more is not read until there is room.
const MAX_WORDS: usize = 64;

/// How many orders wait for a socket. A chain has one request in flight, so there are never many.
const MAX_ORDERS: usize = 16;

/// How many turns in a row may fail after the last fault of a plan.
const MOST_FAILURES: usize = 40;

/// A user, their tools, and their chain.
pub(super) struct Client {
    chain: Chain,
    settings: Arc<Settings>,
    scene: Scene,
    shared: Shared,
    log: Log,
    began: Instant,
    words: Words,
    heard: mpsc::Receiver<(LinkId, Word)>,
    sockets: HashMap<LinkId, mpsc::Sender<Order>>,
    tasks: JoinSet<()>,
    links: HashMap<LinkId, AbortHandle>,
    ended: VecDeque<Outcome>,
    said: u64,
}

impl Client {
    pub(super) fn new(scene: &Scene, shared: Shared, log: Log) -> Self {
        let (words, heard) = mpsc::channel(MAX_WORDS);
        let fields =
            format!(r#"{{"model":"scripted","store":{},"tools":[{{"type":"function","name":"do"}}]}}"#, scene.store);
        let request = Request::parse(&fields).unwrap_or_default();
        Self {
            chain: Chain::new(scene.config()),
            settings: Arc::new(Settings::new(&request)),
            scene: scene.clone(),
            shared,
            log,
            began: Instant::now(),
            words,
            heard,
            sockets: HashMap::new(),
            tasks: JoinSet::new(),
            links: HashMap::new(),
            ended: VecDeque::new(),
            said: 0,
        }
    }

    /// All turns of the scene, and then as many as it takes to see that all is well again.
    pub(super) async fn live(mut self) {
        self.began = Instant::now();
        self.chain.connect(self.now());
        if self.scene.warm_up {
            let settings = Arc::clone(&self.settings);
            self.chain.warm_up(self.now(), &settings);
        }
        self.act();
        let mut failures = 0;
        let mut turn = 0;
        while turn < self.scene.turns || failures > 0 {
            turn += 1;
            let outcome = self.turn(turn).await;
            self.check(&outcome);
            failures = match outcome {
                Outcome::Answered(_) => 0,
                _ => failures + 1,
            };
            if failures > MOST_FAILURES {
                self.shared.witness().violate("no turn works any more".to_owned());
            }
            if self.shared.witness().violation.is_some() {
                break;
            }
            let thinks = self.scene.thinks;
            self.until(tokio::time::sleep(thinks)).await;
        }
        self.tasks.shutdown().await;
    }

    fn now(&self) -> Time {
        Time::at(self.began.elapsed())
    }

    /// Runs the tools, says something, and waits until the turn has ended.
    async fn turn(&mut self, number: u64) -> Outcome {
        let calls: Vec<CallId> = self.chain.transcript().unanswered().to_vec();
        let mut items: Vec<Item> =
            calls.iter().map(|call| Item::function_output(call, &format!("did {call}"))).collect();
        self.said += 1;
        items.push(Item::user(&format!("word {}", self.said)));
        let settings = Arc::clone(&self.settings);
        self.ended.clear();
        if let Err(refused) = self.chain.submit(self.now(), items, &settings) {
            self.shared.witness().violate(format!("a turn was not taken: {refused}"));
            return Outcome::Cancelled;
        }
        self.act();
        let stop = self.scene.stops.iter().find(|(turn, _)| *turn == number).map(|(_, after)| *after);
        if let Some(after) = stop {
            self.until(tokio::time::sleep(after)).await;
            let now = self.now();
            if self.chain.cancel(now) {
                self.shared.witness().note(now.since_beginning(), "user: stop");
            }
            self.act();
        }
        loop {
            if let Some(outcome) = self.turn_ended() {
                return outcome;
            }
            self.step().await;
        }
    }

    /// How the turn ended; the end of a warm-up before it is not it.
    fn turn_ended(&mut self) -> Option<Outcome> {
        while let Some(outcome) = self.ended.pop_front() {
            if !matches!(outcome, Outcome::Warm | Outcome::Cold) {
                return Some(outcome);
            }
        }
        None
    }

    /// Lives on until something else has happened.
    async fn until(&mut self, other: impl Future<Output = ()>) {
        tokio::pin!(other);
        loop {
            tokio::select! {
                biased;
                () = &mut other => return,
                () = self.step() => {}
            }
        }
    }

    /// One word of a link, or one deadline.
    async fn step(&mut self) {
        const A_WHILE: Duration = Duration::from_mins(1);
        let deadline = self
            .chain
            .poll_deadline()
            .map_or_else(|| Instant::now() + A_WHILE, |deadline| self.began + deadline.since_beginning());
        tokio::select! {
            biased;
            Some((link, word)) = self.heard.recv() => self.hear(link, word),
            () = tokio::time::sleep_until(deadline) => self.chain.handle_deadline(self.now()),
        }
        self.act();
    }

    fn hear(&mut self, link: LinkId, word: Word) {
        let now = self.now();
        match word {
            Word::Open => self.chain.handle_open(now, link),
            Word::Refused(error) => {
                self.shared.witness().note(now.since_beginning(), format_args!("link {}: refused: {error}", link.0));
                self.chain.handle_refused(now, link, error);
            }
            Word::Unreachable(trouble) => self.chain.handle_unreachable(now, link, trouble),
            Word::Text(text) => {
                let _ = self.chain.handle_text(now, link, &text);
            }
            Word::Pong => self.chain.handle_pong(link),
            Word::Closed(code) => {
                self.shared.witness().note(now.since_beginning(), format_args!("link {}: closed ({code:?})", link.0));
                self.chain.handle_closed(now, link, code);
            }
        }
    }

    /// Does what the chain asks for.
    fn act(&mut self) {
        while let Some(effect) = self.chain.poll_effect() {
            match effect {
                Effect::Open(link) => {
                    let (orders, taken) = mpsc::channel(MAX_ORDERS);
                    self.sockets.insert(link, orders);
                    let task = self.tasks.spawn(links::socket(link, self.words.clone(), taken));
                    self.links.insert(link, task);
                }
                Effect::Post(link, body) => {
                    self.shared.witness().request_leaves(self.chain.transcript().items());
                    let task = self.tasks.spawn(links::post(link, self.words.clone(), body));
                    self.links.insert(link, task);
                }
                Effect::Send(link, text) => {
                    self.shared.witness().request_leaves(self.chain.transcript().items());
                    self.order(link, Order::Text(text));
                }
                Effect::Ping(link) => self.order(link, Order::Ping),
                Effect::Close(link) => {
                    self.sockets.remove(&link);
                    if let Some(task) = self.links.remove(&link) {
                        task.abort();
                    }
                }
                Effect::Tell(notice) => self.told(notice),
            }
        }
        while self.tasks.try_join_next().is_some() {}
    }

    /// A socket whose task has ended has said so, or is about to.
    fn order(&mut self, link: LinkId, order: Order) {
        if let Some(orders) = self.sockets.get(&link)
            && let Err(mpsc::error::TrySendError::Full(order)) = orders.try_send(order)
        {
            self.shared.witness().violate(format!("more orders than a chain can have: {order:?}"));
        }
    }

    fn told(&mut self, notice: Notice) {
        let at = self.began.elapsed();
        let mut witness = self.shared.witness();
        witness.hear(at, &notice);
        if let Notice::Item { item, .. } = &notice
            && let Some(call) = item.call()
        {
            witness.run(&call);
        }
        drop(witness);
        if let Notice::Ended { outcome, .. } = notice {
            self.ended.push_back(outcome);
        }
    }

    fn check(&self, outcome: &Outcome) {
        let transcript = self.chain.transcript().items();
        let mut witness = self.shared.witness();
        witness.check_contexts(&self.log);
        witness.check_transcript(transcript);
        witness.check_runs(transcript);
        if let Outcome::Answered(response) = outcome {
            witness.check_answer(&self.log, response, transcript);
        }
    }
}
