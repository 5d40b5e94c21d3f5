//! A small clean repository on disk, and the real `xtask` in it.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// What `cat codes.in` writes.
pub(crate) const CODES: &str = "made by `cat codes.in`\none\n";

const FILES: [(&str, &str); 10] = [
    (".gitignore", "/target\n"),
    ("ARCHITECTURE.md", "# Two floors\n\n```text\nL1  top\nL0  base\n```\n"),
    ("Cargo.toml", WORKSPACE),
    ("README.md", "# House\n\nSee `crates/top/src/lib.rs`, [style](STYLE.md#the-style), `just tidy`.\n"),
    ("STYLE.md", "# The style\n\nRun `cargo xtask tidy`.\n"),
    ("codes.in", CODES),
    ("docs/codes.txt", CODES),
    ("docs/decisions/0001-two-floors.md", "# Two floors\n"),
    ("justfile", "tidy:\n    cargo xtask tidy\n"),
    ("tidy.toml", RULES),
];

const WORKSPACE: &str = "\
[workspace]
resolver = \"3\"
members = [\"crates/*\"]
[workspace.package]
edition = \"2024\"
license = \"Apache-2.0\"
publish = false
[workspace.dependencies]
base = { path = \"crates/base\" }
top = { path = \"crates/top\" }
serde = \"1\"
tokio = \"1\"
[workspace.lints.rust]
unsafe_code = \"forbid\"
";

const RULES: &str = "\
[limits]
file_lines = 600
function_lines = 70
arguments = 6
fields = 16
crate_depth = 6
architecture_lines = 250

[arrows]
base = []
top = [
  \"base\",
]
[dev_arrows]

[crates.base]
allow = [\"serde\"]

[documents]
required = [\"README.md\", \"STYLE.md\"]
top_level = [\"crates\", \"docs\"]

[[generated]]
path = \"docs/codes.txt\"
command = [\"cat\", \"codes.in\"]
";

/// A member's manifest that keeps every rule; the dependency tables begin on line 9.
pub(crate) fn manifest(name: &str, dependencies: &str) -> String {
    let keys = "edition.workspace = true\nlicense.workspace = true\npublish.workspace = true\n";
    format!("[package]\nname = \"{name}\"\n{keys}[lints]\nworkspace = true\n\n{dependencies}")
}

/// A repository in a temporary folder.
pub(crate) struct House {
    folder: TempDir,
}

/// What a run of `xtask` left.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// The findings.
    pub(crate) stdout: String,
    /// The trouble.
    pub(crate) stderr: String,
}

impl House {
    /// A clean house of two crates.
    pub(crate) fn new() -> io::Result<Self> {
        let house = Self { folder: TempDir::new()? };
        for (path, text) in FILES {
            house.write(path, text)?;
        }
        for (name, dependencies) in [("base", ""), ("top", "[dependencies]\nbase.workspace = true\n")] {
            house.write(&format!("crates/{name}/Cargo.toml"), &manifest(name, dependencies))?;
            house.write(&format!("crates/{name}/src/lib.rs"), "//! A floor.\n")?;
        }
        house.git(&["init", "--quiet"])?;
        Ok(house)
    }

    /// Writes a file and the folders it needs.
    pub(crate) fn write(&self, path: &str, text: &str) -> io::Result<()> {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        fs::write(path, text)
    }

    /// Removes a file.
    pub(crate) fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.folder.path().join(path))
    }

    /// Runs git here.
    pub(crate) fn git(&self, arguments: &[&str]) -> io::Result<()> {
        let status = self.command("git", "", arguments).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("git {arguments:?}: {status}"))) }
    }

    /// Runs xtask at the root.
    pub(crate) fn xtask(&self, arguments: &[&str]) -> io::Result<Seen> {
        self.xtask_in("", arguments)
    }

    /// Runs xtask in a folder.
    pub(crate) fn xtask_in(&self, folder: &str, arguments: &[&str]) -> io::Result<Seen> {
        let output = self.command(env!("CARGO_BIN_EXE_xtask"), folder, arguments).output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Seen { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
    }

    /// A git hook that runs the tests tells git, by these variables, which repository to work on; it is not this one.
    /// Nor is the target folder of whoever runs the tests this one's.
    fn command(&self, program: &str, folder: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path().join(folder));
        command.env("CARGO_TARGET_DIR", self.folder.path().join("target"));
        command.env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE").env_remove("GIT_WORK_TREE");
        command
    }
}
