//! What the server remembers, and what follows from it.

use super::link::LinkId;
use crate::id::ResponseId;
use crate::request::{Fingerprint, Settings};
use crate::transcript::{Generation, Transcript};

/// Where the server keeps what it remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In the memory of one socket: gone with it.
    Link(LinkId),
    /// In its storage: there for any request.
    Server,
}

/// What the server is known to remember of a chain: a response, and everything up to it.
///
/// There is no other way to get one than a response that the server ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub(crate) response: ResponseId,
    pub(crate) scope: Scope,
    pub(crate) generation: Generation,
    /// How many items of the transcript the server has.
    pub(crate) covered: usize,
    pub(crate) fingerprint: Fingerprint,
}

impl Anchor {
    /// The response.
    pub fn response(&self) -> &ResponseId {
        &self.response
    }

    /// How many items of the transcript the server has.
    pub fn covered(&self) -> usize {
        self.covered
    }
}

/// Why everything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhyAll {
    /// The server has nothing yet, or has forgotten.
    NothingThere,
    /// What the server has is in the memory of another line.
    OtherLine,
    /// The transcript was rewritten.
    Rewritten,
    /// The settings changed.
    OtherSettings,
}

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan<'a> {
    /// The items from `from` on; the server has the rest under this name.
    Delta {
        /// The name.
        previous: &'a ResponseId,
        /// The first item it does not have.
        from: usize,
    },
    /// Everything.
    All(WhyAll),
}

/// Decides what to send over `link`. Compares four values; allocates nothing; does not look at the items.
pub fn plan<'a>(anchor: Option<&'a Anchor>, link: LinkId, transcript: &Transcript, settings: &Settings) -> Plan<'a> {
    let Some(anchor) = anchor else { return Plan::All(WhyAll::NothingThere) };
    if anchor.scope != Scope::Server && anchor.scope != Scope::Link(link) {
        return Plan::All(WhyAll::OtherLine);
    }
    if anchor.generation != transcript.generation() {
        return Plan::All(WhyAll::Rewritten);
    }
    if anchor.fingerprint != settings.fingerprint() {
        return Plan::All(WhyAll::OtherSettings);
    }
    Plan::Delta { previous: &anchor.response, from: anchor.covered }
}
