//! What follows from a fault: what is kept, what is forgotten, and whether, when and how to ask again.

use std::time::Duration;

use super::super::anchor::Scope;
use super::super::link::{LinkId, Transport};
use super::super::notice::{Effect, Failure, Fault, Notice, Outcome};
use super::super::retry::{Class, Verdict};
use super::super::route::Mode;
use super::super::time::Time;
use super::super::turn::{Flow, Purpose, Queued, Sent, Streaming, Turn};
use super::{Chain, Last};
use crate::error::{ApiError, Memory, Remedy};
use crate::item::{Item, ItemKind};

impl Chain {
    /// Something happened to a link. If a turn is streaming over it, the turn is in need of help.
    pub(super) fn stream_fell(&mut self, now: Time, link: LinkId, fault: Fault) {
        match std::mem::take(&mut self.turn) {
            Turn::Streaming(streaming) if streaming.link == link => {
                if matches!(streaming.flow, Flow::Settling(_)) {
                    self.finish(now, streaming);
                } else {
                    self.fell(now, streaming, fault);
                }
            }
            other => {
                self.turn = other;
                self.advance(now);
            }
        }
    }

    /// The answer will not come whole.
    pub(super) fn fell(&mut self, now: Time, mut streaming: Box<Streaming>, fault: Fault) {
        self.let_go(&streaming, &fault);
        self.return_steers(&mut streaming, None);
        if let Flow::Steering(_, response) = streaming.flow {
            self.end(streaming.ask.turn, Outcome::Answered(response));
            return self.advance(now);
        }
        if matches!(streaming.flow, Flow::Interrupted(_)) {
            return self.cancelled(now, *streaming);
        }
        let begun = streaming.fold.id().is_some();
        let kept = self.salvage(&streaming);
        let (transport, sent) = (streaming.transport, streaming.sent);
        let mut ask = streaming.broken();
        if ask.purpose == Purpose::WarmUp {
            self.end(ask.turn, Outcome::Cold);
            return self.advance(now);
        }
        if begun || kept > 0 {
            self.tell(Notice::Dropped { turn: ask.turn, kept, fault: fault.clone() });
        }
        if self.transcript.unanswered().is_empty() {
            if kept > 0 {
                ask.attempts.progressed();
                ask.resumed += 1;
            }
            self.recover(now, ask, (transport, sent), fault);
        } else {
            self.end(ask.turn, Outcome::CallsFirst(fault));
        }
        self.advance(now);
    }

    /// The user stopped it: what is whole stays, nothing is asked again.
    pub(super) fn cancelled(&mut self, now: Time, mut streaming: Streaming) {
        self.return_steers(&mut streaming, None);
        self.salvage(&streaming);
        self.end(streaming.ask.turn, Outcome::Cancelled);
        self.advance(now);
    }

    /// Appends what is whole, thoughts that led nowhere aside. Says how many items that were.
    fn salvage(&mut self, streaming: &Streaming) -> usize {
        if let Some(id) = streaming.fold.id() {
            // It may be heard of again: an `error` is often followed by `response.failed`.
            self.last = Some(Last { id: id.clone(), from: self.transcript.len() });
        }
        let kept = worth_keeping(streaming.fold.items());
        let count = kept.len();
        self.transcript.extend(kept);
        count
    }

    /// Gives up the line or the request, and forgets what the server has forgotten.
    fn let_go(&mut self, streaming: &Streaming, fault: &Fault) {
        let over = matches!(fault, Fault::Closed(_) | Fault::TooLarge | Fault::Unreachable(_));
        match (streaming.transport, fault) {
            (Transport::Http, _) if !over => self.effects.push_back(Effect::Close(streaming.link)),
            (Transport::WebSocket, Fault::Api(error)) => match (error.meaning().remedy, error.meaning().memory) {
                (Remedy::NewLine, _) | (_, Memory::AllLost) => self.drop_line(),
                (_, Memory::ParentLost) => self.forget_parent(false),
                (_, Memory::Kept) => {}
            },
            (Transport::WebSocket, _) if self.line.link() == Some(streaming.link) => self.drop_line(),
            (Transport::Http | Transport::WebSocket, _) => {}
        }
        if let Fault::Api(error) = fault
            && error.is_about_the_parent()
        {
            self.forget_parent(true);
        }
    }

    fn forget_parent(&mut self, stored_too: bool) {
        if self.anchor.as_ref().is_some_and(|anchor| stored_too || anchor.scope != Scope::Server) {
            self.anchor = None;
        }
    }

