//! Pieces of what the model says, held back until no secret can be cut in two by them.

use responses::id::ResponseId;

use crate::record::{Delta, Record, Stamped};
use crate::redact::Redactor;

/// How much is held back at most.
const MOST: usize = 16 << 10;

/// Pieces that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Trace {
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    at: u64,
    response: Option<ResponseId>,
    parts: Vec<(u64, String)>,
    bytes: usize,
}

impl Trace {
    /// Takes pieces, and gives what is to be written before them or with them.
    pub(super) fn push(&mut self, at: u64, delta: Delta, redactor: &Redactor) -> Vec<Stamped> {
        let other = self.held.as_ref().is_some_and(|held| held.response != delta.response);
        let mut out: Vec<Stamped> = if other { self.flush(redactor).into_iter().collect() } else { Vec::new() };
        let held = self.held.get_or_insert_with(|| Held { at, response: delta.response, parts: Vec::new(), bytes: 0 });
        for (after, text) in delta.parts {
            held.bytes += text.len();
            held.parts.push(((at + after).saturating_sub(held.at), text));
        }
        if held.may_be_cut() {
            out.extend(self.flush(redactor));
        }
        out
    }

    /// All that is held.
    pub(super) fn flush(&mut self, redactor: &Redactor) -> Option<Stamped> {
        let Held { at, response, parts, .. } = self.held.take()?;
        let whole: String = parts.iter().map(|(_, text)| text.as_str()).collect();
        let clean = redactor.text(&whole);
        let parts = if clean == whole { parts } else { vec![(0, clean.into_owned())] };
        Some(Stamped { at, record: Record::Delta(Delta { response, parts }) })
    }
}

impl Held {
    /// Whether what comes next belongs to nothing that came before: a line has ended, and no key is open.
    fn may_be_cut(&self) -> bool {
        let ends_a_line = self.parts.last().is_some_and(|(_, text)| text.ends_with('\n'));
        let opens_a_key = || {
            let whole: String = self.parts.iter().map(|(_, text)| text.as_str()).collect();
            whole
                .rfind("-----BEGIN ")
                .is_some_and(|begin| !whole.get(begin..).unwrap_or_default().contains("-----END "))
        };
        self.bytes >= MOST || ends_a_line && !opens_a_key()
    }
}
