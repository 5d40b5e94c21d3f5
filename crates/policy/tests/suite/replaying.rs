//! What other rules would have decided, and how judgements are shown.

use policy::act::{Act, Actor, Hash};
use policy::grants::{Grant, Grants};
use policy::judge::Judge;
use policy::replay::{Recorded, replay};
use policy::report;
use policy::rules::Rules;
use policy::verdict::Verdict;

use crate::support::{agent, around, command, judged, now};

const RULES: &str = "[rule.calm]\nverdict = 'deny'\nrun = ['git push **']\nreason = 'nothing leaves'\n\
                     [rule.make]\nverdict = 'allow'\nrun = ['cargo add **']\nreason = 'as usual'\n";

fn acts() -> Vec<Recorded> {
    let none = Rules::default();
    let record =
        |line| Recorded { at: now(), actor: agent(), act: command(line), verdict: judged(&none, line).verdict };
    ["ls src", "git push", "cargo add x", "cargo test"].map(record).to_vec()
}

#[test]
fn a_replay_says_which_acts_would_be_decided_otherwise_and_why() {
    let (rules, grants) = (Rules::load("policy.toml", RULES).unwrap(), Grants::default());
    let judge = Judge { rules: &rules, grants: &grants, session: None };
    let found = replay(&judge, &acts(), &around());
    let changed: Vec<_> = found.changed.iter().map(|one| (one.index, one.was, one.would_be)).collect();
    assert_eq!(changed, [(1, Verdict::Ask, Verdict::Deny), (2, Verdict::Ask, Verdict::Allow)]);
    assert_eq!(found.changed[0].because[0].rule.as_deref(), Some("calm"));
    let text = report::replay(&found, &acts());
    let expected = "4 acts, 2 would be decided otherwise
      2  allow → allow
      1  ask   → allow
      1  ask   → deny

#2 ask → deny  git push
  deny   runs git push: nothing leaves (rule calm)

#3 ask → allow  cargo add x
  allow  runs cargo add x: as usual (rule make)
  allow  reaches a host that cannot be told: goes where the settings of a program lead that a rule allows
";
    assert_eq!(text, expected);
}

#[test]
fn the_same_rules_decide_the_same() {
    let (rules, grants) = (Rules::default(), Grants::default());
    let judge = Judge { rules: &rules, grants: &grants, session: None };
    let found = replay(&judge, &acts(), &around());
    assert!(found.changed.is_empty());
    assert_eq!(found.counts.iter().map(|(_, _, count)| count).sum::<usize>(), 4);
}

#[test]
fn a_judgement_is_shown_with_what_always_would_mean() {
    let rules = Rules::load("policy.toml", RULES).unwrap();
    let expected = "deny
  allow  runs cargo test -p a: works in its folder
  allow  runs mkdir doc: does what its targets say
  deny   runs git push origin: nothing leaves (rule calm)
  allow  writes /work/project/doc: writes in the workspace: /work/project/doc
  ask    reaches a host that cannot be told: reaches a host that cannot be told
always would mean: exactly this and nothing else
";
    assert_eq!(report::judgement(&judged(&rules, "cargo test -p a; mkdir doc; git push origin")), expected);
}

#[test]
fn a_grant_answers_for_what_it_means_and_is_named() {
    let (rules, mut grants) = (Rules::default(), Grants::default());
    assert_eq!(report::grants(&grants, 0), "nothing is granted\n");
    let asked = judged(&rules, "curl https://a.example/x");
    assert_eq!((asked.verdict, &asked.grant), (Verdict::Ask, &None));
    let until = Some(now().seconds + 3600);
    let Actor { name, role } = agent();
    grants
        .add(Grant {
            id: "g-1".to_owned(),
            role,
            actor: Some(name),
            session: None,
            meaning: asked.meaning,
            place: around().cwd,
            until,
            uses: None,
            given_by: "jo".to_owned(),
            at: now().seconds,
            reason: "we get things".to_owned(),
        })
        .unwrap();
    let judge = Judge { rules: &rules, grants: &grants, session: None };
    let verdict = |line: &str| {
        let judgement = judge.judge(&agent(), &command(line), &around(), now());
        (judgement.verdict, judgement.grant)
    };
    assert_eq!(verdict("curl https://a.example/y"), (Verdict::Allow, Some("g-1".to_owned())));
    assert_eq!(verdict("cargo publish"), (Verdict::Ask, None));
    assert_eq!(verdict("curl https://a.example/y > ~/.bashrc").0, Verdict::Ask);
    assert_eq!(verdict("cargo test"), (Verdict::Allow, None), "nobody would be asked");
    let shown = report::grants(&grants, now().seconds);
    assert_eq!(
        shown,
        "g-1  `curl …`, reaches a.example:443  for agent a in /work/project, for 60 min more  (jo: we get things)\n"
    );
}

#[test]
fn an_act_is_shown_on_a_line() {
    let hash = Hash::of(b"");
    let path = |text| policy::place::Path::absolute(text);
    for (act, expected) in [
        (command("a\nb\u{1b}"), r"a\nb\u{1b}"),
        (Act::Read { paths: vec![path("/a"), path("/b")] }, "read /a /b"),
        (Act::Change { writes: vec![path("/a")], deletes: vec![path("/b")], content: hash }, "change /a, delete /b"),
        (Act::Change { writes: Vec::new(), deletes: vec![path("/b")], content: hash }, "delete /b"),
        (Act::Change { writes: vec![path("/a")], deletes: Vec::new(), content: hash }, "change /a"),
        (Act::Connect { host: "h".to_owned(), port: 1 }, "connect to h:1"),
        (Act::Tool { server: "s".to_owned(), name: "t".to_owned(), arguments: hash }, "tool s/t"),
        (Act::Ask { model: "p/m".to_owned(), request: hash }, "ask p/m"),
        (Act::Spawn { task: "x".to_owned() }, "start an agent: x"),
    ] {
        assert_eq!(report::act(&act), expected);
    }
}
