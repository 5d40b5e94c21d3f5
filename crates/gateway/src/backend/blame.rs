//! Whose fault an error is: what a client is told of what a backend said, and what another backend might do better.

use responses::chain::{Failure, Fault};
use responses::error::ApiError;

/// The codes of errors that are the gateway's or its backend's, and nothing the client could change.
const AUTH: &str = "backend_auth";
const UNAVAILABLE: &str = "backend_unavailable";
const FAILED: &str = "backend_failed";
const BROKE_OFF: &str = "backend_broke_off";
const TIMEOUT: &str = "backend_timeout";

const BAD_GATEWAY: u16 = 502;
const SERVICE_UNAVAILABLE: u16 = 503;
const GATEWAY_TIMEOUT: u16 = 504;

/// Codes about the chain and the line between the gateway and its backend. A client would take them for its own.
const OF_OUR_LINE: [&str; 4] = [
    "previous_response_not_found",
    "websocket_connection_limit_reached",
    "websocket_stream_limit_reached",
    "invalid_stream_id",
];

/// What a client is told when a turn with this backend failed.
pub(super) fn of_failure(backend: &str, failure: Failure) -> ApiError {
    match failure {
        Failure::Refused(error) => of_api(backend, *error),
        Failure::GaveUp(fault) => of_fault(backend, fault),
        Failure::NoWebSocket(_) => {
            report(BAD_GATEWAY, UNAVAILABLE, format!("the backend {backend} takes no websocket, and is set to use one"))
        }
        Failure::TooLarge { bytes, limit } => {
            let message = format!("the request has {bytes} bytes, and the backend {backend} takes {limit}: compact it");
            report(413, "request_too_large", message)
        }
    }
}

/// What a client is told when a line to this backend, or an answer of it, went wrong.
pub(super) fn of_fault(backend: &str, fault: Fault) -> ApiError {
    match fault {
        Fault::Api(error) => of_api(backend, *error),
        Fault::Unreachable(trouble) => {
            // The detail names addresses of our network, which are nobody's business.
            let message = format!("the backend {backend} cannot be reached: {}: try again later", trouble.kind);
            report(SERVICE_UNAVAILABLE, UNAVAILABLE, message)
        }
        Fault::Silent => {
            report(GATEWAY_TIMEOUT, TIMEOUT, format!("the backend {backend} said nothing for too long: try again"))
        }
        Fault::TooLarge => report(
            413,
            "request_too_large",
            format!("the request is larger than the backend {backend} takes: compact it"),
        ),
        Fault::Closed(_) | Fault::Dead | Fault::Unreadable(_) | Fault::Unasked | Fault::SteerLost => broke_off(backend),
    }
}

/// The backend stopped in the middle of its answer.
pub(super) fn broke_off(backend: &str) -> ApiError {
    report(BAD_GATEWAY, BROKE_OFF, format!("the backend {backend} broke off in its answer: ask again"))
}

/// What a client is told of an error that a backend reported.
pub(super) fn of_api(backend: &str, error: ApiError) -> ApiError {
    let meaning = error.meaning();
    let status = error.status.or(Some(meaning.status).filter(|status| *status != 0)).unwrap_or(BAD_GATEWAY);
    let wait = error.wait;
    let told = match status {
        401 | 403 => report(
            BAD_GATEWAY,
            AUTH,
            format!(
                "the backend {backend} does not let the gateway in: whoever runs it should check the backend's key"
            ),
        ),
        _ if error.code.as_deref().is_some_and(|code| OF_OUR_LINE.contains(&code)) => broke_off(backend),
        // What does not say what it is about is a server that has no such address.
        404 | 405 | 426 if error.code.is_none() && error.kind.is_none() => {
            let message = format!(
                "the backend {backend} does not have this api: whoever runs it should check wire_api and base_url"
            );
            report(BAD_GATEWAY, UNAVAILABLE, message)
        }
        300..=399 => report(
            BAD_GATEWAY,
            UNAVAILABLE,
            format!("the backend {backend} is elsewhere: whoever runs it should check base_url"),
        ),
        408 => report(GATEWAY_TIMEOUT, TIMEOUT, format!("the backend {backend} timed out: try again")),
        400..=499 => return ApiError { status: Some(status), ..error },
        503 => failed(SERVICE_UNAVAILABLE, backend, error),
        _ => failed(BAD_GATEWAY, backend, error),
    };
    ApiError { wait, ..told }
}

/// The backend's own words, said as the gateway's error.
fn failed(status: u16, backend: &str, error: ApiError) -> ApiError {
    let message = format!("the backend {backend} failed: {}", error.message);
    let code = error.code.unwrap_or_else(|| FAILED.into());
    ApiError { request_id: error.request_id, ..ApiError::report(status, Some(&code), None, message) }
}

