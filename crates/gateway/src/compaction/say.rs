//! What a client is told of a compaction.

use responses::item::{Content, Item, ItemView, Part, PartText};
use responses::json::{Json, ObjectWriter, Raw, WireError};
use responses::usage::Usage;

use super::Plan;

/// A compaction item.
pub(super) fn item(id: &str, sealed: &str) -> Result<Item, WireError> {
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    object.field("type", "compaction").field("id", id).field("encrypted_content", sealed);
    object.end();
    Item::parse(&text)
}

/// The event that announces a compaction item, before there is content.
pub(crate) fn added(id: &str, output_index: u32) -> String {
    event("response.output_item.added", |object| {
        object.field("output_index", &output_index);
        let mut item = ObjectWriter::begin(object.open("item"));
        item.field("type", "compaction").field("id", id).field("encrypted_content", "");
        item.end();
    })
}

/// The event that says a model is writing the summary.
pub(crate) fn compacting(id: &str, output_index: u32) -> String {
    event("response.compaction.compacting", |object| {
        object.field("output_index", &output_index).field("item_id", id);
    })
}

/// The event that brings the item.
pub(crate) fn done(item: &Item, output_index: u32) -> String {
    event("response.output_item.done", |object| {
        object.field("output_index", &output_index).field("item", item);
    })
}

fn event(kind: &str, fields: impl FnOnce(&mut ObjectWriter<'_>)) -> String {
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    object.field("type", kind);
    fields(&mut object);
    object.end();
    text
}

/// The body of an answer to `POST /responses/compact`: the user's messages that stay, then the item. A client sends all of
/// it as the beginning of its next input. `id` is not a response, and nothing can go on from it.
pub(crate) fn compact_response(id: &str, created_at: u64, plan: &Plan, item: &Item, usage: Usage) -> String {
    let said = plan.said().iter().enumerate().map(|(at, said)| as_output(said, id, at));
    let output: Vec<Item> = said.chain([item.clone()]).collect();
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    object.field("id", id).field("object", "response.compaction").field("created_at", &created_at);
    object.field("output", &output).field("usage", &usage);
    object.end();
    text
}

/// A message of the user in the form of an output: with an id, a status and parts.
fn as_output(message: &Item, response: &str, at: usize) -> Item {
    let ItemView::Message(view) = message.view() else { return message.clone() };
    let id = view.id.map_or_else(|| format!("msg_{}_{at}", response.trim_start_matches("resp_")), Into::into);
    let content = match view.content {
        Content::Text(text) => vec![Part::InputText(PartText { text, annotations: Vec::new() })],
        Content::Parts(parts) => parts,
    };
    let parts = Json::of(&content);
    let full = || {
        let message = message.with("id", &id)?.with("type", &"message".to_owned())?;
        message.with("status", &"completed".to_owned())?.with("content", &Raw(parts.text()))
    };
    full().unwrap_or_else(|_: WireError| message.clone())
}
