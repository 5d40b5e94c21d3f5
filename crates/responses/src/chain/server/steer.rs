//! What a client says while a response runs: steers, injections, interrupts. Each is answered.

use super::lane::{Active, Steer};
use super::{Connection, ConnectionEffect, Powers, RunId, Waiting};
use crate::error::ApiError;
use crate::id::ResponseId;
use crate::item::{Item, ItemKind, ItemView, Role};
use crate::json::{Json, SHOWN, shortened};
use crate::request::{IDEMPOTENCY_KEY, Input, Request};

/// Where a response is.
enum Whereabouts {
    Running(usize),
    /// It is the latest of a lane on which nothing runs.
    JustEnded(usize),
    /// It is the latest of a lane that has moved on.
    Ended,
    Unknown,
}

impl Connection {
    fn whereabouts(&self, id: &ResponseId) -> Whereabouts {
        let runs = |active: &Active| active.fold.id() == Some(id);
        if let Some(lane) = self.lanes.iter().position(|lane| lane.active.as_ref().is_some_and(runs)) {
            return Whereabouts::Running(lane);
        }
        match self.lanes.iter().position(|lane| lane.latest.as_ref().is_some_and(|latest| latest.id == *id)) {
            Some(lane) if self.lanes.get(lane).is_some_and(|lane| lane.active.is_none()) => {
                Whereabouts::JustEnded(lane)
            }
            Some(_) => Whereabouts::Ended,
            None => Whereabouts::Unknown,
        }
    }

    fn powers_of(&self, whereabouts: &Whereabouts) -> Powers {
        let lane = |at: &usize| self.lanes.get(*at);
        let powers = match whereabouts {
            Whereabouts::Running(at) => lane(at).and_then(|lane| Some(lane.active.as_ref()?.powers)),
            Whereabouts::JustEnded(at) => lane(at).and_then(|lane| Some(lane.latest.as_ref()?.powers)),
            Whereabouts::Ended | Whereabouts::Unknown => None,
        };
        powers.unwrap_or(self.powers)
    }

    /// Says what can be done to a run, once it is known who runs it.
    pub fn grant(&mut self, run: RunId, powers: Powers) {
        let lane = self.lane_running(run).and_then(|lane| self.lanes.get_mut(lane));
        if let Some(active) = lane.and_then(|lane| lane.active.as_mut()) {
            active.powers = powers;
        }
    }

    pub(super) fn steer(&mut self, previous: &ResponseId, input: Input) {
        self.steers += 1;
        let steer = Steer { id: format!("steer_{:032x}", self.steers), input };
        let refused = |code| (code, steer.clone());
        let whereabouts = self.whereabouts(previous);
        let verdict = match whereabouts {
            _ if !self.powers_of(&whereabouts).steer => Err(refused("steering_not_supported")),
            _ if !can_steer(&steer.input) => Err(refused("invalid_input")),
            Whereabouts::Unknown => Err(refused("response_not_found")),
            Whereabouts::Ended => Err(refused("response_already_completed")),
            Whereabouts::Running(lane) | Whereabouts::JustEnded(lane) if self.steers_full(lane) => {
                Err(refused("too_many_pending_steers"))
            }
            Whereabouts::Running(lane) => Ok((lane, true)),
            Whereabouts::JustEnded(lane) => Ok((lane, false)),
        };
        match verdict {
            Err((code, steer)) => self.refuse_steer(Some(previous), &steer, code),
            Ok((lane, running)) => {
                self.accept_steer(lane, previous, &steer);
                if running {
                    self.queue_steer(lane, steer);
                } else {
                    self.settle_steers(lane, vec![steer]);
                }
            }
        }
    }

    fn steers_full(&self, lane: usize) -> bool {
        let Some(lane) = self.lanes.get(lane) else { return true };
        let running = lane.active.as_ref().map_or(0, |active| active.steers.len());
        running + lane.held.len() >= self.limits.pending_steers
    }

    fn queue_steer(&mut self, lane: usize, steer: Steer) {
        let Some(active) = self.lanes.get_mut(lane).and_then(|lane| lane.active.as_mut()) else { return };
        if active.steers.is_empty() {
            self.effects.push_back(ConnectionEffect::EndEarly(active.run));
        }
        active.steers.push(steer);
    }

