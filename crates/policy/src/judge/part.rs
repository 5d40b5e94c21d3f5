//! What an act consists of, each piece judged by itself.

use crate::act::Act;
use crate::command;
use crate::decide::Action;
use crate::effects::{Effects, Reach, Run, Target, Unclear};
use crate::place::{Place, Surroundings};
use crate::shown::shown;

/// One piece of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// The folder in which a command begins.
    Start(Place),
    /// A program.
    Run(&'a Run),
    /// A file or folder.
    Touch(Access, &'a Target, Place),
    /// A host.
    Reach(&'a Reach),
    /// A tool of somebody else's server.
    Tool { server: &'a str, name: &'a str },
    /// A model.
    Model(&'a str),
    /// Another agent, with its task.
    Agent(&'a str),
    /// What cannot be told.
    Unclear(&'a Unclear),
}

/// How something is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// It is looked at.
    Read,
    /// It is made or changed.
    Write,
    /// It is gone afterwards.
    Delete,
}

impl Access {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Delete];

    /// The word for it: `reads`, `writes`, `deletes`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "reads",
            Self::Write => "writes",
            Self::Delete => "deletes",
        }
    }

    /// As the matrix has it.
    pub fn action(self) -> Action {
        match self {
            Self::Read => Action::Read,
            Self::Write => Action::Write,
            Self::Delete => Action::Delete,
        }
    }
}

/// What an act may do: of a command by its text, of all else by what it is.
pub(crate) fn effects(act: &Act, around: &Surroundings) -> Effects {
    let file = |path: &crate::place::Path| Target::Path { path: path.clone(), deep: false };
    match act {
        Act::Command { line, cwd } if *cwd == around.cwd => command::effects(line, around),
        Act::Command { line, cwd } => command::effects(line, &Surroundings { cwd: cwd.clone(), ..around.clone() }),
        Act::Read { paths } => Effects { reads: paths.iter().map(file).collect(), ..Effects::default() },
        Act::Change { writes, deletes, .. } => Effects {
            writes: writes.iter().map(file).collect(),
            deletes: deletes.iter().map(file).collect(),
            ..Effects::default()
        },
        Act::Connect { host, port } => {
            Effects { reaches: vec![Reach { host: Some(host.clone()), port: Some(*port) }], ..Effects::default() }
        }
        Act::Tool { .. } | Act::Ask { .. } | Act::Spawn { .. } => Effects::default(),
    }
}

/// The pieces of an act, each once.
pub(crate) fn parts<'a>(act: &'a Act, effects: &'a Effects, around: &Surroundings) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    match act {
        Act::Command { cwd, .. } => parts.push(Part::Start(around.place(cwd))),
        Act::Tool { server, name, .. } => parts.push(Part::Tool { server, name }),
        Act::Ask { model, .. } => parts.push(Part::Model(model)),
        Act::Spawn { task } => parts.push(Part::Agent(task)),
        Act::Read { .. } | Act::Change { .. } | Act::Connect { .. } => {}
    }
    parts.extend(effects.runs.iter().map(Part::Run));
    let touched =
        [(Access::Read, &effects.reads), (Access::Write, &effects.writes), (Access::Delete, &effects.deletes)];
    for (access, targets) in touched {
        parts.extend(targets.iter().map(|target| Part::Touch(access, target, place(access, target, around))));
    }
    parts.extend(effects.reaches.iter().map(Part::Reach));
    parts.extend(effects.unclear.iter().map(Part::Unclear));
    parts
}

pub(crate) fn place(access: Access, target: &Target, around: &Surroundings) -> Place {
    match target {
        Target::Path { path, .. } => around.place(path),
        Target::Within(pattern) => around.place_of(pattern, access == Access::Read),
        Target::Unknown(_) => Place::Unknown,
    }
}

/// Host and port, as a person writes them.
pub(crate) fn address(reach: &Reach) -> String {
    let host = reach.host.as_deref().unwrap_or("a host that cannot be told");
    match reach.port {
        Some(port) if host.contains(':') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// A target, as a person writes it.
pub(crate) fn written(target: &Target) -> String {
    match target {
        Target::Path { path, deep: false } => path.as_str().to_owned(),
        Target::Path { path, deep: true } => format!("{} and all in it", path.as_str()),
        Target::Within(pattern) if pattern.is_anything() => format!("something in {}", pattern.folder().as_str()),
        Target::Within(pattern) => pattern.written(),
        Target::Unknown(text) => text.clone(),
    }
}

impl Part<'_> {
    /// What it is, for a person.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Start(_) => "begins".to_owned(),
            Self::Run(run) => {
                let words = run.words.iter().map(|word| word.as_deref().unwrap_or("…"));
                let line: Vec<_> = std::iter::once(run.program.as_str()).chain(words).collect();
                shown(&format!("runs {}", line.join(" ")))
            }
            Self::Touch(access, target, _) => shown(&format!("{} {}", access.name(), written(target))),
            Self::Reach(reach) => shown(&format!("reaches {}", address(reach))),
            Self::Tool { server, name } => shown(&format!("calls {server}/{name}")),
            Self::Model(model) => shown(&format!("asks {model}")),
            Self::Agent(task) => shown(&format!("starts an agent: {task}")),
            Self::Unclear(unclear) => shown(&format!("unclear {}", unclear.text)),
        }
    }
}
