//! Examples in a rule, tried when the file is loaded: with this rule alone, whoever acts and whatever the time.

use config::{ConfigError, Table};

use crate::act::{Act, Hash};
use crate::judge::part::{Part, effects, parts};
use crate::place::{Path, Surroundings};
use crate::shown::shown;
use crate::verdict::Verdict;

use super::hosts::HostPattern;
use super::read::example_texts;
use super::{Kind, Of, Rule};

/// Where examples happen: in `/workspace`, at home in `/home/user`.
pub(crate) fn around() -> Surroundings {
    let folder = Path::absolute("/workspace");
    Surroundings {
        cwd: folder.clone(),
        home: Path::absolute("/home/user"),
        workspace: vec![folder],
        protected: Vec::new(),
        temporary: vec![Path::absolute("/tmp")],
        confined: false,
    }
}

/// Tries all examples of a rule.
pub(super) fn check(rule: &Rule, table: &mut Table) -> Result<(), ConfigError> {
    let (matching, passing) = (example_texts(table, "match")?, example_texts(table, "pass")?);
    let around = around();
    for (key, texts, expected) in [("match", matching, true), ("pass", passing, false)] {
        for text in texts {
            let act = act(rule, &text, &around).map_err(|why| table.refuse(key, why))?;
            let effects = effects(&act, &around);
            let parts = parts(&act, &effects, &around);
            let of = Of { parts: &parts, around: &around };
            if let Some(why) = surprise(rule, &of, expected) {
                let message = format!("rule `{}`: the example \"{}\" {why}", rule.name, shown(&text));
                return Err(table.refuse(key, message));
            }
        }
    }
    Ok(())
}

/// What an example is: a command line, or what the rule speaks of if that is no command.
fn act(rule: &Rule, text: &str, around: &Surroundings) -> Result<Act, String> {
    let refused = |what: &str| format!("the example \"{}\" {what}", shown(text));
    Ok(match rule.example_kind() {
        Some(Kind::Tools) => {
            let (server, name) = text.split_once('/').ok_or_else(|| refused("is no tool: use \"server/tool\""))?;
            Act::Tool { server: server.to_owned(), name: name.to_owned(), arguments: Hash::of(b"") }
        }
        Some(Kind::Models) => Act::Ask { model: text.to_owned(), request: Hash::of(b"") },
        // A host alone is no command.
        Some(Kind::Hosts) if !text.contains(char::is_whitespace) => {
            let reach = HostPattern::parse(text).map_err(|why| refused(&why))?.reach();
            Act::Connect { host: reach.host.unwrap_or_default(), port: reach.port.unwrap_or(HTTPS) }
        }
        _ => Act::Command { line: text.to_owned(), cwd: around.cwd.clone() },
    })
}

/// The port of a host that is an example.
const HTTPS: u16 = 443;

/// What is other than the file says.
fn surprise(rule: &Rule, of: &Of<'_>, expected: bool) -> Option<String> {
    match (differs(rule, of), expected) {
        (different, true) => different,
        (Some(_), false) => None,
        (None, false) => Some(format!("is decided {} by it: {}", rule.verdict, seen(of))),
    }
}

/// Why the rule does not decide about all of this.
fn differs(rule: &Rule, of: &Of<'_>) -> Option<String> {
    let Some(said) = rule.say(of) else { return Some(format!("is not matched: {}", seen(of))) };
    if said.verdict != rule.verdict {
        let why = "because the text does not tell enough";
        return Some(format!("is decided {} instead of {}, {why}: {}", said.verdict, rule.verdict, seen(of)));
    }
    if rule.verdict != Verdict::Allow {
        return None;
    }
    let kinds = rule.about.kinds();
    let meant = said.parts.unwrap_or_default();
    let spoken_of = |part: &Part<'_>| Kind::of(part).is_some_and(|kind| kinds.contains(&kind));
    let mut left = of.parts.iter().zip(meant).filter(|(part, meant)| !meant && spoken_of(part));
    left.next().map(|(part, _)| format!("is not allowed as a whole: the rule does not cover that it {}", part.label()))
}

fn seen(of: &Of<'_>) -> String {
    let labels: Vec<_> = of.parts.iter().filter(|part| !matches!(part, Part::Start(_))).map(Part::label).collect();
    if labels.is_empty() { "it does nothing".to_owned() } else { shown(&format!("it {}", labels.join(", "))) }
}
