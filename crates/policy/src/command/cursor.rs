//! A place in a text that is read.

/// Where reading is. A backslash before the end of a line is as if both were not there; what is `raw` does see them.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'text> {
    text: &'text str,
    at: usize,
}

impl<'text> Cursor<'text> {
    pub(crate) fn new(text: &'text str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Back to where reading was.
    pub(crate) fn back(&mut self, at: usize) {
        self.at = at;
    }

    pub(crate) fn since(&self, at: usize) -> &'text str {
        self.text.get(at..self.at).unwrap_or_default()
    }

    pub(crate) fn rest(&self) -> &'text str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn raw(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn take_raw(&mut self) -> Option<char> {
        let letter = self.raw()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    pub(crate) fn peek(&mut self) -> Option<char> {
        while self.rest().starts_with("\\\n") {
            self.at += 2;
        }
        self.raw()
    }

    pub(crate) fn take(&mut self) -> Option<char> {
        self.peek()?;
        self.take_raw()
    }

    pub(crate) fn looks_at(&self, text: &str) -> bool {
        self.clone().eat(text)
    }

    /// Reads this text, or nothing.
    pub(crate) fn eat(&mut self, text: &str) -> bool {
        let at = self.at;
        let all = text.chars().all(|letter| self.take() == Some(letter));
        if !all {
            self.at = at;
        }
        all
    }

    /// Reads letters as long as they are such.
    pub(crate) fn eat_while(&mut self, is: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(letter) = self.peek().filter(|letter| is(*letter)) {
            text.push(letter);
            self.take_raw();
        }
        text
    }

    /// The line that begins here, without its end, and whether it has one. Reads both.
    pub(crate) fn line(&mut self) -> (&'text str, bool) {
        let rest = self.rest();
        match rest.split_once('\n') {
            Some((line, _)) => {
                self.at += line.len() + 1;
                (line, true)
            }
            None => {
                self.at += rest.len();
                (rest, false)
            }
        }
    }
}
