//! Sessions taken out and brought back.

use journal::blobs::INLINE_MAX;
use journal::sessions::{Imported, Limits, SessionError, SessionId, Sessions};

use super::{Home, entries, fork, home, id, kinds, new, said, session, texts, with_limits};

fn export(sessions: &Sessions, id: SessionId) -> String {
    let mut out = Vec::new();
    sessions.export(id, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn import(sessions: &Sessions, text: &str) -> Result<Imported, SessionError> {
    sessions.import(&mut text.as_bytes())
}

/// A session with every kind and a string beside it, and a fork of it.
async fn family() -> Home {
    let home = home();
    let session = home.sessions.create(new(1)).await.unwrap();
    for record in
        kinds::all().into_iter().chain([kinds::delta(&[(0, "a\n")]), said(&"long \"text\"\n".repeat(INLINE_MAX))])
    {
        session.append(5, record).await.unwrap();
    }
    session.append(6, said("not shared")).await.unwrap();
    let last = session.close().await.unwrap();
    fork(&home, 1, Some(last.seq - 1), 2, &["of the fork"]).await.unwrap().close().await.unwrap();
    home
}

#[tokio::test]
async fn an_export_brings_back_exactly_what_was_exported() {
    let here = family().await;
    for number in [1, 2] {
        let exported = export(&here.sessions, id(number));
        let there = home();
        let imported = import(&there.sessions, &exported).unwrap();
        let new: Vec<_> = (1..=number).map(id).collect();
        assert_eq!(imported, Imported { id: id(number), new: new.clone(), there: vec![] });
        assert_eq!(export(&there.sessions, id(number)), exported);
        assert_eq!(entries(&there.sessions, id(number)), entries(&here.sessions, id(number)));
        assert_eq!(import(&there.sessions, &exported).unwrap().there, new, "what is there is there");
        let (session, resumed) = there.sessions.resume(id(number), 9).await.unwrap();
        assert_eq!(resumed.torn, None);
        session.append(10, said("gone on with")).await.unwrap();
        session.close().await.unwrap();
        assert_eq!(import(&there.sessions, &exported).unwrap().there, new, "with more, too");
    }
}

#[tokio::test]
async fn a_past_that_came_with_a_fork_is_completed_by_its_own_export() {
    let (here, there) = (family().await, home());
    import(&there.sessions, &export(&here.sessions, id(2))).unwrap();
    assert!(!texts(&there.sessions, id(1)).contains(&"not shared".to_owned()));
    let open = there.sessions.resume(id(1), 9).await.unwrap().0;
    let whole = export(&here.sessions, id(1));
    assert!(matches!(import(&there.sessions, &whole), Err(SessionError::InUse { .. })));
    open.close().await.unwrap();
    assert_eq!(import(&there.sessions, &whole).unwrap().new, [id(1)]);
    assert_eq!(export(&there.sessions, id(1)), whole);
    assert_eq!(texts(&there.sessions, id(2)), texts(&here.sessions, id(2)));
}

#[tokio::test]
async fn another_session_of_the_same_name_is_not_touched() {
    let (here, there) = (family().await, home());
    session(&there, 1, &["mine"]).await;
    for number in [1, 2] {
        let refused = import(&there.sessions, &export(&here.sessions, id(number))).unwrap_err();
        assert!(matches!(refused, SessionError::Exists { id: other } if other == id(1)), "{refused}");
    }
    assert_eq!(texts(&there.sessions, id(1)), ["mine"]);
    assert_eq!(there.sessions.ids().unwrap(), [id(1)], "nothing is left behind");
    assert!(!there.sessions.folder().join(id(1).to_string()).join("log.new").exists());
}

#[tokio::test]
async fn an_export_that_was_changed_anywhere_is_refused_whole() {
    let here = family().await;
    let exported = export(&here.sessions, id(2));
    let lines: Vec<&str> = exported.lines().collect();
    let there = home();
    let refused = |text: &str, why: &str| {
        assert!(import(&there.sessions, text).is_err(), "{why}");
        assert_eq!(there.sessions.ids().unwrap(), [], "{why}");
    };
    for at in 0..lines.len() {
        let mut fewer = lines.clone();
        let gone = fewer.remove(at);
        refused(&(fewer.join("\n") + "\n"), &format!("without line {at}: {gone:.80}"));
        let mut twice = lines.clone();
        twice.insert(at, lines[at]);
        // A string may come twice.
        if !lines[at].starts_with("{\"blob\"") {
            refused(&(twice.join("\n") + "\n"), &format!("twice line {at}: {gone:.80}"));
        }
    }
    refused(&exported.replace("of the fork", "of the Fork"), "a text is another");
    refused(&exported.replacen("long ", "Long ", 1), "a string beside it is another");
    refused(exported.trim_end(), "the last line has no end");
    refused("", "nothing");
}

#[tokio::test]
async fn more_than_a_session_may_have_is_not_imported() {
    let (here, there) = (family().await, with_limits(Limits { session_bytes: 100_000, ..Limits::default() }));
    let refused = import(&there.sessions, &export(&here.sessions, id(1))).unwrap_err().to_string();
    assert!(refused.contains("larger than a session may be"), "{refused}");
    assert_eq!(there.sessions.ids().unwrap(), []);
}

#[tokio::test]
async fn a_lost_string_is_lost_in_the_export_too_and_the_rest_comes_back() {
    let here = family().await;
    std::fs::remove_dir_all(here.sessions.folder().join(id(1).to_string()).join("blobs")).unwrap();
    let mut out = Vec::new();
    let done = here.sessions.export(id(1), &mut out).unwrap();
    assert_eq!((done.blobs, done.damage.len()), (0, 1));
    let there = home();
    let exported = String::from_utf8(out).unwrap();
    import(&there.sessions, &exported).unwrap();
    assert_eq!(export(&there.sessions, id(1)), exported);
}
