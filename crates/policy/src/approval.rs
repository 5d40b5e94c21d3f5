//! Questions and answers. A question holds what it asks about; an answer says to which question, about exactly what.

use std::fmt;
use std::time::SystemTime;

use crate::act::{Act, Actor, Hash, Role};
use crate::decide::{Action, Resource, decide};
use crate::gate::{Bound, Call, Case, Ruling, input};
use crate::verdict::Verdict;

/// Something that waits for a person. It holds what is to be done, and gives it to nobody but a gate with an answer.
#[must_use = "a question that is dropped is never answered"]
pub struct Question<A> {
    payload: A,
    case: Case,
    ruling: Ruling,
    until: SystemTime,
    unheard: Option<Unheard>,
}

impl<A> Question<A> {
    pub(crate) fn new(payload: A, case: Case, ruling: Ruling, until: SystemTime) -> Self {
        Self { payload, case, ruling, until, unheard: None }
    }

    /// Who wants what, with the hash to which an answer must be bound.
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// What is asked about.
    pub fn act(&self) -> &Act {
        &self.case.act
    }

    /// Why somebody is asked: rules and findings, for a person.
    pub fn by(&self) -> &[String] {
        &self.ruling.by
    }

    /// Until when an answer is waited for.
    pub fn until(&self) -> SystemTime {
        self.until
    }

    /// Why the latest answer did not count.
    pub fn unheard(&self) -> Option<Unheard> {
        self.unheard
    }

    /// Why an answer does not count, if it does not.
    pub(crate) fn weigh(&self, answer: &Answer, now: SystemTime) -> Option<Unheard>
    where
        A: Bound,
    {
        // What became something else inside since it was asked about is not what was approved. A no holds for both.
        let now_it_is = || input(&self.payload.act(), self.payload.rest());
        if now >= self.until {
            Some(Unheard::Late)
        } else if answer.call != self.case.call {
            Some(Unheard::OtherCall)
        } else if answer.hash != self.case.input {
            Some(Unheard::Changed)
        } else if !may_answer(answer.by.role) {
            Some(Unheard::MayNot(answer.by.role))
        } else if answer.said == Said::Yes && now_it_is() != self.case.input {
            Some(Unheard::Changed)
        } else {
            None
        }
    }

    pub(crate) fn still_open(self, unheard: Unheard) -> Self {
        Self { unheard: Some(unheard), ..self }
    }

    pub(crate) fn into_parts(self) -> (A, Case, Ruling) {
        (self.payload, self.case, self.ruling)
    }
}

/// Without what is to be done: it may be long, or secret.
impl<A> fmt::Debug for Question<A> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Question")
            .field("call", &self.case.call)
            .field("hash", &self.case.input)
            .finish_non_exhaustive()
    }
}

/// What somebody answered. Whoever hands it to a gate knows that it is from the one it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// To the question about this call.
    pub call: Call,
    /// About exactly this: what the question showed as its hash.
    pub hash: Hash,
    /// From whom.
    pub by: Actor,
    /// Yes or no.
    pub said: Said,
    /// Why, in their words; may be empty.
    pub reason: String,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// Do it, this once.
    Yes,
    /// Do not.
    No,
}

impl Said {
    /// The word for it, as logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
        }
    }
}

/// Why an answer does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unheard {
    /// It is to the question about another call.
    OtherCall,
    /// It is about other arguments than the call has now.
    Changed,
    /// Whoever gave it may not answer.
    MayNot(Role),
    /// It came when the time was over.
    Late,
}

impl fmt::Display for Unheard {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherCall => {
                to.write_str("this answers the question about another call: answer the one that is open")
            }
            Self::Changed => {
                to.write_str("the call is not the one that was approved: look at what it is now, and answer again")
            }
            Self::MayNot(role) => {
                let role = role.name();
                write!(to, "the role {role} may not answer: an owner or a reviewer has to")
            }
            Self::Late => to.write_str("the time for an answer was over: let it be asked again"),
        }
    }
}

/// Whether a role may answer questions. An operator may not: a question shows what others keep secret. Who does the work
/// may not: nobody approves their own.
pub fn may_answer(role: Role) -> bool {
    decide(role, Action::Answer, Resource::Question) == Verdict::Allow
}
