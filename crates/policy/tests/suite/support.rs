//! A small world: a workspace, an agent, a moment.

use policy::act::{Act, Actor, Role};
use policy::grants::Grants;
use policy::judge::{Judge, Judgement};
use policy::place::{Path, Surroundings};
use policy::rules::{Moment, Rules};

/// Where tests happen: the same as the corpus of commands says.
pub(crate) fn around() -> Surroundings {
    let folder = Path::absolute("/work/project");
    Surroundings {
        cwd: folder.clone(),
        home: Path::absolute("/home/u"),
        workspace: vec![folder],
        protected: Vec::new(),
        temporary: vec![Path::absolute("/tmp")],
        confined: false,
    }
}

pub(crate) fn agent() -> Actor {
    Actor { name: "a".to_owned(), role: Role::Agent }
}

pub(crate) fn command(line: &str) -> Act {
    Act::Command { line: line.to_owned(), cwd: around().cwd }
}

/// A Friday, 23:30.
pub(crate) fn now() -> Moment {
    Moment::at(1_763_767_800, 0)
}

pub(crate) fn judged(rules: &Rules, line: &str) -> Judgement {
    let grants = Grants::default();
    Judge { rules, grants: &grants, session: None }.judge(&agent(), &command(line), &around(), now())
}
