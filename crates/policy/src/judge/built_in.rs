//! What is thought of a part when no rule speaks of it.

use crate::act::Role;
use crate::decide::{Action, Resource, decide};
use crate::effects::{Nature, Run, Target};
use crate::place::{Path, Place, Surroundings};
use crate::verdict::Verdict;

use super::part::{Access, Part, address, written};

/// The program that makes links.
const LINKS: &str = "ln";

/// What is thought of a part, and why.
pub(crate) struct Basis {
    pub(crate) verdict: Verdict,
    pub(crate) why: String,
}

/// Whoever judges and for whom.
pub(crate) struct Setting<'a> {
    pub(crate) role: Role,
    pub(crate) around: &'a Surroundings,
    /// What holds where nothing is known.
    pub(crate) default: Option<Verdict>,
}

impl Setting<'_> {
    pub(crate) fn judge(&self, part: &Part<'_>) -> Basis {
        match part {
            Part::Start(place) => self.matrix(Action::Run, (*place).into(), start(*place)),
            Part::Run(run) => self.run(run),
            Part::Touch(access, target, place) => self.touch(*access, target, *place),
            Part::Reach(reach) => {
                self.matrix(Action::Connect, Resource::Network, format!("reaches {}", address(reach)))
            }
            Part::Tool { server, name } => {
                self.matrix(Action::Call, Resource::Tool, format!("uses the tool {name} of the server {server}"))
            }
            Part::Model(model) => self.matrix(Action::Ask, Resource::Model, format!("asks the model {model}")),
            Part::Agent(_) => self.matrix(Action::Spawn, Resource::Agent, "starts another agent".to_owned()),
            Part::Unclear(unclear) => {
                let verdict = self.of_model(self.default.unwrap_or(Verdict::Ask));
                Basis { verdict, why: format!("cannot be told from its text: {}", unclear.why) }
            }
        }
    }

    fn matrix(&self, action: Action, resource: Resource, why: String) -> Basis {
        let verdict = decide(self.role, action, resource);
        Basis { verdict, why: self.refused(verdict, why) }
    }

    /// A person who may do everything is not asked whether they meant it.
    fn of_model(&self, verdict: Verdict) -> Verdict {
        match self.role {
            Role::Owner => Verdict::Allow,
            Role::Operator | Role::Reviewer | Role::Auditor => Verdict::Deny,
            Role::Agent | Role::Subagent => verdict,
        }
    }

    fn refused(&self, verdict: Verdict, why: String) -> String {
        match verdict {
            Verdict::Deny => format!("{why}, which no {} may do", self.role.name()),
            Verdict::Allow | Verdict::Ask => why,
        }
    }

    fn run(&self, run: &Run) -> Basis {
        let within = if self.around.confined { Verdict::Allow } else { Verdict::Ask };
        let (verdict, why) = match run.nature {
            _ if run.raised => (Verdict::Ask, "runs with other rights"),
            Nature::Looks => (Verdict::Allow, "looks and changes nothing"),
            Nature::Targets if self.leads_out(run) => (Verdict::Ask, "makes a link that leads out of the workspace"),
            Nature::Targets => (Verdict::Allow, "does what its targets say"),
            Nature::Builds => (Verdict::Allow, "works in its folder"),
            // Without a verb it goes where its words say, and each place is judged; with one, where its settings say.
            Nature::Fetches if run.verb.is_none() => (Verdict::Allow, "fetches from the hosts it names"),
            Nature::Fetches => (Verdict::Ask, "brings things in from the network"),
            Nature::Publishes => (Verdict::Ask, "changes what others see"),
            Nature::Code => (within, "runs code that stands in its words or its input"),
            Nature::Destroys => (Verdict::Ask, "may end work or lose data"),
            Nature::Unknown => (self.default.unwrap_or(within), "is a program that is not known"),
        };
        let verdict = self.of_model(verdict);
        Basis { verdict, why: self.refused(verdict, why.to_owned()) }
    }

    /// Whether a link is made behind which the workspace ends: what is written to it later is written elsewhere.
    fn leads_out(&self, run: &Run) -> bool {
        let kept = |path: &Path| matches!(self.around.place(path), Place::Workspace | Place::Temporary);
        let leads_out = |word: &Option<String>| match word.as_deref() {
            None => true,
            Some(word) if word.starts_with('/') => !kept(&Path::absolute(word)),
            Some(word) => word.starts_with('~') || word.split('/').any(|part| part == ".."),
        };
        run.program == LINKS && !self.around.confined && run.words.iter().any(leads_out)
    }

    fn touch(&self, access: Access, target: &Target, place: Place) -> Basis {
        if let Some(hazard) = self.hazard(access, target, place) {
            return hazard;
        }
        let why = format!("{} {}: {}", access.name(), of_place(place), written(target));
        let known = self.matrix(access.action(), place.into(), why);
        match (place, self.default, known.verdict) {
            (Place::Unknown, Some(default), Verdict::Ask) => Basis { verdict: self.of_model(default), ..known },
            _ => known,
        }
    }

    /// What a whole folder or a pattern takes with it.
    fn hazard(&self, access: Access, target: &Target, place: Place) -> Option<Basis> {
        let (path, pattern) = match target {
            Target::Path { path, deep: true } => (path, false),
            Target::Within(pattern) => (pattern.folder(), true),
            Target::Path { deep: false, .. } | Target::Unknown(_) => return None,
        };
        let around = self.around;
        let is_root = around.workspace.contains(path);
        let holds = |inner: &Path| inner != path && inner.is_in(path);
        let firm = if self.role == Role::Owner { Verdict::Ask } else { Verdict::Deny };
        let (verdict, what) = match access {
            Access::Delete if is_root && pattern => (Verdict::Ask, "deletes by a pattern in the whole workspace"),
            Access::Delete if is_root => (firm, "deletes the workspace itself"),
            Access::Delete if path.name().is_empty() => (firm, "deletes everything on this machine"),
            Access::Delete if around.workspace.iter().any(holds) => {
                (firm, "deletes the workspace with what is around it")
            }
            Access::Delete if *path == around.home || holds(&around.home) => (firm, "deletes the home of the user"),
            Access::Delete if around.protected.iter().any(holds) => (firm, "deletes what Capstan relies on"),
            Access::Delete if around.temporary.contains(path) => (Verdict::Ask, "deletes what others keep for a while"),
            Access::Write if !pattern && (is_root || around.workspace.iter().any(holds)) => {
                (Verdict::Ask, "changes the whole workspace, `.git` with it")
            }
            Access::Write if !pattern && around.protected.iter().any(holds) => {
                (Verdict::Ask, "changes what Capstan relies on")
            }
            Access::Read if *path == around.home || holds(&around.home) => {
                (Verdict::Ask, "reads the home of the user, keys and passwords with it")
            }
            Access::Read if !pattern && !is_root && around.holds_secrets(path) => {
                (Verdict::Ask, "reads a folder that keys and passwords are in")
            }
            // A name that begins with two dots is found from the folder above: `.*`.
            Access::Read if pattern && around.workspace.iter().any(holds) => {
                (Verdict::Ask, "reads by a pattern that may find keys and passwords")
            }
            Access::Delete | Access::Write | Access::Read => return None,
        };
        let of_place = decide(self.role, access.action(), place.into());
        Some(Basis { verdict: verdict.max(of_place), why: format!("{what}: {}", written(target)) })
    }
}

fn start(place: Place) -> String {
    format!("begins {}", of_place(place))
}

fn of_place(place: Place) -> &'static str {
    match place {
        Place::Workspace => "in the workspace",
        Place::Temporary => "among temporary files",
        Place::Outside => "outside the workspace",
        Place::Secret => "where keys and passwords are",
        Place::Protected => "what is protected",
        Place::Device => "a device",
        Place::Unknown => "what cannot be told",
    }
}
