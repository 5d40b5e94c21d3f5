//! One item in the making, and the events that tell it, in the order the service has for its kind.

use responses::event::Channel;
use responses::json::{Json, ObjectWriter};

use super::flow::Flow;

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    Refusal,
    Reasoning,
    Function(Callee),
    Custom(Callee),
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Callee {
    pub(super) name: Box<str>,
    /// The group the tool was offered in.
    pub(super) namespace: Option<Box<str>>,
}

/// An item in the making.
#[derive(Debug)]
pub(super) struct Making {
    kind: Kind,
    /// What its ids have in common: the rest is a prefix.
    id: String,
    index: u64,
    pub(super) flow: Flow,
}

impl Kind {
    fn channel(&self) -> Channel {
        match self {
            Self::Message => Channel::OutputText,
            Self::Refusal => Channel::Refusal,
            Self::Reasoning => Channel::ReasoningSummary,
            Self::Function(_) => Channel::Arguments,
            Self::Custom(_) => Channel::CustomInput,
        }
    }

    fn prefix(&self) -> &'static str {
        match self {
            Self::Message | Self::Refusal => "msg",
            Self::Reasoning => "rs",
            Self::Function(_) => "fc",
            Self::Custom(_) => "ct",
        }
    }

    /// The part that the text is in: its events, and the field that says which part.
    fn part(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Message | Self::Refusal => Some(("response.content_part", "content_index")),
            Self::Reasoning => Some(("response.reasoning_summary_part", "summary_index")),
            Self::Function(_) | Self::Custom(_) => None,
        }
    }
}

/// Where events go: they are numbered there.
pub(super) trait Tell {
    fn tell(&mut self, kind: &str, fill: impl FnOnce(&mut ObjectWriter<'_>));
}

impl Making {
    pub(super) fn begin(kind: Kind, flow: Flow, id: String, index: u64, to: &mut impl Tell) -> Self {
        let making = Self { kind, id, index, flow };
        making.tell_item("response.output_item.added", &making.item(None), to);
        making.tell_part("added", "", to);
        making
    }

    /// Whether it is what a model thinks.
    pub(super) fn is_thought(&self) -> bool {
        self.kind == Kind::Reasoning
    }

    /// The next delta.
    pub(super) fn advance(&mut self, to: &mut impl Tell) {
        let delta = self.flow.advance().to_owned();
        self.tell_text(self.kind.channel().delta_kind(), "delta", &delta, to);
    }

    /// Ends the item where it is, and gives it.
    pub(super) fn end(self, status: &str, to: &mut impl Tell) -> String {
        let (done, whole) = self.kind.channel().done_kind();
        self.tell_text(done, whole, self.flow.said(), to);
        self.tell_part("done", self.flow.said(), to);
        let item = self.item(Some(status));
        self.tell_item("response.output_item.done", &item, to);
        item
    }

    fn tell_item(&self, kind: &str, item: &str, to: &mut impl Tell) {
        to.tell(kind, |event| {
            event.field("output_index", &self.index).raw("item", item);
        });
    }

    fn tell_part(&self, stage: &str, text: &str, to: &mut impl Tell) {
        let Some((stem, index)) = self.kind.part() else { return };
        to.tell(&format!("{stem}.{stage}"), |event| {
            event.field("item_id", &self.item_id()).field("output_index", &self.index).field(index, &0_u64);
            event.raw("part", &self.part(text));
        });
    }

    fn tell_text(&self, kind: &str, field: &str, text: &str, to: &mut impl Tell) {
        to.tell(kind, |event| {
            event.field("item_id", &self.item_id()).field("output_index", &self.index);
            if let Some((_, index)) = self.kind.part() {
                event.field(index, &0_u64);
            }
            event.field(field, text);
            if self.kind == Kind::Message {
                event.raw("logprobs", "[]");
            }
        });
    }

    fn item_id(&self) -> String {
        format!("{}_{}", self.kind.prefix(), self.id)
    }

    fn part(&self, text: &str) -> String {
        let text = Json::of(&text);
        let text = text.text();
        match self.kind {
            Kind::Refusal => format!(r#"{{"type":"refusal","refusal":{text}}}"#),
            Kind::Reasoning => format!(r#"{{"type":"summary_text","text":{text}}}"#),
            _ => format!(r#"{{"type":"output_text","text":{text},"annotations":[],"logprobs":[]}}"#),
        }
    }

    /// The item: as it ended, or as it began.
    fn item(&self, ended: Option<&str>) -> String {
        let mut text = String::new();
        let mut item = ObjectWriter::begin(&mut text);
        item.field("id", &self.item_id());
        let parts = if ended.is_some() { format!("[{}]", self.part(self.flow.said())) } else { "[]".to_owned() };
        match &self.kind {
            Kind::Message | Kind::Refusal => {
                item.field("type", "message").field("role", "assistant").raw("content", &parts)
            }
            Kind::Reasoning => item.field("type", "reasoning").raw("summary", &parts),
            Kind::Function(callee) => self.put_call("function_call", callee, "arguments", &mut item),
            Kind::Custom(callee) => self.put_call("custom_tool_call", callee, "input", &mut item),
        };
        item.field("status", ended.unwrap_or("in_progress"));
        item.end();
        text
    }

    fn put_call<'o, 'a>(
        &self,
        kind: &str,
        callee: &Callee,
        field: &str,
        item: &'o mut ObjectWriter<'a>,
    ) -> &'o mut ObjectWriter<'a> {
        item.field("type", kind).field("call_id", &format!("call_{}", self.id)).field("name", &callee.name);
        item.field("namespace", &callee.namespace).field(field, self.flow.said())
    }
}
