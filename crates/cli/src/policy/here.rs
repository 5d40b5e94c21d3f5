//! What a judgement needs to know of this machine: where we are, who we are, what time it is.

use std::env;
use std::fs;
use std::path::Path as FilePath;

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use journal::audit::entry::Who;
use policy::act::Role;
use policy::place::{Path, Surroundings};
use policy::rules::Moment;
use transport::credentials::process_environment;

use crate::settings::home;

/// Folders for what is thrown away, beside the one of `TMPDIR`.
const TEMPORARY: &[&str] = &["/tmp", "/var/tmp"];

/// The world around a command in this folder, or in another. The workspace is the repository, if it is in one.
pub(super) fn surroundings(folder: Option<&FilePath>, confined: bool) -> anyhow::Result<Surroundings> {
    let cwd = match folder {
        Some(folder) => {
            fs::canonicalize(folder).with_context(|| format!("the folder {} cannot be used", folder.display()))?
        }
        None => env::current_dir().context("this folder cannot be used: it may be gone")?,
    };
    let environment = process_environment();
    let user_home = environment("HOME").ok_or_else(|| anyhow!("HOME is not set: set it to your home folder"))?;
    let workspace = cwd.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&cwd);
    let temporary = environment("TMPDIR").into_iter().map(|folder| Path::absolute(&folder));
    Ok(Surroundings {
        home: Path::absolute(&user_home),
        workspace: vec![path(workspace)?],
        protected: vec![path(&home(&environment)?)?],
        temporary: TEMPORARY.iter().map(|folder| Path::absolute(folder)).chain(temporary).collect(),
        confined,
        cwd: path(&cwd)?,
    })
}

fn path(path: &FilePath) -> anyhow::Result<Path> {
    let text =
        path.to_str().ok_or_else(|| anyhow!("the folder {} has no name in UTF-8: use another", path.display()))?;
    Ok(Path::absolute(text))
}

/// Now, by this machine's clock and calendar.
pub(super) fn moment() -> anyhow::Result<Moment> {
    let seconds = Timestamp::now().as_second();
    u64::try_from(seconds).map(moment_of).map_err(|_| anyhow!("the clock is before 1970: set it"))
}

/// A second since 1970, by this machine's calendar.
pub(super) fn moment_of(seconds: u64) -> Moment {
    let at = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or_default();
    Moment::at(seconds, TimeZone::system().to_offset(at).seconds() / 60)
}

/// Who runs this.
pub(super) fn user() -> String {
    let environment = process_environment();
    ["USER", "LOGNAME"].into_iter().find_map(|name| environment(name)).unwrap_or_else(|| "unknown".to_owned())
}

/// Whoever types a command here owns the installation.
pub(super) fn owner() -> Who<'static> {
    Who { name: user().into(), role: Some(Role::Owner) }
}
