//! Patterns over the words of a run.

use crate::effects::Run;
use crate::place::{Path, Surroundings};

use super::Match;

/// Stands for any number of words in a pattern.
const REST: &str = "**";

/// Before a pattern of a run with other rights, however it gets them.
const RAISED: &str = "sudo";

/// Programs that run a file which their words name.
const RUN_FILES: [&str; 13] =
    ["bash", "sh", "dash", "zsh", "ksh", "source", ".", "python", "python3", "node", "ruby", "perl", "php"];

/// At how many of its words the rest of a run is looked at as a run of its own.
const MAX_STARTS: usize = 8;

/// A program and its words.
struct Line<'a> {
    name: &'a str,
    words: &'a [Option<String>],
}

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

    /// Whether a run is one of these, for a rule that forbids or asks. A word that cannot be told may be any words, and
    /// what stands before the word that says what is done may be left out: `git push` is `git -C . push` as well.
    pub(crate) fn any(&self, run: &Run, around: &Surroundings) -> Match {
        let mut found = self.as_written(run, around);
        let verb = run.verb.as_deref().and_then(|verb| verb.split(' ').next());
        let is_verb = |word: &Option<String>| verb.is_some() && word.as_deref() == verb;
        let starts = run.words.iter().enumerate().filter(|(_, word)| is_verb(word)).map(|(at, _)| at);
        for start in starts.take(MAX_STARTS) {
            let words = run.words.get(start..).unwrap_or_default();
            found = found.max(self.however_raised(&Line { name: &run.program, words }, run.raised));
        }
        found.max(self.by_file(run, around))
    }

    /// Whether a run is surely one of these, for a rule that allows. One with other rights is only if the pattern says so;
    /// a program that is named from a folder which is not known may be another.
    pub(crate) fn all(&self, run: &Run, around: &Surroundings) -> bool {
        let sure = !run.program.contains('/') || run.program.starts_with('/');
        let is = |name: &String| self.matching(&Line { name, words: &run.words }, run.raised) == Match::Yes;
        sure && names(&run.program, around).iter().any(is)
    }

    fn as_written(&self, run: &Run, around: &Surroundings) -> Match {
        let names = names(&run.program, around);
        let found = names.iter().map(|name| self.however_raised(&Line { name, words: &run.words }, run.raised));
        found.max().unwrap_or(Match::No)
    }

    /// A file that a program is given to run is run: `./deploy.sh` is `bash deploy.sh` as well.
    fn by_file(&self, run: &Run, around: &Surroundings) -> Match {
        let by_path = matches!(self.words.first(), Some(Word::Glob(name)) if name.contains('/'));
        if !by_path || !RUN_FILES.contains(&run.program.as_str()) {
            return Match::No;
        }
        let mut found = Match::No;
        for (at, word) in run.words.iter().enumerate().take(MAX_STARTS) {
            let Some(word) = word.as_deref().filter(|word| !word.starts_with('-')) else { continue };
            let words = run.words.get(at + 1..).unwrap_or_default();
            for folder in std::iter::once(&around.cwd).chain(&around.workspace) {
                for name in names(Path::resolve(folder, word).as_str(), around) {
                    found = found.max(self.however_raised(&Line { name: &name, words }, run.raised));
                }
            }
        }
        found
    }

    fn however_raised(&self, line: &Line<'_>, raised: bool) -> Match {
        let plain = self.matching(line, false);
        if raised { plain.max(self.matching(line, true)) } else { plain }
    }

    fn matching(&self, line: &Line<'_>, raised: bool) -> Match {
        if self.accepts(line, raised, false) {
            Match::Yes
        } else if line.words.contains(&None) && self.accepts(line, raised, true) {
            Match::Maybe
        } else {
            Match::No
        }
    }

    /// Walks all ways through the pattern at once, so that no pattern takes long.
    fn accepts(&self, line: &Line<'_>, raised: bool, lenient: bool) -> bool {
        let before = raised.then_some(RAISED).into_iter().chain([line.name]).map(Some);
        let mut at = vec![false; self.words.len() + 1];
        if let Some(start) = at.first_mut() {
            *start = true;
        }
        self.pass_rests(&mut at);
        for word in before.chain(line.words.iter().map(Option::as_deref)) {
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

/// How a program may be named in a pattern: as it is, and one by its path from the workspace or the home too.
fn names(program: &str, around: &Surroundings) -> Vec<String> {
    let mut names = vec![program.to_owned()];
    let below = |folder: &Path| {
        let rest = program.strip_prefix(folder.as_str().trim_end_matches('/'))?.strip_prefix('/')?;
        Some(rest.to_owned())
    };
    for rest in around.workspace.iter().filter_map(below) {
        names.push(format!("./{rest}"));
        // A bare name is that of a program which is installed.
        names.extend(rest.contains('/').then_some(rest));
    }
    names.extend(below(&around.home).map(|rest| format!("~/{rest}")));
    names
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
    use crate::rules::examples::around;

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
        assert!(!pattern.all(&run(&format!("x{}", " z".repeat(500))), &around()));
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
            assert_eq!(pattern.all(&run(line), &around()), expected, "{pattern:?} {line}");
            assert_eq!(pattern.any(&run(line), &around()) == Match::Yes, expected, "{pattern:?} {line}");
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
            assert_eq!(
                (pattern.any(&run(line), &around()), pattern.all(&run(line), &around())),
                (any, all),
                "{pattern:?} {line}"
            );
        }
    }

    #[test]
    fn other_rights_are_allowed_only_by_name() {
        let raised = Run { raised: true, ..run("apt install x") };
        let plain = RunPattern::parse("apt install *").unwrap();
        let named = RunPattern::parse("sudo apt install *").unwrap();
        assert!(!plain.all(&raised, &around()) && plain.any(&raised, &around()) == Match::Yes);
        assert!(named.all(&raised, &around()) && named.any(&raised, &around()) == Match::Yes);
        assert!(!named.all(&run("apt install x"), &around()));
    }
}
