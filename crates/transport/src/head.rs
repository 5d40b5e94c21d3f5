//! What a server says before it says anything: the headers of an answer or of an upgrade, as data.

use std::time::{Duration, SystemTime};

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use responses::error::ApiError;

use crate::rate_limits::RateLimits;

/// What the server wants to hear again within a turn, and in no other.
pub(crate) const TURN_STATE: HeaderName = HeaderName::from_static("x-codex-turn-state");

/// Names under which servers, and those before them, put the id of a request.
const REQUEST_IDS: [&str; 4] = ["x-request-id", "x-oai-request-id", "apim-request-id", "cf-ray"];

/// The facts in the headers of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Head {
    /// The server's id of the request, to quote in a report.
    pub request_id: Option<Box<str>>,
    /// The model that really answers, where the server says so.
    pub model: Option<Box<str>>,
    /// The version of the server's list of models.
    pub models_etag: Option<Box<str>>,
    /// What is left of the limits.
    pub rate_limits: RateLimits,
    /// What the server wants to hear again within the turn. It may be a secret.
    pub(crate) turn_state: Option<HeaderValue>,
}

impl Head {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(Box::from);
        let mut turn_state = headers.get(TURN_STATE).cloned();
        if let Some(value) = &mut turn_state {
            value.set_sensitive(true);
        }
        Self {
            request_id: REQUEST_IDS.iter().find_map(|name| text(name)),
            model: text("openai-model"),
            models_etag: text("x-models-etag"),
            rate_limits: RateLimits::from_headers(pairs(headers)),
            turn_state,
        }
    }
}

/// Reads an answer that is an error, whoever wrote it.
pub(crate) fn refusal(status: u16, headers: &HeaderMap, body: &[u8], now: SystemTime) -> ApiError {
    let mut error = ApiError::from_http(status, pairs(headers), body);
    if error.wait.is_none() {
        error.wait = wait_until_date(headers, now);
    }
    if error.request_id.is_none() {
        error.request_id = Head::of(headers).request_id;
    }
    let redirect = (300..400).contains(&status);
    if let Some(location) = headers.get(LOCATION).and_then(|value| value.to_str().ok()).filter(|_| redirect) {
        // It may lead anywhere, and the key would go with it. What follows `?` may be somebody's secret.
        let place = location.split(['?', '#']).next().unwrap_or_default();
        let place = match (place.split_once("://"), place.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
            _ => place.to_owned(),
        };
        error.message = format!("the server redirects to {place}: if that is right, set base_url to it").into();
    }
    error
}

/// `retry-after` as a date; the other forms need no clock and are read with the error.
fn wait_until_date(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(headers.get(RETRY_AFTER)?.to_str().ok()?).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn a_date_to_wait_for_is_a_wait_from_now() {
        let now = httpdate::parse_http_date("Sat, 21 Nov 2026 10:00:00 GMT").unwrap();
        for (value, wait) in [
            ("Sat, 21 Nov 2026 10:01:30 GMT", Some(Duration::from_secs(90))),
            ("Sat, 21 Nov 2026 09:00:00 GMT", Some(Duration::ZERO)),
            ("7", Some(Duration::from_secs(7))),
            ("soon", None),
        ] {
            let error = refusal(429, &headers(&[("retry-after", value)]), b"{}", now);
            assert_eq!(error.wait, wait, "{value}");
        }
    }

    #[test]
    fn a_redirect_says_where_to_without_what_may_be_secret() {
        let error = refusal(307, &headers(&[("location", "https://other/v1?sig=abc")]), b"", SystemTime::UNIX_EPOCH);
        assert_eq!(&*error.message, "the server redirects to https://other/v1: if that is right, set base_url to it");
    }

    #[test]
    fn the_id_of_a_request_is_found_under_each_of_its_names() {
        for name in REQUEST_IDS {
            let head = Head::of(&headers(&[(name, "id-1")]));
            assert_eq!(head.request_id.as_deref(), Some("id-1"), "{name}");
            let error = refusal(500, &headers(&[(name, "id-1")]), b"{}", SystemTime::UNIX_EPOCH);
            assert_eq!(error.request_id.as_deref(), Some("id-1"), "{name}");
        }
    }

    #[test]
    fn what_is_to_be_said_again_is_not_shown() {
        let head = Head::of(&headers(&[("x-codex-turn-state", "planted-state")]));
        assert!(head.turn_state.is_some());
        assert!(!format!("{head:?}").contains("planted"), "{head:?}");
    }
}