    /// The response is over: its steers go into a successor, or wait for the answers that must come first.
    pub(super) fn settle_steers(&mut self, at: usize, steers: Vec<Steer>) {
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let Some(latest) = lane.latest.clone() else { return };
        let waiting: Vec<Item> = latest.output.iter().filter(|item| item.call().is_some()).cloned().collect();
        if !waiting.is_empty() {
            for steer in &steers {
                self.hold_steer(at, &latest.id, steer, &waiting);
            }
        }
        let Some(lane) = self.lanes.get_mut(at) else { return };
        let said = |steers: Vec<Steer>| steers.into_iter().flat_map(|steer| steer.input.into_items());
        if let (true, Some(successor)) = (lane.steered, lane.queue.front_mut()) {
            let before = successor.input.take().map(Input::into_items).unwrap_or_default();
            successor.input = Some(Input::Items(before.into_iter().chain(said(steers)).collect()));
            return;
        }
        // A request that waits and goes on from the same response takes them along.
        let absorbs = lane.queue.front().is_some_and(|next| next.previous_response_id().as_ref() == Some(&latest.id));
        if absorbs || !waiting.is_empty() {
            lane.held.extend(steers);
            return;
        }
        if !self.is_open() {
            for steer in steers {
                self.refuse_steer(Some(&latest.id), &steer, "successor_creation_failed");
            }
            return;
        }
        // The successor is a request like any other, and the first in line.
        let mut request = Request::clone(&latest.request);
        request.previous_response_id = Some(Json::of(&latest.id));
        request.input = Some(Input::Items(said(steers).collect()));
        // What the client called its request by is not the name of this one.
        request.extra.retain(|(key, _)| &**key != IDEMPOTENCY_KEY);
        if let Some(lane) = self.lanes.get_mut(at) {
            lane.queue.push_front(request);
            lane.steered = true;
        }
        self.ready.push_front(Waiting { lane: at, bytes: 0 });
    }

    /// A request that goes on from the latest response takes along what was said to it.
    pub(super) fn held_steers(&mut self, at: usize, previous: Option<&ResponseId>) -> Vec<Item> {
        let Some(lane) = self.lanes.get_mut(at) else { return Vec::new() };
        let held = std::mem::take(&mut lane.held);
        let latest = lane.latest.as_ref().map(|latest| latest.id.clone());
        if latest.is_some() && latest.as_ref() == previous {
            return held.into_iter().flat_map(|steer| steer.input.into_items()).collect();
        }
        for steer in held {
            self.refuse_steer(latest.as_ref(), &steer, "response_not_active");
        }
        Vec::new()
    }

    pub(super) fn interrupt(&mut self, id: &ResponseId) {
        let whereabouts = self.whereabouts(id);
        match whereabouts {
            _ if !self.powers_of(&whereabouts).interrupt => self.say_interrupt_failed(id, "interrupt_not_supported"),
            Whereabouts::Running(lane) => {
                self.say_interrupt_accepted(lane, id);
                if let Some(active) = self.lanes.get(lane).and_then(|lane| lane.active.as_ref()) {
                    self.effects.push_back(ConnectionEffect::Interrupt(active.run));
                }
            }
            Whereabouts::JustEnded(_) | Whereabouts::Ended => {
                self.say_interrupt_failed(id, "response_already_completed");
            }
            Whereabouts::Unknown => self.say_interrupt_failed(id, "response_not_found"),
        }
    }

    /// Not of the service: over a socket it has no cancel.
    pub(super) fn cancel(&mut self, id: &ResponseId) {
        if let Whereabouts::Running(lane) = self.whereabouts(id) {
            if let Some(active) = self.lanes.get(lane).and_then(|lane| lane.active.as_ref()) {
                self.effects.push_back(ConnectionEffect::Cancel(active.run));
            }
            return;
        }
        self.refuse(None, &not_running(id));
    }

    pub(super) fn inject(&mut self, id: &ResponseId, items: Vec<Item>) {
        let whereabouts = self.whereabouts(id);
        match whereabouts {
            Whereabouts::Running(lane) if self.powers_of(&whereabouts).inject => {
                self.say_inject_created(lane, id);
                if let Some(active) = self.lanes.get(lane).and_then(|lane| lane.active.as_ref()) {
                    self.effects.push_back(ConnectionEffect::Inject(active.run, items));
                }
            }
            Whereabouts::Running(lane) => {
                let name = self.lanes.get(lane).and_then(|lane| lane.name.clone());
                self.say_inject_failed(id, &items, "inject_not_supported", name.as_ref());
            }
            Whereabouts::JustEnded(_) | Whereabouts::Ended => {
                self.say_inject_failed(id, &items, "response_already_completed", None);
            }
            Whereabouts::Unknown => self.say_inject_failed(id, &items, "response_not_found", None),
        }
    }
}

fn not_running(id: &ResponseId) -> ApiError {
    let name = shortened(id.as_str(), SHOWN);
    let message = format!("response `{name}` does not run on this connection: there is nothing to cancel");
    ApiError::report(404, Some("response_not_found"), Some("response_id"), message)
}

/// A steer is what a user says, or an answer to a function call.
fn can_steer(input: &Input) -> bool {
    let Input::Items(items) = input else { return true };
    let allowed = |item: &Item| match item.view() {
        ItemView::Message(message) => message.role == Role::User,
        _ => item.kind() == ItemKind::FunctionCallOutput,
    };
    !items.is_empty() && items.iter().all(allowed)
}
