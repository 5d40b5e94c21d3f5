//! Where a bracket that was opened is closed, for text that grows.

/// What there is to know of a value in brackets so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Where it begins and ends.
    Value(usize, usize),
    /// It goes on.
    More,
    /// It is none.
    Broken,
}

/// Which rules quotes and other signs follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    Json,
    Python,
}

impl Tongue {
    fn quotes(self, byte: u8) -> bool {
        byte == b'"' || (self == Self::Python && byte == b'\'')
    }

    /// Whether a sign may stand outside of quotes and brackets: what cannot is prose as early as possible.
    fn takes(self, byte: u8) -> bool {
        self == Self::Python || b"0123456789+-.eEtrufalsn,: \t\r\n".contains(&byte)
    }
}

/// Looks at each byte once, however often text is added.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    tongue: Tongue,
    /// How far it has looked.
    at: usize,
    /// Where the value that is open begins.
    from: usize,
    depth: usize,
    quote: Option<u8>,
    is_escaped: bool,
}

impl Scan {
    pub(super) fn new(tongue: Tongue, at: usize) -> Self {
        Self { tongue, at, from: at, depth: 0, quote: None, is_escaped: false }
    }

    /// Goes on to the end of the next value. Between values there is white space, or a sign that separates them.
    pub(super) fn next(&mut self, text: &str) -> Found {
        for byte in text.bytes().skip(self.at) {
            self.at += 1;
            match (self.quote, byte) {
                (Some(_), _) if self.is_escaped => self.is_escaped = false,
                (Some(_), b'\\') => self.is_escaped = true,
                (Some(quote), _) => self.quote = self.quote.filter(|_| quote != byte),
                (None, b'{' | b'[' | b'(') => {
                    if self.depth == 0 {
                        self.from = self.at - 1;
                    }
                    self.depth += 1;
                }
                (None, _) if self.depth == 0 => {
                    if !byte.is_ascii_whitespace() && !matches!(byte, b';' | b',') {
                        return Found::Broken;
                    }
                }
                (None, b'}' | b']' | b')') => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Found::Value(self.from, self.at);
                    }
                }
                (None, _) if self.tongue.quotes(byte) => self.quote = Some(byte),
                (None, _) if !self.tongue.takes(byte) => return Found::Broken,
                (None, _) => {}
            }
        }
        Found::More
    }

    /// Whether it stands between values.
    pub(super) fn is_between(&self) -> bool {
        self.depth == 0
    }
}

/// Looks for a mark in text that grows, each time only where it has not looked.
pub(super) fn find_from(text: &str, mark: &str, from: &mut usize) -> Option<usize> {
    if let Some(at) = text.get(*from..).and_then(|rest| rest.find(mark)) {
        return Some(*from + at);
    }
    // The mark may have begun.
    let mut at = text.len().saturating_sub(mark.len()).max(*from);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    *from = at;
    None
}
