//! Items → messages.
//!
//! What the model said and called between two words of others is one message, as it was when a server of chat
//! completions made it. Nothing depends on what comes after a finished turn, so a longer conversation only adds.

use std::borrow::Cow;

use responses::item::{
    CallOutput, Content, CustomToolCall, FunctionCall, Item, ItemKind, ItemView, Message, Part, Reasoning, Role,
};
use responses::json::{Object, ObjectWriter, Raw};

use super::content::{Mixed, kind_of, only_text};
use super::left_out::LeftOuts;
use super::tools::{flat_name, readable, wrapped};
use super::{BETWEEN, NotChat};

/// Where thoughts go that are sent back, unless they came under another name.
const THOUGHTS: &str = "reasoning_content";

/// The field of a reasoning item that says under which other name its text came. Servers take it back under that name,
/// and some refuse it under any other.
pub(crate) const CAME_AS: &str = "chat_field";

/// The other name.
pub(crate) const OTHER_THOUGHTS: &str = "reasoning";

/// The text of a tool message whose answer is an image.
const SHOWN_BELOW: &str = "The output is in the message that follows.";

/// What the server did itself and told of in the text that followed, and settings of a server: the conversation can be
/// read without them.
const LEAVES_NO_GAP: &[ItemKind] =
    &[ItemKind::WebSearchCall, ItemKind::FileSearchCall, ItemKind::McpListTools, ItemKind::ConfigurationUpdate];

pub(super) struct Messages<'l> {
    done: Vec<String>,
    /// What the operator says before anybody else does.
    opening: Option<Vec<String>>,
    turn: Turn,
    /// Images and files of tool outputs: they follow the last of the outputs, because tool messages hold only text.
    attached: Mixed,
    /// What the user says in one go. It is one message: templates exist that refuse a second.
    user: Mixed,
    left_out: &'l mut LeftOuts,
}

/// What the model does between two words of others.
#[derive(Default)]
struct Turn {
    thoughts: Option<Thoughts>,
    texts: Vec<String>,
    calls: Vec<String>,
}

struct Thoughts {
    field: &'static str,
    texts: Vec<String>,
}

impl<'l> Messages<'l> {
    pub(super) fn new(left_out: &'l mut LeftOuts) -> Self {
        Self {
            done: Vec::new(),
            opening: Some(Vec::new()),
            turn: Turn::default(),
            attached: Mixed::default(),
            user: Mixed::default(),
            left_out,
        }
    }

    /// What the operator says. All of it at the beginning is one message: templates exist that refuse a second.
    pub(super) fn operator(&mut self, text: Option<impl Into<String>>) {
        let Some(text) = text.map(Into::into).filter(|text| !text.is_empty()) else { return };
        if let Some(opening) = &mut self.opening {
            return opening.push(text);
        }
        self.settle();
        self.done.push(said("system", |message| {
            message.field("content", &text);
        }));
    }

    pub(super) fn take(&mut self, item: &Item) -> Result<(), NotChat> {
        match item.view() {
            ItemView::Message(message) => self.message(&message),
            ItemView::Reasoning(reasoning) => {
                self.think(item, &reasoning);
                Ok(())
            }
            ItemView::FunctionCall(call) => {
                self.call(&function_call(&call));
                Ok(())
            }
            ItemView::CustomToolCall(call) => {
                self.call(&custom_call(&call));
                Ok(())
            }
            ItemView::FunctionCallOutput(output) | ItemView::CustomToolCallOutput(output) => self.output(&output),
            // In the list of tools already.
            ItemView::AdditionalTools(_) => Ok(()),
            _ if LEAVES_NO_GAP.contains(&item.kind()) => {
                self.left_out.item(item.kind().tag().unwrap_or_default());
                Ok(())
            }
            _ => Err(NotChat::Item(item.kind().tag().map_or_else(|| kind_of(item.text()), Into::into))),
        }
    }

    fn message(&mut self, message: &Message<'_>) -> Result<(), NotChat> {
        match &message.role {
            Role::System | Role::Developer => {
                let text = only_text(&message.content, "a system message")?;
                self.operator(Some(text));
            }
            Role::Assistant => {
                let text = only_text(&message.content, "an assistant message")?;
                self.continue_turn().texts.push(text.into_owned());
            }
            Role::User => {
                let content = Mixed::read(&message.content, self.left_out)?;
                self.end_opening();
                self.end_turn();
                self.end_outputs();
                self.user.append(content);
            }
            Role::Other(role) => return Err(NotChat::Role(role.clone())),
        }
        Ok(())
    }

