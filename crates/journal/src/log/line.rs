//! One line as text, and what binds it to the one before it.

use std::io::Write as _;

use policy::act::Hash;
use sha2::{Digest as _, Sha256};

use super::MAX_BODY;

/// How many bytes of a line are not its body, at most: the hash, a number, the mark, three spaces and the line break.
pub(super) const AROUND_BODY: usize = HEX + 20 + 1 + 3 + 1;

/// The longest line.
pub(super) const MAX_LINE: usize = MAX_BODY + AROUND_BODY;

/// How long a hash is in text.
const HEX: usize = 64;

/// Where a line begins: what it must follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The place in the file.
    pub at: u64,
    /// Its number.
    pub seq: u64,
    /// The hash of the line before it; zeros for the first.
    pub before: Hash,
}

impl Start {
    /// The beginning of a log.
    pub const FIRST: Self = Self { at: 0, seq: 0, before: Hash([0; 32]) };
}

/// A line that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number.
    pub seq: u64,
    /// Its hash, and with it the hash of all before it.
    pub hash: Hash,
    /// What it says.
    pub body: &'a str,
}

/// A line as its text says it is; nothing is checked yet.
pub(super) struct Claimed<'a> {
    pub(super) line: Line<'a>,
    /// All before it was on the disk when it was written.
    pub(super) marked: bool,
    bound: &'a [u8],
}

impl<'a> Claimed<'a> {
    /// Reads a line, given without its line break.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (hash, bound) = text.split_at_checked(HEX)?;
        let bound = bound.strip_prefix(b" ")?;
        let rest = str::from_utf8(bound).ok()?;
        let (seq, rest) = rest.split_once(' ')?;
        let (mark, body) = rest.split_once(' ')?;
        let marked = match mark {
            "=" => true,
            "-" => false,
            _ => return None,
        };
        let canonical = seq == "0" || !seq.starts_with('0') && seq.bytes().all(|byte| byte.is_ascii_digit());
        // There is always a number after it.
        let seq = seq.parse().ok().filter(|seq| canonical && *seq < u64::MAX)?;
        Some(Self { line: Line { seq, hash: unhex(hash)?, body }, marked, bound })
    }

    /// Whether this is the line that was written after the one with this hash.
    pub(super) fn follows(&self, before: &Hash) -> bool {
        bind(before, self.bound) == self.line.hash
    }
}

/// Writes a line and says its hash.
pub(super) fn write(out: &mut Vec<u8>, before: &Hash, (seq, marked): (u64, bool), body: &str) -> Hash {
    let start = out.len() + HEX + 1;
    out.resize(start, b' ');
    let mark = if marked { '=' } else { '-' };
    let _ = write!(out, "{seq} {mark} {body}");
    let hash = bind(before, out.get(start..).unwrap_or_default());
    if let Some(place) = out.get_mut(start - HEX - 1..start - 1) {
        hex(&hash, place);
    }
    out.push(b'\n');
    hash
}

fn bind(before: &Hash, bound: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update(before.0).chain_update(bound).finalize().into())
}

fn hex(hash: &Hash, into: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or_default();
    for (pair, byte) in into.chunks_exact_mut(2).zip(hash.0) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

/// A hash from its lower-case text, the only one it has.
fn unhex(text: &[u8]) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(Hash(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let mut out = Vec::new();
        let first = write(&mut out, &Start::FIRST.before, (0, true), "{\"a\":1}");
        write(&mut out, &first, (1, false), "two words");
        let lines: Vec<_> = out.split(|byte| *byte == b'\n').collect();
        let one = Claimed::parse(lines[0]).unwrap();
        assert_eq!(one.line, Line { seq: 0, hash: first, body: "{\"a\":1}" });
        assert!(one.marked && one.follows(&Start::FIRST.before));
        let two = Claimed::parse(lines[1]).unwrap();
        assert_eq!((two.line.seq, two.line.body), (1, "two words"));
        assert!(!two.marked && two.follows(&first) && !two.follows(&Start::FIRST.before));
    }

    #[test]
    fn every_other_byte_makes_another_line_or_none() {
        let mut out = Vec::new();
        write(&mut out, &Start::FIRST.before, (7, false), "body");
        out.pop();
        for at in 0..out.len() {
            for flip in 1..=255 {
                let mut changed = out.clone();
                changed[at] ^= flip;
                let claimed = Claimed::parse(&changed);
                assert!(claimed.is_none_or(|claimed| !claimed.follows(&Start::FIRST.before)), "byte {at} ^ {flip}");
            }
        }
    }
}
