//! Rules and grants from any text.

use policy::act::{Act, Actor, Hash, Role};
use policy::grants::Grants;
use policy::judge::{Judge, Judgement};
use policy::place::{Path, Surroundings};
use policy::rules::{Moment, Rules};
use policy::verdict::Verdict;

/// What is judged by the rules of a text.
const COMMANDS: [&str; 6] = [
    "cargo test -p a",
    "git push --force origin main && rm -rf build",
    "curl https://crates.io/x > ~/.bashrc",
    "sudo $X .env",
    "for f in src/*.rs; do cat \"$f\"; done",
    "",
];

/// No text makes a panic. What loads, loads again as the same; it judges the same act twice alike; nothing in it lifts
/// what is denied by what is built in; and one rule more that denies everything denies everything. Grants are read as
/// they were written.
///
/// # Panics
///
/// If that does not hold.
pub fn rule_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    grants(text);
    let Ok(rules) = Rules::load("policy.toml", text) else { return };
    let again = Rules::load("policy.toml", text).ok().map(|rules| rules.version());
    assert_eq!(again, Some(rules.version()));
    let agent = Actor { name: "agent".to_owned(), role: Role::Agent };
    for line in COMMANDS {
        let act = Act::Command { line: line.to_owned(), cwd: around().cwd };
        let one = judge(&rules, &agent, &act);
        assert_eq!(one, judge(&rules, &agent, &act));
        let subagent = judge(&rules, &Actor { role: Role::Subagent, ..agent.clone() }, &act);
        assert!(subagent.verdict >= one.verdict, "{line}");
    }
    let hook = Path::resolve(&around().cwd, ".git/hooks/pre-commit");
    let act = Act::Change { writes: vec![hook], deletes: Vec::new(), content: Hash::of(data) };
    assert_eq!(judge(&rules, &agent, &act).verdict, Verdict::Deny);
    // Tables may follow each other in any order, unless the text has this one.
    let more = format!("{text}\n[rule.all-is-denied]\nverdict = 'deny'\nroles = ['agent']\nreason = 'r'\n");
    if let Ok(stricter) = Rules::load("policy.toml", &more) {
        for line in COMMANDS {
            let act = Act::Command { line: line.to_owned(), cwd: around().cwd };
            assert_eq!(judge(&stricter, &agent, &act).verdict, Verdict::Deny);
        }
    }
}

fn grants(text: &str) {
    let Ok(grants) = Grants::from_text("grants.toml", text) else { return };
    let again = Grants::from_text("grants.toml", &grants.to_text()).ok();
    assert_eq!(again, Some(grants));
}

fn judge(rules: &Rules, actor: &Actor, act: &Act) -> Judgement {
    Judge { rules, grants: &Grants::default(), session: None }.judge(actor, act, &around(), Moment::at(0, 0))
}

fn around() -> Surroundings {
    let folder = Path::absolute("/work/project");
    Surroundings {
        cwd: folder.clone(),
        home: Path::absolute("/home/u"),
        workspace: vec![folder],
        protected: Vec::new(),
        temporary: vec![Path::absolute("/tmp")],
        confined: false,
    }
}
