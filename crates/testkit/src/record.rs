//! What clients did, in the order in which it was noticed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use responses::chain::{Context, Transport};
use responses::id::ResponseId;
use responses::item::Item;
use responses::request::Request;
use tokio::sync::Notify;

/// How many entries, and how many requests to the model, are kept; the oldest are dropped first.
const MAX_KEPT: usize = 1 << 16;

/// One thing a client did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// On which connection, counted from 1.
    pub connection: u64,
    /// What.
    pub happened: Happened,
}

/// What a client can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// It connected.
    Opened,
    /// It made an HTTP request; an upgrade is one too.
    Request(HttpRequest),
    /// It sent a text message over a socket.
    Frame(String),
    /// It sent a ping.
    Ping,
    /// It sent a pong.
    Pong,
    /// It sent a close frame.
    Close(Option<u16>),
    /// Its connection is over, whoever ended it.
    Gone,
}

/// An HTTP request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `POST`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// Whether it came over HTTP/2.
    pub http2: bool,
    /// In order, names in lower case. The host of HTTP/2 is called `:authority`.
    pub headers: Vec<(String, String)>,
    /// The body, unpacked.
    pub body: String,
    /// How many bytes the body had when it travelled.
    pub wire_bytes: usize,
}

impl HttpRequest {
    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether the body came packed.
    pub fn is_compressed(&self) -> bool {
        self.header("content-encoding").is_some_and(|encoding| encoding != "identity")
    }
}

/// What the model was asked, and all it saw.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which request for the model to say something, counted from 1; warm-ups are not counted.
    pub number: u64,
    /// On which connection it came.
    pub connection: u64,
    /// How it came.
    pub transport: Transport,
    /// The settings.
    pub request: Arc<Request>,
    /// What it goes on from.
    pub previous: Option<ResponseId>,
    /// All the model sees, whatever part of it was sent.
    pub context: Context,
    /// How many items at the end of that were sent with this request.
    pub new_items: usize,
    /// The response it got.
    pub response: ResponseId,
}

impl Seen {
    /// All items the model sees.
    pub fn items(&self) -> Vec<Item> {
        self.context.to_vec()
    }
}

/// The record of a model. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Log {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<Entry>,
    seen: VecDeque<Seen>,
}

impl Log {
    /// Everything clients did, in order.
    pub fn entries(&self) -> Vec<Entry> {
        self.kept().entries.iter().cloned().collect()
    }

    /// What happened on one connection, in order.
    pub fn on_connection(&self, number: u64) -> Vec<Happened> {
        let entries = self.entries().into_iter().filter(|entry| entry.connection == number);
        entries.map(|entry| entry.happened).collect()
    }

    /// All HTTP requests, upgrades included, in order.
    pub fn requests(&self) -> Vec<HttpRequest> {
        let request = |entry: Entry| match entry.happened {
            Happened::Request(request) => Some(request),
            _ => None,
        };
        self.entries().into_iter().filter_map(request).collect()
    }

    /// All text messages of all sockets, in order.
    pub fn frames(&self) -> Vec<String> {
        let frame = |entry: Entry| match entry.happened {
            Happened::Frame(text) => Some(text),
            _ => None,
        };
        self.entries().into_iter().filter_map(frame).collect()
    }

    /// Every request for the model to say something, in the order in which it began with them.
    pub fn seen(&self) -> Vec<Seen> {
        self.kept().seen.iter().cloned().collect()
    }

    /// Waits until something holds of the record. For ever, if it never does: put a time limit around it.
    pub async fn until(&self, mut holds: impl FnMut(&Self) -> bool) {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if holds(self) {
                return;
            }
            changed.await;
        }
    }

    pub(crate) fn note(&self, connection: u64, happened: Happened) {
        keep(&mut self.kept().entries, Entry { connection, happened });
        self.shared.changed.notify_waiters();
    }

    pub(crate) fn note_seen(&self, seen: Seen) {
        keep(&mut self.kept().seen, seen);
        self.shared.changed.notify_waiters();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep<T>(list: &mut VecDeque<T>, entry: T) {
    if list.len() == MAX_KEPT {
        list.pop_front();
    }
    list.push_back(entry);
}
