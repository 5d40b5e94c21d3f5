//! What went wrong, in the server's words and in ours.

mod table;
mod wait;

use std::borrow::Cow;
use std::time::Duration;

use crate::id::LaneId;
use crate::json::{Object, ObjectWriter, Read, WireError, Write, shortened};

pub use table::{CODES, Meaning, Memory, Remedy, STATUSES};
pub use wait::{wait_in_headers, wait_in_text};

/// How much of an answer that is not JSON is kept as the message.
const MAX_FOREIGN_MESSAGE: usize = 300;

/// An error a server reported: in a frame, in an event, in a failed response or as the body of an HTTP answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ApiError {
    /// The HTTP status, or the one a frame carries in its place.
    pub status: Option<u16>,
    /// The code, `previous_response_not_found` and the like.
    pub code: Option<Box<str>>,
    /// The type, `invalid_request_error` and the like.
    pub kind: Option<Box<str>>,
    /// The server's sentence.
    pub message: Box<str>,
    /// The field it is about.
    pub param: Option<Box<str>>,
    /// How long the server asks to wait.
    pub wait: Option<Duration>,
    /// When a limit ends, in seconds since 1970.
    pub resets_at: Option<u64>,
    /// The server's id of the request, to quote in a report.
    pub request_id: Option<Box<str>>,
}

impl ApiError {
    /// Reads an `error` event or frame, nested (`error: {…}`) as servers send it or flat as the schema has it.
    pub fn from_event(object: &Object<'_>) -> Result<Self, WireError> {
        let nested = match object.get("error").filter(|text| *text != "null") {
            Some(text) if text.starts_with('{') => Object::split(text)?,
            Some(text) => return Ok(Self { message: lossy(Some(text)).unwrap_or_default(), ..Self::default() }),
            None => object.clone(),
        };
        let mut error = Self::from_fields(&nested);
        error.status = status(object.get("status")).or_else(|| status(object.get("status_code"))).or(error.status);
        for holder in [object, &nested] {
            if let Some(headers) = holder.get("headers").and_then(|text| Object::split(text).ok()) {
                error.take_headers(headers.fields().filter_map(|(key, value)| Some((key, plain(value)?))));
            }
        }
        Ok(error)
    }

    /// Reads the `error` object of a response, or the inner object of an error body.
    pub fn from_object(text: &str) -> Result<Self, WireError> {
        Ok(Self::from_fields(&Object::split(text)?))
    }

    /// Reads the body of an HTTP answer, whoever wrote it: the service, a proxy, a load balancer.
    pub fn from_http<'h>(status: u16, headers: impl Iterator<Item = (&'h str, &'h str)>, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let mut error = match Object::parse(&text) {
            Ok(object) => Self::from_event(&object).unwrap_or_default(),
            Err(_) => Self { message: shown(&shortened(text.trim(), MAX_FOREIGN_MESSAGE)), ..Self::default() },
        };
        error.status = Some(status);
        error.take_headers(headers.map(|(key, value)| (key, Cow::Borrowed(value))));
        if error.message.is_empty() {
            error.message = format!("the server answered with status {status} and no explanation").into();
        }
        error
    }

    fn from_fields(object: &Object<'_>) -> Self {
        let message = lossy(object.get("message")).or_else(|| lossy(object.get("detail"))).unwrap_or_default();
        // llama.cpp and others put the status where the code should be.
        let code_is_status = status(object.get("code"));
        let seconds = object.get("resets_in_seconds").and_then(|text| u64::read(text).ok());
        Self {
            status: status(object.get("status")).or(code_is_status),
            code: lossy(object.get("code").filter(|_| code_is_status.is_none())),
            kind: lossy(object.get("type")).filter(|kind| &**kind != "error"),
            wait: seconds.map(Duration::from_secs).or_else(|| wait_in_text(&message)),
            param: lossy(object.get("param")),
            resets_at: object.get("resets_at").and_then(|text| u64::read(text).ok()),
            request_id: None,
            message: shown(&message),
        }
    }

    fn take_headers<'h>(&mut self, headers: impl Iterator<Item = (&'h str, Cow<'h, str>)>) {
        let headers: Vec<_> = headers.collect();
        let pairs = || headers.iter().map(|(key, value)| (*key, value.as_ref()));
        if let Some(wait) = wait_in_headers(pairs()) {
            self.wait = Some(wait);
        }
        let is_id = |key: &str| ["x-request-id", "x-oai-request-id"].iter().any(|name| key.eq_ignore_ascii_case(name));
        if let Some((_, id)) = pairs().find(|(key, _)| is_id(key)) {
            self.request_id = Some(id.into());
        }
    }

    /// An error to report: status, code, field, sentence. The type follows from the status.
    pub fn report(status: u16, code: Option<&str>, param: Option<&str>, message: impl Into<Box<str>>) -> Self {
        let kind = match status {
            401 => "authentication_error",
            429 => "rate_limit_error",
            ..500 => "invalid_request_error",
            _ => "server_error",
        };
        Self {
            status: Some(status),
            code: code.map(Into::into),
            kind: Some(kind.into()),
            message: message.into(),
            param: param.map(Into::into),
            ..Self::default()
        }
    }

    /// The `error` event for a socket. Codex needs the status to take it for an error, and reads headers beside the
    /// error; the SDKs read them within it: both are told.
    pub fn to_event(&self, lane: Option<&LaneId>) -> String {
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        object.field("type", "error").field("status", &self.status.unwrap_or(self.meaning().status));
        object.field("stream_id", &lane);
        self.put_inner(object.open("error"), true);
        if let Some(headers) = self.headers() {
            object.raw("headers", &headers);
        }
        object.end();
        text
    }

    /// The body of an HTTP answer.
    pub fn to_body(&self) -> String {
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        self.put_inner(object.open("error"), false);
        object.end();
        text
    }

    fn put_inner(&self, out: &mut String, with_headers: bool) {
        let mut inner = ObjectWriter::begin(out);
        inner.field("message", &self.message).nullable("type", &self.kind);
        inner.nullable("param", &self.param).nullable("code", &self.code);
        inner.field("resets_at", &self.resets_at);
        if let Some(headers) = self.headers().filter(|_| with_headers) {
            inner.raw("headers", &headers);
        }
        inner.end();
    }

    /// Whole seconds, never less than asked for: what every client understands.
    fn headers(&self) -> Option<String> {
        self.wait.map(|wait| format!(r#"{{"retry-after":"{}"}}"#, wait.as_millis().div_ceil(1000)))
    }

    /// Whether it is how servers without WebSocket answer an upgrade.
    pub fn says_no_websocket(&self) -> bool {
        matches!(self.status, Some(400 | 404 | 405 | 426 | 501))
    }

    /// Whether it is about the response a request goes on from. Not every server has the code for it.
    pub(crate) fn is_about_the_parent(&self) -> bool {
        let param = matches!(self.param.as_deref(), Some("previous_response_id" | "response_id"));
        let status = matches!(self.status, Some(400 | 404) | None);
        self.code.as_deref() == Some("previous_response_not_found") || (param && status)
    }

    /// What the error means for the next step.
    pub fn meaning(&self) -> &'static Meaning {
        table::meaning(self.code.as_deref(), self.kind.as_deref(), self.status)
    }
}

