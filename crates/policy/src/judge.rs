//! The judgement of an act: the matrix, what is built in, the rules, the grants, in this order.
//!
//! An act is taken to pieces, and each piece is judged: by the built-in judgement, which keeps to the matrix; by the
//! rules, of which the strictest replaces the built-in verdict, unless that is a denial; and where a question is left, by
//! a grant that covers all of the act. The strictest piece decides.

mod built_in;
pub(crate) mod part;
#[cfg(test)]
mod tests;

use crate::act::{Act, Actor, Hash};
use crate::effects::{Effects, Nature, Reach, Target, is_this_machine};
use crate::gate::MAX_SHOWN;
use crate::grants::{Asked, Grant, Grants, Meaning};
use crate::place::{Path, Place, Surroundings};
use crate::rules::{Moment, Of, Rules, Said};
use crate::shown::shown_up_to;
use crate::verdict::Verdict;

use built_in::Setting;
pub use part::Access;
use part::{Part, parts};

/// The most parts that an act may have. Nobody does more at once, and no judgement takes long.
pub const MAX_PARTS: usize = 2048;

/// What judges.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The rules of the file.
    pub rules: &'a Rules,
    /// What was allowed for longer than once.
    pub grants: &'a Grants,
    /// In which session the act happens, for grants that hold in one only.
    pub session: Option<&'a str>,
}

/// What is to become of an act, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The strictest of what was found.
    pub verdict: Verdict,
    /// What was found of each part, in the order of the act.
    pub findings: Vec<Finding>,
    /// What the act may do.
    pub effects: Effects,
    /// What "always" would remember.
    pub meaning: Meaning,
    /// The grant without which somebody would be asked. Whoever acts [spends](Grants::spend) it.
    pub grant: Option<String>,
    /// Which rules judged.
    pub version: Hash,
}

/// What is thought of a part of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What follows for the part.
    pub verdict: Verdict,
    /// The part: `runs cargo test`, `writes /etc/hosts`.
    pub part: String,
    /// The rule that decided, if one did.
    pub rule: Option<String>,
    /// Why, for people and models.
    pub why: String,
}

impl Judge<'_> {
    /// What is to become of an act. The surroundings are those before the act: a command brings its folder itself.
    pub fn judge(&self, actor: &Actor, act: &Act, around: &Surroundings, now: Moment) -> Judgement {
        self.weigh(actor, act, part::effects(act, around), around, now)
    }

    /// The same, of an act whose effects are known.
    fn weigh(&self, actor: &Actor, act: &Act, effects: Effects, around: &Surroundings, now: Moment) -> Judgement {
        let parts = parts(act, &effects, around);
        let findings =
            if parts.len() > MAX_PARTS { vec![too_much()] } else { self.findings(actor, &parts, around, now) };
        let meaning = Meaning::of(act, &effects, around);
        let verdict = strictest(&findings);
        let mut judgement =
            Judgement { verdict, findings, meaning, grant: None, version: self.rules.version(), effects };
        if verdict == Verdict::Ask
            && let Some(grant) = self.grant(actor, act, &judgement, around, now)
        {
            judgement.granted(grant);
        }
        judgement
    }

    fn findings(&self, actor: &Actor, parts: &[Part<'_>], around: &Surroundings, now: Moment) -> Vec<Finding> {
        let setting = Setting { role: actor.role, around, default: self.rules.default_verdict() };
        let said = self.rules.say(actor, &now, &Of { parts, around });
        let mut findings: Vec<_> = said.iter().filter(|said| said.parts.is_none()).map(whole).collect();
        let vouched = vouched(&setting, parts, &said);
        let near = gets_only(parts);
        for (index, part) in parts.iter().enumerate() {
            let mut finding = finding(&setting, part, index, &said);
            if vouched && is_hidden(part) && finding.rule.is_none() && finding.verdict == Verdict::Ask {
                let why = "goes where the settings of a program lead that a rule allows".to_owned();
                finding = Finding { verdict: Verdict::Allow, why, ..finding };
            }
            if near && is_near(part) && finding.rule.is_none() && finding.verdict == Verdict::Ask {
                let why = "gets something from this machine".to_owned();
                finding = Finding { verdict: Verdict::Allow, why, ..finding };
            }
            // That an act begins where it may is not worth a word.
            let silent = matches!(part, Part::Start(_)) && finding.verdict == Verdict::Allow;
            if !silent && !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        findings
    }

    fn grant(
        &self,
        actor: &Actor,
        act: &Act,
        judgement: &Judgement,
        around: &Surroundings,
        now: Moment,
    ) -> Option<&Grant> {
        let parts = parts(act, &judgement.effects, around);
        let inside: Vec<&Path> = std::iter::once(folder(act, around)).chain(parts.iter().filter_map(inside)).collect();
        self.grants.covering(&Asked {
            role: actor.role,
            actor: &actor.name,
            session: self.session,
            meaning: &judgement.meaning,
            inside: &inside,
            now: now.seconds,
        })
    }
}

/// Where an act happens.
fn folder<'a>(act: &'a Act, around: &'a Surroundings) -> &'a Path {
    match act {
        Act::Command { cwd, .. } => cwd,
        _ => &around.cwd,
    }
}

fn inside<'a>(part: &Part<'a>) -> Option<&'a Path> {
    match part {
        Part::Touch(_, Target::Path { path, .. }, Place::Workspace) => Some(path),
        Part::Touch(_, Target::Within(pattern), Place::Workspace) => Some(pattern.folder()),
        _ => None,
    }
}

