//! What a judgement costs: the matrix alone, and a command with rules and grants.

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use policy::act::{Act, Actor, Role};
use policy::decide::{Action, Resource, decide};
use policy::grants::{Grant, Grants, Meaning};
use policy::judge::Judge;
use policy::place::{Path, Surroundings};
use policy::rules::{Moment, Rules};

/// As many as a file has that grew for a year.
const RULES: usize = 50;

/// As many as somebody gives in a busy week.
const GRANTS: usize = 20;

/// What agents write all day.
const COMMANDS: [(&str, &str); 3] = [
    ("a test", "cargo test -p responses"),
    ("a line of four", "cd crates && grep -rn 'fn main' src | head -20; git status > /tmp/status"),
    ("what is asked about", "cargo add serde && git push origin main"),
];

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

fn file() -> String {
    let mut text = String::new();
    for number in 0..RULES {
        let subject = match number % 5 {
            0 => format!("run = ['tool{number} ** --force* **', 'git push ** -{number} **']"),
            1 => format!("writes = ['docs/{number}/**', '**/*.{number}']"),
            2 => format!("hosts = ['*.host{number}.example']"),
            3 => format!("nature = ['destroys']\nrun = ['x{number} **']"),
            _ => format!("reads = ['~/.cache/{number}/**']\nplaces = ['outside']"),
        };
        let _ = writeln!(text, "[rule.r{number}]\nverdict = 'ask'\nreason = 'a reason'\n{subject}");
    }
    text
}

fn granted() -> Grants {
    let mut grants = Grants::default();
    for number in 0..GRANTS {
        let added = grants.add(Grant {
            id: format!("g{number}"),
            role: Role::Agent,
            actor: None,
            session: None,
            meaning: Meaning::Model(format!("provider/{number}")),
            place: around().cwd,
            until: None,
            uses: None,
            given_by: "somebody".to_owned(),
            at: 0,
            reason: "a reason".to_owned(),
        });
        assert!(added.is_ok(), "the ids differ");
    }
    grants
}

fn matrix(criterion: &mut Criterion) {
    criterion.bench_function("decide", |bencher| {
        bencher.iter(|| decide(black_box(Role::Agent), black_box(Action::Write), black_box(Resource::Outside)));
    });
}

fn judgement(criterion: &mut Criterion) {
    let Ok(rules) = Rules::load("policy.toml", &file()) else { return };
    let (grants, around) = (granted(), around());
    let actor = Actor { name: "agent".to_owned(), role: Role::Agent };
    let mut group = criterion.benchmark_group("judge");
    for (rules, name) in [(&rules, "50 rules, 20 grants"), (&Rules::default(), "no rules")] {
        let judge = Judge { rules, grants: &grants, session: Some("s") };
        for (what, line) in COMMANDS {
            let act = Act::Command { line: line.to_owned(), cwd: around.cwd.clone() };
            group.bench_function(format!("{name}, {what}"), |bencher| {
                bencher.iter(|| judge.judge(&actor, black_box(&act), &around, Moment::at(0, 0)));
            });
        }
    }
    group.finish();
    let text = file();
    criterion.bench_function("load 50 rules", |bencher| {
        bencher.iter(|| Rules::load("policy.toml", black_box(&text)).is_ok());
    });
}

criterion_group!(benches, matrix, judgement);
criterion_main!(benches);
