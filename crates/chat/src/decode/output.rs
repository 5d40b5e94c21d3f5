//! What goes out: numbered events, and the items they are about.

use responses::error::ApiError;
use responses::json::ObjectWriter;

/// How many items one response may have.
pub const MAX_RESPONSE_ITEMS: usize = 1024;

/// Events that wait to be emitted, those of one chunk, and the items so far.
#[derive(Debug, Default)]
pub(super) struct Output {
    next: u64,
    ready: Vec<String>,
    /// The items, in their places; one that is not whole yet is not there.
    items: Vec<Option<String>>,
}

/// Where an item is in its response, and its id.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) index: usize,
    pub(super) id: String,
}

impl Output {
    /// Adds an event; `fill` writes what it has besides its type and number.
    pub(super) fn say(&mut self, kind: &str, fill: impl FnOnce(&mut ObjectWriter<'_>)) {
        let mut text = String::new();
        let mut event = ObjectWriter::begin(&mut text);
        event.field("type", kind).field("sequence_number", &self.next);
        fill(&mut event);
        event.end();
        self.next += 1;
        self.ready.push(text);
    }

    /// Adds an event about an item as a whole.
    pub(super) fn item(&mut self, kind: &str, place: &Place, item: &str) {
        self.say(kind, |event| {
            event.field("output_index", &(place.index as u64)).raw("item", item);
        });
    }

    /// Adds an event about something inside an item.
    pub(super) fn inside(&mut self, kind: &str, place: &Place, fill: impl FnOnce(&mut ObjectWriter<'_>)) {
        self.say(kind, |event| {
            event.field("item_id", &place.id).field("output_index", &(place.index as u64));
            fill(event);
        });
    }

    /// An item is whole: says so, and keeps it for the end.
    pub(super) fn item_done(&mut self, place: &Place, item: String) {
        self.item("response.output_item.done", place, &item);
        if let Some(slot) = self.items.get_mut(place.index) {
            *slot = Some(item);
        }
    }

    /// The next free place, and an id of the usual form. Response ids differ, so these do.
    pub(super) fn place(&mut self, prefix: &str, response: &str) -> Result<Place, ApiError> {
        let index = self.items.len();
        if index >= MAX_RESPONSE_ITEMS {
            return Err(too_large(&format!("more than {MAX_RESPONSE_ITEMS} items")));
        }
        self.items.push(None);
        Ok(Place { index, id: format!("{prefix}_{index}_{response}") })
    }

    /// The items that are whole, in the order of the response.
    pub(super) fn items(&self) -> impl Iterator<Item = &str> {
        self.items.iter().flatten().map(String::as_str)
    }

    pub(super) fn drain(&mut self, emit: impl FnMut(String)) {
        self.ready.drain(..).for_each(emit);
    }
}

/// The server sends more than anybody can use.
pub(super) fn too_large(what: &str) -> ApiError {
    let message = format!("the response has {what}, which is over the limit: ask for less, or set max_output_tokens");
    ApiError::report(502, Some("server_error"), None, message)
}
