//! Every command of the corpus is judged as it says, with no rules and no grants.

#![expect(clippy::disallowed_methods, reason = "the files are read by the tests, not by the crate")]

use std::path::Path;

use policy::rules::Rules;
use policy::verdict::Verdict;

use crate::support::judged;

/// The command that a line of the corpus stands for: `␤` ends a line, `⟦200b⟧` is the character of that number.
fn written(text: &str) -> Option<String> {
    let mut parts = text.split('⟦');
    let mut to = parts.next()?.to_owned();
    for part in parts {
        let (number, rest) = part.split_once('⟧')?;
        to.push(char::from_u32(u32::from_str_radix(number, 16).ok()?)?);
        to.push_str(rest);
    }
    Some(to.replace('␤', "\n"))
}

#[test]
fn every_command_of_the_corpus_is_judged_as_it_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/commands.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let rules = Rules::default();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (number, line) in lines {
        let mut fields = line.split('\t');
        let verdict = fields.next().and_then(Verdict::named);
        let (Some(expected), Some(command)) = (verdict, fields.next().and_then(written)) else {
            panic!("line {} is not a verdict, a tab and a command", number + 1);
        };
        let judgement = judged(&rules, &command);
        if judgement.verdict != expected {
            let because: Vec<_> = judgement.because().map(|finding| finding.why.as_str()).collect();
            wrong.push(format!("{}: {command}: {} ({})", number + 1, judgement.verdict, because.join("; ")));
        }
        count += 1;
    }
    assert!(count > 100, "the corpus is gone");
    assert!(wrong.is_empty(), "{} of {count} are judged otherwise:\n{}", wrong.len(), wrong.join("\n"));
}
