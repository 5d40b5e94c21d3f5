//! Judgements and grants for programs. Every field is always there; what is not known is `null`.

use policy::grants::{Grant, Grants};
use policy::judge::{Finding, Judgement};
use policy::replay::{Changed, Recorded, Replay};
use policy::report;
use responses::json::{ObjectWriter, Write};

/// What was decided about one act.
///
/// ```json
/// {"verdict": "ask",                         // allow, ask, deny
///  "findings": [{"verdict": "ask", "part": "reaches example.com", "rule": null, "why": "…"}],
///  "always": "curl …",                       // what "always" would remember
///  "grant": null,                            // the grant without which somebody would be asked
///  "policy": "e3b0…"}                        // the hash of the file of rules
/// ```
pub(super) fn judgement(judgement: &Judgement) -> String {
    let mut out = String::new();
    let mut object = ObjectWriter::begin(&mut out);
    object.field("verdict", judgement.verdict.name());
    object.field("findings", &findings(&judgement.findings)).field("always", &judgement.meaning.to_string());
    object.nullable("grant", &judgement.grant).field("policy", &judgement.version.to_string());
    object.end();
    out + "\n"
}

/// All grants, in the order of their ids. Times are seconds since 1970.
///
/// ```json
/// [{"id": "g19ab", "means": "cargo test …", "for": "agent", "actor": null, "session": null, "place": "/work/p",
///   "until": null, "uses": null, "given_by": "alice", "at": 1795289538, "reason": "", "holds": true}]
/// ```
pub(super) fn grants(grants: &Grants, now: u64) -> String {
    let mut out = String::new();
    let shown: Vec<ShownGrant<'_>> = grants.iter().map(|grant| ShownGrant { grant, now }).collect();
    shown.write(&mut out);
    out + "\n"
}

/// What other rules would have decided.
///
/// ```json
/// {"acts": 12, "counts": [{"was": "ask", "would_be": "allow", "acts": 3}],
///  "changed": [{"act": "git push", "was": "ask", "would_be": "deny", "because": [ … ]}]}  // findings as above
/// ```
pub(super) fn replay(replay: &Replay, acts: &[Recorded]) -> String {
    let mut out = String::new();
    let mut object = ObjectWriter::begin(&mut out);
    let count = |(was, would_be, acts): &(_, _, usize)| Count { was: *was, would_be: *would_be, acts: *acts };
    object.field("acts", &(acts.len() as u64)).field("counts", &replay.counts.iter().map(count).collect::<Vec<_>>());
    let changed = |changed| ShownChange { changed, acts };
    object.field("changed", &replay.changed.iter().map(changed).collect::<Vec<_>>());
    object.end();
    out + "\n"
}

fn findings(findings: &[Finding]) -> Vec<ShownFinding<'_>> {
    findings.iter().map(ShownFinding).collect()
}

struct ShownFinding<'a>(&'a Finding);

impl Write for ShownFinding<'_> {
    fn write(&self, out: &mut String) {
        let Finding { verdict, part, rule, why } = self.0;
        let mut object = ObjectWriter::begin(out);
        object.field("verdict", verdict.name()).field("part", part).nullable("rule", rule).field("why", why);
        object.end();
    }
}

struct ShownGrant<'a> {
    grant: &'a Grant,
    now: u64,
}

impl Write for ShownGrant<'_> {
    fn write(&self, out: &mut String) {
        let Grant { id, role, actor, session, meaning, place, until, uses, given_by, at, reason } = self.grant;
        let mut object = ObjectWriter::begin(out);
        object.field("id", id).field("means", &meaning.to_string()).field("for", role.name()).nullable("actor", actor);
        object.nullable("session", session).field("place", place.as_str()).nullable("until", until);
        object.nullable("uses", uses).field("given_by", given_by).field("at", at).field("reason", reason);
        object.field("holds", &self.grant.is_alive(self.now));
        object.end();
    }
}

struct Count {
    was: policy::verdict::Verdict,
    would_be: policy::verdict::Verdict,
    acts: usize,
}

impl Write for Count {
    fn write(&self, out: &mut String) {
        let mut object = ObjectWriter::begin(out);
        object.field("was", self.was.name()).field("would_be", self.would_be.name()).field("acts", &(self.acts as u64));
        object.end();
    }
}

struct ShownChange<'a> {
    changed: &'a Changed,
    acts: &'a [Recorded],
}

impl Write for ShownChange<'_> {
    fn write(&self, out: &mut String) {
        let Changed { index, was, would_be, because } = self.changed;
        let act = self.acts.get(*index).map(|recorded| report::act(&recorded.act)).unwrap_or_default();
        let mut object = ObjectWriter::begin(out);
        object.field("act", &act).field("was", was.name()).field("would_be", would_be.name());
        object.field("because", &findings(because));
        object.end();
    }
}
