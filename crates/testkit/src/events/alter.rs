//! Faults of what is said: the same turn, told differently.

use responses::json::{Json, Object, Write};

use super::{Event, without_braces};
use crate::fault::Fault;

/// The events of a turn as a server with these faults tells them.
pub(crate) fn alter(mut events: Vec<Event>, faults: &[Fault]) -> Vec<Event> {
    for fault in faults {
        match fault {
            Fault::TerminalWithoutOutput => {
                for event in events.iter_mut().filter(|event| matches!(event.effect, super::Effect::End(_))) {
                    event.edit(drop_output);
                }
            }
            Fault::ItemsOnlyDone => {
                events.retain(|event| event.item.is_none() || &*event.kind == "response.output_item.done");
            }
            Fault::RotatedIds => {
                for (turn, event) in events.iter_mut().enumerate().filter(|(_, event)| event.item.is_some()) {
                    event.edit(|object| rotate(object, turn));
                }
            }
            Fault::FlatErrors => {
                for event in events.iter_mut().filter(|event| &*event.kind == "error") {
                    event.edit(flatten);
                }
            }
            _ => {}
        }
    }
    events
}

impl Event {
    fn edit(&mut self, change: impl FnOnce(Object<'_>) -> Option<Json>) {
        let text = format!("{{{}}}", self.fields);
        if let Some(changed) = Object::parse(&text).ok().and_then(change) {
            self.fields = without_braces(changed.text());
        }
    }
}

fn drop_output(object: Object<'_>) -> Option<Json> {
    let mut response = Object::parse(object.get("response")?).ok()?;
    response.take("output");
    Some(replaced(object, "response", &response))
}

fn rotate(object: Object<'_>, turn: usize) -> Option<Json> {
    let id: Box<str> = format!("rotated_{turn}").into();
    if object.get("item_id").is_some() {
        return Some(replaced(object, "item_id", &id));
    }
    let item = replaced(Object::parse(object.get("item")?).ok()?, "id", &id);
    Some(replaced(object, "item", &item))
}

fn replaced(object: Object<'_>, key: &str, value: &impl Write) -> Json {
    let value = Json::of(value);
    let mut object = object;
    object.set(key, value.text());
    Json::of(&object)
}

fn flatten(mut object: Object<'_>) -> Option<Json> {
    let error = Object::parse(object.take("error")?).ok()?;
    for key in ["code", "message", "param"] {
        object.set(key, error.get(key).unwrap_or("null"));
    }
    Some(Json::of(&object))
}
