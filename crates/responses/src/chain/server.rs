//! The server's half: one socket, its lanes, and what it remembers of each.
//!
//! The connection decides what runs when, on which context, and what is said to the client about it. Running is the
//! owner's: it is handed a [`RunRequest`] and feeds back the events of the response.

mod context;
mod lane;
mod lifetime;
mod rejoin;
mod run;
mod say;
mod steer;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::limits::Beat;
use super::liveness::Liveness;
use super::time::Time;
use crate::frame::ClientFrame;
use crate::id::{LaneId, ResponseId};
use crate::item::Item;
use crate::json::{Json, Object, SHOWN, WireError, shortened};
use crate::request::Request;

pub use context::Context;
use lane::{Active, Lane, Phase};
use lifetime::Life;
pub use lifetime::Shutdown;
pub use run::RunEvent;

/// Every bound of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Responses in flight at once; more wait.
    pub active: usize,
    /// Names of lanes; none is freed before the connection ends.
    pub named_lanes: usize,
    /// Requests that wait; more are refused.
    pub queued: usize,
    /// Bytes of requests that wait; more are refused.
    pub queued_bytes: usize,
    /// How long a response is looked for elsewhere, to go on from it or to listen to it.
    pub recall: Duration,
    /// Steers of one response that wait; more are refused.
    pub pending_steers: usize,
    /// The largest message taken.
    pub frame_bytes: usize,
    /// What all lanes remember, together, counting shared pasts once for each lane. The oldest is forgotten first; its
    /// client is told so when it comes back to it, and sends the whole conversation.
    pub remembered_bytes: usize,
    /// How long the connection lives.
    pub age: Duration,
    /// How long responses may go on after that, or after a drain began.
    pub drain: Duration,
    /// How often the client is asked whether it is there.
    pub beat: Beat,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            active: 16,
            named_lanes: 32,
            queued: 128,
            queued_bytes: 64 << 20,
            recall: Duration::from_secs(30),
            pending_steers: 8,
            frame_bytes: (16 << 20) - 1,
            remembered_bytes: 256 << 20,
            age: Duration::from_hours(1),
            drain: Duration::from_mins(1),
            beat: Beat { every: Duration::from_secs(20), within: Duration::from_secs(20), misses: 2 },
        }
    }
}

/// What the runs behind a connection can do besides running. [`Connection::grant`] says so for one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Powers {
    /// End early for a steer, or at least be followed by a successor.
    pub steer: bool,
    /// Take answers while running.
    pub inject: bool,
    /// Stop at once and keep what is whole.
    pub interrupt: bool,
}

/// One response in the making, within its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub u64);

/// What is to be run.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The settings. Its input is in the context.
    pub request: Arc<Request>,
    /// What it goes on from.
    pub previous: Option<ResponseId>,
    /// All the model is to see.
    pub context: Context,
    /// How many items at the end of it are new.
    pub new_items: usize,
    /// How the response that it goes on from was asked for, where that is remembered.
    pub parent: Option<Arc<Request>>,
}

/// What a connection asks its owner to do, in order.
#[derive(Debug, Clone)]
pub enum ConnectionEffect {
    /// Send a message.
    Send(String),
    /// Look for a response elsewhere than in this connection, and answer with `handle_recalled`. The lane waits for it,
    /// for as long as `ConnectionLimits::recall`.
    Recall(RunId, ResponseId),
    /// Run.
    Begin(RunId, Box<RunRequest>),
    /// Bring the response to an early end, reason `steered`, if that can be; it may as well end by itself.
    EndEarly(RunId),
    /// Stop the response: items that are whole stay, then reason `interrupted`.
    Interrupt(RunId),
    /// Hand answers into the response.
    Inject(RunId, Vec<Item>),
    /// Stop the response: it ends as cancelled.
    Cancel(RunId),
    /// Look for a response that runs or ended elsewhere, answer with `handle_rejoined`, and tell all its events from the
    /// first one on. The lane waits for the answer, for as long as `ConnectionLimits::recall`.
    Rejoin(RunId, ResponseId),
    /// The connection is gone: nobody here watches the response any more.
    Unwatched(RunId),
    /// Send a ping.
    Ping,
    /// Send a close frame, and end.
    Close(Shutdown),
}

/// A request that waits for its turn.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    lane: usize,
    bytes: usize,
}

