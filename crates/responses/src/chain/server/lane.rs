//! One lane: what waits, what runs, what is remembered.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::time::Time;
use super::context::Context;
use super::{Powers, RunId};
use crate::fold::Fold;
use crate::id::{LaneId, ResponseId};
use crate::item::Item;
use crate::request::{Input, Request};

/// A lane of a connection. The default lane has no name.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    pub(super) name: Option<LaneId>,
    pub(super) queue: VecDeque<Request>,
    /// The first request that waits is made of steers, and takes more of them.
    pub(super) steered: bool,
    pub(super) active: Option<Active>,
    pub(super) latest: Option<Remembered>,
    /// Steers that wait for answers to the calls of the latest response.
    pub(super) held: Vec<Steer>,
}

/// The latest response of a lane, and everything up to it.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    pub(super) id: ResponseId,
    /// The run it came from: later ones have greater numbers.
    pub(super) run: RunId,
    pub(super) context: Context,
    /// The settings, for a successor that inherits them.
    pub(super) request: Arc<Request>,
    /// What the response ended with, to see which of its calls wait for answers.
    pub(super) output: Vec<Item>,
    /// What could be done to it while it ran, and can be to its successors.
    pub(super) powers: Powers,
}

/// What runs on a lane.
#[derive(Debug, Clone)]
pub(super) struct Active {
    pub(super) run: RunId,
    pub(super) request: Arc<Request>,
    pub(super) previous: Option<ResponseId>,
    /// Whether the parent is the latest response of this very lane: if this fails, the parent is evicted.
    pub(super) same_lane: bool,
    pub(super) input: Vec<Item>,
    pub(super) context: Context,
    pub(super) phase: Phase,
    pub(super) powers: Powers,
    pub(super) fold: Fold,
    /// The number of the last event, to number what is said beside them.
    pub(super) sequence: u64,
    /// Events up to this number were heard by the client on another line.
    pub(super) heard: Option<u64>,
    /// Whether any event was sent on this one.
    pub(super) told: bool,
    pub(super) steers: Vec<Steer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its parent is being looked for, until then.
    Recalling(Time),
    /// It is itself being looked for, until then.
    Rejoining(Time),
    /// Events are coming.
    Running,
}

/// Something said while a response runs.
#[derive(Debug, Clone)]
pub(super) struct Steer {
    pub(super) id: String,
    pub(super) input: Input,
}

impl Lane {
    pub(super) fn new(name: Option<LaneId>) -> Self {
        Self { name, queue: VecDeque::new(), steered: false, active: None, latest: None, held: Vec::new() }
    }
}

impl Active {
    pub(super) fn new(run: RunId, powers: Powers, request: Arc<Request>, previous: Option<ResponseId>) -> Self {
        Self {
            run,
            request,
            previous,
            same_lane: false,
            input: Vec::new(),
            context: Context::default(),
            phase: Phase::Running,
            powers,
            fold: Fold::default(),
            sequence: 0,
            heard: None,
            told: false,
            steers: Vec::new(),
        }
    }
}
