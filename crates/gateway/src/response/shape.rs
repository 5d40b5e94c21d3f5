//! The words of a backend become the events of a response of ours: its id, its numbers, its account of itself.

use std::borrow::Cow;

use responses::chain::RunRequest;
use responses::error::ApiError;
use responses::event::{Body, ServerEvent, Stage};
use responses::fold::{Fold, FoldError, Response};
use responses::id::{CallId, ResponseId};
use responses::item::Item;
use responses::json::{Json, Object, ObjectWriter, Raw, Read, WireError};
use responses::usage::Usage;

use super::account::{self, Account, End, settings};
use super::log::Event;

/// The most bytes the events of one response may have, together.
const MAX_BYTES: usize = 64 << 20;

/// The items of a response have smaller numbers.
const MAX_ITEMS: u32 = 1 << 16;

/// How a response ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ending {
    /// As its backend says.
    Told,
    /// Well, without a backend's word; it cost this.
    Whole(Option<Usage>),
    /// The backend broke off, or never was.
    Failed(ApiError),
    /// For this reason, what is whole stays.
    Early(&'static str),
    /// Nobody wants it.
    Cancelled,
}

/// What became of a backend's event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The response goes on.
    More,
    /// That was the last one, and [`Shape::end`] says what it means.
    Last,
    /// It makes no sense, or is too much.
    Bad(Box<str>),
}

/// A response as it is being made.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    id: ResponseId,
    created_at: u64,
    /// What its account of itself ends with, whatever happens: the settings it was asked with.
    settings: String,
    background: bool,
    /// How far its client was told that it is.
    stage: Option<Stage>,
    sequence: u64,
    bytes: usize,
    /// How many items of ours come before those of the backend.
    own_items: u32,
    fold: Fold,
    /// The items that have begun, and whether they are whole.
    items: Vec<Begun>,
    /// Whether the backend was heard to say anything.
    spoken: bool,
    /// The backend's own last account.
    told: Option<Json>,
    error: Option<Box<ApiError>>,
}

#[derive(Debug, Clone)]
struct Begun {
    index: u32,
    id: Option<Box<str>>,
    whole: bool,
}

impl Shape {
    pub(crate) fn new(id: &ResponseId, created_at: u64, run: &RunRequest, told: &account::Told<'_>) -> Self {
        Self {
            id: id.clone(),
            created_at,
            settings: settings(&run.request, run.previous.as_ref(), told),
            background: run.request.background(),
            stage: None,
            sequence: 0,
            bytes: 0,
            own_items: 0,
            fold: Fold::default(),
            items: Vec::new(),
            spoken: false,
            told: None,
            error: None,
        }
    }

    /// Whether anything was said.
    pub(crate) fn has_begun(&self) -> bool {
        self.stage.is_some()
    }

    /// Whether it was said that somebody makes it.
    pub(crate) fn is_running(&self) -> bool {
        self.stage == Some(Stage::InProgress)
    }

    /// Whether something of an item was told: from here on, nobody else can make this response.
    pub(crate) fn has_items(&self) -> bool {
        self.spoken
    }

    /// Our own account of it: waiting, or on its way.
    pub(crate) fn now(&self, stage: Stage) -> Json {
        self.account(&End::of(stage))
    }

    /// It waits.
    pub(crate) fn queue(&mut self, out: &mut Vec<Event>) {
        if self.stage.is_none() {
            self.stage = Some(Stage::Queued);
            self.say_stage("response.created", Stage::Queued, out);
            self.say_stage("response.queued", Stage::Queued, out);
        }
    }

    /// It runs.
    pub(crate) fn begin(&mut self, out: &mut Vec<Event>) {
        let before = self.stage.replace(Stage::InProgress);
        if before.is_none() {
            self.say_stage("response.created", Stage::InProgress, out);
        }
        self.say_stage("response.in_progress", Stage::InProgress, out);
    }

    fn account(&self, end: &End) -> Json {
        let (id, created_at) = (&self.id, self.created_at);
        Json::of(&Account { id, created_at, background: self.background, settings: &self.settings, end })
    }

    fn say_stage(&mut self, kind: &str, stage: Stage, out: &mut Vec<Event>) {
        let account = self.now(stage);
        self.say(
            kind,
            |object| {
                object.raw("response", account.text());
            },
            out,
        );
    }

    /// How the backend failed, if it did so before it made anything. It is as if it had not been asked.
    pub(crate) fn early_failure(&mut self) -> Option<ApiError> {
        if self.has_items() {
            return None;
        }
        if self.told.is_none() {
            return Some(self.error.take().map_or_else(broke_off, |error| *error));
        }
        let told = self.told.take();
        let end = told.as_ref().and_then(|told| Told::read(told).ok());
        match end {
            Some(Told { stage: Stage::Failed, error, items, .. }) if items.is_empty() => {
                Some(error.unwrap_or_else(broke_off))
            }
            _ => {
                self.told = told;
                None
            }
        }
    }

