//! What a verification found out, for people and for programs.

use std::fmt::Write as _;

use journal::audit::checkpoint::Checkpoint;
use journal::audit::proof::Proven;
use journal::audit::verify::{Act, Report};
use responses::json::{ObjectWriter, Write};

use super::show::moment;

/// A few lines; the last one is the conclusion.
pub(super) fn text(report: &Report, trusted: bool) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_text(&mut text, report, trusted);
    text
}

fn write_text(text: &mut String, report: &Report, trusted: bool) -> std::fmt::Result {
    for finding in &report.findings {
        writeln!(text, "{finding}")?;
    }
    if report.more_findings > 0 {
        writeln!(text, "and {} more", report.more_findings)?;
    }
    for Act { record, act } in &report.open {
        writeln!(text, "record {record} begins act {act}, which has not ended")?;
    }
    unnamed(text, report.open_count, &report.open)?;
    for Act { record, act } in &report.loose {
        writeln!(
            text,
            "record {record} ends act {act}, which was not open: it had ended, or its begin was not written"
        )?;
    }
    unnamed(text, report.loose_count, &report.loose)?;
    if report.newer > 0 {
        let first = report.latest.as_ref().map_or(0, Checkpoint::size);
        writeln!(
            text,
            "the records from {first} on, {} in all, are not signed yet: left by a crash, or added",
            report.newer
        )?;
    }
    if report.unfinished > 0 {
        let bytes = report.unfinished;
        writeln!(
            text,
            "{bytes} bytes after the last record are of one that was never whole: left by a crash, or added"
        )?;
    }
    if report.unknown > 0 {
        writeln!(text, "{} records are of no kind that this version knows", report.unknown)?;
    }
    if !trusted {
        writeln!(text, "the key is the one beside the log; use --key with one that was kept elsewhere")?;
    }
    let Report { entries, checkpoints, .. } = report;
    let signed = report.latest.as_ref().map_or_else(
        || "nothing was signed".to_owned(),
        |latest| format!("{} signed at {}", latest.size(), moment(latest.time)),
    );
    let whole = if report.is_whole() { "whole" } else { "damaged" };
    writeln!(text, "{whole}: {entries} records, {signed}, {checkpoints} checkpoints, by {}", report.key.name())
}

fn unnamed(text: &mut String, count: u64, named: &[Act]) -> std::fmt::Result {
    match count - named.len() as u64 {
        0 => Ok(()),
        more => writeln!(text, "and {more} more"),
    }
}

/// One object on one line. Times are milliseconds since 1970.
///
/// ```json
/// {"whole": false, "key": "capstan/audit/0123456789abcdef+01234567+AbCd…",
///  "entries": 12, "checkpoints": 3,
///  "signed": 12, "signed_at": 1764115200000,   // null: nothing was signed
///  "newer": 0, "unfinished_bytes": 0, "unknown": 0,
///  "findings": ["record 4, at byte 911, was changed, or what stood before it was"], "more_findings": 0,
///  "open": [{"record": 11, "act": "6d0c…-4"}], "open_count": 1,
///  "loose": [], "loose_count": 0}
/// ```
pub(super) fn json(report: &Report) -> String {
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    let [open, loose] = [&report.open, &report.loose].map(|acts| acts.iter().map(Shown).collect::<Vec<_>>());
    let signed = report.latest.as_ref().map(Checkpoint::size);
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    object.field("whole", &report.is_whole()).field("key", &report.key.to_string());
    object.field("entries", &report.entries).field("checkpoints", &report.checkpoints);
    object.nullable("signed", &signed).nullable("signed_at", &report.latest.as_ref().map(|latest| latest.time));
    object.field("newer", &report.newer).field("unfinished_bytes", &(report.unfinished as u64));
    object.field("unknown", &report.unknown);
    object.field("findings", &findings).field("more_findings", &report.more_findings);
    object.field("open", &open).field("open_count", &report.open_count);
    object.field("loose", &loose).field("loose_count", &report.loose_count);
    object.end();
    text + "\n"
}

struct Shown<'a>(&'a Act);

impl Write for Shown<'_> {
    fn write(&self, out: &mut String) {
        let Self(Act { record, act }) = self;
        let mut object = ObjectWriter::begin(out);
        object.field("record", record).field("act", act);
        object.end();
    }
}

/// `{"proved": true, "record": 4, "of": 12, "signed_at": 1764115200000, "entry": {…}}`, or `"older"` and `"newer"`: how
/// many records two checkpoints cover.
pub(super) fn json_proven(proven: &Proven) -> String {
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    object.field("proved", &true);
    match proven {
        Proven::Record { number, body, size, time } => {
            object.field("record", number).field("of", size).field("signed_at", time).field("entry", body);
        }
        Proven::Beginning { old, new } => {
            object.field("older", old).field("newer", new);
        }
    }
    object.end();
    text + "\n"
}

/// `{"proved": false, "why": "…"}`
pub(super) fn json_error(why: &str) -> String {
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    object.field("proved", &false).field("why", why);
    object.end();
    text + "\n"
}
