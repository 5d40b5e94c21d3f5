//! What an entry of the audit log says. Each is one JSON object; version 1 is readable forever, and what a newer version
//! adds is passed over.

mod read;
mod text;

use std::borrow::Cow;

use policy::act::{Hash, Role};

pub use text::{MAX_BY, MAX_TEXT, Redact};

/// The version that is written.
pub const VERSION: u32 = 1;

/// An entry with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<'a> {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// What.
    pub entry: Entry<'a>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A process began to write here.
    Opened(Opened<'a>),
    /// The act of this name begins, or is refused.
    Begun(Cow<'a, str>, Begun<'a>),
    /// The act of this name has ended.
    Ended(Cow<'a, str>, Ended<'a>),
    /// Somebody is asked.
    Asked(Asked<'a>),
    /// Somebody has answered.
    Answered(Answered<'a>),
    /// Somebody allows something from now on.
    Granted(Granted<'a>),
    /// Somebody takes back what was allowed.
    Revoked(Revoked<'a>),
    /// How far a session has come: with this its own file is bound to this log.
    Session(Session<'a>),
    /// What was found at the end of a file that was never whole, and was cut off.
    Torn(Torn<'a>),
    /// Something that this version does not know, by its kind.
    Other(Cow<'a, str>),
}

impl Entry<'_> {
    /// The word for it in the log.
    pub fn kind(&self) -> &str {
        match self {
            Self::Opened(_) => "opened",
            Self::Begun(..) => "begun",
            Self::Ended(..) => "ended",
            Self::Asked(_) => "asked",
            Self::Answered(_) => "answered",
            Self::Granted(_) => "granted",
            Self::Revoked(_) => "revoked",
            Self::Session(_) => "session",
            Self::Torn(_) => "torn",
            Self::Other(kind) => kind,
        }
    }
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<'a> {
    /// The version of Capstan.
    pub version: Cow<'a, str>,
    /// Its number.
    pub pid: u32,
    /// The machine's name.
    pub host: Cow<'a, str>,
    /// How many records it found that no checkpoint covered: more than none after a crash only.
    pub unsigned: u64,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who<'a> {
    /// The name.
    pub name: Cow<'a, str>,
    /// The role; `None` if this version does not know it.
    pub role: Option<Role>,
}

/// Who wants what, and in which call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case<'a> {
    /// Who.
    pub actor: Who<'a>,
    /// The session.
    pub session: Cow<'a, str>,
    /// The call in it.
    pub call: Cow<'a, str>,
    /// The kind of act: `command`.
    pub what: Cow<'a, str>,
    /// What it is about, for a person.
    pub on: Cow<'a, str>,
    /// The hash of what goes in, all of it.
    pub input: Option<Hash>,
}

/// The begin of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun<'a> {
    /// Who wants what.
    pub case: Case<'a>,
    /// What became of it: `allow` or `deny`.
    pub verdict: Cow<'a, str>,
    /// The rules, grants and answers that led to it.
    pub by: Vec<Cow<'a, str>>,
    /// The hash of the rules that held.
    pub policy: Option<Hash>,
}

/// The end of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended<'a> {
    /// How: `done`, `failed`, `refused`, `interrupted`, `abandoned`, `unknown`.
    pub outcome: Cow<'a, str>,
    /// The hash of what came out.
    pub output: Option<Hash>,
    /// What it took.
    pub spent: Spent,
}

/// What an act took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Tokens read and written.
    pub tokens: u64,
    /// Money, in millionths of a dollar.
    pub micro_dollars: u64,
    /// Time, in nanoseconds.
    pub nanoseconds: u64,
    /// Calls of tools.
    pub calls: u64,
    /// Bytes written to files.
    pub bytes_written: u64,
    /// Bytes of files that were deleted.
    pub bytes_deleted: u64,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Who wants what.
    pub case: Case<'a>,
    /// Why somebody is asked.
    pub by: Vec<Cow<'a, str>>,
    /// Until when an answer is waited for, in milliseconds since 1970.
    pub until: u64,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<'a> {
    /// Who wanted what.
    pub case: Case<'a>,
    /// Who answered.
    pub answerer: Who<'a>,
    /// `yes` or `no`.
    pub said: Cow<'a, str>,
    /// Why, in their words.
    pub reason: Cow<'a, str>,
    /// Why it does not count, if it does not.
    pub unheard: Option<Cow<'a, str>>,
}

/// Something allowed from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted<'a> {
    /// What the grant is called.
    pub grant: Cow<'a, str>,
    /// By whom.
    pub actor: Who<'a>,
    /// What it allows, for a person.
    pub on: Cow<'a, str>,
    /// Until when, in milliseconds since 1970; `None` until it is revoked.
    pub until: Option<u64>,
}

/// Something not allowed any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked<'a> {
    /// The grant.
    pub grant: Cow<'a, str>,
    /// By whom.
    pub actor: Who<'a>,
}

/// How far a session has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session<'a> {
    /// Which.
    pub id: Cow<'a, str>,
    /// The hash of the last line of its log.
    pub head: Hash,
    /// How many records that log has.
    pub records: u64,
}

/// What was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn<'a> {
    /// The file in the audit folder.
    pub file: Cow<'a, str>,
    /// Where it stood.
    pub at: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Their hash.
    pub hash: Hash,
}
