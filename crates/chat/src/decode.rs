//! Chunks of a chat completion → events of a response.

mod calls;
mod chunk;
mod ending;
mod output;
mod prose;
mod speech;

use std::fmt;

use responses::error::ApiError;
use responses::event::Channel;
use responses::json::ObjectWriter;
use responses::usage::Usage;

use crate::request::{ChatRequest, Names};
use calls::{Calls, Scene};
use chunk::{CallDelta, Chunk, Piece};
use ending::Ending;
pub use output::MAX_RESPONSE_ITEMS;
use output::{Output, too_large};
use prose::{Reader, Said};
use speech::{Source, Speech};

/// How many bytes of text and arguments one response may have. A server that sends more is at fault.
pub const MAX_RESPONSE_BYTES: usize = 64 << 20;

/// The end mark of a stream.
const DONE: &str = "[DONE]";

/// Turns the chunks of one chat completion into the events of one response.
///
/// Push the data of each server-sent event as it comes, the end mark `[DONE]` too, and call [`Decoder::finish`] when
/// the body ends. After the terminal event (completed, incomplete or failed) nothing more is emitted.
pub struct Decoder {
    head: Head,
    names: Names,
    output: Output,
    speech: Option<Speech>,
    calls: Calls,
    /// Finds what a model wrote as text.
    reader: Reader,
    /// Whether anything but thoughts has come.
    has_answered: bool,
    /// The reason the server gave for the end.
    reason: Option<Box<str>>,
    usage: Option<Usage>,
    bytes: usize,
    stage: Stage,
}

/// What every event about the response as a whole repeats.
struct Head {
    id: Box<str>,
    created_at: u64,
    model: Option<Box<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Running,
    Ended,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("id", &self.head.id).field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder for the answer to `request`. The response gets the id `id`, which should be new (`resp_…`): the ids
    /// of its items, and of calls to which the server gives none, are made from it.
    pub fn new(request: &ChatRequest, id: &str, created_at: u64) -> Self {
        Self {
            head: Head { id: id.into(), created_at, model: request.model.clone() },
            names: request.names.clone(),
            output: Output::default(),
            speech: None,
            calls: Calls::default(),
            reader: Reader::new(request.reading),
            has_answered: false,
            reason: None,
            usage: None,
            bytes: 0,
            stage: Stage::Fresh,
        }
    }

    /// Takes the data of one server-sent event: a chunk, an error, or the end mark. A completion that was not streamed
    /// is taken as one chunk. Data that is not a JSON object fails the response, because something of it is lost.
    pub fn push(&mut self, data: &str, emit: impl FnMut(String)) {
        let data = data.trim();
        match (self.stage, data) {
            (Stage::Ended, _) | (_, "") => {}
            (_, DONE) => self.end_by_mark(),
            _ => match Chunk::read(data) {
                Ok(chunk) => self.take(chunk),
                Err(error) => {
                    let message = format!("the server sent a chunk that cannot be read: {error}");
                    self.fail(&ApiError::report(502, Some("server_error"), None, message));
                }
            },
        }
        self.output.drain(emit);
    }

    /// The body has ended. If the server has said why it stopped, the terminal event is emitted; if it has not, the
    /// stream was cut, and nothing is emitted: the caller sees a response without an end, as from any other server.
    pub fn finish(&mut self, emit: impl FnMut(String)) {
        if let (false, Some(reason)) = (self.is_finished(), self.reason.take()) {
            self.end(&Ending::of(&reason));
        }
        self.output.drain(emit);
    }