    /// An item of ours is whole: those of the backend come after it.
    pub(crate) fn after_own_item(&mut self) {
        self.own_items += 1;
        self.spoken = false;
    }

    fn whole_item(&mut self, index: u32, item: &Item, out: &mut Vec<Event>) {
        for kind in ["response.output_item.added", "response.output_item.done"] {
            self.say(
                kind,
                |object| {
                    object.field("output_index", &index).raw("item", item.text());
                },
                out,
            );
        }
        self.items.push(Begun { index, id: item.id().map(Into::into), whole: true });
    }

    /// An event of the backend.
    pub(crate) fn take(&mut self, text: &str, out: &mut Vec<Event>) -> Taken {
        let event = match ServerEvent::parse(text) {
            Ok(event) => event,
            Err(error) => return Taken::Bad(error.to_string().into()),
        };
        match &event.body {
            Body::Response(stage, raw) if stage.is_terminal() => {
                self.told = Json::parse(raw.0).ok();
                return Taken::Last;
            }
            Body::Error(error) => {
                self.error = Some(error.clone());
                return Taken::Last;
            }
            // What its response is like is ours to say. Its limits are those of our key, and nobody else's business.
            // What is said about steers and interrupts is said by the connection.
            Body::Response(..)
            | Body::Aside
            | Body::SteerAccepted { .. }
            | Body::SteerPending { .. }
            | Body::SteerFailed { .. }
            | Body::InterruptAccepted
            | Body::InterruptFailed(_) => return Taken::More,
            Body::ItemAdded(Some(index), _) | Body::ItemDone(Some(index), _) if *index >= MAX_ITEMS => {
                return Taken::Bad(format!("its items are numbered from {index}").into());
            }
            Body::ItemAdded(index, raw) => self.item_begins(*index, *raw, false),
            Body::ItemDone(index, raw) => self.item_begins(*index, *raw, true),
            _ => {}
        }
        if !self.is_running() {
            self.begin(out);
        }
        match self.pass_on(&event, out) {
            Ok(()) if self.bytes <= MAX_BYTES => Taken::More,
            Ok(()) => Taken::Bad(format!("its response has more than {MAX_BYTES} bytes").into()),
            Err(error) => Taken::Bad(error.to_string().into()),
        }
    }

