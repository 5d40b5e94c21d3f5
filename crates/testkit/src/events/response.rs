//! The response object: every field the service always sends.

use std::sync::Arc;

use responses::fold::IncompleteReason;
use responses::id::ResponseId;
use responses::item::Item;
use responses::json::{Json, Object, ObjectWriter, Write};
use responses::request::Request;
use responses::usage::Usage;

/// What stays the same from the first event of a response to its last.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// Which response of this server; all ids and the time follow from it.
    pub(crate) number: u64,
    pub(crate) request: Arc<Request>,
    pub(crate) previous: Option<ResponseId>,
}

/// How far a response is.
#[derive(Debug)]
pub(super) enum Status<'a> {
    InProgress,
    Completed,
    Incomplete(&'a IncompleteReason),
    Failed { code: &'a str, message: &'a str },
}

impl Status<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed { .. } => "failed",
        }
    }
}

/// When the first response was made, in seconds since 1970: a scripted model has no clock.
const EPOCH: u64 = 1_790_000_000;

impl Head {
    pub(crate) fn id(&self) -> ResponseId {
        format!("resp_{:024x}", self.number).into()
    }

    /// An id for a part of the response.
    pub(crate) fn part_id(&self, prefix: &str, index: u32) -> String {
        format!("{prefix}_{:016x}{index:08x}", self.number)
    }

    /// Whether deltas are padded against those who watch their sizes.
    pub(super) fn obfuscates(&self) -> bool {
        let options = self.request.delivery.stream_options.as_ref();
        let switch = options.and_then(|options| Object::parse(options.text()).ok()?.get("include_obfuscation"));
        switch != Some("false")
    }

    pub(super) fn write_in(
        &self,
        object: &mut ObjectWriter<'_>,
        status: &Status<'_>,
        output: &[Item],
        usage: Option<Usage>,
    ) {
        object.raw("response", &self.render(status, output, usage));
    }

    pub(super) fn render(&self, status: &Status<'_>, output: &[Item], usage: Option<Usage>) -> String {
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        let created = EPOCH + self.number;
        object.field("id", &self.id()).field("object", "response").field("created_at", &created);
        object.field("status", status.name()).field("background", &false);
        if !matches!(status, Status::InProgress) {
            object.field("completed_at", &(created + 1));
            object.raw("frequency_penalty", "0.0").raw("presence_penalty", "0.0");
        }
        write_outcome(&mut object, status);
        object.field("output", output);
        usage.write(object.open("usage"));
        self.write_echo(&mut object);
        object.end();
        text
    }

    /// What the request asked for, with the service's defaults.
    fn write_echo(&self, object: &mut ObjectWriter<'_>) {
        let Request { model, retention, prompt, sampling, service, .. } = &*self.request;
        self.previous.write(object.open("previous_response_id"));
        let reasoning = filled(prompt.reasoning.as_ref(), &[("effort", "null"), ("summary", "null")]);
        let text = filled(prompt.text.as_ref(), &[("format", r#"{"type":"text"}"#), ("verbosity", r#""medium""#)]);
        let echoes = [
            ("instructions", &prompt.instructions, "null"),
            ("max_output_tokens", &sampling.max_output_tokens, "null"),
            ("max_tool_calls", &prompt.max_tool_calls, "null"),
            ("metadata", &service.metadata, "{}"),
            ("model", model, r#""scripted""#),
            ("parallel_tool_calls", &prompt.parallel_tool_calls, "true"),
            ("prompt_cache_key", &service.prompt_cache_key, "null"),
            ("prompt_cache_retention", &service.prompt_cache_retention, "null"),
            ("reasoning", &Some(reasoning), "null"),
            ("safety_identifier", &service.safety_identifier, "null"),
            ("service_tier", &service.service_tier, r#""default""#),
            ("store", &retention.store, "true"),
            ("temperature", &sampling.temperature, "1.0"),
            ("text", &Some(text), "null"),
            ("tool_choice", &prompt.tool_choice, r#""auto""#),
            ("tools", &prompt.tools, "[]"),
            ("top_logprobs", &sampling.top_logprobs, "0"),
            ("top_p", &sampling.top_p, "1.0"),
            ("truncation", &prompt.truncation, r#""disabled""#),
            ("user", &service.user, "null"),
        ];
        for (key, value, default) in echoes {
            object.raw(key, value.as_ref().filter(|value| !value.is_null()).map_or(default, Json::text));
        }
    }
}

fn write_outcome(object: &mut ObjectWriter<'_>, status: &Status<'_>) {
    match status {
        Status::Failed { code, message } => {
            let mut error = ObjectWriter::begin(object.open("error"));
            error.field("code", *code).field("message", *message);
            error.end();
        }
        _ => {
            object.raw("error", "null");
        }
    }
    match status {
        Status::Incomplete(reason) => {
            let mut details = ObjectWriter::begin(object.open("incomplete_details"));
            details.field("reason", *reason);
            details.end();
        }
        _ => {
            object.raw("incomplete_details", "null");
        }
    }
}

/// An object, with what it lacks.
fn filled(value: Option<&Json>, defaults: &[(&str, &str)]) -> Json {
    let mut object = value.and_then(|value| Object::parse(value.text()).ok()).unwrap_or_default();
    for (key, default) in defaults {
        if object.get(key).is_none() {
            object.set(key, default);
        }
    }
    Json::of(&object)
}

/// About four bytes make a token.
pub(crate) fn estimate(read: usize, said: usize) -> Usage {
    const BYTES_PER_TOKEN: usize = 4;
    let tokens = |bytes: usize| bytes.div_ceil(BYTES_PER_TOKEN) as u64;
    let (input, output) = (tokens(read), tokens(said));
    Usage { input, output, total: input + output, ..Usage::default() }
}

/// What a request carries besides its items, in bytes.
pub(crate) fn settings_bytes(request: &Request) -> usize {
    [&request.prompt.instructions, &request.prompt.tools].into_iter().flatten().map(|json| json.text().len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_has_every_field_the_service_always_sends() {
        let request = Request::parse(r#"{"model":"m","reasoning":{"effort":"low"},"tools":[],"store":false}"#).unwrap();
        let head = Head { number: 1, request: Arc::new(request), previous: Some("resp_0".into()) };
        let text = head.render(&Status::Completed, &[], Some(estimate(9, 4)));
        let object = Object::parse(&text).unwrap();
        let always = "id object created_at status background error incomplete_details instructions max_output_tokens \
            max_tool_calls model output parallel_tool_calls previous_response_id prompt_cache_key \
            prompt_cache_retention reasoning safety_identifier service_tier store temperature text tool_choice tools \
            top_logprobs top_p truncation usage user metadata completed_at frequency_penalty presence_penalty";
        for field in always.split_whitespace() {
            assert!(object.get(field).is_some(), "{field}");
        }
        assert_eq!(object.get("reasoning"), Some(r#"{"effort":"low","summary":null}"#));
        assert_eq!(object.get("store"), Some("false"));
        assert_eq!(object.get("previous_response_id"), Some(r#""resp_0""#));
    }
}
