//! One call.

use std::borrow::Cow;

use responses::error::ApiError;
use responses::event::Channel;
use responses::json::{Json, Object, ObjectWriter};

use super::Scene;
use super::unwrap::Unwrap;
use crate::decode::chunk::CallDelta;
use crate::decode::output::{Output, Place};
use crate::request::{Callee, INPUT};

pub(super) struct Call {
    /// Its number on the wire. Not every server counts.
    pub(super) number: Option<u64>,
    /// The id the server gave it.
    pub(super) given_id: Option<Box<str>>,
    name: Box<str>,
    arguments: String,
    /// The free text in them, for a tool that takes such.
    input: Unwrap,
    /// How much of the arguments, or of that text, was told.
    told: usize,
    /// Where it is, once it has a name.
    begun: Option<Begun>,
    /// Whether its end was told.
    is_over: bool,
}

struct Begun {
    place: Place,
    id: Box<str>,
    callee: Callee,
}

impl Call {
    pub(super) fn new(delta: &CallDelta<'_>) -> Self {
        Self {
            number: delta.index,
            given_id: delta.id.as_deref().map(Into::into),
            name: Box::default(),
            arguments: String::new(),
            input: Unwrap::default(),
            told: 0,
            begun: None,
            is_over: false,
        }
    }

    /// Whether a delta with the same number is more of this call. Some servers give every call the number 0, others
    /// repeat the name, or a new id, in every chunk.
    pub(super) fn goes_on_with(&self, delta: &CallDelta<'_>) -> bool {
        if self.is_over {
            return false;
        }
        let Some(name) = delta.name.as_deref() else { return true };
        if let (Some(mine), Some(theirs)) = (self.given_id.as_deref(), delta.id.as_deref()) {
            return mine == theirs;
        }
        let begins_anew = delta.arguments.trim_start().starts_with('{') && self.is_whole();
        (self.name.is_empty() || *self.name == *name) && !begins_anew
    }

    pub(super) fn add(&mut self, delta: &CallDelta<'_>) {
        if let (true, Some(name)) = (self.name.is_empty(), delta.name.as_deref()) {
            self.name = name.into();
        }
        self.arguments.push_str(&delta.arguments);
    }

    /// Whether the arguments are an object from its first to its last brace.
    pub(super) fn is_whole(&self) -> bool {
        let text = self.arguments.trim();
        text.starts_with('{') && text.ends_with('}') && Json::parse(text).is_ok()
    }

    /// Whether it has a name and was not told of.
    pub(super) fn is_ready(&self) -> bool {
        self.begun.is_none() && !self.name.is_empty()
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// Takes a place in the output. A call without an id of its own gets one that will always be the same.
    pub(super) fn begin(&mut self, at: usize, is_taken: bool, scene: &mut Scene<'_>) -> Result<(), ApiError> {
        let callee = scene.names.get(&*self.name).map(|tool| tool.callee.clone());
        let callee = callee.unwrap_or_else(|| Callee { namespace: None, name: self.name.clone(), is_custom: false });
        let id = match &self.given_id {
            Some(id) if !is_taken => id.clone(),
            _ => format!("call_{at}_{}", scene.response).into(),
        };
        let place = scene.output.place(if callee.is_custom { "ctc" } else { "fc" }, scene.response)?;
        let begun = Begun { place, id, callee };
        let item = begun.item("in_progress", "");
        scene.output.item("response.output_item.added", &begun.place, &item);
        self.begun = Some(begun);
        Ok(())
    }

    /// Tells of what was not told of. Text that is not wrapped as it should be is told when it is whole.
    pub(super) fn tell(&mut self, output: &mut Output) {
        let Some(begun) = &self.begun else { return };
        let (channel, text) = if begun.callee.is_custom {
            self.input.read(&self.arguments);
            (Channel::CustomInput, self.input.text().unwrap_or_default())
        } else {
            (Channel::Arguments, self.arguments.as_str())
        };
        let more = text.get(self.told..).unwrap_or_default();
        if !more.is_empty() {
            begun.delta(channel, more, output);
            self.told = text.len();
        }
    }

    pub(super) fn end(&mut self, is_incomplete: bool, output: &mut Output) {
        let Some(begun) = self.begun.as_ref().filter(|_| !self.is_over) else { return };
        self.is_over = true;
        let (channel, whole) = match self.input.text() {
            _ if !begun.callee.is_custom => (Channel::Arguments, Cow::Borrowed(self.arguments.as_str())),
            Some(text) => (Channel::CustomInput, Cow::Borrowed(text)),
            None => (Channel::CustomInput, unwrapped(&self.arguments)),
        };
        if let (Channel::CustomInput, None, false) = (channel, self.input.text(), whole.is_empty()) {
            begun.delta(channel, &whole, output);
        }
        let (kind, field) = channel.done_kind();
        output.inside(kind, &begun.place, |event| {
            event.field(field, &whole);
        });
        let is_incomplete = is_incomplete || self.input.is_open();
        let item = begun.item(if is_incomplete { "incomplete" } else { "completed" }, &whole);
        output.item_done(&begun.place, item);
    }
}

impl Begun {
    fn delta(&self, channel: Channel, text: &str, output: &mut Output) {
        output.inside(channel.delta_kind(), &self.place, |event| {
            event.field("delta", text);
        });
    }

    fn item(&self, status: &str, content: &str) -> String {
        let (kind, field) =
            if self.callee.is_custom { ("custom_tool_call", INPUT) } else { ("function_call", "arguments") };
        let mut out = String::new();
        let mut item = ObjectWriter::begin(&mut out);
        item.field("id", &self.place.id).field("type", kind).field("status", status);
        item.field("call_id", &self.id).field("namespace", &self.callee.namespace);
        item.field("name", &self.callee.name).field(field, content);
        item.end();
        out
    }
}

/// The free text inside the arguments. A model that wrote something else has written free text.
fn unwrapped(arguments: &str) -> Cow<'_, str> {
    let input = Object::parse(arguments).ok().and_then(|object| object.read::<Cow<'_, str>>(INPUT).ok());
    input.unwrap_or(Cow::Borrowed(arguments))
}