/// As the `error` object of a response.
impl Write for ApiError {
    fn write(&self, out: &mut String) {
        self.put_inner(out, false);
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        let facts = [self.code.as_deref().or(self.kind.as_deref()), self.request_id.as_deref()];
        let mut facts = facts.into_iter().flatten().peekable();
        if facts.peek().is_some() {
            write!(f, " ({})", facts.collect::<Vec<_>>().join(", request "))?;
        }
        Ok(())
    }
}

/// A message as it may be shown: what steers a terminal is no part of it, nor is a page.
fn shown(message: &str) -> Box<str> {
    const MAX_MESSAGE: usize = 2000;
    let begins_with =
        |tag: &str| message.trim_start().get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag));
    if begins_with("<html") || begins_with("<!doctype") {
        return "a web page in place of an answer: check base_url, and what stands before the server".into();
    }
    let plain: String = message.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    shortened(plain.trim(), MAX_MESSAGE).into()
}

fn status(text: Option<&str>) -> Option<u16> {
    text?.parse().ok().filter(|status| (100..1000).contains(status))
}

/// A string field; a number where a string should be is taken as text.
fn lossy(text: Option<&str>) -> Option<Box<str>> {
    plain(text?).map(Into::into)
}

fn plain(text: &str) -> Option<Cow<'_, str>> {
    match text.as_bytes().first()? {
        b'"' => Cow::read(text).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> ApiError {
        ApiError::from_event(&Object::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn nested_and_flat_errors_read_the_same() {
        let nested = event(r#"{"type":"error","error":{"type":"t","code":"c","message":"m","param":"p"}}"#);
        let flat = event(r#"{"type":"error","code":"c","message":"m","param":"p","sequence_number":3}"#);
        assert_eq!((nested.code, nested.message, nested.param), (flat.code, flat.message, flat.param));
        assert_eq!(nested.kind.as_deref(), Some("t"));
        assert_eq!(flat.kind, None);
    }

    #[test]
    fn the_status_has_two_names_and_the_headers_two_places() {
        for text in [
            r#"{"type":"error","status":429,"headers":{"retry-after":"2"},"error":{"message":"m"}}"#,
            r#"{"type":"error","status_code":429,"error":{"message":"m","headers":{"Retry-After":2}}}"#,
        ] {
            let error = event(text);
            assert_eq!((error.status, error.wait), (Some(429), Some(Duration::from_secs(2))), "{text}");
        }
    }

    #[test]
    fn any_body_of_any_middlebox_becomes_a_message() {
        let none = std::iter::empty;
        assert!(ApiError::from_http(502, none(), b"<html>bad gateway</html>").message.starts_with("a web page"));
        assert_eq!(&*ApiError::from_http(502, none(), b"bad\x1b[31m gateway").message, "bad [31m gateway");
        assert_eq!(&*ApiError::from_http(500, none(), br#"{"detail":"no such model"}"#).message, "no such model");
        assert_eq!(&*ApiError::from_http(500, none(), br#"{"error":"boom"}"#).message, "boom");
        assert!(ApiError::from_http(503, none(), b"").message.contains("503"));
        assert!(ApiError::from_http(500, none(), &[b'x'; 5000]).message.len() < 400);
        assert_eq!(&*ApiError::from_http(500, none(), &[0xff, 0xfe]).message, "\u{fffd}\u{fffd}");
    }

    #[test]
    fn what_is_reported_is_read_back_the_same() {
        let wait = Some(Duration::from_millis(1500));
        let error = ApiError { wait, ..ApiError::report(429, Some("slow_down"), Some("model"), "later") };
        let seen = event(&error.to_event(None));
        assert_eq!(seen, ApiError { wait: Some(Duration::from_secs(2)), ..error.clone() });
        let seen = ApiError::from_http(429, std::iter::empty(), error.to_body().as_bytes());
        assert_eq!(seen, ApiError { wait: None, ..error });
    }

    #[test]
    fn the_request_id_is_kept_and_shown() {
        let headers = [("X-Request-Id", "req_7")].into_iter();
        let error = ApiError::from_http(400, headers, br#"{"error":{"message":"bad","code":"invalid_value"}}"#);
        assert_eq!(error.to_string(), "bad (invalid_value, request req_7)");
    }
}
