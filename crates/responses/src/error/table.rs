//! The one table: error code → what it means for retry, for the server's memory, for the user.

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// Send everything, at once, without naming a previous response. Costs no attempt.
    SendAll,
    /// Open a new line and send everything, at once. Costs no attempt.
    NewLine,
    /// Wait as long as told, then ask again.
    Wait,
    /// Ask again after growing pauses.
    BackOff,
    /// Renew the credentials, then ask again; without new ones it stays refused.
    Credentials,
    /// Make the context smaller, then ask again.
    Compact,
    /// Change the request: as it is it will always be refused.
    Change,
}

/// What the server still remembers of the chain after the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Memory {
    /// As before: the request was refused before its lane was touched.
    Kept,
    /// A continuation on the same lane that fails takes its parent with it.
    ParentLost,
    /// Nothing: the connection ends.
    AllLost,
}

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The code, or the type or status class that stands for codes without a row.
    pub code: &'static str,
    /// The usual status; 0 where there is none.
    pub status: u16,
    /// What to do.
    pub remedy: Remedy,
    /// What the server still knows.
    pub memory: Memory,
    /// What the user is told, with the next step.
    pub advice: &'static str,
}

const fn row(code: &'static str, status: u16, remedy: Remedy, memory: Memory, advice: &'static str) -> Meaning {
    Meaning { code, status, remedy, memory, advice }
}

use Memory::{AllLost, Kept, ParentLost};
use Remedy::{BackOff, Change, Compact, Credentials, NewLine, SendAll, Wait};

const IMAGE: &str = "the server cannot use an image of the request: send another format or size, or leave it out";
const POLICY: &str = "the server's policy refuses this request: say it differently, or ask the provider";

/// Every code there is a decision about. Codes without a row fall to their type, then to their status.
pub const CODES: &[Meaning] = &[
    // The chain and the line.
    row(
        "previous_response_not_found",
        400,
        SendAll,
        ParentLost,
        "the server forgot the conversation: all of it is sent again",
    ),
    row(
        "websocket_connection_limit_reached",
        400,
        NewLine,
        AllLost,
        "the connection reached its age limit: a new one is opened",
    ),
    row("websocket_stream_limit_reached", 400, NewLine, Kept, "the connection has no lane left: a new one is opened"),
    row(
        "invalid_stream_id",
        400,
        Change,
        Kept,
        "the name of the lane is not valid: this is a fault of the client, please report it",
    ),
    // Load and limits.
    row(
        "rate_limit_exceeded",
        429,
        Wait,
        ParentLost,
        "the provider's rate limit is reached: the run goes on when it allows",
    ),
    row("slow_down", 429, Wait, ParentLost, "the provider asks for fewer requests: the run goes on when it allows"),
    row(
        "usage_limit_reached",
        429,
        Wait,
        ParentLost,
        "the plan's usage limit is reached: the run goes on when it resets",
    ),
    row(
        "server_is_overloaded",
        503,
        BackOff,
        ParentLost,
        "the provider is overloaded: the run asks again with growing pauses",
    ),
    row("server_error", 500, BackOff, ParentLost, "the provider failed: the run asks again"),
    row(
        "vector_store_timeout",
        500,
        BackOff,
        ParentLost,
        "a file search at the provider timed out: the run asks again",
    ),
    // Accounts.
    row(
        "invalid_api_key",
        401,
        Credentials,
        Kept,
        "the key is not accepted: renew it where the provider's env_key, key_file or auth has it",
    ),
    row(
        "insufficient_quota",
        429,
        Change,
        ParentLost,
        "the account has no credit left: add credit, or choose another provider",
    ),
    row(
        "credit_balance_exhausted",
        429,
        Change,
        ParentLost,
        "the account has no credit left: add credit, or choose another provider",
    ),
    row(
        "usage_not_included",
        429,
        Change,
        ParentLost,
        "the plan does not include this model: choose another model or plan",
    ),
    // The request.
    row(
        "context_length_exceeded",
        400,
        Compact,
        ParentLost,
        "the conversation is longer than the model's window: compact it first",
    ),
    row(
        "model_not_found",
        404,
        Change,
        ParentLost,
        "the provider does not have this model: list its models and choose one",
    ),
    row("invalid_prompt", 400, Change, ParentLost, POLICY),
    row(
        "invalid_value",
        400,
        Change,
        ParentLost,
        "the provider refuses a field of the request: see its message for which",
    ),
    row(
        "unknown_parameter",
        400,
        Change,
        ParentLost,
        "the provider does not know a field of the request: see its message for which",
    ),
    row(
        "missing_required_parameter",
        400,
        Change,
        ParentLost,
        "the provider needs a field that the request lacks: see its message for which",
    ),
    row(
        "data_residency_mismatch",
        403,
        Change,
        ParentLost,
        "the organisation's data region does not allow this request: use its regional address",
    ),
    row("bio_policy", 400, Change, ParentLost, POLICY),
    row("cyber_policy", 400, Change, ParentLost, POLICY),
    row("misalignment_policy_violation", 400, Change, ParentLost, POLICY),
    // Images.
    row("invalid_image", 400, Change, ParentLost, IMAGE),
    row("invalid_image_format", 400, Change, ParentLost, IMAGE),
    row("invalid_base64_image", 400, Change, ParentLost, IMAGE),
    row("invalid_image_url", 400, Change, ParentLost, IMAGE),
    row("image_too_large", 400, Change, ParentLost, IMAGE),
    row("image_too_small", 400, Change, ParentLost, IMAGE),
    row("image_parse_error", 400, Change, ParentLost, IMAGE),
    row("image_content_policy_violation", 400, Change, ParentLost, POLICY),
    row("invalid_image_mode", 400, Change, ParentLost, IMAGE),
    row("image_file_too_large", 400, Change, ParentLost, IMAGE),
    row("unsupported_image_media_type", 400, Change, ParentLost, IMAGE),
    row("empty_image_file", 400, Change, ParentLost, IMAGE),
    row("failed_to_download_image", 400, Change, ParentLost, IMAGE),
    row("image_file_not_found", 404, Change, ParentLost, IMAGE),
    // Types, for codes without a row.
    row(
        "authentication_error",
        401,
        Credentials,
        Kept,
        "the key is not accepted: renew it where the provider's env_key, key_file or auth has it",
    ),
    row(
        "rate_limit_error",
        429,
        Wait,
        ParentLost,
        "the provider's rate limit is reached: the run goes on when it allows",
    ),
    row(
        "too_many_requests",
        429,
        Wait,
        ParentLost,
        "the provider's rate limit is reached: the run goes on when it allows",
    ),
    row(
        "service_unavailable_error",
        503,
        BackOff,
        ParentLost,
        "the provider is not available: the run asks again with growing pauses",
    ),
];

