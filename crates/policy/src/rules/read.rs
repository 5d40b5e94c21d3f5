//! From the text of a file to rules, or to the first thing that is wrong with it.

use config::{ConfigError, Layers, Table};

use crate::act::{Hash, Role};
use crate::effects::Nature;
use crate::place::Place;
use crate::verdict::Verdict;

use super::hosts::HostPattern;
use super::paths::PathPattern;
use super::times::Window;
use super::words::RunPattern;
use super::{About, Kind, Rule, Rules, When, examples};

/// The most rules of a file.
pub const MAX_RULES: usize = 256;

/// The most patterns of all rules of a file together.
pub const MAX_PATTERNS: usize = 2048;

/// The most bytes of a pattern.
pub const MAX_PATTERN_BYTES: usize = 256;

/// The most examples of a rule, those that match and those that pass together.
pub const MAX_EXAMPLES: usize = 64;

/// The most bytes of a reason or an example.
const MAX_TEXT_BYTES: usize = 2048;

const VERDICTS: &str = "allow, ask or deny";

impl Rules {
    /// The rules of a file. The path is what errors name.
    pub fn load(path: &str, text: &str) -> Result<Self, ConfigError> {
        let mut file = Layers::new().file(path, text)?.merge();
        let default = file.read_with("default", VERDICTS, Verdict::named)?;
        let tables = file.tables("rule")?;
        if tables.len() > MAX_RULES {
            let message = format!("{} rules, and at most {MAX_RULES} are read: use fewer", tables.len());
            return Err(file.refuse("rule", message));
        }
        let mut patterns = 0;
        let mut rules = Vec::with_capacity(tables.len());
        for (name, mut table) in tables {
            let (rule, count) = rule(name, &mut table)?;
            patterns += count;
            if patterns > MAX_PATTERNS {
                return Err(table.refuse("", format!("more than {MAX_PATTERNS} patterns in the file: use fewer")));
            }
            let mut examples = table.table("examples")?;
            table.finish()?;
            examples::check(&rule, &mut examples)?;
            examples.finish()?;
            rules.push(rule);
        }
        file.finish()?;
        Ok(Self { all: rules, default, version: Hash::of(text.as_bytes()) })
    }
}

/// A rule, and how many patterns it has.
fn rule(name: String, table: &mut Table) -> Result<(Rule, usize), ConfigError> {
    let verdict = table.read_with("verdict", VERDICTS, Verdict::named)?;
    let reason: Option<String> = table.read("reason")?;
    let when = when(table)?;
    let about = about(table)?;
    let verdict = verdict
        .ok_or_else(|| table.refuse("verdict", format!("rule `{name}` has no verdict: set verdict = {VERDICTS}")))?;
    let reason = reason.filter(|reason| !reason.trim().is_empty()).ok_or_else(|| {
        table.refuse("reason", format!("rule `{name}` has no reason: set reason = \"…\", people and models read it"))
    })?;
    if reason.len() > MAX_TEXT_BYTES {
        return Err(table.refuse("reason", format!("longer than {MAX_TEXT_BYTES} bytes: use fewer words")));
    }
    let rule = Rule { name, verdict, reason, when, about };
    check_about(&rule, table)?;
    let about = &rule.about;
    let count = about.runs.len() + about.reads.len() + about.writes.len() + about.deletes.len() + about.hosts.len();
    let count = count + about.tools.len() + about.models.len() + rule.when.actors.len() + rule.when.times.len();
    Ok((rule, count))
}

/// A rule is about something, and one that allows about one kind of thing: which run reaches which host the text of a
/// command does not tell.
fn check_about(rule: &Rule, table: &Table) -> Result<(), ConfigError> {
    let name = &rule.name;
    let of_subagents = rule.when.roles.contains(&Role::Subagent) && !rule.when.roles.contains(&Role::Agent);
    if of_subagents && rule.verdict == Verdict::Allow {
        let message = format!("rule `{name}` allows subagents what no agent is allowed: use \"agent\", which is both");
        return Err(table.refuse("roles", message));
    }
    let kinds = rule.about.kinds();
    let allows = rule.verdict == Verdict::Allow;
    let advice = match kinds.as_slice() {
        [] if allows => {
            "allows without saying what: add run, nature, reads, writes, deletes, places, hosts, tools or models"
        }
        [] if rule.when.is_empty() => {
            "does not say what it is about: add run, nature, reads, writes, deletes, places, hosts, tools, models, roles, \
             actors or times"
        }
        [_, _, ..] if allows => {
            "allows runs, files, hosts, tools and models together, and each is allowed by itself: write one rule for each"
        }
        _ => return Ok(()),
    };
    Err(table.refuse("verdict", format!("rule `{name}` {advice}")))
}

