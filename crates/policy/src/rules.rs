//! Rules in a file: what is allowed, asked about or denied, in which words, places and hours, and why.
//!
//! A rule that denies or asks holds for an act if some part of the act is what the rule is about. A rule that allows
//! covers only the parts it is about: an act is allowed if each of its parts is, by a rule or by itself. Of all rules
//! that speak of a part the strictest wins. Each rule brings examples, which are tried when the file is loaded.

pub(crate) mod examples;
mod hosts;
mod paths;
mod read;
mod times;
mod words;

use crate::act::{Actor, Hash, Role};
use crate::effects::Nature;
use crate::judge::part::{Access, Part};
use crate::place::{Place, Surroundings};
use crate::verdict::Verdict;

use hosts::HostPattern;
use paths::PathPattern;
pub use read::{MAX_EXAMPLES, MAX_PATTERN_BYTES, MAX_PATTERNS, MAX_RULES};
use times::Window;
pub use times::{Moment, Weekday};
use words::{RunPattern, is_like};

/// All rules of a file.
#[derive(Debug, Clone)]
pub struct Rules {
    all: Vec<Rule>,
    default: Option<Verdict>,
    version: Hash,
}

/// One rule of a file.
#[derive(Debug, Clone)]
pub struct Rule {
    name: String,
    verdict: Verdict,
    reason: String,
    when: When,
    about: About,
}

/// When a rule holds at all.
#[derive(Debug, Clone, Default)]
struct When {
    roles: Vec<Role>,
    actors: Vec<String>,
    times: Vec<Window>,
}

/// What a rule is about. Empty lists say nothing.
#[derive(Debug, Clone, Default)]
struct About {
    runs: Vec<RunPattern>,
    natures: Vec<Nature>,
    reads: Vec<PathPattern>,
    writes: Vec<PathPattern>,
    deletes: Vec<PathPattern>,
    places: Vec<Place>,
    hosts: Vec<HostPattern>,
    tools: Vec<String>,
    models: Vec<String>,
}

/// What kinds of parts there are for a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Runs,
    Files,
    Hosts,
    Tools,
    Models,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Runs, Self::Files, Self::Hosts, Self::Tools, Self::Models];

    fn of(part: &Part<'_>) -> Option<Self> {
        match part {
            Part::Run(_) => Some(Self::Runs),
            Part::Touch(..) => Some(Self::Files),
            Part::Reach(_) => Some(Self::Hosts),
            Part::Tool { .. } => Some(Self::Tools),
            Part::Model(_) => Some(Self::Models),
            Part::Start(_) | Part::Agent(_) | Part::Unclear(_) => None,
        }
    }
}

/// Whether something is what a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Match {
    No,
    /// The text of the act does not tell.
    Maybe,
    Yes,
}

impl Match {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// What a rule says of an act.
pub(crate) struct Said<'a> {
    /// Which rule.
    pub(crate) rule: &'a Rule,
    /// What follows. Where a rule only may be meant, what it denies is asked about.
    pub(crate) verdict: Verdict,
    /// For each part whether it is meant; `None` if the whole act is.
    pub(crate) parts: Option<Vec<bool>>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { all: Vec::new(), default: None, version: Hash::of(b"") }
    }
}

impl Rules {
    /// The hash of the text of the file: which rules judged.
    pub fn version(&self) -> Hash {
        self.version
    }

    /// What holds where neither a rule nor the built-in judgement knows.
    pub fn default_verdict(&self) -> Option<Verdict> {
        self.default
    }

    /// The rules in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.all.iter()
    }

    /// What the rules say that hold for this actor at this time.
    pub(crate) fn say<'a>(&'a self, actor: &Actor, now: &Moment, of: &Of<'_>) -> Vec<Said<'a>> {
        self.all.iter().filter(|rule| rule.when.holds(actor, now)).filter_map(|rule| rule.say(of)).collect()
    }
}

/// What is judged.
pub(crate) struct Of<'a> {
    pub(crate) parts: &'a [Part<'a>],
    pub(crate) around: &'a Surroundings,
}

