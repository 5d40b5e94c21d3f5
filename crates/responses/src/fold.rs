//! From events to a finished response: the only place where one is built.
//!
//! Not streaming is the fold of streaming. The fold accepts what real servers do: items that appear only in
//! `output_item.done`, a last event without `output`, ids that change between events, items that overlap.

mod response;
mod sequence;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::ApiError;
use crate::event::{Body, ServerEvent, Stage};
use crate::id::ResponseId;
use crate::item::Item;
use crate::json::{Json, Object, Raw, WireError};

pub use response::{IncompleteReason, Response};
use sequence::{Seen, Sequence};

/// How many items one response may have.
pub const MAX_OUTPUT_ITEMS: usize = 4096;

/// How many bytes the items of one response may have, together.
pub const MAX_OUTPUT_BYTES: usize = 256 << 20;

/// What an event did.
#[derive(Debug, Clone, PartialEq)]
pub enum Folded {
    /// The response goes on.
    More,
    /// An item is whole, for the first time. It can be acted on.
    Item(u32, Item),
    /// The event was there before.
    Repeat,
    /// The response ended; [`Fold::finish`] gives it.
    Ended,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FoldError {
    /// An event or an item could not be read.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The server refused before there was a response.
    #[error("{0}")]
    Refused(Box<ApiError>),
    /// The response claims to be whole and lacks an item that it began.
    #[error("the response ended without its item {index}")]
    MissingItem {
        /// Which.
        index: u32,
    },
    /// The events ended before the response did.
    #[error("the response did not end")]
    Unfinished,
}

/// Events go in, a response comes out.
#[derive(Debug, Clone, Default)]
pub struct Fold {
    id: Option<ResponseId>,
    /// The response as the newest event about it has it.
    latest: Option<Json>,
    items: BTreeMap<u32, Option<Item>>,
    bytes: usize,
    sequence: Sequence,
    ended: Option<Stage>,
    error: Option<Box<ApiError>>,
}

impl Fold {
    /// Takes the next event of the response.
    pub fn push(&mut self, event: &ServerEvent<'_>) -> Result<Folded, FoldError> {
        if self.ended.is_some() {
            return self.push_late(event);
        }
        let seen = self.sequence.note(event.sequence);
        match &event.body {
            Body::Response(stage, raw) => match event.response() {
                Some(Ok(object)) => self.take_response(*stage, *raw, object),
                Some(Err(error)) => Err(error.clone().into()),
                None => Ok(Folded::More),
            },
            Body::ItemAdded(Some(index), _) => self.slot(*index).map(|_| Folded::More),
            Body::ItemDone(index, raw) => self.take_item(*index, *raw),
            Body::ItemInterrupted(index) => {
                self.items.remove(index);
                Ok(Folded::More)
            }
            Body::Error(error) => {
                self.error = Some(error.clone());
                self.ended = Some(Stage::Failed);
                Ok(Folded::Ended)
            }
            // Only what merely adds to a text is dropped as a repetition: all else can be said twice without harm.
            Body::Delta(..) if seen == Seen::Before => Ok(Folded::Repeat),
            _ => Ok(Folded::More),
        }
    }

    /// An event that was overtaken by the last one.
    fn push_late(&mut self, event: &ServerEvent<'_>) -> Result<Folded, FoldError> {
        self.sequence.note(event.sequence);
        match &event.body {
            Body::ItemDone(index, raw) => self.take_item(*index, *raw),
            _ => Ok(Folded::Repeat),
        }
    }

    /// The id, as soon as the server has said it.
    pub fn id(&self) -> Option<&ResponseId> {
        self.id.as_ref()
    }

    /// How the response ended, if it has.
    pub fn ended(&self) -> Option<Stage> {
        self.ended
    }

    /// What went wrong, if the server has said so.
    pub fn error(&self) -> Option<&ApiError> {
        self.error.as_deref()
    }

    /// The items that are whole, in the order of the response.
    pub fn items(&self) -> impl Iterator<Item = (u32, &Item)> {
        self.items.iter().filter_map(|(index, item)| Some((*index, item.as_ref()?)))
    }

    /// Whether the last event came, brought no output of its own, and events before it are still missing: a line
    /// that reorders may bring them yet.
    pub fn may_lack_items(&self) -> bool {
        let brings_none = || {
            let object = self.latest.as_ref().map_or(Ok(Object::default()), |latest| Object::split(latest.text()));
            object.and_then(|object| self.terminal_output(&object)).is_ok_and(|output| output.is_empty())
        };
        self.ended == Some(Stage::Completed) && self.sequence.has_gap() && brings_none()
    }

    /// The response, once it has ended.
    pub fn finish(self) -> Result<Response, FoldError> {
        self.response()
    }

