//! What is written into a session: one record a line, as JSON.
//!
//! ```text
//! {"at":1795289538000,"kind":"input","items":[…]}
//! ```
//!
//! `at` is milliseconds since 1970, told by whoever writes. A kind that is not known here, or that lacks the fields of
//! its kind, is kept as the text it is; what is not known of a known kind stays in the text of its line.

mod act;
mod read;
mod words;
mod write;

use policy::act::{Act, Actor, Hash};
use policy::verdict::Verdict;
use responses::id::{CallId, ResponseId};
use responses::item::Item;
use responses::usage::Usage;

use crate::sessions::SessionId;

pub use words::{Effect, Status};

/// The version of the format that is written here. Older ones stay readable.
pub const FORMAT: u32 = 1;

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The session begins; the first record of each.
    Session(Head),
    /// What the user, or somebody for them, said to the model.
    Input {
        /// The items.
        items: Vec<Item>,
    },
    /// What the model said.
    Output {
        /// The response it is part of.
        response: Option<ResponseId>,
        /// The items.
        items: Vec<Item>,
    },
    /// A permit begins: what it is for may happen from here on.
    Begun(Begun),
    /// A permit has ended.
    Ended {
        /// Which.
        permit: String,
        /// How: the word of a [`policy::gate::Outcome`].
        how: String,
    },
    /// A call is about to be run. Nothing of it has happened yet.
    Intent(Intent),
    /// What became of a call.
    Outcome(Outcome),
    /// Somebody is asked for leave.
    Asked(Asked),
    /// The answer.
    Answered(Answered),
    /// The conversation was written anew.
    Compacted {
        /// Which writing this is.
        generation: u64,
        /// All of it.
        items: Vec<Item>,
    },
    /// Which way to the model was taken.
    Route {
        /// The way: `websocket`, `http`.
        way: String,
        /// Why.
        why: String,
    },
    /// Nothing can go on for a while.
    Wait {
        /// Why.
        why: String,
        /// Until when, in milliseconds since 1970, if that is known.
        until: Option<u64>,
    },
    /// The waiting is over.
    Waited {
        /// How: `elapsed`, `cancelled`.
        how: String,
    },
    /// What a response cost.
    Usage(Spent),
    /// Pieces of what the model said, as they came.
    Delta(Delta),
    /// What the session is called.
    Title(String),
    /// What stood at the end of the log and was never whole.
    Torn {
        /// Where it stood in the file.
        offset: u64,
        /// How long it was.
        bytes: u64,
        /// How it began.
        text: String,
    },
    /// Something that is not known here.
    Unknown {
        /// The kind it names, if it names one.
        kind: String,
        /// All of it.
        text: String,
    },
}

/// How a session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The version of the format.
    pub format: u32,
    /// The version of the program.
    pub version: String,
    /// Which session it is.
    pub id: SessionId,
    /// The folder it works in.
    pub cwd: String,
    /// The session whose past it shares.
    pub forked: Option<Forked>,
}

/// Where a session leaves another: it shares what the other says up to and including a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forked {
    /// The other session.
    pub from: SessionId,
    /// The last record of it that is shared.
    pub seq: u64,
    /// The hash of that record, and with it of all before it.
    pub hash: Hash,
}

/// A permit that begins, or a refusal: then its end follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Which.
    pub permit: String,
    /// The call it is for, if it is for one.
    pub call: Option<CallId>,
    /// Who wants it.
    pub actor: Actor,
    /// What is wanted, so that other rules can be tried on it; none if it is too long, or of a kind not known here.
    pub act: Option<Act>,
    /// The hash of all that it is bound to.
    pub input: Hash,
    /// What the rules said, before anybody was asked.
    pub ruled: Verdict,
    /// What became of it.
    pub verdict: Verdict,
    /// The rules and grants that led to it.
    pub by: Vec<String>,
    /// The hash of the rules that held.
    pub policy: Hash,
}

/// A call that is about to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Which call.
    pub call: CallId,
    /// The tool.
    pub tool: String,
    /// The hash of its arguments.
    pub arguments: Hash,
    /// What may have happened if no outcome follows.
    pub effect: Effect,
    /// By what it is recognised if it is done twice.
    pub key: Option<String>,
    /// The folder in which it runs.
    pub cwd: String,
    /// What allowed it.
    pub policy: String,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which call.
    pub call: CallId,
    /// How it ended.
    pub status: Status,
    /// What the model is told.
    pub output: Option<Item>,
    /// The exit code, where there is one.
    pub exit: Option<i64>,
    /// Whether the model is told only a part.
    pub truncated: bool,
    /// The files it changed.
    pub changed: Vec<Changed>,
}

/// A file that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Where it lies.
    pub path: String,
    /// The hash of what it holds now; none if it is gone.
    pub hash: Option<Hash>,
}

/// A question for leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What the answer must name.
    pub question: String,
    /// The call it is about, if it is about one.
    pub call: Option<CallId>,
    /// The hash of the act that leave is asked for.
    pub act: Hash,
    /// The question in words.
    pub text: String,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Which question.
    pub question: String,
    /// `allow`, `deny`.
    pub answer: String,
    /// Who answered.
    pub by: String,
}

/// What a response cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// Which response.
    pub response: Option<ResponseId>,
    /// The model.
    pub model: Option<String>,
    /// Tokens.
    pub usage: Usage,
    /// Millionths of a dollar, if the price is known.
    pub cost: Option<u64>,
}

/// Pieces of what the model said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// The response they are part of.
    pub response: Option<ResponseId>,
    /// Each with how many milliseconds after the record's time it came. Pieces that hold a secret together are one.
    pub parts: Vec<(u64, String)>,
}

/// When a record must be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Before anybody goes on.
    Durable,
    /// Together with the next that must.
    Relaxed,
}

impl Record {
    /// When it must be on the disk. Relaxed is what can be lost without anybody being told something wrong.
    pub fn durability(&self) -> Durability {
        match self {
            Self::Route { .. } | Self::Waited { .. } | Self::Usage(_) | Self::Delta(_) | Self::Title(_) => {
                Durability::Relaxed
            }
            _ => Durability::Durable,
        }
    }
}

/// A record, and when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// Milliseconds since 1970.
    pub at: u64,
    /// What happened.
    pub record: Record,
}
