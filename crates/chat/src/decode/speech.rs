//! What the model says or thinks: one item at a time, its parts one after the other.

use responses::event::Channel;
use responses::json::{ObjectWriter, Raw};

use super::output::{Output, Place};
use crate::request::{CAME_AS, OTHER_THOUGHTS};

/// Where text comes from, and so in which item it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The answer: a message.
    Answer,
    /// Thoughts, under the usual name.
    Thoughts,
    /// Thoughts, under the other name.
    OtherThoughts,
}

impl Source {
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Answer => "msg",
            Self::Thoughts | Self::OtherThoughts => "rs",
        }
    }
}

/// An item that is being said.
pub(super) struct Speech {
    source: Source,
    place: Place,
    /// The parts that are whole, as JSON.
    parts: Vec<String>,
    /// The part that grows.
    open: Option<(Channel, String)>,
}

impl Speech {
    pub(super) fn begin(source: Source, place: Place, output: &mut Output) -> Self {
        let speech = Self { source, place, parts: Vec::new(), open: None };
        output.item("response.output_item.added", &speech.place, &speech.item("in_progress"));
        speech
    }

    pub(super) fn goes_on_with(&self, source: Source) -> bool {
        self.source == source
    }

    pub(super) fn add(&mut self, channel: Channel, text: &str, output: &mut Output) {
        if self.open.as_ref().is_some_and(|(open, _)| *open != channel) {
            self.end_part(output);
        }
        let at = self.parts.len() as u64;
        let (_, whole) = self.open.get_or_insert_with(|| {
            output.inside("response.content_part.added", &self.place, |event| {
                event.field("content_index", &at).raw("part", &part(channel, ""));
            });
            (channel, String::new())
        });
        whole.push_str(text);
        output.inside(channel.delta_kind(), &self.place, |event| {
            event.field("content_index", &at).field("delta", text);
            put_logprobs(channel, event);
        });
    }

    fn end_part(&mut self, output: &mut Output) {
        let Some((channel, text)) = self.open.take() else { return };
        let at = self.parts.len() as u64;
        let (kind, field) = channel.done_kind();
        output.inside(kind, &self.place, |event| {
            event.field("content_index", &at).field(field, &text);
            put_logprobs(channel, event);
        });
        let part = part(channel, &text);
        output.inside("response.content_part.done", &self.place, |event| {
            event.field("content_index", &at).raw("part", &part);
        });
        self.parts.push(part);
    }

    /// Ends the item.
    pub(super) fn end(mut self, status: &str, output: &mut Output) {
        self.end_part(output);
        output.item_done(&self.place, self.item(status));
    }

    fn item(&self, status: &str) -> String {
        let mut out = String::new();
        let mut item = ObjectWriter::begin(&mut out);
        let parts: Vec<_> = self.parts.iter().map(|part| Raw(part)).collect();
        item.field("id", &self.place.id);
        match self.source {
            Source::Answer => item.field("type", "message").field("role", "assistant"),
            Source::Thoughts => item.field("type", "reasoning").raw("summary", "[]"),
            Source::OtherThoughts => {
                item.field("type", "reasoning").raw("summary", "[]").field(CAME_AS, OTHER_THOUGHTS)
            }
        };
        item.field("content", &parts).field("status", status);
        item.end();
        out
    }
}

fn part(channel: Channel, text: &str) -> String {
    let mut out = String::new();
    let mut part = ObjectWriter::begin(&mut out);
    match channel {
        Channel::Refusal => part.field("type", "refusal").field("refusal", text),
        Channel::ReasoningText => part.field("type", "reasoning_text").field("text", text),
        _ => part.field("type", "output_text").field("text", text).raw("annotations", "[]").raw("logprobs", "[]"),
    };
    part.end();
    out
}

fn put_logprobs(channel: Channel, event: &mut ObjectWriter<'_>) {
    if channel == Channel::OutputText {
        event.raw("logprobs", "[]");
    }
}
