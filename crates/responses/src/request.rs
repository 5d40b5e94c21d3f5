//! What a client asks for: the body of `POST /responses`, and of a `response.create` frame, which is the same, flat.
//!
//! Each field keeps its exact text. The groups exist because forty fields in one struct hide the few that matter;
//! on the wire all of them are siblings.

mod fingerprint;
mod settings;

use std::borrow::Cow;

use crate::id::ResponseId;
use crate::item::{Item, Role};
use crate::json::{Json, Object, ObjectWriter, Raw, Read, WireError, Write};
use crate::tool_spec::Tool;

pub use fingerprint::Fingerprint;
pub(crate) use settings::Ask;
pub use settings::Settings;

/// The field by which a client names its request, so that asking twice is asking once. Capstan's own: over HTTP it is a
/// header.
pub const IDEMPOTENCY_KEY: &str = "idempotency_key";

/// A request, each field as it came. `null` is kept, and means absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// Which model.
    pub model: Option<Json>,
    /// What is said to it: a string, or items.
    pub input: Option<Input>,
    /// The response it goes on from.
    pub previous_response_id: Option<Json>,
    /// What is kept of it.
    pub retention: Retention,
    /// What the model is told besides the input.
    pub prompt: Prompt,
    /// How it draws its tokens.
    pub sampling: Sampling,
    /// How the service handles the request.
    pub service: Service,
    /// How the answer travels.
    pub delivery: Delivery,
    /// Fields this version does not know, in their order.
    pub extra: Vec<(Box<str>, Json)>,
}

/// The input of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The short form: one user message. Kept as the JSON string it was.
    Text(Json),
    /// Items.
    Items(Vec<Item>),
}

impl Input {
    /// The items; the short form becomes one user message.
    pub fn into_items(self) -> Vec<Item> {
        match self {
            Self::Items(items) => items,
            Self::Text(text) => {
                let text = text.read::<Cow<'_, str>>().unwrap_or_default();
                vec![Item::message(&Role::User, &text)]
            }
        }
    }
}

impl<'a> Read<'a> for Input {
    fn read(text: &'a str) -> Result<Self, WireError> {
        match text.as_bytes().first() {
            Some(b'"') => Ok(Self::Text(Json::trusted(text))),
            Some(b'[') => Ok(Self::Items(Read::read(text)?)),
            _ => Err(WireError::shape("a string or a list of items", text)),
        }
    }
}

impl Write for Input {
    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => text.write(out),
            Self::Items(items) => items.write(out),
        }
    }
}

