//! A client chain and a server connection joined in memory, on virtual time.
//!
//! The network between them delivers when it is told to, loses what it is told to lose, and keeps a ledger of what the
//! model really saw. Every step is checked against the ledger as it happens.

mod ledger;
mod model;
mod pipe;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use responses::chain::{
    Chain, Config, ConnectionLimits, Effect, LinkId, Notice, Outcome, Powers, Time, Transport, TurnId, WhyAll,
};
use responses::error::ApiError;
use responses::id::LaneId;
use responses::item::Item;
use responses::request::{Request, Settings};

use ledger::Ledger;
pub(crate) use model::Ending;
use model::Model;
use pipe::{Pipe, ToClient};
pub(crate) use steps::Step;

/// How the next attempt to open a line goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    Works,
    Refused(u16),
    Unreachable,
    Hangs,
}

/// Client, network, server and model.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) now: Time,
    pub(crate) chain: Chain,
    pub(crate) settings: Arc<Settings>,
    pub(crate) limits: ConnectionLimits,
    pub(crate) powers: Powers,
    pub(crate) opening: Opening,
    /// The lane the chain is given on each line.
    pub(crate) lane: Option<LaneId>,
    pub(crate) ended: Vec<(TurnId, Outcome)>,
    pub(crate) notices: Vec<Notice>,
    pipes: BTreeMap<LinkId, Pipe>,
    model: Model,
    pub(crate) ledger: Ledger,
    said: usize,
    heard_text: Vec<String>,
}

/// The settings of a chain in tests.
pub(crate) fn settings(fields: &str) -> Arc<Settings> {
    Arc::new(Settings::new(&Request::parse(fields).unwrap()))
}

