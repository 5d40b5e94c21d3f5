//! A request without its input, made ready once and used for many turns.

use std::sync::Arc;

use super::{Fingerprint, Request};
use crate::id::{LaneId, ResponseId};
use crate::item::Item;
use crate::json::{Json, Object, ObjectWriter, Write};

/// Everything a turn asks for besides its items, rendered and fingerprinted once.
///
/// Continuing a chain of a hundred thousand items then costs the new items and one copy of this text.
#[derive(Clone)]
pub struct Settings {
    fields: Arc<str>,
    /// What the client says of itself: changes from turn to turn, and is no part of the fingerprint.
    metadata: Option<Json>,
    fingerprint: Fingerprint,
    store: bool,
}

impl Settings {
    /// Takes the settings of a request. Its input, what it goes on from and how it travels are the chain's business and
    /// are left out; so is `conversation`, because a chain keeps the conversation itself, and the service takes only one.
    pub fn new(request: &Request) -> Self {
        let mut request = request.clone();
        request.retention.conversation = None;
        let metadata = request.service.client_metadata.take().filter(|metadata| !metadata.is_null());
        let request = &request;
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        request.put_settings(&mut object);
        let fields = text.strip_prefix('{').unwrap_or_default().into();
        Self { fields, metadata, fingerprint: Fingerprint::of(request), store: request.store() }
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
        self.fields.len() + self.metadata.as_ref().map_or(0, |metadata| metadata.text().len())
    }

    /// The same settings, saying one more thing of the client in `client_metadata`. What cannot be added to, because it
    /// is no object, stays as it is.
    #[must_use]
    pub fn with_metadata(&self, key: &str, value: &str) -> Self {
        let mut settings = self.clone();
        let said = self.metadata.as_ref().map_or("{}", Json::text);
        if let Ok(mut object) = Object::split(said) {
            object.take(key);
            let mut text = String::new();
            let mut writer = ObjectWriter::begin(&mut text);
            for (key, value) in object.fields() {
                writer.raw(key, value);
            }
            writer.field(key, value);
            writer.end();
            settings.metadata = Some(Json::trusted(&text));
        }
        settings
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
        let mut text = String::with_capacity(self.bytes() + ask.bytes + Self::FRAME_OVERHEAD);
        let mut object = ObjectWriter::begin(&mut text);
        head(&mut object);
        object.spliced(&self.fields);
        object.field("client_metadata", &self.metadata);
        object.field("previous_response_id", &ask.previous);
        ask.items.write(object.open("input"));
        object.end();
        text
    }

    /// More than the fixed parts of a frame ever take, longest lane and response names aside.
    pub(crate) const FRAME_OVERHEAD: usize = 256;
}

/// What they say is long, and some of it is nobody's business.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("fingerprint", &self.fingerprint)
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(settings: &Settings) -> String {
        settings.post_body(&Ask { previous: None, items: &[], bytes: 0 })
    }

    #[test]
    fn what_is_said_of_the_client_is_added_and_changes_nothing_else() {
        for (before, after) in [
            (r#"{"model":"m"}"#, r#"{"state":"a\"b"}"#),
            (r#"{"model":"m","client_metadata":null}"#, r#"{"state":"a\"b"}"#),
            (r#"{"model":"m","client_metadata":{"x":1,"state":"old"}}"#, r#"{"x":1,"state":"a\"b"}"#),
            (r#"{"model":"m","client_metadata":7}"#, "7"),
        ] {
            let settings = Settings::new(&Request::parse(before).unwrap());
            let more = settings.with_metadata("state", r#"a"b"#);
            assert_eq!(more.fingerprint(), settings.fingerprint());
            let expected = format!(r#"{{"stream":true,"model":"m","client_metadata":{after},"input":[]}}"#);
            assert_eq!(rendered(&more), expected);
            assert!(rendered(&more).len() <= more.bytes() + Settings::FRAME_OVERHEAD);
        }
    }
}