/// Groups of fields that are siblings on the wire.
macro_rules! group {
    ($(#[$doc:meta])* pub struct $Name:ident { $( $(#[$fdoc:meta])* $field:ident ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $Name { $( $(#[$fdoc])* pub $field: Option<Json>, )* }

        impl $Name {
            fn take(object: &mut Object<'_>) -> Self {
                Self { $( $field: object.take(stringify!($field)).map(Json::trusted), )* }
            }

            fn put(&self, object: &mut ObjectWriter<'_>) {
                $( object.field(stringify!($field), &self.$field); )*
            }
        }
    };
}

group! {
    /// What is kept of a request and its response.
    pub struct Retention {
        /// The conversation both become part of.
        conversation,
        /// Whether the server keeps the response; absent means yes.
        store,
    }
}

group! {
    /// What the model is told besides the input.
    pub struct Prompt {
        /// The operator's text. Not inherited from the previous response.
        instructions,
        /// A stored template.
        prompt,
        /// The tools on offer.
        tools,
        /// Which of them may or must be used.
        tool_choice,
        /// Whether several calls may be made at once.
        parallel_tool_calls,
        /// How many hosted calls may be made.
        max_tool_calls,
        /// How hard to think, and what to show of it.
        reasoning,
        /// The form of the answer.
        text,
        /// What else to send back.
        include,
        /// When the server compacts by itself.
        context_management,
        /// What to do when it does not fit.
        truncation,
        /// How images are compressed.
        image,
    }
}

group! {
    /// How the model draws its tokens.
    pub struct Sampling {
        /// How freely.
        temperature,
        /// From how much of the distribution.
        top_p,
        /// How many alternatives to report.
        top_logprobs,
        /// How many at most.
        max_output_tokens,
    }
}

group! {
    /// How the service handles the request.
    pub struct Service {
        /// How fast, for how much.
        service_tier,
        /// Where its prefix is cached.
        prompt_cache_key,
        /// How its prefix is cached.
        prompt_cache_options,
        /// How long, old form.
        prompt_cache_retention,
        /// Whose request it is, hashed.
        safety_identifier,
        /// Whose request it is, old form.
        user,
        /// The caller's own labels.
        metadata,
        /// Moderation in the same request.
        moderation,
        /// Programmes the organisation is in.
        access_programs,
        /// What the client says of itself.
        client_metadata,
    }
}

group! {
    /// How the answer travels.
    pub struct Delivery {
        /// As server-sent events. Ignored on a socket.
        stream,
        /// Details of that.
        stream_options,
        /// Not at all: poll for it.
        background,
        /// Whether the model says anything; `false` is a warm-up. On a socket only.
        generate,
        /// On which lane. On a socket only.
        stream_id,
    }
}

impl Request {
    /// Reads a request, and checks the fields that are looked into.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        Self::from_object(Object::parse(text)?)
    }

    pub(crate) fn from_object(mut object: Object<'_>) -> Result<Self, WireError> {
        let request = Self {
            model: object.take("model").map(Json::trusted),
            input: Option::read_field(object.take("input"), "input")?,
            previous_response_id: object.take("previous_response_id").map(Json::trusted),
            retention: Retention::take(&mut object),
            prompt: Prompt::take(&mut object),
            sampling: Sampling::take(&mut object),
            service: Service::take(&mut object),
            delivery: Delivery::take(&mut object),
            extra: object.fields().map(|(key, value)| (key.into(), Json::trusted(value))).collect(),
        };
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), WireError> {
        check::<Cow<'_, str>>(self.model.as_ref(), "model")?;
        check::<Cow<'_, str>>(self.prompt.instructions.as_ref(), "instructions")?;
        check::<Cow<'_, str>>(self.previous_response_id.as_ref(), "previous_response_id")?;
        check::<bool>(self.retention.store.as_ref(), "store")?;
        check::<bool>(self.delivery.stream.as_ref(), "stream")?;
        check::<bool>(self.delivery.background.as_ref(), "background")?;
        check::<bool>(self.delivery.generate.as_ref(), "generate")?;
        check::<Vec<Tool<'_>>>(self.prompt.tools.as_ref(), "tools")
    }

    /// The model, if it is named.
    pub fn model(&self) -> Option<Cow<'_, str>> {
        lenient(self.model.as_ref())
    }

    /// The operator's text.
    pub fn instructions(&self) -> Option<Cow<'_, str>> {
        lenient(self.prompt.instructions.as_ref())
    }

    /// The tools on offer.
    pub fn tools(&self) -> Vec<Tool<'_>> {
        lenient(self.prompt.tools.as_ref()).unwrap_or_default()
    }

    /// The response it goes on from.
    pub fn previous_response_id(&self) -> Option<ResponseId> {
        lenient(self.previous_response_id.as_ref())
    }

    /// Whether the server is to keep the response.
    pub fn store(&self) -> bool {
        lenient(self.retention.store.as_ref()).unwrap_or(true)
    }

    /// Whether the model is to say anything.
    pub fn generate(&self) -> bool {
        // Over HTTP a warm-up has another name.
        let options = lenient::<Raw<'_>>(self.service.prompt_cache_options.as_ref());
        let prewarm =
            options.and_then(|options| Object::parse(options.0).ok()?.read::<Option<bool>>("prewarm").ok()?);
        prewarm != Some(true) && lenient(self.delivery.generate.as_ref()).unwrap_or(true)
    }

    /// Whether the answer is to come as server-sent events.
    pub fn stream(&self) -> bool {
        lenient(self.delivery.stream.as_ref()).unwrap_or(false)
    }

    /// Whether the answer is to be polled for.
    pub fn background(&self) -> bool {
        lenient(self.delivery.background.as_ref()).unwrap_or(false)
    }

    /// Everything but the input, what it goes on from, and how the answer travels.
    pub(crate) fn put_settings(&self, object: &mut ObjectWriter<'_>) {
        object.field("model", &self.model);
        self.retention.put(object);
        self.prompt.put(object);
        self.sampling.put(object);
        self.service.put(object);
        for (key, value) in &self.extra {
            object.field(key, value);
        }
    }
}

impl Write for Request {
    fn write(&self, out: &mut String) {
        let mut object = ObjectWriter::begin(out);
        self.put_fields(&mut object);
        object.end();
    }
}

impl Request {
    pub(crate) fn put_fields(&self, object: &mut ObjectWriter<'_>) {
        self.put_settings(object);
        object.field("previous_response_id", &self.previous_response_id);
        self.delivery.put(object);
        object.field("input", &self.input);
    }
}

fn check<'a, T: Read<'a>>(json: Option<&'a Json>, name: &'static str) -> Result<(), WireError> {
    Option::<T>::read_field(json.map(Json::text), name).map(drop)
}

fn lenient<'a, T: Read<'a>>(json: Option<&'a Json>) -> Option<T> {
    json.filter(|json| !json.is_null())?.read().ok()
}
