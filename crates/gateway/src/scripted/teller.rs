//! From steps to events, one at a time: what a response is at any moment, without a clock.

use std::collections::VecDeque;
use std::time::Duration;

use responses::error::ApiError;
use responses::json::{ObjectWriter, Raw};
use responses::usage::Usage;

use super::flow::Flow;
use super::item::{Kind, Making, Tell};
use super::script::{Step, script};
use crate::backend::Ask;

/// How many bytes are taken for a token.
const BYTES_OF_A_TOKEN: usize = 4;

/// What comes next.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    Event(String),
    Silence(Duration),
    Failed(Box<ApiError>),
    Ended,
}

/// A response in the making.
#[derive(Debug)]
pub(super) struct Teller {
    head: Head,
    steps: VecDeque<Step>,
    making: Option<Making>,
    /// The items that are over.
    items: Vec<String>,
    usage: Usage,
    limit: Option<u64>,
    pace: Pace,
    is_steered: bool,
    is_over: bool,
    events: Events,
}

/// What a response is known by. The run gives it another id.
#[derive(Debug)]
struct Head {
    /// What all its ids have in common.
    id: String,
    model: Box<str>,
}

/// The silence before a delta.
#[derive(Debug, Default)]
struct Pace {
    time: Duration,
    is_kept: bool,
}

/// Events that were written and not yet told.
#[derive(Debug, Default)]
struct Events {
    next: u64,
    ready: VecDeque<String>,
}

/// Why a response ends.
enum Ending<'a> {
    Completed,
    Incomplete(&'static str),
    Failed { code: &'a str, message: &'a str },
}

impl Tell for Events {
    fn tell(&mut self, kind: &str, fill: impl FnOnce(&mut ObjectWriter<'_>)) {
        let mut text = String::new();
        let mut event = ObjectWriter::begin(&mut text);
        event.field("type", kind).field("sequence_number", &self.next);
        fill(&mut event);
        event.end();
        self.next += 1;
        self.ready.push_back(text);
    }
}

impl Teller {
    pub(super) fn new(ask: &Ask) -> Self {
        let script = script(&ask.items, &ask.request.tools(), &ask.request);
        let mut teller = Self {
            head: Head { id: common_id(ask), model: ask.model.clone() },
            steps: script.steps.into(),
            making: None,
            items: Vec::new(),
            usage: input_usage(ask),
            limit: script.limit,
            pace: Pace::default(),
            is_steered: false,
            is_over: false,
            events: Events::default(),
        };
        if !teller.steps.iter().any(|step| matches!(step, Step::Reject(_))) {
            teller.tell_response("response.created", None);
            teller.tell_response("response.in_progress", None);
        }
        teller
    }

    pub(super) fn next(&mut self) -> Told {
        loop {
            if let Some(event) = self.events.ready.pop_front() {
                return Told::Event(event);
            }
            if self.is_over {
                return Told::Ended;
            }
            if let Some(told) = self.advance() {
                return told;
            }
        }
    }

    pub(super) fn end_early(&mut self) -> bool {
        self.is_steered = !self.is_over;
        self.is_steered
    }

    /// Writes the next events, or gives what is no event.
    fn advance(&mut self) -> Option<Told> {
        let Some(mut making) = self.making.take() else { return self.take_step() };
        if making.flow.is_over() {
            self.end_item(making, "completed");
        } else if let Some(reason) = self.must_end() {
            self.end_item(making, "incomplete");
            self.end(&Ending::Incomplete(reason));
        } else if self.pace.must_be_kept() {
            self.making = Some(making);
            return Some(Told::Silence(self.pace.time));
        } else {
            making.advance(&mut self.events);
            self.usage.output += 1;
            self.usage.reasoning += u64::from(making.is_thought());
            self.making = Some(making);
        }
        None
    }

