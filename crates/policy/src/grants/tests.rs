//! What grants cover, and their file.

use super::*;
use crate::act::{Act, Hash};
use crate::effects::{Effects, Nature, Reach, Run, Target, Unclear};
use crate::place::{Place, Surroundings};
use crate::rules::examples::around;

fn run(nature: Nature, line: &str) -> Run {
    let mut words = line.split(' ').map(str::to_owned);
    let program = words.next().unwrap();
    let words: Vec<_> = words.map(Some).collect();
    let verb = words.first().cloned().flatten().filter(|_| nature != Nature::Unknown);
    Run { program, verb, words, nature, raised: false }
}

fn runs(nature: Nature, lines: &[&str]) -> Effects {
    Effects { runs: lines.iter().map(|line| run(nature, line)).collect(), ..Effects::default() }
}

fn path(text: &str) -> Path {
    Path::resolve(&around().cwd, text)
}

fn file(text: &str) -> Target {
    Target::Path { path: path(text), deep: false }
}

fn deletes(target: Target) -> Effects {
    Effects { deletes: vec![target], ..runs(Nature::Targets, &["rm x"]) }
}

/// What goes where the settings of a program lead.
fn adds(what: &str) -> Effects {
    let reaches = vec![Reach { host: None, port: None }];
    Effects { reaches, ..runs(Nature::Fetches, &[&format!("cargo add {what}")]) }
}

/// What gets something from a host.
fn gets(words: &str) -> Effects {
    let reaches = vec![Reach { host: Some("a.example".to_owned()), port: Some(443) }];
    let run = Run { verb: None, ..run(Nature::Fetches, &format!("curl {words}")) };
    Effects { runs: vec![run], reaches, ..Effects::default() }
}

fn means(effects: &Effects) -> Meaning {
    Meaning::of(&Act::Command { line: format!("{effects:?}"), cwd: around().cwd }, effects, &around())
}

fn grant(id: &str, meaning: Meaning) -> Grant {
    Grant {
        id: id.to_owned(),
        role: Role::Agent,
        actor: None,
        session: None,
        meaning,
        place: around().cwd,
        until: None,
        uses: None,
        given_by: "jo".to_owned(),
        at: 1000,
        reason: "so".to_owned(),
    }
}

#[test]
fn always_covers_what_does_no_more() {
    let test = runs(Nature::Builds, &["cargo test -p a"]);
    let bashrc = Effects { writes: vec![file("/home/user/.bashrc")], ..test.clone() };
    let fetch = Effects {
        reaches: vec![Reach { host: Some("crates.io".to_owned()), port: Some(443) }],
        ..runs(Nature::Targets, &["curl x"])
    };
    let elsewhere =
        Effects { reaches: vec![Reach { host: Some("evil.example".to_owned()), port: Some(443) }], ..fetch.clone() };
    let sends = Effects { reads: vec![file("src/main.rs")], ..fetch.clone() };
    let deep = |text| Target::Path { path: path(text), deep: true };
    for (granted, asked, expected) in [
        (&test, &runs(Nature::Builds, &["cargo test -p b"]), true),
        (&test, &runs(Nature::Publishes, &["cargo publish"]), false),
        (&test, &runs(Nature::Builds, &["cargo build"]), false),
        (&test, &runs(Nature::Builds, &["cargo test", "make all"]), false),
        (&test, &bashrc, false),
        (&bashrc, &test, true),
        (&fetch, &fetch, true),
        (&fetch, &elsewhere, false),
        (&fetch, &sends, false),
        (&deletes(file("build/x")), &deletes(file("src/y")), true),
        (&deletes(file("build/x")), &deletes(deep("src")), false),
        (&deletes(deep("build")), &deletes(deep(".")), false),
        (&deletes(file("/etc/a")), &deletes(file("/etc/b")), false),
        (&deletes(deep("/opt/a")), &deletes(file("/opt/a/b")), true),
        (&deletes(file("x")), &deletes(file(".env")), false),
        (&runs(Nature::Unknown, &["deploy staging"]), &runs(Nature::Unknown, &["deploy staging"]), true),
        (&runs(Nature::Unknown, &["deploy staging"]), &runs(Nature::Unknown, &["deploy staging --all"]), false),
        (&runs(Nature::Looks, &["ls"]), &runs(Nature::Looks, &["cat"]), true),
        (&adds("serde"), &adds("serde"), true),
        (&adds("serde"), &adds("anyhow"), false),
        (&gets("-s https://a.example/x"), &gets("https://a.example/y"), true),
        (&gets("https://a.example/x"), &gets("-L https://a.example/x"), false),
        (&gets("-L https://a.example/x"), &gets("https://a.example/x"), false),
        (&gets("https://a.example/x"), &gets(r"https://a.example\@b.example"), false),
    ] {
        assert_eq!(means(granted).covers(&means(asked)), expected, "{granted:?}\n{asked:?}");
    }
}