/// One socket with its lanes.
#[derive(Debug, Clone)]
pub struct Connection {
    limits: ConnectionLimits,
    powers: Powers,
    lanes: Vec<Lane>,
    /// Requests that wait, in the order in which they came: on which lane, and how large.
    ready: VecDeque<Waiting>,
    life: Life,
    born: Time,
    /// The last moment that was told.
    now: Time,
    liveness: Liveness,
    runs: u64,
    steers: u64,
    effects: VecDeque<ConnectionEffect>,
}

impl Connection {
    /// A socket was accepted. Nothing is said until the client speaks.
    pub fn new(now: Time, limits: ConnectionLimits, powers: Powers) -> Self {
        Self {
            liveness: Liveness::new(now, limits.beat),
            limits,
            powers,
            lanes: vec![Lane::new(None)],
            ready: VecDeque::new(),
            life: Life::Open,
            born: now,
            now,
            runs: 0,
            steers: 0,
            effects: VecDeque::new(),
        }
    }

    /// The next thing to do. To be drained after every call that takes `now`.
    pub fn poll_effect(&mut self) -> Option<ConnectionEffect> {
        self.effects.pop_front()
    }

    /// A message came.
    pub fn handle_frame(&mut self, now: Time, text: &str) {
        self.now = now;
        self.heard(now);
        if self.is_closed() {
            return;
        }
        if text.len() > self.limits.frame_bytes {
            return self.handle_oversize();
        }
        match ClientFrame::parse(text) {
            Ok(ClientFrame::Create(request)) => self.create(*request, text.len()),
            Ok(ClientFrame::Steer { previous, input }) => self.steer(&previous, input),
            Ok(ClientFrame::Inject { response, items }) => self.inject(&response, items),
            Ok(ClientFrame::Interrupt { response }) => self.interrupt(&response),
            Ok(ClientFrame::Cancel { response }) => self.cancel(&response),
            Ok(ClientFrame::Resume { response, after, lane }) => self.resume(response, after, lane.as_ref()),
            // What one generation of Codex says when it has read a response.
            Ok(ClientFrame::Unknown { kind, .. }) if &*kind == "response.processed" => {}
            Ok(ClientFrame::Unknown { kind, .. }) => {
                let refusal = say::invalid("type", &format!("unknown event type `{}`", shortened(&kind, SHOWN)));
                self.refuse(lane_of(text).as_ref(), &refusal);
            }
            Err(error) => self.refuse(lane_of(text).as_ref(), &say::unreadable(&error)),
        }
        self.pump();
    }

    fn create(&mut self, request: Request, bytes: usize) {
        let name = match name_of(request.delivery.stream_id.as_ref()) {
            Ok(name) => name,
            Err(error) => return self.refuse(None, &say::invalid_lane(&error)),
        };
        let refusal = if !self.is_open() {
            Some(say::connection_limit())
        } else if request.background() {
            Some(say::invalid("background", "a response over a websocket cannot run in the background"))
        } else if self.ready.len() >= self.limits.queued || self.queued_bytes() + bytes > self.limits.queued_bytes {
            Some(say::too_many_queued(self.ready.len()))
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return self.refuse(name.as_ref(), &refusal);
        }
        match self.lane_named(name.as_ref()) {
            Some(lane) => {
                self.ready.push_back(Waiting { lane, bytes });
                if let Some(lane) = self.lanes.get_mut(lane) {
                    lane.queue.push_back(request);
                }
            }
            None => self.refuse(name.as_ref(), &say::lane_limit(self.limits.named_lanes)),
        }
    }

    /// The lane of a name; a new one if there is room. Lanes are never freed.
    fn lane_named(&mut self, name: Option<&LaneId>) -> Option<usize> {
        if let Some(lane) = self.lanes.iter().position(|lane| lane.name.as_ref() == name) {
            return Some(lane);
        }
        // The default lane does not count.
        if self.lanes.len() > self.limits.named_lanes {
            return None;
        }
        self.lanes.push(Lane::new(name.cloned()));
        Some(self.lanes.len() - 1)
    }

    /// Starts what can start: in the order of arrival, one at a time on a lane, so many at once in all.
    fn pump(&mut self) {
        while self.active() < self.limits.active {
            let free = |waits: &Waiting| self.lanes.get(waits.lane).is_some_and(|lane| lane.active.is_none());
            let Some(at) = self.ready.iter().position(free) else { break };
            let Some(Waiting { lane, .. }) = self.ready.remove(at) else { break };
            let next = self.lanes.get_mut(lane).and_then(|lane| {
                lane.steered = false;
                lane.queue.pop_front()
            });
            if let Some(request) = next {
                self.start(lane, request);
            }
        }
        self.close_if_drained();
    }

