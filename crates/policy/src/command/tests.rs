//! Command lines and what they may do.

mod corpus;
mod oracle;
mod properties;
mod summary;

use super::effects;
use crate::effects::{Effects, Target};
use crate::place::{Path, Surroundings};
use summary::summary;

fn around() -> Surroundings {
    Surroundings {
        cwd: Path::absolute("/work/project"),
        home: Path::absolute("/home/u"),
        workspace: vec![Path::absolute("/work/project")],
        protected: Vec::new(),
        temporary: vec![Path::absolute("/tmp")],
        confined: false,
    }
}

fn of(line: &str) -> Effects {
    effects(line, &around())
}

fn is_unclear(line: &str) -> bool {
    !of(line).unclear.is_empty()
}

#[test]
fn a_line_that_is_too_long_is_unclear_and_so_is_one_that_is_too_deep() {
    let (fits, too_long) = ("echo ".to_owned() + &"a".repeat(super::MAX_LINE - 5), "a".repeat(super::MAX_LINE + 1));
    assert!(!is_unclear(&fits));
    assert!(is_unclear(&too_long));
    let nested = |depth: usize| format!("{}ls{}", "( ".repeat(depth), " )".repeat(depth));
    assert!(!is_unclear(&nested(super::MAX_DEPTH)));
    assert!(is_unclear(&nested(super::MAX_DEPTH + 1)));
}

#[test]
fn so_many_commands_are_gone_through_and_the_rest_is_unclear() {
    assert!(!is_unclear(&"ls;".repeat(super::MAX_STEPS - 1)));
    assert!(is_unclear(&"ls;".repeat(super::MAX_STEPS + 1)));
}

#[test]
fn what_is_unclear_is_shown_short_and_on_one_line() {
    let line = format!("\"$x\"{} \n", "y".repeat(500));
    for unclear in of(&line).unclear {
        assert!(unclear.text.chars().count() <= super::MAX_SHOWN + 1, "{unclear:?}");
        assert!(!unclear.text.contains('\n'), "{unclear:?}");
    }
}

#[test]
fn a_line_break_in_what_is_unclear_is_not_shown_as_a_space() {
    let unclear = of("eval \"$x\nrm y\"").unclear;
    assert_eq!(unclear.first().unwrap().text, "eval");
    let targets = of("rm \"$x\ny\"").deletes;
    assert_eq!(targets, [Target::Unknown("\"$x\\ny\"".to_owned())]);
}

#[test]
fn the_words_of_a_run_are_told_where_they_are_known() {
    let runs = of("cargo test -p $x 'a b' *.rs").runs;
    let words: Vec<Option<&str>> = runs.first().unwrap().words.iter().map(Option::as_deref).collect();
    assert_eq!(words, [Some("test"), Some("-p"), None, Some("a b"), None]);
}