    fn item_begins(&mut self, index: Option<u32>, raw: Raw<'_>, whole: bool) {
        let next = self.items.iter().map(|item| item.index.saturating_add(1)).max().unwrap_or(0);
        let index = index.map_or(next, |index| index.saturating_add(self.own_items));
        match self.items.iter_mut().find(|item| item.index == index) {
            Some(item) => item.whole |= whole,
            None => {
                let id =
                    Object::parse(raw.0).ok().and_then(|item| item.read::<Option<Cow<'_, str>>>("id").ok().flatten());
                self.items.push(Begun { index, id: id.map(|id| id.as_ref().into()), whole });
            }
        }
    }

    fn pass_on(&mut self, event: &ServerEvent<'_>, out: &mut Vec<Event>) -> Result<(), FoldError> {
        let text = event.text().trim();
        let fits = event.sequence == Some(self.sequence) && self.own_items == 0 && !text.contains("\"stream_id\"");
        let text: Box<str> = if fits { text.into() } else { self.renumbered(text)?.into() };
        // Deltas change nothing that is kept.
        if matches!(event.body, Body::ItemAdded(..) | Body::ItemDone(..) | Body::ItemInterrupted(..)) {
            self.fold.push(&ServerEvent::parse(&text)?)?;
        }
        self.spoken = true;
        self.push(&event.kind, text, out);
        Ok(())
    }

    /// The same event with our number, and its item where it is in our response.
    fn renumbered(&self, text: &str) -> Result<String, FoldError> {
        let mut object = Object::parse(text)?;
        object.take("stream_id");
        let number = self.sequence.to_string();
        object.set("sequence_number", &number);
        let index: Option<u32> = object.read("output_index")?;
        let index = index.map(|index| index.saturating_add(self.own_items).to_string());
        if let Some(index) = &index {
            object.set("output_index", index);
        }
        Ok(Json::of(&object).text().to_owned())
    }

    /// The last events, and the response.
    pub(crate) fn end(mut self, ending: &Ending, now: u64, out: &mut Vec<Event>) -> Result<Response, FoldError> {
        let mut end = match ending {
            Ending::Told => self.told_end(out)?,
            Ending::Whole(usage) => End { usage: *usage, ..End::of(Stage::Completed) },
            Ending::Failed(error) => End { error: Some(error.clone()), ..End::of(Stage::Failed) },
            Ending::Early(reason) => {
                if *reason == "interrupted" {
                    self.give_up_items(out);
                }
                let reason = format!(r#"{{"reason":"{reason}"}}"#);
                End { incomplete: Some(reason), ..End::of(Stage::Incomplete) }
            }
            Ending::Cancelled => End { cancelled: true, ..End::of(Stage::Incomplete) },
        };
        end.completed_at = (end.stage == Stage::Completed).then_some(now);
        end.output = self.fold.items().map(|(_, item)| item.clone()).collect();
        let account = self.account(&end);
        let kind = match end.stage {
            Stage::Failed => "response.failed",
            Stage::Incomplete => "response.incomplete",
            _ => "response.completed",
        };
        self.say(
            kind,
            |object| {
                object.raw("response", account.text());
            },
            out,
        );
        self.fold.finish()
    }

    /// What the backend said last. Items that it only names there begin and end now.
    fn told_end(&mut self, out: &mut Vec<Event>) -> Result<End, FoldError> {
        let Some(told) = self.told.take() else {
            let error = self.error.take().map_or_else(broke_off, |error| *error);
            return Ok(End { error: Some(error), ..End::of(Stage::Failed) });
        };
        let Told { stage, error, items, incomplete, usage, tier } = Told::read(&told)?;
        let mut free = self.items.iter().map(|item| item.index.saturating_add(1)).max().unwrap_or(self.own_items);
        for item in items {
            let is_told = |told: &Item| {
                let same = |a: Option<&str>, b: Option<&str>| a.is_some() && a == b;
                same(told.id().as_deref(), item.id().as_deref())
                    || same(told.call().as_ref().map(CallId::as_str), item.call().as_ref().map(CallId::as_str))
                    || told.text() == item.text()
            };
            if !self.fold.items().any(|(_, told)| is_told(told)) {
                self.whole_item(free, &item, out);
                free = free.saturating_add(1);
            }
        }
        let error = (stage == Stage::Failed).then(|| error.unwrap_or_else(broke_off));
        Ok(End { error, incomplete, usage, tier, ..End::of(stage) })
    }

    /// What is not whole never will be.
    fn give_up_items(&mut self, out: &mut Vec<Event>) {
        let unfinished: Vec<_> = self.items.extract_if(.., |item| !item.whole).collect();
        let response = self.id.clone();
        for Begun { index, id, .. } in unfinished {
            self.say(
                "response.output_item.interrupted",
                |object| {
                    object.field("response_id", &response).field("item_id", &id).field("output_index", &index);
                },
                out,
            );
        }
    }

    fn say(&mut self, kind: &str, fill: impl FnOnce(&mut ObjectWriter<'_>), out: &mut Vec<Event>) {
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        object.field("type", kind).field("sequence_number", &self.sequence);
        fill(&mut object);
        object.end();
        // Our own events are sound: what cannot be folded is found by the tests.
        if let Ok(event) = ServerEvent::parse(&text) {
            let _ = self.fold.push(&event);
        }
        self.push(kind, text.into(), out);
    }

    fn push(&mut self, kind: &str, text: Box<str>, out: &mut Vec<Event>) {
        self.sequence += 1;
        self.bytes += text.len();
        out.push(Event { kind: kind.into(), text: text.into() });
    }
}

fn broke_off() -> ApiError {
    ApiError::report(502, Some("server_error"), None, "the backend ended without a response: ask again")
}

/// A backend's last account of its response.
struct Told {
    stage: Stage,
    error: Option<ApiError>,
    items: Vec<Item>,
    incomplete: Option<String>,
    usage: Option<Usage>,
    tier: Option<String>,
}

impl Told {
    fn read(told: &Json) -> Result<Self, WireError> {
        let object = Object::parse(told.text())?;
        let status: Option<Cow<'_, str>> = object.read("status").unwrap_or_default();
        let error = object.get("error").filter(|text| text.starts_with('{'));
        let error = error.and_then(|text| ApiError::from_object(text).ok());
        let stage = match status.as_deref() {
            Some("incomplete" | "cancelled") => Stage::Incomplete,
            Some("failed") => Stage::Failed,
            _ if error.is_some() => Stage::Failed,
            _ => Stage::Completed,
        };
        let items: Vec<Raw<'_>> =
            object.get("output").filter(|text| text.starts_with('[')).map(Read::read).transpose()?.unwrap_or_default();
        Ok(Self {
            stage,
            error,
            items: items.into_iter().map(|item| Item::keep(item.0)).collect::<Result<_, _>>()?,
            incomplete: object.get("incomplete_details").filter(|text| text.starts_with('{')).map(Into::into),
            usage: object.read("usage").unwrap_or_default(),
            tier: object.get("service_tier").filter(|text| *text != "null").map(Into::into),
        })
    }
}
