//! A file of rules is loaded, or says what is wrong, where, and what to do.

use policy::act::Hash;
use policy::rules::{MAX_EXAMPLES, MAX_PATTERN_BYTES, MAX_PATTERNS, MAX_RULES, Rules};
use policy::verdict::Verdict;

use crate::support::judged;

fn load(text: &str) -> Result<Rules, String> {
    Rules::load("policy.toml", text).map_err(|error| error.to_string())
}

/// A rule with these lines beside its verdict and its reason.
fn rule(verdict: &str, lines: &str) -> String {
    format!("[rule.x]\nverdict = '{verdict}'\nreason = 'r'\n{lines}\n")
}

#[test]
fn an_empty_file_has_no_rules_and_every_text_its_version() {
    let empty = load("").unwrap();
    assert_eq!((empty.iter().count(), empty.default_verdict()), (0, None));
    assert_eq!(empty.version(), Rules::default().version());
    let text = rule("deny", "run = ['rm **']");
    let (one, other) = (load(&text).unwrap(), load(&format!("{text}# a word\n")).unwrap());
    assert_eq!(one.version(), Hash::of(text.as_bytes()));
    assert_ne!(one.version(), other.version());
    let rule = one.iter().next().unwrap();
    assert_eq!((rule.name(), rule.verdict(), rule.reason()), ("x", Verdict::Deny, "r"));
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_the_next_step() {
    for (text, place, expected) in [
        ("default = 'maybe'".to_owned(), ":1:11", "allow, ask or deny"),
        ("[rules.x]".to_owned(), ":1:", "did you mean `rule`"),
        ("[rule.x]\nreason = 'r'\nrun = ['x']".to_owned(), ":1:", "set verdict = allow, ask or deny"),
        ("[rule.x]\nverdict = 'ask'\nrun = ['x']".to_owned(), ":1:", "set reason"),
        ("[rule.x]\nverdict = 'ask'\nreason = ' '\nrun = ['x']".to_owned(), ":3:", "set reason"),
        (rule("block", "run = ['x']"), ":2:11", "allow, ask or deny"),
        (rule("deny", "runs = ['x']"), ":2:11", "does not say what it is about"),
        (rule("deny", "run = ['x']\nrite = ['y']"), ":5:1", "unknown key `rite`"),
        (rule("deny", "run = ['x']\nhost = ['y']"), ":5:1", "did you mean `hosts`"),
        (rule("deny", ""), ":2:11", "does not say what it is about: add run"),
        (rule("allow", "times = ['mon']"), ":2:11", "allows without saying what"),
        (rule("allow", "run = ['x']\nhosts = ['y']"), ":2:11", "write one rule for each"),
        (rule("allow", "run = ['x']\nroles = ['subagent']"), ":5:9", "use \"agent\", which is both"),
        (rule("deny", "run = 'x'"), ":4:7", "expected a list of strings"),
        (rule("deny", "run = []"), ":4:7", "the list is empty"),
        (rule("deny", "run = ['']"), ":4:7", "is empty or has a control character"),
        (rule("deny", "run = [' ']"), ":4:7", "\" \" has no word"),
        (rule("deny", "nature = ['nice']"), ":4:10", "\"nice\" is no nature of a run: use looks, targets"),
        (rule("deny", "writes = ['docs/']"), ":4:10", "use \"docs/**\""),
        (rule("deny", "reads = ['a/../b']"), ":4:9", "write the path without it"),
        (rule("deny", "deletes = ['[a']"), ":4:11", "is not a pattern"),
        (rule("deny", "places = ['here']"), ":4:10", "is no place: use workspace, temporary"),
        (rule("deny", "hosts = ['https://a.b']"), ":4:9", "use a name like crates.io"),
        (rule("deny", "tools = ['x']"), ":4:9", "use \"server/tool\""),
        (rule("deny", "models = ['x']"), ":4:10", "use \"provider/model\""),
        (rule("deny", "roles = ['king']"), ":4:9", "is no role: use owner, operator"),
        (rule("deny", "times = ['noon']"), ":4:9", "is no time: use days, hours or both"),
    ] {
        let error = load(&text).unwrap_err();
        assert!(error.starts_with(&format!("policy.toml{place}")), "{text}\n{error}");
        assert!(error.contains(expected), "{text}\n{error}");
    }
}

#[test]
fn every_bound_of_a_file_is_kept() {
    let many = |count: usize| (0..count).map(|number| format!("'a{number}'")).collect::<Vec<_>>().join(",");
    let rules = |count: usize| {
        (0..count)
            .map(|number| rule("deny", "run = ['x']").replace("rule.x", &format!("rule.r{number}")))
            .collect::<String>()
    };
    assert!(load(&rules(MAX_RULES)).is_ok());
    let two =
        rule("deny", &format!("run = [{}]", many(MAX_PATTERNS))) + "[rule.y]\nverdict='ask'\nreason='r'\nrun=['x']";
    for (text, expected) in [
        (rules(MAX_RULES + 1), "at most 256 are read"),
        (two, "more than 2048 patterns in the file"),
        (rule("deny", &format!("run = [{}]", many(MAX_PATTERNS + 1))), "more than 2048 of them"),
        (rule("deny", &format!("run = ['{}']", "x".repeat(MAX_PATTERN_BYTES + 1))), "longer than 256 bytes"),
        (rule("deny", "run = ['x']").replace("'r'", &format!("'{}'", "r".repeat(3000))), "use fewer words"),
        (rule("deny", &format!("run = ['x']\nexamples.pass = [{}]", many(MAX_EXAMPLES + 1))), "more than 64 examples"),
        (rule("deny", &format!("run = ['x']\nexamples.pass = ['{}']", "x".repeat(3000))), "longer than 2048 bytes"),
    ] {
        let error = load(&text).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn examples_that_behave_are_silent() {
    for text in [
        rule(
            "deny",
            "run = ['git push ** --force* **', 'git push ** -f **']\nexamples.match = ['git push --force origin main', 'git push -f', 'ls && git push origin -f']\nexamples.pass = ['git push origin main', 'git status']",
        ),
        rule(
            "allow",
            "run = ['make **']\nexamples.match = ['make all']\nexamples.pass = ['cargo publish', 'make; cargo publish']",
        ),
        rule(
            "ask",
            "writes = ['docs/**']\nexamples.match = ['touch docs/a', 'ls > docs/b']\nexamples.pass = ['touch src/a', 'cat docs/a']",
        ),
        rule(
            "allow",
            "hosts = ['*.crates.io', 'crates.io']\nexamples.match = ['static.crates.io', 'crates.io:443', 'curl https://crates.io/x']\nexamples.pass = ['evil.example']",
        ),
        rule(
            "deny",
            "tools = ['github/delete_*']\nexamples.match = ['github/delete_file']\nexamples.pass = ['github/get_file']",
        ),
        rule("deny", "models = ['cloud/*']\nexamples.match = ['cloud/large']\nexamples.pass = ['local/small']"),
        rule("deny", "run = ['make **']\ntimes = ['mon']\nroles = ['owner']\nexamples.match = ['make all']"),
    ] {
        assert!(load(&text).is_ok(), "{}", load(&text).unwrap_err());
    }
}

#[test]
fn an_example_that_does_not_behave_is_an_error_that_says_what_was_decided() {
    for (text, place, expected) in [
        (
            rule("deny", "run = ['git push --force']\nexamples.match = ['git push --force origin']"),
            ":5:18",
            "rule `x`: the example \"git push --force origin\" is not matched: it runs git push --force origin",
        ),
        (
            rule("deny", "run = ['git push **']\nexamples.pass = [\n  'git push origin']"),
            ":5:17",
            "rule `x`: the example \"git push origin\" is decided deny by it: it runs git push origin",
        ),
        (
            rule("deny", "run = ['rm a']\nexamples.match = ['rm $X']"),
            ":5:18",
            "is decided ask instead of deny, because the text does not tell enough",
        ),
        (
            rule("allow", "run = ['make **']\nexamples.match = ['make; cargo publish']"),
            ":5:18",
            "is not allowed as a whole: the rule does not cover that it runs cargo publish",
        ),
        (rule("deny", "run = ['x']\nexamples.match = ['# nothing']"), ":5:18", "is not matched: it does nothing"),
        (rule("deny", "tools = ['a/b']\nexamples.match = ['a']"), ":5:18", "the example \"a\" is no tool"),
        (rule("deny", "hosts = ['a']\nexamples.pass = ['a:b']"), ":5:17", "has `b` where a port is"),
        (rule("deny", "run = ['x']\nexamples.mach = ['x']"), ":5:10", "did you mean `match`"),
    ] {
        let error = load(&text).unwrap_err();
        assert!(error.starts_with(&format!("policy.toml{place}")), "{text}\n{error}");
        assert!(error.contains(expected), "{text}\n{error}");
    }
}

#[test]
fn a_loaded_rule_judges_commands() {
    let rules = load(&rule("deny", "run = ['git push ** -f **']")).unwrap();
    assert_eq!(judged(&rules, "git push -f").verdict, Verdict::Deny);
    assert_eq!(judged(&rules, "git push").verdict, Verdict::Ask);
    assert_eq!(judged(&rules, "git status; git push origin -f").verdict, Verdict::Deny);
}
