//! What a turn at a backend means for whoever watches its response.

use std::borrow::Cow;

use responses::chain::{Notice, Outcome};
use responses::error::ApiError;
use responses::json::Object;
use transport::{Text, Told};

use super::blame;

/// Events about the line between the gateway and its backend: nobody else's business.
const OF_OUR_LINE: [&str; 8] = [
    "codex.",
    "keepalive",
    "response.inject.",
    "response.interrupt.",
    "response.metadata",
    "response.output_item.interrupted",
    "response.steer.",
    "responsesapi.",
];

/// Reads one turn. What a backend says before its first word about an item can be taken back, and is asked for again in
/// silence; after that it cannot.
#[derive(Debug)]
pub(super) struct Telling {
    backend: Box<str>,
    passed: Passed,
    /// The last event. It is told when the turn is over: items may come after it.
    last: Option<Text>,
    /// It was told to end early.
    steered: bool,
}

/// How far the response is, for those who watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Passed {
    Nothing,
    Created,
    Queued,
    InProgress,
    Items,
}

/// What follows from something that was told.
#[derive(Debug, PartialEq)]
pub(super) enum Then {
    /// Nothing yet.
    Listen,
    /// One more event.
    Say(Text),
    /// The last event. The turn ended well.
    End(Text),
    /// It ended early, as it was told to.
    Steered,
    /// It went wrong.
    Fail(ApiError),
}

impl Telling {
    /// Nothing was told yet.
    pub(super) fn of(backend: &str) -> Self {
        Self { backend: backend.into(), passed: Passed::Nothing, last: None, steered: false }
    }

    /// The response is to end early: that it was cancelled is what was wanted.
    pub(super) fn steer(&mut self) {
        self.steered = true;
    }

    /// What follows from this.
    pub(super) fn hear(&mut self, told: Told) -> Then {
        match told {
            Told::Event(text) => self.event(text),
            Told::Notice(notice) => self.notice(notice),
            Told::LeftOut(parts) => {
                tracing::debug!(backend = &*self.backend, ?parts, "the backend has no way to be told");
                Then::Listen
            }
            Told::Head(head) => {
                tracing::trace!(backend = &*self.backend, request = head.request_id.as_deref(), "the backend answers");
                Then::Listen
            }
            Told::Chosen(_) | Told::Route(_) | Told::RateLimits(_) => Then::Listen,
        }
    }

    fn event(&mut self, text: Text) -> Then {
        let step = match &*kind_of(&text) {
            "response.created" => Passed::Created,
            "response.queued" => Passed::Queued,
            "response.in_progress" => Passed::InProgress,
            "response.completed" | "response.done" | "response.incomplete" => {
                self.last = Some(text);
                return Then::Listen;
            }
            // What it means is told by a notice.
            "response.failed" | "error" => return Then::Listen,
            kind if OF_OUR_LINE.iter().any(|ours| kind.starts_with(ours)) => return Then::Listen,
            _ => Passed::Items,
        };
        if step <= self.passed && step != Passed::Items {
            // It was asked again, and begins anew.
            return Then::Listen;
        }
        self.passed = self.passed.max(step);
        Then::Say(text)
    }

    fn notice(&mut self, notice: Notice) -> Then {
        match notice {
            Notice::Dropped { fault, kept, .. } => {
                tracing::info!(backend = &*self.backend, %fault, kept, "the backend broke off in its answer");
                if self.passed == Passed::Items {
                    return Then::Fail(blame::of_fault(&self.backend, fault));
                }
                self.last = None;
            }
            // A server that gives its response no name can break off without there being anything to drop.
            Notice::Waiting { fault, .. } if self.passed == Passed::Items => {
                return Then::Fail(blame::of_fault(&self.backend, fault));
            }
            Notice::Sent { .. } if self.passed == Passed::Items => return Then::Fail(blame::broke_off(&self.backend)),
            Notice::Waiting { class, fault, .. } => {
                tracing::info!(backend = &*self.backend, ?class, %fault, "the backend is asked again after a pause");
            }
            Notice::WebSocketOff { fault, .. } => {
                tracing::info!(backend = &*self.backend, %fault, "websockets to the backend are left alone for a while");
            }
            Notice::Sent { transport, why_http, all, items, bytes, .. } => {
                tracing::debug!(backend = &*self.backend, ?transport, ?why_http, ?all, items, bytes, "request sent");
            }
            Notice::Item { .. } | Notice::WebSocketOn | Notice::Steered { .. } | Notice::SteerReturned { .. } => {}
            Notice::Ended { outcome, .. } => return self.ended(outcome),
        }
        Then::Listen
    }

    fn ended(&mut self, outcome: Outcome) -> Then {
        match (outcome, self.last.take()) {
            (Outcome::Answered(_), Some(last)) => Then::End(last),
            (Outcome::Cancelled, _) if self.steered => Then::Steered,
            (Outcome::CallsFirst(fault), _) => Then::Fail(blame::of_fault(&self.backend, fault)),
            (Outcome::Failed(failure), _) => {
                tracing::warn!(backend = &*self.backend, %failure, "the backend could not be made to answer");
                Then::Fail(blame::of_failure(&self.backend, failure))
            }
            (Outcome::Answered(_) | Outcome::Cancelled | Outcome::Warm | Outcome::Cold, _) => {
                Then::Fail(blame::broke_off(&self.backend))
            }
        }
    }
}