fn report(status: u16, code: &str, message: String) -> ApiError {
    ApiError::report(status, Some(code), None, message)
}

/// Whether it speaks against the backend, and not against the request.
pub(super) fn counts_against_the_backend(error: &ApiError) -> bool {
    error.status.is_none_or(|status| status >= 500)
}

/// Whether another backend may not have this error.
pub fn may_fail_over(error: &ApiError) -> bool {
    const ELSEWHERE: [&str; 1] = ["model_not_found"];
    let limited = matches!(error.status, Some(402 | 409 | 429));
    counts_against_the_backend(error) || limited || error.code.as_deref().is_some_and(|code| ELSEWHERE.contains(&code))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use responses::chain::{Trouble, TroubleKind};

    use super::*;

    fn said(status: Option<u16>, code: Option<&str>, kind: Option<&str>) -> ApiError {
        let (code, kind) = (code.map(Into::into), kind.map(Into::into));
        ApiError { status, code, kind, message: "in its own words".into(), ..ApiError::default() }
    }

    #[test]
    fn what_a_client_is_told_and_whether_another_backend_is_asked() {
        let own = "in its own words";
        let about_requests = Some("invalid_request_error");
        for (error, status, code, words, fails_over) in [
            (said(Some(400), None, about_requests), 400, None, own, false),
            (said(Some(400), Some("context_length_exceeded"), None), 400, Some("context_length_exceeded"), own, false),
            (said(None, Some("context_length_exceeded"), None), 400, Some("context_length_exceeded"), own, false),
            (said(Some(404), Some("model_not_found"), None), 404, Some("model_not_found"), own, true),
            (said(Some(404), None, Some("not_found_error")), 404, None, own, false),
            (said(Some(404), None, None), 502, Some(UNAVAILABLE), "wire_api", true),
            (said(Some(405), None, None), 502, Some(UNAVAILABLE), "wire_api", true),
            (said(Some(413), None, None), 413, None, own, false),
            (said(Some(429), Some("rate_limit_exceeded"), None), 429, Some("rate_limit_exceeded"), own, true),
            (said(Some(429), Some("insufficient_quota"), None), 429, Some("insufficient_quota"), own, true),
            (said(Some(401), Some("invalid_api_key"), None), 502, Some(AUTH), "key", true),
            (said(Some(403), None, None), 502, Some(AUTH), "key", true),
            (said(Some(307), None, None), 502, Some(UNAVAILABLE), "base_url", true),
            (said(Some(408), None, None), 504, Some(TIMEOUT), "timed out", true),
            (said(Some(400), Some("previous_response_not_found"), None), 502, Some(BROKE_OFF), "ask again", true),
            (said(None, Some("websocket_connection_limit_reached"), None), 502, Some(BROKE_OFF), "ask again", true),
            (said(Some(500), None, None), 502, Some(FAILED), own, true),
            (said(Some(503), Some("server_is_overloaded"), None), 503, Some("server_is_overloaded"), own, true),
            (said(None, None, None), 502, Some(FAILED), own, true),
        ] {
            let told = of_api("east", error.clone());
            assert_eq!((told.status, told.code.as_deref()), (Some(status), code), "{error:?}");
            assert!(told.message.contains(words), "{error:?}: {}", told.message);
            assert_eq!(may_fail_over(&told), fails_over, "{error:?}");
        }
    }

    #[test]
    fn only_what_is_the_backends_fault_counts_against_it() {
        for (status, counts) in [(400, false), (404, false), (429, false), (500, true), (502, true), (503, true)] {
            assert_eq!(counts_against_the_backend(&said(Some(status), None, None)), counts, "{status}");
        }
    }

    #[test]
    fn how_long_to_wait_is_passed_on() {
        let wait = Some(Duration::from_secs(7));
        for status in [429, 500, 503] {
            let told = of_api("east", ApiError { wait, ..said(Some(status), None, None) });
            assert_eq!(told.wait, wait, "{status}");
        }
    }

    #[test]
    fn where_a_backend_is_and_what_key_it_has_is_nobodys_business() {
        let planted = "sk-planted at 10.1.2.3";
        let refused = |status| ApiError::report(status, Some("x"), None, planted);
        for told in [
            of_fault("east", Fault::Unreachable(Trouble::new(TroubleKind::Connect, planted))),
            of_fault("east", Fault::Unreadable(planted.into())),
            of_api("east", refused(401)),
            of_api("east", refused(403)),
            of_api("east", refused(302)),
            of_failure("east", Failure::NoWebSocket(Box::new(refused(426)))),
        ] {
            assert!(told.message.contains("east"), "{}", told.message);
            assert!(!told.to_body().contains("planted") && !told.to_body().contains("10.1"), "{}", told.to_body());
        }
    }
}
