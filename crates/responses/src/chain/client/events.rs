//! What the server says, and the end of a response.

use super::super::anchor::{Anchor, Scope};
use super::super::link::{LinkId, Transport};
use super::super::notice::{Fault, Notice, Outcome};
use super::super::time::Time;
use super::super::turn::{Flow, Purpose, Streaming, Turn};
use super::{Chain, Heard, Last};
use crate::error::{ApiError, Memory};
use crate::event::{Body, ServerEvent, Stage};
use crate::fold::{Fold, Folded, Response};
use crate::item::Item;

impl Chain {
    /// A message came over a socket, or an event over HTTP.
    pub fn handle_text(&mut self, now: Time, link: LinkId, text: &str) -> Heard {
        let event = match ServerEvent::parse(text) {
            Ok(event) => event,
            Err(error) => {
                if self.line.link() == Some(link) {
                    self.drop_line();
                }
                self.stream_fell(now, link, Fault::Unreadable(error.to_string().into()));
                return Heard::Nobody;
            }
        };
        self.handle_event(now, link, &event)
    }

    /// The same, for an event that was read already.
    pub fn handle_event(&mut self, now: Time, link: LinkId, event: &ServerEvent<'_>) -> Heard {
        self.line_spoke(now, link);
        if self.line.link() == Some(link) && !self.is_for_this_lane(event) {
            return Heard::Nobody;
        }
        match std::mem::take(&mut self.turn) {
            Turn::Streaming(streaming) if streaming.link == link => self.take_event(now, streaming, event),
            other => {
                self.turn = other;
                let heard = if self.is_up(link) { self.take_stray(event) } else { Heard::Nobody };
                self.advance(now);
                heard
            }
        }
    }

    fn is_for_this_lane(&self, event: &ServerEvent<'_>) -> bool {
        let lane = self.line.lane().map(crate::id::LaneId::as_str);
        // An error that ends the connection ends every lane, and names none.
        let for_all = matches!(&event.body, Body::Error(error) if error.meaning().memory == Memory::AllLost);
        // A server without lanes names none: its refusal of a response that has not begun is ours.
        let begun = matches!(&self.turn, Turn::Streaming(streaming) if streaming.fold.id().is_some());
        let laneless = matches!(event.body, Body::Error(_)) && event.lane.is_none() && !begun;
        for_all || laneless || event.lane.as_deref() == lane
    }

    fn take_event(&mut self, now: Time, mut streaming: Box<Streaming>, event: &ServerEvent<'_>) -> Heard {
        if matches!(event.body, Body::Aside | Body::Unknown) {
            // It says that it is there, not that it gets on.
            streaming.kept_alive = true;
        } else {
            streaming.heard = now;
        }
        // Only a socket carries more than one response.
        let may_echo = streaming.transport == Transport::WebSocket && streaming.fold.id().is_none();
        if may_echo && self.is_echo(event) {
            self.turn = Turn::Streaming(streaming);
            return Heard::Nobody;
        }
        if let Body::Response(stage, _) = event.body {
            let ids = streaming.fold.id().zip(event.response_id());
            let another = ids.is_some_and(|(known, named)| known.as_str() != named);
            if stage == Stage::Created && another {
                self.fell(now, streaming, Fault::Unasked);
                return Heard::Nobody;
            }
            if stage == Stage::Created {
                self.steers_took_effect(&mut streaming);
            }
        }
        if let Some(goes_on) = self.take_steer_event(&mut streaming, event) {
            if goes_on {
                self.turn = Turn::Streaming(streaming);
            } else {
                self.advance(now);
            }
            return Heard::Turn;
        }
        if let Body::InterruptFailed(_) = event.body
            && matches!(streaming.flow, Flow::Interrupted(_))
        {
            self.drop_line();
            self.cancelled(now, *streaming);
            return Heard::Turn;
        }
        self.fold_event(now, streaming, event)
    }

    /// Whether an event that comes before the next response has begun is still about the last one.
    fn is_echo(&self, event: &ServerEvent<'_>) -> bool {
        let Some(last) = &self.last else { return false };
        match event.body {
            Body::Response(stage, _) => stage != Stage::Created && last.is_about(event),
            Body::ItemDone(_, raw) => self.transcript.since(last.from).iter().any(|item| item.text() == raw.0),
            _ => false,
        }
    }

    fn fold_event(&mut self, now: Time, mut streaming: Box<Streaming>, event: &ServerEvent<'_>) -> Heard {
        let turn = streaming.ask.turn;
        if streaming.ask.purpose == Purpose::WarmUp && matches!(event.body, Body::ItemAdded(..) | Body::ItemDone(..)) {
            // It was asked to say nothing: what it says is nobody's, and stops here.
            self.drop_line();
            self.end(turn, Outcome::Cold);
            self.advance(now);
            return Heard::Nobody;
        }
        let heard = match streaming.fold.push(event) {
            Err(error) => {
                self.fell(now, streaming, Fault::Unreadable(error.to_string().into()));
                return Heard::Nobody;
            }
            Ok(Folded::Repeat) => Heard::Nobody,
            Ok(Folded::More | Folded::Ended) => Heard::Turn,
            Ok(Folded::Item(index, item)) => {
                self.tell(Notice::Item { turn, index, item });
                Heard::Turn
            }
        };
        match (streaming.fold.ended(), &streaming.flow) {
            (None, _) => self.turn = Turn::Streaming(streaming),
            (Some(_), Flow::Settling(_)) if streaming.fold.may_lack_items() => self.turn = Turn::Streaming(streaming),
            (Some(_), Flow::Running) if streaming.fold.may_lack_items() => {
                streaming.flow = Flow::Settling(now.after(self.config.limits.settle));
                self.turn = Turn::Streaming(streaming);
            }
            (Some(_), _) => self.finish(now, streaming),
        }
        heard
    }

