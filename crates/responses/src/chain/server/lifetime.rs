//! From the first moment of a connection to its last: age, drain, pings, close.

use super::super::liveness::{Pings, Pulse};
use super::super::time::{Time, earliest};
use super::lane::{Active, Phase};
use super::say::connection_limit;
use super::{Connection, ConnectionEffect, RunId};

/// How far a connection is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Open,
    /// Nothing new is taken; what runs may go on until then.
    Draining(Time),
    Closed,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// It is old, or the server goes away; nothing runs.
    GoingAway,
    /// A message was too large.
    TooLarge,
    /// The client answers no pings.
    NoAnswer,
}

impl Shutdown {
    /// The close code.
    pub fn code(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::TooLarge => 1009,
            Self::NoAnswer => 1011,
        }
    }

    /// What the close frame says.
    pub fn reason(self) -> &'static str {
        match self {
            Self::GoingAway => "this connection is at its end: open a new one",
            Self::TooLarge => "message too big",
            Self::NoAnswer => "no answer to pings",
        }
    }
}

impl Connection {
    pub(super) fn is_open(&self) -> bool {
        self.life == Life::Open
    }

    /// Whether nothing more will be said.
    pub fn is_closed(&self) -> bool {
        self.life == Life::Closed
    }

    /// Takes nothing new; lets what runs go on for a while; then closes.
    pub fn drain(&mut self, now: Time) {
        if self.life != Life::Open {
            return;
        }
        self.life = Life::Draining(now.after(self.limits.drain));
        self.ready.clear();
        let waiting: Vec<_> =
            self.lanes.iter_mut().map(|lane| (lane.name.clone(), lane.queue.drain(..).count())).collect();
        for (name, count) in waiting {
            for _ in 0..count {
                self.refuse(name.as_ref(), &connection_limit());
            }
        }
        self.close_if_drained();
    }

    pub(super) fn close_if_drained(&mut self) {
        if matches!(self.life, Life::Draining(_)) && self.active() == 0 {
            self.close_at_the_end();
        }
    }

    /// The client is told in the protocol's words too: some read no close frames.
    fn close_at_the_end(&mut self) {
        self.refuse(None, &connection_limit());
        self.close(Shutdown::GoingAway);
    }

    /// A message came that is too large to be taken; its transport has not even read it.
    pub fn handle_oversize(&mut self) {
        self.close(Shutdown::TooLarge);
    }

    /// The socket is gone.
    pub fn handle_closed(&mut self) {
        if self.life == Life::Closed {
            return;
        }
        self.life = Life::Closed;
        let runs: Vec<_> = self.lanes.iter().filter_map(|lane| Some(lane.active.as_ref()?.run)).collect();
        self.effects.extend(runs.into_iter().map(ConnectionEffect::Unwatched));
    }

    fn close(&mut self, why: Shutdown) {
        if self.life == Life::Closed {
            return;
        }
        self.effects.push_back(ConnectionEffect::Close(why));
        self.handle_closed();
    }

    /// A pong came.
    pub fn handle_pong(&mut self) {
        self.liveness.answered();
    }

    /// Bytes moved over the socket, in either direction.
    pub fn handle_progress(&mut self) {
        self.liveness.moved();
    }

    pub(super) fn heard(&mut self, now: Time) {
        // Whether the client answers pings is of no interest as long as it talks.
        self.liveness.word(now, Pings::Trusted);
    }

    /// When to call [`Connection::handle_deadline`], if nothing happens before.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Time> {
        let end = match self.life {
            Life::Closed => return None,
            Life::Open => self.born.after(self.limits.age),
            Life::Draining(until) => until,
        };
        let searches = self.searches().map(|(_, until)| until).min();
        earliest([Some(end), self.liveness.deadline(), searches])
    }

    /// What is looked for elsewhere, and until when.
    fn searches(&self) -> impl Iterator<Item = (RunId, Time)> {
        self.lanes.iter().filter_map(|lane| match lane.active.as_ref()? {
            Active { run, phase: Phase::Recalling(until) | Phase::Rejoining(until), .. } => Some((*run, *until)),
            Active { phase: Phase::Running, .. } => None,
        })
    }

    /// Time has passed.
    pub fn handle_deadline(&mut self, now: Time) {
        self.now = now;
        let late: Vec<RunId> = self.searches().filter(|(_, until)| *until <= now).map(|(run, _)| run).collect();
        for run in late {
            self.handle_recalled(run, None);
            self.handle_rejoined(run, None);
        }
        match self.life {
            Life::Closed => return,
            Life::Open if now.since(self.born) >= self.limits.age => self.drain(now),
            Life::Draining(until) if until <= now => {
                return self.close_at_the_end();
            }
            Life::Open | Life::Draining(_) => {}
        }
        match self.liveness.tick(now, self.limits.beat, Pings::Trusted) {
            Pulse::Ping if !self.is_closed() => self.effects.push_back(ConnectionEffect::Ping),
            Pulse::Dead => self.close(Shutdown::NoAnswer),
            Pulse::Ping | Pulse::Nothing => {}
        }
    }
}
