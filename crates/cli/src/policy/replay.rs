//! `capstan policy replay`: what the rules would have made of all that a session did.

use std::fmt::Write as _;
use std::path::{Path as FilePath, PathBuf};

use journal::record::{Begun, Record};
use journal::sessions::{Sessions, Step};
use policy::judge::Judge;
use policy::place::{Path, Surroundings};
use policy::replay::{Recorded, replay};
use policy::report;

use super::{here, json};
use crate::exit::Exit;
use crate::memory;

/// Judges what a session did once more. The exit code is 1 if anything would be decided otherwise.
pub(super) fn run(home: &FilePath, session: &str, judge: &Judge<'_>, as_json: bool) -> anyhow::Result<(String, Exit)> {
    let all = memory::sessions(home, false)?;
    let id = all.find(session)?;
    let around = surroundings(&all.head(id)?.cwd)?;
    let (acts, without) = acts(&all, id)?;
    let done = replay(judge, &acts, &around);
    let exit = if done.changed.is_empty() { Exit::Done } else { Exit::Failed };
    if as_json {
        return Ok((json::replay(&done, &acts), exit));
    }
    let mut text = report::replay(&done, &acts);
    if without > 0 {
        let _ = writeln!(text, "{without} more acts are in the session without all of their text, and were not judged");
    }
    Ok((text, exit))
}

/// The world of the session, as it would be now.
fn surroundings(cwd: &str) -> anyhow::Result<Surroundings> {
    let folder = PathBuf::from(cwd);
    if folder.is_dir() {
        return here::surroundings(Some(&folder), false);
    }
    // The folder is gone; where it was is all that is known of it.
    let around = here::surroundings(None, false)?;
    let cwd = Path::absolute(cwd);
    Ok(Surroundings { workspace: vec![cwd.clone()], cwd, ..around })
}

/// What was wanted in a session, and of how many acts that is not known.
fn acts(all: &Sessions, id: journal::sessions::SessionId) -> anyhow::Result<(Vec<Recorded>, usize)> {
    let (mut acts, mut without) = (Vec::new(), 0);
    for step in all.read(id)? {
        let Step::Entry(entry) = step? else { continue };
        let Record::Begun(Begun { actor, act, ruled, .. }) = entry.record else { continue };
        match act {
            Some(act) => acts.push(Recorded { at: here::moment_of(entry.at / 1000), actor, act, verdict: ruled }),
            None => without += 1,
        }
    }
    Ok((acts, without))
}
