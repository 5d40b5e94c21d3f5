//! Files which a command writes: each says which command, and is what that command writes today.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::finding::Finding;
use crate::repository::{self, Repository};
use crate::rules::{GeneratedRule, RULES, Rules};

/// How many lines from the top a file may take to name its command.
const HEADER_LINES: usize = 3;

/// Runs every command and compares what it writes with the file.
pub(crate) fn check(root: &Path, repository: &Repository, rules: &Rules) -> Vec<Finding> {
    let each = rules.generated.iter().flat_map(|rule| match run(root, rule) {
        Ok(fresh) => compare(rule, &fresh, repository),
        Err(error) => {
            let message = format!("the command of {} does not run: make it run: {error:#}", rule.path.get_ref());
            vec![Finding::new(RULES, rules.line(&rule.path), message)]
        }
    });
    each.collect()
}

/// Runs the command and writes its file.
pub(crate) fn write(root: &Path, rule: &GeneratedRule) -> anyhow::Result<()> {
    let (fresh, path) = (run(root, rule)?, rule.path.get_ref());
    fs::write(root.join(path), fresh).with_context(|| format!("cannot write {path}"))
}

fn run(root: &Path, rule: &GeneratedRule) -> anyhow::Result<String> {
    let Some((program, arguments)) = rule.command.split_first() else {
        bail!("`command` is empty");
    };
    let stdout = repository::output(Command::new(program).args(arguments).current_dir(root))?;
    Ok(String::from_utf8(stdout)?)
}

fn compare(rule: &GeneratedRule, fresh: &str, repository: &Repository) -> Vec<Finding> {
    let (path, command) = (rule.path.get_ref(), rule.command.join(" "));
    let found = |line, message: &str| Finding::new(path, line, message);
    let Some(text) = repository.text(path) else {
        return vec![found(1, "the generated file is missing: run `cargo xtask generate`")];
    };
    let mut findings = Vec::new();
    if !text.lines().take(HEADER_LINES).any(|line| line.contains(&command)) {
        let advice = format!("the first {HEADER_LINES} lines do not say what makes the file: let `{command}` write it");
        findings.push(found(1, &advice));
    }
    if text != fresh {
        let same = text.lines().zip(fresh.lines()).take_while(|(old, new)| old == new).count();
        findings.push(found(same + 1, "stale from here on: run `cargo xtask generate`"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{printed, repository, rules};

    const MADE: &str = "<!-- made by `echo codes` -->\none\n";

    fn findings(fresh: &str, files: &[(&str, &str)]) -> Vec<String> {
        printed(compare(&rules().generated[0], fresh, &repository(files)))
    }

    #[test]
    fn a_fresh_file_that_names_its_command_is_clean() {
        assert!(findings(MADE, &[("docs/codes.md", MADE)]).is_empty());
    }

    #[test]
    fn a_stale_file_is_found_where_it_differs() {
        let expected = "docs/codes.md:2: stale from here on: run `cargo xtask generate`";
        assert_eq!(findings(&MADE.replace("one", "two"), &[("docs/codes.md", MADE)]), [expected]);
        assert_eq!(findings(&format!("{MADE}more\n"), &[("docs/codes.md", MADE)]).len(), 1);
    }

    #[test]
    fn a_file_that_does_not_name_its_command_near_the_top_is_found() {
        let expected = "docs/codes.md:1: the first 3 lines do not say what makes the file: let `echo codes` write it";
        let late = format!("\n\n\n{MADE}");
        assert_eq!(findings(&late, &[("docs/codes.md", &late)]), [expected]);
    }

    #[test]
    fn a_missing_file_is_found() {
        let expected = "docs/codes.md:1: the generated file is missing: run `cargo xtask generate`";
        assert_eq!(findings(MADE, &[]), [expected]);
    }
}
