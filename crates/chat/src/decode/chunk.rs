//! One chunk, as servers write it, each in its own way.

use std::borrow::Cow;

use responses::error::ApiError;
use responses::json::{Object, Raw, Read, WireError, elements};
use responses::usage::Usage;

use super::speech::Source;

/// What a chunk says.
pub(super) struct Chunk<'a> {
    pub(super) model: Option<Cow<'a, str>>,
    pub(super) pieces: Vec<Piece<'a>>,
    pub(super) finish: Option<Cow<'a, str>>,
    pub(super) usage: Option<Usage>,
    pub(super) error: Option<ApiError>,
}

/// More of the answer.
pub(super) enum Piece<'a> {
    Thought(Source, Cow<'a, str>),
    Text(Cow<'a, str>),
    Refusal(Cow<'a, str>),
    Call(CallDelta<'a>),
}

/// More of a call. Each of the three names may be missing.
#[derive(Debug, Default)]
pub(super) struct CallDelta<'a> {
    pub(super) index: Option<u64>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) arguments: Cow<'a, str>,
}

impl Piece<'_> {
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Thought(_, text) | Self::Text(text) | Self::Refusal(text) => text.len(),
            Self::Call(call) => {
                let names = [&call.id, &call.name].into_iter().flatten().map(|name| name.len());
                names.sum::<usize>() + call.arguments.len()
            }
        }
    }
}

impl<'a> Chunk<'a> {
    pub(super) fn read(data: &'a str) -> Result<Self, WireError> {
        let object = Object::parse(data)?;
        let mut chunk = Self {
            model: text(&object, "model"),
            pieces: Vec::new(),
            finish: None,
            usage: object.get("usage").and_then(usage),
            error: error(&object)?,
        };
        for choice in array(&object, "choices") {
            let choice = Object::parse(choice)?;
            // One answer was asked for.
            if choice.get("index").is_none_or(|index| matches!(index, "0" | "null")) {
                chunk.take_choice(&choice)?;
            }
        }
        Ok(chunk)
    }

    fn take_choice(&mut self, choice: &Object<'a>) -> Result<(), WireError> {
        // A completion that was not streamed has the whole message in place of a part of it.
        let delta = ["delta", "message"].into_iter().find_map(|key| inner(choice, key));
        if let Some(delta) = delta {
            let delta = Object::parse(delta)?;
            self.take_thoughts(&delta);
            self.take_content(&delta);
            self.pieces.extend(text(&delta, "refusal").map(Piece::Refusal));
            self.take_calls(&delta)?;
        }
        self.finish = text(choice, "finish_reason");
        if self.error.is_none() {
            self.error = error(choice)?;
        }
        Ok(())
    }

    /// Servers that write both names write the same text twice.
    fn take_thoughts(&mut self, delta: &Object<'a>) {
        let usual = text(delta, "reasoning_content").map(|text| Piece::Thought(Source::Thoughts, text));
        let other = || text(delta, "reasoning").map(|text| Piece::Thought(Source::OtherThoughts, text));
        let Some(thought) = usual.or_else(other) else { return self.take_details(delta) };
        self.pieces.push(thought);
    }

    /// Thoughts in parts, of several kinds, usually beside the same as one text.
    fn take_details(&mut self, delta: &Object<'a>) {
        for detail in array(delta, "reasoning_details") {
            let Ok(detail) = Object::parse(detail) else { continue };
            let thought = text(&detail, "text").or_else(|| text(&detail, "summary"));
            self.pieces.extend(thought.map(|text| Piece::Thought(Source::OtherThoughts, text)));
        }
    }

    /// Content is text; Mistral's reasoning models send a list of parts.
    fn take_content(&mut self, delta: &Object<'a>) {
        self.pieces.extend(text(delta, "content").map(Piece::Text));
        for part in array(delta, "content") {
            let Ok(part) = Object::parse(part) else { continue };
            self.pieces.extend(text(&part, "text").map(Piece::Text));
            for thought in array(&part, "thinking") {
                let thought = Object::parse(thought).ok().and_then(|thought| text(&thought, "text"));
                self.pieces.extend(thought.map(|text| Piece::Thought(Source::Thoughts, text)));
            }
        }
    }

