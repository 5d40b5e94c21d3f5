//! What a connection says of itself: errors, and answers to steers, interrupts and injections.

use std::borrow::Cow;
use std::time::Duration;

use super::lane::Steer;
use super::{Connection, ConnectionEffect};
use crate::error::ApiError;
use crate::event::{Body, ServerEvent};
use crate::id::{CallId, LaneId, ResponseId};
use crate::item::{Item, ItemKind, ItemView};
use crate::json::{Json, Object, ObjectWriter, SHOWN, WireError, Write, shortened};

pub(super) fn invalid(param: &str, message: &str) -> ApiError {
    ApiError::report(400, Some("invalid_value"), Some(param), message)
}

pub(super) fn unreadable(error: &WireError) -> ApiError {
    ApiError::report(400, Some("invalid_value"), error.path().as_deref(), error.to_string())
}

pub(super) fn invalid_lane(error: &WireError) -> ApiError {
    ApiError::report(400, Some("invalid_stream_id"), Some("stream_id"), error.to_string())
}

pub(super) fn lane_limit(limit: usize) -> ApiError {
    let message =
        format!("this connection has used {limit} lane names: use one of them again, or open a new connection");
    ApiError::report(400, Some("websocket_stream_limit_reached"), Some("stream_id"), message)
}

pub(super) fn connection_limit() -> ApiError {
    let message = "this connection is at its end: open a new one and send the whole conversation";
    ApiError::report(400, Some("websocket_connection_limit_reached"), None, message)
}

pub(super) fn too_many_queued(limit: usize) -> ApiError {
    const LATER: Duration = Duration::from_secs(1);
    let message = format!("{limit} requests wait on this connection already: wait for a response to end");
    ApiError { wait: Some(LATER), ..ApiError::report(429, Some("rate_limit_exceeded"), None, message) }
}

pub(super) fn previous_not_found(previous: Option<&ResponseId>) -> ApiError {
    let name = previous.map(|name| shortened(name.as_str(), SHOWN)).unwrap_or_default();
    let message = format!("previous response `{name}` is not known here: send the whole conversation");
    ApiError::report(400, Some("previous_response_not_found"), Some("previous_response_id"), message)
}

pub(super) fn lane_busy() -> ApiError {
    let message = "the lane is in use: listen to the response on another lane, or wait for this one to be free";
    ApiError::report(409, Some("lane_busy"), Some("stream_id"), message)
}

pub(super) fn response_not_found() -> ApiError {
    let message = "this response is not running and its events are no longer kept: retrieve it, or ask again";
    ApiError::report(404, Some("response_not_found"), Some("response_id"), message)
}

pub(super) fn heard_out() -> ApiError {
    let message = "this response has ended, and no event of it comes after the one that was heard last";
    ApiError::report(400, Some("response_already_completed"), Some("starting_after"), message)
}

pub(super) fn run_gone() -> ApiError {
    ApiError::report(500, Some("server_error"), None, "the response was lost before it ended: ask again")
}

/// An event of a run, as it travels on its lane, whatever lane and status it had where it comes from. Codex passes over
/// an error without a status.
pub(super) fn for_lane(event: &ServerEvent<'_>, lane: Option<&LaneId>) -> String {
    let status = match &event.body {
        Body::Error(error) if error.status.is_none() => Some(error.meaning().status.max(400)),
        _ => None,
    };
    let mut text = Cow::Borrowed(event.text().trim());
    if status.is_some() || text.contains(r#""stream_id""#) {
        let mut object = Object::split(event.text()).unwrap_or_default();
        object.take("stream_id");
        if status.is_some() {
            object.take("status");
        }
        text = Cow::Owned(Json::of(&object).text().to_owned());
    }
    let mut out = String::with_capacity(text.len() + lane.map_or(0, |lane| lane.as_str().len()) + ADDED);
    let mut head = ObjectWriter::begin(&mut out);
    head.field("stream_id", &lane).field("status", &status);
    head.spliced(text.get(1..text.len().saturating_sub(1)).unwrap_or_default().trim());
    head.end();
    out
}

/// More than the names of the fields that are added take.
const ADDED: usize = 32;

