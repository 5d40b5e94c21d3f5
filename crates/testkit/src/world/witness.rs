//! What was seen, and what must hold of it.

use std::collections::BTreeMap;
use std::time::Duration;

use responses::chain::{Notice, Outcome, readable};
use responses::fold::Response;
use responses::id::CallId;
use responses::item::Item;
use responses::json::Object;

use crate::Log;

/// Everything written down about a story.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    pub(crate) trace: Vec<String>,
    pub(crate) violation: Option<String>,
    pub(crate) answered: usize,
    pub(crate) dropped: usize,
    /// The transcript at each moment at which a request left.
    sent: Vec<Vec<String>>,
    /// How often each call was run.
    ran: BTreeMap<CallId, usize>,
    checked: usize,
}

impl Witness {
    pub(crate) fn note(&mut self, at: Duration, what: impl std::fmt::Display) {
        self.trace.push(format!("{:>9.3} s  {what}", at.as_secs_f64()));
    }

    pub(crate) fn violate(&mut self, what: String) {
        self.trace.push(format!("violated: {what}"));
        self.violation.get_or_insert(what);
    }

    pub(crate) fn request_leaves(&mut self, transcript: &[Item]) {
        self.sent.push(bare(transcript));
    }

    /// A tool runs when its call is whole.
    pub(crate) fn run(&mut self, call: &CallId) {
        let times = self.ran.entry(call.clone()).or_default();
        *times += 1;
        if *times > 1 {
            self.violate(format!("{call} ran twice"));
        }
    }

    pub(crate) fn hear(&mut self, at: Duration, notice: &Notice) {
        match notice {
            Notice::Ended { outcome, .. } => {
                self.answered += usize::from(matches!(outcome, Outcome::Answered(_)));
                self.note(at, format_args!("client: ended: {}", brief(outcome)));
            }
            Notice::Dropped { kept, fault, .. } => {
                self.dropped += 1;
                self.note(at, format_args!("client: answer dropped, {kept} items kept: {fault}"));
            }
            Notice::Item { item, .. } => self.note(at, format_args!("client: whole: {item:?}")),
            Notice::Sent { transport, all, items, bytes, .. } => {
                let what = all.map_or("what is new".to_owned(), |why| format!("all ({why:?})"));
                self.note(at, format_args!("client: sends {what} over {transport:?}: {items} items, {bytes} bytes"));
            }
            Notice::Waiting { until, class, fault, .. } => {
                let until = until.since_beginning().as_secs_f64();
                self.note(at, format_args!("client: waits until {until:.3} s ({class:?}): {fault}"));
            }
            other => self.note(at, format_args!("client: {other:?}")),
        }
    }

    /// The model must have seen transcripts as they were when a request left, and nothing else.
    pub(crate) fn check_contexts(&mut self, log: &Log) {
        let seen = log.seen();
        for seen in seen.iter().skip(self.checked) {
            let items = seen.items();
            if !self.sent.contains(&bare(&items)) {
                self.violate(format!(
                    "request {} showed the model what was never the transcript: {items:#?}",
                    seen.number
                ));
            }
            let answered: Vec<CallId> = items.iter().filter_map(Item::answers).collect();
            if let Some(open) = items.iter().filter_map(Item::call).find(|call| !answered.contains(call)) {
                self.violate(format!("request {} was sent with {open} unanswered", seen.number));
            }
        }
        self.checked = seen.len();
    }

    /// What the server gave as an answer is what the transcript ends with.
    pub(crate) fn check_answer(&mut self, log: &Log, response: &Response, transcript: &[Item]) {
        let Some(seen) = log.seen().into_iter().find(|seen| seen.response == *response.id()) else {
            return self.violate(format!("{} was never given by the model", response.id()));
        };
        let mut expected = seen.items();
        expected.extend_from_slice(response.output());
        if bare(&expected) != bare(transcript) {
            self.violate(format!(
                "the transcript is not what the model of {} saw and said: {transcript:#?}",
                response.id()
            ));
        }
    }

    /// No item twice.
    pub(crate) fn check_transcript(&mut self, transcript: &[Item]) {
        let mut texts: Vec<&str> = transcript.iter().map(Item::text).collect();
        texts.sort_unstable();
        if let Some([twice, _]) = texts.array_windows().find(|[a, b]| a == b) {
            self.violate(format!("in the transcript twice: {twice}"));
        }
    }

    /// A call that ran is in the transcript: its work must not be forgotten.
    pub(crate) fn check_runs(&mut self, transcript: &[Item]) {
        let calls: Vec<CallId> = transcript.iter().filter_map(Item::call).collect();
        if let Some(lost) = self.ran.keys().find(|call| !calls.contains(call)).cloned() {
            self.violate(format!("{lost} ran and is not in the transcript"));
        }
    }
}

/// What counts when two conversations are compared. Not the ids of items: a middleman may rotate those, and client and
/// server then know the same item by two names. Nor thoughts that led nowhere: they are not sent again.
fn bare(items: &[Item]) -> Vec<String> {
    let fields = |item: &Item| {
        let object = Object::parse(item.text()).unwrap_or_default();
        let fields = object.fields().filter(|(key, _)| *key != "id");
        fields.map(|(key, value)| [key, value].join(":")).collect::<Vec<_>>().join(",")
    };
    readable(items, true).iter().map(fields).collect()
}

fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(response) => format!("answered by {} with {} items", response.id(), response.output().len()),
        Outcome::CallsFirst(fault) => format!("calls first: {fault}"),
        Outcome::Failed(failure) => format!("failed: {failure}"),
        other => format!("{other:?}"),
    }
}
