//! What holds for all rules, grants and effects.

use proptest::prelude::*;

use super::*;

/// From a small world, so that rules, grants and acts meet.
fn some_run() -> impl Strategy<Value = Run> {
    let program = prop::sample::select(vec!["cargo", "git", "deploy", "rm"]);
    let words =
        prop::collection::vec(prop::option::weighted(0.9, prop::sample::select(vec!["test", "push", "--force"])), 0..3);
    (program, words, prop::sample::select(Nature::ALL.to_vec()), prop::bool::weighted(0.1)).prop_map(
        |(program, words, nature, raised)| {
            let words: Vec<_> = words.into_iter().map(|word| word.map(str::to_owned)).collect();
            let verb = words.first().cloned().flatten();
            Run { program: program.to_owned(), verb, words, nature, raised }
        },
    )
}

fn some_target() -> impl Strategy<Value = Target> {
    let path = prop::sample::select(vec![
        ".",
        "src",
        "src/a.rs",
        "docs",
        "docs/a",
        "/",
        "/etc",
        "/etc/hosts",
        ".env",
        "/home/user",
        "/home/user/.ssh/k",
        "/tmp",
        "/tmp/x",
        ".git/config",
        "/dev/sda",
    ]);
    (path, 0..4_u8).prop_map(|(path, kind)| match kind {
        0 => file(path),
        1 => deep(path),
        2 => within(path),
        _ => Target::Unknown(path.to_owned()),
    })
}

fn some_reach() -> impl Strategy<Value = Reach> {
    let host = prop::option::weighted(0.8, prop::sample::select(vec!["crates.io", "static.crates.io", "evil.example"]));
    (host, prop::option::of(prop::sample::select(vec![80, 443])))
        .prop_map(|(host, port)| Reach { host: host.map(str::to_owned), port })
}

fn some_effects() -> impl Strategy<Value = Effects> {
    let targets = || prop::collection::vec(some_target(), 0..2);
    let unclear = prop::bool::weighted(0.1).prop_map(|is| if is { unclear().unclear } else { Vec::new() });
    let runs = prop::collection::vec(some_run(), 0..3);
    (runs, targets(), targets(), targets(), prop::collection::vec(some_reach(), 0..2), unclear).prop_map(
        |(runs, reads, writes, deletes, mut reaches, unclear)| {
            // A host that cannot be told is one that a program reaches.
            reaches.retain(|reach| reach.host.is_some() || !runs.is_empty());
            Effects { runs, reads, writes, deletes, reaches, unclear }
        },
    )
}

/// The keys of a rule about one kind of thing.
fn some_subject() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "run = ['cargo **', 'git push **']",
        "run = ['** --force **']",
        "run = ['sudo **']",
        "run = ['**']\nnature = ['publishes', 'unknown']",
        "nature = ['builds', 'destroys', 'code']",
        "reads = ['**']",
        "writes = ['docs/**', '/etc/*']\ndeletes = ['**/*.rs']",
        "deletes = ['/**']",
        "places = ['secret', 'outside']",
        "places = ['unknown', 'protected', 'device']",
        "reads = ['~/**']\nplaces = ['secret']",
        "hosts = ['*.crates.io', 'crates.io:443']",
        "hosts = ['*']",
    ])
}

fn some_rule(verdicts: &'static [Verdict]) -> impl Strategy<Value = String> {
    let when = prop::sample::select(vec!["", "", "", "roles = ['agent']", "roles = ['owner']", "times = ['sat-sun']"]);
    (prop::sample::select(verdicts), some_subject(), prop::option::of(some_subject()), when).prop_map(
        |(verdict, one, other, when)| {
            // A rule that allows is about one kind of thing; no key stands twice.
            let keys = |text: &str| {
                text.lines().map(|line| line.split(' ').next().unwrap_or("").to_owned()).collect::<Vec<_>>()
            };
            let fits = |other: &&str| verdict != Allow && !keys(other).iter().any(|key| keys(one).contains(key));
            let other = other.filter(|other| fits(other)).unwrap_or("");
            format!("verdict = '{verdict}'\nreason = 'r'\n{one}\n{other}\n{when}\n")
        },
    )
}

fn file_of(rules: &[String], default: Option<Verdict>) -> Rules {
    let default = default.map(|verdict| format!("default = '{verdict}'\n")).unwrap_or_default();
    let tables = rules.iter().enumerate().map(|(number, rule)| format!("[rule.r{number}]\n{rule}"));
    super::rules(&(default + &tables.collect::<String>()))
}

