//! Crates from outside: which the pure crates may use.

use crate::finding::Finding;
use crate::repository::Repository;
use crate::rules::{RULES, Rules};
use crate::workspace::Kind;

/// A dependency that is not allowed to this crate.
pub(crate) fn check(repository: &Repository, rules: &Rules) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, krate_rules) in &rules.crates {
        let Some(krate) = repository.crates.iter().find(|krate| krate.name == *name.get_ref()) else {
            let message = format!("[crates.{name}] names no crate of the workspace: remove the table");
            findings.push(Finding::new(RULES, rules.line(name), message));
            continue;
        };
        let shipped = krate.dependencies.iter().filter(|one| !one.internal && one.kind != Kind::Dev);
        for dependency in shipped.filter(|one| !krate_rules.allow.contains(&one.name)) {
            let message = format!(
                "`{name}` may not use `{}`: do without it, or decide it in docs/decisions and add it to \
                 [crates.{name}] in {RULES}",
                dependency.name
            );
            findings.push(Finding::new(krate.manifest(), dependency.line, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{krate, printed, rules_with, workspace};

    const PURE: &str = "[arrows]\n[dev_arrows]\n[crates.responses]\nallow = ['serde']\n";

    #[test]
    fn allowed_crates_and_anything_in_tests_are_clean() {
        let mut responses = krate("responses", Kind::Normal, false, &["serde"]);
        responses.dependencies.extend(krate("", Kind::Dev, false, &["proptest"]).dependencies);
        let agent = krate("agent", Kind::Normal, false, &["tokio"]);
        assert!(check(&workspace(vec![responses, agent]), &rules_with(PURE)).is_empty());
    }

    #[test]
    fn a_crate_that_is_not_on_the_list_is_found_in_builds_too() {
        for kind in [Kind::Normal, Kind::Build] {
            let repository = workspace(vec![krate("responses", kind, false, &["serde", "tokio"])]);
            let expected = "crates/responses/Cargo.toml:11: `responses` may not use `tokio`: do without it, or decide \
                            it in docs/decisions and add it to [crates.responses] in tidy.toml";
            assert_eq!(printed(check(&repository, &rules_with(PURE))), [expected]);
        }
    }

    #[test]
    fn a_table_for_a_crate_that_is_gone_is_found() {
        let line = crate::fixture::table_line(3);
        let expected =
            format!("tidy.toml:{line}: [crates.responses] names no crate of the workspace: remove the table");
        assert_eq!(printed(check(&Repository::default(), &rules_with(PURE))), [expected]);
    }
}
