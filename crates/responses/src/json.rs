//! JSON as text. What travelled is the truth; a typed value is a reading of it.
//!
//! Nothing here builds a tree. [`Json`] is an owned, checked piece of text; [`Object`] is the list of an object's
//! fields, each value still text; [`Read`] and [`Write`] turn such text into typed readings and back. Whatever a
//! reading does not name stays in the text and survives unchanged: key order, escapes and numbers of any length.

mod read;
mod scan;
mod write;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

pub use read::{Raw, Read};
pub use write::{ObjectWriter, Write, quote};

/// How deep arrays and objects may nest. The same bound the JSON library puts on typed parsing.
pub const MAX_DEPTH: usize = 128;

/// How deep text may nest that is put together of checked parts.
const DEEPEST: usize = 2 * MAX_DEPTH;

/// How many fields one object that is looked into may have.
pub const MAX_FIELDS: usize = 512;

/// How many elements one array that is looked into may have.
pub const MAX_ELEMENTS: usize = 1 << 18;

/// Why a piece of text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The text is not JSON.
    #[error("not valid JSON at line {line}, column {column}: {what}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
        /// What the parser says.
        what: String,
    },
    /// The bytes are not UTF-8.
    #[error("not valid UTF-8 at byte {at}")]
    Utf8 {
        /// The first bad byte.
        at: usize,
    },
    /// Arrays and objects nest deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    Depth,
    /// A named bound was passed.
    #[error("{what} is over the limit of {limit}")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// The same key twice in one object.
    #[error("the field `{field}` appears twice")]
    Duplicate {
        /// The key.
        field: String,
    },
    /// A field that must be there is not.
    #[error("the field `{field}` is missing")]
    Missing {
        /// The key.
        field: &'static str,
    },
    /// A value has the wrong type.
    #[error("expected {expected}, found {found}")]
    Shape {
        /// What was expected.
        expected: &'static str,
        /// What was there, shortened.
        found: String,
    },
    /// An error inside a field.
    #[error("`{field}`: {source}")]
    In {
        /// The key.
        field: String,
        /// The error itself.
        source: Box<WireError>,
    },
}

impl WireError {
    /// The same error, said of the field it was met in.
    #[must_use]
    pub fn in_field(self, field: impl Into<String>) -> Self {
        Self::In { field: field.into(), source: Box::new(self) }
    }

    /// The path of fields that leads to the error, dotted, as servers report it in `param`.
    pub fn path(&self) -> Option<String> {
        match self {
            Self::In { field, source } => Some(match source.path() {
                Some(rest) => format!("{field}.{rest}"),
                None => field.clone(),
            }),
            Self::Missing { field } => Some((*field).to_owned()),
            Self::Duplicate { field } => Some(field.clone()),
            Self::Syntax { .. } | Self::Utf8 { .. } | Self::Depth | Self::Limit { .. } | Self::Shape { .. } => None,
        }
    }

    pub(crate) fn shape(expected: &'static str, found: &str) -> Self {
        Self::Shape { expected, found: shortened(found, SHOWN) }
    }
}

/// How much of a value is shown in a message.
pub(crate) const SHOWN: usize = 40;

/// What is shown of something that came from outside, and may be of any length.
pub(crate) fn shortened(text: &str, shown: usize) -> String {
    match text.char_indices().nth(shown) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl From<serde_json::Error> for WireError {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default().to_owned();
        Self::Syntax { line: error.line(), column: error.column(), what }
    }
}

/// Checks that bytes are UTF-8, and says where they are not.
pub fn utf8(bytes: &[u8]) -> Result<&str, WireError> {
    std::str::from_utf8(bytes).map_err(|error| WireError::Utf8 { at: error.valid_up_to() })
}

