//! What is written down, and by whom: the log is elsewhere, here is what it must be able to do.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use super::{Case, Ruling};
use crate::act::Hash;
use crate::approval::{Answer, Said, Unheard};
use crate::budget::Spent;
use crate::verdict::Verdict;

/// Writes down what is begun, asked and answered. What it says is written is still there after a crash of the machine.
pub trait Recorder: Sync {
    /// See [`Room`].
    type Room: Room;

    /// Waits until the log has room for the begin of an act and for its end: for both at once, as two who have room for
    /// one and wait for more wait for ever. Nothing is written by this.
    fn room(&self) -> impl Future<Output = Result<Self::Room, NotRecorded>> + Send;

    /// Writes down that somebody is asked.
    fn asked(&self, asked: Asked<'_>) -> impl Future<Output = Result<(), NotRecorded>> + Send;

    /// Writes down what somebody answered, also if the answer does not count.
    fn answered(&self, answered: Answered<'_>) -> impl Future<Output = Result<(), NotRecorded>> + Send;
}

/// Room in the log for the begin and the end of one act. Unused, it is given back by dropping it.
pub trait Room: Send {
    /// Puts the begin into the log, without waiting. It is durable when the receipt says so; the ticket holds from now
    /// on.
    fn begin(self, begun: Begun<'_>) -> (Box<dyn Ticket>, Receipt);
}

/// Room in the log for the end of one act: ending cannot fail for want of room.
pub trait Ticket: Send {
    /// Puts the end into the log before it returns, without waiting and without a panic: it is called while a panic
    /// unwinds. The receipt only tells when the end is durable; it may be dropped at once.
    fn end(self: Box<Self>, ended: Ended) -> Receipt;
}

/// Ready when something that is in the log already is durable.
#[must_use = "await it to know that the entry is durable, or drop it to say that nobody needs to know"]
pub struct Receipt(Pin<Box<dyn Future<Output = Result<(), NotRecorded>> + Send>>);

impl Receipt {
    /// A receipt that comes when `durable` is ready.
    pub fn new(durable: impl Future<Output = Result<(), NotRecorded>> + Send + 'static) -> Self {
        Self(Box::pin(durable))
    }

    pub(super) fn nothing() -> Self {
        Self::new(std::future::ready(Ok(())))
    }
}

impl Future for Receipt {
    type Output = Result<(), NotRecorded>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Receipt")
    }
}

/// The log cannot be written. What was to begin does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the log cannot be written: {why}; nothing is done that cannot be written down first")]
pub struct NotRecorded {
    /// What is wrong with the log, and what helps.
    pub why: String,
}

/// An act begins, or is refused: then its end follows at once.
#[derive(Debug, Clone, Copy)]
pub struct Begun<'a> {
    /// Who wants what.
    pub case: &'a Case,
    /// What the rules said.
    pub ruling: &'a Ruling,
    /// What decided in the end.
    pub decided: Decided<'a>,
}

/// What decided about an act in the end.
#[derive(Debug, Clone, Copy)]
pub enum Decided<'a> {
    /// The rules alone.
    Rules,
    /// The rules wanted somebody asked, and this is the answer.
    Answer(&'a Answer),
    /// The rules wanted somebody asked, and nobody answered in time.
    Expiry,
}

impl Begun<'_> {
    /// What became of the act.
    pub fn verdict(&self) -> Verdict {
        match self.decided {
            Decided::Rules => self.ruling.verdict,
            Decided::Answer(Answer { said: Said::Yes, .. }) => Verdict::Allow,
            Decided::Answer(Answer { said: Said::No, .. }) | Decided::Expiry => Verdict::Deny,
        }
    }
}

/// Somebody is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Who wants what.
    pub case: &'a Case,
    /// Why somebody is asked.
    pub ruling: &'a Ruling,
    /// Until when an answer is waited for.
    pub until: SystemTime,
}

/// Somebody answered.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// What was asked about.
    pub case: &'a Case,
    /// The answer as it was given.
    pub answer: &'a Answer,
    /// Why it does not count, if it does not.
    pub unheard: Option<Unheard>,
}

/// An act has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// The hash of what came out.
    pub output: Option<Hash>,
    /// What it took.
    pub spent: Spent,
}

impl Ended {
    /// The end of an act from which nothing came and whose cost nobody counted.
    pub fn without_output(outcome: Outcome) -> Self {
        Self { outcome, output: None, spent: Spent::default() }
    }
}

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was done, and says that it went well.
    Done,
    /// It was done, and says that it went wrong.
    Failed,
    /// It was not done: the rules, a person, or whoever was to do it refused.
    Refused,
    /// It was stopped on its way. A part of it may have been done.
    Interrupted,
    /// It was permitted, and nobody did it.
    Abandoned,
    /// The log does not say: the process or the machine went away. A part of it, or all, may have been done.
    Unknown,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Failed, Self::Refused, Self::Interrupted, Self::Abandoned, Self::Unknown];

    /// The word for it, as logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Interrupted => "interrupted",
            Self::Abandoned => "abandoned",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}
