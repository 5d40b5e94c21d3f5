//! Free text that comes wrapped: `{"input":"…"}`, read while it comes.

use crate::request::INPUT;

/// Reads the text out of arguments that grow.
#[derive(Debug, Default)]
pub(super) struct Unwrap {
    /// How much of the arguments was read.
    at: usize,
    state: State,
    /// The text so far.
    text: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Before,
    Inside,
    After,
    /// The arguments are not what was asked for.
    Other,
}

impl Unwrap {
    /// Reads on. `arguments` begins with what it was before.
    pub(super) fn read(&mut self, arguments: &str) {
        if self.state == State::Before {
            match opened(arguments) {
                Opened::At(at) => (self.state, self.at) = (State::Inside, at),
                Opened::NotYet => return,
                Opened::Never => self.state = State::Other,
            }
        }
        while self.state == State::Inside {
            let rest = arguments.get(self.at..).unwrap_or_default();
            let plain = rest.find(['"', '\\']).unwrap_or(rest.len());
            self.text.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            let rest = rest.get(plain..).unwrap_or_default();
            if rest.starts_with('"') {
                self.state = State::After;
                self.at += 1;
                return;
            }
            let Some((sign, length)) = escaped(rest) else { return };
            self.text.push(sign);
            self.at += length;
        }
    }

    /// The text so far, or none if the arguments hold no such text, as far as is known.
    pub(super) fn text(&self) -> Option<&str> {
        matches!(self.state, State::Inside | State::After).then_some(&*self.text)
    }

    /// Whether the text goes on.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Inside
    }
}

enum Opened {
    At(usize),
    NotYet,
    Never,
}

/// Where the text begins.
fn opened(arguments: &str) -> Opened {
    let mut rest = arguments;
    for sign in ["{", "\"", INPUT, "\"", ":", "\""] {
        // Inside of quotes a space is one of the name.
        let text = if sign == INPUT { rest } else { rest.trim_start() };
        if let Some(tail) = text.strip_prefix(sign) {
            rest = tail;
        } else {
            return if sign.starts_with(text) { Opened::NotYet } else { Opened::Never };
        }
    }
    Opened::At(arguments.len() - rest.len())
}

/// The sign that an escape at the beginning of the text stands for, and how long the escape is; none while it is not
/// whole. What JSON does not know stands for itself.
fn escaped(text: &str) -> Option<(char, usize)> {
    let mut signs = text.strip_prefix('\\')?.chars();
    let sign = match signs.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => return unicode(text),
        sign @ ('"' | '\\' | '/') => sign,
        _ => return Some(('\\', 1)),
    };
    Some((sign, 2))
}

/// Signs beyond the first plane are two escapes; half of one is no sign.
fn unicode(text: &str) -> Option<(char, usize)> {
    const LENGTH: usize = 6;
    const UNKNOWN: (char, usize) = (char::REPLACEMENT_CHARACTER, LENGTH);
    let Some(digits) = text.get(2..LENGTH) else {
        let is_cut = text.chars().skip(2).all(|sign| sign.is_ascii_hexdigit());
        return (!is_cut).then_some(('\\', 1));
    };
    let Ok(first) = u32::from_str_radix(digits, 16) else { return Some(('\\', 1)) };
    if let Some(sign) = char::from_u32(first) {
        return Some((sign, LENGTH));
    }
    let rest = text.get(LENGTH..).unwrap_or_default();
    if first >= 0xDC00 || !(rest.starts_with("\\u") || "\\u".starts_with(rest)) {
        return Some(UNKNOWN);
    }
    let Some(digits) = rest.get(2..LENGTH) else {
        let is_cut = rest.chars().skip(2).all(|sign| sign.is_ascii_hexdigit());
        return (!is_cut).then_some(UNKNOWN);
    };
    match u32::from_str_radix(digits, 16) {
        Ok(second @ 0xDC00..=0xDFFF) => {
            let sign = char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))?;
            Some((sign, 2 * LENGTH))
        }
        _ => Some(UNKNOWN),
    }
}
