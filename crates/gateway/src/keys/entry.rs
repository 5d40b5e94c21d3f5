//! One key, as it is kept.

use std::fmt;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::secret::{Hash, ID_PREFIX, is_id};
use super::{KeysError, Models};

/// How many keys a file may hold.
pub(super) const MAX_KEYS: usize = 10_000;

/// How many characters a name may have.
const MAX_NAME: usize = 64;

/// What is known of a key. Its secret is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyInfo {
    /// By this it is found, and its responses are known to be its own.
    pub id: Box<str>,
    /// Whose it is, or what for. No two valid keys have the same.
    pub name: Box<str>,
    /// When it was made, in seconds since 1970.
    pub created_at: u64,
    /// From when on it is not valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<u64>,
    /// What it may use.
    #[serde(default)]
    pub models: Models,
    /// How many responses it may have running at once; without it, as many as any key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<NonZeroUsize>,
    pub(super) sha256: Hash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) former: Option<Former>,
}

/// The secret that was replaced, while it is still good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Former {
    pub(super) sha256: Hash,
    pub(super) until: u64,
}

/// Whether a key can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It can.
    Valid,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        })
    }
}

impl KeyInfo {
    /// Whether it can be used at this second since 1970.
    pub fn state(&self, now: u64) -> KeyState {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => KeyState::Revoked,
            (None, Some(end)) if end <= now => KeyState::Expired,
            (None, _) => KeyState::Valid,
        }
    }

    /// Until when the secret before this one can be used, if it still can.
    pub fn former_until(&self, now: u64) -> Option<u64> {
        self.former.as_ref().map(|former| former.until).filter(|until| now < *until)
    }

    /// Whether it is a key that could have been made here.
    pub(super) fn check(&self) -> Result<(), KeysError> {
        let length = self.name.chars().count();
        let is_seen = self.name.trim() == &*self.name && !self.name.chars().any(char::is_control);
        if (1..=MAX_NAME).contains(&length) && is_seen && !self.name.starts_with(ID_PREFIX) && is_id(&self.id) {
            return Ok(());
        }
        Err(KeysError::Name { most: MAX_NAME })
    }
}

/// The key of this id, or the valid one of this name.
pub(super) fn find_mut<'k>(keys: &'k mut [KeyInfo], wanted: &str, now: u64) -> Result<&'k mut KeyInfo, KeysError> {
    let is_meant = |key: &KeyInfo| &*key.id == wanted || &*key.name == wanted;
    let valid = keys.iter().position(|key| is_meant(key) && key.state(now) == KeyState::Valid);
    let at = valid.or_else(|| keys.iter().rposition(is_meant));
    match at.and_then(|at| keys.get_mut(at)) {
        None => Err(KeysError::Unknown { wanted: wanted.to_owned() }),
        Some(key) => match key.state(now) {
            KeyState::Valid => Ok(key),
            state @ (KeyState::Expired | KeyState::Revoked) => Err(KeysError::Past { id: key.id.clone(), state }),
        },
    }
}
