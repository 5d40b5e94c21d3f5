//! What holds of every line.

use proptest::prelude::*;

use super::{of, summary};
use crate::command::MAX_SHOWN;
use crate::effects::{Effects, Target};
use crate::place::Path;

/// Pieces of command lines.
const TOKENS: [&str; 74] = [
    "ls", "rm", "-rf", "x", "cat", "echo", "cd", "src", "/tmp", "..", "$x", "\"$x\"", "$(", ")", "`", "(", "{", "}",
    ";", "&", "&&", "||", "|", "|&", "\n", "'", "\"", "\\", "#", "if", "then", "else", "fi", "while", "do", "done",
    "for", "in", "case", "esac", ";;", "f()", "function", "[[", "]]", "((", "))", "$((", "${x:-", "${x}", "<", ">",
    ">>", "<<EOF", "EOF", "<<<", "2>&1", "<(", ">(", "a=b", "a+=(", "!", "time", "sudo", "xargs", "find", "-exec",
    "sh", "-c", "eval", "git", "env", "*", "{a,b}",
];

fn lines() -> impl Strategy<Value = String> {
    let token = (prop::sample::select(&TOKENS[..]), prop::sample::select(&["", " ", " ", " "][..]));
    prop::collection::vec(token, 0..24)
        .prop_map(|tokens| tokens.into_iter().flat_map(|(token, gap)| [token, gap]).collect())
}

/// Lines that are complete more often than not.
fn whole_lines() -> impl Strategy<Value = String> {
    let commands = [
        "ls",
        "cat a",
        "rm -r b",
        "cd src",
        "echo \"$(cat c)\"",
        "cp d e",
        "x=1",
        "cat <<EOF\ntext\nEOF\n",
        "f() { rm g; }",
        "f",
        "git status",
        "{ ls; }",
        "( cd /tmp )",
        "if true; then rm h; fi",
        "for i in 1 2; do cd ..; rm i; done",
        "xargs rm",
        "cargo test > out",
        "sh -c 'rm k'",
        "echo 'it''s'",
        "trap 'rm l' EXIT",
        "sudo rm m",
        "find . -name y -delete",
        "case a in a) rm n;; esac",
        "eval rm o",
    ];
    let command = (
        prop::sample::select(commands.to_vec()),
        prop::sample::select(vec![" ; ", " && ", " || ", " | ", "\n", " & "]),
    );
    prop::collection::vec(command, 1..6).prop_map(|commands| {
        let text: String = commands.into_iter().flat_map(|(command, joint)| [command, joint]).collect();
        format!("{text} true")
    })
}

fn is_in(part: &Effects, whole: &Effects) -> bool {
    part.runs.iter().all(|run| whole.runs.contains(run))
        && part.reads.iter().all(|target| whole.reads.contains(target))
        && part.writes.iter().all(|target| whole.writes.contains(target))
        && part.deletes.iter().all(|target| whole.deletes.contains(target))
        && part.reaches.iter().all(|reach| whole.reaches.contains(reach))
}

fn deletes_zzz(effects: &Effects) -> bool {
    let named = |path: &Path| path.name() == "zzz";
    effects.deletes.iter().any(|target| match target {
        Target::Path { path, deep } => *deep && named(path),
        Target::Within(_) => false,
        Target::Unknown(written) => written == "zzz",
    })
}

/// What stands before the effects of the shell that was put around a line.
fn inner(effects: &Effects) -> Effects {
    Effects { runs: effects.runs.iter().skip(1).cloned().collect(), ..effects.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_an_answer(line in "\\PC{0,200}|[\\x00-\\x7f]{0,200}") {
        for unclear in of(&line).unclear {
            prop_assert!(unclear.text.chars().count() <= MAX_SHOWN + 1);
            prop_assert!(!unclear.why.is_empty());
        }
    }

    #[test]
    fn any_soup_of_tokens_has_an_answer_and_always_the_same(line in lines()) {
        prop_assert_eq!(of(&line), of(&line));
    }

    #[test]
    fn what_is_added_to_a_line_that_is_clear_is_added_to_its_effects(line in prop_oneof![lines(), whole_lines()]) {
        let before = of(&line);
        let after = of(&format!("{line}\nrm -rf zzz"));
        if before.unclear.is_empty() {
            prop_assert!(is_in(&before, &after), "{} became {}", summary(&before), summary(&after));
            prop_assert!(deletes_zzz(&after), "{}", summary(&after));
        }
    }

    #[test]
    fn a_subshell_or_a_shell_around_a_line_changes_nothing(line in prop_oneof![lines(), whole_lines()]) {
        let bare = of(&line);
        prop_assume!(bare.unclear.is_empty() && !bare.runs.is_empty());
        let within = of(&format!("(\n{line}\n)"));
        prop_assert_eq!(&within, &bare);
        let quoted = line.replace('\'', "'\\''");
        let shell = of(&format!("sh -c -- '{quoted}'"));
        let expected = bare.runs.iter().filter(|run| shell.runs.first() != Some(run)).cloned().collect::<Vec<_>>();
        prop_assert_eq!(inner(&shell), Effects { runs: expected, ..bare });
    }

    #[test]
    fn a_line_in_a_substitution_does_what_it_does_by_itself(line in whole_lines()) {
        let bare = of(&line);
        prop_assume!(bare.unclear.is_empty());
        for around in [format!("echo $( {line}\n)"), format!("echo \"$( {line}\n)\""), format!("cat <({line}\n)"), format!("x=$( {line}\n)")] {
            prop_assert!(is_in(&bare, &of(&around)), "{around}");
        }
    }
}

/// Functions that each call the next one twice.
fn calls(count: usize) -> String {
    let body = |at: usize| format!("f{at}() {{ f{}; f{}; }}; ", at + 1, at + 1);
    (0..count).map(body).collect::<Vec<_>>().concat() + "f0"
}

#[test]
fn lines_that_nest_or_repeat_without_end_take_no_time_without_end() {
    for line in [
        "(".repeat(60_000),
        "$(".repeat(30_000),
        "`".repeat(60_001),
        "{".repeat(60_000),
        "[".repeat(60_000),
        "${x:-".repeat(12_000),
        "$((".repeat(20_000),
        "<<A ".repeat(15_000),
        "{a,b}".repeat(12_000),
        format!("echo {}", "{1..9}".repeat(10_000)),
        "a;".repeat(30_000),
        "if ".repeat(20_000),
        "eval ".repeat(12_000),
        "sudo ".repeat(12_000),
        "env ".repeat(15_000),
        "xargs ".repeat(10_000),
        "\\\n".repeat(30_000),
        "for i in a; do cd x; ".repeat(14) + "ls" + &"; done".repeat(14),
        "f() { f; f; }; ".repeat(4_000) + "f",
        "cat <<A\n".repeat(8_000),
        "'\"".repeat(30_000),
        "\\".repeat(60_000),
        calls(30),
    ] {
        assert!(!of(&line).unclear.is_empty() || line.len() < 60_001, "{}", super::super::shortened(&line));
    }
}
