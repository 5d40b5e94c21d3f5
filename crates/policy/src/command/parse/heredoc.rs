//! Here-documents, and the ends of lines after which their texts stand.

use super::{Parser, Read};
use crate::command::syntax::{Aim, Part, Redirect, Word};

/// How many here-documents one line may begin.
const MAX_AWAITED: usize = 8;

/// A here-document whose text comes later.
pub(crate) struct Awaited {
    /// The line that ends it.
    end: String,
    /// Tabs before its lines do not count.
    tabs: bool,
    /// Variables and substitutions in it are replaced.
    expands: bool,
    at: usize,
    /// The text, once it was read.
    text: Vec<Part>,
    read: bool,
}

impl Parser<'_> {
    /// The delimiter of a here-document; its text is read ahead at once, and skipped when the line ends.
    pub(super) fn heredoc(&mut self, at: usize, stream: Option<String>, tabs: bool) -> Read<Redirect> {
        let Some(delimiter) = self.word()? else { return self.fault(at, "a here-document has no end mark") };
        let mut end = String::new();
        for part in &delimiter.parts {
            match part {
                Part::Bare(text) | Part::Fixed(text) => end.push_str(text),
                Part::Variable(_) | Part::Command { .. } | Part::Arithmetic(_) | Part::Process(_) => {
                    return self.fault(at, "the end mark of a here-document is no plain text");
                }
            }
        }
        if end.contains('\n') {
            return self.fault(at, "the end mark of a here-document is no plain text");
        }
        if self.awaited.len() >= MAX_AWAITED {
            return self.fault(at, "there are too many here-documents on one line");
        }
        let expands = delimiter.parts.iter().all(|part| matches!(part, Part::Bare(_)));
        self.awaited.push(Awaited { end, tabs, expands, at, text: Vec::new(), read: false });
        let parts = self.ahead()?;
        Ok(Redirect { stream, aim: Aim::Here, word: Word { parts, written: delimiter.written } })
    }

    /// The text of the here-document that was awaited last. What is between it and the mark is read afterwards.
    fn ahead(&mut self) -> Read<Vec<Part>> {
        let at = self.cursor.at();
        let skipped = self.line_ends();
        let result = if skipped { self.texts() } else { self.here("a here-document has no text") };
        self.cursor.back(at);
        result?;
        let last = self.awaited.last_mut();
        Ok(last.map(|awaited| awaited.text.clone()).unwrap_or_default())
    }

    /// Goes to the line after this one, if the rest of this one is plain enough to be skipped.
    fn line_ends(&mut self) -> bool {
        let (line, ended) = self.cursor.line();
        ended && !line.ends_with('\\')
    }

    /// Reads the texts of all that are awaited.
    fn texts(&mut self) -> Read<()> {
        for index in 0..self.awaited.len() {
            let Some(Awaited { end, tabs, expands, at, read, .. }) = self.awaited.get(index) else { continue };
            let (end, tabs, expands, at, known) = (end.clone(), *tabs, *expands, *at, *read);
            let text = self.text(&end, tabs, expands && !known, at)?;
            let parts = match (known, expands) {
                (true, _) => continue,
                (false, true) => self.within(|parser| parser.expanded(&text))?,
                (false, false) => vec![Part::Fixed(text)],
            };
            if let Some(awaited) = self.awaited.get_mut(index) {
                awaited.text = parts;
                awaited.read = true;
            }
        }
        Ok(())
    }

    fn text(&mut self, end: &str, tabs: bool, expands: bool, at: usize) -> Read<String> {
        let mut text = String::new();
        loop {
            let (line, ended) = self.cursor.line();
            let line = if tabs { line.trim_start_matches('\t') } else { line };
            if line == end {
                return Ok(text);
            }
            if !ended {
                return self.fault(at, "a here-document does not end");
            }
            if expands && line.ends_with('\\') {
                return self.fault(at, "a line of a here-document goes on in the next");
            }
            text.push_str(line);
            text.push('\n');
        }
    }

    /// The end of a line, with the texts of here-documents after it.
    pub(super) fn end_of_line(&mut self) -> Read<()> {
        self.cursor.take();
        if !self.awaited.is_empty() {
            self.texts()?;
            self.awaited.clear();
        }
        Ok(())
    }

    /// Something that goes over lines or has lines of its own cannot follow a here-document on its line.
    pub(super) fn nothing_awaited(&self) -> Read<()> {
        if self.awaited.is_empty() {
            return Ok(());
        }
        self.here("text that goes over lines follows a here-document on its line")
    }
}
