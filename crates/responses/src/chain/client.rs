//! The client's half: one conversation with one server.
//!
//! The owner appends what the user and the tools say by [`Chain::submit`], and is told by notices what the model says.
//! In between, the chain decides: over which line, all of it or only what is new, again or not, now or later.

mod events;
mod line;
mod readable;
mod recover;
mod steer;
mod wake;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::anchor::{Anchor, Plan, plan};
use super::limits::{Limits, Peer};
use super::link::{LinkId, Transport};
use super::liveness::Pings;
use super::notice::{Effect, Failure, Notice, Outcome, WhyHttp};
use super::retry::RetryPolicy;
use super::route::{Mode, Route, RouteLimits, Way};
use super::time::Time;
use super::turn::{Purpose, Queued, Sent, Turn, TurnId};
use crate::id::{CallId, ResponseId};
use crate::item::Item;
use crate::request::{Ask, Settings};
use crate::transcript::Transcript;
use line::Line;
pub use line::Seat;
pub use readable::readable;

/// What a chain is made with.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Which ways it may go.
    pub mode: Mode,
    /// How long it leaves a way alone that failed.
    pub route: RouteLimits,
    /// How long it waits for what.
    pub limits: Limits,
    /// How often it asks again.
    pub retry: RetryPolicy,
    /// What the server can do.
    pub peer: Peer,
    /// Spreads its pauses, so that many chains do not come back at once.
    pub seed: u64,
    /// What the clock on the wall showed when time began, since 1970: servers say on it when a limit ends.
    pub epoch: Option<Duration>,
}

/// One conversation with one server.
#[derive(Debug, Clone)]
pub struct Chain {
    config: Config,
    transcript: Transcript,
    anchor: Option<Anchor>,
    route: Route,
    line: Line,
    pings: Pings,
    /// The largest message the socket takes, as far as is known.
    frame_limit: usize,
    turn: Turn,
    /// A turn behind a warm-up, and how long it waits there.
    next: Option<(Queued, Time)>,
    /// The response that ended last, to know its echoes by.
    last: Option<Last>,
    effects: VecDeque<Effect>,
    links: u64,
    turns: u64,
}

#[derive(Debug, Clone)]
struct Last {
    id: ResponseId,
    /// Where in the transcript its items begin.
    from: usize,
}

/// Why a turn was not begun. The items are given back.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotSubmitted {
    /// A turn is on its way: one request in flight per chain.
    #[error("turn {} is still on its way", .0.0)]
    Busy(TurnId, Vec<Item>),
    /// The service refuses a conversation in which a call has no answer.
    #[error("{} of the model's calls have no answer yet", .0.len())]
    Unanswered(Vec<CallId>, Vec<Item>),
}

/// Something said while the model speaks could not be passed on. It is given back, to be submitted as the next turn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("nothing runs that takes a steer: submit it as the next turn")]
pub struct NotSteered(pub Vec<Item>);

/// Whom an event is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum Heard {
    /// The turn on its way: show it.
    Turn,
    /// Nobody in particular: limits, metadata.
    Aside,
    /// Nobody: an echo, another lane, an abandoned line.
    Nobody,
}

impl Chain {
    /// A conversation in which nothing was said.
    pub fn new(config: Config) -> Self {
        Self {
            transcript: Transcript::default(),
            anchor: None,
            route: Route::new(config.mode, config.route.clone()),
            line: Line::Down,
            pings: Pings::default(),
            frame_limit: config.peer.frame_bytes,
            turn: Turn::None,
            next: None,
            last: None,
            effects: VecDeque::new(),
            links: 0,
            turns: 0,
            config,
        }
    }

    /// A conversation that goes on from what was remembered elsewhere.
    pub fn resumed(config: Config, items: impl IntoIterator<Item = Item>) -> Self {
        let mut chain = Self::new(config);
        chain.transcript.extend(items);
        chain
    }

    /// What was said.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// What the server is known to remember.
    pub fn anchor(&self) -> Option<&Anchor> {
        self.anchor.as_ref()
    }

    /// Whether no turn is on its way.
    pub fn is_idle(&self) -> bool {
        matches!(self.turn, Turn::None) && self.next.is_none()
    }

