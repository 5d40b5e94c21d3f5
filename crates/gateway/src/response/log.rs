//! The events of one response, and those who listen to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use responses::chain::{Context, Powers, RunRequest};
use responses::error::ApiError;
use responses::event::{ServerEvent, Stage};
use responses::fold::FoldError;
use responses::id::ResponseId;
use responses::json::{Json, Object, ObjectWriter};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::owner::Owner;
use crate::store::failed_by_restart;

/// How many bytes of events a response may be ahead of everybody who listens. Its backend waits then.
const WINDOW: usize = 256 << 10;

/// How many events a listener takes at a time.
const BATCH: usize = 64;

/// How many orders wait for a response. Each is given by somebody who waits for the answer.
pub(crate) const MAX_ORDERS: usize = 8;

/// One event of a response, as it goes to its clients.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its type.
    pub(crate) kind: Box<str>,
    /// All of it, as JSON.
    pub(crate) text: Arc<str>,
}

impl Event {
    /// The only event of a response that nobody could listen to.
    fn failed(response: &Json, number: usize) -> Self {
        let (kind, mut text) = ("response.failed", String::new());
        let mut object = ObjectWriter::begin(&mut text);
        object.field("type", kind).field("sequence_number", &(number as u64)).raw("response", response.text());
        object.end();
        Self { kind: kind.into(), text: text.into() }
    }

    fn of(text: Arc<str>) -> Self {
        let kind = ServerEvent::parse(&text).map_or_else(|_| "error".into(), |event| event.kind.as_ref().into());
        Self { kind, text }
    }
}

/// How a response ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) stage: Stage,
    /// The finished response.
    pub(crate) response: Json,
    /// All that was seen and said, the output of this response included.
    pub(crate) context: Context,
}

/// What is done to a response while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// End it: nobody wants the rest.
    Cancel,
    /// End it, because somebody said something else: what is whole stays.
    Interrupt,
    /// End it soon, because a steer waits.
    Steer,
}

#[derive(Debug, Default)]
struct Log {
    events: Vec<Arc<Event>>,
    bytes: usize,
    /// The response as it is now, for those who poll.
    now: Option<Json>,
    /// When it ended, and how.
    end: Option<(Instant, End)>,
}

impl Log {
    fn append(&mut self, events: &mut Vec<Event>) {
        for event in events.drain(..) {
            self.bytes += event.text.len();
            self.events.push(Arc::new(event));
        }
    }
}

#[derive(Debug, Clone)]
enum End {
    Ended(Arc<Outcome>),
    Refused(Arc<ApiError>),
}

/// A response that runs, or has ended not long ago.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) id: ResponseId,
    pub(crate) owner: Owner,
    pub(crate) run: RunRequest,
    pub(crate) background: bool,
    /// The number of the first event that is there.
    first: usize,
    /// Whether whoever makes it takes steers.
    steers: AtomicBool,
    log: watch::Sender<Log>,
    /// How many bytes whoever is ahead has heard.
    heard: watch::Sender<usize>,
    visits: AtomicU64,
    orders: mpsc::Sender<Order>,
    /// What its request brought. The past is shared with others.
    input_bytes: usize,
}

impl Live {
    pub(crate) fn new(
        id: ResponseId,
        owner: Owner,
        run: RunRequest,
        background: bool,
    ) -> (Self, mpsc::Receiver<Order>) {
        let (orders, taken) = mpsc::channel(MAX_ORDERS);
        let input_bytes = run.context.bytes() - run.context.without_newest(run.new_items).bytes();
        let live = Self {
            id,
            owner,
            run,
            background,
            first: 0,
            steers: AtomicBool::new(false),
            log: watch::Sender::default(),
            heard: watch::Sender::default(),
            visits: AtomicU64::new(0),
            orders,
            input_bytes,
        };
        (live, taken)
    }

    /// A response that ended long ago, from the store.
    pub(crate) fn stored(
        id: ResponseId,
        owner: Owner,
        (response, events): (Json, Vec<Arc<str>>),
        (context, new_items): (Context, usize),
        from: usize,
    ) -> Self {
        // What begun and was never heard of again has failed.
        let response = match responses::fold::whole(response.text()) {
            Err(FoldError::Unfinished) => failed_by_restart(response.text()).unwrap_or(response),
            _ => response,
        };
        let whole = responses::fold::whole(response.text());
        let stage = whole.as_ref().map_or(Stage::Failed, responses::fold::Response::stage);
        // Of one that failed, nothing but its past is kept.
        let output = whole.as_ref().map_or(0, |whole| if stage == Stage::Failed { 0 } else { whole.output().len() });
        let past = context.without_newest(output);
        let run = RunRequest { request: Arc::default(), previous: None, context: past, new_items, parent: None };
        let background =
            Object::parse(response.text()).and_then(|object| object.read("background")).unwrap_or_default();
        let (mut live, _) = Self::new(id, owner, run, background);
        let mut events: Vec<Event> = events.into_iter().map(Event::of).collect();
        if events.is_empty() {
            // The gateway ended before it did, and could not say so. Whoever comes back has heard all before this.
            live.first = from;
            events.push(Event::failed(&response, from));
        }
        live.end(&mut events, Outcome { stage, response, context });
        live
    }

    /// Listens from the event of this place on.
    pub(crate) fn watch(self: &Arc<Self>, from: usize) -> Watch {
        self.visits.fetch_add(1, Ordering::Relaxed);
        let at = from.saturating_sub(self.first);
        let heard = self.log.borrow().events.iter().take(at).map(|event| event.text.len()).sum();
        Watch { live: Arc::clone(self), log: self.log.subscribe(), at, heard }
    }

