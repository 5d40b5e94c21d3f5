//! What somebody allowed for longer than once: for whom, where, until when, and by its meaning.
//!
//! A grant turns a question into a yes. It never lifts a denial, and it holds for an act only if it covers all of it:
//! two grants do not add up to what nobody granted.

mod meaning;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use crate::act::Role;
use crate::place::Path;

pub use meaning::{Likeness, Meaning, RunLike, Touch};
pub use text::{DamagedGrants, FORMAT};

/// The most grants there are at a time.
pub const MAX_GRANTS: usize = 512;

/// The most bytes of an id, a name or a reason of a grant.
pub const MAX_GRANT_TEXT: usize = 512;

/// Something that was allowed for longer than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What it is called, to be revoked by: lower-case letters, digits and `-`.
    pub id: String,
    /// Who may use it. What an agent may use its subagents may too; no grant is for them alone.
    pub role: Role,
    /// Which actor, if not every one of the role.
    pub actor: Option<String>,
    /// In which session, if not in every one.
    pub session: Option<String>,
    /// What it is for.
    pub meaning: Meaning,
    /// The workspace folder in which it holds.
    pub place: Path,
    /// The second since 1970 from which on it holds no more.
    pub until: Option<u64>,
    /// How often it may still be used.
    pub uses: Option<u32>,
    /// Who gave it.
    pub given_by: String,
    /// The second since 1970 when it was given.
    pub at: u64,
    /// Why.
    pub reason: String,
}

/// A grant that cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// There are too many.
    #[error("there are {MAX_GRANTS} grants already: revoke some with `capstan policy revoke ID`")]
    Full,
    /// The id is taken.
    #[error("there is a grant {0} already: use another id")]
    Taken(String),
    /// The id cannot be written.
    #[error("a grant's id has lower-case letters, digits and `-`, at most {MAX_GRANT_TEXT}")]
    BadId,
    /// A subagent would be allowed more than its agent.
    #[error("a subagent is never allowed more than its agent: grant it to the agent, for both")]
    ForSubagent,
    /// A text is too long.
    #[error("the {0} of a grant is longer than {MAX_GRANT_TEXT} bytes: shorten it")]
    TooLong(&'static str),
}

/// What an act is, for a grant to hold or not.
pub(crate) struct Asked<'a> {
    pub(crate) role: Role,
    pub(crate) actor: &'a str,
    pub(crate) session: Option<&'a str>,
    pub(crate) meaning: &'a Meaning,
    /// All paths that are touched in the workspace, and the folder in which the act happens.
    pub(crate) inside: &'a [&'a Path],
    pub(crate) now: u64,
}

/// All grants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    all: BTreeMap<String, Grant>,
}

impl Grants {
    /// Adds one.
    pub fn add(&mut self, grant: Grant) -> Result<(), GrantError> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if grant.id.is_empty() || grant.id.len() > MAX_GRANT_TEXT || !grant.id.bytes().all(letter) {
            return Err(GrantError::BadId);
        }
        if grant.role == Role::Subagent {
            return Err(GrantError::ForSubagent);
        }
        let texts = [
            ("actor", grant.actor.as_deref().unwrap_or_default()),
            ("session", grant.session.as_deref().unwrap_or_default()),
            ("giver", &grant.given_by),
            ("reason", &grant.reason),
        ];
        if let Some((what, _)) = texts.iter().find(|(_, text)| text.len() > MAX_GRANT_TEXT) {
            return Err(GrantError::TooLong(what));
        }
        if self.all.contains_key(&grant.id) {
            return Err(GrantError::Taken(grant.id));
        }
        if self.all.len() >= MAX_GRANTS {
            return Err(GrantError::Full);
        }
        self.all.insert(grant.id.clone(), grant);
        Ok(())
    }

    /// All of them in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.all.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Takes one back.
    pub fn revoke(&mut self, id: &str) -> Option<Grant> {
        self.all.remove(id)
    }

    /// Takes out those that hold no more, and gives them.
    pub fn expire(&mut self, now: u64) -> Vec<Grant> {
        self.all.extract_if(.., |_, grant| !grant.is_alive(now)).map(|(_, grant)| grant).collect()
    }

    /// One was used: it holds once less. Whether it held at all; one that did not must not be acted upon.
    pub fn spend(&mut self, id: &str, now: u64) -> bool {
        let Some(grant) = self.all.get_mut(id).filter(|grant| grant.is_alive(now)) else { return false };
        grant.uses = grant.uses.map(|left| left.saturating_sub(1));
        true
    }

    /// The first grant that covers all of what is asked.
    pub(crate) fn covering(&self, asked: &Asked<'_>) -> Option<&Grant> {
        self.all.values().find(|grant| grant.covers(asked))
    }
}

impl Grant {
    /// Whether it holds still.
    pub fn is_alive(&self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until) && self.uses != Some(0)
    }

    fn covers(&self, asked: &Asked<'_>) -> bool {
        let role = self.role == asked.role || (self.role == Role::Agent && asked.role == Role::Subagent);
        role && self.is_alive(asked.now)
            && self.actor.as_deref().is_none_or(|actor| actor == asked.actor)
            && self.session.as_deref().is_none_or(|session| Some(session) == asked.session)
            && asked.inside.iter().all(|path| path.is_in(&self.place))
            && self.meaning.covers(asked.meaning)
    }
}
