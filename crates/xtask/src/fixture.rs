//! Small repositories for the tests of the checks, made without a disk.

use crate::finding::Finding;
use crate::repository::{Repository, SourceFile};
use crate::rules::Rules;
use crate::workspace::{Crate, Dependency, Kind};

const HEAD: &str = "\
generated = [{ path = 'docs/codes.md', command = ['echo', 'codes'] }]
[limits]
file_lines = 600
function_lines = 70
arguments = 6
fields = 16
crate_depth = 6
architecture_lines = 250
[documents]
required = ['README.md']
top_level = ['crates', 'docs', '.ci', 'fuzz']
";

/// Rules whose head is fixed and whose tables about crates are these.
pub(crate) fn rules_with(tables: &str) -> Rules {
    Rules::parse(&format!("{HEAD}{tables}")).unwrap()
}

/// Rules without a word about crates.
pub(crate) fn rules() -> Rules {
    rules_with("[arrows]\n[dev_arrows]\n[crates]\n")
}

/// The line of the n-th line (from 1) of the tables given to [`rules_with`].
pub(crate) fn table_line(line: usize) -> usize {
    HEAD.lines().count() + line
}

/// A repository of files only.
pub(crate) fn repository(files: &[(&str, &str)]) -> Repository {
    let file = |(path, text): &(&str, &str)| SourceFile { path: (*path).to_owned(), text: (*text).to_owned() };
    Repository { files: files.iter().map(file).collect(), ..Repository::default() }
}

/// A repository of crates only.
pub(crate) fn workspace(crates: Vec<Crate>) -> Repository {
    Repository { crates, ..Repository::default() }
}

/// A crate which depends on members (`internal`) of this kind, on lines 10, 11 and so on of its manifest.
pub(crate) fn krate(name: &str, kind: Kind, internal: bool, names: &[&str]) -> Crate {
    let dependencies = names.iter().zip(10..).map(|(name, line)| {
        let name = (*name).to_owned();
        Dependency { name, kind, internal, inherited: true, line }
    });
    let directory = format!("crates/{name}");
    Crate { name: name.to_owned(), directory, dependencies: dependencies.collect(), not_inherited: Vec::new() }
}

/// Findings as they are printed, sorted.
pub(crate) fn printed(mut findings: Vec<Finding>) -> Vec<String> {
    findings.sort();
    findings.iter().map(ToString::to_string).collect()
}
