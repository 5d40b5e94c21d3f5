//! The gate: what is wanted goes in; a permit, a question or a refusal comes out. Nothing that matters is done without a
//! [`Permit`], only a gate makes one, and it makes none before the begin of the act is written down.
//!
//! ```text
//! wanted ─▶ judged ─▶ Permitted ─▶ open ─▶ done ─▶ finish        each way ends in one end in the log
//!             │  ▲
//!             │  └── answered ◀── Asked
//!             └────▶ Refused
//! ```

mod permit;
mod record;

use std::fmt;
use std::time::SystemTime;

use crate::act::{Act, Actor, Hash};
use crate::approval::{Answer, Question, Said, Unheard};
use crate::judge::{Finding, Judgement};
use crate::shown::shown_up_to;
use crate::verdict::Verdict;

use permit::Guard;
pub use permit::{Open, Permit};
pub use record::{Answered, Asked, Begun, Decided, Ended, NotRecorded, Outcome, Receipt, Recorder, Room, Ticket};

/// What a permit can be for: something that is one act, all of it, and stays the same for as long as it is there.
pub trait Bound {
    /// The act that it is.
    fn act(&self) -> Act;

    /// The hash of what the act does not say and that changes what is done: variables, an input, a confinement.
    /// Of no bytes if there is nothing.
    fn rest(&self) -> Hash;
}

impl Bound for Act {
    fn act(&self) -> Act {
        self.clone()
    }

    fn rest(&self) -> Hash {
        Hash::of(&[])
    }
}

/// Which call of which session. Two calls with the same arguments are two calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The session, or whatever else asks: a gateway's connection.
    pub session: String,
    /// The call in it.
    pub id: String,
}

/// Something that somebody wants to do.
#[derive(Debug, Clone)]
pub struct Wanted<A> {
    /// What is to be done, with its exact arguments.
    pub payload: A,
    /// Who wants it.
    pub actor: Actor,
    /// In which call.
    pub call: Call,
    /// Until when an answer is waited for, if somebody is to be asked.
    pub until: SystemTime,
}

/// What the rules say, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// What is to become of the act.
    pub verdict: Verdict,
    /// The rules, grants and findings that led to it, for a person.
    pub by: Vec<String>,
    /// The hash of the rules that held.
    pub policy: Hash,
}

impl From<&Judgement> for Ruling {
    fn from(judgement: &Judgement) -> Self {
        let by = judgement.because().map(|Finding { part, why, rule, .. }| {
            let rule = rule.as_ref().map(|rule| format!(" (rule {rule})")).unwrap_or_default();
            shown_up_to(MAX_SHOWN, &format!("{part}: {why}{rule}"))
        });
        Self { verdict: judgement.verdict, by: by.collect(), policy: judgement.version }
    }
}

/// Who wants what, as it is recorded and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// In which call.
    pub call: Call,
    /// Who.
    pub actor: Actor,
    /// What.
    pub act: Act,
    /// The hash of all of it: equal for equal payloads only.
    pub input: Hash,
}

impl Case {
    fn new<A: Bound>(payload: &A, actor: Actor, call: Call) -> Self {
        let act = payload.act();
        let input = input(&act, payload.rest());
        Self { call, actor, act, input }
    }

    /// The word for the kind of act, as logs have it.
    pub fn what(&self) -> &'static str {
        match self.act {
            Act::Command { .. } => "command",
            Act::Read { .. } => "read",
            Act::Change { .. } => "change",
            Act::Connect { .. } => "connect",
            Act::Tool { .. } => "tool",
            Act::Ask { .. } => "ask",
            Act::Spawn { .. } => "spawn",
        }
    }

    /// What the act is about, for a person: on one line, at most [`MAX_SHOWN`] characters of it, and none that would make
    /// a terminal show something else. What it is exactly, the hash says.
    pub fn on(&self) -> String {
        let text = match &self.act {
            Act::Command { line, .. } => line.clone(),
            Act::Read { paths } => listed(paths.iter().map(|path| path.as_str().to_owned())),
            Act::Change { writes, deletes, .. } => {
                let writes = writes.iter().map(|path| path.as_str().to_owned());
                let deletes = deletes.iter().map(|path| format!("-{}", path.as_str()));
                listed(writes.chain(deletes))
            }
            Act::Connect { host, port } => format!("{host}:{port}"),
            Act::Tool { server, name, .. } => format!("{server}/{name}"),
            Act::Ask { model, .. } => model.clone(),
            Act::Spawn { task } => task.clone(),
        };
        shown_up_to(MAX_SHOWN, &text)
    }
}

/// What an answer and a permit are bound to.
pub(crate) fn input(act: &Act, Hash(of_rest): Hash) -> Hash {
    let Hash(of_act) = act.hash();
    Hash::of(&[of_act, of_rest].concat())
}

/// How many characters of what an act is about are shown and recorded.
pub const MAX_SHOWN: usize = 1000;

fn listed(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// What comes out of a gate.
#[derive(Debug)]
pub enum Gated<A> {
    /// It may be done, once. Its begin is written down.
    Permitted(Permit<A>),
    /// Somebody is to be asked. The question is written down.
    Asked(Question<A>),
    /// It is not done. That is written down.
    Refused(Refusal),
}

/// No, and why. Written out, it is what the one who wanted it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is not done.
    pub case: Case,
    /// Why.
    pub because: Because,
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// The rules say so; those that do.
    Rules(Vec<String>),
    /// Somebody who may answer said no.
    Answer {
        /// Who.
        by: Actor,
        /// Their reason, in their words.
        reason: String,
    },
    /// Nobody answered in time.
    Expiry,
}