    fn recover(&mut self, now: Time, mut ask: Queued, (transport, sent): (Transport, Sent), fault: Fault) {
        let (class, told) = match &fault {
            // A server that forgot what it was not asked for is not mended by sending everything again at once.
            Fault::Api(error) if error.is_about_the_parent() && sent.named_parent => (Class::Lapse, None),
            Fault::Api(error) => match class_of(error) {
                Some(class) => (class, error.wait.or_else(|| self.until_reset(now, error))),
                None => {
                    let refused = Failure::Refused(error.clone());
                    return self.end(ask.turn, Outcome::Failed(refused));
                }
            },
            // Where there is no other way, the limit is not believed beyond this turn: some close so for other reasons.
            Fault::TooLarge if self.config.mode != Mode::Auto => {
                return self.end(ask.turn, Outcome::Failed(Failure::GaveUp(fault)));
            }
            Fault::TooLarge => {
                self.learn_limit(sent.bytes);
                ask.http_only = true;
                (Class::Lapse, None)
            }
            Fault::Silent => (Class::Silence, None),
            Fault::Unreachable(_) => (Class::Reach, None),
            Fault::Closed(_) | Fault::Dead | Fault::Unreadable(_) | Fault::Unasked | Fault::SteerLost => {
                (Class::Line, None)
            }
        };
        let policy = &self.config.retry;
        let resumed_enough = ask.resumed > policy.resumptions;
        let used_up = resumed_enough || ask.attempts.is_used_up(class, policy);
        let degrades = transport == Transport::WebSocket
            && self.config.mode == Mode::Auto
            && matches!(class, Class::Line | Class::Silence | Class::Lapse);
        let sockets_lost = class == Class::Line && ask.attempts.used(class) >= policy.sockets;
        if degrades && (used_up || sockets_lost) && !ask.http_only {
            self.leave_sockets_alone(now, &fault);
            ask.http_only = true;
            ask.resumed = 0;
            ask.attempts.progressed();
        } else if resumed_enough {
            return self.end(ask.turn, Outcome::Failed(Failure::GaveUp(fault)));
        }
        self.again(now, ask, class, told, fault);
    }

    fn until_reset(&self, now: Time, error: &ApiError) -> Option<Duration> {
        let reset = Duration::from_secs(error.resets_at?);
        Some(reset.saturating_sub(self.config.epoch? + now.since_beginning()))
    }

    /// A message of so many bytes was too large. No server's limit is tiny: a small one was closed for another reason.
    fn learn_limit(&mut self, bytes: usize) {
        const SMALLEST: usize = 64 << 10;
        if bytes > SMALLEST {
            self.frame_limit = self.frame_limit.min(bytes - 1);
        }
    }

    /// Asks again: now, later or never.
    pub(super) fn again(&mut self, now: Time, ask: Queued, class: Class, told: Option<Duration>, fault: Fault) {
        let mut ask = ask;
        if ask.purpose == Purpose::WarmUp {
            return self.end(ask.turn, Outcome::Cold);
        }
        match ask.attempts.after(class, told, &self.config.retry, self.config.seed ^ ask.turn.0) {
            Verdict::Again(pause) if pause.is_zero() => self.turn = Turn::Queued(ask),
            Verdict::Again(pause) => {
                let until = now.after(pause);
                self.tell(Notice::Waiting { turn: ask.turn, until, class, fault });
                self.turn = Turn::BackingOff(ask.back_off(until));
            }
            Verdict::GiveUp => self.end(ask.turn, Outcome::Failed(Failure::GaveUp(fault))),
        }
    }
}

fn class_of(error: &ApiError) -> Option<Class> {
    const OVERLOADED: u16 = 503;
    let meaning = error.meaning();
    match meaning.remedy {
        Remedy::NewLine => Some(Class::Lapse),
        Remedy::Wait => Some(Class::Limit),
        Remedy::BackOff if meaning.status == OVERLOADED || error.status == Some(OVERLOADED) => Some(Class::Limit),
        Remedy::BackOff | Remedy::SendAll => Some(Class::Server),
        Remedy::Credentials | Remedy::Compact | Remedy::Change => None,
    }
}

/// What of a broken answer goes into the transcript. A thought is worth nothing without the item it led to: the
/// service refuses it alone.
fn worth_keeping<'a>(items: impl Iterator<Item = (u32, &'a Item)>) -> Vec<Item> {
    let items: Vec<_> = items.collect();
    let mut kept = Vec::new();
    let mut follower: Option<u32> = None;
    for (index, item) in items.into_iter().rev() {
        let leads_on = follower.is_some_and(|follower| follower == index + 1);
        if item.kind() != ItemKind::Reasoning || leads_on {
            kept.push(item.clone());
            follower = Some(index);
        }
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: &str) -> Item {
        match kind {
            "r" => Item::parse(r#"{"type":"reasoning","summary":[]}"#).unwrap(),
            text => Item::user(text),
        }
    }

    #[test]
    fn thoughts_are_kept_only_with_what_they_led_to() {
        let cases: [(&[(u32, &str)], usize); 6] = [
            (&[(0, "r"), (1, "a")], 2),
            (&[(0, "a"), (1, "r")], 1),
            (&[(0, "r"), (2, "a")], 1),
            (&[(0, "r"), (1, "r"), (2, "a")], 3),
            (&[(0, "r"), (1, "r")], 0),
            (&[(0, "r"), (1, "a"), (2, "r"), (3, "b"), (4, "r")], 4),
        ];
        for (made, expected) in cases {
            let items: Vec<(u32, Item)> = made.iter().map(|(index, kind)| (*index, item(kind))).collect();
            assert_eq!(worth_keeping(items.iter().map(|(at, item)| (*at, item))).len(), expected, "{made:?}");
        }
    }
}
