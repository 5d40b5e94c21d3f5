//! Sessions for programs. Times are milliseconds since 1970; what is not known is `null`.

use journal::index::{Hit, Listed, State};
use journal::sessions::Step;
use responses::json::{ObjectWriter, Write};

/// One array on one line.
///
/// ```json
/// [{"id": "…", "title": "fix the bug", "cwd": "/work", "created_at": 1795289538000, "changed_at": 1795289538000,
///   "state": "ended",                        // open, waiting, ended, damaged
///   "waits_for": null, "waits_until": null, "damage": null,
///   "forked_from": null,                     // the session whose past it shares
///   "records": 5, "inputs": 1, "outputs": 1, "calls": 0,
///   "input_tokens": 100, "output_tokens": 20, "cost_microdollars": 1250, "bytes": 2048}]
/// ```
pub(super) fn list(listed: &[Listed]) -> String {
    line(&listed.iter().map(Shown).collect::<Vec<_>>())
}

/// The same sessions, each as `session` of an object with `seq`, `kind` and `snippet`.
pub(super) fn hits(hits: &[Hit]) -> String {
    line(&hits.iter().map(Found).collect::<Vec<_>>())
}

/// One line: `{"session":…,"seq":…,"hash":…,"record":{…},"lost":[…]}`, or `{"session":…,"damage":…}`.
pub(super) fn step(step: &Step) -> String {
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    match step {
        Step::Entry(entry) => {
            object.field("session", &entry.session).field("seq", &entry.seq);
            object.field("hash", &entry.hash.to_string());
            // Between the parts of an item, a line break is a space.
            object.raw("record", &entry.text.replace(['\n', '\r'], " "));
            let lost: Vec<_> = entry.lost.iter().map(|(reference, _)| reference.hash.to_string()).collect();
            object.field("lost", &lost);
        }
        Step::Damage { session, what, .. } => {
            object.field("session", session).field("damage", what);
        }
    }
    object.end();
    text.push('\n');
    text
}

fn line(value: &impl Write) -> String {
    let mut text = String::new();
    value.write(&mut text);
    text.push('\n');
    text
}

struct Shown<'a>(&'a Listed);

impl Write for Shown<'_> {
    fn write(&self, out: &mut String) {
        let Listed { id, title, cwd, created, changed, counts, bytes, state, past } = self.0;
        let (name, why, until, damage) = match state {
            State::Open => ("open", None, None, None),
            State::Waiting { why, until } => ("waiting", Some(why), *until, None),
            State::Ended => ("ended", None, None, None),
            State::Damaged(what) => ("damaged", None, None, Some(what)),
        };
        let mut object = ObjectWriter::begin(out);
        object.field("id", id).nullable("title", title).field("cwd", cwd);
        object.field("created_at", created).field("changed_at", changed).field("state", name);
        object.nullable("waits_for", &why).nullable("waits_until", &until).nullable("damage", &damage);
        object.nullable("forked_from", past);
        object.field("records", &counts.records).field("inputs", &counts.inputs).field("outputs", &counts.outputs);
        object.field("calls", &counts.calls).field("input_tokens", &counts.input_tokens);
        object.field("output_tokens", &counts.output_tokens).field("cost_microdollars", &counts.cost);
        object.field("bytes", bytes);
        object.end();
    }
}

struct Found<'a>(&'a Hit);

impl Write for Found<'_> {
    fn write(&self, out: &mut String) {
        let Hit { session, seq, kind, snippet } = self.0;
        let mut object = ObjectWriter::begin(out);
        object.field("session", &Shown(session)).field("seq", seq).field("kind", kind).field("snippet", snippet);
        object.end();
    }
}