impl fmt::Display for Refusal {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} `{}` was not done: ", self.case.what(), self.case.on())?;
        match &self.because {
            Because::Rules(by) if by.is_empty() => to.write_str("nothing allows it; add a rule that does"),
            Because::Rules(by) => write!(to, "{}; do it in another way, or change the rules", by.join("; ")),
            Because::Answer { by, reason } if reason.is_empty() => write!(to, "{} said no", by.name),
            Because::Answer { by, reason } => {
                write!(to, "{} said no: {}", by.name, shown_up_to(MAX_SHOWN, reason))
            }
            Because::Expiry => to.write_str("nobody answered in time; ask again when somebody is there"),
        }
    }
}

/// Where permits are made, and nowhere else.
#[derive(Debug)]
pub struct Gate<R> {
    recorder: R,
}

impl<R: Recorder> Gate<R> {
    /// A gate that writes down what goes through it.
    pub fn new(recorder: R) -> Self {
        Self { recorder }
    }

    /// Judges what is wanted. `judge` is asked about the very act that a permit will be for.
    pub async fn judged<A: Bound>(
        &self,
        wanted: Wanted<A>,
        judge: impl FnOnce(&Actor, &Act) -> Ruling,
    ) -> Result<Gated<A>, NotRecorded> {
        self.judge(wanted, judge, None).await
    }

    /// Judges again what was asked about before a restart: under the rules of today, and without asking twice. `asked`
    /// is the hash of the question that is in the log; if the call has changed since, that question is void and a new
    /// one is asked.
    pub async fn judged_again<A: Bound>(
        &self,
        wanted: Wanted<A>,
        asked: Hash,
        judge: impl FnOnce(&Actor, &Act) -> Ruling,
    ) -> Result<Gated<A>, NotRecorded> {
        self.judge(wanted, judge, Some(asked)).await
    }

    /// What follows from an answer. One that does not count leaves the question open; [`Question::unheard`] says why.
    pub async fn answered<A: Bound>(
        &self,
        question: Question<A>,
        answer: &Answer,
        now: SystemTime,
    ) -> Result<Gated<A>, NotRecorded> {
        let unheard = question.weigh(answer, now);
        self.recorder.answered(Answered { case: question.case(), answer, unheard }).await?;
        match (unheard, answer.said) {
            (None, Said::Yes) => {
                let (payload, case, ruling) = question.into_parts();
                let begun = Begun { case: &case, ruling: &ruling, decided: Decided::Answer(answer) };
                self.permit(payload, begun).await.map(Gated::Permitted)
            }
            (None, Said::No) => {
                let (_, case, ruling) = question.into_parts();
                self.refuse(Begun { case: &case, ruling: &ruling, decided: Decided::Answer(answer) }).await?;
                let because = Because::Answer { by: answer.by.clone(), reason: answer.reason.clone() };
                Ok(Gated::Refused(Refusal { case, because }))
            }
            (Some(Unheard::Late), _) => self.expired(question, now).await,
            (Some(unheard), _) => Ok(Gated::Asked(question.still_open(unheard))),
        }
    }

    /// Refuses what nobody answered in time. A question whose time has not come stays open.
    pub async fn expired<A: Bound>(&self, question: Question<A>, now: SystemTime) -> Result<Gated<A>, NotRecorded> {
        if now < question.until() {
            return Ok(Gated::Asked(question));
        }
        let (_, case, ruling) = question.into_parts();
        self.refuse(Begun { case: &case, ruling: &ruling, decided: Decided::Expiry }).await?;
        Ok(Gated::Refused(Refusal { case, because: Because::Expiry }))
    }

    async fn judge<A: Bound>(
        &self,
        wanted: Wanted<A>,
        judge: impl FnOnce(&Actor, &Act) -> Ruling,
        asked: Option<Hash>,
    ) -> Result<Gated<A>, NotRecorded> {
        let Wanted { payload, actor, call, until } = wanted;
        let case = Case::new(&payload, actor, call);
        let ruling = judge(&case.actor, &case.act);
        let begun = Begun { case: &case, ruling: &ruling, decided: Decided::Rules };
        match ruling.verdict {
            Verdict::Allow => self.permit(payload, begun).await.map(Gated::Permitted),
            Verdict::Ask => {
                if asked != Some(case.input) {
                    self.recorder.asked(Asked { case: &case, ruling: &ruling, until }).await?;
                }
                Ok(Gated::Asked(Question::new(payload, case, ruling, until)))
            }
            Verdict::Deny => {
                self.refuse(begun).await?;
                Ok(Gated::Refused(Refusal { case, because: Because::Rules(ruling.by) }))
            }
        }
    }

    async fn permit<A>(&self, payload: A, begun: Begun<'_>) -> Result<Permit<A>, NotRecorded> {
        let hash = begun.case.input;
        let room = self.recorder.room().await?;
        let (ticket, durable) = room.begin(begun);
        // From here on the act has begun: whoever goes away while it is made durable ends it by this guard.
        let guard = Guard::new(ticket, hash);
        durable.await?;
        Ok(Permit::new(payload, guard))
    }

    async fn refuse(&self, begun: Begun<'_>) -> Result<(), NotRecorded> {
        let (ticket, begun) = self.recorder.room().await?.begin(begun);
        let ended = ticket.end(Ended::without_output(Outcome::Refused));
        begun.await?;
        ended.await
    }
}
