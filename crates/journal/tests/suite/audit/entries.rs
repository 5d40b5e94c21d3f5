//! What entries look like, forever.

use std::borrow::Cow;
use std::sync::Arc;

use journal::audit::entry::{
    Answered, Asked, Entry, Granted, MAX_BY, MAX_TEXT, Opened, Recorded, Redact, Revoked, Session, Spent, Torn, Who,
};
use journal::log::{Hash, MAX_BODY};
use policy::act::Role;

use super::room::{DAWN, begun, case, ended};

const GOLDEN: &str = include_str!("../../golden/audit-1/entries.jsonl");

fn plain() -> Redact {
    fn same(text: &str) -> Cow<'_, str> {
        text.into()
    }
    Arc::new(same)
}

/// One of each kind.
fn all() -> Vec<Entry<'static>> {
    let who = || Who { name: "kim".into(), role: Some(Role::Owner) };
    let spent = Spent { tokens: 1, micro_dollars: 2, nanoseconds: 3, calls: 4, bytes_written: 5, bytes_deleted: 6 };
    vec![
        Entry::Opened(Opened { version: "0.1.0".into(), pid: 7, host: "bench".into(), unsigned: 2 }),
        Entry::Begun("0a-0".into(), begun("c1")),
        Entry::Ended("0a-0".into(), ended("done")),
        Entry::Ended("0a-1".into(), journal::audit::entry::Ended { output: None, spent, ..ended("failed") }),
        Entry::Asked(Asked { case: case("c2"), by: vec!["line 4".into(), "line 9".into()], until: DAWN + 60_000 }),
        Entry::Answered(Answered {
            case: case("c2"),
            answerer: who(),
            said: "no".into(),
            reason: "\"not\" today\n".into(),
            unheard: Some("late".into()),
        }),
        Entry::Granted(Granted { grant: "g1".into(), actor: who(), on: "cargo *".into(), until: None }),
        Entry::Revoked(Revoked { grant: "g1".into(), actor: who() }),
        Entry::Session(Session { id: "s1".into(), head: Hash::of(b"head"), records: 12 }),
        Entry::Torn(Torn { file: "log".into(), at: 4096, bytes: 17, hash: Hash::of(b"rest") }),
    ]
}

#[test]
fn entries_of_version_1_are_written_and_read_as_ever() {
    let entries = all();
    let texts: String =
        entries.iter().map(|entry| Recorded { at: DAWN, entry: entry.clone() }.text(&plain()) + "\n").collect();
    assert_eq!(texts, GOLDEN);
    assert_eq!(GOLDEN.lines().count(), entries.len());
    for (line, entry) in GOLDEN.lines().zip(entries) {
        assert_eq!(Recorded::read(line).unwrap(), Recorded { at: DAWN, entry });
    }
}

#[test]
fn what_a_newer_version_adds_is_passed_over() {
    for line in GOLDEN.lines() {
        let more = line.replacen('{', r#"{"new":{"deep":[1]},"#, 1);
        assert_eq!(Recorded::read(&more), Recorded::read(line));
    }
    let read = Recorded::read(r#"{"v":2,"at":5,"kind":"dreamt","of":"sheep"}"#).unwrap();
    assert_eq!(read, Recorded { at: 5, entry: Entry::Other("dreamt".into()) });
    let role = GOLDEN.lines().nth(1).unwrap().replace(r#""role":"agent""#, r#""role":"ghost""#);
    let Entry::Begun(_, begun) = Recorded::read(&role).unwrap().entry else { panic!("{role}") };
    assert_eq!(begun.case.actor.role, None);
    for wrong in ["", "7", r#"{"at":1}"#, r#"{"v":1,"at":1,"kind":"ended","act":"a"}"#] {
        assert!(Recorded::read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_secret_is_replaced_in_every_text() {
    let secret: Redact = Arc::new(|text| text.replace("hush", "…").into());
    let planted = "{\"hush\"}";
    let name = || Cow::Borrowed(planted);
    let who = || Who { name: name(), role: None };
    let mut case = case(planted);
    (case.actor, case.session, case.what, case.on) = (who(), name(), name(), name());
    let by = || vec![name()];
    let entries = [
        Entry::Opened(Opened { version: name(), pid: 7, host: name(), unsigned: 0 }),
        Entry::Begun(
            name(),
            journal::audit::entry::Begun { case: case.clone(), verdict: name(), by: by(), policy: None },
        ),
        Entry::Ended(name(), ended(planted)),
        Entry::Asked(Asked { case: case.clone(), by: by(), until: 0 }),
        Entry::Answered(Answered { case, answerer: who(), said: name(), reason: name(), unheard: Some(name()) }),
        Entry::Granted(Granted { grant: name(), actor: who(), on: name(), until: None }),
        Entry::Revoked(Revoked { grant: name(), actor: who() }),
        Entry::Session(Session { id: name(), head: Hash::of(b""), records: 0 }),
        Entry::Torn(Torn { file: name(), at: 0, bytes: 0, hash: Hash::of(b"") }),
        Entry::Other(name()),
    ];
    for entry in entries {
        let text = Recorded { at: 0, entry }.text(&secret);
        assert!(text.contains('…') && !text.contains("hush"), "{text}");
    }
}

#[test]
fn the_longest_entry_fits_into_a_line() {
    let long = "\u{1}".repeat(MAX_TEXT * 2);
    let mut begun = begun(&long);
    begun.by = vec![Cow::Borrowed(long.as_str()); MAX_BY * 2];
    for text in [&mut begun.case.actor.name, &mut begun.case.session, &mut begun.case.what, &mut begun.case.on] {
        *text = Cow::Borrowed(&long);
    }
    begun.verdict = Cow::Borrowed(&long);
    let text = Recorded { at: u64::MAX, entry: Entry::Begun(Cow::Borrowed(&long), begun) }.text(&plain());
    assert!(text.len() <= MAX_BODY && text.len() > MAX_BODY / 4, "{}", text.len());
    let Entry::Begun(_, read) = Recorded::read(&text).unwrap().entry else { panic!("{text}") };
    assert_eq!((read.by.len(), read.case.on.chars().count()), (MAX_BY, MAX_TEXT + 1));
    let split = format!("{}ä{}", "a".repeat(MAX_TEXT - 1), "b".repeat(9));
    let entry = Entry::Revoked(Revoked { grant: split.into(), actor: Who { name: "".into(), role: None } });
    let text = Recorded { at: 0, entry }.text(&plain());
    assert!(text.contains(&format!("{}…\"", "a".repeat(MAX_TEXT - 1))), "{text}");
}