/// The type of an event. Nearly all servers say it first.
fn kind_of(text: &str) -> Cow<'_, str> {
    let first = text.strip_prefix(r#"{"type":""#).and_then(|rest| rest.split_once('"')).map(|(kind, _)| kind);
    if let Some(kind) = first.filter(|kind| !kind.contains('\\')) {
        return Cow::Borrowed(kind);
    }
    let kind = Object::parse(text).ok().and_then(|object| object.read("type").ok());
    // What has no type was taken for an event by whoever passed it on: the body of an error.
    kind.unwrap_or(Cow::Borrowed("error"))
}

#[cfg(test)]
mod tests {
    use responses::chain::{Failure, Fault, Transport, TurnId};
    use responses::fold;

    use super::*;

    const TURN: TurnId = TurnId(1);

    fn event(text: &str) -> Told {
        Told::Event(text.to_owned().into())
    }

    fn of(kind: &str) -> Told {
        event(&format!(r#"{{"type":"{kind}"}}"#))
    }

    fn dropped() -> Told {
        Told::Notice(Notice::Dropped { turn: TURN, kept: 0, fault: Fault::Closed(None) })
    }

    fn ended(outcome: Outcome) -> Told {
        Told::Notice(Notice::Ended { turn: TURN, outcome })
    }

    fn answered() -> Told {
        let whole = r#"{"id":"resp_1","object":"response","status":"completed","output":[]}"#;
        ended(Outcome::Answered(Box::new(fold::whole(whole).unwrap())))
    }

    fn sent() -> Told {
        let (transport, why_http, all) = (Transport::Http, None, None);
        Told::Notice(Notice::Sent { turn: TURN, transport, why_http, all, items: 1, bytes: 1 })
    }

    /// What follows from all of this, in short.
    fn heard(told: Vec<Told>) -> Vec<String> {
        let mut telling = Telling::of("east");
        let then = |then| match then {
            Then::Listen => None,
            Then::Say(text) => Some(kind_of(&text).into_owned()),
            Then::End(text) => Some(format!("end {}", kind_of(&text))),
            Then::Steered => Some("steered".to_owned()),
            Then::Fail(error) => Some(format!("fail {}", error.code.as_deref().unwrap_or_default())),
        };
        told.into_iter().filter_map(|told| then(telling.hear(told))).collect()
    }

    #[test]
    fn the_last_event_is_told_last_even_if_items_come_after_it() {
        let told = [of("response.created"), of("response.completed"), of("response.output_item.done"), answered()];
        let expected = ["response.created", "response.output_item.done", "end response.completed"];
        assert_eq!(heard(told.into()), expected);
    }

    #[test]
    fn what_was_said_before_the_first_item_is_asked_for_again_in_silence() {
        let begin = || vec![of("response.created"), of("response.in_progress")];
        let again = [sent(), of("response.output_item.added"), of("response.completed"), answered()];
        let told = begin().into_iter().chain([dropped()]).chain(begin()).chain(again).collect();
        let expected =
            ["response.created", "response.in_progress", "response.output_item.added", "end response.completed"];
        assert_eq!(heard(told), expected);
    }

    #[test]
    fn what_was_said_of_an_item_cannot_be_taken_back() {
        let item = || vec![of("response.created"), of("response.output_item.added")];
        for again in [dropped(), sent()] {
            let told = item().into_iter().chain([again]).collect();
            assert_eq!(heard(told).last().unwrap(), "fail backend_broke_off");
        }
    }

    #[test]
    fn a_failure_is_told_once_and_not_as_an_event() {
        let refused = ApiError::report(400, Some("invalid_prompt"), None, "no");
        let outcome = Outcome::Failed(Failure::Refused(Box::new(refused)));
        let told = vec![of("response.created"), of("response.failed"), of("error"), ended(outcome)];
        assert_eq!(heard(told), ["response.created", "fail invalid_prompt"]);
    }

    #[test]
    fn what_a_server_says_of_the_line_goes_no_further() {
        for kind in [
            "keepalive",
            "codex.rate_limits",
            "response.metadata",
            "responsesapi.websocket_timing",
            "response.steer.accepted",
            "response.interrupt.accepted",
            "response.output_item.interrupted",
        ] {
            assert_eq!(heard(vec![of(kind)]), [""; 0], "{kind}");
        }
    }

    #[test]
    fn an_event_of_next_year_is_passed_on() {
        assert_eq!(heard(vec![of("response.dream.delta")]), ["response.dream.delta"]);
    }

    #[test]
    fn an_end_that_nobody_asked_for_is_no_good_end() {
        for outcome in [Outcome::Cancelled, Outcome::Cold, Outcome::Warm] {
            assert_eq!(heard(vec![of("response.created"), ended(outcome)]).last().unwrap(), "fail backend_broke_off");
        }
        assert_eq!(heard(vec![answered()]), ["fail backend_broke_off"], "there was no last event");
    }

    #[test]
    fn the_type_is_found_wherever_it_stands() {
        for (text, kind) in [
            (r#"{"type":"a.b","x":1}"#, "a.b"),
            (r#"{"type": "a.b"}"#, "a.b"),
            (r#"{"item":{"type":"no"},"type":"a.b"}"#, "a.b"),
            (r#"{"type":"a\u002eb"}"#, "a.b"),
            (r#"{"error":{"message":"no"}}"#, "error"),
        ] {
            assert_eq!(kind_of(text), kind, "{text}");
        }
    }
}
