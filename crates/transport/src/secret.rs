//! Text that is never shown.

use std::fmt;

use hyper::header::HeaderValue;

/// A key, a token, a password. `Debug` does not show it, and there is no `Display`: whoever wants it says `expose`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: Box<str>,
    value: HeaderValue,
    bearer: HeaderValue,
}

/// Why a piece of text is no secret that can be sent. It does not show the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// More than one line, or something no header can carry.
    #[error("it holds line breaks or characters that cannot be sent: it should be one line of plain characters")]
    Characters,
    /// Longer than [`Secret::MAX_BYTES`].
    #[error("it is longer than {} bytes: this is no key", Secret::MAX_BYTES)]
    Long,
}

impl Secret {
    /// The longest secret: tokens with many claims in them are a few thousand bytes long.
    pub const MAX_BYTES: usize = 16 << 10;

    /// Takes text as it comes from a file, a command or a variable: line breaks at its end are not part of it.
    pub fn new(text: &str) -> Result<Self, BadSecret> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.trim().is_empty() {
            return Err(BadSecret::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(BadSecret::Long);
        }
        if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(BadSecret::Characters);
        }
        Ok(Self { text: text.into(), value: sensitive(text)?, bearer: sensitive(&format!("Bearer {text}"))? })
    }

    /// The text itself. Not for messages, logs or addresses.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The value of an `authorization` header, marked so that neither logs nor header compression keep it.
    pub fn header(&self) -> HeaderValue {
        self.bearer.clone()
    }

    /// The text as the value of any other header, marked in the same way.
    pub fn plain_header(&self) -> HeaderValue {
        self.value.clone()
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, BadSecret> {
    let mut value = HeaderValue::from_str(text).map_err(|_| BadSecret::Characters)?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANTED: &str = "sk-planted-5e0f";

    #[test]
    fn a_secret_is_shown_neither_by_itself_nor_by_its_headers() {
        let secret = Secret::new(PLANTED).unwrap();
        let shown = format!("{secret:?} {:?} {:?}", secret.header(), secret.plain_header());
        assert!(!shown.contains("planted"), "{shown}");
        assert!(shown.contains("[redacted]"), "{shown}");
    }

    #[test]
    fn headers_carry_the_secret_and_are_marked() {
        let secret = Secret::new(PLANTED).unwrap();
        assert_eq!(secret.header().as_bytes(), b"Bearer sk-planted-5e0f");
        assert_eq!(secret.plain_header().as_bytes(), b"sk-planted-5e0f");
        assert!(secret.header().is_sensitive() && secret.plain_header().is_sensitive());
    }

    #[test]
    fn line_breaks_at_the_end_are_not_part_of_a_secret() {
        for text in [PLANTED, "sk-planted-5e0f\n", "sk-planted-5e0f\r\n", "sk-planted-5e0f\n\n"] {
            assert_eq!(Secret::new(text).unwrap().expose(), PLANTED);
        }
        assert_ne!(Secret::new("a"), Secret::new("b"));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_and_not_shown() {
        let long = "x".repeat(Secret::MAX_BYTES + 1);
        let cases = [
            ("", BadSecret::Empty),
            ("\n", BadSecret::Empty),
            ("  ", BadSecret::Empty),
            ("planted\nplanted", BadSecret::Characters),
            ("planted\r\nHost: evil", BadSecret::Characters),
            ("planted\0", BadSecret::Characters),
            ("planted\t", BadSecret::Characters),
            ("planted-\u{e9}", BadSecret::Characters),
            (long.as_str(), BadSecret::Long),
        ];
        for (text, expected) in cases {
            let error = Secret::new(text).unwrap_err();
            assert_eq!(error, expected);
            assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
        }
        assert!(Secret::new(&"x".repeat(Secret::MAX_BYTES)).is_ok());
    }
}
