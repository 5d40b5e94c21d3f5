//! From text to typed readings.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

use super::{WireError, elements, scan};

/// A type that can be read from the text of one JSON value. The text is known to be valid JSON.
pub trait Read<'a>: Sized {
    /// Reads one value.
    fn read(text: &'a str) -> Result<Self, WireError>;

    /// Reads a field that may be absent.
    fn read_field(text: Option<&'a str>, field: &'static str) -> Result<Self, WireError> {
        let text = text.ok_or(WireError::Missing { field })?;
        Self::read(text).map_err(|error| error.in_field(field))
    }
}

/// A value that is carried, not looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Raw<'a>(pub &'a str);

impl<'a> Read<'a> for Raw<'a> {
    fn read(text: &'a str) -> Result<Self, WireError> {
        Ok(Self(text))
    }
}

/// Absent and `null` are the same to the protocol, and to a reading.
impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    fn read(text: &'a str) -> Result<Self, WireError> {
        if text == "null" { Ok(None) } else { T::read(text).map(Some) }
    }

    fn read_field(text: Option<&'a str>, field: &'static str) -> Result<Self, WireError> {
        match text {
            None | Some("null") => Ok(None),
            Some(text) => T::read(text).map(Some).map_err(|error| error.in_field(field)),
        }
    }
}

impl<'a> Read<'a> for Cow<'a, str> {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let inner = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .ok_or_else(|| WireError::shape("a string", text))?;
        if scan::plain(inner.as_bytes()) == inner.len() {
            return Ok(Cow::Borrowed(inner));
        }
        let Unescaped(owned) = serde_json::from_str(text)?;
        Ok(Cow::Owned(owned))
    }
}

impl<'a> Read<'a> for Box<str> {
    fn read(text: &'a str) -> Result<Self, WireError> {
        Ok(Cow::read(text)?.into())
    }
}

impl<'a> Read<'a> for bool {
    fn read(text: &'a str) -> Result<Self, WireError> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(WireError::shape("true or false", text)),
        }
    }
}

impl<'a> Read<'a> for u64 {
    fn read(text: &'a str) -> Result<Self, WireError> {
        text.parse().map_err(|_| WireError::shape("a whole number", text))
    }
}

impl<'a> Read<'a> for u32 {
    fn read(text: &'a str) -> Result<Self, WireError> {
        text.parse().map_err(|_| WireError::shape("a small whole number", text))
    }
}

impl<'a> Read<'a> for i64 {
    fn read(text: &'a str) -> Result<Self, WireError> {
        text.parse().map_err(|_| WireError::shape("a whole number", text))
    }
}

impl<'a> Read<'a> for f64 {
    fn read(text: &'a str) -> Result<Self, WireError> {
        if text.starts_with('"') {
            return Err(WireError::shape("a number", text));
        }
        text.parse().map_err(|_| WireError::shape("a number", text))
    }
}

impl<'a, T: Read<'a>> Read<'a> for Vec<T> {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let elements = elements(text)?.into_iter().enumerate();
        elements.map(|(at, element)| T::read(element).map_err(|error| error.in_field(at.to_string()))).collect()
    }
}

/// A string with its escapes undone. Half a surrogate pair becomes U+FFFD: models split characters over two deltas.
struct Unescaped(String);

impl<'de> Deserialize<'de> for Unescaped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lossy;
        impl Visitor<'_> for Lossy {
            type Value = Unescaped;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                // The library gives half a pair as its three bytes, and nothing else that is not UTF-8.
                const FIRST_OF_HALF: Option<&u8> = Some(&0xED);
                let mut text = String::with_capacity(bytes.len());
                for chunk in bytes.utf8_chunks() {
                    text.push_str(chunk.valid());
                    text.extend((chunk.invalid().first() == FIRST_OF_HALF).then_some(char::REPLACEMENT_CHARACTER));
                }
                Ok(Unescaped(text))
            }
        }
        deserializer.deserialize_bytes(Lossy)
    }
}