fn strictest(findings: &[Finding]) -> Verdict {
    findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Allow)
}

/// Whether every program of an act is allowed by a rule and goes nowhere but where its words or its settings say. Then a
/// host that cannot be told is theirs: whoever allows `cargo add` allows the registry. One that goes where its words say
/// is not vouched for: `curl $X` may go anywhere.
fn vouched(setting: &Setting<'_>, parts: &[Part<'_>], said: &[Said<'_>]) -> bool {
    let vouched = |(index, part): (usize, &Part<'_>)| match part {
        Part::Run(run) => {
            let by_words = run.verb.is_none() && matches!(run.nature, Nature::Fetches | Nature::Publishes);
            let told = !by_words && run.words.iter().all(Option::is_some);
            let finding = finding(setting, part, index, said);
            Some(told && finding.verdict == Verdict::Allow && finding.rule.is_some())
        }
        _ => None,
    };
    let mut runs = parts.iter().enumerate().filter_map(vouched).peekable();
    parts.iter().any(is_hidden) && runs.peek().is_some() && runs.all(|vouched| vouched)
}

/// Whether a command goes to hosts only to get what lies at the addresses in its words, and no further. What does anything
/// else to a host is asked about by itself.
fn gets_only(parts: &[Part<'_>]) -> bool {
    let follows = |word: &Option<String>| {
        word.as_deref().is_none_or(|word| {
            word.starts_with("--lo") || (word.starts_with('-') && !word.starts_with("--") && word.contains('L'))
        })
    };
    let fetches = |part: &Part<'_>| match part {
        Part::Run(run) if run.nature == Nature::Fetches => {
            Some(run.program == "curl" && run.verb.is_none() && !run.words.iter().any(follows))
        }
        _ => None,
    };
    let mut runs = parts.iter().filter_map(fetches).peekable();
    runs.peek().is_some() && runs.all(|gets| gets)
}

/// The machine itself.
fn is_near(part: &Part<'_>) -> bool {
    matches!(part, Part::Reach(Reach { host: Some(host), .. }) if is_this_machine(host))
}

/// A host that cannot be told.
fn is_hidden(part: &Part<'_>) -> bool {
    matches!(part, Part::Reach(Reach { host: None, .. }))
}

fn too_much() -> Finding {
    Finding {
        verdict: Verdict::Deny,
        part: "all of it".to_owned(),
        rule: None,
        why: format!("does more than {MAX_PARTS} things at once: split it"),
    }
}

/// A rule that speaks of the act as a whole.
fn whole(said: &Said<'_>) -> Finding {
    Finding {
        verdict: said.verdict,
        part: "all of it".to_owned(),
        rule: Some(said.rule.name().to_owned()),
        why: said.rule.reason().to_owned(),
    }
}

fn finding(setting: &Setting<'_>, part: &Part<'_>, index: usize, said: &[Said<'_>]) -> Finding {
    let basis = setting.judge(part);
    let speaks = |said: &&Said<'_>| said.parts.as_ref().is_some_and(|parts| parts.get(index) == Some(&true));
    // Of equally strict rules the first by name.
    let strictest =
        said.iter().filter(speaks).reduce(|one, other| if other.verdict > one.verdict { other } else { one });
    match strictest {
        Some(said) if basis.verdict != Verdict::Deny => {
            let doubt = said.verdict == Verdict::Ask && said.rule.verdict() == Verdict::Deny;
            let doubt = if doubt { "may be forbidden, which its text does not tell: " } else { "" };
            Finding {
                verdict: said.verdict,
                part: part.label(),
                rule: Some(said.rule.name().to_owned()),
                why: format!("{doubt}{}", said.rule.reason()),
            }
        }
        _ => {
            Finding { verdict: basis.verdict, part: part.label(), rule: None, why: shown_up_to(MAX_SHOWN, &basis.why) }
        }
    }
}

impl Judgement {
    fn granted(&mut self, grant: &Grant) {
        for finding in self.findings.iter_mut().filter(|finding| finding.verdict == Verdict::Ask) {
            finding.verdict = Verdict::Allow;
            finding.why = format!("{}; granted by {} ({})", finding.why, grant.given_by, grant.id);
        }
        self.verdict = strictest(&self.findings);
        self.grant = Some(grant.id.clone());
    }

    /// What decided: the findings that are as strict as the verdict.
    pub fn because(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.verdict == self.verdict)
    }
}
