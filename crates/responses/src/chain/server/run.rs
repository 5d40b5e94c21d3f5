//! The events of a response, on their way to the client and into memory.

use super::lane::{Active, Remembered};
use super::say::{for_lane, heard_out, run_gone};
use super::{Connection, ConnectionEffect, RunId};
use crate::event::{ServerEvent, Stage};
use crate::fold::{Fold, FoldError, Folded};

/// What a run says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEvent<'a> {
    /// An event of the response, without a lane.
    Event(&'a str),
    /// The run is gone and its response did not end.
    Gone,
}

impl Connection {
    /// A run says something.
    pub fn handle_run(&mut self, run: RunId, event: RunEvent<'_>) {
        let Some(lane) = self.lane_running(run) else { return };
        let RunEvent::Event(text) = event else { return self.run_failed(lane) };
        match self.take_run_event(lane, text) {
            Some(Folded::Ended) => {
                if self.lanes.get(lane).and_then(|lane| lane.active.as_ref()).is_some_and(|active| !active.told) {
                    let name = self.lanes.get(lane).and_then(|lane| lane.name.clone());
                    self.refuse(name.as_ref(), &heard_out());
                }
                self.run_ended(lane);
            }
            Some(_) => {}
            None => {
                // Nothing sensible will come of it.
                self.effects.push_back(ConnectionEffect::Unwatched(run));
                self.run_failed(lane);
            }
        }
    }

    /// Passes an event on, if it makes sense. An end that the fold cannot make a response of makes none.
    fn take_run_event(&mut self, lane: usize, text: &str) -> Option<Folded> {
        let event = ServerEvent::parse(text).ok()?;
        let lane = self.lanes.get_mut(lane)?;
        let active = lane.active.as_mut()?;
        active.sequence = event.sequence.unwrap_or(active.sequence);
        let folded = active.fold.push(&event).ok()?;
        let sound = |fold: &Fold| matches!(fold.clone().finish(), Ok(_) | Err(FoldError::Refused(_)));
        if folded == Folded::Ended && !sound(&active.fold) {
            return None;
        }
        let heard = active.heard.is_some_and(|heard| event.sequence.is_some_and(|sequence| sequence <= heard));
        active.told |= !heard;
        if !heard {
            self.effects.push_back(ConnectionEffect::Send(for_lane(&event, lane.name.as_ref())));
        }
        Some(folded)
    }

    fn run_failed(&mut self, lane: usize) {
        let name = self.lanes.get(lane).and_then(|lane| lane.name.clone());
        self.refuse(name.as_ref(), &run_gone());
        self.run_ended(lane);
    }

    /// The lane is free again. A response that ended well is what it remembers; one that failed takes its parent along.
    fn run_ended(&mut self, at: usize) {
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let Some(active) = lane.active.take() else { return };
        let Active { run, request, previous, same_lane, context, powers, fold, mut steers, .. } = active;
        match ended_well(fold) {
            Some((id, output)) => {
                let context = context.with(output.clone());
                let context = if request.store() { context } else { context.unstored() };
                lane.latest = Some(Remembered { id, run, context, request, output, powers });
                if !steers.is_empty() {
                    self.settle_steers(at, steers);
                }
            }
            None => {
                if same_lane && lane.latest.as_ref().map(|latest| &latest.id) == previous.as_ref() {
                    lane.latest = None;
                }
                for steer in steers.drain(..) {
                    self.refuse_steer(previous.as_ref(), &steer, "successor_creation_failed");
                }
            }
        }
        self.forget_the_oldest();
        self.pump();
    }

    /// Keeps what lanes remember within its limit.
    fn forget_the_oldest(&mut self) {
        loop {
            let remembered = || self.lanes.iter().filter_map(|lane| lane.latest.as_ref());
            let bytes: usize = remembered().map(|latest| latest.context.bytes()).sum();
            let Some(oldest) = remembered().map(|latest| latest.run).min() else { return };
            if bytes <= self.limits.remembered_bytes {
                return;
            }
            for lane in &mut self.lanes {
                lane.latest.take_if(|latest| latest.run == oldest);
            }
        }
    }
}

fn ended_well(fold: Fold) -> Option<(crate::id::ResponseId, Vec<crate::item::Item>)> {
    let response = fold.finish().ok()?;
    let well = matches!(response.stage(), Stage::Completed | Stage::Incomplete);
    well.then(|| (response.id().clone(), response.output().to_vec()))
}
