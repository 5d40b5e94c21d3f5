//! Lines as `docs/session-format.md` says they are, written without the code that is tested.

use journal::log::Hash;

/// A log under construction.
#[derive(Clone)]
pub(crate) struct Text {
    pub(crate) lines: Vec<Vec<u8>>,
    before: Hash,
}

impl Text {
    pub(crate) fn new() -> Self {
        Self { lines: Vec::new(), before: Hash([0; 32]) }
    }

    /// A log of lines with these marks, whose bodies are long enough to be torn.
    pub(crate) fn marked(marks: &str) -> Self {
        let mut text = Self::new();
        for mark in marks.chars() {
            text.push(mark, &format!("body {} {}", text.lines.len(), "text ".repeat(text.lines.len())));
        }
        text
    }

    pub(crate) fn push(&mut self, mark: char, body: &str) {
        let bound = format!("{} {mark} {body}", self.lines.len());
        self.before = Hash::of(&[&self.before.0, bound.as_bytes()].concat());
        self.lines.push(format!("{} {bound}\n", self.before).into_bytes());
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.lines.concat()
    }

    /// Where a line begins.
    pub(crate) fn start(&self, line: usize) -> usize {
        self.lines[..line].iter().map(Vec::len).sum()
    }

    /// The line to which a byte belongs.
    pub(crate) fn line_of(&self, at: usize) -> usize {
        (0..self.lines.len()).rfind(|line| self.start(*line) <= at).unwrap()
    }
}
