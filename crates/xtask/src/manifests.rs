//! What a member's manifest must take from the workspace: every version, the lints, the edition and the licence.

use crate::finding::Finding;
use crate::repository::Repository;
use crate::rules::Rules;
use crate::workspace::Crate;

/// A crate that goes its own way.
pub(crate) fn check(repository: &Repository, _: &Rules) -> Vec<Finding> {
    repository.crates.iter().flat_map(|krate| keys(krate).chain(versions(krate))).collect()
}

fn keys(krate: &Crate) -> impl Iterator<Item = Finding> {
    krate.not_inherited.iter().map(|key| {
        let message = format!("`{key}` does not come from the workspace: write `{key}.workspace = true`");
        Finding::new(krate.manifest(), 1, message)
    })
}

fn versions(krate: &Crate) -> impl Iterator<Item = Finding> {
    krate.dependencies.iter().filter(|dependency| !dependency.inherited).map(|dependency| {
        let name = &dependency.name;
        let message = format!(
            "`{name}` has a version or path of its own: put it under [workspace.dependencies] and write \
             `{name}.workspace = true`"
        );
        Finding::new(krate.manifest(), dependency.line, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{krate, printed, rules, workspace};
    use crate::workspace::Kind;

    #[test]
    fn a_manifest_that_takes_everything_from_the_workspace_is_clean() {
        let repository = workspace(vec![krate("agent", Kind::Normal, false, &["serde"])]);
        assert!(check(&repository, &rules()).is_empty());
    }

    #[test]
    fn a_dependency_with_a_version_of_its_own_is_found() {
        let mut agent = krate("agent", Kind::Dev, false, &["serde"]);
        agent.dependencies[0].inherited = false;
        let expected = "crates/agent/Cargo.toml:10: `serde` has a version or path of its own: put it under \
                        [workspace.dependencies] and write `serde.workspace = true`";
        assert_eq!(printed(check(&workspace(vec![agent]), &rules())), [expected]);
    }

    #[test]
    fn keys_that_do_not_come_from_the_workspace_are_found() {
        let mut agent = krate("agent", Kind::Normal, false, &[]);
        agent.not_inherited = vec!["lints", "publish"];
        let expected = [
            "crates/agent/Cargo.toml:1: `lints` does not come from the workspace: write `lints.workspace = true`",
            "crates/agent/Cargo.toml:1: `publish` does not come from the workspace: write `publish.workspace = true`",
        ];
        assert_eq!(printed(check(&workspace(vec![agent]), &rules())), expected);
    }
}
