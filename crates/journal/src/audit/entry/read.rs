//! From text to entries.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use policy::act::{Hash, Role};
use responses::json::{Object, Read, WireError};

use super::{
    Answered, Asked, Begun, Case, Ended, Entry, Granted, Opened, Recorded, Revoked, Session, Spent, Torn, Who,
};

impl<'a> Recorded<'a> {
    /// Reads the body of a line.
    pub fn read(body: &'a str) -> Result<Self, WireError> {
        let from = Object::parse(body)?;
        let kind: Cow<'a, str> = from.read("kind")?;
        let entry = match &*kind {
            "opened" => Entry::Opened(Opened {
                version: from.read("version")?,
                pid: from.read("pid")?,
                host: from.read("host")?,
                unsigned: number(&from, "unsigned")?,
            }),
            "begun" => Entry::Begun(
                from.read("act")?,
                Begun {
                    case: case(&from)?,
                    verdict: from.read("verdict")?,
                    by: from.read("by")?,
                    policy: hash(&from, "policy")?,
                },
            ),
            "ended" => Entry::Ended(
                from.read("act")?,
                Ended {
                    outcome: from.read("outcome")?,
                    output: hash(&from, "output")?,
                    spent: from.read::<Option<Spent>>("spent")?.unwrap_or_default(),
                },
            ),
            "asked" => Entry::Asked(Asked { case: case(&from)?, by: from.read("by")?, until: from.read("until")? }),
            "answered" => Entry::Answered(Answered {
                case: case(&from)?,
                answerer: from.read("answerer")?,
                said: from.read("said")?,
                reason: from.read("reason")?,
                unheard: from.read("unheard")?,
            }),
            "granted" => Entry::Granted(Granted {
                grant: from.read("grant")?,
                actor: from.read("actor")?,
                on: from.read("on")?,
                until: from.read("until")?,
            }),
            "revoked" => Entry::Revoked(Revoked { grant: from.read("grant")?, actor: from.read("actor")? }),
            "session" => Entry::Session(Session {
                id: from.read("session")?,
                head: from.read::<Hex>("head")?.0,
                records: from.read("records")?,
            }),
            "torn" => Entry::Torn(Torn {
                file: from.read("file")?,
                at: from.read("byte")?,
                bytes: from.read("bytes")?,
                hash: from.read::<Hex>("hash")?.0,
            }),
            _ => Entry::Other(kind),
        };
        Ok(Self { at: from.read("at")?, entry })
    }
}

fn case<'a>(from: &Object<'a>) -> Result<Case<'a>, WireError> {
    Ok(Case {
        actor: from.read("actor")?,
        session: from.read("session")?,
        call: from.read("call")?,
        what: from.read("what")?,
        on: from.read("on")?,
        input: hash(from, "input")?,
    })
}

fn hash(from: &Object<'_>, key: &'static str) -> Result<Option<Hash>, WireError> {
    Ok(from.read::<Option<Hex>>(key)?.map(|Hex(hash)| hash))
}

/// A number that is left out where it is nothing.
fn number(from: &Object<'_>, key: &'static str) -> Result<u64, WireError> {
    Ok(from.read::<Option<u64>>(key)?.unwrap_or_default())
}

impl<'a> Read<'a> for Who<'a> {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let from = Object::parse(text)?;
        let role: Option<Cow<'_, str>> = from.read("role")?;
        Ok(Self { name: from.read("name")?, role: role.and_then(|role| Role::named(&role)) })
    }
}

impl<'a> Read<'a> for Spent {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let from = Object::parse(text)?;
        Ok(Self {
            tokens: number(&from, "tokens")?,
            micro_dollars: number(&from, "micro_dollars")?,
            nanoseconds: number(&from, "nanoseconds")?,
            calls: number(&from, "calls")?,
            bytes_written: number(&from, "bytes_written")?,
            bytes_deleted: number(&from, "bytes_deleted")?,
        })
    }
}

/// A hash from its text.
struct Hex(Hash);

impl<'a> Read<'a> for Hex {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let digits: Cow<'a, str> = Read::read(text)?;
        let bytes = HEXLOWER.decode(digits.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        let wrong = || WireError::Shape { expected: "64 hexadecimal digits", found: digits.chars().take(40).collect() };
        bytes.map(|bytes| Self(Hash(bytes))).ok_or_else(wrong)
    }
}