    fn take_step(&mut self) -> Option<Told> {
        let Some(step) = self.steps.pop_front() else {
            self.end(&Ending::Completed);
            return None;
        };
        let speaks = matches!(step, Step::Item(..));
        if let Some(reason) = self.must_end().filter(|_| speaks || self.is_steered) {
            self.end(&Ending::Incomplete(reason));
            return None;
        }
        match step {
            Step::Item(kind, flow) => self.begin_item(kind, flow),
            Step::Pause(time) => return Some(Told::Silence(time)),
            Step::Pace(time) => self.pace.time = time,
            Step::Fail { code, message } => self.end(&Ending::Failed { code: &code, message: &message }),
            Step::Break => return Some(self.fail(broken_off().into())),
            Step::Reject(error) => return Some(self.fail(error)),
        }
        None
    }

    /// Why nothing more may be said, if so.
    fn must_end(&self) -> Option<&'static str> {
        let is_at_limit = self.limit.is_some_and(|limit| self.usage.output >= limit);
        if self.is_steered { Some("steered") } else { is_at_limit.then_some("max_output_tokens") }
    }

    fn begin_item(&mut self, kind: Kind, flow: Flow) {
        let index = self.items.len();
        let id = format!("{}{index:04x}", self.head.id);
        self.making = Some(Making::begin(kind, flow, id, index as u64, &mut self.events));
    }

    fn end_item(&mut self, making: Making, status: &str) {
        self.items.push(making.end(status, &mut self.events));
    }

    fn end(&mut self, ending: &Ending<'_>) {
        self.is_over = true;
        self.usage.total = self.usage.input + self.usage.output;
        self.tell_response(&format!("response.{}", ending.status()), Some(ending));
    }

    fn fail(&mut self, error: Box<ApiError>) -> Told {
        self.is_over = true;
        Told::Failed(error)
    }

    fn tell_response(&mut self, kind: &str, ending: Option<&Ending<'_>>) {
        let Self { head, items, usage, events, .. } = self;
        events.tell(kind, |event| {
            let mut response = ObjectWriter::begin(event.open("response"));
            response.field("id", &format!("resp_{}", head.id)).field("object", "response");
            response.field("status", ending.map_or("in_progress", Ending::status)).field("model", &head.model);
            response.field("output", &items.iter().map(|item| Raw(item)).collect::<Vec<_>>());
            ending.unwrap_or(&Ending::Completed).put(&mut response);
            response.nullable("usage", &ending.map(|_| *usage));
            response.end();
        });
    }
}

impl Ending<'_> {
    fn status(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed { .. } => "failed",
        }
    }

    /// Writes the two fields of a response that say why.
    fn put(&self, response: &mut ObjectWriter<'_>) {
        if let Self::Failed { code, message } = self {
            let mut error = ObjectWriter::begin(response.open("error"));
            error.field("code", *code).field("message", *message);
            error.end();
        } else {
            response.raw("error", "null");
        }
        if let Self::Incomplete(reason) = self {
            let mut details = ObjectWriter::begin(response.open("incomplete_details"));
            details.field("reason", *reason);
            details.end();
        } else {
            response.raw("incomplete_details", "null");
        }
    }
}

impl Pace {
    /// Whether the silence is still due; said once before each delta.
    fn must_be_kept(&mut self) -> bool {
        self.is_kept = !self.is_kept && !self.time.is_zero();
        self.is_kept
    }
}

fn broken_off() -> ApiError {
    ApiError::report(502, Some("server_error"), None, "the scripted answer broke off, as its script says")
}

/// A guess that is the same every time: what was there before is taken to be cached.
fn input_usage(ask: &Ask) -> Usage {
    let bytes = |items: &[responses::item::Item]| items.iter().map(|item| item.text().len()).sum::<usize>();
    let old = ask.items.len().saturating_sub(ask.new_items);
    let cached = bytes(ask.items.get(..old).unwrap_or_default());
    let tokens = |bytes: usize| (bytes / BYTES_OF_A_TOKEN) as u64;
    Usage { input: tokens(bytes(&ask.items)), cached: tokens(cached), ..Usage::default() }
}

/// The same for the same question, another for each response of a conversation: calls of two responses must differ.
fn common_id(ask: &Ask) -> String {
    let previous = ask.previous.as_ref().map_or("", |previous| previous.as_str());
    let last = ask.items.last().map_or("", |item| item.text());
    let facts = format!("{previous} {} {last}", ask.items.len());
    format!("{:016x}", facts.bytes().fold(0xcbf2_9ce4_8422_2325, fnv_1a))
}

fn fnv_1a(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}
