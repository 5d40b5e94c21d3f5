//! The key that signs, and the one that verifies; as text in the formats of C2SP `signed-note`.

use std::fmt;

use aws_lc_rs::signature::{ED25519, ED25519_PUBLIC_KEY_LEN, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use data_encoding::{BASE64, HEXLOWER};
use policy::act::Hash;
use sha2::{Digest as _, Sha256};

/// The kind of a key, before its bytes: Ed25519.
const KIND: u8 = 1;

/// What a key's name begins with; what follows tells the keys apart.
const FAMILY: &str = "capstan/audit/";

const PRIVATE: &str = "PRIVATE+KEY+";

/// How long a private key is.
const SEED: usize = 32;

/// The private key of an audit log. It is never shown.
pub struct Key {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// What verifies the signatures of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    id: [u8; 4],
    bytes: [u8; ED25519_PUBLIC_KEY_LEN],
}

/// Why a text is no key, or none can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is something else, or damaged.
    #[error("this is no key: a public key looks like capstan/audit/0123456789abcdef+01234567+AbCd…")]
    Form,
    /// The machine gives no random numbers.
    #[error("no key can be made: the machine gives no random numbers")]
    Random,
}

impl Key {
    /// A new key.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Random)?;
        let Hash(whole) = Hash::of(pair.public_key().as_ref());
        let name = format!("{FAMILY}{}", HEXLOWER.encode(whole.get(..8).unwrap_or_default()));
        Self::of(pair, name)
    }

    /// Reads the text of a private key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.strip_suffix('\n').unwrap_or(text).strip_prefix(PRIVATE).ok_or(KeyError::Form)?;
        let (name, id, seed) = parts::<SEED>(text).ok_or(KeyError::Form)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeyError::Form)?;
        Self::of(pair, name.to_owned()).and_then(|key| if key.public.id == id { Ok(key) } else { Err(KeyError::Form) })
    }

    fn of(pair: Ed25519KeyPair, name: String) -> Result<Self, KeyError> {
        let bytes: [u8; ED25519_PUBLIC_KEY_LEN] = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Form)?;
        Ok(Self { pair, public: PublicKey { id: id(&name, &bytes), name, bytes } })
    }

    /// The key as text, for the file that nobody else may read.
    pub(in crate::audit) fn secret_text(&self) -> Result<String, KeyError> {
        let seed = self.pair.seed().map_err(|_| KeyError::Form)?;
        let seed = aws_lc_rs::encoding::AsBigEndian::as_be_bytes(&seed).map_err(|_| KeyError::Form)?;
        let PublicKey { name, id, .. } = &self.public;
        Ok(format!("{PRIVATE}{name}+{}+{}\n", HEXLOWER.encode(id), BASE64.encode(&[&[KIND], seed.as_ref()].concat())))
    }

    /// What verifies its signatures.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The id of the key and its signature.
    pub(super) fn sign(&self, text: &[u8]) -> Vec<u8> {
        [&self.public.id, self.pair.sign(text).as_ref()].concat()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Key").field("name", &self.public.name).finish_non_exhaustive()
    }
}

impl PublicKey {
    /// Reads the text of a public key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let (name, claimed, bytes) = parts(text).ok_or(KeyError::Form)?;
        if name.is_empty() || name.contains(char::is_whitespace) || claimed != id(name, &bytes) {
            return Err(KeyError::Form);
        }
        Ok(Self { name: name.to_owned(), id: claimed, bytes })
    }

    /// What the key is called; what it signs begins with this.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn id(&self) -> [u8; 4] {
        self.id
    }

    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.bytes).verify(text, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = BASE64.encode(&[&[KIND], self.bytes.as_slice()].concat());
        write!(to, "{}+{}+{key}", self.name, HEXLOWER.encode(&self.id))
    }
}

/// The name, the id and the bytes of a key.
fn parts<const LENGTH: usize>(text: &str) -> Option<(&str, [u8; 4], [u8; LENGTH])> {
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let id = HEXLOWER.decode(id.as_bytes()).ok()?.try_into().ok()?;
    let key = BASE64.decode(key.as_bytes()).ok()?;
    let key = key.strip_prefix(&[KIND])?.try_into().ok()?;
    Some((name, id, key))
}

/// What tells keys of one name apart.
fn id(name: &str, key: &[u8]) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', KIND]).chain_update(key).finalize();
    hash.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Go library for signed notes, which others have too.
    const SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n";
    const SIGNED: &str = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

    #[test]
    fn keys_and_signatures_are_those_of_signed_notes() {
        let key = Key::parse(SECRET).unwrap();
        assert_eq!(key.public().to_string(), PUBLIC);
        assert_eq!(key.secret_text().unwrap(), format!("{SECRET}\n"));
        let signed = key.sign(TEXT.as_bytes());
        assert_eq!(BASE64.encode(&signed), SIGNED);
        let public = PublicKey::parse(PUBLIC).unwrap();
        assert!(public.verifies(TEXT.as_bytes(), &signed[4..]) && !public.verifies(b"else", &signed[4..]));
    }

    #[test]
    fn a_new_key_is_read_as_it_was_written_and_never_shown() {
        let key = Key::generate().unwrap();
        let text = key.secret_text().unwrap();
        assert_eq!(Key::parse(&text).unwrap().public(), key.public());
        assert_eq!(PublicKey::parse(&key.public().to_string()).unwrap(), *key.public());
        // The fifth part, which may have a `+` of its own.
        let secret = text.trim_end().splitn(5, '+').last().unwrap();
        assert!(secret.len() >= 44, "{}", secret.len());
        assert!(!format!("{key:?}").contains(secret));
    }

    #[test]
    fn a_text_that_is_no_key_is_refused() {
        for at in 0..PUBLIC.len() {
            let mut changed = PUBLIC.as_bytes().to_vec();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(PublicKey::parse(&changed), Err(KeyError::Form), "{changed}");
        }
        assert_eq!(Key::parse(PUBLIC).unwrap_err(), KeyError::Form);
    }
}