fn some_rules() -> impl Strategy<Value = (Vec<String>, Option<Verdict>)> {
    (
        prop::collection::vec(some_rule(&Verdict::ALL), 0..5),
        prop::option::of(prop::sample::select(Verdict::ALL.to_vec())),
    )
}

fn some_role() -> impl Strategy<Value = Role> {
    prop::sample::select(Role::ALL.to_vec())
}

fn grant(meaning: Meaning) -> Grant {
    Grant {
        id: "g".to_owned(),
        role: Role::Agent,
        actor: None,
        session: None,
        meaning,
        place: around().cwd,
        until: None,
        uses: None,
        given_by: "somebody".to_owned(),
        at: NOW,
        reason: "r".to_owned(),
    }
}

fn granting(effects: &Effects) -> Grants {
    let mut grants = Grants::default();
    grants.add(grant(Meaning::of(&command(), effects, &around()))).unwrap();
    grants
}

fn verdict(rules: &Rules, grants: &Grants, role: Role, effects: &Effects) -> Verdict {
    weigh(rules, grants, role, effects).verdict
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_rule_that_denies_or_asks_makes_nothing_milder_and_one_that_allows_nothing_stricter(
        (mut texts, default) in some_rules(),
        stricter in some_rule(&[Ask, Deny]),
        milder in some_rule(&[Allow]),
        role in some_role(),
        effects in some_effects(),
    ) {
        let none = Grants::default();
        let before = verdict(&file_of(&texts, default), &none, role, &effects);
        texts.push(stricter);
        prop_assert!(verdict(&file_of(&texts, default), &none, role, &effects) >= before);
        texts.pop();
        texts.push(milder);
        prop_assert!(verdict(&file_of(&texts, default), &none, role, &effects) <= before);
    }

    #[test]
    fn a_grant_answers_a_question_and_does_nothing_else(
        (texts, default) in some_rules(),
        role in some_role(),
        effects in some_effects(),
        granted in some_effects(),
    ) {
        let rules = file_of(&texts, default);
        let before = verdict(&rules, &Grants::default(), role, &effects);
        for granted in [&granted, &effects] {
            let after = verdict(&rules, &granting(granted), role, &effects);
            prop_assert!(after == before || (before == Ask && after == Allow));
        }
        if before == Ask && matches!(role, Role::Agent | Role::Subagent)
            && granting(&effects).iter().all(|grant| matches!(grant.meaning, Meaning::Exact(_)))
        {
            prop_assert_eq!(verdict(&rules, &granting(&effects), role, &effects), Allow);
        }
    }

    #[test]
    fn two_acts_in_one_are_judged_at_least_as_strictly_as_each(
        (texts, default) in some_rules(),
        role in some_role(),
        one in some_effects(),
        other in some_effects(),
        granted in some_effects(),
    ) {
        let rules = file_of(&texts, default);
        let granted = granting(&Effects { unclear: Vec::new(), ..granted });
        // A grant of exactly one text says nothing of other texts; here all have the same.
        let grants = if granted.iter().any(|grant| matches!(grant.meaning, Meaning::Exact(_))) { Grants::default() } else { granted };
        let both = verdict(&rules, &grants, role, &and(one.clone(), other.clone()));
        prop_assert!(both >= verdict(&rules, &grants, role, &one));
        prop_assert!(both >= verdict(&rules, &grants, role, &other));
    }

    #[test]
    fn a_subagent_is_never_allowed_more_than_an_agent(
        (texts, default) in some_rules(),
        effects in some_effects(),
        granted in some_effects(),
    ) {
        let (rules, grants) = (file_of(&texts, default), granting(&granted));
        let agent = verdict(&rules, &grants, Role::Agent, &effects);
        prop_assert!(verdict(&rules, &grants, Role::Subagent, &effects) >= agent);
    }

    #[test]
    fn equal_acts_are_judged_equally_and_the_strictest_finding_decides(
        (texts, default) in some_rules(),
        role in some_role(),
        effects in some_effects(),
    ) {
        let rules = file_of(&texts, default);
        let judged = weigh(&rules, &Grants::default(), role, &effects);
        prop_assert_eq!(&judged, &weigh(&rules, &Grants::default(), role, &effects));
        prop_assert_eq!(judged.verdict, strictest(&judged.findings));
        prop_assert!(judged.verdict == Allow || judged.because().count() > 0);
    }

    #[test]
    fn grants_are_read_as_they_were_written(granted in some_effects()) {
        let grants = granting(&granted);
        prop_assert_eq!(Grants::from_text("grants.toml", &grants.to_text()).unwrap(), grants);
    }
}
