//! An error, as HTTP and a socket carry it.

use std::time::Duration;

use responses::error::ApiError;
use responses::json::ObjectWriter;
use serde::Deserialize;

/// An answer that is an error. Over HTTP it is a status and a body, over a socket an `error` event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The HTTP status, which a socket carries in the event.
    pub status: u16,
    /// The code clients decide by.
    pub code: Option<String>,
    /// The sentence.
    pub message: String,
    /// The field it is about.
    pub param: Option<String>,
    /// Seconds to wait before asking again.
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// An error without hints.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: Some(code.to_owned()), message: message.into(), param: None, retry_after: None }
    }

    /// The same, asking the client to come back after so many seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The same, about one field.
    #[must_use]
    pub(crate) fn about(self, param: &str) -> Self {
        Self { param: Some(param.to_owned()), ..self }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { code: None, ..Self::new(400, "", message) }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self { code: None, ..Self::new(404, "", message) }
    }

    /// The script has no turn of this number.
    pub(crate) fn exhausted(turns: usize, number: usize) -> Self {
        let message = format!("the script has {turns} turns and this would be number {number}");
        Self::new(400, "script_exhausted", message)
    }

    pub(crate) fn stranger() -> Self {
        Self::new(401, "invalid_api_key", "this model demands another key")
    }

    pub(crate) fn forgotten(previous: &str) -> Self {
        Self::new(400, "previous_response_not_found", format!("previous response `{previous}` is not known here"))
            .about("previous_response_id")
    }

    fn error(&self) -> ApiError {
        ApiError {
            wait: self.retry_after.map(Duration::from_secs),
            ..ApiError::report(self.status, self.code.as_deref(), self.param.as_deref(), self.message.as_str())
        }
    }

    /// The body of an HTTP answer.
    pub(crate) fn body(&self) -> String {
        self.error().to_body()
    }

    /// The fields of an `error` event that has a place in a response.
    pub(crate) fn write_in(&self, object: &mut ObjectWriter<'_>) {
        object.field("status", &self.status).field("error", &self.error());
        self.write_headers(object);
    }

    fn write_headers(&self, object: &mut ObjectWriter<'_>) {
        if let Some(seconds) = self.retry_after {
            object.raw("headers", &format!(r#"{{"retry-after":"{seconds}"}}"#));
        }
    }

    /// An `error` event: nested as services send it, or flat as the published schema has it.
    pub(crate) fn event(&self, flat: bool) -> String {
        if !flat {
            return self.error().to_event(None);
        }
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        object.field("type", "error").field("status", &self.status).nullable("code", &self.code);
        object.field("message", &self.message).nullable("param", &self.param);
        self.write_headers(&mut object);
        object.end();
        text
    }
}

#[cfg(test)]
mod tests {
    use responses::json::Object;

    use super::*;

    #[test]
    fn both_shapes_of_an_event_and_the_body_read_as_the_same_error() {
        let refusal = Refusal::new(429, "rate_limit_exceeded", "slow \"down\"").retry_after(2);
        let read = |text: &str| ApiError::from_event(&Object::parse(text).unwrap()).unwrap();
        for error in [read(&refusal.event(false)), read(&refusal.event(true))] {
            assert_eq!(error.status, Some(429));
            assert_eq!(error.code.as_deref(), Some("rate_limit_exceeded"));
            assert_eq!(&*error.message, "slow \"down\"");
            assert_eq!(error.wait, Some(Duration::from_secs(2)));
        }
        assert_eq!(read(&refusal.body()).code.as_deref(), Some("rate_limit_exceeded"));
    }
}
