//! What one user said, ran and was told, and what must hold of it.

use std::collections::{BTreeMap, BTreeSet};

use responses::chain::{TurnId, readable};
use responses::fold::Response;
use responses::id::CallId;
use responses::item::{Item, ItemKind};
use responses::json::Object;
use responses::request::{Request, Settings};
use testkit::Seen;

/// Whose request it is, written where the model's record keeps it and the model does not look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) user: u64,
    pub(crate) turn: u64,
}

impl Tag {
    pub(crate) fn on(self, settings: &Settings) -> Settings {
        settings.with_metadata("user", &self.user.to_string()).with_metadata("turn", &self.turn.to_string())
    }

    fn of(request: &Request) -> Option<Self> {
        let metadata = Object::parse(request.service.client_metadata.as_ref()?.text()).ok()?;
        let number = |key: &str| metadata.get(key)?.trim_matches('"').parse().ok();
        Some(Self { user: number("user")?, turn: number("turn")? })
    }
}

/// What counts of a conversation.
type Bare = Vec<String>;

/// Everything written down about one user.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    user: u64,
    /// What was said, in order.
    said: Vec<Item>,
    /// What of it was said to a running response.
    steers: Vec<Item>,
    /// What the model may come to see, by turn: the transcript as it was when a request left.
    left: BTreeMap<u64, Vec<Bare>>,
    /// What was told to be whole.
    told: BTreeMap<String, ItemKind>,
    /// The calls that were run.
    ran: BTreeSet<CallId>,
    /// Turns that have not ended.
    open: BTreeSet<TurnId>,
    /// How much of the model's record was read.
    read: usize,
}

impl Ledger {
    pub(crate) fn of(user: u64) -> Self {
        Self { user, ..Self::default() }
    }

    pub(crate) fn says(&mut self, items: &[Item]) {
        self.said.extend_from_slice(items);
    }

    pub(crate) fn steers(&mut self, words: Item) {
        self.said.push(words.clone());
        self.steers.push(words);
    }

    /// A steer took no effect: it was not said.
    pub(crate) fn returned(&mut self, items: &[Item]) -> Result<(), String> {
        for item in items {
            let Some(at) = self.said.iter().rposition(|said| said == item) else {
                return Err(format!("a steer came back that was never sent: {item:?}"));
            };
            self.said.remove(at);
        }
        Ok(())
    }

    pub(crate) fn begins(&mut self, turn: Option<TurnId>) {
        self.open.extend(turn);
    }

    pub(crate) fn ends(&mut self, turn: TurnId) -> Result<(), String> {
        if self.open.remove(&turn) { Ok(()) } else { Err(format!("{turn:?} ended twice, or never began")) }
    }

    pub(crate) fn model_may_see(&mut self, turn: u64, transcript: &[Item]) {
        self.left.entry(turn).or_default().push(bare(transcript));
    }

    /// An item is whole. If it is a call, it runs.
    pub(crate) fn item(&mut self, item: &Item) -> Result<(), String> {
        if self.told.insert(bare_item(item), item.kind()).is_some() {
            return Err(format!("told twice: {item:?}"));
        }
        match item.call() {
            Some(call) if !self.ran.insert(call.clone()) => Err(format!("{call} ran twice")),
            _ => Ok(()),
        }
    }

    /// Each request that reached the model is one that left, seen once, and shows it what the transcript was then.
    pub(crate) fn check_seen(&mut self, seen: &[Seen]) -> Result<(), String> {
        for at in self.read..seen.len() {
            let Some(request) = seen.get(at) else { break };
            match Tag::of(&request.request) {
                Some(tag) if tag.user == self.user => self.check_request(tag.turn, request, seen)?,
                Some(_) => {}
                None => return Err(format!("request {} is nobody's", request.number)),
            }
        }
        self.read = seen.len();
        Ok(())
    }

