//! The events of one item, in the order the service has for its kind.

use responses::item::{Item, ItemKind, Phase};
use responses::json::{Json, Object, ObjectWriter};

use super::{Effect, Event, Head, Place};
use crate::script::Output;

/// Tells one item.
pub(super) struct Teller<'a> {
    pub(super) head: &'a Head,
    pub(super) index: u32,
    /// Characters in a delta.
    pub(super) delta: usize,
    /// Whether the item ends incomplete, because the response does.
    pub(super) cut_short: bool,
}

/// A text that comes in pieces.
struct Flow<'a> {
    /// The type of its events, up to `.delta` and `.done`.
    stem: &'static str,
    /// The field of the last one that holds all of it.
    whole: &'static str,
    text: &'a str,
    /// The part or paragraph it belongs to, and whether it has log probabilities.
    part: Option<&'static str>,
    logprobs: bool,
}

type Fill<'a> = &'a dyn Fn(&mut ObjectWriter<'_>, bool);

impl Teller<'_> {
    pub(super) fn tell(&self, output: &Output) -> (Vec<Event>, Option<Item>) {
        match output {
            Output::Message { text, phase } => self.message(text, phase.as_ref()),
            Output::Reasoning { summary, encrypted_content } => self.reasoning(summary, encrypted_content.as_deref()),
            Output::FunctionCall { name, arguments, call_id } => {
                let flow = Flow::of_item("response.function_call_arguments", "arguments", arguments);
                self.call("function_call", "fc", name, call_id.as_deref(), &flow)
            }
            Output::CustomToolCall { name, input, call_id } => {
                let flow = Flow::of_item("response.custom_tool_call_input", "input", input);
                self.call("custom_tool_call", "ct", name, call_id.as_deref(), &flow)
            }
            Output::Compaction { encrypted_content } => self.compaction(encrypted_content),
            Output::Item { json } => self.raw(json),
            Output::Event { .. } => (Vec::new(), None),
        }
    }

    fn place(&self, prefix: &str) -> Place {
        Place { index: self.index, id: self.head.part_id(prefix, self.index).into() }
    }

    /// From `output_item.added` to `output_item.done`, and what comes between them.
    fn frame(&self, place: &Place, kind: &str, fill: Fill<'_>, between: Vec<Event>) -> (Vec<Event>, Option<Item>) {
        let render = |whole| {
            let mut text = String::new();
            let mut object = ObjectWriter::begin(&mut text);
            object.field("id", &*place.id).field("type", kind);
            fill(&mut object, whole);
            object.end();
            text
        };
        self.enclose(place, &render(false), &render(true), between)
    }

    fn enclose(&self, place: &Place, added: &str, done: &str, between: Vec<Event>) -> (Vec<Event>, Option<Item>) {
        let event = |kind, item: &str| {
            Event::new(kind, |object| {
                object.field("output_index", &self.index).raw("item", item);
            })
        };
        let item = Item::keep(done).ok();
        let mut last = event("response.output_item.done", done);
        last.effect = item.clone().map_or(Effect::None, Effect::Whole);
        let mut events = vec![event("response.output_item.added", added)];
        events.extend(between);
        events.push(last);
        (events.into_iter().map(|event| event.at(place)).collect(), item)
    }

    fn status(&self, whole: bool) -> &'static str {
        match (whole, self.cut_short) {
            (false, _) => "in_progress",
            (true, true) => "incomplete",
            (true, false) => "completed",
        }
    }

    fn message(&self, text: &str, phase: Option<&Phase>) -> (Vec<Event>, Option<Item>) {
        let place = self.place("msg");
        let part = |text: &str| {
            format!(r#"{{"type":"output_text","annotations":[],"logprobs":[],"text":{}}}"#, Json::of(&text).text())
        };
        let flow =
            Flow { stem: "response.output_text", whole: "text", text, part: Some("content_index"), logprobs: true };
        let mut between = vec![self.part(&place, "response.content_part.added", "content_index", 0, &part(""))];
        between.extend(self.flow(&place, &flow, 0));
        between.push(self.part(&place, "response.content_part.done", "content_index", 0, &part(text)));
        let fill = |object: &mut ObjectWriter<'_>, whole: bool| {
            object.field("status", self.status(whole)).field("role", "assistant").field("phase", &phase);
            object.raw("content", &if whole { format!("[{}]", part(text)) } else { "[]".to_owned() });
        };
        self.frame(&place, "message", &fill, between)
    }

    fn reasoning(&self, summary: &[String], encrypted: Option<&str>) -> (Vec<Event>, Option<Item>) {
        let place = self.place("rs");
        let part = |text: &str| format!(r#"{{"type":"summary_text","text":{}}}"#, Json::of(&text).text());
        let mut between = Vec::new();
        for (at, text) in (0..).zip(summary) {
            let flow = Flow {
                stem: "response.reasoning_summary_text",
                whole: "text",
                text,
                part: Some("summary_index"),
                logprobs: false,
            };
            let said = |kind, text: &str| self.part(&place, kind, "summary_index", at, &part(text));
            between.push(said("response.reasoning_summary_part.added", ""));
            between.extend(self.flow(&place, &flow, at));
            between.push(said("response.reasoning_summary_part.done", text));
        }
        let fill = |object: &mut ObjectWriter<'_>, whole: bool| {
            let parts: Vec<_> = summary.iter().filter(|_| whole).map(|text| part(text)).collect();
            object.raw("summary", &format!("[{}]", parts.join(",")));
            // What comes first is a placeholder, and of no use to send back.
            let sealed = encrypted.map(|sealed| if whole { sealed } else { "placeholder" });
            object.field("encrypted_content", &sealed);
        };
        self.frame(&place, "reasoning", &fill, between)
    }

    fn call(
        &self,
        kind: &str,
        prefix: &str,
        name: &str,
        call: Option<&str>,
        flow: &Flow<'_>,
    ) -> (Vec<Event>, Option<Item>) {
        let place = self.place(prefix);
        let call = call.map_or_else(|| self.head.part_id("call", self.index), str::to_owned);
        let fill = |object: &mut ObjectWriter<'_>, whole: bool| {
            object.field("status", self.status(whole)).field("call_id", call.as_str()).field("name", name);
            object.field(flow.whole, if whole { flow.text } else { "" });
        };
        self.frame(&place, kind, &fill, self.flow(&place, flow, 0))
    }

    fn compaction(&self, sealed: &str) -> (Vec<Event>, Option<Item>) {
        let fill = |object: &mut ObjectWriter<'_>, whole: bool| {
            object.field("encrypted_content", if whole { sealed } else { "" });
        };
        self.frame(&self.place("cmp"), "compaction", &fill, Vec::new())
    }

    fn raw(&self, item: &Item) -> (Vec<Event>, Option<Item>) {
        let id = item.id().map_or_else(|| self.head.part_id("item", self.index), std::borrow::Cow::into_owned);
        let place = Place { index: self.index, id: id.into() };
        self.enclose(&place, &begun(item), item.text(), Vec::new())
    }

    fn part(&self, place: &Place, kind: &str, index_key: &str, at: u32, part: &str) -> Event {
        Event::new(kind, |object| {
            object.field("item_id", &*place.id).field("output_index", &self.index);
            object.field(index_key, &at).raw("part", part);
        })
    }

    fn flow(&self, place: &Place, flow: &Flow<'_>, at: u32) -> Vec<Event> {
        let event = |suffix: &str, key: &str, text: &str, padding: Option<&str>| {
            Event::new(&format!("{}.{suffix}", flow.stem), |object| {
                object.field("item_id", &*place.id).field("output_index", &self.index);
                if let Some(index_key) = flow.part {
                    object.field(index_key, &at);
                }
                object.field(key, text);
                if flow.logprobs {
                    object.raw("logprobs", "[]");
                }
                object.field("obfuscation", &padding);
            })
        };
        let padding = self.head.obfuscates().then_some(PADDING);
        let characters: Vec<char> = flow.text.chars().collect();
        let pieces = characters.chunks(self.delta).enumerate().map(|(at, piece)| {
            let padding = padding.and_then(|padding| padding.get(..(at * 7) % padding.len()));
            event("delta", "delta", &piece.iter().collect::<String>(), padding)
        });
        pieces.chain([event("done", flow.whole, flow.text, None)]).collect()
    }
}

/// Pieces of it pad deltas to sizes that tell nothing.
const PADDING: &str = "kD3vQ8xZ1mN5sT7w";

impl<'a> Flow<'a> {
    /// A text that is a field of its item.
    fn of_item(stem: &'static str, whole: &'static str, text: &'a str) -> Self {
        Self { stem, whole, text, part: None, logprobs: false }
    }
}

/// An item as it is when it begins: the same, not whole yet.
fn begun(item: &Item) -> String {
    let completed = Object::parse(item.text()).ok().and_then(|object| object.get("status")) == Some(r#""completed""#);
    if !completed || item.kind() == ItemKind::Unknown {
        return item.text().to_owned();
    }
    item.with("status", &"in_progress").map_or_else(|_| item.text().to_owned(), |item| item.text().to_owned())
}
