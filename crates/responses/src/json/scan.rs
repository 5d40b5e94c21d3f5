//! One pass over text that should be JSON: is it, and where are its parts?
//!
//! Accepts what the JSON library accepts as raw text, and nothing else; the tests compare the two. A refusal gives no
//! reason: it is rare, and the library is asked for one.

use std::borrow::Cow;

/// Goes over the fields of the object that is all of the text.
pub(super) fn fields<'a>(text: &'a str, levels: usize, mut each: impl FnMut(Cow<'a, str>, &'a str)) -> Option<()> {
    let inner = levels.checked_sub(1)?;
    let mut scan = Scan { text, at: 0 };
    scan.expect(b'{')?;
    scan.list(b'}', |scan| {
        let key = scan.key()?;
        let value = scan.value(inner)?;
        each(key, value);
        Some(())
    })?;
    scan.end()
}

/// Goes over the elements of the array that is all of the text.
pub(super) fn elements<'a>(text: &'a str, levels: usize, mut each: impl FnMut(&'a str)) -> Option<()> {
    let inner = levels.checked_sub(1)?;
    let mut scan = Scan { text, at: 0 };
    scan.expect(b'[')?;
    scan.list(b']', |scan| scan.value(inner).map(&mut each))?;
    scan.end()
}

/// The one value of the text, without the white space around it.
pub(super) fn value(text: &str, levels: usize) -> Option<&str> {
    let mut scan = Scan { text, at: 0 };
    let value = scan.value(levels)?;
    scan.end()?;
    Some(value)
}

/// How many bytes from the start stand in a string for themselves: no quote, no backslash, no control character.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk() {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return bytes.len() - rest.len() + special.trailing_zeros() as usize / 8;
        }
        rest = after;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    bytes.len() - rest.len() + rest.iter().position(special).unwrap_or(rest.len())
}

/// Eight bytes at once: the lowest high bit that is set belongs to the first byte that does not stand for itself. (A
/// borrow may set more bits above that one.)
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xFF;
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    (control | quote | backslash) & !word & (ONES << 7)
}

/// How far the text was read. All steps begin before white space and end where what they read ends.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space; it is not consumed.
    #[inline]
    fn token(&mut self) -> Option<u8> {
        loop {
            match self.byte()? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let met = self.token()? == byte;
        self.at += usize::from(met);
        met.then_some(())
    }

    fn end(mut self) -> Option<()> {
        self.token().is_none().then_some(())
    }

    /// What stands between brackets, of which the first was read.
    fn list(&mut self, close: u8, mut entry: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if self.token()? == close {
            self.at += 1;
            return Some(());
        }
        loop {
            entry(self)?;
            let byte = self.token()?;
            self.at += 1;
            if byte == close {
                return Some(());
            }
            if byte != b',' {
                return None;
            }
        }
    }

    /// The key of a field, and the colon after it.
    fn key(&mut self) -> Option<Cow<'a, str>> {
        self.expect(b'"')?;
        let start = self.at;
        let is_plain = self.string()?;
        let key = if is_plain {
            Cow::Borrowed(self.text.get(start..self.at - 1)?)
        } else {
            // Half a character is no key, though it may be part of a value.
            Cow::Owned(serde_json::from_str(self.text.get(start - 1..self.at)?).ok()?)
        };
        self.expect(b':')?;
        Some(key)
    }

    fn value(&mut self, levels: usize) -> Option<&'a str> {
        self.token()?;
        let start = self.at;
        self.skip(levels)?;
        self.text.get(start..self.at)
    }

    fn skip(&mut self, levels: usize) -> Option<()> {
        let first = self.token()?;
        self.at += 1;
        match first {
            b'"' => self.string().map(drop),
            b'{' => {
                let inner = levels.checked_sub(1)?;
                self.list(b'}', |scan| {
                    scan.expect(b'"')?;
                    scan.string()?;
                    scan.expect(b':')?;
                    scan.skip(inner)
                })
            }
            b'[' => {
                let inner = levels.checked_sub(1)?;
                self.list(b']', |scan| scan.skip(inner))
            }
            b'-' => {
                let digit = self.byte()?;
                self.at += 1;
                self.number(digit)
            }
            b'0'..=b'9' => self.number(first),
            b't' => self.word("rue"),
            b'f' => self.word("alse"),
            b'n' => self.word("ull"),
            _ => None,
        }
    }

    fn word(&mut self, rest: &str) -> Option<()> {
        self.text.as_bytes().get(self.at..)?.starts_with(rest.as_bytes()).then_some(())?;
        self.at += rest.len();
        Some(())
    }

    /// A number after its first digit.
    fn number(&mut self, first: u8) -> Option<()> {
        match first {
            // Digits after a zero are not of this number, and nothing may follow it but white space or punctuation.
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.some_digits()?;
        }
        Some(())
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Option<()> {
        let start = self.at;
        self.digits();
        (self.at > start).then_some(())
    }

    /// A string after its first quote. Says whether it has no escapes.
    #[inline]
    fn string(&mut self) -> Option<bool> {
        self.at += plain(self.text.as_bytes().get(self.at..)?);
        if self.byte()? == b'"' {
            self.at += 1;
            return Some(true);
        }
        self.string_from_escape()?;
        Some(false)
    }

    fn string_from_escape(&mut self) -> Option<()> {
        while self.byte()? != b'"' {
            self.escape()?;
            self.at += plain(self.text.as_bytes().get(self.at..)?);
        }
        self.at += 1;
        Some(())
    }

    fn escape(&mut self) -> Option<()> {
        const DIGITS: usize = 4;
        let [b'\\', escaped] = *self.text.as_bytes().get(self.at..)?.first_chunk()? else { return None };
        self.at += 2;
        match escaped {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.text.as_bytes().get(self.at..self.at + DIGITS)?;
                self.at += DIGITS;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }
}