#[test]
fn what_cannot_be_told_by_kind_is_remembered_exactly() {
    let raised = Effects { runs: vec![Run { raised: true, ..run(Nature::Looks, "ls") }], ..Effects::default() };
    let unclear = Effects {
        unclear: vec![Unclear { text: "$X".to_owned(), why: "a variable".to_owned() }],
        ..runs(Nature::Builds, &["make"])
    };
    let hidden = Effects { reaches: vec![Reach { host: None, port: None }], ..runs(Nature::Targets, &["ping x"]) };
    let by_words = Run { verb: None, ..run(Nature::Fetches, "curl x") };
    let by_words = Effects { runs: vec![by_words], ..hidden.clone() };
    let to_what = Run { words: vec![Some("push".to_owned()), None], ..run(Nature::Publishes, "git push") };
    let to_what = Effects { runs: vec![to_what], ..Effects::default() };
    for effects in [
        raised,
        by_words,
        to_what,
        unclear,
        hidden,
        runs(Nature::Code, &["python -c x"]),
        runs(Nature::Destroys, &["git reset --hard"]),
        runs(Nature::Unknown, &["deploy x"]),
        runs(Nature::Publishes, &["git push origin x"]),
        runs(Nature::Fetches, &["npm install"]),
        runs(Nature::Builds, &["make\tx all"]),
        Effects { reads: (0..65).map(|number| file(&format!("/opt/{number}"))).collect(), ..Effects::default() },
        deletes(Target::Unknown("$X".to_owned())),
    ] {
        let meaning = means(&effects);
        assert!(matches!(meaning, Meaning::Exact(_)), "{effects:?}");
        assert!(meaning.covers(&meaning));
    }
    assert!(!means(&runs(Nature::Code, &["python -c x"])).covers(&means(&runs(Nature::Code, &["python -c y"]))));
}

#[test]
fn a_grant_of_what_was_kept_in_does_not_hold_in_the_open() {
    let effects = runs(Nature::Builds, &["deploy staging"]);
    let act = Act::Command { line: "deploy staging".to_owned(), cwd: around().cwd };
    let meaning = |confined| Meaning::of(&act, &effects, &Surroundings { confined, ..around() });
    assert!(!meaning(true).covers(&meaning(false)));
    assert!(meaning(false).covers(&meaning(true)));
}

#[test]
fn acts_that_are_no_commands_are_remembered_by_what_they_are() {
    let hash = Hash::of(b"");
    let tool =
        |name: &str| Act::Tool { server: "s".to_owned(), name: name.to_owned(), arguments: Hash::of(name.as_bytes()) };
    let meaning = |act: &Act| Meaning::of(act, &Effects::default(), &around());
    assert!(meaning(&tool("a")).covers(&meaning(&tool("a"))));
    assert!(!meaning(&tool("a")).covers(&meaning(&tool("b"))));
    let ask = |model: &str| Act::Ask { model: model.to_owned(), request: hash };
    assert!(!meaning(&ask("a/b")).covers(&meaning(&ask("a/c"))));
    assert!(!meaning(&ask("a/b")).covers(&meaning(&Act::Spawn { task: "x".to_owned() })));
}

#[test]
fn a_grant_holds_for_its_actor_session_place_and_time() {
    let meaning = means(&runs(Nature::Builds, &["cargo test"]));
    let all = grant("g", meaning.clone());
    let (inside, outside) = (path("src"), Path::absolute("/other"));
    let holds = |grant: &Grant, role, actor, session, inside, now| {
        grant.covers(&Asked { role, actor, session, meaning: &meaning, inside: &[inside], now })
    };
    let asked = |grant: &Grant| holds(grant, Role::Agent, "a", Some("s"), &inside, 1000);
    assert!(asked(&all) && holds(&all, Role::Subagent, "b", None, &inside, 1000));
    assert!(!holds(&all, Role::Owner, "a", None, &inside, 1000));
    assert!(!holds(&all, Role::Agent, "a", None, &outside, 1000));
    for (changed, expected) in [
        (Grant { actor: Some("a".to_owned()), ..all.clone() }, true),
        (Grant { actor: Some("b".to_owned()), ..all.clone() }, false),
        (Grant { session: Some("s".to_owned()), ..all.clone() }, true),
        (Grant { session: Some("t".to_owned()), ..all.clone() }, false),
        (Grant { until: Some(1001), ..all.clone() }, true),
        (Grant { until: Some(1000), ..all.clone() }, false),
        (Grant { uses: Some(1), ..all.clone() }, true),
        (Grant { uses: Some(0), ..all.clone() }, false),
    ] {
        assert_eq!(asked(&changed), expected, "{changed:?}");
    }
}

