//! From typed values to text.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{Raw, scan};

/// A type that can be written as one JSON value.
pub trait Write {
    /// Appends the value to `out`.
    fn write(&self, out: &mut String);

    /// Whether the field that holds this value is left out.
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T: Write + ?Sized> Write for &T {
    fn write(&self, out: &mut String) {
        (**self).write(out);
    }
}

impl<T: Write> Write for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Write> Write for Vec<T> {
    fn write(&self, out: &mut String) {
        self.as_slice().write(out);
    }
}

impl<T: Write> Write for [T] {
    fn write(&self, out: &mut String) {
        out.push('[');
        for (at, element) in self.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            element.write(out);
        }
        out.push(']');
    }
}

impl Write for Raw<'_> {
    fn write(&self, out: &mut String) {
        out.push_str(self.0);
    }
}

impl Write for str {
    fn write(&self, out: &mut String) {
        quote(self, out);
    }
}

impl Write for Cow<'_, str> {
    fn write(&self, out: &mut String) {
        quote(self, out);
    }
}

impl Write for String {
    fn write(&self, out: &mut String) {
        quote(self, out);
    }
}

impl Write for Box<str> {
    fn write(&self, out: &mut String) {
        quote(self, out);
    }
}

macro_rules! write_displayed {
    ($($type:ty),*) => { $(
        impl Write for $type {
            fn write(&self, out: &mut String) {
                // Writing to a String cannot fail.
                let _ = write!(out, "{self}");
            }
        }
    )* };
}

write_displayed!(bool, u16, u32, u64, i64);

/// Appends `text` as a JSON string.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    loop {
        let (clean, special) = rest.split_at_checked(scan::plain(rest.as_bytes())).unwrap_or((rest, ""));
        out.push_str(clean);
        let Some(byte) = special.bytes().next() else { break };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
        rest = special.get(1..).unwrap_or_default();
    }
    out.push('"');
}

/// Writes one object, field by field.
#[derive(Debug)]
pub struct ObjectWriter<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> ObjectWriter<'a> {
    /// Opens the object.
    pub fn begin(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    /// A field with a typed value; an absent one is left out.
    pub fn field(&mut self, key: &str, value: &(impl Write + ?Sized)) -> &mut Self {
        if !value.is_absent() {
            self.key(key);
            value.write(self.out);
        }
        self
    }

    /// A field that is there even if its value is not.
    pub fn nullable(&mut self, key: &str, value: &impl Write) -> &mut Self {
        self.key(key);
        value.write(self.out);
        self
    }

    /// A field whose value is text already.
    pub fn raw(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        self.out.push_str(value);
        self
    }

    /// Fields that were rendered before, without their braces.
    pub fn spliced(&mut self, fields: &str) -> &mut Self {
        if !fields.is_empty() {
            self.comma();
            self.out.push_str(fields);
        }
        self
    }

    /// Starts a field; the caller writes its value to the text returned.
    pub fn open(&mut self, key: &str) -> &mut String {
        self.key(key);
        self.out
    }

    /// Closes the object.
    pub fn end(self) {
        self.out.push('}');
    }

    fn key(&mut self, key: &str) {
        self.comma();
        quote(key, self.out);
        self.out.push(':');
    }

    fn comma(&mut self) {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
    }
}
