//! Patterns over the words of a run.

use crate::effects::Run;

use super::Match;

/// Stands for any number of words in a pattern.
const REST: &str = "**";

/// Before a pattern of a run with other rights, however it gets them.
const RAISED: &str = "sudo";

/// A pattern over a program and its words, all of them: `cargo test **`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunPattern {
    words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// Any number of words, also none.
    Rest,
    /// One word: `*` in it is any text, `?` one character.
    Glob(String),
}

impl RunPattern {
    /// The pattern of this text, if it has a word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let word = |word: &str| if word == REST { Word::Rest } else { Word::Glob(word.to_owned()) };
        let words: Vec<_> = text.split_whitespace().map(word).collect();
        (!words.is_empty()).then_some(Self { words })
    }

    /// Whether a run is one of these, for a rule that forbids or asks. A word that cannot be told may be any words.
    pub(crate) fn any(&self, run: &Run) -> Match {
        let plain = self.matching(run, false);
        if run.raised { plain.max(self.matching(run, true)) } else { plain }
    }

    /// Whether a run is surely one of these, for a rule that allows. One with other rights is only if the pattern says so.
    pub(crate) fn all(&self, run: &Run) -> bool {
        self.matching(run, run.raised) == Match::Yes
    }

    fn matching(&self, run: &Run, raised: bool) -> Match {
        if self.accepts(run, raised, false) {
            Match::Yes
        } else if run.words.contains(&None) && self.accepts(run, raised, true) {
            Match::Maybe
        } else {
            Match::No
        }
    }

    /// Walks all ways through the pattern at once, so that no pattern takes long.
    fn accepts(&self, run: &Run, raised: bool, lenient: bool) -> bool {
        let before = raised.then_some(RAISED).into_iter().chain([run.program.as_str()]).map(Some);
        let mut at = vec![false; self.words.len() + 1];
        if let Some(start) = at.first_mut() {
            *start = true;
        }
        self.pass_rests(&mut at);
        for word in before.chain(run.words.iter().map(Option::as_deref)) {
            at = match word {
                Some(word) => self.step(&at, word),
                None if lenient => reachable(&at),
                None => self.stay(&at),
            };
            self.pass_rests(&mut at);
        }
        at.last().copied().unwrap_or_default()
    }

    /// `**` may stand for no word at all.
    fn pass_rests(&self, at: &mut [bool]) {
        let mut carried = false;
        let rests = self.words.iter().map(|word| *word == Word::Rest).chain([false]);
        for (here, rest) in at.iter_mut().zip(rests) {
            *here |= carried;
            carried = *here && rest;
        }
    }

    fn step(&self, at: &[bool], text: &str) -> Vec<bool> {
        let mut next = vec![false; at.len()];
        for (index, (word, _)) in self.words.iter().zip(at).enumerate().filter(|(_, (_, here))| **here) {
            let to = match word {
                Word::Rest => index,
                Word::Glob(glob) if is_like(glob, text) => index + 1,
                Word::Glob(_) => continue,
            };
            if let Some(there) = next.get_mut(to) {
                *there = true;
            }
        }
        next
    }

    fn stay(&self, at: &[bool]) -> Vec<bool> {
        let rests = self.words.iter().map(|word| *word == Word::Rest).chain([false]);
        at.iter().zip(rests).map(|(here, rest)| *here && rest).collect()
    }
}

/// Any number of words of any text lead from one place to all behind it.
fn reachable(at: &[bool]) -> Vec<bool> {
    let mut reached = false;
    at.iter()
        .map(|here| {
            reached |= *here;
            reached
        })
        .collect()
}

/// Whether `text` is as `glob` says: `*` is any text, `?` one character.
pub(crate) fn is_like(glob: &str, text: &str) -> bool {
    let (mut glob, mut text) = (glob.chars(), text.chars());
    let mut back = None;
    loop {
        let (mut next_glob, mut next_text) = (glob.clone(), text.clone());
        match (next_glob.next(), next_text.next()) {
            (Some('*'), _) => {
                back = Some((next_glob.clone(), text.clone()));
                glob = next_glob;
                continue;
            }
            (Some(want), Some(have)) if want == '?' || want == have => {
                (glob, text) = (next_glob, next_text);
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        // The latest `*` takes one character more.
        let Some((after, mut from)) = back.take() else { return false };
        if from.next().is_none() {
            return false;
        }
        (glob, text) = (after.clone(), from.clone());
        back = Some((after, from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::Nature;

    fn run(line: &str) -> Run {
        let mut words = line.split(' ').map(|word| (word != "$").then(|| word.to_owned()));
        let program = words.next().flatten().unwrap();
        Run { program, verb: None, words: words.collect(), nature: Nature::Unknown, raised: false }
    }

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        for (glob, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b c", true),
            ("--force*", "--force-with-lease", true),
            ("--force", "--force-with-lease", false),
            ("a*b*c", "aXXbYYbc", true),
            ("a*b*c", "aXXbYY", false),
            ("?", "ä", true),
            ("??", "ä", false),
            ("*?", "", false),
            ("**", "ab", true),
        ] {
            assert_eq!(is_like(glob, text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!is_like(&"*a".repeat(200), &"a".repeat(199)));
        let pattern = RunPattern::parse(&format!("x {}y", "** * ".repeat(100))).unwrap();
        assert!(!pattern.all(&run(&format!("x{}", " z".repeat(500)))));
    }

    #[test]
    fn a_pattern_speaks_of_all_words() {
        for (pattern, line, expected) in [
            ("ls", "ls", true),
            ("ls", "ls -l", false),
            ("ls **", "ls", true),
            ("ls **", "ls -l src", true),
            ("git push ** --force* **", "git push --force", true),
            ("git push ** --force* **", "git push origin --force-with-lease main", true),
            ("git push ** --force* **", "git push origin main", false),
            ("* --version", "cargo --version", true),
            ("**", "cargo", true),
            ("cargo * -p *", "cargo test -p a", true),
            ("cargo * -p *", "cargo test -p", false),
        ] {
            let pattern = RunPattern::parse(pattern).unwrap();
            assert_eq!(pattern.all(&run(line)), expected, "{pattern:?} {line}");
            assert_eq!(pattern.any(&run(line)) == Match::Yes, expected, "{pattern:?} {line}");
        }
    }

    #[test]
    fn a_word_that_cannot_be_told_may_be_what_is_forbidden_and_is_not_what_is_allowed() {
        for (pattern, line, any, all) in [
            ("git push ** --force **", "git push $", Match::Maybe, false),
            ("git push ** --force **", "git pull $", Match::No, false),
            ("git push **", "git push $", Match::Yes, true),
            ("rm *", "rm $", Match::Maybe, false),
            ("rm a b", "rm $", Match::Maybe, false),
            ("rm", "rm $", Match::Maybe, false),
            ("rm a", "rm $ b", Match::No, false),
        ] {
            let pattern = RunPattern::parse(pattern).unwrap();
            assert_eq!((pattern.any(&run(line)), pattern.all(&run(line))), (any, all), "{pattern:?} {line}");
        }
    }

    #[test]
    fn other_rights_are_allowed_only_by_name() {
        let raised = Run { raised: true, ..run("apt install x") };
        let plain = RunPattern::parse("apt install *").unwrap();
        let named = RunPattern::parse("sudo apt install *").unwrap();
        assert!(!plain.all(&raised) && plain.any(&raised) == Match::Yes);
        assert!(named.all(&raised) && named.any(&raised) == Match::Yes);
        assert!(!named.all(&run("apt install x")));
    }
}
