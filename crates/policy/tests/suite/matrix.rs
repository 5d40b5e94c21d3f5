//! The matrix as a file that people read. `UPDATE_GOLDEN=1` writes it anew.

#![expect(clippy::disallowed_methods, reason = "the files are read by the tests, not by the crate")]

use std::fmt::Write as _;
use std::path::Path;

use policy::act::Role;
use policy::decide::{Action, Resource, decide};
use policy::verdict::Verdict;

fn matrix() -> String {
    let mut to = String::from(
        "# Who may do what at most\n\n\
         A denial is final. What says `ask` is asked about unless a rule or a grant allows it.\n\n\
         | action | resource |",
    );
    let roles = Role::ALL.map(Role::name);
    let _ = writeln!(to, " {} |\n|--|--|{}", roles.join(" | "), "--|".repeat(roles.len()));
    for (action, resource) in all() {
        let row = Role::ALL.map(|role| decide(role, action, resource));
        if row != [Verdict::Deny; 6] {
            let _ =
                writeln!(to, "| {} | {} | {} |", action.name(), resource.name(), row.map(Verdict::name).join(" | "));
        }
    }
    to + "\nEverything else is denied to everybody: it makes no sense, or nobody may do it, like deleting from the audit log.\n"
}

#[test]
fn the_matrix_is_as_its_file_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/matrix.md");
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        return std::fs::write(path, matrix()).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(matrix(), expected, "if that is meant, run the test with UPDATE_GOLDEN=1");
}

fn all() -> impl Iterator<Item = (Action, Resource)> {
    Action::ALL.into_iter().flat_map(|action| Resource::ALL.map(|resource| (action, resource)))
}

#[test]
fn nobody_is_allowed_more_than_the_owner_and_no_subagent_more_than_an_agent() {
    for (action, resource) in all() {
        let of = |role| decide(role, action, resource);
        assert!(of(Role::Subagent) >= of(Role::Agent), "{action:?} {resource:?}");
        for role in Role::ALL {
            assert!(of(role) >= of(Role::Owner), "{role:?} {action:?} {resource:?}");
        }
    }
}

#[test]
fn nobody_changes_or_deletes_what_was_recorded() {
    for role in Role::ALL {
        for action in [Action::Write, Action::Delete] {
            assert_eq!(decide(role, action, Resource::Audit), Verdict::Deny, "{role:?} {action:?}");
        }
    }
}

#[test]
fn agents_govern_nothing() {
    let governed = [
        Resource::Question,
        Resource::Grants,
        Resource::Rules,
        Resource::Budget,
        Resource::Sessions,
        Resource::Audit,
        Resource::Gateway,
        Resource::Keys,
    ];
    let looks_at = [Resource::Grants, Resource::Rules, Resource::Budget];
    for (action, resource) in all().filter(|(_, resource)| governed.contains(resource)) {
        let looks = action == Action::Read && looks_at.contains(&resource);
        for role in [Role::Agent, Role::Subagent] {
            assert_eq!(decide(role, action, resource) == Verdict::Allow, looks, "{role:?} {action:?} {resource:?}");
        }
    }
}

#[test]
fn an_auditor_changes_nothing_and_a_reviewer_only_answers() {
    for (action, resource) in all() {
        if !matches!(action, Action::Read | Action::Export) {
            assert_eq!(decide(Role::Auditor, action, resource), Verdict::Deny, "{action:?} {resource:?}");
        }
        let answers = action == Action::Answer || (action, resource) == (Action::Delete, Resource::Grants);
        if action != Action::Read && !answers {
            assert!(decide(Role::Reviewer, action, resource) > Verdict::Allow, "{action:?} {resource:?}");
        }
    }
}

#[test]
fn an_operator_sees_no_secrets_of_others() {
    for resource in [Resource::Sessions, Resource::Workspace, Resource::Secret, Resource::Question] {
        assert_eq!(decide(Role::Operator, Action::Read, resource), Verdict::Deny, "{resource:?}");
    }
}