    fn take_calls(&mut self, delta: &Object<'a>) -> Result<(), WireError> {
        let calls = array(delta, "tool_calls");
        let (is_none, are_several) = (calls.is_empty(), calls.len() > 1);
        for (position, call) in calls.into_iter().enumerate() {
            let call = Object::parse(call)?;
            let mut read = CallDelta::default();
            if let Some(function) = inner(&call, "function") {
                read = function_of(&Object::parse(function)?);
            }
            // Of calls that come together and without numbers, the place is the number.
            let place = are_several.then_some(position as u64);
            read.index = call.get("index").and_then(|index| u64::read(index).ok()).or(place);
            read.id = text(&call, "id");
            self.add_call(read);
        }
        // The old form, of one call. Some servers write a call in both forms.
        if let (true, Some(function)) = (is_none, inner(delta, "function_call")) {
            self.add_call(function_of(&Object::parse(function)?));
        }
        Ok(())
    }

    fn add_call(&mut self, call: CallDelta<'a>) {
        if call.id.is_some() || call.name.is_some() || !call.arguments.is_empty() {
            self.pieces.push(Piece::Call(call));
        }
    }
}

/// The arguments are text that holds JSON; some servers send the JSON itself.
fn function_of<'a>(function: &Object<'a>) -> CallDelta<'a> {
    let arguments = match function.get("arguments") {
        Some(json) if json.starts_with('{') => Cow::Borrowed(json),
        _ => text(function, "arguments").unwrap_or_default(),
    };
    CallDelta { name: text(function, "name"), arguments, ..CallDelta::default() }
}

/// An error in place of a chunk, beside one or in a choice. vLLM has sent it flat, others nest it, some as a mere
/// string.
fn error(object: &Object<'_>) -> Result<Option<ApiError>, WireError> {
    let is_nested = object.get("error").is_some_and(|error| !matches!(error, "null" | "false" | r#""""#));
    let is_flat = ["object", "type"].iter().any(|key| object.get(key) == Some(r#""error""#));
    if !is_nested && !is_flat {
        return Ok(None);
    }
    let mut error = ApiError::from_event(object)?;
    let nested = inner(object, "error").map(Object::parse).transpose()?;
    let code = nested.as_ref().unwrap_or(object).get("code");
    // A status is a number; one in quotes is meant the same way.
    let quoted = code.and_then(|code| code.strip_prefix('"')?.strip_suffix('"')?.parse::<u16>().ok());
    if let Some(status) = quoted {
        error.status = error.status.or(Some(status));
        error.code = None;
    }
    Ok(Some(error))
}

/// A field that is an object.
fn inner<'a>(object: &Object<'a>, key: &str) -> Option<&'a str> {
    object.get(key).filter(|text| text.starts_with('{'))
}

/// A field that is text, and not empty.
fn text<'a>(object: &Object<'a>, key: &str) -> Option<Cow<'a, str>> {
    let text = object.get(key)?;
    Cow::read(text).ok().filter(|text| !text.is_empty())
}

/// A field that is a list.
fn array<'a>(object: &Object<'a>, key: &str) -> Vec<&'a str> {
    object.get(key).filter(|text| text.starts_with('[')).and_then(|text| elements(text).ok()).unwrap_or_default()
}

/// Counts; what is not there, or is no count, is zero.
fn usage(text: &str) -> Option<Usage> {
    let object = inner_object(Raw(text))?;
    let details = |key| inner(&object, key).and_then(|text| inner_object(Raw(text))).unwrap_or_default();
    let (prompt, completion) = (details("prompt_tokens_details"), details("completion_tokens_details"));
    let (input, output) = (count(&object, "prompt_tokens"), count(&object, "completion_tokens"));
    Some(Usage {
        input: input.unwrap_or(0),
        // The second name is DeepSeek's.
        cached: count(&prompt, "cached_tokens").or_else(|| count(&object, "prompt_cache_hit_tokens")).unwrap_or(0),
        cache_written: count(&prompt, "cache_write_tokens").unwrap_or(0),
        output: output.unwrap_or(0),
        reasoning: count(&completion, "reasoning_tokens").unwrap_or(0),
        total: count(&object, "total_tokens").unwrap_or(input.unwrap_or(0).saturating_add(output.unwrap_or(0))),
    })
}

fn inner_object(raw: Raw<'_>) -> Option<Object<'_>> {
    raw.0.starts_with('{').then(|| Object::parse(raw.0).ok())?
}

fn count(object: &Object<'_>, key: &str) -> Option<u64> {
    object.get(key).and_then(|text| u64::read(text).ok())
}
