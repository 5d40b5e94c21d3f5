//! From entries to text.

use std::borrow::Cow;
use std::sync::Arc;

use policy::act::Hash;
use responses::json::{ObjectWriter, Write, quote};

use super::{Answered, Asked, Begun, Case, Ended, Entry, Granted, Opened, Recorded, Revoked, Session, Spent, Torn};
use super::{VERSION, Who};

/// Replaces what is secret in a text that is to be written.
pub type Redact = Arc<dyn for<'a> Fn(&'a str) -> Cow<'a, str> + Send + Sync>;

/// The longest text in an entry, in bytes. The rest of a longer one is left out.
pub const MAX_TEXT: usize = 2048;

/// The most reasons that an entry has.
pub const MAX_BY: usize = 32;

/// Writes text that may come from anywhere.
#[derive(Clone, Copy)]
struct Clean<'r>(&'r Redact);

impl Recorded<'_> {
    /// The entry as the body of a line, without secrets, and never too long for it.
    pub fn text(&self, redact: &Redact) -> String {
        let Self { at, entry } = self;
        let clean = Clean(redact);
        let mut out = String::new();
        let mut to = ObjectWriter::begin(&mut out);
        to.field("v", &VERSION).field("at", at).field("kind", &clean.short(entry.kind()));
        match entry {
            Entry::Opened(Opened { version, pid, host, unsigned }) => {
                clean.put(&mut to, "version", version);
                to.field("pid", pid);
                clean.put(&mut to, "host", host);
                to.field("unsigned", &some(*unsigned));
            }
            Entry::Begun(act, Begun { case, verdict, by, policy }) => {
                clean.put(&mut to, "act", act);
                clean.case(&mut to, case);
                clean.put(&mut to, "verdict", verdict);
                clean.list(&mut to, "by", by);
                to.field("policy", &policy.map(Hex));
            }
            Entry::Ended(act, Ended { outcome, output, spent }) => {
                clean.put(&mut to, "act", act);
                clean.put(&mut to, "outcome", outcome);
                to.field("output", &output.map(Hex)).field("spent", spent);
            }
            Entry::Asked(Asked { case, by, until }) => {
                clean.case(&mut to, case);
                clean.list(&mut to, "by", by);
                to.field("until", until);
            }
            Entry::Answered(Answered { case, answerer, said, reason, unheard }) => {
                clean.case(&mut to, case);
                clean.who(&mut to, "answerer", answerer);
                clean.put(&mut to, "said", said);
                clean.put(&mut to, "reason", reason);
                to.field("unheard", &unheard.as_deref().map(|unheard| clean.short(unheard)));
            }
            Entry::Granted(Granted { grant, actor, on, until }) => {
                clean.put(&mut to, "grant", grant);
                clean.who(&mut to, "actor", actor);
                clean.put(&mut to, "on", on);
                to.field("until", until);
            }
            Entry::Revoked(Revoked { grant, actor }) => {
                clean.put(&mut to, "grant", grant);
                clean.who(&mut to, "actor", actor);
            }
            Entry::Session(Session { id, head, records }) => {
                clean.put(&mut to, "session", id);
                to.field("head", &Hex(*head)).field("records", records);
            }
            Entry::Torn(Torn { file, at, bytes, hash }) => {
                clean.put(&mut to, "file", file);
                to.field("byte", at).field("bytes", bytes).field("hash", &Hex(*hash));
            }
            Entry::Other(_) => {}
        }
        to.end();
        out
    }
}

impl Clean<'_> {
    fn put(self, to: &mut ObjectWriter<'_>, key: &str, text: &str) {
        to.field(key, &self.short(text));
    }

    /// Redacted first, so that no half of a secret is left, then cut.
    fn short(self, text: &str) -> Cow<'_, str> {
        let Self(redact) = self;
        let text = redact(text);
        if text.len() <= MAX_TEXT {
            return Cow::Owned(text.into_owned());
        }
        let end = text.floor_char_boundary(MAX_TEXT);
        Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default()))
    }

    fn list(self, to: &mut ObjectWriter<'_>, key: &str, texts: &[Cow<'_, str>]) {
        let texts: Vec<_> = texts.iter().take(MAX_BY).map(|text| self.short(text)).collect();
        to.field(key, &texts);
    }

    fn who(self, to: &mut ObjectWriter<'_>, key: &str, who: &Who<'_>) {
        let mut to = ObjectWriter::begin(to.open(key));
        self.put(&mut to, "name", &who.name);
        to.field("role", &who.role.map(|role| Cow::Borrowed(role.name())));
        to.end();
    }

    fn case(self, to: &mut ObjectWriter<'_>, case: &Case<'_>) {
        let Case { actor, session, call, what, on, input } = case;
        self.who(to, "actor", actor);
        for (key, text) in [("session", session), ("call", call), ("what", what), ("on", on)] {
            self.put(to, key, text);
        }
        to.field("input", &input.map(Hex));
    }
}

impl Write for Spent {
    fn write(&self, out: &mut String) {
        let mut to = ObjectWriter::begin(out);
        for (key, amount) in self.amounts() {
            to.field(key, &some(amount));
        }
        to.end();
    }

    fn is_absent(&self) -> bool {
        *self == Self::default()
    }
}

impl Spent {
    fn amounts(self) -> [(&'static str, u64); 6] {
        let Self { tokens, micro_dollars, nanoseconds, calls, bytes_written, bytes_deleted } = self;
        [
            ("tokens", tokens),
            ("micro_dollars", micro_dollars),
            ("nanoseconds", nanoseconds),
            ("calls", calls),
            ("bytes_written", bytes_written),
            ("bytes_deleted", bytes_deleted),
        ]
    }
}

/// A hash in its text.
struct Hex(Hash);

impl Write for Hex {
    fn write(&self, out: &mut String) {
        quote(&self.0.to_string(), out);
    }
}

/// Nothing is left out.
fn some(amount: u64) -> Option<u64> {
    (amount > 0).then_some(amount)
}
