//! From a turn to the events that tell it: a pure function.
//!
//! The order of the events of each kind of item is that of the service.

mod alter;
mod item;
mod response;

use std::sync::Arc;

use responses::fold::IncompleteReason;
use responses::item::Item;
use responses::json::{Json, Object, ObjectWriter};
use responses::usage::Usage;

pub(crate) use alter::alter;
use response::Status;
pub(crate) use response::{Head, estimate, settings_bytes};

use crate::refusal::Refusal;
use crate::script::{End, Output, Turn};

/// An event without its number, which it gets when it is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: Box<str>,
    /// All fields besides the type and the number, without their braces.
    fields: String,
    /// The item it belongs to.
    pub(crate) item: Option<Place>,
    pub(crate) effect: Effect,
}

/// Where an item is, and its id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(crate) index: u32,
    pub(crate) id: Arc<str>,
}

/// What an event does besides being told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    None,
    /// An item is whole.
    Whole(Item),
    /// The response is over.
    End(Ending),
}

/// A response that is over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ending {
    /// All of it, as a client gets it that does not stream.
    pub(crate) response: String,
    /// Whether one can go on from it.
    pub(crate) well: bool,
}

impl Event {
    pub(crate) fn new(kind: &str, fill: impl FnOnce(&mut ObjectWriter<'_>)) -> Self {
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        fill(&mut object);
        object.end();
        Self { kind: kind.into(), fields: without_braces(&text), item: None, effect: Effect::None }
    }

    pub(crate) fn at(self, place: &Place) -> Self {
        Self { item: Some(place.clone()), ..self }
    }

    /// An event as it is, its number aside.
    fn raw(event: &Json) -> Self {
        let mut object = Object::parse(event.text()).unwrap_or_default();
        object.take("sequence_number");
        let kind = object.take("type").and_then(|kind| responses::json::Read::read(kind).ok());
        let kind: Box<str> = kind.unwrap_or_else(|| "unnamed".into());
        let fields = without_braces(Json::of(&object).text());
        Self { kind, fields, item: None, effect: Effect::None }
    }

    /// The event as it travels.
    pub(crate) fn text(&self, number: u64) -> String {
        let mut text = String::with_capacity(self.fields.len() + self.kind.len() + 48);
        let mut object = ObjectWriter::begin(&mut text);
        object.field("type", &self.kind).field("sequence_number", &number).spliced(&self.fields);
        object.end();
        text
    }
}

fn without_braces(object: &str) -> String {
    object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default().to_owned()
}

/// All events of a turn.
pub(crate) fn events(turn: &Turn, head: &Head, usage: Usage) -> Vec<Event> {
    let mut events = opening(head);
    let mut items = Vec::new();
    let mut index = 0;
    for (at, output) in turn.outputs.iter().enumerate() {
        let last = at + 1 == turn.outputs.len();
        if let Output::Event { json } = output {
            events.push(Event::raw(json));
            continue;
        }
        let cut_short = last && matches!(turn.end, End::Incomplete(_));
        let teller = item::Teller { head, index, delta: turn.pace.delta.max(1), cut_short };
        let (told, item) = teller.tell(output);
        events.extend(told);
        items.extend(item);
        index += 1;
    }
    events.extend(closing(head, &turn.end, &items, usage));
    events
}

/// A warm-up: a response without output.
pub(crate) fn warm_up(head: &Head, usage: Usage) -> Vec<Event> {
    let mut events = opening(head);
    events.extend(closing(head, &End::Completed, &[], usage));
    events
}

fn opening(head: &Head) -> Vec<Event> {
    ["response.created", "response.in_progress"]
        .map(|kind| Event::new(kind, |object| head.write_in(object, &Status::InProgress, &[], None)))
        .into()
}

/// The end, and what leads to it. Silence has none.
fn closing(head: &Head, end: &End, items: &[Item], usage: Usage) -> Vec<Event> {
    match end {
        End::Completed => vec![terminal(head, &Status::Completed, items, usage)],
        End::Incomplete(reason) => vec![incomplete(head, reason, items, usage)],
        End::Failed { code, message } => vec![terminal(head, &Status::Failed { code, message }, items, usage)],
        End::Error(refusal) => {
            let error = Event::new("error", |object| refusal.write_in(object));
            vec![error, failed(head, refusal, items, usage)]
        }
        End::Silence => Vec::new(),
    }
}

fn failed(head: &Head, refusal: &Refusal, items: &[Item], usage: Usage) -> Event {
    let code = refusal.code.as_deref().unwrap_or("server_error");
    terminal(head, &Status::Failed { code, message: &refusal.message }, items, usage)
}

/// The early end of a response.
pub(crate) fn incomplete(head: &Head, reason: &IncompleteReason, items: &[Item], usage: Usage) -> Event {
    terminal(head, &Status::Incomplete(reason), items, usage)
}

/// What is said of an item that will not become whole.
pub(crate) fn interrupted(head: &Head, place: &Place) -> Event {
    Event::new("response.output_item.interrupted", |object| {
        object.field("response_id", &head.id()).field("item_id", &*place.id).field("output_index", &place.index);
    })
}

fn terminal(head: &Head, status: &Status<'_>, items: &[Item], usage: Usage) -> Event {
    let kind = format!("response.{}", status.name());
    let mut event = Event::new(&kind, |object| head.write_in(object, status, items, Some(usage)));
    let well = !matches!(status, Status::Failed { .. });
    event.effect = Effect::End(Ending { response: head.render(status, items, Some(usage)), well });
    event
}

#[cfg(test)]
mod tests;
