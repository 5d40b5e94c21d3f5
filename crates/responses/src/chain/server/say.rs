//! What a connection says of itself: errors, and answers to steers, interrupts and injections.

use super::lane::Steer;
use super::{Connection, ConnectionEffect};
use crate::id::{CallId, LaneId, ResponseId};
use crate::item::{Item, ItemKind, ItemView};
use crate::json::{ObjectWriter, Write};

/// A refusal, as an `error` event carries it.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    status: u16,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
    retry_after: Option<u32>,
}

impl Refusal {
    fn new(status: u16, code: Option<&'static str>, param: Option<&str>, message: String) -> Self {
        let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
        Self { status, kind, code, param: param.map(str::to_owned), message, retry_after: None }
    }

    pub(super) fn invalid(param: &str, message: String) -> Self {
        Self::new(400, Some("invalid_value"), Some(param), message)
    }

    pub(super) fn unreadable(param: Option<String>, message: String) -> Self {
        Self { param, ..Self::new(400, None, None, message) }
    }

    pub(super) fn invalid_lane(message: String) -> Self {
        Self::new(400, Some("invalid_stream_id"), Some("stream_id"), message)
    }

    pub(super) fn lane_limit(limit: usize) -> Self {
        let message =
            format!("this connection has used {limit} lane names: use one of them again, or open a new connection");
        Self::new(400, Some("websocket_stream_limit_reached"), Some("stream_id"), message)
    }

    pub(super) fn connection_limit() -> Self {
        let message = "this connection is at its end: open a new one and send the whole conversation".to_owned();
        Self::new(400, Some("websocket_connection_limit_reached"), None, message)
    }

    pub(super) fn too_many_queued(limit: usize) -> Self {
        const LATER: u32 = 1;
        let message = format!("{limit} requests wait on this connection already: wait for a response to end");
        Self {
            kind: "rate_limit_error",
            retry_after: Some(LATER),
            ..Self::new(429, Some("rate_limit_exceeded"), None, message)
        }
    }

    pub(super) fn previous_not_found(previous: Option<&ResponseId>) -> Self {
        let name = previous.map(ToString::to_string).unwrap_or_default();
        let message = format!("previous response `{name}` is not known here: send the whole conversation");
        Self::new(400, Some("previous_response_not_found"), Some("previous_response_id"), message)
    }

    pub(super) fn run_gone() -> Self {
        Self::new(500, Some("server_error"), None, "the response was lost before it ended: ask again".to_owned())
    }

    fn write_inner(&self, object: &mut ObjectWriter<'_>) {
        object.field("type", self.kind).field("code", &self.code).field("message", self.message.as_str());
        object.field("param", &self.param.as_deref());
    }
}

/// An event of a run, with the lane it travels on.
pub(super) fn with_lane(text: &str, lane: Option<&LaneId>) -> String {
    match (lane, text.trim_start().strip_prefix('{')) {
        (Some(lane), Some(rest)) => {
            let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
            format!(r#"{{"stream_id":"{lane}"{comma}{rest}"#)
        }
        _ => text.to_owned(),
    }
}

impl Connection {
    fn say(&mut self, fill: impl FnOnce(&mut ObjectWriter<'_>)) {
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        fill(&mut object);
        object.end();
        self.effects.push_back(ConnectionEffect::Send(text));
    }

    /// Codex reads headers beside the error, the SDKs within it: both are told when to come back.
    pub(super) fn refuse(&mut self, lane: Option<&LaneId>, refusal: &Refusal) {
        self.say(|object| {
            object.field("type", "error").field("status", &refusal.status).field("stream_id", &lane);
            let headers = refusal.retry_after.map(|seconds| format!(r#"{{"retry-after":"{seconds}"}}"#));
            let mut inner = ObjectWriter::begin(object.open("error"));
            refusal.write_inner(&mut inner);
            if let Some(headers) = &headers {
                inner.raw("headers", headers);
            }
            inner.end();
            if let Some(headers) = &headers {
                object.raw("headers", headers);
            }
        });
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

    pub(super) fn refuse_steer(&mut self, previous: Option<&ResponseId>, steer: Steer, code: &'static str) {
        self.say(|object| {
            object.field("type", "response.steer.failed");
            write_steer(object, previous, &steer, true);
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
    name: Option<std::borrow::Cow<'a, str>>,
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
        let with = |text| with_lane(text, Some(&lane));
        assert_eq!(
            with(r#"{"type":"x","n":12345678901234567890}"#),
            r#"{"stream_id":"a-1","type":"x","n":12345678901234567890}"#
        );
        assert_eq!(with("{}"), r#"{"stream_id":"a-1"}"#);
        assert_eq!(with_lane(r#"{"type":"x"}"#, None), r#"{"type":"x"}"#);
    }
}
