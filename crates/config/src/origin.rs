//! Where a value came from.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What set a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The program itself.
    BuiltIn,
    /// The file of this path, as the caller wrote it.
    File(String),
    /// The environment variable of this name.
    Variable(String),
    /// The argument `-c` with this key.
    Argument(String),
}

impl fmt::Display for Source {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => to.write_str("built-in settings"),
            Self::File(path) => to.write_str(path),
            Self::Variable(name) => write!(to, "environment variable {name}"),
            Self::Argument(key) => write!(to, "-c {key}"),
        }
    }
}

/// A text, and where its lines begin.
pub(crate) struct Document {
    pub(crate) source: Source,
    pub(crate) text: String,
    lines: Vec<usize>,
}

impl Document {
    pub(crate) fn new(source: Source, text: &str) -> Self {
        let lines = [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { source, text: text.to_owned(), lines }
    }

    /// Whether a reader would know the place by its line.
    pub(crate) fn has_lines(&self) -> bool {
        matches!(self.source, Source::BuiltIn | Source::File(_))
    }

    /// The line, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// The bytes of a line without its end.
    pub(crate) fn line_range(&self, line: usize) -> Range<usize> {
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let length = self.text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
        start..start + length
    }

    /// The line and the column in characters, both counted from 1.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let start = self.line_range(line).start;
        let before = self.text.get(start..self.text.floor_char_boundary(offset)).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    pub(crate) fn place(&self, offset: usize) -> String {
        if !self.has_lines() {
            return self.source.to_string();
        }
        let (line, column) = self.position(offset);
        format!("{}:{line}:{column}", self.source)
    }
}

/// Where a value was set. Written out, it is `path:line:column`, or the name of the variable or argument.
#[derive(Clone)]
pub struct Origin {
    pub(crate) document: Arc<Document>,
    pub(crate) key: Range<usize>,
    pub(crate) value: Range<usize>,
}

impl Origin {
    /// What set the value.
    pub fn source(&self) -> &Source {
        &self.document.source
    }

    /// The line and the column of the key, in characters from 1; nothing for a variable or an argument.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.document.has_lines().then(|| self.document.position(self.key.start))
    }

    /// The value as a user typed it into a variable or an argument.
    pub(crate) fn typed(&self) -> Option<&str> {
        if self.document.has_lines() { None } else { self.document.text.get(self.value.clone()) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.document.place(self.key.start))
    }
}

/// Without the text: it may hold secrets.
impl fmt::Debug for Origin {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Origin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_with_or_without_a_carriage_return() {
        let document = Document::new(Source::BuiltIn, "ä = 1\r\n\t日本 = x\n");
        assert_eq!(document.position(0), (1, 1));
        assert_eq!(document.position("ä = ".len()), (1, 5));
        let second = "ä = 1\r\n".len();
        assert_eq!(document.position(second), (2, 1));
        assert_eq!(document.position(second + "\t日本 = ".len()), (2, 7));
        assert_eq!(document.position(document.text.len()), (3, 1));
        assert_eq!(document.text.get(document.line_range(1)), Some("ä = 1"));
        assert_eq!(document.text.get(document.line_range(3)), Some(""));
    }

    #[test]
    fn places_outside_the_text_are_its_end() {
        let document = Document::new(Source::BuiltIn, "a");
        assert_eq!(document.position(100), (1, 2));
        assert_eq!(document.line_range(9), 1..1);
    }
}
