//! A client that lost its line and comes back: it listens to its response again, from where it was.

use std::sync::Arc;

use super::lane::{Active, Phase};
use super::{Connection, ConnectionEffect, RunId, RunRequest, name_of, say};
use crate::id::ResponseId;
use crate::json::Json;
use crate::request::Request;

impl Connection {
    /// The client wants to hear a response of before, from the event after this one on.
    pub(super) fn resume(&mut self, response: ResponseId, after: Option<u64>, lane: Option<&Json>) {
        let name = match name_of(lane) {
            Ok(name) => name,
            Err(error) => return self.refuse(None, &say::invalid_lane(&error)),
        };
        if !self.is_open() {
            return self.refuse(name.as_ref(), &say::connection_limit());
        }
        let Some(at) = self.lane_named(name.as_ref()) else {
            return self.refuse(name.as_ref(), &say::lane_limit(self.limits.named_lanes));
        };
        let run = self.new_run();
        let (until, full) = (self.now.after(self.limits.recall), self.active() >= self.limits.active);
        match self.lanes.get_mut(at) {
            Some(lane) if lane.active.is_none() && lane.queue.is_empty() && !full => {
                let active = Active::new(run, self.powers, Arc::new(Request::default()), None);
                lane.active = Some(Active { phase: Phase::Rejoining(until), heard: after, ..active });
                self.effects.push_back(ConnectionEffect::Rejoin(run, response));
            }
            _ => self.refuse(name.as_ref(), &say::lane_busy()),
        }
    }

    /// What was found of a response that the client wants to hear again; its events follow, all of them.
    pub fn handle_rejoined(&mut self, run: RunId, found: Option<RunRequest>) {
        let Some(at) = self.lane_running(run) else { return };
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let Some(active) = lane.active.as_mut().filter(|active| matches!(active.phase, Phase::Rejoining(_))) else {
            return;
        };
        match found {
            Some(RunRequest { request, previous, context, .. }) => {
                active.phase = Phase::Running;
                (active.request, active.previous, active.context) = (request, previous, context);
            }
            None => {
                let name = lane.name.clone();
                lane.active = None;
                self.refuse(name.as_ref(), &say::response_not_found());
                self.pump();
            }
        }
    }
}
