//! Secrets, taken out of what is written.
//!
//! What stands in place of one is `[redacted KIND HASH]`: the hash is made with a key of this home, so that the same
//! secret can be recognised and none can be guessed. Sealed fields of items are left alone, they must go back as they
//! came.

mod find;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;

use aws_lc_rs::{hmac, rand};
use data_encoding::HEXLOWER;
use responses::json::{Read as _, quote};

use crate::disk::{Disk, How};
use crate::strings::{Token, replace, replace_numbers};
use find::{Known, hits, is_secret_list, is_secret_name, is_secret_number, plausible};

/// The shortest value that is looked for because it is known. What is shorter stands everywhere.
pub const MIN_KNOWN: usize = 8;

/// How many values may be known.
pub const MAX_KNOWN: usize = 1024;

/// A line of a known value that is looked for by itself.
const MIN_LINE: usize = 16;

/// The shortest number that is taken for a secret because of its name.
const MIN_NUMBER: usize = 4;

/// How deep JSON in strings of JSON is read.
const MAX_NESTED: usize = 3;

/// Fields that are sealed by whoever made them.
const SEALED: [&str; 2] = ["encrypted_content", "signature"];

/// From this length on, text of nothing but base64 is an image or another file, and has no secrets that have a form.
const BINARY: usize = 1 << 10;

/// How much before a secret tells that it is one, at most.
const CONTEXT: usize = 512;

/// The file with the key.
const KEY_FILE: &str = "redaction.key";

/// How many bytes of a keyed hash are shown.
const SHOWN: usize = 4;

/// Takes secrets out of text.
pub struct Redactor {
    known: Known,
    key: hmac::Key,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Redactor")
    }
}

/// Those of these variables that are secret by their names.
pub fn secret_variables(variables: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
    let is_secret = |name: &str| is_secret_name(name) || name.to_ascii_lowercase().ends_with("_key");
    variables.into_iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value).collect()
}

impl Redactor {
    /// One that knows these values. `key` makes the hashes; it is as secret as they are.
    pub fn new(key: &[u8; 32], known: impl IntoIterator<Item = String>) -> Self {
        let mut values = Vec::new();
        for value in known.into_iter().filter(|value| value.len() >= MIN_KNOWN).take(MAX_KNOWN) {
            values.extend(
                value.lines().filter(|line| line.len() >= MIN_LINE && line.len() < value.len()).map(str::to_owned),
            );
            values.extend(escaped(&value));
            values.push(value);
        }
        Self { known: Known::new(values), key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// The same with the key that is kept in a folder; it is made if there is none.
    pub fn at(disk: &dyn Disk, folder: &Path, known: impl IntoIterator<Item = String>) -> io::Result<Self> {
        Ok(Self::new(&key(disk, folder)?, known))
    }

    /// Text without its secrets; borrowed if it has none.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let hits = hits(text, &self.known, !is_binary(text));
        if hits.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut out, mut copied) = (String::with_capacity(text.len()), 0);
        for hit in hits {
            out.push_str(text.get(copied..hit.start).unwrap_or_default());
            out.push_str(&self.name(hit.kind, text.get(hit.start..hit.end).unwrap_or_default()));
            copied = hit.end;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(out)
    }

    /// Where text can be cut in two so that both halves are redacted as the whole is: at this place or before it.
    pub(crate) fn cut(&self, text: &str, at: usize) -> usize {
        let mut cut = text.floor_char_boundary(at);
        for hit in hits(text, &self.known, true).iter().rev() {
            // What stands before a secret may be what tells that it is one.
            if hit.end > cut && hit.start < cut + CONTEXT {
                cut = text.floor_char_boundary(hit.start.saturating_sub(CONTEXT));
            }
        }
        cut
    }

    /// JSON without the secrets in its strings and numbers; borrowed if it has none.
    pub fn json<'a>(&self, json: &'a str) -> Cow<'a, str> {
        self.nested(json, 0)
    }

    fn nested<'a>(&self, json: &'a str, depth: usize) -> Cow<'a, str> {
        let mut has_numbers = false;
        let clean = replace(json, |token| {
            has_numbers |= token.is_key && is_secret_number(token.inner);
            self.string(token, depth)
        });
        if !has_numbers {
            return clean;
        }
        let number = |key: &str, number: &str| {
            let is_secret = number.len() >= MIN_NUMBER && is_secret_number(key);
            is_secret.then(|| format!("\"{}\"", self.name("value", number)))
        };
        match replace_numbers(&clean, number) {
            Cow::Owned(clean) => Cow::Owned(clean),
            Cow::Borrowed(_) => clean,
        }
    }

    /// What stands between the quotes of a string instead; `None` if it has no secrets.
    fn string(&self, token: Token<'_>, depth: usize) -> Option<String> {
        if token.key.is_some_and(|key| SEALED.contains(&key)) {
            return None;
        }
        let text = unescaped(token.inner);
        let is_secret = token.key.is_some_and(is_secret_name) || token.list.is_some_and(is_secret_list);
        // The arguments of a call are JSON in a string.
        let is_json = depth < MAX_NESTED && text.starts_with(['{', '[']);
        let inner = if is_json { self.nested(&text, depth + 1) } else { Cow::Borrowed(&*text) };
        let clean = match (self.text(&inner), &inner) {
            (Cow::Owned(clean), _) => clean,
            (Cow::Borrowed(clean), Cow::Owned(_)) => clean.to_owned(),
            (Cow::Borrowed(_), _) if is_secret && plausible(&text, true) => self.name("value", &text),
            (Cow::Borrowed(_), _) => return None,
        };
        Some(within_quotes(&clean))
    }

    fn name(&self, kind: &str, secret: &str) -> String {
        let hash = hmac::sign(&self.key, secret.as_bytes());
        format!("[redacted {kind} {}]", HEXLOWER.encode(hash.as_ref().get(..SHOWN).unwrap_or_default()))
    }
}

/// A value as it stands in JSON, and in JSON that is a string of JSON.
fn escaped(value: &str) -> impl Iterator<Item = String> {
    let once = within_quotes(value);
    let twice = within_quotes(&once);
    let differs = once != value;
    [once, twice].into_iter().filter(move |_| differs)
}

fn within_quotes(text: &str) -> String {
    let mut quoted = String::new();
    quote(text, &mut quoted);
    quoted.pop();
    quoted.remove(0);
    quoted
}

fn unescaped(inner: &str) -> Cow<'_, str> {
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let quoted = format!("\"{inner}\"");
    Cow::read(&quoted).map_or(Cow::Borrowed(inner), |text| Cow::Owned(text.into_owned()))
}

/// Whether this is a file in text: a data URL, or base64 without anything else.
fn is_binary(text: &str) -> bool {
    if text.len() < BINARY {
        return false;
    }
    let data = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let data = data.map_or(text, |(_, data)| data);
    data.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// The key of a folder, made if there is none.
fn key(disk: &dyn Disk, folder: &Path) -> io::Result<[u8; 32]> {
    disk.create_folder(folder)?;
    let file = disk.open(&folder.join(KEY_FILE), How::Write)?;
    file.lock()?;
    let mut key = [0; 32];
    // Zeros are what a crash leaves of a key that was not on the disk yet.
    if file.read_at(0, &mut key)? == key.len() && key != [0; 32] {
        return Ok(key);
    }
    rand::fill(&mut key).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    file.write_at(0, &key)?;
    file.sync()?;
    disk.sync_folder(folder)?;
    Ok(key)
}