    /// An event on a line where nothing is asked for.
    fn take_stray(&mut self, event: &ServerEvent<'_>) -> Heard {
        match &event.body {
            Body::Aside | Body::Unknown => Heard::Aside,
            Body::Error(error) if error.meaning().memory == Memory::AllLost => {
                self.drop_line();
                Heard::Nobody
            }
            Body::Response(..) if self.last.as_ref().is_none_or(|last| !last.is_about(event)) => {
                // Nobody asked for it: what the server remembers is not what we think.
                self.drop_line();
                Heard::Nobody
            }
            _ => Heard::Nobody,
        }
    }

    /// The response has ended.
    pub(super) fn finish(&mut self, now: Time, mut streaming: Box<Streaming>) {
        if streaming.fold.ended() == Some(Stage::Failed) {
            let unnamed =
                || ApiError { message: "the response failed and does not say why".into(), ..ApiError::default() };
            let error = streaming.fold.error().cloned().unwrap_or_else(unnamed);
            return self.fell(now, streaming, Fault::Api(Box::new(error)));
        }
        let fold = std::mem::take(&mut streaming.fold);
        let response = match fold.response() {
            Ok(response) => response,
            Err(error) => {
                streaming.fold = fold;
                return self.fell(now, streaming, Fault::Unreadable(error.to_string().into()));
            }
        };
        self.remember(&streaming, &fold, &response);
        let response = Box::new(response);
        if streaming.transport == Transport::WebSocket {
            self.route.worked();
        }
        if !streaming.steers.is_empty() && !matches!(streaming.flow, Flow::Interrupted(_)) {
            streaming.flow = Flow::Steering(now.after(self.config.limits.steer), response);
            self.turn = Turn::Streaming(streaming);
            return;
        }
        let interrupted = response.incomplete_reason().is_some_and(|reason| reason.as_str() == "interrupted");
        self.return_steers(&mut streaming, None);
        let outcome = match (streaming.ask.purpose, streaming.flow) {
            (Purpose::WarmUp, _) if response.output().is_empty() => Outcome::Warm,
            (Purpose::WarmUp, _) => Outcome::Cold,
            (Purpose::Answer, Flow::Interrupted(_)) if interrupted => Outcome::Cancelled,
            (Purpose::Answer, _) => Outcome::Answered(response),
        };
        self.end(streaming.ask.turn, outcome);
        self.advance(now);
    }

    /// Writes down what the model said, and what the server now remembers.
    fn remember(&mut self, streaming: &Streaming, fold: &Fold, response: &Response) {
        self.last = Some(Last { id: response.id().clone(), from: self.transcript.len() });
        let warming = streaming.ask.purpose == Purpose::WarmUp;
        if warming && !response.output().is_empty() {
            // It was asked to say nothing. What it remembers is not what was said.
            return;
        }
        let spoken = spoken(fold, response);
        for (index, item) in &spoken {
            if !fold.items().any(|(told, _)| told == *index) {
                self.tell(Notice::Item { turn: streaming.ask.turn, index: *index, item: item.clone() });
            }
        }
        self.transcript.extend(spoken.into_iter().map(|(_, item)| item));
        let settings = &streaming.ask.settings;
        let stored = response.stored().unwrap_or(settings.store());
        let scope = if settings.store() && stored && self.config.peer.stores {
            Scope::Server
        } else if streaming.transport == Transport::WebSocket {
            Scope::Link(streaming.link)
        } else {
            // An answer over HTTP that is kept nowhere: what the line remembers is older, and as good as it was.
            return;
        };
        let anchor = Anchor {
            response: response.id().clone(),
            scope,
            generation: self.transcript.generation(),
            // While a server warms, the next turn may have begun to fill the transcript.
            covered: if warming { streaming.sent.covers } else { self.transcript.len() },
            fingerprint: settings.fingerprint(),
        };
        // A server that gives no name cannot be asked to go on from it.
        self.anchor = (!response.id().as_str().is_empty()).then_some(anchor);
    }
}

/// The items of a response as they go into the transcript: what was told when it was whole stays as it was told.
fn spoken(fold: &Fold, response: &Response) -> Vec<(u32, Item)> {
    let mut told: Vec<(u32, Item)> = fold.items().map(|(index, item)| (index, item.clone())).collect();
    if response.output().len() <= told.len() {
        return told;
    }
    let mut free = told.last().map_or(0, |(last, _)| last.saturating_add(1));
    let mut spoken = Vec::new();
    for item in response.output() {
        let named =
            |(_, known): &(u32, Item)| known.text() == item.text() || (known.id().is_some() && known.id() == item.id());
        let alike = |(_, known): &(u32, Item)| known.is_the_same_as(item);
        let place = told.iter().position(named).or_else(|| told.iter().position(alike));
        spoken.push(place.map_or_else(
            || {
                free += 1;
                (free - 1, item.clone())
            },
            |place| told.remove(place),
        ));
    }
    spoken.append(&mut told);
    spoken
}

impl Last {
    /// Whether an event carries this response.
    fn is_about(&self, event: &ServerEvent<'_>) -> bool {
        event.response_id().is_some_and(|id| self.id.as_str() == id)
    }
}
