//! The files of rules and grants of this user.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use policy::grants::Grants;
use policy::rules::Rules;
use transport::credentials::process_environment;

use crate::settings::{home, read_file, why};

/// What others may do with the file of grants: nothing.
const OWNER_ONLY: u32 = 0o600;

/// Where they are.
pub(super) struct Files {
    home: PathBuf,
}

impl Files {
    pub(super) fn of_this_user() -> anyhow::Result<Self> {
        Ok(Self { home: home(&process_environment())? })
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// The rules of a file; of the user's file, if none is named and there is one.
    pub(super) fn rules(&self, named: Option<&Path>) -> anyhow::Result<Rules> {
        let path = named.map_or_else(|| self.home.join("policy.toml"), Path::to_owned);
        match text(&path)? {
            Some(text) => Ok(Rules::load(&path.display().to_string(), &text)?),
            None if named.is_none() => Ok(Rules::default()),
            None => Err(anyhow!("the rules in {} cannot be read: there is no such file", path.display())),
        }
    }

    pub(super) fn grants(&self) -> anyhow::Result<Grants> {
        let path = self.grants_file();
        text(&path)?
            .map_or_else(|| Ok(Grants::default()), |text| Ok(Grants::from_text(&path.display().to_string(), &text)?))
    }

    fn grants_file(&self) -> PathBuf {
        self.home.join("grants.toml")
    }

    /// Changes the grants: no other process does so meanwhile, and the file is the old one or the new one, whatever
    /// happens.
    pub(super) fn change_grants<T>(&self, change: impl FnOnce(&mut Grants) -> anyhow::Result<T>) -> anyhow::Result<T> {
        fs::create_dir_all(&self.home).with_context(|| format!("the folder {} cannot be made", self.home.display()))?;
        let lock = private().open(self.home.join("grants.lock")).context("the grants cannot be locked")?;
        lock.lock().context("the grants cannot be locked")?;
        let mut grants = self.grants()?;
        let done = change(&mut grants)?;
        let path = self.grants_file();
        self.replace(&path, &grants.to_text()).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(done)
    }

    fn replace(&self, path: &Path, text: &str) -> io::Result<()> {
        let new = path.with_extension("new");
        let mut file = private().truncate(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(&self.home)?.sync_all()
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false).mode(OWNER_ONLY);
    options
}

/// The text of a file, if it is there.
fn text(path: &Path) -> anyhow::Result<Option<String>> {
    match read_file(path, config::MAX_BYTES) {
        Ok(bytes) => Ok(Some(String::from_utf8(bytes).map_err(|_| anyhow!("{} is not UTF-8 text", path.display()))?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(anyhow!("{} cannot be read: {}", path.display(), why(&error))),
    }
}