    /// What would be sent if a turn began now: for the curious, and for benches.
    pub fn plan(&self, settings: &Settings) -> Plan<'_> {
        let link = self.line.link().unwrap_or(LinkId(self.links));
        plan(self.anchor.as_ref(), link, &self.transcript, settings)
    }

    /// The next thing to do. To be drained after every call that takes `now`.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Opens the line before it is needed, where a line is wanted.
    pub fn connect(&mut self, now: Time) {
        if self.route.way(now) == Way::Line && matches!(self.line, Line::Down) {
            self.open_line(now);
        }
    }

    /// Whether it goes over sockets at all.
    pub fn may_use_sockets(&self) -> bool {
        self.config.mode != Mode::Http
    }

    /// Another chain learned that sockets do not work at this place: they are left alone until then, unless a line is
    /// up or on its way.
    pub fn avoid_sockets(&mut self, until: Time) {
        if matches!(self.line, Line::Down) {
            self.route.avoid(until);
        }
    }

    /// What is known of sockets no longer holds: this is another network, say.
    pub fn try_sockets(&mut self) {
        self.route.worked();
    }

    /// Lets the server read what is there already, so that the first turn has only its own words to send.
    pub fn warm_up(&mut self, now: Time, settings: &Arc<Settings>) -> Option<TurnId> {
        if !self.is_idle() || self.route.way(now) != Way::Line || !self.transcript.unanswered().is_empty() {
            return None;
        }
        let turn = self.new_turn();
        self.turn = Turn::Queued(Queued::new(turn, Purpose::WarmUp, Arc::clone(settings)));
        self.advance(now);
        Some(turn)
    }

    /// Says something to the model, or lets it go on with nothing new said. Ends, in every case, in a notice.
    pub fn submit(&mut self, now: Time, items: Vec<Item>, settings: &Arc<Settings>) -> Result<TurnId, NotSubmitted> {
        if let Some(turn) = self.turn_in_the_way() {
            return Err(NotSubmitted::Busy(turn, items));
        }
        let unanswered = self.transcript.unanswered_after(&items);
        if !unanswered.is_empty() {
            return Err(NotSubmitted::Unanswered(unanswered, items));
        }
        self.transcript.extend(items);
        let turn = self.new_turn();
        let ask = Queued::new(turn, Purpose::Answer, Arc::clone(settings));
        match std::mem::take(&mut self.turn) {
            warming @ Turn::Streaming(_) => {
                self.turn = warming;
                self.next = Some((ask, now.after(self.config.limits.warm_up)));
            }
            Turn::Queued(warming) => {
                // It has not left yet: the turn itself warms the server.
                self.end(warming.turn, Outcome::Cold);
                self.turn = Turn::Queued(ask);
            }
            Turn::None | Turn::BackingOff(_) => self.turn = Turn::Queued(ask),
        }
        self.advance(now);
        Ok(turn)
    }

    /// Writes the conversation anew: compacted, redacted. Only between turns.
    pub fn rewrite(&mut self, items: Vec<Item>) -> Result<(), NotSubmitted> {
        match self.turn_in_the_way() {
            Some(turn) => Err(NotSubmitted::Busy(turn, items)),
            None if self.is_idle() => {
                self.transcript = self.transcript.rewritten(items);
                Ok(())
            }
            None => Err(NotSubmitted::Busy(TurnId(self.turns), items)),
        }
    }

    /// A warm-up is in nobody's way.
    fn turn_in_the_way(&self) -> Option<TurnId> {
        if let Some((next, _)) = &self.next {
            return Some(next.turn);
        }
        let ask = match &self.turn {
            Turn::None => return None,
            Turn::Queued(ask) => ask,
            Turn::Streaming(streaming) => &streaming.ask,
            Turn::BackingOff(waiting) => &waiting.ask,
        };
        (ask.purpose == Purpose::Answer).then_some(ask.turn)
    }

    fn new_turn(&mut self) -> TurnId {
        self.turns += 1;
        TurnId(self.turns)
    }

    fn new_link(&mut self) -> LinkId {
        self.links += 1;
        LinkId(self.links)
    }

    fn tell(&mut self, notice: Notice) {
        self.effects.push_back(Effect::Tell(notice));
    }

    fn end(&mut self, turn: TurnId, outcome: Outcome) {
        self.tell(Notice::Ended { turn, outcome });
    }

    /// Takes the turn as far as it goes without another word from outside.
    fn advance(&mut self, now: Time) {
        loop {
            match std::mem::take(&mut self.turn) {
                Turn::None => match self.next.take() {
                    Some((next, _)) => self.turn = Turn::Queued(next),
                    None => return self.rotate_if_old(now),
                },
                Turn::Queued(ask) => match self.choose(now, &ask) {
                    Choice::Wait => {
                        self.turn = Turn::Queued(ask);
                        return;
                    }
                    Choice::Line(link) => self.send(now, ask, link, None),
                    Choice::Http(why) if ask.purpose == Purpose::Answer => {
                        let link = self.new_link();
                        self.send(now, ask, link, Some(why));
                    }
                    Choice::TooLarge(bytes) if ask.purpose == Purpose::Answer => {
                        let limit = self.frame_limit;
                        self.end(ask.turn, Outcome::Failed(Failure::TooLarge { bytes, limit }));
                    }
                    Choice::Http(_) | Choice::TooLarge(_) => self.end(ask.turn, Outcome::Cold),
                },
                under_way => {
                    self.turn = under_way;
                    return;
                }
            }
        }
    }

    fn choose(&mut self, now: Time, ask: &Queued) -> Choice {
        if ask.http_only {
            return Choice::Http(WhyHttp::SocketsFailed);
        }
        let away = if self.config.mode == Mode::Http { WhyHttp::Wanted } else { WhyHttp::SocketsAvoided };
        match self.route.way(now) {
            Way::Http => Choice::Http(away),
            Way::HttpAndProbe if !matches!(self.line, Line::Up(_)) => {
                if matches!(self.line, Line::Down) {
                    self.open_line(now);
                }
                Choice::Http(away)
            }
            Way::HttpAndProbe | Way::Line => self.choose_line(now, ask),
        }
    }

    fn choose_line(&mut self, now: Time, ask: &Queued) -> Choice {
        self.rotate_if_old(now);
        match &self.line {
            Line::Down => {
                self.open_line(now);
                Choice::Wait
            }
            Line::Opening { since, .. } => {
                let late = now >= since.after(self.config.limits.race);
                let may_go = self.config.mode == Mode::Auto && ask.purpose == Purpose::Answer;
                if late && may_go { Choice::Http(WhyHttp::SocketLate) } else { Choice::Wait }
            }
            Line::Up(up) => {
                let link = up.link;
                let bytes = self.size_over(link, &ask.settings);
                match self.config.mode {
                    _ if bytes <= self.frame_limit => Choice::Line(link),
                    Mode::Auto => Choice::Http(WhyHttp::TooLarge),
                    Mode::WebSocket | Mode::Http => Choice::TooLarge(bytes),
                }
            }
        }
    }

    /// At most how large the message would be.
    fn size_over(&self, link: LinkId, settings: &Settings) -> usize {
        let from = match plan(self.anchor.as_ref(), link, &self.transcript, settings) {
            Plan::Delta { from, .. } => from,
            Plan::All(_) => 0,
        };
        self.transcript.bytes_since(from) + settings.bytes() + Settings::FRAME_OVERHEAD
    }

    fn send(&mut self, now: Time, ask: Queued, link: LinkId, why_http: Option<WhyHttp>) {
        let transport = if why_http.is_some() { Transport::Http } else { Transport::WebSocket };
        let (previous, from, all) = match plan(self.anchor.as_ref(), link, &self.transcript, &ask.settings) {
            Plan::Delta { previous, from } => (Some(previous), from, None),
            Plan::All(why) => (None, 0, Some(why)),
        };
        let items = self.transcript.since(from);
        let readable = if all.is_some() { readable(items, ask.settings.store()) } else { Cow::Borrowed(items) };
        let items = readable.as_ref();
        let content = Ask { previous, items, bytes: self.transcript.bytes_since(from) };
        let count = items.len();
        let text = match transport {
            Transport::Http => ask.settings.post_body(&content),
            Transport::WebSocket => {
                let generate = ask.purpose == Purpose::Answer;
                ask.settings.create_frame(self.line.lane(), generate, &content)
            }
        };
        let sent = Sent { covers: self.transcript.len(), named_parent: previous.is_some(), bytes: text.len() };
        let (turn, items, bytes) = (ask.turn, count, text.len());
        self.tell(Notice::Sent { turn, transport, why_http, all, items, bytes });
        self.effects.push_back(match transport {
            Transport::Http => Effect::Post(link, text),
            Transport::WebSocket => Effect::Send(link, text),
        });
        self.turn = Turn::Streaming(Box::new(ask.sent(link, transport, sent, now)));
    }
}

enum Choice {
    Line(LinkId),
    Http(WhyHttp),
    Wait,
    TooLarge(usize),
}
