//! What a client sends over a socket.

use std::borrow::Cow;

use crate::id::ResponseId;
use crate::item::Item;
use crate::json::{Json, Object, ObjectWriter, WireError, Write};
use crate::request::{Input, Request};

/// One message of a client.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientFrame {
    /// Make a response. The fields of the request are siblings of `type`.
    Create(Box<Request>),
    /// Say something while a response runs.
    Steer {
        /// The response that runs, or has just ended.
        previous: ResponseId,
        /// What is said.
        input: Input,
    },
    /// Hand answers into a running response.
    Inject {
        /// The response.
        response: ResponseId,
        /// The answers.
        items: Vec<Item>,
    },
    /// End a response; what is whole stays.
    Interrupt {
        /// The response.
        response: ResponseId,
    },
    /// Stop a response. Capstan's own.
    Cancel {
        /// The response.
        response: ResponseId,
    },
    /// Go on listening to a response, wherever it was begun. Capstan's own.
    Resume {
        /// The response.
        response: ResponseId,
        /// The last event that was heard; none, to hear all of them.
        after: Option<u64>,
        /// On which lane, as in a request.
        lane: Option<Json>,
    },
    /// A message this version does not know, whole.
    Unknown {
        /// Its type.
        kind: Box<str>,
        /// All of it.
        raw: Json,
    },
}

impl ClientFrame {
    /// Reads a message.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        let mut object = Object::parse(text)?;
        let kind: Cow<'_, str> = object.read("type")?;
        match &*kind {
            "response.create" => {
                object.take("type");
                Ok(Self::Create(Box::new(Request::from_object(object)?)))
            }
            "response.steer" => {
                Ok(Self::Steer { previous: object.read("previous_response_id")?, input: object.read("input")? })
            }
            "response.inject" => {
                Ok(Self::Inject { response: object.read("response_id")?, items: object.read("input")? })
            }
            "response.interrupt" => Ok(Self::Interrupt { response: object.read("response_id")? }),
            "response.cancel" => Ok(Self::Cancel { response: object.read("response_id")? }),
            "response.resume" => Ok(Self::Resume {
                response: object.read("response_id")?,
                after: object.read("starting_after")?,
                lane: object.get("stream_id").map(Json::trusted),
            }),
            _ => Ok(Self::Unknown { kind: (&*kind).into(), raw: Json::trusted(text.trim()) }),
        }
    }
}

impl Write for ClientFrame {
    fn write(&self, out: &mut String) {
        if let Self::Unknown { raw, .. } = self {
            return raw.write(out);
        }
        let mut object = ObjectWriter::begin(out);
        match self {
            Self::Create(request) => {
                object.field("type", "response.create");
                request.put_fields(&mut object);
            }
            Self::Steer { previous, input } => {
                object.field("type", "response.steer").field("previous_response_id", previous).field("input", input);
            }
            Self::Inject { response, items } => {
                object.field("type", "response.inject").field("response_id", response).field("input", items);
            }
            Self::Interrupt { response } => {
                object.field("type", "response.interrupt").field("response_id", response);
                object.field("mode", "discard_partial_items");
            }
            Self::Cancel { response } => {
                object.field("type", "response.cancel").field("response_id", response);
            }
            Self::Resume { response, after, lane } => {
                object.field("type", "response.resume").field("response_id", response);
                object.field("starting_after", after).field("stream_id", lane);
            }
            Self::Unknown { .. } => {}
        }
        object.end();
    }
}
