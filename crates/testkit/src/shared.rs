//! What all connections of one model share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use responses::chain::{ConnectionLimits, Context, Powers, RunRequest, Transport};
use responses::json::{Json, Object};
use responses::request::Request;

use crate::answer::Mind;
use crate::events::{self, Ending, Head};
use crate::fault::{Fault, FaultPlan};
use crate::lock::Lock;
use crate::memory::{Memory, Stored};
use crate::play::Play;
use crate::record::{Log, Seen};
use crate::refusal::Refusal;
use crate::script::{End, Output, Turn};
use crate::wire::Control;

/// One model.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) mind: Mind,
    pub(crate) plan: FaultPlan,
    pub(crate) limits: ConnectionLimits,
    pub(crate) powers: Powers,
    pub(crate) log: Log,
    pub(crate) lock: Lock,
    /// Of every answer.
    pub(crate) headers: Vec<(String, String)>,
    /// How long the model takes to read a byte it does not remember.
    pub(crate) rebuild: Duration,
    memory: Mutex<Memory>,
    connections: AtomicU64,
    requests: AtomicU64,
    responses: AtomicU64,
    replies: AtomicU64,
}

/// One connection, as those who serve it know it.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) shared: Arc<Shared>,
    /// Counted from 1.
    pub(crate) number: u64,
    /// What happens on it.
    pub(crate) faults: Arc<[Fault]>,
    /// Its bytes.
    pub(crate) control: Control,
}

/// What the model does with a request.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The number of the request; a warm-up has none.
    pub(crate) number: Option<u64>,
    pub(crate) what: What,
    /// What happens on the way to it; on a connection, this comes on top of the faults of the connection.
    pub(crate) faults: Vec<Fault>,
}

#[derive(Debug)]
pub(crate) enum What {
    /// It says something.
    Play(Box<Play>),
    /// It refuses.
    Refused(Refusal),
    /// Something before it answers with a page.
    Page(u16),
    /// Nothing.
    Empty,
}

impl Shared {
    pub(crate) fn new(mind: Mind, plan: FaultPlan) -> Self {
        Self {
            mind,
            plan,
            limits: ConnectionLimits::default(),
            powers: Powers { steer: true, inject: true, interrupt: true },
            log: Log::default(),
            lock: Lock::default(),
            headers: Vec::new(),
            rebuild: Duration::ZERO,
            memory: Mutex::default(),
            connections: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            responses: AtomicU64::new(0),
            replies: AtomicU64::new(0),
        }
    }

    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of an HTTP answer, for the id it is known by.
    pub(crate) fn next_reply(&self) -> u64 {
        self.replies.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A response ended: it is stored, if the request says so.
    pub(crate) fn remember(&self, play: &Play, context: &Context, ending: &Ending) {
        if play.head().request.store() {
            let context = context.with(play.items().to_vec());
            let stored = Stored { response: ending.response.clone(), context, well: ending.well };
            self.memory().store(play.head().id(), stored);
        }
    }

    /// Numbers and records a request for the model to say something.
    fn see(&self, connection: u64, request: &RunRequest, transport: Transport, head: &Head) -> Seen {
        let seen = Seen {
            number: self.requests.fetch_add(1, Ordering::Relaxed) + 1,
            connection,
            transport,
            request: Arc::clone(&request.request),
            previous: request.previous.clone(),
            context: request.context.clone(),
            new_items: request.new_items,
            response: head.id(),
        };
        self.log.note_seen(seen.clone());
        seen
    }

    /// How long the model takes to read what it does not remember: of a continuation, what is new.
    fn rebuilding(&self, request: &RunRequest, read: usize) -> Duration {
        if self.rebuild.is_zero() {
            return Duration::ZERO;
        }
        let new = || request.context.to_vec().iter().rev().take(request.new_items).map(|item| item.text().len()).sum();
        let bytes = if request.previous.is_some() { new() } else { read };
        self.rebuild.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX))
    }

    fn head(&self, request: &RunRequest) -> Head {
        let number = self.responses.fetch_add(1, Ordering::Relaxed) + 1;
        Head { number, request: Arc::clone(&request.request), previous: request.previous.clone() }
    }
}

impl Line {
    /// What the model does with a request. Faults of the wire are armed by this.
    pub(crate) fn answer(&self, request: &RunRequest, transport: Transport) -> Answer {
        let head = self.shared.head(request);
        let read = events::settings_bytes(&request.request) + request.context.bytes();
        let rebuilding = self.shared.rebuilding(request, read);
        if is_warm_up(&request.request) {
            let usage = events::estimate(read, 0);
            let events = events::warm_up(&head, usage);
            let play = Play::new(head, usage, events, self.faults.to_vec()).after(rebuilding);
            return Answer { number: None, what: What::Play(Box::new(play)), faults: Vec::new() };
        }
        let seen = self.shared.see(self.number, request, transport, &head);
        let faults = self.shared.plan.of_request(seen.number);
        self.control.arm(Some(seen.number), &faults);
        let all: Vec<Fault> = self.faults.iter().chain(&faults).cloned().collect();
        let what = instead(&all, &seen).unwrap_or_else(|| match self.shared.mind.turn(&seen) {
            Err(refusal) => What::Refused(refusal),
            Ok(Turn { outputs, end: End::Error(refusal), .. }) if outputs.is_empty() => What::Refused(refusal),
            Ok(turn) => {
                let said = turn.outputs.iter().map(Output::bytes).sum();
                let usage = turn.usage.unwrap_or_else(|| events::estimate(read, said));
                let events = events::events(&turn, &head, usage);
                let play = Play::new(head, usage, events, all.clone());
                What::Play(Box::new(play.paced(turn.pace.pause).after(rebuilding)))
            }
        });
        Answer { number: Some(seen.number), what, faults }
    }

    /// Whether errors of this answer have the flat shape.
    pub(crate) fn has_flat_errors(&self, answer: &Answer) -> bool {
        self.faults.iter().chain(&answer.faults).any(|fault| *fault == Fault::FlatErrors)
    }
}

/// What is answered in place of the model.
fn instead(faults: &[Fault], seen: &Seen) -> Option<What> {
    faults.iter().find_map(|fault| match (fault, &seen.previous) {
        (Fault::ForgetPrevious, Some(previous)) => Some(What::Refused(Refusal::forgotten(previous.as_str()))),
        (Fault::Refuse(refusal), _) => Some(What::Refused(refusal.clone())),
        (Fault::HtmlError(status), _) => Some(What::Page(*status)),
        (Fault::EmptyStream, _) => Some(What::Empty),
        _ => None,
    })
}

/// Over a socket `generate` says so, over HTTP an option of the prompt cache.
fn is_warm_up(request: &Request) -> bool {
    let options = request.service.prompt_cache_options.as_ref().map(Json::text);
    let prewarm = options.and_then(|options| Object::parse(options).ok()?.get("prewarm"));
    !request.generate() || prewarm == Some("true")
}

/// What a proxy says.
pub(crate) fn page(status: u16) -> String {
    format!("<html><body><h1>{status}</h1></body></html>")
}

/// The wait before an event, if there is one.
pub(crate) async fn pause(wait: Duration) {
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
}
