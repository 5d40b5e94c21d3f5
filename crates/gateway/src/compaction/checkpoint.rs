//! What is sealed in a compaction item.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use responses::item::{Content, Item, ItemView, Part};
use responses::json::{Json, Object, ObjectWriter, WireError, Write};
use sha2::{Digest, Sha256};

/// The form of the text. Another number is not read.
const FORM: u64 = 1;

/// What a compaction item holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// What a model wrote of all that is gone.
    pub(crate) summary: String,
    /// Items of the operator: messages, tools, settings.
    pub(crate) standing: Vec<Item>,
    /// The user's newest messages.
    pub(crate) said: Vec<Item>,
    /// Where the turn stands.
    pub(crate) turn: Vec<Item>,
    /// What it was made of; nothing, if it is never met in its place.
    pub(crate) covers: Option<Covers>,
}

impl Checkpoint {
    /// The text to seal. Items are in it as strings: they keep every byte, and may nest as deep as alone.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        object.field("form", &FORM).field("summary", &self.summary);
        for (key, items) in [("standing", &self.standing), ("said", &self.said), ("turn", &self.turn)] {
            object.field(key, &items.iter().map(Item::text).collect::<Vec<_>>());
        }
        object.field("covers", &self.covers);
        object.end();
        text
    }

    /// Reads such a text.
    pub(crate) fn read(text: &str) -> Result<Self, WireError> {
        let object = Object::parse(text)?;
        if object.read::<u64>("form")? != FORM {
            return Err(WireError::Missing { field: "form" });
        }
        let items = |key| -> Result<Vec<Item>, WireError> {
            object.read::<Vec<Cow<'_, str>>>(key)?.iter().map(|item| Item::keep(item)).collect()
        };
        Ok(Self {
            summary: object.read::<Cow<'_, str>>("summary")?.into_owned(),
            standing: items("standing")?,
            said: items("said")?,
            turn: items("turn")?,
            covers: object.read::<Option<Cow<'_, str>>>("covers")?.map(|covers| Covers(covers.into())),
        })
    }
}

/// Which items something was made of: how many, and the last of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Covers(Box<str>);

impl Covers {
    /// Of these.
    pub(crate) fn of(items: &[Item]) -> Self {
        let last = items.last().map_or_else(String::new, |item| HEXLOWER.encode(&gist(item)));
        Self(format!("{}:{last}", items.len()).into())
    }
}

impl Write for Covers {
    fn write(&self, out: &mut String) {
        self.0.write(out);
    }
}

/// What an item says, whatever its id and its spelling: the short and the long form of a message are the same.
pub(super) fn gist(item: &Item) -> [u8; 32] {
    let hash = Sha256::new().chain_update(item.kind().tag().unwrap_or_default()).chain_update("\0");
    let hash = match (item.view(), item.call().or_else(|| item.answers())) {
        (ItemView::Message(message), _) => {
            let hash = hash.chain_update(message.role.as_str()).chain_update("\0");
            match message.content {
                Content::Text(text) => hash.chain_update(&*text),
                Content::Parts(parts) => parts.iter().fold(hash, |hash, part| match part {
                    Part::InputText(part) | Part::OutputText(part) => hash.chain_update(&*part.text),
                    other => hash.chain_update("\0").chain_update(Json::of(other).text()),
                }),
            }
        }
        (_, Some(call)) => hash.chain_update(call.as_str()),
        (_, None) => hash.chain_update(item.text()),
    };
    hash.finalize().into()
}
