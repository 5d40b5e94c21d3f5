//! A finished response.

use std::borrow::Cow;

use crate::error::ApiError;
use crate::event::Stage;
use crate::id::ResponseId;
use crate::item::Item;
use crate::json::{Json, Object, Raw, Read, WireError, Write};
use crate::macros::open_enum;
use crate::usage::Usage;

open_enum! {
    /// Why a response ended before it was whole.
    pub enum IncompleteReason {
        /// The answer reached its limit.
        MaxOutputTokens = "max_output_tokens",
        /// The conversation reached its limit.
        MaxMessages = "max_messages",
        /// A filter stopped it.
        ContentFilter = "content_filter",
        /// A steer took over.
        Steered = "steered",
        /// The client interrupted it.
        Interrupted = "interrupted",
    }
}

/// A response that has ended. Only the fold makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    id: ResponseId,
    stage: Stage,
    output: Vec<Item>,
    usage: Option<Usage>,
    incomplete: Option<IncompleteReason>,
    error: Option<Box<ApiError>>,
    /// Whether the server says that it keeps it, if it does say so.
    stored: Option<bool>,
    json: Json,
}

/// How a response ended, by its own word; nothing, if it says that it did not. A server that leaves it out, or has a
/// word of its own, has ended it well.
pub(super) fn stage_by(status: Option<&str>) -> Option<Stage> {
    match status {
        Some("incomplete" | "cancelled") => Some(Stage::Incomplete),
        Some("failed") => Some(Stage::Failed),
        Some("queued" | "in_progress") => None,
        _ => Some(Stage::Completed),
    }
}

fn status_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Incomplete => r#""incomplete""#,
        Stage::Failed => r#""failed""#,
        _ => r#""completed""#,
    }
}

impl Response {
    pub(super) fn new(
        id: &ResponseId,
        stage: Stage,
        (latest, said): (&Json, Object<'_>),
        output: Vec<Item>,
        error: Option<Box<ApiError>>,
    ) -> Result<Self, WireError> {
        let mut object = said.clone();
        // Of no consequence to the answer: what cannot be read is left out.
        let usage = object.read("usage").unwrap_or_default();
        let stored = object.read("store").unwrap_or_default();
        let details: Option<Raw<'_>> = object.read("incomplete_details")?;
        let incomplete = details.and_then(|raw| Object::split(raw.0).ok()?.read("reason").ok()?);
        let (name, items, failure) = (Json::of(id), Json::of(&output), error.as_deref().map(Json::of));
        object.set("id", name.text());
        // An `error` event may be the last that comes: the response it ends still says `in_progress`, and not why.
        let status: Result<Option<Cow<'_, str>>, _> = object.read("status");
        if !status.is_ok_and(|status| stage_by(status.as_deref()) == Some(stage)) {
            object.set("status", status_of(stage));
        }
        if let (Stage::Failed, Some(failure)) = (stage, &failure)
            && !object.get("error").is_some_and(|text| text.starts_with('{'))
        {
            object.set("error", failure.text());
        }
        object.set("output", items.text());
        let json = if object == said { latest.clone() } else { Json::of(&object) };
        Ok(Self { id: id.clone(), stage, output, usage, incomplete, error, stored, json })
    }

    /// Its id.
    pub fn id(&self) -> &ResponseId {
        &self.id
    }

    /// How it ended: completed, incomplete or failed.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What the model made, in order.
    pub fn output(&self) -> &[Item] {
        &self.output
    }

    /// What it cost, where the server says so.
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// Why it is incomplete.
    pub fn incomplete_reason(&self) -> Option<&IncompleteReason> {
        self.incomplete.as_ref()
    }

    /// What went wrong.
    pub fn error(&self) -> Option<&ApiError> {
        self.error.as_deref()
    }

    /// Whether the server says that it keeps it.
    pub(crate) fn stored(&self) -> Option<bool> {
        self.stored
    }

    /// A field of the response that is not looked into here.
    pub fn field<'a, T: Read<'a>>(&'a self, key: &'static str) -> Result<Option<T>, WireError> {
        Object::split(self.json.text())?.read(key)
    }

    /// The whole response as the service would answer it without streaming.
    pub fn json(&self) -> &Json {
        &self.json
    }
}

impl Write for Response {
    fn write(&self, out: &mut String) {
        self.json.write(out);
    }
}
