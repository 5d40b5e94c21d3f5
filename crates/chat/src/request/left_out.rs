//! What could not be carried.

use std::fmt;

/// A part of a request that chat completions has no place for. The answer may differ for the lack of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// A field of the request, dotted where it is inside another.
    Field(Box<str>),
    /// A tool that only a server of the Responses API has, by its type.
    Tool(Box<str>),
    /// An item of the conversation, by its type.
    Item(Box<str>),
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, "the field `{name}`"),
            Self::Tool(kind) => write!(f, "the tool `{kind}`"),
            Self::Item(kind) => write!(f, "an item of type `{kind}`"),
        }
    }
}

/// Collects, each thing once.
#[derive(Debug, Default)]
pub(super) struct LeftOuts(Vec<LeftOut>);

impl LeftOuts {
    pub(super) fn field(&mut self, name: &str) {
        self.add(LeftOut::Field(name.into()));
    }

    pub(super) fn tool(&mut self, kind: &str) {
        self.add(LeftOut::Tool(kind.into()));
    }

    pub(super) fn item(&mut self, kind: &str) {
        self.add(LeftOut::Item(kind.into()));
    }

    fn add(&mut self, thing: LeftOut) {
        if !self.0.contains(&thing) {
            self.0.push(thing);
        }
    }

    pub(super) fn into_list(self) -> Vec<LeftOut> {
        self.0
    }
}