impl Pair {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            now: Time::default(),
            chain: Chain::new(config),
            settings: settings(r#"{"model":"m","store":false,"tools":[{"type":"function","name":"f"}]}"#),
            limits: ConnectionLimits::default(),
            powers: Powers::default(),
            opening: Opening::Works,
            lane: None,
            ended: Vec::new(),
            notices: Vec::new(),
            pipes: BTreeMap::new(),
            model: Model::default(),
            ledger: Ledger::default(),
            said: 0,
            heard_text: Vec::new(),
        }
    }

    /// How every generation ends from here on.
    pub(crate) fn always_ends(&mut self, ending: Ending) {
        self.model.always = Some(ending);
    }

    /// A conversation that goes on from items said elsewhere.
    pub(crate) fn resumed_with(config: Config, items: impl IntoIterator<Item = Item>) -> Self {
        let items: Vec<Item> = items.into_iter().collect();
        let mut pair = Self::new(config.clone());
        pair.ledger.said.extend(items.iter().map(|item| item.text().to_owned()));
        pair.chain = Chain::resumed(config, items);
        pair
    }

    /// How the next generations end, in order; after that they complete.
    pub(crate) fn next_endings(&mut self, endings: impl IntoIterator<Item = Ending>) {
        self.model.endings.extend(endings);
    }

    /// Answers open calls and says one new thing.
    pub(crate) fn submit(&mut self) -> Option<TurnId> {
        let mut items: Vec<Item> = self.answers();
        self.said += 1;
        items.push(Item::user(&format!("user says {}", self.said)));
        self.submit_items(items)
    }

    fn answers(&self) -> Vec<Item> {
        let open = self.chain.transcript().unanswered();
        open.iter().map(|call| Item::function_output(call, &format!("answer to {call}"))).collect()
    }

    pub(crate) fn submit_items(&mut self, items: Vec<Item>) -> Option<TurnId> {
        let said: Vec<String> = items.iter().map(|item| item.text().to_owned()).collect();
        let settings = Arc::clone(&self.settings);
        let turn = self.chain.submit(self.now, items, &settings).ok();
        if turn.is_some() {
            self.ledger.said.extend(said);
            self.ledger.submitted += 1;
        }
        self.drain();
        turn
    }

    pub(crate) fn warm_up(&mut self) {
        let settings = Arc::clone(&self.settings);
        if self.chain.warm_up(self.now, &settings).is_some() {
            self.ledger.submitted += 1;
        }
        self.drain();
    }

    pub(crate) fn connect(&mut self) {
        self.chain.connect(self.now);
        self.drain();
    }

    pub(crate) fn cancel(&mut self) -> bool {
        let was_busy = self.chain.cancel(self.now);
        self.drain();
        was_busy
    }

    /// Says something to the running response; what cannot be said is submitted later by the test.
    pub(crate) fn steer(&mut self) -> bool {
        self.said += 1;
        let item = Item::user(&format!("user steers {}", self.said));
        let text = item.text().to_owned();
        let taken = self.chain.steer(vec![item]).is_ok();
        if taken {
            self.ledger.steered.push(text);
        }
        self.drain();
        taken
    }

    /// Does what the chain asks for, and checks it.
    fn drain(&mut self) {
        while let Some(effect) = self.chain.poll_effect() {
            match effect {
                Effect::Open(link) => {
                    assert!(
                        !self.pipes.values().any(|pipe| pipe.is_line() && pipe.open_at_client),
                        "two lines at once"
                    );
                    self.open(link);
                }
                Effect::Send(link, text) => {
                    let transcript = self.transcript();
                    let pipe = self.pipes.get_mut(&link).expect("sent over a line that was never opened");
                    assert!(pipe.open_at_client, "sent over a line that is not open: {text}");
                    pipe.send(text, transcript);
                }
                Effect::Post(link, body) => {
                    let transcript = self.transcript();
                    let previous = self.pipes.insert(link, Pipe::post(body, transcript));
                    assert!(previous.is_none(), "a link was used twice");
                }
                Effect::Ping(link) => self.ping(link),
                Effect::Close(link) => self.close_from_client(link),
                Effect::Tell(notice) => self.hear(notice),
            }
        }
        self.ledger.check_told(&self.chain);
    }

    fn hear(&mut self, notice: Notice) {
        match &notice {
            Notice::Item { item, .. } => self.ledger.told(item),
            Notice::Ended { turn, outcome } => {
                self.ledger.ended += 1;
                if let Outcome::Answered(response) = outcome {
                    self.ledger.sends_before_first_answer.get_or_insert(self.ledger.sends.len());
                    let remembered =
                        self.ledger.generations.get(response.id().as_str()).expect("an answer nobody gave");
                    let remembered = self.that_counts(remembered);
                    let mut transcript = self.that_counts(&self.transcript());
                    // What was said to a response that waits for answers is held by the server until they come.
                    while transcript.len() > remembered.len()
                        && transcript.last().is_some_and(|last| self.ledger.steered.contains(last))
                    {
                        transcript.pop();
                    }
                    assert_eq!(remembered, transcript, "the model does not have what the transcript says");
                }
                self.ended.push((*turn, outcome.clone()));
            }
            Notice::SteerReturned { items, .. } => {
                for item in items {
                    self.ledger.steer_returned(item.text());
                }
            }
            Notice::Sent { transport, all, items, bytes, .. } => {
                let new_bytes = self.chain.transcript().bytes();
                if let (None, Some(anchor)) = (all, self.chain.anchor()) {
                    let new = self.chain.transcript().len() - anchor.covered();
                    assert_eq!(*items, new, "a delta is what is new, no more and no less");
                }
                self.ledger.sends.push((*transport, *all, *items, *bytes));
                assert!(*bytes <= new_bytes + self.settings.bytes() + 256, "more was sent than there is");
            }
            _ => {}
        }
        self.notices.push(notice);
    }

    /// What counts when two conversations are compared: thoughts that led nowhere stay behind when all is sent again.
    pub(super) fn that_counts(&self, texts: &[String]) -> Vec<String> {
        let items: Vec<Item> = texts.iter().map(|text| Item::parse(text).expect("items can be read")).collect();
        let items = responses::chain::readable(&items, self.settings.store());
        items.iter().map(|item| item.text().to_owned()).collect()
    }

    pub(crate) fn transcript(&self) -> Vec<String> {
        self.chain.transcript().items().iter().map(|item| item.text().to_owned()).collect()
    }

    fn open(&mut self, link: LinkId) {
        let mut pipe = Pipe::line(self.now, self.limits.clone(), self.powers);
        match std::mem::replace(&mut self.opening, Opening::Works) {
            Opening::Works => pipe.to_client.push_back(ToClient::Open),
            Opening::Refused(status) => {
                let message = format!("status {status}");
                let wait = (status == 503).then_some(Duration::from_secs(7));
                let error = ApiError { status: Some(status), message: message.into(), wait, ..ApiError::default() };
                pipe.to_client.push_back(ToClient::Refused(Box::new(error)));
            }
            Opening::Unreachable => pipe.to_client.push_back(ToClient::Unreachable),
            Opening::Hangs => {}
        }
        assert!(self.pipes.insert(link, pipe).is_none(), "a link was used twice");
    }

    fn ping(&mut self, link: LinkId) {
        let pipe = self.pipes.get_mut(&link).expect("pinged a line that was never opened");
        assert!(pipe.open_at_client, "pinged a line that is not open");
        if pipe.answers() {
            pipe.to_client.push_back(ToClient::Pong);
        }
    }

    fn close_from_client(&mut self, link: LinkId) {
        let pipe = self.pipes.get_mut(&link).expect("closed a line that was never opened");
        assert!(!pipe.closed_at_client, "closed twice");
        pipe.closed_at_client = true;
        pipe.open_at_client = false;
        pipe.to_client.clear();
        pipe.cut_server();
    }

    /// Everything arrives, nothing breaks any more: in the end the chain must be idle.
    pub(crate) fn settle(&mut self) {
        const MOST_STEPS: usize = 20_000;
        for _ in 0..MOST_STEPS {
            if self.deliver() {
                continue;
            }
            if self.chain.is_idle() {
                self.ledger.check_settled(&self.chain);
                return;
            }
            self.wake().then_some(()).expect("the chain waits for nothing: a turn that cannot end");
        }
        panic!("the chain does not come to rest");
    }

    /// Moves one thing on its way, if anything is.
    pub(crate) fn deliver(&mut self) -> bool {
        self.deliver_to_server() || self.produce() || self.deliver_to_client()
    }

    /// Lets time pass until someone has to act.
    pub(crate) fn wake(&mut self) -> bool {
        let servers = self.pipes.values().filter_map(Pipe::deadline);
        let Some(next) = servers.chain(self.chain.poll_deadline()).min() else { return false };
        self.now = self.now.max(next);
        self.wake_now();
        true
    }

    /// Lets so much time pass, in small steps.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        loop {
            while self.deliver() {}
            let servers = self.pipes.values().filter_map(Pipe::deadline);
            match servers.chain(self.chain.poll_deadline()).min() {
                Some(next) if next <= end => {
                    self.now = self.now.max(next);
                    self.wake_now();
                }
                _ => break,
            }
        }
        self.now = end;
    }

    /// Lets so much time pass while nothing arrives anywhere.
    pub(crate) fn pass_without_delivery(&mut self, time: Duration) {
        let end = self.now.after(time);
        while let Some(next) = self.chain.poll_deadline().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.chain.handle_deadline(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// The server answers the request on its way with 429, and says when to come back.
    pub(crate) fn limit_instead_of_an_answer(&mut self, seconds: u64) {
        let headers = format!(r#"{{"retry-after":"{seconds}"}}"#);
        let text = format!(r#"{{"type":"error","status":429,"error":{{"message":"scripted","headers":{headers}}}}}"#);
        self.lose_what_is_on_its_way_to_the_server();
        let link = self.pipes.keys().last().copied().expect("nothing was sent");
        assert_eq!(self.hear_over(link, &text), responses::chain::Heard::Turn);
    }

    /// Everybody wakes so much later than they wanted to, the servers before the client.
    pub(crate) fn oversleep(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.wake_servers();
        self.wake_now();
    }

    fn wake_servers(&mut self) {
        for link in self.pipes.keys().copied().collect::<Vec<_>>() {
            self.wake_server(link);
        }
    }

    fn wake_now(&mut self) {
        self.chain.handle_deadline(self.now);
        self.drain();
        assert!(self.chain.poll_deadline().is_none_or(|next| next > self.now), "a deadline that passing does not end");
        self.wake_servers();
    }

    /// Answers open calls and says this.
    pub(crate) fn say(&mut self, text: &str) {
        let mut items = self.answers();
        items.push(Item::user(text));
        self.submit_items(items).expect("a turn is in the way");
    }

    /// Answers open calls, if there are any, and lets the model go on until it makes none.
    pub(crate) fn answer_calls(&mut self) {
        while !self.chain.transcript().unanswered().is_empty() {
            let answers = self.answers();
            self.submit_items(answers).expect("a turn is in the way");
            self.settle();
        }
    }

    /// How many items were told to be whole.
    pub(crate) fn told(&self) -> usize {
        self.notices.iter().filter(|notice| matches!(notice, Notice::Item { .. })).count()
    }

    /// Whether the item told last is a call.
    pub(crate) fn last_told_is_call(&self) -> bool {
        matches!(self.notices.last(), Some(Notice::Item { item, .. }) if item.call().is_some())
    }

    /// Whether an item was told since the last turn ended.
    pub(crate) fn last_told_in_this_turn(&self) -> bool {
        matches!(self.notices.last(), Some(Notice::Item { .. }))
    }

    /// A turn from its beginning to its end, nothing going wrong but what was planned.
    pub(crate) fn turn(&mut self) -> &Outcome {
        self.submit().expect("a turn is in the way");
        self.settle();
        self.outcome()
    }

    /// How the last request left: transport, why all of it, how many items.
    pub(crate) fn last_sent(&self) -> (Transport, Option<WhyAll>, usize) {
        let (transport, all, items, _) = *self.ledger.sends.last().expect("nothing was sent");
        (transport, all, items)
    }

    /// From here on nothing is planned to go wrong.
    pub(crate) fn clear_trouble(&mut self) {
        self.opening = Opening::Works;
        self.model.endings.clear();
        self.model.always = None;
    }

    /// How many lines were opened so far.
    pub(crate) fn lines_opened(&self) -> usize {
        self.pipes.values().filter(|pipe| pipe.is_line()).count()
    }

    /// The last outcome.
    pub(crate) fn outcome(&self) -> &Outcome {
        &self.ended.last().expect("no turn has ended").1
    }

    /// Texts that were passed to whoever watches.
    pub(crate) fn shown(&self) -> &[String] {
        &self.heard_text
    }
}