fn when(table: &mut Table) -> Result<When, ConfigError> {
    Ok(When {
        roles: each(table, "roles", |text| {
            let names = || Role::ALL.map(Role::name).join(", ");
            Role::named(text).ok_or_else(|| format!("is no role: use {}", names()))
        })?,
        actors: each(table, "actors", |text| Ok(text.to_owned()))?,
        times: each(table, "times", |text| {
            Window::parse(text).ok_or_else(|| format!("is no time: use {}", Window::FORM))
        })?,
    })
}

fn about(table: &mut Table) -> Result<About, ConfigError> {
    Ok(About {
        runs: each(table, "run", |text| {
            RunPattern::parse(text).ok_or_else(|| "has no word: use a program and its words".to_owned())
        })?,
        natures: each(table, "nature", |text| {
            let all = || Nature::ALL.map(Nature::name).join(", ");
            let named = Nature::ALL.into_iter().find(|nature| nature.name() == text);
            named.ok_or_else(|| format!("is no nature of a run: use {}", all()))
        })?,
        reads: each(table, "reads", PathPattern::parse)?,
        writes: each(table, "writes", PathPattern::parse)?,
        deletes: each(table, "deletes", PathPattern::parse)?,
        places: each(table, "places", |text| {
            let names = || Place::ALL.map(Place::name).join(", ");
            Place::named(text).ok_or_else(|| format!("is no place: use {}", names()))
        })?,
        hosts: each(table, "hosts", HostPattern::parse)?,
        tools: each(table, "tools", |text| {
            let named = text.contains('/').then(|| text.to_owned());
            named.ok_or_else(|| "is no tool: use \"server/tool\" or \"server/*\"".to_owned())
        })?,
        models: each(table, "models", |text| {
            let named = text.contains('/').then(|| text.to_owned());
            named.ok_or_else(|| "is no model: use \"provider/model\" or \"provider/*\"".to_owned())
        })?,
    })
}

/// The values of a list, each read; an empty list is an error, because it would say nothing.
fn each<T>(
    table: &mut Table,
    key: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, ConfigError> {
    let Some(texts) = table.read::<Vec<String>>(key)? else { return Ok(Vec::new()) };
    if texts.is_empty() {
        return Err(table.refuse(key, "the list is empty: add to it, or remove the key"));
    }
    if texts.len() > MAX_PATTERNS {
        return Err(table.refuse(key, format!("more than {MAX_PATTERNS} of them: use fewer")));
    }
    let read = |text: &String| {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(table.refuse(key, format!("one of them is longer than {MAX_PATTERN_BYTES} bytes: shorten it")));
        }
        if text.is_empty() || text.contains(char::is_control) {
            return Err(table.refuse(key, "one of them is empty or has a control character in it"));
        }
        parse(text).map_err(|why| table.refuse(key, format!("\"{text}\" {why}")))
    };
    texts.iter().map(read).collect()
}

/// The texts of a list of examples.
pub(super) fn example_texts(table: &mut Table, key: &'static str) -> Result<Vec<String>, ConfigError> {
    let texts = table.read::<Vec<String>>(key)?.unwrap_or_default();
    if texts.len() > MAX_EXAMPLES {
        return Err(table.refuse(key, format!("more than {MAX_EXAMPLES} examples: use fewer")));
    }
    if texts.iter().any(|text| text.len() > MAX_TEXT_BYTES) {
        return Err(table.refuse(key, format!("one of them is longer than {MAX_TEXT_BYTES} bytes: shorten it")));
    }
    Ok(texts)
}

impl Rule {
    /// How the examples of this rule are read.
    pub(super) fn example_kind(&self) -> Option<Kind> {
        match self.about.kinds().as_slice() {
            [kind] => Some(*kind),
            _ => None,
        }
    }
}
