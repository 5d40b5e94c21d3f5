//! Small repositories with one document that lies, and what is said about it.

use super::*;
use crate::fixture::{krate, printed, repository, rules};
use crate::workspace::Kind;

const JUSTFILE: &str =
    "set shell := ['bash']\nname := 'x'\n\n# all\ntest:\n    cargo test\n@fuzz TARGET: test\n    x y: z\n";

/// A README with this text beside a few other files.
fn findings(readme: &str) -> Vec<String> {
    let files = [
        ("README.md", readme),
        ("justfile", JUSTFILE),
        (".gitignore", "/target\n/fuzz/artifacts\n"),
        ("crates/agent/src/chain.rs", "fn main() {}\n"),
        ("docs/guide.md", "# The guide\n\n## Two words\n\n[up](../README.md) [self](#two-words) [down](./sub/)\n"),
        ("docs/sub/page.md", "[code](../../crates/agent/src/chain.rs)\n"),
    ];
    printed(check(&repository(&files), &rules()))
}

fn architecture_findings(text: &str) -> Vec<String> {
    let mut repository = repository(&[("README.md", ""), (ARCHITECTURE, text)]);
    repository.crates = vec![krate("agent", Kind::Normal, true, &[])];
    printed(check(&repository, &rules()))
}

#[test]
fn links_that_lead_somewhere_are_clean() {
    let text = "[a](docs/guide.md) [b](docs/guide.md#two-words) [c](docs) [d](https://example.com/x#y)\n\
                [e](mailto:a@example.com) [f](justfile)\n";
    assert_eq!(findings(text), [""; 0]);
}

#[test]
fn a_link_to_nothing_is_found() {
    let text = "# T\n\n[a](docs/gide.md)\n";
    assert_eq!(findings(text), ["README.md:3: the link `docs/gide.md` leads nowhere: correct or remove it"]);
}

#[test]
fn a_link_out_of_the_repository_is_found() {
    assert_eq!(findings("[a](../x.md)"), ["README.md:1: the link `../x.md` leads nowhere: correct or remove it"]);
}

#[test]
fn a_link_to_a_heading_that_is_gone_is_found() {
    let expected = "README.md:1: the link `docs/guide.md#one-word` leads to no heading: `docs/guide.md` has no \
                    `#one-word`; correct or remove it";
    assert_eq!(findings("[a](docs/guide.md#one-word)"), [expected]);
    let expected = "README.md:1: the link `#one` leads to no heading: `README.md` has no `#one`; correct or remove it";
    assert_eq!(findings("[a](#one)"), [expected]);
}

#[test]
fn paths_that_exist_are_clean() {
    let text = "`crates/agent/src/chain.rs` `crates/agent/` `docs` `README.md` `crates/*/src` `docs/NNNN-<title>.md`";
    assert_eq!(findings(text), [""; 0]);
}

#[test]
fn spans_that_only_look_like_paths_are_left_alone() {
    let text = "`~/.capstan/config.toml` `chain.rs` `agent/chain` `AGENTS.md` `a/b` `fuzz/artifacts/x` `fuzz`";
    assert_eq!(findings(text), [""; 0]);
}

#[test]
fn a_path_that_is_gone_is_found() {
    for path in ["crates/agent/src/link.rs", "crates/tui", ".ci/run", "fuzz/corpus/"] {
        let expected = format!("README.md:2: `{path}` is not in the repository: correct or remove the path");
        assert_eq!(findings(&format!("see\n`{path}`")), [expected]);
    }
}

#[test]
fn a_root_document_that_is_gone_is_found_where_it_is_required_and_where_it_is_named() {
    let expected = [
        "README.md:1: the document is missing: write it",
        "docs/a.md:1: `README.md` is not in the repository: correct or remove the path",
    ];
    assert_eq!(printed(check(&repository(&[("docs/a.md", "`README.md`")]), &rules())), expected);
}

#[test]
fn commands_that_exist_are_clean() {
    let text = "`just test` `just fuzz chain` `just --list` `just` `cargo xtask tidy` `cargo test`\n\n\
                ```sh\n$ just test && A=b cargo xtask help\n```\n\n```text\njust words\n```\n";
    assert_eq!(findings(text), [""; 0]);
}

#[test]
fn a_recipe_that_is_not_there_is_found() {
    for name in ["tests", "set", "name", "cargo", "x"] {
        let expected = format!("README.md:1: `just {name}` is no recipe: `just --list` shows them all");
        assert_eq!(findings(&format!("`just {name}`")), [expected]);
    }
    let expected = "README.md:2: `just ci` is no recipe: `just --list` shows them all";
    for line in ["just ci", "$ just ci", "A=b just ci", "$ cargo test; just ci", "just test && just ci"] {
        assert_eq!(findings(&format!("```\n{line}\n```")), [expected]);
    }
}

#[test]
fn an_xtask_command_that_is_not_there_is_found() {
    let expected = "README.md:1: `cargo xtask lint` is no command: `cargo xtask help` shows them all";
    assert_eq!(findings("run `cargo xtask lint`"), [expected]);
}

#[test]
fn an_architecture_that_names_every_crate_is_clean_in_a_span_or_a_listing() {
    assert_eq!(architecture_findings("`agent`"), [""; 0]);
    assert_eq!(architecture_findings("```text\nL3  agent  sessions\n```"), [""; 0]);
}

#[test]
fn a_crate_the_architecture_does_not_name_is_found() {
    let expected = "ARCHITECTURE.md:1: `crates/agent` is not named: say in one line what it is for";
    assert_eq!(architecture_findings("an agent, and `agents`"), [expected]);
}

#[test]
fn an_architecture_of_250_lines_is_allowed_and_of_251_is_not() {
    let text = |lines: usize| format!("`agent`\n{}", "x\n".repeat(lines - 1));
    assert_eq!(architecture_findings(&text(250)), [""; 0]);
    let expected = "ARCHITECTURE.md:251: 251 lines, the limit is 250: move detail to the crate it belongs to";
    assert_eq!(architecture_findings(&text(251)), [expected]);
}