#[test]
fn grants_are_added_spent_revoked_and_expire() {
    let mut grants = Grants::default();
    let meaning = Meaning::Agent;
    grants.add(Grant { uses: Some(1), ..grant("once", meaning.clone()) }).unwrap();
    grants.add(Grant { until: Some(2000), ..grant("soon", meaning.clone()) }).unwrap();
    grants.add(grant("ever", meaning.clone())).unwrap();
    assert_eq!(grants.add(grant("ever", meaning.clone())), Err(GrantError::Taken("ever".to_owned())));
    assert_eq!(grants.add(grant("Ever.", meaning.clone())), Err(GrantError::BadId));
    let long = Grant { reason: "x".repeat(MAX_GRANT_TEXT + 1), ..grant("long", meaning.clone()) };
    assert_eq!(grants.add(long), Err(GrantError::TooLong("reason")));
    let subagent = Grant { role: Role::Subagent, ..grant("sub", meaning.clone()) };
    assert_eq!(grants.add(subagent), Err(GrantError::ForSubagent));
    assert!(grants.spend("once", 1) && !grants.spend("once", 1) && !grants.spend("nobody", 1));
    assert!(grants.spend("ever", 3000) && grants.spend("soon", 1999) && !grants.spend("soon", 2000));
    assert_eq!(grants.expire(1999).iter().map(|grant| grant.id.as_str()).collect::<Vec<_>>(), ["once"]);
    assert_eq!(grants.expire(2000).len(), 1);
    assert_eq!(grants.revoke("ever").map(|grant| grant.id), Some("ever".to_owned()));
    assert!(grants.is_empty() && grants.revoke("ever").is_none());
    for number in 0..MAX_GRANTS {
        grants.add(grant(&format!("g{number}"), meaning.clone())).unwrap();
    }
    assert_eq!(grants.add(grant("more", meaning)), Err(GrantError::Full));
}

fn all_kinds() -> Grants {
    let mut grants = Grants::default();
    let effects = Effects {
        writes: vec![file("a"), file("/etc/a b\"c")],
        reaches: vec![
            Reach { host: Some("::1".to_owned()), port: Some(80) },
            Reach { host: Some("a".to_owned()), port: None },
        ],
        ..runs(Nature::Targets, &["cargo fmt", "npm x"])
    };
    for (id, meaning) in [
        ("like", means(&effects)),
        ("exact", Meaning::Exact(Hash::of(b"x"))),
        ("tool", Meaning::Tool { server: "s".to_owned(), name: "n\"\n".to_owned() }),
        ("model", Meaning::Model("a/b".to_owned())),
        ("agents", Meaning::Agent),
    ] {
        let session = Some("s".to_owned());
        grants.add(Grant { session, until: Some(5), uses: Some(3), ..grant(id, meaning) }).unwrap();
    }
    grants
}

#[test]
fn a_file_of_grants_is_read_as_it_was_written() {
    let grants = all_kinds();
    let text = grants.to_text();
    assert_eq!(Grants::from_text("grants.toml", &text).unwrap(), grants);
    assert_eq!(Grants::from_text("grants.toml", &Grants::default().to_text()).unwrap(), Grants::default());
}

#[test]
fn a_damaged_file_grants_nothing_and_says_where() {
    let text = all_kinds().to_text();
    for (from, to, expected) in [
        ("version = 1", "version = 2", "version is not 1"),
        ("version = 1\n", "", "version is not 1"),
        ("role = \"agent\"", "role = \"king\"", "a role"),
        ("role = \"agent\"", "role = \"subagent\"", "never allowed more"),
        ("place = \"/workspace\"", "place = \"here\"", "absolute"),
        ("given_by = \"jo\"\n", "", "`given_by` is missing"),
        ("uses = 3", "uses = -3", "whole number"),
        ("uses = 3", "usees = 3", "did you mean `uses`"),
        ("confined = false\n", "", "stand together"),
        ("targets\\tcargo", "target\\tcargo", "not as it was written"),
        ("writes\\tworkspace\\titself", "writes\\tworkspace", "not as it was written"),
        ("writes\\toutside\\titself\\t/etc", "writes\\toutside\\titself\\tetc", "not as it was written"),
        ("::1\\t80", "::1\\t800000", "not as it was written"),
        ("agents = true", "agents = false", "expected one of"),
        ("agents = true", "agents = true\nmodel = \"a\"", "expected one of"),
        ("exactly = \"2", "exactly = \"", "hexadecimal"),
        ("[grant.tool]", "[grant.Tool]", "lower-case"),
    ] {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(damaged, text, "{from}");
        let error = Grants::from_text("grants.toml", &damaged).unwrap_err().to_string();
        assert!(error.contains(expected), "{from} → {to}: {error}");
        assert!(error.starts_with("the file of grants is damaged, and no grant holds: "), "{error}");
    }
}

#[test]
fn a_meaning_is_shown_in_words() {
    for (effects, expected) in [
        (runs(Nature::Builds, &["cargo test -p a"]), "`cargo test …`"),
        (runs(Nature::Looks, &["ls"]), "what only looks"),
        (deletes(file("/etc/a")), "`rm x …`, deletes /etc/a"),
        (deletes(file("a")), "`rm x …`, deletes workspace files"),
        (runs(Nature::Code, &["python -c x"]), "exactly this and nothing else"),
    ] {
        assert_eq!(means(&effects).to_string(), expected);
    }
    assert_eq!(Place::ALL.len(), 7, "a new place needs a decision: is it remembered by kind or by path");
}
