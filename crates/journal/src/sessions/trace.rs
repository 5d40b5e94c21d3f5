//! Pieces of what the model says, held back until no secret can be cut in two by them.

use responses::id::ResponseId;

use crate::record::{Delta, Record, Stamped};
use crate::redact::Redactor;

/// How much is held back of one response before a line is cut that has no end.
const MOST: usize = 16 << 10;

/// How much of it is held back then all the same: what begins here may go on.
const KEPT: usize = 2 << 10;

/// How much is held back if no place is found where it can be cut.
const MOST_OF_ALL: usize = 4 * MOST;

/// Of how many responses pieces are held back.
const MAX_RESPONSES: usize = 16;

/// Pieces that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Trace {
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    at: u64,
    response: Option<ResponseId>,
    parts: Vec<(u64, String)>,
    bytes: usize,
}

impl Trace {
    /// Takes pieces, and gives what can be written of them and of what came before.
    pub(super) fn push(&mut self, at: u64, delta: Delta, redactor: &Redactor) -> Vec<Stamped> {
        let Delta { response, parts } = delta;
        let before = self.held.iter().position(|held| held.response == response).map(|at| self.held.remove(at));
        let mut out = Vec::new();
        if before.is_none() && self.held.len() == MAX_RESPONSES {
            out.push(self.held.remove(0).written(redactor));
        }
        let mut held = before.unwrap_or_else(|| Held { at, response, parts: Vec::new(), bytes: 0 });
        for (after, text) in parts {
            held.bytes += text.len();
            held.parts.push(((at + after).saturating_sub(held.at), text));
        }
        let end = held.end(redactor);
        let rest = held.split_off(end);
        out.extend((end > 0).then(|| held.written(redactor)));
        self.held.extend(Some(rest).filter(|rest| rest.bytes > 0));
        out
    }

    /// All that is held of a response that has ended: no more of it will come.
    pub(super) fn ended(&mut self, response: Option<&ResponseId>, redactor: &Redactor) -> Option<Stamped> {
        let at = self.held.iter().position(|held| held.response.as_ref() == response)?;
        Some(self.held.remove(at).written(redactor))
    }

    /// All that is held.
    pub(super) fn flush(&mut self, redactor: &Redactor) -> Vec<Stamped> {
        self.held.drain(..).map(|held| held.written(redactor)).collect()
    }
}

impl Held {
    /// Up to where it can be written: what comes next belongs to nothing before that.
    fn end(&self, redactor: &Redactor) -> usize {
        let ends_a_line = self.parts.iter().any(|(_, text)| text.contains('\n'));
        if !ends_a_line && self.bytes < MOST {
            return 0;
        }
        let whole: String = self.parts.iter().map(|(_, text)| text.as_str()).collect();
        let key =
            whole.rfind("-----BEGIN ").filter(|begin| !whole.get(*begin..).unwrap_or_default().contains("-----END "));
        let lines = whole.get(..key.unwrap_or(whole.len())).unwrap_or_default().rfind('\n').map_or(0, |last| last + 1);
        if self.bytes - lines < MOST {
            return lines;
        }
        match redactor.cut(&whole, whole.len().saturating_sub(KEPT)) {
            cut if cut > lines => cut,
            _ if self.bytes >= MOST_OF_ALL => self.bytes,
            _ => lines,
        }
    }

    /// Takes out what stands from a place on.
    fn split_off(&mut self, at: usize) -> Self {
        let mut rest = Self { at: self.at, response: self.response.clone(), parts: Vec::new(), bytes: self.bytes - at };
        let mut left = at;
        for (after, text) in std::mem::take(&mut self.parts) {
            let (one, other) = text.split_at_checked(left.min(text.len())).unwrap_or((&text, ""));
            left -= one.len();
            if !one.is_empty() {
                self.parts.push((after, one.to_owned()));
            }
            if !other.is_empty() {
                rest.parts.push((after, other.to_owned()));
            }
        }
        self.bytes = at;
        // The times of what is held count from its first piece on.
        let first = rest.parts.first().map_or(0, |(after, _)| *after);
        rest.at += first;
        rest.parts.iter_mut().for_each(|(after, _)| *after -= first);
        rest
    }

    /// The record of it, without its secrets.
    fn written(self, redactor: &Redactor) -> Stamped {
        let Self { at, response, parts, .. } = self;
        let whole: String = parts.iter().map(|(_, text)| text.as_str()).collect();
        let clean = redactor.text(&whole);
        let parts = if clean == whole { parts } else { vec![(0, clean.into_owned())] };
        Stamped { at, record: Record::Delta(Delta { response, parts }) }
    }
}