    /// Whether the terminal event was emitted: nothing that comes later matters.
    pub fn is_finished(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// A server that marks the end need not say why it stopped, if it has said anything but thoughts.
    fn end_by_mark(&mut self) {
        match self.reason.take() {
            Some(reason) => self.end(&Ending::of(&reason)),
            None if self.has_answered || self.reader.holds_answer() => self.end(&Ending::Completed),
            None => {}
        }
    }

    fn take(&mut self, chunk: Chunk<'_>) {
        // The server knows best which model answers.
        if let (Stage::Fresh, Some(model)) = (self.stage, chunk.model) {
            self.head.model = Some(model.into());
        }
        self.begin();
        self.usage = chunk.usage.or(self.usage);
        for piece in chunk.pieces {
            if let Err(error) = self.add(piece) {
                return self.fail(&error);
            }
        }
        if let Some(error) = chunk.error {
            return self.fail(&error);
        }
        if let (None, Some(reason)) = (&self.reason, chunk.finish) {
            self.reason = Some(reason.into());
        }
    }

    fn begin(&mut self) {
        if self.stage == Stage::Fresh {
            self.stage = Stage::Running;
            self.say_response("response.created", "in_progress", &Ending::Completed);
            self.say_response("response.in_progress", "in_progress", &Ending::Completed);
        }
    }

    fn add(&mut self, piece: Piece<'_>) -> Result<(), ApiError> {
        self.bytes = self.bytes.saturating_add(piece.bytes());
        if self.bytes > MAX_RESPONSE_BYTES {
            return Err(too_large(&format!("more than {MAX_RESPONSE_BYTES} bytes")));
        }
        match piece {
            Piece::Text(ref text) => self.reader.push(text, &self.names),
            Piece::Thought(..) | Piece::Refusal(_) => self.reader.interrupt(false, &self.names),
            Piece::Call(_) => self.reader.interrupt(true, &self.names),
        }
        self.say_what_was_read()?;
        self.has_answered |= matches!(piece, Piece::Refusal(_) | Piece::Call(_));
        match piece {
            Piece::Text(_) => Ok(()),
            Piece::Thought(source, text) => self.speak(source, Channel::ReasoningText, &text),
            Piece::Refusal(text) => self.speak(Source::Answer, Channel::Refusal, &text),
            Piece::Call(delta) => {
                self.end_speech("completed");
                let mut scene = Scene { names: &self.names, response: &self.head.id, output: &mut self.output };
                self.calls.take(&delta, &mut scene)
            }
        }
    }

    fn say_what_was_read(&mut self) -> Result<(), ApiError> {
        for said in self.reader.take() {
            self.has_answered |= !matches!(said, Said::Thought(_));
            match said {
                Said::Prose(text) => self.speak(Source::Answer, Channel::OutputText, &text)?,
                Said::Thought(text) => self.speak(Source::Thoughts, Channel::ReasoningText, &text)?,
                Said::Call(call) => {
                    self.end_speech("completed");
                    let (name, arguments) = (Some(call.name.as_ref().into()), call.arguments.into());
                    let delta = CallDelta { name, arguments, ..CallDelta::default() };
                    let mut scene = Scene { names: &self.names, response: &self.head.id, output: &mut self.output };
                    self.calls.take_whole(&delta, &mut scene)?;
                }
            }
        }
        Ok(())
    }

    fn speak(&mut self, source: Source, channel: Channel, text: &str) -> Result<(), ApiError> {
        if self.speech.as_ref().is_some_and(|speech| !speech.goes_on_with(source)) {
            self.end_speech("completed");
        }
        let speech = match &mut self.speech {
            Some(speech) => speech,
            none => {
                let place = self.output.place(source.prefix(), &self.head.id)?;
                none.insert(Speech::begin(source, place, &mut self.output))
            }
        };
        speech.add(channel, text, &mut self.output);
        Ok(())
    }

    fn end_speech(&mut self, status: &str) {
        if let Some(speech) = self.speech.take() {
            speech.end(status, &mut self.output);
        }
    }

    fn end(&mut self, ending: &Ending) {
        if let Ending::Failed(error) = ending {
            return self.fail(error);
        }
        self.begin();
        let is_cut = matches!(ending, Ending::Incomplete(_));
        self.reader.end(is_cut, &self.names);
        if let Err(error) = self.say_what_was_read() {
            return self.fail(&error);
        }
        self.end_speech(if is_cut { "incomplete" } else { "completed" });
        let mut scene = Scene { names: &self.names, response: &self.head.id, output: &mut self.output };
        match std::mem::take(&mut self.calls).end(is_cut, &mut scene) {
            Ok(()) => self.say_end(ending),
            Err(error) => self.fail(&error),
        }
    }

    /// What was not whole is lost: a call of which a part is missing must not be run.
    fn fail(&mut self, error: &ApiError) {
        self.begin();
        self.speech = None;
        self.calls = Calls::default();
        self.say_end(&Ending::Failed(Box::new(error.clone())));
    }

    fn say_end(&mut self, ending: &Ending) {
        self.stage = Stage::Ended;
        let status = ending.status();
        self.say_response(&format!("response.{status}"), status, ending);
    }

    fn say_response(&mut self, kind: &str, status: &str, ending: &Ending) {
        let Self { head, output, usage, .. } = self;
        let items = format!("[{}]", output.items().collect::<Vec<_>>().join(","));
        output.say(kind, |event| {
            let mut response = ObjectWriter::begin(event.open("response"));
            response.field("id", &head.id).field("object", "response").field("created_at", &head.created_at);
            response.field("status", status);
            ending.put(&mut response);
            response.nullable("model", &head.model).raw("output", &items).nullable("usage", usage);
            response.end();
        });
    }
}
