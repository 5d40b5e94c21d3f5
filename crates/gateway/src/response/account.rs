//! What a response says of itself, in every field that clients expect.

use responses::error::ApiError;
use responses::event::Stage;
use responses::id::ResponseId;
use responses::item::Item;
use responses::json::{Json, Object, ObjectWriter, Write};
use responses::request::Request;
use responses::tool_spec::Tool;
use responses::usage::Usage;

/// What is known of a response when it says something of itself.
#[derive(Debug)]
pub(super) struct End {
    pub(super) stage: Stage,
    pub(super) cancelled: bool,
    pub(super) completed_at: Option<u64>,
    pub(super) output: Vec<Item>,
    pub(super) error: Option<ApiError>,
    /// `incomplete_details`, as JSON.
    pub(super) incomplete: Option<String>,
    pub(super) usage: Option<Usage>,
    /// `service_tier`, as JSON.
    pub(super) tier: Option<String>,
}

impl End {
    /// Nothing is known but this.
    pub(super) fn of(stage: Stage) -> Self {
        Self {
            stage,
            cancelled: false,
            completed_at: None,
            output: Vec::new(),
            error: None,
            incomplete: None,
            usage: None,
            tier: None,
        }
    }

    fn status(&self) -> &'static str {
        match self.stage {
            _ if self.cancelled => "cancelled",
            Stage::Queued => "queued",
            Stage::Created | Stage::InProgress => "in_progress",
            Stage::Completed => "completed",
            Stage::Incomplete => "incomplete",
            Stage::Failed => "failed",
        }
    }
}

/// A response's account of itself.
pub(super) struct Account<'a> {
    pub(super) id: &'a ResponseId,
    pub(super) created_at: u64,
    pub(super) background: bool,
    pub(super) settings: &'a str,
    pub(super) end: &'a End,
}

impl Write for Account<'_> {
    fn write(&self, out: &mut String) {
        let end = self.end;
        let mut object = ObjectWriter::begin(out);
        object.field("id", self.id).field("object", "response").field("created_at", &self.created_at);
        object.field("status", end.status()).field("background", &self.background);
        object.nullable("completed_at", &end.completed_at).nullable("error", &end.error);
        object.raw("incomplete_details", end.incomplete.as_deref().unwrap_or("null"));
        object.field("output", &end.output).nullable("usage", &end.usage);
        object.raw("service_tier", end.tier.as_deref().unwrap_or(r#""default""#));
        object.spliced(self.settings);
        object.end();
    }
}

/// What a client should know of how its request was taken. Capstan's own fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    /// What of the settings of the response before it was left out without a word.
    pub(crate) left_behind: &'a [&'a str],
    /// Whether it can be gone on from when the process has forgotten it: not if something before it is not stored.
    pub(crate) past_stored: bool,
}

/// The settings a response was asked with, with what holds where nothing was said: fields without their braces.
pub(super) fn settings(request: &Request, previous: Option<&ResponseId>, told: &Told<'_>) -> String {
    let Request { model, prompt, sampling, service, retention, .. } = request;
    let mut out = String::new();
    let mut object = ObjectWriter::begin(&mut out);
    let mut put = |key: &str, value: &Option<Json>, otherwise: &str| {
        let said = value.as_ref().filter(|value| !value.is_null());
        object.raw(key, said.map_or(otherwise, Json::text));
    };
    put("model", model, r#""""#);
    put("instructions", &prompt.instructions, "null");
    put("max_output_tokens", &sampling.max_output_tokens, "null");
    put("max_tool_calls", &prompt.max_tool_calls, "null");
    put("metadata", &service.metadata, "{}");
    put("parallel_tool_calls", &prompt.parallel_tool_calls, "true");
    put("presence_penalty", &None, "0");
    put("frequency_penalty", &None, "0");
    put("prompt_cache_key", &service.prompt_cache_key, "null");
    put("prompt_cache_retention", &service.prompt_cache_retention, "null");
    put("safety_identifier", &service.safety_identifier, "null");
    put("store", &retention.store, "true");
    put("temperature", &sampling.temperature, "1");
    put("tool_choice", &prompt.tool_choice, r#""auto""#);
    put("top_logprobs", &sampling.top_logprobs, "0");
    put("top_p", &sampling.top_p, "1");
    put("truncation", &prompt.truncation, r#""disabled""#);
    put("user", &service.user, "null");
    object.nullable("previous_response_id", &previous);
    with_defaults(object.open("reasoning"), prompt.reasoning.as_ref(), &[("effort", "null"), ("summary", "null")]);
    with_defaults(object.open("text"), prompt.text.as_ref(), &[("format", r#"{"type":"text"}"#)]);
    if !told.left_behind.is_empty() {
        object.field("left_behind", told.left_behind);
    }
    if !told.past_stored {
        object.field("past_stored", &false);
    }
    object.field("tools", &request.tools().iter().map(Offered).collect::<Vec<_>>());
    object.end();
    out.get(1..out.len() - 1).unwrap_or_default().to_owned()
}

/// An object as it was given, and what it leaves open.
fn with_defaults(out: &mut String, given: Option<&Json>, defaults: &[(&str, &str)]) {
    let given = given.filter(|given| !given.is_null()).and_then(|given| Object::parse(given.text()).ok());
    let given = given.unwrap_or_default();
    let mut object = ObjectWriter::begin(out);
    for (key, value) in given.fields() {
        object.raw(key, value);
    }
    for (key, value) in defaults.iter().filter(|(key, _)| given.get(key).is_none()) {
        object.raw(key, value);
    }
    object.end();
}

/// A tool as a response shows it: a function has all its fields.
struct Offered<'a>(&'a Tool<'a>);

impl Write for Offered<'_> {
    fn write(&self, out: &mut String) {
        match self.0 {
            Tool::Function(_, raw) => {
                let given = Json::parse(raw.0).ok();
                let all = [("description", "null"), ("parameters", "null"), ("strict", "null")];
                with_defaults(out, given.as_ref(), &all);
            }
            other => other.write(out),
        }
    }
}
