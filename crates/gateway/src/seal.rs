//! What only this gateway can open, for the one it was sealed for.
//!
//! A sealed text is `cap1.` and, in base64url, `key id (8) · salt (32) · ciphertext and tag`. Each text has a key of its
//! own, derived by HKDF-SHA-256 from a key of the gateway and a random salt of 256 bits, and used once: no nonce can come
//! twice. The cipher is AES-256-GCM; what it authenticates besides is the form, the purpose and the owner. The content is
//! compressed before it is sealed.
//!
//! The key file has one key a line, 32 bytes in base64url, newest first; blank lines and lines that begin with `#` count
//! for nothing. The first key seals, all of them open. To rotate, put a new key above the others (`head -c 32
//! /dev/urandom | basenc --base64url`) and start anew; once nobody comes back to what an old key sealed, take it out.

mod key_file;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hkdf, rand};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::Owner;

/// How a sealed text begins.
const PREFIX: &str = "cap1.";

/// What is sealed, and nothing else under these keys.
const PURPOSE: &str = "compaction";

const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 8;
const SALT_BYTES: usize = 32;

/// The largest content that is sealed, and that is unpacked again.
pub(crate) const MAX_CONTENT: usize = 32 << 20;

/// The nonce of a key that is used once.
const ONLY_NONCE: [u8; NONCE_LEN] = [0; NONCE_LEN];

/// Why there are no keys, or nothing can be sealed with them.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The file cannot be read.
    #[error("the key file {} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not there, and cannot be made.
    #[error("the key file {} cannot be made: {source}; use a folder that can be written", path.display())]
    Make {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others than its owner may use the file.
    #[error("the key file {} is open to others (mode {mode:03o}): set it to 600, and replace the key if it was seen", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file holds something else.
    #[error("the key file {} is not valid at line {line}: a key is 32 random bytes in base64url", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// The file holds no key, or too many.
    #[error("the key file {} holds {found} keys: it needs 1 to {}, newest first", path.display(), key_file::MAX_KEYS)]
    Count {
        /// The file.
        path: PathBuf,
        /// How many.
        found: usize,
    },
    /// The content is over its limit.
    #[error("{bytes} bytes are too many to be sealed: the limit is {MAX_CONTENT}")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// The system gave no randomness, or the cipher refused.
    #[error("the cryptography library refused: check that the system has a source of randomness")]
    Refused,
}

impl From<Unspecified> for SealError {
    fn from(_: Unspecified) -> Self {
        Self::Refused
    }
}

/// Why a text does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOurs {
    /// No gateway of ours has sealed it.
    #[error("it was sealed by another service")]
    Foreign,
    /// It is in our form, but sealed with a key that is not here, or for another owner, or it was changed.
    #[error("it was sealed by another gateway, or for another API key, or it was changed")]
    Closed,
}

/// The keys of a gateway.
pub(crate) struct Seal {
    newest: Key,
    older: Vec<Key>,
}

struct Key {
    id: [u8; KEY_ID_BYTES],
    secret: [u8; KEY_BYTES],
}

impl Seal {
    /// The keys of a file. If there is none, one is made with a random key in it, for its owner only; of several
    /// processes that make it at once, all end up with the same key.
    pub(crate) fn from_file(path: &Path) -> Result<Self, SealError> {
        let mut secrets = key_file::read_or_make(path)?.into_iter().map(Key::new);
        let none = || SealError::Count { path: path.to_owned(), found: 0 };
        Ok(Self { newest: secrets.next().ok_or_else(none)?, older: secrets.collect() })
    }

    /// A key that ends with the process: where no folder may be written.
    pub(crate) fn ephemeral() -> Result<Self, SealError> {
        Ok(Self { newest: Key::new(random()?), older: Vec::new() })
    }

    /// Seals content for an owner.
    pub(crate) fn seal(&self, owner: &Owner, content: &[u8]) -> Result<String, SealError> {
        if content.len() > MAX_CONTENT {
            return Err(SealError::TooLarge { bytes: content.len() });
        }
        let salt: [u8; SALT_BYTES] = random()?;
        let mut packed = zstd::encode_all(content, zstd::DEFAULT_COMPRESSION_LEVEL).map_err(|_| SealError::Refused)?;
        let nonce = Nonce::assume_unique_for_key(ONLY_NONCE);
        self.newest.once(&salt)?.seal_in_place_append_tag(nonce, Aad::from(bound_to(owner)), &mut packed)?;
        let bytes = [self.newest.id.as_slice(), &salt, &packed].concat();
        Ok(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes)))
    }

    /// Opens what was sealed for this owner.
    pub(crate) fn open(&self, owner: &Owner, sealed: &str) -> Result<Vec<u8>, NotOurs> {
        let text = sealed.strip_prefix(PREFIX).ok_or(NotOurs::Foreign)?;
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| NotOurs::Closed)?;
        self.unlocked(owner, bytes).ok_or(NotOurs::Closed)
    }

    fn unlocked(&self, owner: &Owner, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        let (id, rest) = bytes.split_first_chunk_mut::<KEY_ID_BYTES>()?;
        let (salt, rest) = rest.split_first_chunk_mut::<SALT_BYTES>()?;
        let key = std::iter::once(&self.newest).chain(&self.older).find(|key| key.id == *id)?;
        let nonce = Nonce::assume_unique_for_key(ONLY_NONCE);
        let packed = key.once(salt).ok()?.open_in_place(nonce, Aad::from(bound_to(owner)), rest).ok()?;
        unpacked(packed)
    }
}

/// Keys are not for showing.
impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("keys", &(1 + self.older.len())).finish_non_exhaustive()
    }
}

impl Key {
    fn new(secret: [u8; KEY_BYTES]) -> Self {
        let digest = Sha256::new().chain_update("capstan seal key id").chain_update(secret).finalize();
        let mut id = [0; KEY_ID_BYTES];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self { id, secret }
    }

    /// The key of one text.
    fn once(&self, salt: &[u8; SALT_BYTES]) -> Result<LessSafeKey, Unspecified> {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(&self.secret);
        let mut key = [0; KEY_BYTES];
        prk.expand(&[PREFIX.as_bytes(), PURPOSE.as_bytes()], &AES_256_GCM)?.fill(&mut key)?;
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key)?))
    }
}

/// What a sealed text is bound to besides its key. Neither of the first two holds a zero byte.
fn bound_to(owner: &Owner) -> Vec<u8> {
    [PREFIX, PURPOSE, owner.as_str()].join("\0").into_bytes()
}

fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let limit = u64::try_from(MAX_CONTENT).ok()?;
    zstd::Decoder::with_buffer(packed).ok()?.take(limit + 1).read_to_end(&mut content).ok()?;
    (content.len() <= MAX_CONTENT).then_some(content)
}

fn random<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