    /// Whoever makes it takes steers.
    pub(crate) fn set_steers(&self, steers: bool) {
        self.steers.store(steers, Ordering::Relaxed);
    }

    /// What can be done to it besides waiting.
    pub(crate) fn powers(&self) -> Powers {
        Powers { steer: self.steers.load(Ordering::Relaxed), inject: false, interrupt: true }
    }

    /// Gives an order. One that finds no room finds a response that is about to stop anyway.
    pub(crate) fn order(&self, order: Order) {
        let _ = self.orders.try_send(order);
    }

    /// The response as it is now: finished, or on its way; or why there is none.
    pub(crate) fn now(&self) -> Result<Option<Json>, Arc<ApiError>> {
        let log = self.log.borrow();
        match &log.end {
            Some((_, End::Ended(outcome))) => Ok(Some(outcome.response.clone())),
            Some((_, End::Refused(error))) => Err(Arc::clone(error)),
            None => Ok(log.now.clone()),
        }
    }

    /// How it ended, if it has.
    pub(crate) fn outcome(&self) -> Option<Arc<Outcome>> {
        match &self.log.borrow().end {
            Some((_, End::Ended(outcome))) => Some(Arc::clone(outcome)),
            _ => None,
        }
    }

    /// Whether all before it may be stored too: if not, what is stored of it is no past to go on from.
    pub(crate) fn past_is_stored(&self) -> bool {
        !self.run.context.is_unstored()
    }

    /// Whether it is more than its events: it can be looked at, and gone on from.
    pub(crate) fn is_kept(&self) -> bool {
        self.background || self.run.request.store()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.log.borrow().end.is_some()
    }

    /// When it ended.
    pub(crate) fn ended_at(&self) -> Option<Instant> {
        self.log.borrow().end.as_ref().map(|(at, _)| *at)
    }

    /// What it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.input_bytes + self.log.borrow().bytes
    }

    /// The number that the next event has, or would have.
    pub(crate) fn count(&self) -> usize {
        self.first + self.log.borrow().events.len()
    }

    /// The texts of all events so far.
    pub(crate) fn texts(&self) -> Vec<Arc<str>> {
        self.log.borrow().events.iter().map(|event| Arc::clone(&event.text)).collect()
    }

    /// More was said.
    pub(crate) fn say(&self, events: &mut Vec<Event>) {
        if events.is_empty() {
            return;
        }
        self.log.send_modify(|log| log.append(events));
    }

    /// The response has moved on.
    pub(crate) fn set_now(&self, now: Json) {
        self.log.send_modify(|log| log.now = Some(now));
    }

    /// The last events, and the response that they end.
    pub(crate) fn end(&self, events: &mut Vec<Event>, outcome: Outcome) {
        self.finish(events, End::Ended(Arc::new(outcome)));
    }

    /// There will be no response.
    pub(crate) fn refuse(&self, error: ApiError) {
        self.finish(&mut Vec::new(), End::Refused(Arc::new(error)));
    }

    fn finish(&self, events: &mut Vec<Event>, end: End) {
        self.log.send_modify(|log| {
            log.append(events);
            log.end.get_or_insert((Instant::now(), end));
        });
    }

    /// Waits until somebody who listens has heard enough, or nobody listens.
    pub(crate) async fn room(&self) {
        if self.background {
            // It is made whether or not anybody listens.
            return;
        }
        let mut heard = self.heard.subscribe();
        let is_full = |heard: usize| self.log.borrow().bytes.saturating_sub(heard) > WINDOW;
        while is_full(*heard.borrow_and_update()) && self.log.receiver_count() > 0 {
            tokio::select! {
                _ = heard.changed() => {}
                () = self.log.closed() => return,
            }
        }
    }

    /// Waits until nobody has listened for so long.
    pub(crate) async fn deserted(&self, grace: std::time::Duration) {
        loop {
            self.log.closed().await;
            let before = self.visits.load(Ordering::Relaxed);
            tokio::time::sleep(grace).await;
            if self.log.receiver_count() == 0 && self.visits.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

/// Somebody who listens to a response.
#[derive(Debug)]
pub(crate) struct Watch {
    live: Arc<Live>,
    log: watch::Receiver<Log>,
    at: usize,
    heard: usize,
}

/// What somebody hears who listens.
#[derive(Debug, Clone)]
pub(crate) enum Heard {
    /// Events, in order.
    Events(Vec<Arc<Event>>),
    /// All was heard.
    Ended(Arc<Outcome>),
    /// There is no response.
    Refused(Arc<ApiError>),
}

impl Watch {
    pub(crate) fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// What comes next. Nothing is lost if this is left before it is ready; after the end it is ready at once.
    pub(crate) async fn next(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.poll() {
                return heard;
            }
            if self.log.changed().await.is_err() {
                // Not while `live` is here.
                std::future::pending::<()>().await;
            }
        }
    }

    fn poll(&mut self) -> Option<Heard> {
        let log = self.log.borrow_and_update();
        let new: Vec<_> = log.events.iter().skip(self.at).take(BATCH).map(Arc::clone).collect();
        if new.is_empty() {
            return log.end.as_ref().map(|(_, end)| match end {
                End::Ended(outcome) => Heard::Ended(Arc::clone(outcome)),
                End::Refused(error) => Heard::Refused(Arc::clone(error)),
            });
        }
        drop(log);
        self.at += new.len();
        self.heard += new.iter().map(|event| event.text.len()).sum::<usize>();
        let heard = self.heard;
        self.live.heard.send_if_modified(|most| {
            let more = heard > *most;
            *most = heard.max(*most);
            more
        });
        Some(Heard::Events(new))
    }
}
