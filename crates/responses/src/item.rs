//! Items: what a conversation is made of.
//!
//! An [`Item`] is the exact text that travelled, and the name of its kind. [`Item::view`] reads it; nothing a view
//! leaves out is lost, because what is sent again is the text. Ids, unknown fields and unknown kinds survive.

mod content;
mod kind;
mod view;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::id::CallId;
use crate::json::{Json, Object, ObjectWriter, Read, WireError, Write};

pub use content::{Annotation, Content, ImageDetail, Part, PartText};
pub use kind::ItemKind;
pub use view::{
    AdditionalTools, AgentMessage, ApplyPatchCall, ApplyPatchCallOutput, CallOutput, Compaction, ConfigurationUpdate,
    CustomToolCall, FunctionCall, Hosted, ItemReference, ItemView, LocalShellCall, LocalShellCallOutput,
    McpApprovalRequest, McpApprovalResponse, Message, Phase, Reasoning, Role, ShellCall, ShellCallOutput, Status,
    SummaryPart, ToolSearchCall, ToolSearchOutput,
};

/// One item of a conversation. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Item {
    text: Arc<str>,
    kind: ItemKind,
}

impl Item {
    /// Takes an item from outside. An item of a known kind must have the fields of its kind; an unknown kind is kept.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let object = Object::parse(text)?;
        let kind = ItemKind::of(&object)?;
        ItemView::of(kind, &object)?;
        Ok(Self { text: text.trim().into(), kind })
    }

    /// Takes an item that a server sent. One that lacks the fields of its kind is kept as unknown: it is part of what
    /// the model said, and goes back as it came.
    pub fn keep(text: &str) -> Result<Self, WireError> {
        match Self::parse(text) {
            Ok(item) => Ok(item),
            Err(_) => {
                Object::parse(text)?;
                Ok(Self { text: text.trim().into(), kind: ItemKind::Unknown })
            }
        }
    }

    /// A message in the short form that every server takes.
    pub fn message(role: &Role, text: &str) -> Self {
        let mut out = String::new();
        let mut object = ObjectWriter::begin(&mut out);
        object.field("type", "message").field("role", role).field("content", text);
        object.end();
        Self { text: out.into(), kind: ItemKind::Message }
    }

    /// What the user said.
    pub fn user(text: &str) -> Self {
        Self::message(&Role::User, text)
    }

    /// The answer to a function call, as text.
    pub fn function_output(call: &CallId, output: &str) -> Self {
        Self::output("function_call_output", ItemKind::FunctionCallOutput, call, output)
    }

    /// The answer to a custom tool call, as text.
    pub fn custom_output(call: &CallId, output: &str) -> Self {
        Self::output("custom_tool_call_output", ItemKind::CustomToolCallOutput, call, output)
    }

    fn output(tag: &str, kind: ItemKind, call: &CallId, output: &str) -> Self {
        let mut out = String::new();
        let mut object = ObjectWriter::begin(&mut out);
        object.field("type", tag).field("call_id", call).field("output", output);
        object.end();
        Self { text: out.into(), kind }
    }

    /// An item made from a view. The view must name its kind: [`ItemView::Unknown`] cannot be written.
    pub fn from_view(view: &ItemView<'_>) -> Option<Self> {
        let (kind, text) = view.render()?;
        Some(Self { text: text.into(), kind })
    }

    /// The same item with one field set, every other byte of every other value as it was.
    pub fn with(&self, key: &str, value: &impl Write) -> Result<Self, WireError> {
        let value = Json::of(value);
        let mut object = Object::split(&self.text)?;
        object.set(key, value.text());
        Self::keep(Json::of(&object).text())
    }

    /// The exact text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What kind of item this is.
    pub fn kind(&self) -> ItemKind {
        self.kind
    }

    /// Reads the item.
    pub fn view(&self) -> ItemView<'_> {
        let object = Object::split(&self.text);
        object.and_then(|object| ItemView::of(self.kind, &object)).unwrap_or(ItemView::Unknown)
    }

    /// The id the server gave it, if it has one.
    pub fn id(&self) -> Option<Cow<'_, str>> {
        Object::split(&self.text).ok()?.read::<Option<_>>("id").ok()?
    }

    /// Whether nothing of it is missing. A response at its limit may end in the middle of an item: a call of which a part
    /// is missing must be answered, and must not be run.
    pub fn is_whole(&self) -> bool {
        let status = Object::split(&self.text).ok().and_then(|object| object.read::<Option<Status>>("status").ok()?);
        !matches!(status, Some(Status::Incomplete | Status::InProgress))
    }

    /// Whether both say the same thing, perhaps under two ids: middlemen rotate those.
    pub(crate) fn is_the_same_as(&self, other: &Self) -> bool {
        self.text == other.text || (self.kind == other.kind && self.call() == other.call())
    }

    /// The call this item makes and that its reader must answer before the model can go on.
    pub fn call(&self) -> Option<CallId> {
        if self.kind.is_speech() {
            return None;
        }
        match self.view() {
            ItemView::FunctionCall(call) if call.is_async != Some(true) => Some(call.call_id),
            ItemView::CustomToolCall(call) if call.is_async != Some(true) => Some(call.call_id),
            ItemView::LocalShellCall(call) => Some(call.call_id),
            ItemView::ShellCall(call) if !call.runs_at_the_server() => Some(call.call_id),
            ItemView::ApplyPatchCall(call) => Some(call.call_id),
            ItemView::ToolSearchCall(call) if call.is_for_the_client() => call.call_id,
            ItemView::McpApprovalRequest(request) => Some(request.id),
            ItemView::Hosted(hosted) if self.kind == ItemKind::ComputerCall => hosted.call_id,
            ItemView::Unknown => self.call_of_a_malformed_item(),
            _ => None,
        }
    }

    /// A call that lacks a field of its kind is a call still: the service will ask for its answer.
    fn call_of_a_malformed_item(&self) -> Option<CallId> {
        const CALLS: [&str; 5] =
            ["function_call", "custom_tool_call", "local_shell_call", "shell_call", "apply_patch_call"];
        let object = Object::split(&self.text).ok()?;
        let kind: Cow<'_, str> = object.read("type").ok()?;
        let id = object.read::<Option<CallId>>("call_id").ok()?;
        id.filter(|_| CALLS.contains(&&*kind) && object.get("async") != Some("true"))
    }

    /// The call this item answers.
    pub fn answers(&self) -> Option<CallId> {
        if self.kind.is_speech() {
            return None;
        }
        match self.view() {
            ItemView::FunctionCallOutput(output) | ItemView::CustomToolCallOutput(output) => output.call_id,
            ItemView::LocalShellCallOutput(output) => Some(output.id),
            ItemView::ShellCallOutput(output) => Some(output.call_id),
            ItemView::ApplyPatchCallOutput(output) => Some(output.call_id),
            ItemView::ToolSearchOutput(output) => output.call_id,
            ItemView::McpApprovalResponse(response) => Some(response.approval_request_id),
            ItemView::Hosted(hosted) if self.kind == ItemKind::ComputerCallOutput => hosted.call_id,
            _ => None,
        }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'a> Read<'a> for Item {
    fn read(text: &'a str) -> Result<Self, WireError> {
        Self::parse(text)
    }
}

impl Write for Item {
    fn write(&self, out: &mut String) {
        out.push_str(&self.text);
    }
}
