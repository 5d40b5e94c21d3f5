//! The errors of the table, and how each is brought about.

/// How an error is brought about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// With these settings, these messages are said on one socket.
    Say(&'static str, &'static [&'static str]),
    /// One lane more than a connection has.
    ManyLanes,
    /// One request more than may wait on a connection.
    ManyRequests,
    /// With these settings, this is asked for over HTTP, with these headers and this body.
    Ask(&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str),
    /// A message of somebody whose key is good for these models.
    WithKey { models: &'static [&'static str], frame: &'static str },
    /// Of somebody who has none.
    WithoutKey(&'static str, &'static [(&'static str, &'static str)]),
    /// A body over the limit.
    LargeBody,
    /// The backend's server answers everything with this; if with nothing, it is not there.
    Backend(&'static str),
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) code: &'static str,
    /// What an `error` event or an answer over HTTP says; a response that fails has none.
    pub(crate) status: u64,
    pub(crate) way: Way,
    pub(crate) when: &'static str,
    pub(crate) next: &'static str,
}

const CHANGE: &str = "change the request";

const fn case(code: &'static str, status: u64, way: Way, when: &'static str, next: &'static str) -> Case {
    Case { code, status, way, when, next }
}

const fn on_a_socket(
    code: &'static str,
    status: u64,
    frames: &'static [&'static str],
    when: &'static str,
    next: &'static str,
) -> Case {
    case(code, status, Way::Say("", frames), when, next)
}

const THINKS: &str =
    r#"{"type":"response.create","model":"scripted","store":false,"stream_id":"a","input":"say a\npause 60000"}"#;

