//! What "always" is remembered as: what an act does, not how it is written.

use std::collections::BTreeSet;

use crate::act::{Act, Hash};
use crate::effects::{Effects, Nature, Reach, Run, Target};
use crate::judge::part::{Access, address, place};
use crate::place::{Path, Place, Surroundings};
use crate::shown::shown;

/// The most kinds of things that a grant is for. What does more is remembered exactly.
const MAX_KINDS: usize = 64;

/// Options of curl that change neither where it goes nor what it does there.
const CURL_HARMLESS: [&str; 16] = [
    "-s",
    "-S",
    "-f",
    "-sS",
    "-fsS",
    "-sSf",
    "-sf",
    "-fs",
    "-v",
    "-i",
    "-I",
    "--silent",
    "--show-error",
    "--fail",
    "--compressed",
    "--head",
];

/// What a grant is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// This act and no other: what it does cannot be told from its text, or is too much to be told by kind.
    Exact(Hash),
    /// Whatever does no more than this.
    Like(Likeness),
    /// A tool of a server, whatever its arguments are.
    Tool {
        /// Which server.
        server: String,
        /// Which tool.
        name: String,
    },
    /// A model, whatever it is asked.
    Model(String),
    /// Another agent, whatever its task is.
    Agent,
}

/// What an act does, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Likeness {
    /// The kernel kept it in. A grant of such an act does not hold where the kernel does not.
    pub confined: bool,
    /// What runs, without what only looks.
    pub runs: BTreeSet<RunLike>,
    /// What is touched.
    pub touches: BTreeSet<Touch>,
    /// What is reached.
    pub hosts: BTreeSet<Reach>,
}

/// A run, by kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunLike {
    /// What is known of it.
    pub nature: Nature,
    /// Its program.
    pub program: String,
    /// What of its words says what is done.
    pub verb: Option<String>,
}

/// Something that is touched, by kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// How.
    pub access: Access,
    /// In what kind of place.
    pub place: Place,
    /// With all in it, or by a pattern.
    pub deep: bool,
    /// Which. `None` for any in the workspace or among temporary files that is not all of it.
    pub path: Option<Path>,
}

impl Meaning {
    /// What an act means.
    pub fn of(act: &Act, effects: &Effects, around: &Surroundings) -> Self {
        match act {
            Act::Tool { server, name, .. } => Self::Tool { server: server.clone(), name: name.clone() },
            Act::Ask { model, .. } => Self::Model(model.clone()),
            Act::Spawn { .. } => Self::Agent,
            Act::Command { .. } | Act::Read { .. } | Act::Change { .. } | Act::Connect { .. } => {
                likeness(effects, around).map_or_else(|| Self::Exact(act.hash()), Self::Like)
            }
        }
    }

    /// Whether what is asked for is granted by this.
    pub(crate) fn covers(&self, asked: &Self) -> bool {
        match (self, asked) {
            (Self::Like(granted), Self::Like(asked)) => granted.covers(asked),
            (granted, asked) => granted == asked,
        }
    }
}

impl Likeness {
    fn covers(&self, asked: &Self) -> bool {
        (asked.confined || !self.confined)
            && asked.runs.is_subset(&self.runs)
            && asked.touches.iter().all(|touch| self.touches.iter().any(|granted| granted.covers(touch)))
            && asked.hosts.is_subset(&self.hosts)
    }
}

impl Touch {
    fn covers(&self, asked: &Self) -> bool {
        let path = match (&self.path, &asked.path) {
            (None, None) => true,
            (Some(granted), Some(asked)) => granted == asked || self.deep && asked.is_in(granted),
            _ => false,
        };
        self.access == asked.access && self.place == asked.place && (self.deep || !asked.deep) && path
    }
}

/// Nothing, if a part of it cannot be told by kind.
fn likeness(effects: &Effects, around: &Surroundings) -> Option<Likeness> {
    if !effects.unclear.is_empty() {
        return None;
    }
    let runs = effects.runs.iter().filter(|run| run.raised || run.nature != Nature::Looks).map(run_like);
    let accesses =
        [(Access::Read, &effects.reads), (Access::Write, &effects.writes), (Access::Delete, &effects.deletes)];
    let targets = accesses.into_iter().flat_map(|(access, targets)| targets.iter().map(move |target| (access, target)));
    // A host that cannot be told may be any.
    let hosts = effects.reaches.iter().map(|reach| reach.host.is_some().then(|| reach.clone()));
    let all = Likeness {
        confined: around.confined,
        runs: runs.collect::<Option<_>>()?,
        touches: targets.map(|(access, target)| touch(access, target, around)).collect::<Option<_>>()?,
        hosts: hosts.collect::<Option<_>>()?,
    };
    let kinds = all.runs.len() + all.touches.len() + all.hosts.len();
    (kinds <= MAX_KINDS && all.is_writable()).then_some(all)
}

