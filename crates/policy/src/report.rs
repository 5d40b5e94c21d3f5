//! Judgements, replays and grants as text for people.

use std::fmt::Write as _;

use crate::act::Act;
use crate::grants::{Grant, Grants};
use crate::judge::{Finding, Judgement};
use crate::replay::{Recorded, Replay};
use crate::shown::shown;

/// What is to become of an act, and why, a line for each part.
pub fn judgement(judgement: &Judgement) -> String {
    let mut to = format!("{}\n", judgement.verdict);
    for finding in &judgement.findings {
        let _ = writeln!(to, "  {}", line(finding));
    }
    let _ = writeln!(to, "always would mean: {}", judgement.meaning);
    to
}

fn line(finding: &Finding) -> String {
    let rule = finding.rule.as_ref().map(|rule| format!(" (rule {})", shown(rule))).unwrap_or_default();
    format!("{:<5}  {}: {}{rule}", finding.verdict.name(), finding.part, shown(&finding.why))
}

/// What other rules would have decided: how many acts, then each that differs.
pub fn replay(replay: &Replay, acts: &[Recorded]) -> String {
    let mut to = format!("{} acts, {} would be decided otherwise\n", acts.len(), replay.changed.len());
    for (was, would_be, count) in &replay.counts {
        let _ = writeln!(to, "{count:>7}  {:<5} → {would_be}", was.name());
    }
    for changed in &replay.changed {
        let act = acts.get(changed.index).map(|recorded| act(&recorded.act)).unwrap_or_default();
        let _ = writeln!(to, "\n#{} {} → {}  {act}", changed.index + 1, changed.was, changed.would_be);
        for finding in &changed.because {
            let _ = writeln!(to, "  {}", line(finding));
        }
    }
    to
}

/// What an act is, on a line.
pub fn act(act: &Act) -> String {
    let paths =
        |paths: &[crate::place::Path]| paths.iter().map(crate::place::Path::as_str).collect::<Vec<_>>().join(" ");
    shown(&match act {
        Act::Command { line, .. } => line.clone(),
        Act::Read { paths: read } => format!("read {}", paths(read)),
        Act::Change { writes, deletes, .. } if deletes.is_empty() => format!("change {}", paths(writes)),
        Act::Change { writes, deletes, .. } if writes.is_empty() => format!("delete {}", paths(deletes)),
        Act::Change { writes, deletes, .. } => format!("change {}, delete {}", paths(writes), paths(deletes)),
        Act::Connect { host, port } => format!("connect to {host}:{port}"),
        Act::Tool { server, name, .. } => format!("tool {server}/{name}"),
        Act::Ask { model, .. } => format!("ask {model}"),
        Act::Spawn { task } => format!("start an agent: {task}"),
    })
}

/// All grants, a line for each.
pub fn grants(grants: &Grants, now: u64) -> String {
    if grants.is_empty() {
        return "nothing is granted\n".to_owned();
    }
    let lines: Vec<_> = grants.iter().map(|grant| grant_line(grant, now)).collect();
    lines.join("\n") + "\n"
}

fn grant_line(grant: &Grant, now: u64) -> String {
    let whom = match &grant.actor {
        Some(actor) => format!("{} {actor}", grant.role.name()),
        None => format!("every {}", grant.role.name()),
    };
    let session = grant.session.as_ref().map(|session| format!(", in session {session}")).unwrap_or_default();
    let uses = grant.uses.map(|uses| format!(", {uses} times more")).unwrap_or_default();
    let until = match grant.until {
        Some(until) if until <= now => ", expired".to_owned(),
        Some(until) => format!(", for {} more", duration(until - now)),
        None => String::new(),
    };
    let scope = shown(&format!("for {whom} in {}{session}{until}{uses}", grant.place.as_str()));
    let given = shown(&format!("{}: {}", grant.given_by, grant.reason));
    format!("{}  {}  {scope}  ({given})", grant.id, grant.meaning)
}

/// Rounded up: what holds a second more does not hold "0 minutes".
fn duration(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        minutes if minutes < 2 * 60 => format!("{minutes} min"),
        minutes if minutes < 2 * 24 * 60 => format!("{} h", minutes.div_ceil(60)),
        minutes => format!("{} days", minutes.div_ceil(24 * 60)),
    }
}
