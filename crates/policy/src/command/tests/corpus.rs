//! Every line of the corpus does what it says there.

use super::{around, effects, summary};

const CORPUS: &str = include_str!("../../../tests/corpus/commands.txt");

/// The lines: a verdict, a command, its effects.
fn lines() -> impl Iterator<Item = (usize, [&'static str; 3])> {
    CORPUS.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).map(|(number, line)| {
        let columns: Vec<&str> = line.split('\t').collect();
        (number + 1, columns.try_into().unwrap_or_else(|_| panic!("line {} has not three columns", number + 1)))
    })
}

/// A command as it is written in the corpus, as it is.
fn command(written: &str) -> String {
    let mut parts = written.split('⟦');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('⟧').unwrap();
        text.push(char::from_u32(u32::from_str_radix(number, 16).unwrap()).unwrap());
        text.push_str(rest);
    }
    text.replace('␤', "\n")
}

#[test]
fn every_line_has_the_effects_that_it_says() {
    let mut wrong = Vec::new();
    for (number, [verdict, written, expected]) in lines() {
        let found = summary(&effects(&command(written), &around()));
        if found != expected {
            wrong.push(format!("{number}\t{verdict}\t{written}\t{found}"));
        }
    }
    assert!(wrong.is_empty(), "these have other effects now:\n{}", wrong.join("\n"));
}

#[test]
fn the_corpus_is_large_and_says_every_verdict() {
    let all: Vec<_> = lines().collect();
    assert!(all.len() >= 800, "{} lines", all.len());
    for verdict in ["allow", "ask", "deny"] {
        assert!(all.iter().filter(|(_, [of, ..])| *of == verdict).count() >= 20, "{verdict}");
    }
    assert!(all.iter().all(|(_, [of, ..])| ["allow", "ask", "deny"].contains(of)));
    let mut commands: Vec<_> = all.iter().map(|(_, [_, command, _])| command).collect();
    commands.sort_unstable();
    commands.dedup();
    assert_eq!(commands.len(), all.len(), "a command stands there twice");
}

#[test]
fn a_line_that_may_be_done_unasked_has_nothing_unclear_in_it() {
    for (number, [verdict, written, _]) in lines() {
        let found = effects(&command(written), &around());
        assert!(verdict != "allow" || found.unclear.is_empty(), "line {number}: {written}");
    }
}