    fn check_request(&mut self, turn: u64, request: &Seen, seen: &[Seen]) -> Result<(), String> {
        let (items, number) = (request.items(), request.number);
        let answered: Vec<CallId> = items.iter().filter_map(Item::answers).collect();
        if let Some(open) = items.iter().filter_map(Item::call).find(|call| !answered.contains(call)) {
            return Err(format!("request {number} was sent with {open} unanswered"));
        }
        let (context, left) = (bare(&items), self.left.entry(turn).or_default());
        if let Some(at) = left.iter().position(|left| *left == context) {
            left.remove(at);
            return Ok(());
        }
        if self.is_successor(request, &items, seen) {
            return Ok(());
        }
        Err(format!("request {number} of turn {turn} showed the model what did not leave for it: {items:#?}"))
    }

    /// A response that was steered has a successor of which the client may never hear, if the line breaks.
    fn is_successor(&self, request: &Seen, items: &[Item], seen: &[Seen]) -> bool {
        let parent = seen.iter().find(|parent| Some(&parent.response) == request.previous.as_ref());
        let is_of_parent = parent.is_some_and(|parent| items.starts_with(&parent.items()));
        let (before, new) = items.split_at(items.len().saturating_sub(request.new_items));
        is_of_parent && !new.is_empty() && new.iter().all(|item| self.steers.contains(item) && !before.contains(item))
    }

    /// What the server gave as an answer is what the transcript ends with. Steers that it holds come after.
    pub(crate) fn check_answer(&self, seen: &[Seen], response: &Response, transcript: &[Item]) -> Result<(), String> {
        let Some(seen) = seen.iter().find(|seen| seen.response == *response.id()) else {
            return Err(format!("{} was never given by the model", response.id()));
        };
        let mut expected = seen.items();
        expected.extend_from_slice(response.output());
        let (expected, mut got) = (bare(&expected), transcript);
        while let Some((last, before)) = got.split_last().filter(|(last, _)| self.steers.contains(last)) {
            if bare(got).len() <= expected.len() {
                break;
            }
            let _ = last;
            got = before;
        }
        if expected == bare(got) {
            return Ok(());
        }
        Err(format!("the transcript is not what the model of {} saw and said: {transcript:#?}", response.id()))
    }

    /// When all is quiet: nothing twice, nothing lost, nothing out of order.
    pub(crate) fn check_transcript(&self, transcript: &[Item]) -> Result<(), String> {
        let mut texts: Vec<&str> = transcript.iter().map(Item::text).collect();
        texts.sort_unstable();
        if let Some([twice, _]) = texts.array_windows().find(|[a, b]| a == b) {
            return Err(format!("in the transcript twice: {twice}"));
        }
        let said: Vec<&Item> = transcript.iter().filter(|item| self.said.contains(item)).collect();
        if said.len() != self.said.len() || said.into_iter().zip(&self.said).any(|(there, said)| there != said) {
            return Err(format!("what was said is lost or out of order: {transcript:#?}"));
        }
        let calls: BTreeSet<CallId> = transcript.iter().filter_map(Item::call).collect();
        if let Some(lost) = self.ran.iter().find(|call| !calls.contains(*call)) {
            return Err(format!("{lost} ran and is not in the transcript"));
        }
        // Thoughts that led nowhere are forgotten; everything else is kept.
        let kept: BTreeSet<String> = transcript.iter().map(bare_item).collect();
        let lost = self.told.iter().find(|(text, kind)| **kind != ItemKind::Reasoning && !kept.contains(*text));
        lost.map_or(Ok(()), |(text, _)| Err(format!("told and lost: {text}")))
    }
}

/// What counts when two conversations are compared. Not the ids of items: a middleman may rotate those, and client and
/// server then know the same item by two names. Nor thoughts that led nowhere: they are not sent again.
fn bare(items: &[Item]) -> Bare {
    readable(items, true).iter().map(bare_item).collect()
}

fn bare_item(item: &Item) -> String {
    let object = Object::parse(item.text()).unwrap_or_default();
    let fields = object.fields().filter(|(key, _)| *key != "id");
    fields.map(|(key, value)| [key, value].join(":")).collect::<Vec<_>>().join(",")
}