    fn queued_bytes(&self) -> usize {
        self.ready.iter().map(|waits| waits.bytes).sum()
    }

    fn active(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.active.is_some()).count()
    }

    /// The parent is looked up when the request starts, not when it comes: with `store: false` a client that forks
    /// waits for the fork's `in_progress` before it moves the source on.
    fn start(&mut self, lane: usize, mut request: Request) {
        let input = request.input.take().map(crate::request::Input::into_items).unwrap_or_default();
        let previous = request.previous_response_id();
        let run = self.new_run();
        let parent = previous.as_ref().map(|previous| self.remembered(lane, previous));
        let active = Active { input, ..Active::new(run, self.powers, Arc::new(request), previous) };
        match parent {
            None => self.begin(lane, active, &Context::default(), None),
            Some(Some((holder, context, request))) => {
                let active = Active { same_lane: holder == lane, ..active };
                self.begin(lane, active, &context, Some(request));
            }
            Some(None) => {
                if let Some(previous) = active.previous.clone() {
                    self.effects.push_back(ConnectionEffect::Recall(run, previous));
                }
                if let Some(lane) = self.lanes.get_mut(lane) {
                    let until = self.now.after(self.limits.recall);
                    lane.active = Some(Active { phase: Phase::Recalling(until), ..active });
                }
            }
        }
    }

    /// The request that a run is for.
    pub fn request_of(&self, run: RunId) -> Option<&Arc<Request>> {
        let lane = self.lanes.get(self.lane_running(run)?)?;
        Some(&lane.active.as_ref()?.request)
    }

    /// What was found elsewhere of a response that this connection does not remember.
    pub fn handle_recalled(&mut self, run: RunId, found: Option<Context>) {
        let Some(lane) = self.lane_running(run) else { return };
        let recalling = |active: &mut Active| matches!(active.phase, Phase::Recalling(_));
        let Some(active) = self.lanes.get_mut(lane).and_then(|lane| lane.active.take_if(recalling)) else { return };
        match found {
            Some(context) => self.begin(lane, active, &context, None),
            None => {
                let name = self.lanes.get(lane).and_then(|lane| lane.name.clone());
                self.refuse(name.as_ref(), &say::previous_not_found(active.previous.as_ref()));
            }
        }
        self.pump();
    }

    fn begin(&mut self, lane: usize, mut active: Active, past: &Context, parent: Option<Arc<Request>>) {
        let mut new = self.held_steers(lane, active.previous.as_ref());
        new.append(&mut active.input);
        let new_items = new.len();
        active.context = past.with(new);
        active.phase = Phase::Running;
        let request = RunRequest {
            request: Arc::clone(&active.request),
            previous: active.previous.clone(),
            context: active.context.clone(),
            new_items,
            parent,
        };
        self.effects.push_back(ConnectionEffect::Begin(active.run, Box::new(request)));
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.active = Some(active);
        }
    }

    /// Its own lane comes first: some backends give the same id to responses of different lanes.
    fn remembered(&self, lane: usize, id: &ResponseId) -> Option<(usize, Context, Arc<Request>)> {
        let holds = |at: usize| {
            let latest = self.lanes.get(at)?.latest.as_ref().filter(|latest| latest.id == *id)?;
            Some((at, latest.context.clone(), Arc::clone(&latest.request)))
        };
        holds(lane).or_else(|| (0..self.lanes.len()).find_map(holds))
    }

    fn lane_running(&self, run: RunId) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.active.as_ref().is_some_and(|active| active.run == run))
    }

    fn new_run(&mut self) -> RunId {
        self.runs += 1;
        RunId(self.runs)
    }
}

/// The lane of this name; nothing and `null` are the default lane.
fn name_of(stream_id: Option<&Json>) -> Result<Option<LaneId>, WireError> {
    stream_id.filter(|name| !name.is_null()).map(Json::read).transpose()
}

/// The lane that a message names, if it can be read at all.
fn lane_of(text: &str) -> Option<LaneId> {
    Object::parse(text).ok()?.read::<Option<LaneId>>("stream_id").ok()?
}
