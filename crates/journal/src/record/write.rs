//! Records as text.

use std::fmt::Write as _;

use policy::act::Hash;
use responses::json::{ObjectWriter, Write};

use super::act;
use super::{Asked, Begun, Changed, Head, Intent, Outcome, Record, Spent};

impl Record {
    /// The text of the record, as it was at a time.
    pub fn text(&self, at: u64) -> String {
        if let Self::Unknown { text, .. } = self {
            return text.clone();
        }
        let mut out = String::new();
        let mut object = ObjectWriter::begin(&mut out);
        object.field("at", &at).field("kind", self.kind());
        match self {
            Self::Session(head) => session(&mut object, head),
            Self::Begun(begun) => permit(&mut object, begun),
            Self::Intent(of) => intent(&mut object, of),
            Self::Outcome(of) => outcome(&mut object, of),
            Self::Asked(question) => asked(&mut object, question),
            Self::Usage(of) => spent(&mut object, of),
            other => other.short(&mut object),
        }
        object.end();
        out
    }

    /// The fields of the kinds that have few.
    fn short(&self, object: &mut ObjectWriter<'_>) {
        match self {
            Self::Input { items } => object.field("items", items),
            Self::Output { response, items } => object.field("response", response).field("items", items),
            Self::Ended { permit, how } => object.field("permit", permit).field("how", how),
            Self::Answered(of) => {
                object.field("question", &of.question).field("answer", &of.answer).field("by", &of.by)
            }
            Self::Compacted { generation, items } => object.field("generation", generation).field("items", items),
            Self::Route { way, why } => object.field("way", way).field("why", why),
            Self::Wait { why, until } => object.field("why", why).field("until", until),
            Self::Waited { how } => object.field("how", how),
            Self::Delta(delta) => {
                object.field("response", &delta.response);
                object.field("parts", &delta.parts.iter().map(Part).collect::<Vec<_>>())
            }
            Self::Title(text) => object.field("text", text),
            Self::Torn { offset, bytes, text } => {
                object.field("offset", offset).field("bytes", bytes).field("text", text)
            }
            _ => object,
        };
    }

    /// The word for its kind.
    pub fn kind(&self) -> &str {
        match self {
            Self::Session(_) => "session",
            Self::Input { .. } => "input",
            Self::Output { .. } => "output",
            Self::Begun(_) => "begun",
            Self::Ended { .. } => "ended",
            Self::Intent(_) => "intent",
            Self::Outcome(_) => "outcome",
            Self::Asked(_) => "asked",
            Self::Answered(_) => "answered",
            Self::Compacted { .. } => "compacted",
            Self::Route { .. } => "route",
            Self::Wait { .. } => "wait",
            Self::Waited { .. } => "waited",
            Self::Usage(_) => "usage",
            Self::Delta(_) => "delta",
            Self::Title(_) => "title",
            Self::Torn { .. } => "torn",
            Self::Unknown { kind, .. } => kind,
        }
    }
}

fn session(object: &mut ObjectWriter<'_>, head: &Head) {
    object.field("format", &head.format).field("version", &head.version);
    object.field("id", &head.id).field("cwd", &head.cwd);
    if let Some(forked) = &head.forked {
        let mut inner = ObjectWriter::begin(object.open("forked"));
        inner.field("from", &forked.from).field("seq", &forked.seq).field("hash", &Hex(forked.hash));
        inner.end();
    }
}

fn permit(object: &mut ObjectWriter<'_>, of: &Begun) {
    object.field("permit", &of.permit).field("call", &of.call).field("actor", &act::Who(&of.actor));
    object.field("act", &of.act.as_ref().map(act::Said)).field("input", &Hex(of.input));
    object.field("ruled", of.ruled.name()).field("verdict", of.verdict.name());
    object.field("by", &of.by).field("policy", &Hex(of.policy));
}

fn intent(object: &mut ObjectWriter<'_>, of: &Intent) {
    object.field("call", &of.call).field("tool", &of.tool).field("arguments", &Hex(of.arguments));
    object.field("effect", of.effect.name()).field("key", &of.key);
    object.field("cwd", &of.cwd).field("policy", &of.policy);
}

fn outcome(object: &mut ObjectWriter<'_>, of: &Outcome) {
    object.field("call", &of.call).field("status", of.status.name()).field("output", &of.output);
    object.field("exit", &of.exit);
    if of.truncated {
        object.field("truncated", &true);
    }
    if !of.changed.is_empty() {
        object.field("changed", &of.changed);
    }
}

fn asked(object: &mut ObjectWriter<'_>, of: &Asked) {
    object.field("question", &of.question).field("call", &of.call);
    object.field("act", &Hex(of.act)).field("text", &of.text);
}

fn spent(object: &mut ObjectWriter<'_>, of: &Spent) {
    object.field("response", &of.response).field("model", &of.model);
    object.field("usage", &of.usage).field("cost", &of.cost);
}

impl Write for Changed {
    fn write(&self, out: &mut String) {
        let mut object = ObjectWriter::begin(out);
        object.field("path", &self.path).field("hash", &self.hash.map(Hex));
        object.end();
    }
}

pub(super) struct Hex(pub(super) Hash);

impl Write for Hex {
    fn write(&self, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\"{}\"", self.0);
    }
}

/// A piece of what was said: `[12,"text"]`.
struct Part<'a>(&'a (u64, String));

impl Write for Part<'_> {
    fn write(&self, out: &mut String) {
        let (after, text) = self.0;
        out.push('[');
        after.write(out);
        out.push(',');
        text.write(out);
        out.push(']');
    }
}
