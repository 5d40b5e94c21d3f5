//! Saying something while the model speaks, and stopping it.

use super::super::anchor::Scope;
use super::super::link::Transport;
use super::super::notice::{Effect, Notice, Outcome};
use super::super::time::Time;
use super::super::turn::{Flow, Purpose, Steer, Streaming, Turn};
use super::{Chain, NotSteered};
use crate::error::ApiError;
use crate::event::{Body, ServerEvent};
use crate::frame::ClientFrame;
use crate::item::Item;
use crate::json::Json;
use crate::request::Input;

/// How many steers may be without an answer. The service has a bound of its own and does not say which.
const MAX_PENDING_STEERS: usize = 8;

impl Chain {
    /// Says something to the response that is running. Where that cannot be, the items are given back.
    pub fn steer(&mut self, items: Vec<Item>) -> Result<(), NotSteered> {
        let Turn::Streaming(streaming) = &mut self.turn else { return Err(NotSteered(items)) };
        let takes = self.config.peer.steers
            && streaming.ask.purpose == Purpose::Answer
            && streaming.transport == Transport::WebSocket
            && matches!(streaming.flow, Flow::Running)
            && streaming.steers.len() < MAX_PENDING_STEERS;
        let Some(previous) = streaming.fold.id().filter(|_| takes).cloned() else { return Err(NotSteered(items)) };
        let frame = ClientFrame::Steer { previous, input: Input::Items(items.clone()) };
        self.effects.push_back(Effect::Send(streaming.link, Json::of(&frame).text().to_owned()));
        streaming.steers.push(Steer { items, accepted: None });
        Ok(())
    }

    /// Stops the turn on its way, if there is one. What is whole stays in the transcript.
    pub fn cancel(&mut self, now: Time) -> bool {
        if let Some((next, _)) = self.next.take() {
            self.end(next.turn, Outcome::Cancelled);
            return true;
        }
        match std::mem::take(&mut self.turn) {
            Turn::None => return false,
            Turn::Queued(ask) => self.end(ask.turn, Outcome::Cancelled),
            Turn::BackingOff(waiting) => self.end(waiting.woken().turn, Outcome::Cancelled),
            Turn::Streaming(streaming) => self.stop(now, streaming),
        }
        self.advance(now);
        true
    }

    fn stop(&mut self, now: Time, mut streaming: Box<Streaming>) {
        if matches!(streaming.flow, Flow::Interrupted(_)) {
            self.turn = Turn::Streaming(streaming);
            return;
        }
        // A server that holds a steer would apply it to whatever comes next on the line.
        let gently = self.config.peer.interrupts
            && streaming.transport == Transport::WebSocket
            && matches!(streaming.flow, Flow::Running)
            && streaming.steers.is_empty();
        if let Some(response) = streaming.fold.id().filter(|_| gently).cloned() {
            let frame = ClientFrame::Interrupt { response };
            self.effects.push_back(Effect::Send(streaming.link, Json::of(&frame).text().to_owned()));
            streaming.flow = Flow::Interrupted(now.after(self.config.limits.interrupt));
            self.turn = Turn::Streaming(streaming);
            return;
        }
        match streaming.transport {
            Transport::WebSocket => self.drop_line(),
            Transport::Http => self.effects.push_back(Effect::Close(streaming.link)),
        }
        self.cancelled(now, *streaming);
    }

    /// The server's word on a steer. Gives whether the turn goes on, or nothing if the event is not about steers.
    pub(super) fn take_steer_event(&mut self, streaming: &mut Streaming, event: &ServerEvent<'_>) -> Option<bool> {
        match &event.body {
            Body::SteerAccepted { steer: name, .. } => {
                if let Some(steer) = streaming.steers.iter_mut().find(|steer| steer.accepted.is_none()) {
                    steer.accepted = Some(name.as_deref().unwrap_or_default().into());
                }
            }
            Body::SteerFailed { steer: name, error, .. } => {
                let named = |steer: &Steer| steer.accepted.is_some() && steer.accepted.as_deref() == name.as_deref();
                let waits = |steer: &Steer| steer.accepted.is_none();
                let place = |is: &dyn Fn(&Steer) -> bool| streaming.steers.iter().position(is);
                if let Some(at) = place(&named).or_else(|| place(&waits)) {
                    let items = streaming.steers.remove(at).items;
                    self.tell(Notice::SteerReturned { items, error: Some(error.clone()) });
                }
                if streaming.steers.is_empty() {
                    return Some(self.steers_are_settled(streaming));
                }
            }
            Body::SteerPending { .. } => {
                if matches!(streaming.flow, Flow::Steering(..)) {
                    // The server holds what was said, and puts it before the answers it waits for.
                    self.commit_steers(streaming);
                    if let Some(anchor) = &mut self.anchor {
                        anchor.covered = self.transcript.len();
                        // What it holds is in the memory of this line, even where the response is stored.
                        anchor.scope = Scope::Link(streaming.link);
                    }
                    if streaming.steers.is_empty() {
                        return Some(self.steers_are_settled(streaming));
                    }
                }
            }
            _ => return None,
        }
        Some(true)
    }

    /// The response that was steered has ended, and nothing is left to wait for.
    fn steers_are_settled(&mut self, streaming: &mut Streaming) -> bool {
        match std::mem::replace(&mut streaming.flow, Flow::Running) {
            Flow::Steering(_, response) => {
                self.end(streaming.ask.turn, Outcome::Answered(response));
                false
            }
            other => {
                streaming.flow = other;
                true
            }
        }
    }

    /// A successor was created: from here on what was said is part of the conversation.
    pub(super) fn steers_took_effect(&mut self, streaming: &mut Streaming) {
        match std::mem::replace(&mut streaming.flow, Flow::Running) {
            Flow::Steering(_, response) => {
                self.commit_steers(streaming);
                self.tell(Notice::Steered { turn: streaming.ask.turn, response });
            }
            other => streaming.flow = other,
        }
    }

    fn commit_steers(&mut self, streaming: &mut Streaming) {
        let (accepted, waiting) =
            std::mem::take(&mut streaming.steers).into_iter().partition(|steer| steer.accepted.is_some());
        streaming.steers = waiting;
        let accepted: Vec<Steer> = accepted;
        self.transcript.extend(accepted.into_iter().flat_map(|steer| steer.items));
    }

    /// What took no effect is the owner's again.
    pub(super) fn return_steers(&mut self, streaming: &mut Streaming, error: Option<Box<ApiError>>) {
        let items: Vec<Item> =
            std::mem::take(&mut streaming.steers).into_iter().flat_map(|steer| steer.items).collect();
        if !items.is_empty() {
            self.tell(Notice::SteerReturned { items, error });
        }
    }
}
