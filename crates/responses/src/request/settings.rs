//! A request without its input, made ready once and used for many turns.

use super::{Fingerprint, Request};
use crate::id::{LaneId, ResponseId};
use crate::item::Item;
use crate::json::{ObjectWriter, Write};

/// Everything a turn asks for besides its items, rendered and fingerprinted once.
///
/// Continuing a chain of a hundred thousand items then costs the new items and one copy of this text.
#[derive(Debug, Clone)]
pub struct Settings {
    fields: Box<str>,
    fingerprint: Fingerprint,
    store: bool,
}

impl Settings {
    /// Takes the settings of a request. Its input, what it goes on from and how it travels are the chain's business and
    /// are left out; so is `conversation`, because a chain keeps the conversation itself, and the service takes only one.
    pub fn new(request: &Request) -> Self {
        let mut request = request.clone();
        request.retention.conversation = None;
        let request = &request;
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        request.put_settings(&mut object);
        let fields = text.strip_prefix('{').unwrap_or_default().into();
        Self { fields, fingerprint: Fingerprint::of(request), store: request.store() }
    }

    /// What the server must have acknowledged before a delta is allowed.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Whether the server is to keep the response.
    pub fn store(&self) -> bool {
        self.store
    }

    /// How many bytes they take on the wire.
    pub fn bytes(&self) -> usize {
        self.fields.len()
    }

    /// Renders a `response.create` frame.
    pub(crate) fn create_frame(&self, lane: Option<&LaneId>, generate: bool, ask: &Ask<'_>) -> String {
        self.render(ask, |object| {
            object.field("type", "response.create");
            object.field("stream_id", &lane);
            if !generate {
                object.field("generate", &false);
            }
        })
    }

    /// Renders the body of a `POST`, answered as server-sent events.
    pub(crate) fn post_body(&self, ask: &Ask<'_>) -> String {
        self.render(ask, |object| {
            object.field("stream", &true);
        })
    }

    fn render(&self, ask: &Ask<'_>, head: impl FnOnce(&mut ObjectWriter<'_>)) -> String {
        let mut text = String::with_capacity(self.fields.len() + ask.bytes + Self::FRAME_OVERHEAD);
        let mut object = ObjectWriter::begin(&mut text);
        head(&mut object);
        object.spliced(&self.fields);
        object.field("previous_response_id", &ask.previous);
        ask.items.write(object.open("input"));
        object.end();
        text
    }

    /// More than the fixed parts of a frame ever take, longest lane and response names aside.
    pub(crate) const FRAME_OVERHEAD: usize = 256;
}

/// The items of one send.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    /// The response they follow, where the server has it.
    pub(crate) previous: Option<&'a ResponseId>,
    /// The items.
    pub(crate) items: &'a [Item],
    /// Their size on the wire.
    pub(crate) bytes: usize,
}
