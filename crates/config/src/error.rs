//! What is wrong with a setting, and where.

use std::ops::Range;

use crate::origin::Document;
use crate::quote::quote;

/// A setting cannot be used. Written out, it names the place and quotes the line, without what may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}{quote}")]
pub struct ConfigError {
    place: String,
    message: String,
    quote: String,
}

impl ConfigError {
    pub(crate) fn at(document: &Document, span: &Range<usize>, message: impl Into<String>) -> Self {
        Self { place: document.place(span.start), message: message.into(), quote: quote(document, span) }
    }

    pub(crate) fn without_line(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into(), quote: String::new() }
    }
}