impl Connection {
    fn say(&mut self, fill: impl FnOnce(&mut ObjectWriter<'_>)) {
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        fill(&mut object);
        object.end();
        self.effects.push_back(ConnectionEffect::Send(text));
    }

    pub(super) fn refuse(&mut self, lane: Option<&LaneId>, error: &ApiError) {
        self.effects.push_back(ConnectionEffect::Send(error.to_event(lane)));
    }

    fn lane_facts(&self, lane: usize) -> (Option<LaneId>, u64) {
        let lane = self.lanes.get(lane);
        let sequence = lane.and_then(|lane| lane.active.as_ref()).map_or(0, |active| active.sequence);
        (lane.and_then(|lane| lane.name.clone()), sequence)
    }

    pub(super) fn accept_steer(&mut self, lane: usize, previous: &ResponseId, steer: &Steer) {
        let (name, sequence) = self.lane_facts(lane);
        self.say(|object| {
            object
                .field("type", "response.steer.accepted")
                .field("sequence_number", &sequence)
                .field("stream_id", &name);
            write_steer(object, Some(previous), steer, false);
        });
    }

    pub(super) fn hold_steer(&mut self, lane: usize, previous: &ResponseId, steer: &Steer, waiting: &[Item]) {
        let (name, sequence) = self.lane_facts(lane);
        self.say(|object| {
            object
                .field("type", "response.steer.pending")
                .field("sequence_number", &sequence)
                .field("stream_id", &name);
            object.field("reason", "waiting_for_required_input");
            write_steer(object, Some(previous), steer, false);
            let stubs: Vec<Stub<'_>> = waiting.iter().filter_map(Stub::of).collect();
            object.field("required_input", &stubs);
        });
    }

    pub(super) fn refuse_steer(&mut self, previous: Option<&ResponseId>, steer: &Steer, code: &'static str) {
        self.say(|object| {
            object.field("type", "response.steer.failed");
            write_steer(object, previous, steer, true);
            write_reason(object, code, "the steer was not applied: send its input as a new request");
        });
    }

    pub(super) fn say_interrupt_accepted(&mut self, lane: usize, response: &ResponseId) {
        let (name, sequence) = self.lane_facts(lane);
        self.say(|object| {
            object.field("type", "response.interrupt.accepted").field("sequence_number", &sequence);
            object.field("stream_id", &name).field("response_id", response);
        });
    }

    pub(super) fn say_interrupt_failed(&mut self, response: &ResponseId, code: &'static str) {
        self.say(|object| {
            object.field("type", "response.interrupt.failed").field("response_id", response);
            write_reason(object, code, "the response was not interrupted: close the connection to stop it");
        });
    }

    pub(super) fn say_inject_created(&mut self, lane: usize, response: &ResponseId) {
        let (name, sequence) = self.lane_facts(lane);
        self.say(|object| {
            object.field("type", "response.inject.created").field("sequence_number", &sequence);
            object.field("stream_id", &name).field("response_id", response);
        });
    }

    pub(super) fn say_inject_failed(
        &mut self,
        response: &ResponseId,
        items: &[Item],
        code: &'static str,
        lane: Option<&LaneId>,
    ) {
        self.say(|object| {
            object.field("type", "response.inject.failed").field("stream_id", &lane);
            object.field("response_id", response).field("input", items);
            write_reason(object, code, "the answers were not taken: send them in the next request");
        });
    }
}

fn write_steer(object: &mut ObjectWriter<'_>, previous: Option<&ResponseId>, steer: &Steer, with_input: bool) {
    let mut inner = ObjectWriter::begin(object.open("steer"));
    inner.field("id", steer.id.as_str()).field("previous_response_id", &previous);
    if with_input {
        inner.field("input", &steer.input);
    }
    inner.end();
}

fn write_reason(object: &mut ObjectWriter<'_>, code: &str, message: &str) {
    let mut inner = ObjectWriter::begin(object.open("error"));
    inner.field("type", "invalid_request_error").field("code", code).field("message", message);
    inner.end();
}

/// What is missing before a steer can take effect.
struct Stub<'a> {
    kind: &'static str,
    key: &'static str,
    call: CallId,
    name: Option<Cow<'a, str>>,
}

impl<'a> Stub<'a> {
    fn of(item: &'a Item) -> Option<Self> {
        let call = item.call()?;
        let name = match item.view() {
            ItemView::FunctionCall(call) => Some(call.name),
            _ => None,
        };
        let (kind, key) = match item.kind() {
            ItemKind::FunctionCall => ("function_call_output", "call_id"),
            ItemKind::CustomToolCall => ("custom_tool_call_output", "call_id"),
            ItemKind::ComputerCall => ("computer_call_output", "call_id"),
            ItemKind::LocalShellCall => ("local_shell_call_output", "call_id"),
            ItemKind::ShellCall => ("shell_call_output", "call_id"),
            ItemKind::ApplyPatchCall => ("apply_patch_call_output", "call_id"),
            ItemKind::ToolSearchCall => ("tool_search_output", "call_id"),
            ItemKind::McpApprovalRequest => ("mcp_approval_response", "approval_request_id"),
            _ => return None,
        };
        Some(Self { kind, key, call, name })
    }
}

impl Write for Stub<'_> {
    fn write(&self, out: &mut String) {
        let mut object = ObjectWriter::begin(out);
        object.field("type", self.kind).field(self.key, &self.call).field("name", &self.name);
        if self.kind == "tool_search_output" {
            object.field("execution", "client");
        }
        object.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_written_into_an_event_and_the_rest_stays_as_it_was() {
        let lane = LaneId::parse("a-1").unwrap();
        let event = r#" {"type":"x","n":12345678901234567890}"#;
        let read = ServerEvent::parse(event).unwrap();
        let expected = r#"{"stream_id":"a-1","type":"x","n":12345678901234567890}"#;
        assert_eq!(for_lane(&read, Some(&lane)), expected);
        assert_eq!(for_lane(&read, None), event.trim());
    }

    #[test]
    fn an_error_without_a_status_is_given_one() {
        let status = |text| {
            let said = for_lane(&ServerEvent::parse(text).unwrap(), None);
            let Body::Error(error) = ServerEvent::parse(&said).unwrap().body else { panic!("{said}") };
            error.status
        };
        assert_eq!(status(r#"{"type":"error","error":{"code":"slow_down","message":"m"}}"#), Some(429));
        assert_eq!(status(r#"{"type":"error","message":"m"}"#), Some(400));
        assert_eq!(status(r#"{"type":"error","status":503,"message":"m"}"#), Some(503));
    }
}
