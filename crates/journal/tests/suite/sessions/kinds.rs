//! One record of every kind.

use journal::log::Hash;
use journal::record::{
    Answered, Asked, Begun, Changed, Delta, Effect, Intent, Outcome, Record, Spent, Stamped, Status,
};
use policy::act::{Act, Actor, Role};
use policy::place::Path;
use policy::verdict::Verdict;
use responses::id::{CallId, ResponseId};
use responses::item::Item;
use responses::usage::Usage;

pub(crate) fn intent(call: &str) -> Record {
    Record::Intent(Intent {
        call: CallId::from(call),
        tool: "shell".to_owned(),
        arguments: Hash::of(b"ls"),
        effect: Effect::Workspace,
        key: Some("key 1".to_owned()),
        cwd: "/work".to_owned(),
        policy: "rule 3 of project".to_owned(),
    })
}

pub(crate) fn outcome(call: &str, status: Status) -> Record {
    Record::Outcome(Outcome {
        call: CallId::from(call),
        status,
        output: Some(Item::function_output(&CallId::from(call), "a\nb \"c\" \u{1F600}")),
        exit: Some(-9),
        truncated: true,
        changed: vec![
            Changed { path: "src/a b.rs".to_owned(), hash: Some(Hash::of(b"new")) },
            Changed { path: "gone".to_owned(), hash: None },
        ],
    })
}

pub(crate) fn begun() -> Record {
    Record::Begun(Begun {
        permit: "permit 1".to_owned(),
        call: Some(CallId::from("a")),
        actor: Actor { name: "alice".to_owned(), role: Role::Agent },
        act: Some(Act::Command { line: "ls \"a b\"".to_owned(), cwd: Path::absolute("/work") }),
        input: Hash::of(b"input"),
        ruled: Verdict::Ask,
        verdict: Verdict::Allow,
        by: vec!["rule 3".to_owned(), "alice said yes".to_owned()],
        policy: Hash::of(b"rules"),
    })
}

pub(crate) fn ended() -> Record {
    Record::Ended { permit: "permit 1".to_owned(), how: "used".to_owned() }
}

pub(crate) fn asked() -> Record {
    let (question, call) = ("question 1".to_owned(), Some(CallId::from("a")));
    Record::Asked(Asked { question, call, act: Hash::of(b"act"), text: "may `ls` run?".to_owned() })
}

pub(crate) fn answered() -> Record {
    let [question, answer, by] = ["question 1", "allow", "alice"].map(str::to_owned);
    Record::Answered(Answered { question, answer, by })
}

pub(crate) fn wait() -> Record {
    Record::Wait { why: "the usage limit of the plan".to_owned(), until: Some(1_795_293_138_000) }
}

pub(crate) fn waited() -> Record {
    Record::Waited { how: "elapsed".to_owned() }
}

pub(crate) fn delta(parts: &[(u64, &str)]) -> Record {
    let parts = parts.iter().map(|(after, text)| (*after, (*text).to_owned())).collect();
    Record::Delta(Delta { response: Some(ResponseId::from("resp_1")), parts })
}

pub(crate) fn unknown() -> Record {
    let text = r#"{"at":23,"kind":"of-a-later-version","what": [1, 2.50, {"@blob x":"@blob y"}]}"#.to_owned();
    Record::Unknown { kind: "of-a-later-version".to_owned(), text }
}

/// One of every kind, the first record and pieces of a trace aside. The last is of a kind that is not known here, and
/// says itself when it was.
pub(crate) fn all() -> Vec<Record> {
    let usage = Usage { input: 100, cached: 80, cache_written: 5, output: 20, reasoning: 10, total: 120 };
    let item = |text: &str| Item::keep(text).unwrap();
    let image = item(
        r#"{"type":"message", "role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]}"#,
    );
    let thought = item(r#"{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAAAsk-0A","new":1e400}"#);
    vec![
        Record::Input { items: vec![Item::user("hello"), image] },
        Record::Output { response: Some(ResponseId::from("resp_1")), items: vec![thought.clone()] },
        Record::Output { response: None, items: vec![item(r#"{"type":"never heard of","x":null}"#)] },
        begun(),
        ended(),
        intent("a"),
        outcome("a", Status::Failed),
        asked(),
        answered(),
        Record::Compacted { generation: 2, items: vec![Item::user("in short"), thought] },
        Record::Route { way: "http".to_owned(), why: "the proxy refuses upgrades".to_owned() },
        wait(),
        waited(),
        Record::Usage(Spent {
            response: Some(ResponseId::from("resp_1")),
            model: Some("gpt-5".to_owned()),
            usage,
            cost: Some(1250),
        }),
        Record::Title("a title".to_owned()),
        Record::Torn { offset: 12, bytes: 3, text: "\u{FFFD}x".to_owned() },
        unknown(),
    ]
}

#[test]
fn every_kind_is_read_as_it_was_written() {
    for record in all().into_iter().chain([delta(&[(0, "a"), (7, "\"")])]) {
        let text = record.text(23);
        assert_eq!(Stamped::parse(&text), Stamped { at: 23, record }, "{text}");
    }
}

#[test]
fn every_effect_and_status_has_one_word_and_a_strange_word_is_the_worst() {
    for effect in Effect::ALL {
        assert_eq!(Effect::of(effect.name()), *effect);
    }
    for status in Status::ALL {
        assert_eq!(Status::of(status.name()), *status);
    }
    assert_eq!((Effect::of("harmless"), Status::of("fine")), (Effect::Other, Status::Unknown));
}

#[test]
fn what_lacks_the_fields_of_its_kind_is_kept_as_it_is() {
    for text in [r#"{"at":5,"kind":"input"}"#, r#"{"kind":"intent","call":1}"#, "{}", "", "no json", "[]"] {
        let Stamped { record, .. } = Stamped::parse(text);
        assert!(matches!(&record, Record::Unknown { text: kept, .. } if kept == text), "{record:?}");
    }
}
