//! How a response ends.

use responses::error::{ApiError, wait_in_text};
use responses::json::ObjectWriter;

pub(super) enum Ending {
    Completed,
    /// With the reason.
    Incomplete(&'static str),
    Failed(Box<ApiError>),
}

impl Ending {
    /// What a `finish_reason` means. A server that made calls may say `stop`; words we do not know mean that the model
    /// came to an end.
    pub(super) fn of(reason: &str) -> Self {
        match reason {
            // The second is Mistral's, for the end of the window; some proxies say the third.
            "length" | "model_length" | "max_tokens" => Self::Incomplete("max_output_tokens"),
            "content_filter" => Self::Incomplete("content_filter"),
            // DeepSeek's.
            "insufficient_system_resource" => {
                Self::failed(503, "server_is_overloaded", "the server ran out of resources in mid-answer")
            }
            // OpenRouter's, usually beside an error that says more.
            "error" => Self::failed(502, "server_error", "the server ended the answer with an error it does not name"),
            _ => Self::Completed,
        }
    }

    fn failed(status: u16, code: &str, message: &str) -> Self {
        Self::Failed(Box::new(ApiError::report(status, Some(code), None, message)))
    }

    pub(super) fn status(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed(_) => "failed",
        }
    }

    /// Writes the two fields of a response that say why.
    pub(super) fn put(&self, response: &mut ObjectWriter<'_>) {
        match self {
            Self::Failed(error) => put_error(error, response.open("error")),
            _ => {
                response.raw("error", "null");
            }
        }
        match self {
            Self::Incomplete(reason) => {
                let mut details = ObjectWriter::begin(response.open("incomplete_details"));
                details.field("reason", *reason);
                details.end();
            }
            _ => {
                response.raw("incomplete_details", "null");
            }
        }
    }
}

fn put_error(error: &ApiError, out: &mut String) {
    let code = error.code.as_deref().filter(|code| !code.is_empty()).or_else(|| code_for(error));
    let mut object = ObjectWriter::begin(out);
    object.nullable("code", &code);
    let message =
        if error.message.is_empty() { "the server reported an error without a message" } else { &error.message };
    object.field("message", message).field("type", &error.kind).field("param", &error.param);
    object.field("status", &error.status).field("resets_at", &error.resets_at);
    // Whole seconds, never less than asked for. A sentence that says it is more exact.
    let untold = error.wait.filter(|wait| wait_in_text(message) != Some(*wait));
    object.field("resets_in_seconds", &untold.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0)));
    object.end();
}

/// Servers of chat completions have statuses and sentences where the Responses API has codes.
fn code_for(error: &ApiError) -> Option<&'static str> {
    // Of all errors this is the one to tell apart: it can be mended, by making the conversation shorter. There is no
    // common name for it, but servers say it in nearly the same words.
    let message = error.message.to_ascii_lowercase();
    if ["context length", "context size", "context window"].iter().any(|words| message.contains(words)) {
        return Some("context_length_exceeded");
    }
    match error.status? {
        402 => Some("insufficient_quota"),
        429 => Some("rate_limit_exceeded"),
        503 => Some("server_is_overloaded"),
        500.. => Some("server_error"),
        _ => None,
    }
}
