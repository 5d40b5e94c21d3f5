//! The body of `POST /responses` → the body of `POST /chat/completions`.

mod content;
mod fields;
mod left_out;
mod messages;
mod order;
mod reading;
mod tools;

use std::borrow::Cow;

use responses::json::{Json, ObjectWriter, Raw, WireError};
use responses::request::{Input, Request};

pub use left_out::LeftOut;
use left_out::LeftOuts;
use messages::Messages;
pub(crate) use messages::{CAME_AS, OTHER_THOUGHTS};
pub(crate) use reading::Reading;
use tools::Tools;
pub(crate) use tools::{Callee, INPUT, Names, wrapped};

/// Between texts that become one: parts of a message, messages of one turn, what the operator says at the beginning.
const BETWEEN: &str = "\n\n";

/// A request that a server of chat completions takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRequest {
    /// The body of the `POST`. It asks for a stream, with usage at its end.
    pub body: String,
    /// What of the request could not be carried, each thing once, so that the user can be told.
    pub left_out: Vec<LeftOut>,
    pub(crate) model: Option<Box<str>>,
    pub(crate) names: Names,
    pub(crate) reading: Reading,
}

/// Why a request cannot be said in chat completions at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotChat {
    /// The request cannot be read.
    #[error("the request cannot be read: {0}")]
    Wire(#[from] WireError),
    /// It goes on from what only a server of the Responses API remembers.
    #[error("`{0}` needs a server that remembers: leave it out and send the whole conversation as `input`")]
    Remembered(&'static str),
    /// It asks for something that is not an answer: a warm-up.
    #[error("`{0}` has no meaning in chat completions: leave it out")]
    Field(&'static str),
    /// The conversation has an item that chat completions has no words for.
    #[error(
        "an item of type `{0}` cannot be sent as chat completions: leave it out or use a provider of the Responses API"
    )]
    Item(Box<str>),
    /// An answer does not say which call it answers.
    #[error("a `{0}` without `call_id` cannot be sent as chat completions: name the call it answers")]
    Nameless(Box<str>),
    /// A message or an output has a part that does not fit where it is.
    #[error("content of type `{part}` cannot be sent in {place} of chat completions: {instead}")]
    Content {
        /// The type of the part.
        part: Box<str>,
        /// Where it stands.
        place: &'static str,
        /// What to do about it.
        instead: &'static str,
    },
    /// A message has a role that is not known.
    #[error("the role `{0}` is not known: use user, assistant, system or developer")]
    Role(Box<str>),
    /// Two tools would have one name.
    #[error("two tools would both be called `{0}` in chat completions: rename one of them")]
    SameName(Box<str>),
    /// There is nothing to send.
    #[error("the request says nothing: put a message into `input`")]
    Empty,
}

/// Translates a request. The same request always gives the same text, and the messages of a conversation that went on
/// begin with those it had before, so that a server's prefix cache stays whole.
pub fn request(body: &str) -> Result<ChatRequest, NotChat> {
    let mut request = Request::parse(body)?;
    refuse(&request)?;
    let items = request.input.take().map(Input::into_items).unwrap_or_default();
    let mut left_out = LeftOuts::default();

    let mut tools = Tools::collect(&request, &items, &mut left_out)?;
    let choice = tools.choose(request.prompt.tool_choice.as_ref(), &mut left_out);
    let mut messages = Messages::new(&mut left_out);
    messages.operator(request.instructions());
    for item in order::answers_at_once(&items) {
        messages.take(item)?;
    }
    let messages = messages.finish();
    let reading = Reading::of(&request, !tools.is_empty(), choice.as_deref());
    if messages.is_empty() {
        return Err(NotChat::Empty);
    }

    let mut body = String::new();
    let mut object = ObjectWriter::begin(&mut body);
    object
        .field("model", &given(request.model.as_ref()))
        .field("messages", &messages.iter().map(|message| Raw(message)).collect::<Vec<_>>());
    tools.put(choice, &mut object);
    fields::put(&request, !tools.is_empty(), &mut object, &mut left_out);
    object.field("stream", &true).raw("stream_options", r#"{"include_usage":true}"#);
    object.end();

    let model = request.model().map(Cow::into_owned).map(Into::into);
    Ok(ChatRequest { body, left_out: left_out.into_list(), model, names: tools.into_names(), reading })
}

fn refuse(request: &Request) -> Result<(), NotChat> {
    if given(request.previous_response_id.as_ref()).is_some() {
        return Err(NotChat::Remembered("previous_response_id"));
    }
    if given(request.retention.conversation.as_ref()).is_some() {
        return Err(NotChat::Remembered("conversation"));
    }
    if given(request.prompt.prompt.as_ref()).is_some() {
        return Err(NotChat::Remembered("prompt"));
    }
    if !request.generate() {
        return Err(NotChat::Field("generate"));
    }
    Ok(())
}

/// `null` means absent.
fn given(json: Option<&Json>) -> Option<&Json> {
    json.filter(|json| !json.is_null())
}
