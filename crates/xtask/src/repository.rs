//! What the checks look at, and the only place where it is read.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::workspace::{self, Crate, Metadata};

/// A file with its path from the root of the repository, written with `/`.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// The path.
    pub(crate) path: String,
    /// The text; bytes which are not UTF-8 are replaced.
    pub(crate) text: String,
}

/// Everything the checks look at.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    /// Every file that git has or would take.
    pub(crate) files: Vec<SourceFile>,
    /// The members of the workspace.
    pub(crate) crates: Vec<Crate>,
}

impl Repository {
    /// Reads the repository at `root`.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        Ok(Self { files: read_files(root)?, crates: read_crates(root)? })
    }

    /// The text of a file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// Whether there is such a file, or a folder with files; the empty path is the root.
    pub(crate) fn has(&self, path: &str) -> bool {
        let below = |file: &str| file.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        path.is_empty() || self.files.iter().any(|file| below(&file.path))
    }

    /// The files whose name ends like this.
    pub(crate) fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.files.iter().filter(move |file| file.path.ends_with(end))
    }
}

/// The root of the repository we are in.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    let output = output(Command::new("git").args(["rev-parse", "--show-toplevel"]))
        .context("no repository here: run this in a folder of one")?;
    Ok(PathBuf::from(String::from_utf8(output)?.trim_end_matches('\n')))
}

/// The cargo that runs us, or the one on the path.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The stdout of a command that must succeed.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!("{program} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(output.stdout)
}

fn read_files(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
    let listed = output(Command::new("git").current_dir(root).args(list))?;
    let mut files = Vec::new();
    for path in String::from_utf8_lossy(&listed).split('\0').filter(|path| !path.is_empty() && !is_built(path)) {
        match fs::read(root.join(path)) {
            Ok(bytes) => {
                files.push(SourceFile { path: path.to_owned(), text: String::from_utf8_lossy(&bytes).into_owned() });
            }
            // Deleted but not yet committed, or another repository inside this one.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn is_built(path: &str) -> bool {
    path.split('/').any(|part| part == "target")
}

fn read_crates(root: &Path) -> anyhow::Result<Vec<Crate>> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let metadata = output(Command::new(cargo()).current_dir(root).args(arguments))?;
    let metadata: Metadata = serde_json::from_slice(&metadata).context("cannot understand cargo metadata")?;
    let mut crates = Vec::new();
    for package in &metadata.packages {
        let manifest = Path::new(&package.manifest_path);
        let directory = manifest.parent().unwrap_or(manifest).strip_prefix(&metadata.workspace_root)?;
        let text = fs::read_to_string(manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
        let directory = directory.to_string_lossy().replace('\\', "/");
        crates.push(workspace::read(package, &metadata.packages, &directory, &text)?);
    }
    crates.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(crates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::repository;

    #[test]
    fn a_folder_is_there_when_a_file_below_it_is() {
        let repository = repository(&[("docs/guide.md", "")]);
        assert!(repository.has("docs"));
        assert!(repository.has("docs/guide.md"));
        assert!(repository.has(""));
        assert!(!repository.has("doc"));
        assert!(!repository.has("docs/guide"));
    }

    #[test]
    fn what_cargo_builds_is_no_source() {
        assert!(is_built("crates/agent/target/debug/out.rs"));
        assert!(!is_built("crates/agent/src/target.rs"));
    }
}