/// Status classes, for errors whose code and type have no row.
pub const STATUSES: &[Meaning] = &[
    row("3xx", 300, Change, ParentLost, "the provider is elsewhere: set base_url to where it is"),
    row(
        "401",
        401,
        Credentials,
        Kept,
        "the key is not accepted: renew it where the provider's env_key, key_file or auth has it",
    ),
    row(
        "403",
        403,
        Credentials,
        Kept,
        "the provider does not allow this: check the key's rights, region and programmes",
    ),
    row("408", 408, BackOff, ParentLost, "the provider timed out: the run asks again"),
    row("409", 409, BackOff, ParentLost, "the provider was busy with the same thing: the run asks again"),
    row("413", 413, Compact, ParentLost, "the request is larger than the provider takes: compact it first"),
    row("429", 429, Wait, ParentLost, "the provider's rate limit is reached: the run goes on when it allows"),
    row("4xx", 400, Change, ParentLost, "the provider refuses the request: see its message"),
    row("5xx", 500, BackOff, ParentLost, "the provider failed: the run asks again"),
    // No code, no status: Codex asks again too.
    row("none", 0, BackOff, ParentLost, "the provider reported an error it does not name: the run asks again"),
];

pub(super) fn meaning(code: Option<&str>, kind: Option<&str>, status: Option<u16>) -> &'static Meaning {
    let named = |name: Option<&str>| CODES.iter().find(|row| Some(row.code) == name);
    // A plan's limits arrive as a type. The general type `server_error` has the row of the code.
    named(code).or_else(|| named(kind)).unwrap_or_else(|| of_status(kind, status))
}

fn of_status(kind: Option<&str>, status: Option<u16>) -> &'static Meaning {
    let class = match status {
        Some(300..=399) => "3xx",
        Some(401) => "401",
        Some(403) => "403",
        Some(408) => "408",
        Some(409) => "409",
        Some(413) => "413",
        Some(429) => "429",
        Some(400..=499) => "4xx",
        Some(_) => "5xx",
        None if matches!(kind, Some("invalid_request_error" | "invalid_request" | "not_found")) => "4xx",
        None => "none",
    };
    STATUSES.iter().find(|row| row.code == class).unwrap_or(&FALLBACK)
}

static FALLBACK: Meaning = row("none", 0, BackOff, ParentLost, "the provider reported an error it does not name");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_one_row() {
        for (at, row) in CODES.iter().enumerate() {
            assert_eq!(CODES.iter().position(|other| other.code == row.code), Some(at), "{}", row.code);
        }
    }

    #[test]
    fn a_code_says_more_than_a_type_and_a_type_more_than_a_status() {
        let by = |code, kind, status| meaning(code, kind, status).code;
        assert_eq!(by(Some("insufficient_quota"), Some("rate_limit_error"), Some(429)), "insufficient_quota");
        assert_eq!(by(Some("new_code"), Some("usage_limit_reached"), Some(429)), "usage_limit_reached");
        assert_eq!(by(Some("new_code"), Some("new_type"), Some(429)), "429");
        assert_eq!(by(None, Some("invalid_request_error"), None), "4xx");
        assert_eq!(by(None, None, Some(418)), "4xx");
        assert_eq!(by(None, None, Some(307)), "3xx");
        assert_eq!(by(None, None, Some(599)), "5xx");
        assert_eq!(by(None, None, None), "none");
    }

    #[test]
    fn every_status_class_has_a_row_of_its_own() {
        for status in 100..600 {
            assert!(!std::ptr::eq(of_status(None, Some(status)), &raw const FALLBACK), "{status}");
        }
    }

    #[test]
    fn a_user_is_always_told_something_in_lower_case_without_a_full_stop() {
        for row in CODES.iter().chain(STATUSES) {
            assert!(row.advice.starts_with(|first: char| first.is_lowercase()), "{}", row.code);
            assert!(!row.advice.ends_with('.'), "{}", row.code);
        }
    }
}
