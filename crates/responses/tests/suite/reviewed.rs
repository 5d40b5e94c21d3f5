//! What a hostile review found: each rule here was broken once.

mod client;
mod server;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use responses::chain::{
    Chain, Config, Effect, Heard, LinkId, Mode, NotSubmitted, Notice, Outcome, Seat, Time, Transport,
};
use responses::error::ApiError;
use responses::id::LaneId;
use responses::item::Item;
use responses::request::Settings;

use crate::pair::settings;

/// A thought that can be sent back.
const THOUGHT: &str = r#"{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"e"}"#;

/// What a chain asked a server for.
struct Asked {
    transport: Transport,
    link: LinkId,
    text: String,
}

/// A chain whose lines open at once, and all that it asked for and told. It plays no server: each test says what one
/// says.
struct Client {
    chain: Chain,
    now: Time,
    settings: Arc<Settings>,
    asked: Vec<Asked>,
    told: Vec<Notice>,
    closed: Vec<LinkId>,
    /// The lane it is given on each line.
    lane: Option<LaneId>,
}

impl Client {
    fn new(config: Config) -> Self {
        Self {
            chain: Chain::new(config),
            now: Time::default(),
            settings: settings(r#"{"model":"m","store":false}"#),
            asked: Vec::new(),
            told: Vec::new(),
            closed: Vec::new(),
            lane: None,
        }
    }

    fn over(mode: Mode) -> Self {
        Self::new(Config { mode, ..Config::default() })
    }

    /// With a turn on its way.
    fn asking(config: Config) -> Self {
        let mut client = Self::new(config);
        client.submit("hi");
        client
    }

    fn drain(&mut self) {
        while let Some(effect) = self.chain.poll_effect() {
            match effect {
                Effect::Open(link) => {
                    let seat = Seat { lane: self.lane.clone(), since: self.now };
                    self.chain.handle_joined(self.now, link, seat);
                }
                Effect::Send(link, text) => self.note(Transport::WebSocket, link, text),
                Effect::Post(link, text) => self.note(Transport::Http, link, text),
                Effect::Close(link) => self.closed.push(link),
                Effect::Tell(notice) => self.told.push(notice),
                Effect::Ping(_) => {}
            }
        }
    }

    fn note(&mut self, transport: Transport, link: LinkId, text: String) {
        assert!(!self.closed.contains(&link), "sent over {link:?}, which was given up: {text}");
        self.asked.push(Asked { transport, link, text });
    }

    fn submit(&mut self, text: &str) {
        self.try_submit(text).expect("nothing is in the way of a turn");
    }

    fn try_submit(&mut self, text: &str) -> Result<(), NotSubmitted> {
        let submitted = self.chain.submit(self.now, vec![Item::user(text)], &self.settings);
        self.drain();
        submitted.map(|_| ())
    }

    fn last(&self) -> &Asked {
        self.asked.last().expect("nothing was asked for")
    }

    fn sends_over(&self, transport: Transport) -> usize {
        self.asked.iter().filter(|asked| asked.transport == transport).count()
    }

    /// The server answers what was asked for last.
    fn hear(&mut self, text: &str) -> Heard {
        let heard = self.chain.handle_text(self.now, self.last().link, text);
        self.drain();
        heard
    }

    fn hear_all(&mut self, texts: &[&str]) {
        for text in texts {
            let _ = self.hear(text);
        }
    }

    /// The server answers in the usual order.
    fn answer(&mut self, id: &str, items: &[&str]) {
        self.begin(id, items);
        let _ = self.hear(&completed(id, ""));
    }

    /// The server begins to answer.
    fn begin(&mut self, id: &str, items: &[&str]) {
        let _ = self.hear(&created(id));
        for (index, item) in items.iter().enumerate() {
            let _ = self.hear(&done(index, item));
        }
    }

    fn hang_up(&mut self, code: Option<u16>) {
        let link = self.last().link;
        self.chain.handle_closed(self.now, link, code);
        self.closed.push(link);
        self.drain();
    }

    fn refuse(&mut self, error: ApiError) {
        let link = self.last().link;
        self.chain.handle_refused(self.now, link, error);
        self.drain();
    }

    /// Time passes until the next deadline.
    fn wake(&mut self) {
        self.now = self.chain.poll_deadline().expect("a turn waits for something").max(self.now);
        self.chain.handle_deadline(self.now);
        self.drain();
    }

    /// Time passes.
    fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        while self.chain.poll_deadline().is_some_and(|next| next <= end) {
            self.wake();
        }
        self.now = end;
    }

    /// Answers every request in the same way until the turn ends. Says how many there were.
    fn play(&mut self, mut answer: impl FnMut(&mut Self, usize)) -> usize {
        const MOST: usize = 2000;
        let before = self.asked.len() - 1;
        let mut answered = before;
        for _ in 0..MOST {
            if self.chain.is_idle() {
                return answered - before;
            }
            if self.asked.len() > answered {
                answered = self.asked.len();
                answer(self, answered);
            } else {
                self.wake();
            }
        }
        panic!("the turn does not end: {} requests until {:?}", answered - before, self.now);
    }

    fn ended(&self) -> Option<&Outcome> {
        self.told.iter().rev().find_map(|notice| match notice {
            Notice::Ended { outcome, .. } => Some(outcome),
            _ => None,
        })
    }

    /// The items that were told to be whole.
    fn items_told(&self) -> usize {
        self.told.iter().filter(|notice| matches!(notice, Notice::Item { .. })).count()
    }

    fn transcript(&self) -> Vec<&str> {
        self.chain.transcript().items().iter().map(Item::text).collect()
    }
}

fn created(id: &str) -> String {
    format!(r#"{{"type":"response.created","response":{{"id":"{id}","status":"in_progress","output":[]}}}}"#)
}

fn done(index: usize, item: &str) -> String {
    format!(r#"{{"type":"response.output_item.done","output_index":{index},"item":{item}}}"#)
}

/// The last event, with more fields of the response.
fn completed(id: &str, more: &str) -> String {
    format!(r#"{{"type":"response.completed","response":{{"id":"{id}","status":"completed"{more}}}}}"#)
}

fn failed(id: &str, code: &str) -> String {
    let error = format!(r#"{{"code":"{code}","message":"m"}}"#);
    format!(r#"{{"type":"response.failed","response":{{"id":"{id}","status":"failed","error":{error}}}}}"#)
}

fn error(status: u16, fields: &str) -> String {
    format!(r#"{{"type":"error","status":{status},"error":{{{fields},"message":"m"}}}}"#)
}

fn said(text: &str) -> String {
    format!(r#"{{"type":"message","role":"assistant","content":[{{"type":"output_text","text":"{text}"}}]}}"#)
}