/// One JSON value, kept as the exact text that travelled. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// Takes text that must be one JSON value, white space around it aside.
    pub fn parse(text: &str) -> Result<Self, WireError> {
        scan::value(text, MAX_DEPTH)
            .map(Self::trusted)
            .ok_or_else(|| why_too_deep(text).unwrap_or_else(|| why_no_value(text)))
    }

    /// Takes text that a reader or a writer of this crate has made or checked.
    pub(crate) fn trusted(text: &str) -> Self {
        Self(text.into())
    }

    /// Renders a typed value.
    pub fn of(value: &impl Write) -> Self {
        let mut text = String::new();
        value.write(&mut text);
        Self(text.into())
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether this is the literal `null`, which the protocol treats as absent.
    pub fn is_null(&self) -> bool {
        &*self.0 == "null"
    }

    /// Reads the text as a typed value.
    pub fn read<'a, T: Read<'a>>(&'a self) -> Result<T, WireError> {
        T::read(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'a> Read<'a> for Json {
    fn read(text: &'a str) -> Result<Self, WireError> {
        Ok(Self::trusted(text))
    }
}

impl Write for Json {
    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

/// The fields of one JSON object in their order, values as text.
#[derive(Debug, Clone, Default)]
pub struct Object<'a> {
    fields: Vec<(Cow<'a, str>, &'a str)>,
    /// The marks of all keys that are there, and perhaps of some that were.
    marks: u64,
}

impl PartialEq for Object<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.fields == other.fields
    }
}

impl Eq for Object<'_> {}

impl<'a> Object<'a> {
    /// Splits the text of an object that came from outside.
    pub fn parse(text: &'a str) -> Result<Self, WireError> {
        Self::within(MAX_DEPTH, text).unwrap_or_else(|| Err(why_too_deep(text).unwrap_or_else(|| why_no_object(text))))
    }

    /// Splits text that is part of something already checked, or put together of such parts.
    pub fn split(text: &'a str) -> Result<Self, WireError> {
        Self::within(DEEPEST, text).unwrap_or_else(|| Err(why_no_object(text)))
    }

    fn within(levels: usize, text: &'a str) -> Option<Result<Self, WireError>> {
        const USUAL: usize = 12;
        let mut fields: Vec<(Cow<'a, str>, &'a str)> = Vec::with_capacity(USUAL);
        let (mut marks, mut refusal) = (0, None);
        scan::fields(text, levels, |key, value| {
            let mark = mark(&key);
            let may_be_there = marks & mark != 0;
            marks |= mark;
            if refusal.is_some() {
                // What follows is no longer of interest, as long as it is JSON.
            } else if fields.len() == MAX_FIELDS {
                refusal = Some(WireError::Limit { what: "the number of fields in one object", limit: MAX_FIELDS });
            } else if may_be_there && fields.iter().any(|(name, _)| *name == key) {
                refusal = Some(WireError::Duplicate { field: shortened(&key, SHOWN) });
            } else {
                fields.push((key, value));
            }
        })?;
        Some(refusal.map_or(Ok(Self { fields, marks }), Err))
    }

    /// The text of a field, if it is there.
    #[inline]
    pub fn get(&self, key: &str) -> Option<&'a str> {
        if self.marks & mark(key) == 0 {
            return None;
        }
        self.fields.iter().find(|(name, _)| name == key).map(|(_, value)| *value)
    }

    /// Reads a field as a typed value; the error names the field.
    pub fn read<T: Read<'a>>(&self, key: &'static str) -> Result<T, WireError> {
        T::read_field(self.get(key), key)
    }

    /// Takes a field out.
    pub fn take(&mut self, key: &str) -> Option<&'a str> {
        let at = self.fields.iter().position(|(name, _)| name == key)?;
        Some(self.fields.remove(at).1)
    }

    /// Puts a field in: in its place if the key is there, else at the end.
    pub fn set(&mut self, key: &'a str, value: &'a str) {
        match self.fields.iter_mut().find(|(name, _)| name == key) {
            Some(field) => field.1 = value,
            None => {
                self.marks |= mark(key);
                self.fields.push((Cow::Borrowed(key), value));
            }
        }
    }

    /// All fields in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.fields.iter().map(|(key, value)| (key.as_ref(), *value))
    }
}

impl Write for Object<'_> {
    fn write(&self, out: &mut String) {
        let mut object = ObjectWriter::begin(out);
        for (key, value) in self.fields() {
            object.raw(key, value);
        }
        object.end();
    }
}

/// One bit of 64: keys with different marks are different keys.
#[inline]
fn mark(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let [first, last] = [bytes.first(), bytes.last()].map(|byte| byte.copied().map_or(0, usize::from));
    1 << ((key.len() * 7 + first * 3 + last) % 64)
}

/// The elements of one JSON array, each still text.
pub fn elements(text: &str) -> Result<Vec<&str>, WireError> {
    let (mut elements, mut count) = (Vec::new(), 0);
    let scanned = scan::elements(text, DEEPEST, |element| {
        count += 1;
        if count <= MAX_ELEMENTS {
            elements.push(element);
        }
    });
    match scanned {
        None if text.trim_start().starts_with('[') => Err(why_no_value(text)),
        None => Err(WireError::shape("an array", text)),
        Some(()) if count > MAX_ELEMENTS => {
            Err(WireError::Limit { what: "the number of elements in one array", limit: MAX_ELEMENTS })
        }
        Some(()) => Ok(elements),
    }
}

/// Refuses text that nests deeper than [`MAX_DEPTH`], JSON or not.
fn why_too_deep(text: &str) -> Option<WireError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some(WireError::Depth);
        }
    }
    None
}

/// The library says why this is no JSON, and where. If it has nothing against it, it is too deep.
fn why_no_value(text: &str) -> WireError {
    serde_json::from_str::<&RawValue>(text).map_or_else(WireError::from, |_| WireError::Depth)
}

/// The same, for text that should be an object.
fn why_no_object(text: &str) -> WireError {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str::<Fields>(text).map_or_else(WireError::from, |_| WireError::Depth);
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) => WireError::shape("an object", text),
        Err(error) => error.into(),
    }
}

/// The fields of an object, of which nothing is kept.
struct Fields;

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pass;
        impl<'de> Visitor<'de> for Pass {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<String, IgnoredAny>()?.is_some() {}
                Ok(Fields)
            }
        }
        deserializer.deserialize_map(Pass)
    }
}
