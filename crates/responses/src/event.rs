//! What a server sends: one event, over SSE as `data:`, over a socket as a message.
//!
//! An event is read once and borrows from the text it came in, which it keeps: what we do not understand can be
//! passed on byte for byte.

mod body;

use std::borrow::Cow;

use crate::json::{Object, WireError};

pub use body::{At, Body, Channel, Stage};

/// One event of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerEvent<'a> {
    text: &'a str,
    /// Its `type`.
    pub kind: Cow<'a, str>,
    /// The lane it belongs to; none is the default lane.
    pub lane: Option<Cow<'a, str>>,
    /// Its place in its response.
    pub sequence: Option<u64>,
    /// What it says.
    pub body: Body<'a>,
    /// The response it carries, split once for all who ask.
    response: Option<Result<Object<'a>, WireError>>,
}

impl<'a> ServerEvent<'a> {
    /// Reads an event. An unknown type is not an error; one that a response is built from and that lacks its fields is.
    pub fn parse(text: &'a str) -> Result<Self, WireError> {
        let object = Object::parse(text)?;
        let kind: Cow<'a, str> = match object.get("error") {
            // Some servers send the body of an HTTP error as the event.
            Some(error) if error.starts_with('{') && object.get("type").is_none() => Cow::Borrowed("error"),
            _ => object.read("type")?,
        };
        let lane = object.read("stream_id")?;
        let body = Body::read(&kind, &object)?;
        let response = match &body {
            Body::Response(_, raw) => Some(Object::split(raw.0).map_err(|error| error.in_field("response"))),
            _ => None,
        };
        // A number that cannot be read is as good as none: nothing that counts hangs on it.
        let sequence = object.read("sequence_number").unwrap_or_default();
        Ok(Self { text, kind, lane, sequence, body, response })
    }

    /// The exact text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The fields of the response it carries, if it carries one.
    pub(crate) fn response(&self) -> Option<&Result<Object<'a>, WireError>> {
        self.response.as_ref()
    }

    /// The id of the response it carries, if it carries one that has an id.
    pub(crate) fn response_id(&self) -> Option<Cow<'a, str>> {
        self.response()?.as_ref().ok()?.read("id").ok()?
    }
}