    /// The same, of a fold that is needed further.
    pub(crate) fn response(&self) -> Result<Response, FoldError> {
        let stage = self.ended.ok_or(FoldError::Unfinished)?;
        let object = self.latest.as_ref().map(|latest| Object::split(latest.text())).transpose()?;
        let output = self.output(stage, object.as_ref().unwrap_or(&Object::default()))?;
        let (Some(latest), Some(object), Some(id)) = (&self.latest, object, &self.id) else {
            return Err(self.error.clone().map_or(FoldError::Unfinished, FoldError::Refused));
        };
        Ok(Response::new(id, stage, (latest, object), output, self.error.clone())?)
    }

    /// The last event's items win over those that came before it, unless it has fewer: some servers send it empty.
    fn output(&self, stage: Stage, latest: &Object<'_>) -> Result<Vec<Item>, FoldError> {
        let streamed = self.items.values().flatten().count();
        let output = self.terminal_output(latest)?;
        if !output.is_empty() && output.len() >= streamed {
            return Ok(output);
        }
        let unfinished = self.items.iter().find(|(_, item)| item.is_none());
        if let (Some((index, _)), Stage::Completed) = (unfinished, stage) {
            return Err(FoldError::MissingItem { index: *index });
        }
        Ok(self.items.values().flatten().cloned().collect())
    }

    /// The items that the last event brings. Some servers leave them out, or write `null`.
    fn terminal_output(&self, latest: &Object<'_>) -> Result<Vec<Item>, WireError> {
        let Some(output) = latest.get("output").filter(|text| text.starts_with('[')) else { return Ok(Vec::new()) };
        let items = crate::json::elements(output)?;
        if items.len() > MAX_OUTPUT_ITEMS {
            return Err(too_many_items());
        }
        // Nearly always they came one by one before, and are read already.
        let items = (0..).zip(items).map(|(index, text)| match self.items.get(&index) {
            Some(Some(known)) if known.text() == text => Ok(known.clone()),
            _ => Item::keep(text),
        });
        items.collect::<Result<_, WireError>>().map_err(|error| error.in_field("output"))
    }

    fn take_response(&mut self, stage: Stage, raw: Raw<'_>, object: &Object<'_>) -> Result<Folded, FoldError> {
        let id: Option<Cow<'_, str>> = object.read("id")?;
        if self.id.is_none() {
            self.id = id.map(ResponseId::from);
        }
        self.latest = Some(Json::trusted(raw.0));
        if !stage.is_terminal() {
            return Ok(Folded::More);
        }
        if let Some(error) = object.get("error").filter(|text| *text != "null") {
            self.error = Some(Box::new(ApiError::from_object(error).map_err(|error| error.in_field("error"))?));
        }
        self.ended = Some(stage);
        Ok(Folded::Ended)
    }

    /// Takes an item that is whole. The index says which it is, where there is one and it was not used for another.
    fn take_item(&mut self, index: Option<u32>, raw: Raw<'_>) -> Result<Folded, FoldError> {
        let item = Item::keep(raw.0).map_err(|error| error.in_field("item"))?;
        let known = match index {
            Some(index) => self.items.get(&index).and_then(Option::as_ref),
            None => self.items.values().flatten().find(|known| known.text() == item.text()),
        };
        if known.is_some_and(|known| known.is_the_same_as(&item)) {
            return Ok(Folded::Repeat);
        }
        let last = self.items.keys().last().copied();
        let index = match index.filter(|_| known.is_none()) {
            Some(index) => index,
            None => last.map_or(Some(0), |last| last.checked_add(1)).ok_or_else(too_many_items)?,
        };
        self.bytes += item.text().len();
        if self.bytes > MAX_OUTPUT_BYTES {
            return Err(WireError::Limit { what: "the size of a response", limit: MAX_OUTPUT_BYTES }.into());
        }
        *self.slot(index)? = Some(item.clone());
        Ok(Folded::Item(index, item))
    }

    fn slot(&mut self, index: u32) -> Result<&mut Option<Item>, FoldError> {
        if self.items.len() >= MAX_OUTPUT_ITEMS && !self.items.contains_key(&index) {
            return Err(too_many_items().into());
        }
        Ok(self.items.entry(index).or_default())
    }
}

fn too_many_items() -> WireError {
    WireError::Limit { what: "the number of items in a response", limit: MAX_OUTPUT_ITEMS }
}

/// A response that arrived whole: the body of a `GET`, or of a `POST` without streaming.
pub fn whole(text: &str) -> Result<Response, FoldError> {
    let object = Object::parse(text)?;
    let status: Option<Cow<'_, str>> = object.read("status")?;
    let stage = response::stage_by(status.as_deref()).ok_or(FoldError::Unfinished)?;
    let mut fold = Fold::default();
    fold.take_response(stage, Raw(text.trim()), &object)?;
    fold.finish()
}
