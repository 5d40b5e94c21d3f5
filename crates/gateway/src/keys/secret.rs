//! The text of a key: made, taken apart, and known by its hash.

use std::fmt;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use transport::Secret;

use super::KeysError;

/// How every key begins: who finds one knows where it belongs.
const PREFIX: &str = "capstan-";

/// How every id begins.
pub(super) const ID_PREFIX: &str = "key_";

const ID_BYTES: usize = 6;

const SECRET_BYTES: usize = 32;

/// A key that was just made.
pub(super) struct Minted {
    pub(super) id: Box<str>,
    pub(super) sha256: Hash,
    pub(super) text: Secret,
}

/// The SHA-256 of a secret. A secret is as random as its hash, so that one round with no salt is enough.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Hash([u8; 32]);

impl Hash {
    /// What no secret has as its hash, as far as anybody knows.
    pub(super) const OF_NOTHING: Self = Self([0; 32]);

    fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Compares in a time that does not depend on where they differ.
    pub(super) fn is(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for Hash {
    fn eq(&self, other: &Self) -> bool {
        self.is(other).into()
    }
}

impl Eq for Hash {}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        HEXLOWER.encode(&hash.0)
    }
}

impl TryFrom<String> for Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or("this is no SHA-256")
    }
}

/// A new id with a new secret.
pub(super) fn mint() -> Result<Minted, KeysError> {
    let id = format!("{ID_PREFIX}{}", HEXLOWER.encode(&random::<ID_BYTES>()?));
    let (sha256, text) = mint_for(&id)?;
    Ok(Minted { id: id.into(), sha256, text })
}

/// A new secret for a key.
pub(super) fn mint_for(id: &str) -> Result<(Hash, Secret), KeysError> {
    let secret = BASE64URL_NOPAD.encode(&random::<SECRET_BYTES>()?);
    let text = Secret::new(&format!("{PREFIX}{id}-{secret}")).map_err(|_| KeysError::NoChance)?;
    Ok((Hash::of(&secret), text))
}

fn random<const N: usize>() -> Result<[u8; N], KeysError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| KeysError::NoChance)?;
    Ok(bytes)
}

/// The id that a text claims, and the hash of its secret. What is no key claims an id that nobody has.
pub(super) fn claim(text: &str) -> (&str, Hash) {
    let parts = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
    let (id, secret) = parts.unwrap_or(("", text));
    (id, Hash::of(secret))
}

/// Whether an id is written as ids are.
pub(super) fn is_id(text: &str) -> bool {
    let hex = text.strip_prefix(ID_PREFIX).unwrap_or_default();
    HEXLOWER.decode(hex.as_bytes()).is_ok_and(|bytes| bytes.len() == ID_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_key_claims_its_id_and_its_hash() {
        let minted = mint().unwrap();
        assert!(is_id(&minted.id), "{}", minted.id);
        let text = minted.text.expose();
        assert!(text.starts_with(&format!("capstan-{}-", minted.id)), "{}", minted.id);
        assert_eq!(text.len(), "capstan-key_".len() + 2 * ID_BYTES + 1 + 43);
        assert!(claim(text) == (&*minted.id, minted.sha256));
    }

    #[test]
    fn no_two_keys_are_alike() {
        let keys: Vec<Minted> = (0..64).map(|_| mint().unwrap()).collect();
        for field in [|key: &Minted| key.id.to_string(), |key: &Minted| String::from(key.sha256.clone())] {
            let different: std::collections::HashSet<String> = keys.iter().map(field).collect();
            assert_eq!(different.len(), keys.len());
        }
    }

    #[test]
    fn what_is_no_key_claims_nobody() {
        for text in ["", "sk-1", "capstan-", "capstan-key_00", "Capstan-key_000000000000-x", "key_000000000000-x"] {
            assert_eq!(claim(text).0, "", "{text}");
        }
    }

    #[test]
    fn a_hash_is_the_sha256_of_the_secret_in_lower_hex_and_reads_back() {
        let hash = Hash::of("abc");
        let text = String::from(hash.clone());
        assert_eq!(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(Hash::try_from(text.clone()) == Ok(hash.clone()));
        assert!(Hash::try_from(text.to_uppercase()).is_err() && Hash::try_from("ba".to_owned()).is_err());
        assert_eq!(format!("{hash:?}"), "[hash]");
    }

    #[test]
    fn hashes_are_the_same_only_if_every_byte_is() {
        let hash = Hash::of("abc");
        assert!(bool::from(hash.is(&hash.clone())));
        for at in 0..32 {
            let mut other = hash.clone();
            other.0[at] ^= 1;
            assert!(!bool::from(hash.is(&other)), "{at}");
        }
    }

    #[test]
    fn ids_are_written_in_one_way() {
        assert!(is_id("key_0123456789ab"));
        for wrong in ["", "key_", "0123456789ab", "key_0123456789AB", "key_0123456789a", "key_0123456789abc", "key_zz"]
        {
            assert!(!is_id(wrong), "{wrong}");
        }
    }
}
