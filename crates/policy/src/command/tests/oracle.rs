//! Our words beside those that bash gives to a program.

use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::of;

/// Pieces of words that start nothing, whatever they are put beside.
const PIECES: [&str; 44] = [
    "a",
    "b c",
    "/",
    "x=",
    "-r",
    "'a b'",
    "''",
    "\"\"",
    "\"a'b\"",
    "'a\"b'",
    "\\ ",
    "\\'",
    "\\\\",
    "\\\"",
    "\\a",
    "\"\\\\\"",
    "\"\\a\"",
    "\"\\\"\"",
    "\"$HOME\"",
    "$HOME",
    "${HOME}",
    "$'\\x41'",
    "$'a\\tb'",
    "$'\\'x'",
    "$'\\101\\n'",
    "$'\\u0042\\\\'",
    "$'\\q'",
    "{a,b}",
    "{",
    "}",
    ",",
    "{1..3}",
    "{c..a}",
    "{a,{b,c}}",
    "{,x}",
    "~",
    "~/",
    "\\\n",
    "\"a\\\nb\"",
    "#",
    "%",
    "{'a,b',c}",
    "..",
    " ",
];

/// Says how many words it gets, and which; nothing for a text that is none.
const SCRIPT: &str =
    r#"show() { printf '%s\0' "$#" "$@"; }; for text; do printf '=\0'; eval "show $text" 2>/dev/null; done"#;

/// The words that bash makes of each text; none if it does not take the text for words.
fn by_bash(texts: &[String]) -> Option<Vec<Option<Vec<String>>>> {
    let output = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", SCRIPT, "bash"])
        .args(texts)
        .env_clear()
        .env("HOME", "/home/u")
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    let mut parts = text.split('\0');
    assert_eq!(parts.next(), Some("="));
    let mut all = Vec::new();
    for _ in texts {
        let Some(count) = parts.next().filter(|count| *count != "=") else {
            all.push(None);
            continue;
        };
        let count: usize = count.parse().unwrap_or_default();
        all.push(Some(parts.by_ref().take(count).map(str::to_owned).collect()));
        parts.next();
    }
    Some(all)
}

/// Our words, if all of them are known.
fn by_us(text: &str) -> Option<Vec<String>> {
    let effects = of(&format!("show {text}"));
    let run = effects.runs.first().filter(|_| effects.unclear.is_empty())?;
    run.words.iter().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_word_that_is_known_is_the_one_that_bash_gives(
        texts in prop::collection::vec(prop::collection::vec(prop::sample::select(&PIECES[..]), 1..7), 200)
    ) {
        let texts: Vec<String> = texts.into_iter().map(|pieces| pieces.concat()).collect();
        match by_bash(&texts) {
            Some(theirs) => {
                let mut known = 0;
                for (text, theirs) in texts.iter().zip(theirs) {
                    let Some(ours) = by_us(text) else { continue };
                    known += 1;
                    prop_assert_eq!(Some(ours), theirs, "of {}", text);
                }
                prop_assert!(known > texts.len() / 4, "only {} are known", known);
            }
            None => println!("there is no bash on this machine: its words were not compared"),
        }
    }
}
