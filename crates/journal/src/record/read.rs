//! Records from text.

use std::borrow::Cow;

use policy::act::Hash;
use policy::verdict::Verdict;
use responses::item::Item;
use responses::json::{Object, Read, WireError, elements};

use super::act;
use super::{
    Answered, Asked, Begun, Changed, Delta, Effect, Forked, Head, Intent, Outcome, Record, Spent, Stamped, Status,
};
use crate::blobs::unhex;
use crate::sessions::SessionId;

impl Stamped {
    /// Reads the text of a record. Any text has a reading: what is not known here, or not as it should be, is kept.
    pub fn parse(text: &str) -> Self {
        // Items may be as deep as text that is parsed may be, and stand deeper here.
        let object = Object::split(text).unwrap_or_default();
        let at = object.read::<Option<u64>>("at").ok().flatten().unwrap_or_default();
        let kind = object.read::<Option<Cow<'_, str>>>("kind").ok().flatten().unwrap_or_default();
        let record = read(&kind, &object).ok().flatten();
        let unknown = || Record::Unknown { kind: kind.clone().into_owned(), text: text.to_owned() };
        Self { at, record: record.unwrap_or_else(unknown) }
    }
}

fn read(kind: &str, object: &Object<'_>) -> Result<Option<Record>, WireError> {
    Ok(Some(match kind {
        "session" => Record::Session(head(object)?),
        "input" => Record::Input { items: items(object)? },
        "output" => Record::Output { response: object.read("response")?, items: items(object)? },
        "begun" => Record::Begun(begun(object)?),
        "ended" => Record::Ended { permit: text(object, "permit")?, how: text(object, "how")? },
        "intent" => Record::Intent(intent(object)?),
        "outcome" => Record::Outcome(outcome(object)?),
        "asked" => Record::Asked(Asked {
            question: text(object, "question")?,
            call: object.read("call")?,
            act: object.read::<Hex>("act")?.0,
            text: text(object, "text")?,
        }),
        "answered" => Record::Answered(Answered {
            question: text(object, "question")?,
            answer: text(object, "answer")?,
            by: text(object, "by")?,
        }),
        "compacted" => Record::Compacted { generation: object.read("generation")?, items: items(object)? },
        "route" => Record::Route { way: text(object, "way")?, why: text(object, "why")? },
        "wait" => Record::Wait { why: text(object, "why")?, until: object.read("until")? },
        "waited" => Record::Waited { how: text(object, "how")? },
        "usage" => Record::Usage(Spent {
            response: object.read("response")?,
            model: object.read::<Option<Cow<'_, str>>>("model")?.map(Cow::into_owned),
            usage: object.read("usage")?,
            cost: object.read("cost")?,
        }),
        "delta" => Record::Delta(Delta { response: object.read("response")?, parts: parts(object)? }),
        "title" => Record::Title(text(object, "text")?),
        "torn" => {
            Record::Torn { offset: object.read("offset")?, bytes: object.read("bytes")?, text: text(object, "text")? }
        }
        _ => return Ok(None),
    }))
}

fn begun(object: &Object<'_>) -> Result<Begun, WireError> {
    Ok(Begun {
        permit: text(object, "permit")?,
        call: object.read("call")?,
        actor: act::actor(object.get("actor").unwrap_or("null"))?,
        act: object.get("act").and_then(|text| act::read(text).ok()),
        input: object.read::<Hex>("input")?.0,
        ruled: verdict(object, "ruled")?,
        verdict: verdict(object, "verdict")?,
        by: object
            .read::<Option<Vec<Cow<'_, str>>>>("by")?
            .unwrap_or_default()
            .into_iter()
            .map(Cow::into_owned)
            .collect(),
        policy: object.read::<Hex>("policy")?.0,
    })
}

/// A word that is not known here says the worst.
fn verdict(object: &Object<'_>, key: &'static str) -> Result<Verdict, WireError> {
    Ok(Verdict::named(&object.read::<Cow<'_, str>>(key)?).unwrap_or(Verdict::Deny))
}

fn head(object: &Object<'_>) -> Result<Head, WireError> {
    Ok(Head {
        format: object.read("format")?,
        version: text(object, "version")?,
        id: object.read("id")?,
        cwd: text(object, "cwd")?,
        forked: object.read("forked")?,
    })
}

fn intent(object: &Object<'_>) -> Result<Intent, WireError> {
    Ok(Intent {
        call: object.read("call")?,
        tool: text(object, "tool")?,
        arguments: object.read::<Hex>("arguments")?.0,
        effect: Effect::of(&object.read::<Cow<'_, str>>("effect")?),
        key: object.read::<Option<Cow<'_, str>>>("key")?.map(Cow::into_owned),
        cwd: text(object, "cwd")?,
        policy: text(object, "policy")?,
    })
}

fn outcome(object: &Object<'_>) -> Result<Outcome, WireError> {
    let output = object.get("output").filter(|text| *text != "null");
    Ok(Outcome {
        call: object.read("call")?,
        status: Status::of(&object.read::<Cow<'_, str>>("status")?),
        output: output.map(Item::keep).transpose()?,
        exit: object.read("exit")?,
        truncated: object.read::<Option<bool>>("truncated")?.unwrap_or_default(),
        changed: object.read::<Option<Vec<Changed>>>("changed")?.unwrap_or_default(),
    })
}

/// Items as they were, whether or not they have the fields of their kinds.
fn items(object: &Object<'_>) -> Result<Vec<Item>, WireError> {
    let list = object.get("items").ok_or(WireError::Missing { field: "items" })?;
    elements(list)?.into_iter().map(Item::keep).collect()
}

fn parts(object: &Object<'_>) -> Result<Vec<(u64, String)>, WireError> {
    let list = object.get("parts").ok_or(WireError::Missing { field: "parts" })?;
    let part = |element: &str| {
        let [after, text] = elements(element)?.try_into().map_err(|_| WireError::Missing { field: "parts" })?;
        Ok((u64::read(after)?, Cow::read(text)?.into_owned()))
    };
    elements(list)?.into_iter().map(part).collect()
}

fn text(object: &Object<'_>, key: &'static str) -> Result<String, WireError> {
    object.read::<Cow<'_, str>>(key).map(Cow::into_owned)
}

pub(super) struct Hex(pub(super) Hash);

impl<'a> Read<'a> for Hex {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let found = Cow::read(text)?;
        let no_hash = || WireError::Shape { expected: "the 64 digits of a hash", found: found.to_string() };
        unhex(&found).map(Self).ok_or_else(no_hash)
    }
}

impl<'a> Read<'a> for Forked {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let object = Object::parse(text)?;
        Ok(Self {
            from: object.read::<SessionId>("from")?,
            seq: object.read("seq")?,
            hash: object.read::<Hex>("hash")?.0,
        })
    }
}

impl<'a> Read<'a> for Changed {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let object = Object::parse(text)?;
        Ok(Self {
            path: object.read::<Cow<'_, str>>("path")?.into_owned(),
            hash: object.read::<Option<Hex>>("hash")?.map(|Hex(hash)| hash),
        })
    }
}