/// All of them: first what a client did, then what the gateway has no room for, then what its backends do.
pub(crate) const CASES: &[Case] = &[
    on_a_socket(
        "invalid_value",
        400,
        &["{"],
        "a message is no JSON object, is binary, or a field of it cannot be read",
        CHANGE,
    ),
    on_a_socket(
        "invalid_value",
        400,
        &[r#"{"type":"session.update"}"#],
        "the `type` of a message is not known",
        CHANGE,
    ),
    on_a_socket(
        "missing_required_parameter",
        400,
        &[r#"{"type":"response.create","input":"x"}"#],
        "there is no `model`",
        CHANGE,
    ),
    on_a_socket(
        "invalid_value",
        400,
        &[r#"{"type":"response.create","model":"scripted","input":"x","temperature":3}"#],
        "a field has a value that it cannot have; `param` names it",
        CHANGE,
    ),
    on_a_socket(
        "invalid_value",
        400,
        &[
            r#"{"type":"response.create","model":"scripted","input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]}"#,
        ],
        "a call has no output, or an output no call, in the whole conversation",
        "send the missing item",
    ),
    on_a_socket(
        "invalid_value",
        400,
        &[r#"{"type":"response.create","model":"scripted","input":"x","background":true}"#],
        "`background` is true over a socket",
        "leave it out, or use HTTP",
    ),
    on_a_socket(
        "unsupported_parameter",
        400,
        &[r#"{"type":"response.create","model":"scripted","input":"x","conversation":"conv_1"}"#],
        "a `conversation` is named",
        "use `previous_response_id`",
    ),
    on_a_socket(
        "invalid_compaction",
        400,
        &[
            r#"{"type":"response.create","model":"scripted","input":[{"type":"compaction","encrypted_content":"from elsewhere"}]}"#,
        ],
        "a compaction item was sealed by another gateway, for another key, or was changed",
        "send the conversation without it",
    ),
    on_a_socket(
        "model_not_found",
        404,
        &[r#"{"type":"response.create","model":"nobody","input":"x"}"#],
        "no backend has the model",
        "see `GET /v1/models`",
    ),
    on_a_socket(
        "previous_response_not_found",
        400,
        &[r#"{"type":"response.create","model":"scripted","input":"x","previous_response_id":"resp_no"}"#],
        "the response to go on from is not known: not stored, evicted, deleted, of another key, failed, or still running",
        "send the whole conversation without it",
    ),
    on_a_socket(
        "invalid_stream_id",
        400,
        &[r#"{"type":"response.create","model":"scripted","input":"x","stream_id":"a b"}"#],
        "the name of a lane is not 1 to 256 of `A-Z a-z 0-9 _ . -`; the error has no `stream_id`",
        CHANGE,
    ),
    case(
        "websocket_stream_limit_reached",
        400,
        Way::ManyLanes,
        "the 33rd name of a lane on one connection",
        "use a name again, or a new connection",
    ),
    on_a_socket(
        "lane_busy",
        409,
        &[THINKS, r#"{"type":"response.resume","response_id":"resp_any","stream_id":"a"}"#],
        "`response.resume` on a lane that is in use or waits",
        "use another lane",
    ),
    on_a_socket(
        "response_not_found",
        404,
        &[r#"{"type":"response.resume","response_id":"resp_no"}"#],
        "`response.resume` of a response that is not known or no longer kept",
        "ask again",
    ),
    on_a_socket(
        "invalid_value",
        400,
        &[r#"{"type":"response.create","model":"scripted","input":[{"type":"item_reference","id":"msg_1"}]}"#],
        "an item is named by its id",
        "send the item",
    ),
    on_a_socket(
        "invalid_value",
        400,
        &[r#"{"type":"response.create","model":"scripted","input":"x","idempotency_key":7}"#],
        "`idempotency_key` is no string, or empty",
        CHANGE,
    ),
    on_a_socket(
        "response_not_found",
        404,
        &[r#"{"type":"response.cancel","response_id":"resp_no"}"#],
        "`response.cancel` of what does not run on this connection; the error has no `stream_id`",
        "nothing",
    ),
    on_a_socket(
        "idempotency_key_reused",
        422,
        &[
            r#"{"type":"response.create","model":"scripted","idempotency_key":"k","input":"say a"}"#,
            r#"{"type":"response.create","model":"scripted","idempotency_key":"k","input":"say b"}"#,
        ],
        "the key came with another request before",
        "use a new key",
    ),
    case(
        "invalid_api_key",
        401,
        Way::WithoutKey("GET /v1/models", &[]),
        "no key, one that is not known, one that has expired or was revoked; with `www-authenticate: Bearer`. On an open \
         socket, each request is looked at anew",
        "renew the key",
    ),
    case(
        "foreign_origin",
        403,
        Way::Ask("", "GET /v1/models", &[("origin", "https://example.com")], ""),
        "no keys are asked for, and a browser asks for a page that is not of this machine",
        "set `keys = \"required\"`, and use one",
    ),
    case(
        "model_not_allowed",
        403,
        Way::WithKey { models: &["gpt-*"], frame: r#"{"type":"response.create","model":"scripted","input":"x"}"# },
        "the key is not good for this model",
        "use another model or key",
    ),
    case(
        "rate_limit_exceeded",
        429,
        Way::ManyRequests,
        "128 requests, or 64 MiB of them, wait on one connection",
        "wait as told",
    ),
    case(
        "rate_limit_exceeded",
        429,
        Way::Say(
            "gateway.limits.concurrency = 1\ngateway.limits.queue = 0",
            &[THINKS, r#"{"type":"response.create","model":"scripted","store":false,"stream_id":"b","input":"x"}"#],
        ),
        "the gateway's queue is full, the key's part of it is, or a request waited in it for five minutes",
        "wait as told",
    ),
    case(
        "websocket_not_supported",
        426,
        Way::Ask(
            "gateway.websockets = false",
            "GET /v1/responses",
            &[
                ("connection", "Upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ],
            "",
        ),
        "an upgrade, and sockets are switched off",
        "use HTTP",
    ),
    case(
        "null",
        400,
        Way::Ask("", "GET /v1/responses", &[], ""),
        "`GET /v1/responses` is no upgrade, or none of version 13",
        CHANGE,
    ),
    case(
        "request_too_large",
        413,
        Way::LargeBody,
        "a body over HTTP has more than `body_bytes`; a message over a socket that is too large closes it",
        "compact, or send less at a time",
    ),
    case("unknown_url", 404, Way::Ask("", "GET /v1/threads", &[], ""), "there is no such path", CHANGE),
    case(
        "method_not_allowed",
        405,
        Way::Ask("", "PUT /v1/responses", &[], ""),
        "the path takes another method",
        CHANGE,
    ),
    case(
        "null",
        415,
        Way::Ask("", "POST /v1/responses", &[("content-encoding", "br")], "x"),
        "a body over HTTP is in an encoding other than zstd",
        CHANGE,
    ),
    case(
        "backend_unavailable",
        503,
        Way::Backend(""),
        "the backend cannot be reached, or is left alone for a while because it failed",
        "wait, ask again",
    ),
    case(
        "backend_auth",
        502,
        Way::Backend("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        "the backend does not take the gateway's key",
        "tell the operator",
    ),
    case(
        "backend_failed",
        502,
        Way::Backend(
            "HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
             {\"error\":{\"message\":\"it broke\"}}",
        ),
        "the backend failed and gave no code; a code of its own is passed on in place of this one",
        "wait, ask again",
    ),
    case(
        "backend_broke_off",
        502,
        Way::Backend("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n: nothing\n\n"),
        "the backend's answer ended before its response did",
        "ask again",
    ),
    case(
        "backend_timeout",
        504,
        Way::Backend("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        "the backend said nothing for too long, or says so",
        "ask again",
    ),
    on_a_socket(
        "server_error",
        502,
        &[r#"{"type":"response.create","model":"scripted","store":false,"input":"say a\ndie"}"#],
        "the backend ended in the middle, or its answer makes no sense",
        "ask again",
    ),
    on_a_socket(
        "slow_down",
        429,
        &[
            r#"{"type":"response.create","model":"scripted","store":false,"input":"reject 429 slow_down try again in 2s"}"#,
        ],
        "any error of a backend with a status from 400 to 499 is passed on: status, code, field, sentence, wait",
        "by its code: [the table](error-codes.md)",
    ),
];