impl Rule {
    /// Its name in the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What follows from it.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Why, in the words of whoever wrote it.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    fn say(&self, of: &Of<'_>) -> Option<Said<'_>> {
        if self.verdict == Verdict::Allow {
            let parts: Vec<_> = of.parts.iter().map(|part| self.about.all(part, of.around)).collect();
            return parts.contains(&true).then_some(Said { rule: self, verdict: Verdict::Allow, parts: Some(parts) });
        }
        let matches: Vec<_> = of.parts.iter().map(|part| self.about.any(part, of.around)).collect();
        let strongest = |kind: Kind| {
            let of_kind = of.parts.iter().zip(&matches).filter(|(part, _)| Kind::of(part) == Some(kind));
            of_kind.map(|(_, found)| *found).max().unwrap_or(Match::No)
        };
        let kinds = self.about.kinds();
        let verdict = match kinds.iter().copied().map(strongest).min() {
            Some(Match::No) => return None,
            Some(Match::Maybe) => Verdict::Ask,
            Some(Match::Yes) | None => self.verdict,
        };
        let parts = (!kinds.is_empty()).then(|| matches.iter().map(|found| *found > Match::No).collect());
        Some(Said { rule: self, verdict, parts })
    }
}

impl When {
    fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.actors.is_empty() && self.times.is_empty()
    }

    fn holds(&self, actor: &Actor, now: &Moment) -> bool {
        // What holds for an agent holds for those that work for it, so that they are never allowed more.
        let of_agents = || actor.role == Role::Subagent && self.roles.contains(&Role::Agent);
        (self.roles.is_empty() || self.roles.contains(&actor.role) || of_agents())
            && (self.actors.is_empty() || self.actors.iter().any(|name| is_like(name, &actor.name)))
            && (self.times.is_empty() || self.times.iter().any(|window| window.holds(now)))
    }
}

impl About {
    fn kinds(&self) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| self.speaks_of(*kind)).collect()
    }

    fn speaks_of(&self, kind: Kind) -> bool {
        match kind {
            Kind::Runs => !self.runs.is_empty() || !self.natures.is_empty(),
            Kind::Files => self.names_files() || !self.places.is_empty(),
            Kind::Hosts => !self.hosts.is_empty(),
            Kind::Tools => !self.tools.is_empty(),
            Kind::Models => !self.models.is_empty(),
        }
    }

    fn names_files(&self) -> bool {
        !(self.reads.is_empty() && self.writes.is_empty() && self.deletes.is_empty())
    }

    fn files(&self, access: Access) -> &[PathPattern] {
        match access {
            Access::Read => &self.reads,
            Access::Write => &self.writes,
            Access::Delete => &self.deletes,
        }
    }

    /// Whether something of the part is meant, for a rule that denies or asks.
    fn any(&self, part: &Part<'_>, around: &Surroundings) -> Match {
        if !Kind::of(part).is_some_and(|kind| self.speaks_of(kind)) {
            return Match::No;
        }
        match part {
            Part::Run(run) => {
                let nature = Match::from(self.natures.is_empty() || self.natures.contains(&run.nature));
                let words = self.runs.iter().map(|pattern| pattern.any(run, around)).max().unwrap_or(Match::No);
                if self.runs.is_empty() { nature } else { nature.min(words) }
            }
            Part::Touch(access, target, place) => {
                // What cannot be told may lie anywhere.
                let known = if *place == Place::Unknown { Match::Maybe } else { Match::No };
                let placed = self.places.is_empty() || self.places.contains(place);
                let by_place = if placed { Match::Yes } else { known };
                let paths = self.files(*access).iter().map(|pattern| pattern.any(target, around)).max();
                if self.names_files() { by_place.min(paths.unwrap_or(Match::No)) } else { by_place }
            }
            Part::Reach(reach) => self.hosts.iter().map(|pattern| pattern.any(reach)).max().unwrap_or(Match::No),
            _ => Match::from(self.names(part)),
        }
    }

    /// Whether all of the part is surely meant, for a rule that allows.
    fn all(&self, part: &Part<'_>, around: &Surroundings) -> bool {
        if !Kind::of(part).is_some_and(|kind| self.speaks_of(kind)) {
            return false;
        }
        match part {
            Part::Run(run) => {
                // Other rights are allowed by their words, never by a nature alone.
                let words = || self.runs.iter().any(|pattern| pattern.all(run, around));
                (self.natures.is_empty() || self.natures.contains(&run.nature))
                    && if self.runs.is_empty() { !run.raised } else { words() }
            }
            Part::Touch(access, target, place) => {
                (self.places.is_empty() || self.places.contains(place))
                    && (!self.names_files() || self.files(*access).iter().any(|pattern| pattern.all(target, around)))
            }
            Part::Reach(reach) => self.hosts.iter().any(|pattern| pattern.all(reach)),
            _ => self.names(part),
        }
    }

    fn names(&self, part: &Part<'_>) -> bool {
        match part {
            Part::Tool { server, name } => {
                let named = format!("{server}/{name}");
                self.tools.iter().any(|pattern| is_like(pattern, &named))
            }
            Part::Model(model) => self.models.iter().any(|pattern| is_like(pattern, model)),
            _ => false,
        }
    }
}
