//! Who may ask: the keys of the gateway, their file, and who holds which.
//!
//! A key's text is `capstan-`, its id, `-`, and a secret. The id is public, and finds the key; of the secret only the
//! SHA-256 is kept. [`Keys`] changes the file, [`KeyRing`] is what a running server looks at.

mod entry;
mod error;
mod file;
mod models;
mod ring;
mod secret;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use transport::Secret;

use entry::{Former, MAX_KEYS};
pub use entry::{KeyInfo, KeyState};
pub use error::KeysError;
pub use models::Models;
pub use ring::{Follower, Holder, KeyRing};

/// The keys of one file, as they were when it was last read or written.
#[derive(Debug)]
pub struct Keys {
    path: PathBuf,
    keys: Vec<KeyInfo>,
}

/// What is wanted of a new key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewKey {
    /// Whose it is, or what for.
    pub name: String,
    /// How long it is valid; without it, until it is revoked.
    pub valid_for: Option<Duration>,
    /// The models it may use.
    pub models: Models,
    /// How many responses it may have running at once; without it, as many as any key.
    pub max_concurrent: Option<NonZeroUsize>,
}

impl Keys {
    /// Reads the keys of this file. A file that is not there yet has none.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeysError> {
        let path = path.into();
        let (keys, _) = file::read(&path)?;
        Ok(Self { path, keys })
    }

    /// All keys, the oldest first, those that are not valid any more among them.
    pub fn list(&self) -> &[KeyInfo] {
        &self.keys
    }

    /// Makes a key. Its text is told here and nowhere else.
    pub fn create(&mut self, wanted: NewKey, now: SystemTime) -> Result<(KeyInfo, Secret), KeysError> {
        let minted = secret::mint()?;
        let now = seconds(now);
        let key = KeyInfo {
            id: minted.id,
            name: wanted.name.into(),
            created_at: now,
            expires_at: wanted.valid_for.map(|valid| now.saturating_add(valid.as_secs())),
            revoked_at: None,
            models: wanted.models,
            max_concurrent: wanted.max_concurrent,
            sha256: minted.sha256,
            former: None,
        };
        key.check()?;
        let key = self.change(|keys| {
            if keys.len() >= MAX_KEYS {
                return Err(KeysError::Full { most: MAX_KEYS });
            }
            if keys.iter().any(|known| known.name == key.name && known.state(now) == KeyState::Valid) {
                return Err(KeysError::Taken { name: key.name });
            }
            keys.push(key.clone());
            Ok(key)
        })?;
        Ok((key, minted.text))
    }

    /// Gives a key a new secret. The one it has now is valid until the grace ends; one that was replaced before that is
    /// not valid any more.
    pub fn rotate(
        &mut self,
        id_or_name: &str,
        grace: Duration,
        now: SystemTime,
    ) -> Result<(KeyInfo, Secret), KeysError> {
        let now = seconds(now);
        self.change(|keys| {
            let key = entry::find_mut(keys, id_or_name, now)?;
            let (sha256, text) = secret::mint_for(&key.id)?;
            let until = now.saturating_add(grace.as_secs());
            key.former = (until > now).then(|| Former { sha256: key.sha256.clone(), until });
            key.sha256 = sha256;
            Ok((key.clone(), text))
        })
    }

    /// Makes a key invalid for good.
    pub fn revoke(&mut self, id_or_name: &str, now: SystemTime) -> Result<KeyInfo, KeysError> {
        let now = seconds(now);
        self.change(|keys| {
            let key = entry::find_mut(keys, id_or_name, now)?;
            key.revoked_at = Some(now);
            key.former = None;
            Ok(key.clone())
        })
    }

    /// Changes what the file holds now, whatever it held when it was opened.
    fn change<T>(&mut self, change: impl FnOnce(&mut Vec<KeyInfo>) -> Result<T, KeysError>) -> Result<T, KeysError> {
        let _lock = file::lock(&self.path)?;
        let (mut keys, _) = file::read(&self.path)?;
        let told = change(&mut keys)?;
        file::write(&self.path, &keys)?;
        self.keys = keys;
        Ok(told)
    }
}

/// Whole seconds since 1970, in which the file counts.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
