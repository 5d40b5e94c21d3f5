//! The states of a turn. They move by value: a turn that was sent cannot be sent again, one that waits cannot stream.

use std::sync::Arc;

use super::link::{LinkId, Transport};
use super::retry::Attempts;
use super::time::Time;
use crate::fold::{Fold, Response};
use crate::item::Item;
use crate::request::Settings;

/// One turn of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TurnId(pub u64);

/// What a turn is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    Answer,
    WarmUp,
}

/// A turn that is to be sent.
#[derive(Debug, Clone)]
pub struct Queued {
    pub(crate) turn: TurnId,
    pub(crate) purpose: Purpose,
    pub(crate) settings: Arc<Settings>,
    pub(crate) attempts: Attempts,
    /// A socket will not do for this turn.
    pub(crate) http_only: bool,
    /// How often it went on after a part of its answer was whole.
    pub(crate) resumed: u32,
}

impl Queued {
    pub(crate) fn new(turn: TurnId, purpose: Purpose, settings: Arc<Settings>) -> Self {
        Self { turn, purpose, settings, attempts: Attempts::default(), http_only: false, resumed: 0 }
    }

    /// It leaves. Whoever had it in hand has it no longer.
    pub(crate) fn sent(self, link: LinkId, transport: Transport, sent: Sent, now: Time) -> Streaming {
        let (fold, flow, steers) = (Fold::default(), Flow::Running, Vec::new());
        Streaming { ask: self, link, transport, sent, heard: now, kept_alive: false, fold, flow, steers }
    }

    /// It has to wait.
    pub fn back_off(self, until: Time) -> BackingOff {
        BackingOff { ask: self, until }
    }
}

/// A turn whose answer is coming.
#[derive(Debug, Clone)]
pub struct Streaming {
    pub(crate) ask: Queued,
    pub(crate) link: LinkId,
    pub(crate) transport: Transport,
    pub(crate) sent: Sent,
    /// When the server last said something about the response.
    pub(crate) heard: Time,
    /// The server says between times that it is still there.
    pub(crate) kept_alive: bool,
    pub(crate) fold: Fold,
    pub(crate) flow: Flow,
    pub(crate) steers: Vec<Steer>,
}

/// What left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    /// How many items of the transcript the server has once it has read it.
    pub(crate) covers: usize,
    /// Whether it named a response to go on from.
    pub(crate) named_parent: bool,
    pub(crate) bytes: usize,
}

/// What a streaming turn waits for.
#[derive(Debug, Clone)]
pub(crate) enum Flow {
    /// Events.
    Running,
    /// Events that the last one has overtaken.
    Settling(Time),
    /// The end of a response that was interrupted.
    Interrupted(Time),
    /// The server's word on steers, after the response they steer has ended.
    Steering(Time, Box<Response>),
}

/// Something said while the response runs.
#[derive(Debug, Clone)]
pub(crate) struct Steer {
    pub(crate) items: Vec<Item>,
    /// The server's name for it, once it was accepted.
    pub(crate) accepted: Option<Box<str>>,
}

impl Streaming {
    /// The answer will not come whole: the turn is to be sent again.
    pub fn broken(self) -> Queued {
        self.ask
    }
}

/// A turn that waits before it is sent again.
#[derive(Debug, Clone)]
pub struct BackingOff {
    pub(crate) ask: Queued,
    pub(crate) until: Time,
}

impl BackingOff {
    /// When the wait is over.
    pub fn until(&self) -> Time {
        self.until
    }

    /// The wait is over.
    pub fn woken(self) -> Queued {
        self.ask
    }
}

/// Where the turn of a chain stands.
#[derive(Debug, Clone, Default)]
pub(crate) enum Turn {
    #[default]
    None,
    Queued(Queued),
    Streaming(Box<Streaming>),
    BackingOff(BackingOff),
}