    /// Thoughts go back only where they are in plain text and lead to a call: some models insist on them there, others
    /// refuse them elsewhere. Sealed ones and summaries mean nothing to another server.
    fn think(&mut self, item: &Item, reasoning: &Reasoning<'_>) {
        let Some(text) = reasoning.content.as_ref().and_then(plain) else {
            return self.left_out.item("reasoning");
        };
        let thoughts =
            self.continue_turn().thoughts.get_or_insert_with(|| Thoughts { field: field_of(item), texts: Vec::new() });
        thoughts.texts.push(text);
    }

    fn call(&mut self, call: &str) {
        self.continue_turn().calls.push(call.to_owned());
    }

    fn output(&mut self, output: &CallOutput<'_>) -> Result<(), NotChat> {
        let Some(call) = &output.call_id else { return Err(NotChat::Nameless(output.kind.as_ref().into())) };
        let content = Mixed::read(&output.output, self.left_out)?;
        self.end_opening();
        self.end_user();
        self.end_turn();
        let mut text = content.text();
        if text.is_empty() && !content.attached.is_empty() {
            SHOWN_BELOW.clone_into(&mut text);
        }
        self.done.push(said("tool", |message| {
            message.field("tool_call_id", call).field("content", &text);
        }));
        if !content.attached.is_empty() {
            self.attached.say(&format!("From the tool call {call}:"));
            content.attached.into_iter().for_each(|part| self.attached.attach(part));
        }
        Ok(())
    }

    /// The messages, each as text.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.settle();
        self.done
    }

    fn continue_turn(&mut self) -> &mut Turn {
        self.end_opening();
        self.end_outputs();
        self.end_user();
        &mut self.turn
    }

    fn settle(&mut self) {
        self.end_opening();
        self.end_turn();
        self.end_outputs();
        self.end_user();
    }

    fn end_opening(&mut self) {
        if let Some(opening) = self.opening.take().filter(|opening| !opening.is_empty()) {
            self.done.push(said("system", |message| {
                message.field("content", &opening.join(BETWEEN));
            }));
        }
    }

    fn end_turn(&mut self) {
        self.done.extend(std::mem::take(&mut self.turn).into_message());
    }

    fn end_outputs(&mut self) {
        self.user.append(std::mem::take(&mut self.attached));
    }

    fn end_user(&mut self) {
        let user = std::mem::take(&mut self.user);
        if !user.is_empty() {
            self.done.push(said("user", |message| user.put(message)));
        }
    }
}

impl Turn {
    fn into_message(self) -> Option<String> {
        if self.texts.is_empty() && self.calls.is_empty() {
            return None;
        }
        Some(said("assistant", |message| {
            // Empty where nothing was said: many servers refuse `null`, none the empty text.
            message.field("content", &self.texts.join(BETWEEN));
            if self.calls.is_empty() {
                return;
            }
            if let Some(thoughts) = &self.thoughts {
                message.field(thoughts.field, &thoughts.texts.join(BETWEEN));
            }
            let calls: Vec<_> = self.calls.iter().map(|call| Raw(call)).collect();
            message.field("tool_calls", &calls);
        }))
    }
}

fn said(role: &str, content: impl FnOnce(&mut ObjectWriter<'_>)) -> String {
    let mut out = String::new();
    let mut message = ObjectWriter::begin(&mut out);
    message.field("role", role);
    content(&mut message);
    message.end();
    out
}

fn function_call(call: &FunctionCall<'_>) -> String {
    let name = flat_name(call.namespace.as_deref(), &call.name);
    tool_call(call.call_id.as_str(), &name, &readable(&call.arguments))
}

fn custom_call(call: &CustomToolCall<'_>) -> String {
    let name = flat_name(call.namespace.as_deref(), &call.name);
    tool_call(call.call_id.as_str(), &name, &wrapped(&call.input))
}

fn tool_call(id: &str, name: &str, arguments: &str) -> String {
    let mut out = String::new();
    let mut call = ObjectWriter::begin(&mut out);
    call.field("id", id).field("type", "function");
    let mut function = ObjectWriter::begin(call.open("function"));
    function.field("name", name).field("arguments", arguments);
    function.end();
    call.end();
    out
}

/// Thoughts in plain text, as models show them whose thoughts a client may keep.
fn plain(content: &Content<'_>) -> Option<String> {
    let Content::Parts(parts) = content else { return None };
    let texts = parts.iter().filter_map(|part| match part {
        Part::ReasoningText(text) => Some(text.as_ref()),
        _ => None,
    });
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| texts.join(BETWEEN))
}

/// The name under which the thoughts came, where it is not the usual one: the decoder has noted it.
fn field_of(item: &Item) -> &'static str {
    let noted = Object::parse(item.text()).and_then(|object| object.read::<Option<Cow<'_, str>>>(CAME_AS));
    if noted.ok().flatten().as_deref() == Some(OTHER_THOUGHTS) { OTHER_THOUGHTS } else { THOUGHTS }
}
