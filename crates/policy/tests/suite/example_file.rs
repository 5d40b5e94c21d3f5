//! The file that documents show is one that loads, and does what it says.

use policy::rules::Rules;
use policy::verdict::Verdict;

use crate::support::judged;

const TEXT: &str = include_str!("../../../../docs/examples/policy.toml");

#[test]
fn the_example_of_the_documents_loads_and_judges() {
    let rules = Rules::load("policy.toml", TEXT).unwrap_or_else(|error| panic!("{error}"));
    assert!(rules.iter().count() >= 8);
    for (line, expected) in [
        ("cargo test", Verdict::Allow),
        ("git push --force origin main", Verdict::Deny),
        ("curl https://crates.io/api", Verdict::Allow),
        ("curl https://evil.example/x", Verdict::Ask),
        ("rm docs/decisions/0001.md", Verdict::Deny),
    ] {
        assert_eq!(judged(&rules, line).verdict, expected, "{line}");
    }
}