/// Of what fetches or publishes any word may say what is done, to whom, and what is brought in: `git push --all evil`,
/// `npm install evil`, `aws s3 rm`. Of a program that is not known any word may as well. No kind is left of these.
fn run_like(run: &Run) -> Option<RunLike> {
    let told = match run.nature {
        Nature::Looks | Nature::Targets | Nature::Builds => run.verb.is_some() || !run.words.contains(&None),
        Nature::Fetches => is_plain_get(run),
        Nature::Publishes | Nature::Code | Nature::Destroys | Nature::Unknown => false,
    };
    (told && !run.raised).then(|| RunLike { nature: run.nature, program: run.program.clone(), verb: run.verb.clone() })
}

/// Whether it does nothing but get what lies at the addresses in its words, so that the hosts say all of it.
fn is_plain_get(run: &Run) -> bool {
    let address = |word: &str| word.starts_with("https://") && !word.contains(['\\', '@', '{', '}', '[', ']']);
    let plain = |word: &str| CURL_HARMLESS.contains(&word) || address(word);
    run.program == "curl" && run.verb.is_none() && run.words.iter().all(|word| word.as_deref().is_some_and(plain))
}

fn touch(access: Access, target: &Target, around: &Surroundings) -> Option<Touch> {
    let (path, deep) = match target {
        Target::Path { path, deep } => (path, *deep),
        Target::Within(pattern) => (pattern.folder(), true),
        Target::Unknown(_) => return None,
    };
    let place = place(access, target, around);
    // What a pattern may find is guarded more than the folder in which it looks: the folder does not say it.
    if matches!(target, Target::Within(_)) && place != around.place(path) {
        return None;
    }
    let is_root = around.workspace.contains(path) || around.temporary.contains(path);
    let by_kind = matches!(place, Place::Workspace | Place::Temporary) && !(deep && is_root);
    Some(Touch { access, place, deep, path: (!by_kind).then(|| path.clone()) })
}

impl Likeness {
    /// Whether a file of grants can hold it: what is odd is remembered exactly.
    fn is_writable(&self) -> bool {
        let odd = |text: &str| text.contains(char::is_control);
        let run = |run: &RunLike| odd(&run.program) || run.verb.as_deref().is_some_and(odd);
        let path = |touch: &Touch| touch.path.as_ref().is_some_and(|path| odd(path.as_str()));
        let host = |reach: &Reach| reach.host.as_deref().is_none_or(|host| host.is_empty() || odd(host));
        !(self.runs.iter().any(run) || self.touches.iter().any(path) || self.hosts.iter().any(host))
    }

    fn words(&self) -> Vec<String> {
        let run = |run: &RunLike| match &run.verb {
            Some(verb) => format!("`{} {verb} …`", run.program),
            None => format!("`{} …`", run.program),
        };
        let touch = |touch: &Touch| match &touch.path {
            Some(path) if touch.deep => format!("{} {} and all in it", touch.access.name(), path.as_str()),
            Some(path) => format!("{} {}", touch.access.name(), path.as_str()),
            None if touch.deep => format!("{} {} files and folders", touch.access.name(), touch.place.name()),
            None => format!("{} {} files", touch.access.name(), touch.place.name()),
        };
        let host = |reach: &Reach| format!("reaches {}", address(reach));
        let runs = self.runs.iter().map(run);
        runs.chain(self.touches.iter().map(touch)).chain(self.hosts.iter().map(host)).collect()
    }
}

impl std::fmt::Display for Meaning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(_) => formatter.write_str("exactly this and nothing else"),
            Self::Like(like) => {
                let words = like.words();
                let confined = if like.confined { ", while confined" } else { "" };
                let text = if words.is_empty() { "what only looks".to_owned() } else { words.join(", ") };
                write!(formatter, "{}{confined}", shown(&text))
            }
            Self::Tool { server, name } => write!(formatter, "the tool {}", shown(&format!("{server}/{name}"))),
            Self::Model(model) => write!(formatter, "the model {}", shown(model)),
            Self::Agent => formatter.write_str("other agents"),
        }
    }
}
