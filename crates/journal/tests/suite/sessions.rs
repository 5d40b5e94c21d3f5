//! Sessions: begun, written, read, gone on with, forked, removed, found.

mod blobs;
mod exports;
mod faults;
mod golden;
mod indexed;
pub(crate) mod kinds;
mod memory;
mod properties;
mod secrets;

use std::path::Path;
use std::sync::Arc;

use journal::disk::{Disk, Machine};
use journal::record::{Record, Stamped, Status};
use journal::redact::Redactor;
use journal::sessions::{Entry, Keep, Limits, New, Session, SessionError, SessionId, Sessions, Step};
use responses::item::Item;
use tempfile::TempDir;

/// A home with sessions.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) sessions: Sessions,
}

/// The value that stands for a key of the environment.
pub(crate) const KEY: &str = "planted-key-of-the-environment";

pub(crate) fn home() -> Home {
    with_limits(Limits::default())
}

pub(crate) fn with_limits(limits: Limits) -> Home {
    let folder = TempDir::new().unwrap();
    let sessions = on(Arc::new(Machine), &folder.path().join("sessions"), limits);
    Home { folder, sessions }
}

pub(crate) fn on(disk: Arc<dyn Disk>, folder: &Path, limits: Limits) -> Sessions {
    let redactor = Arc::new(Redactor::new(&[7; 32], [KEY.to_owned()]));
    Sessions::open(disk, folder, redactor, limits).unwrap()
}

/// The id of the session with this number.
pub(crate) fn id(number: u64) -> SessionId {
    SessionId::of(1_795_289_538_000 + number, [0x5A; 10])
}

pub(crate) fn new(number: u64) -> New {
    New { id: id(number), at: 1_795_289_538_000 + number, version: "0.1.0".to_owned(), cwd: "/work".to_owned() }
}

pub(crate) fn said(text: &str) -> Record {
    Record::Input { items: vec![Item::user(text)] }
}

/// Everything that can be read of a session, without damage.
pub(crate) fn entries(sessions: &Sessions, id: SessionId) -> Vec<Entry> {
    let step = |step: Result<Step, SessionError>| match step.unwrap() {
        Step::Entry(entry) => *entry,
        damage @ Step::Damage { .. } => panic!("{damage:?}"),
    };
    sessions.read(id).unwrap().map(step).collect()
}

/// What a session says, its beginnings aside.
pub(crate) fn stamped(sessions: &Sessions, id: SessionId) -> Vec<Stamped> {
    let entries = entries(sessions, id).into_iter();
    let stamped = entries.map(|entry| Stamped { at: entry.at, record: entry.record });
    stamped.filter(|stamped| !matches!(stamped.record, Record::Session(_))).collect()
}

/// What the user said in it.
pub(crate) fn texts(sessions: &Sessions, id: SessionId) -> Vec<String> {
    let text = |record| match record {
        Record::Input { items } => Some(format!("{:?}", items[0].view())),
        _ => None,
    };
    let quoted = stamped(sessions, id).into_iter().filter_map(|stamped| text(stamped.record));
    quoted.map(|view| view.split('"').nth(1).unwrap().to_owned()).collect()
}

/// A session in which these were said.
pub(crate) async fn session(home: &Home, number: u64, texts: &[&str]) -> SessionId {
    let session = home.sessions.create(new(number)).await.unwrap();
    for text in texts {
        session.append(1, said(text)).await.unwrap();
    }
    session.close().await.unwrap();
    id(number)
}

async fn fork(home: &Home, from: u64, at: Option<u64>, number: u64, texts: &[&str]) -> Result<Session, SessionError> {
    let session = home.sessions.fork(id(from), at, new(number)).await?;
    for text in texts {
        session.append(2, said(text)).await.unwrap();
    }
    Ok(session)
}

#[tokio::test]
async fn what_was_acknowledged_is_read_while_it_is_written_and_after_it_was_closed() {
    let home = home();
    let session = home.sessions.create(new(1)).await.unwrap();
    let mut expected = Vec::new();
    for (at, record) in (10..).zip(kinds::all()) {
        let place = session.append(at, record.clone()).await.unwrap();
        assert_eq!(place.is_some(), record.durability() == journal::record::Durability::Durable);
        // What is not known here says itself when it was.
        let at = if record == kinds::unknown() { 23 } else { at };
        expected.push(Stamped { at, record });
    }
    session.append(99, said("end")).await.unwrap();
    expected.push(Stamped { at: 99, record: said("end") });
    assert_eq!(stamped(&home.sessions, id(1)), expected);
    session.close().await.unwrap();
    assert_eq!(stamped(&home.sessions, id(1)), expected);
    let found = home.sessions.verify(id(1)).unwrap();
    assert_eq!((found.records, found.damage), (expected.len() as u64 + 1, vec![]));
}

#[tokio::test]
async fn a_session_has_one_writer_and_the_next_one_is_told_what_has_no_end() {
    let home = home();
    let session = home.sessions.create(new(1)).await.unwrap();
    for record in [kinds::intent("a"), kinds::intent("b"), kinds::begun(), kinds::asked(), kinds::wait()] {
        session.append(5, record).await.unwrap();
    }
    session.append(6, kinds::outcome("a", Status::Done)).await.unwrap();
    let refused = home.sessions.resume(id(1), 7).await.err().unwrap();
    assert!(matches!(refused, SessionError::InUse { id: held } if held == id(1)), "{refused}");
    session.close().await.unwrap();
    let (session, resumed) = home.sessions.resume(id(1), 7).await.unwrap();
    let pending = &resumed.pending;
    assert_eq!(pending.intents.keys().map(ToString::to_string).collect::<Vec<_>>(), ["b"]);
    assert_eq!((pending.permits.len(), pending.questions.len(), pending.wait.is_some()), (1, 1, true));
    assert_eq!((resumed.head.cwd.as_str(), resumed.torn), ("/work", None));
    session.append(8, kinds::outcome("b", Status::Unknown)).await.unwrap();
    for end in [kinds::ended(), kinds::answered(), kinds::waited()] {
        session.append(8, end).await.unwrap();
    }
    session.close().await.unwrap();
    assert!(home.sessions.resume(id(1), 9).await.unwrap().1.pending.is_empty());
}

#[tokio::test]
async fn a_torn_end_is_written_down_and_told() {
    let home = home();
    session(&home, 1, &["one"]).await;
    let log = home.sessions.folder().join(id(1).to_string()).join("log");
    let whole = std::fs::read(&log).unwrap();
    std::fs::write(&log, [&whole[..], b"0123 half a li"].concat()).unwrap();
    let (session, resumed) = home.sessions.resume(id(1), 50).await.unwrap();
    assert_eq!(resumed.torn.unwrap().bytes, b"0123 half a li");
    session.close().await.unwrap();
    let expected = Record::Torn { offset: whole.len() as u64, bytes: 14, text: "0123 half a li".to_owned() };
    assert_eq!(stamped(&home.sessions, id(1)).pop(), Some(Stamped { at: 50, record: expected }));
}

#[tokio::test]
async fn a_damaged_session_is_not_gone_on_with_and_what_is_whole_can_be_forked() {
    let home = home();
    session(&home, 1, &["one", "two", "three"]).await;
    let log = home.sessions.folder().join(id(1).to_string()).join("log");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replace("\"two\"", "\"TWO\"")).unwrap();
    let refused = home.sessions.resume(id(1), 5).await.err().unwrap().to_string();
    assert!(refused.contains("record 2") && refused.contains(&format!("fork {} --at 1", id(1))), "{refused}");
    assert_eq!(home.sessions.verify(id(1)).unwrap().damage.len(), 1);
    let readable = home.sessions.read(id(1)).unwrap().filter(|step| matches!(step, Ok(Step::Entry(_)))).count();
    assert_eq!(readable, 3, "what stands around it is read");
    assert!(fork(&home, 1, None, 2, &[]).await.is_err());
    fork(&home, 1, Some(1), 2, &["else"]).await.unwrap().close().await.unwrap();
    assert_eq!(texts(&home.sessions, id(2)), ["one", "else"]);
}

#[tokio::test]
async fn forks_of_forks_share_the_past_up_to_where_they_left_it_and_no_file_of_it_changes() {
    let home = home();
    session(&home, 0, &["0a", "0b"]).await;
    let root = std::fs::read(home.sessions.folder().join(id(0).to_string()).join("log")).unwrap();
    for depth in 1..=5 {
        let (first, second) = (format!("{depth}a"), format!("{depth}b"));
        fork(&home, depth - 1, Some(1), depth, &[&first, &second]).await.unwrap().close().await.unwrap();
    }
    assert_eq!(texts(&home.sessions, id(5)), ["0a", "1a", "2a", "3a", "4a", "5a", "5b"]);
    assert_eq!(texts(&home.sessions, id(1)), ["0a", "1a", "1b"]);
    assert_eq!(std::fs::read(home.sessions.folder().join(id(0).to_string()).join("log")).unwrap(), root);
    let open = home.sessions.resume(id(5), 9).await.unwrap().0;
    fork(&home, 5, None, 6, &["6a"]).await.unwrap().close().await.unwrap();
    open.append(10, said("5c")).await.unwrap();
    assert_eq!(texts(&home.sessions, id(6)).last().unwrap(), "6a", "what is forked may be open");
    assert_eq!(texts(&home.sessions, id(6)).len(), 8);
    let missing = fork(&home, 0, Some(7), 7, &[]).await.err().unwrap().to_string();
    assert_eq!(missing, format!("the session {} has no record 7: its last is 2", id(0)));
}

#[tokio::test]
async fn a_past_that_is_shared_is_removed_only_with_those_that_share_it() {
    let home = home();
    session(&home, 0, &["a"]).await;
    fork(&home, 0, None, 1, &[]).await.unwrap().close().await.unwrap();
    fork(&home, 1, None, 2, &[]).await.unwrap().close().await.unwrap();
    let refused = home.sessions.remove(&[id(0)], false).unwrap_err();
    assert!(matches!(&refused, SessionError::HasForks { forks, .. } if *forks == [id(1)]), "{refused}");
    let open = home.sessions.resume(id(2), 1).await.unwrap().0;
    assert!(matches!(home.sessions.remove(&[id(0)], true), Err(SessionError::InUse { id: held }) if held == id(2)));
    assert_eq!(home.sessions.ids().unwrap().len(), 3, "nothing is removed if one cannot be");
    open.close().await.unwrap();
    assert_eq!(home.sessions.remove(&[id(0)], true).unwrap().len(), 3);
    assert_eq!(home.sessions.ids().unwrap(), []);
    assert!(matches!(home.sessions.remove(&[id(0)], true), Err(SessionError::NotFound { .. })));
}

#[tokio::test]
async fn pruning_says_first_what_it_would_remove_and_leaves_what_is_open() {
    let home = home();
    for number in 0..3 {
        session(&home, number, &["a"]).await;
    }
    let open = home.sessions.resume(id(1), 1).await.unwrap().0;
    let keep = Keep { bytes: Some(0), age: None };
    let said = home.sessions.prune(5000, &keep, true).unwrap();
    assert_eq!((said.removed.as_slice(), said.in_use.as_slice()), (&[id(0), id(2)][..], &[id(1)][..]));
    assert_eq!(home.sessions.ids().unwrap().len(), 3);
    assert_eq!(home.sessions.prune(5000, &keep, false).unwrap(), said);
    assert_eq!(home.sessions.ids().unwrap(), [id(1)]);
    drop(open);
}

#[tokio::test]
async fn an_id_is_found_by_its_beginning() {
    let home = home();
    session(&home, 1, &[]).await;
    let whole = id(1).to_string();
    assert_eq!(home.sessions.find(&whole[..4]).unwrap(), id(1));
    assert_eq!(home.sessions.find(&whole).unwrap(), id(1));
    assert!(matches!(home.sessions.find(&whole[..3]), Err(SessionError::TooShort { .. })));
    assert!(matches!(home.sessions.find("zzzz"), Err(SessionError::NotFound { .. })));
    assert!(matches!(home.sessions.find(&id(9).to_string()), Err(SessionError::NotFound { .. })));
    session(&home, 2, &[]).await;
    assert!(matches!(home.sessions.find(&whole[..4]), Err(SessionError::Ambiguous { count: 2, .. })));
}

#[tokio::test]
async fn limits_refuse_with_the_next_step_and_leave_the_session_readable() {
    let home = with_limits(Limits { session_bytes: 40_000, record_bytes: 10_000 });
    let session = home.sessions.create(new(1)).await.unwrap();
    let refused = session.append(1, said(&"x".repeat(10_000))).await.unwrap_err().to_string();
    assert!(refused.starts_with("a record's size of 10"), "{refused}");
    let mut written = 0;
    let refused = loop {
        match session.append(1, said(&"x".repeat(5_000))).await {
            Ok(_) => written += 1,
            Err(error) => break error.to_string(),
        }
        assert!(written < 10);
    };
    assert!(refused.starts_with("a session's size of 4") && refused.contains("start a new session"), "{refused}");
    assert_eq!(stamped(&home.sessions, id(1)).len(), written);
}

#[tokio::test]
async fn a_session_that_was_never_made_is_none() {
    let home = home();
    std::fs::create_dir(home.sessions.folder().join(id(1).to_string())).unwrap();
    assert!(matches!(home.sessions.read(id(1)), Err(SessionError::NotFound { .. })));
    std::fs::write(home.sessions.folder().join(id(1).to_string()).join("log"), "").unwrap();
    assert!(matches!(home.sessions.read(id(1)), Err(SessionError::NoHead { .. })));
    assert!(home.sessions.resume(id(1), 1).await.is_err());
    session(&home, 2, &["a"]).await;
    assert_eq!(texts(&home.sessions, id(2)), ["a"]);
}

#[tokio::test]
async fn pieces_of_a_trace_are_held_until_something_else_is_written_and_keep_their_times() {
    let home = home();
    let session = home.sessions.create(new(1)).await.unwrap();
    for (at, text) in [(10, "one "), (12, "two"), (15, "\nthree\n"), (20, "four")] {
        session.append(at, kinds::delta(&[(0, text)])).await.unwrap();
    }
    session.close().await.unwrap();
    let expected =
        [(10, kinds::delta(&[(0, "one "), (2, "two"), (5, "\nthree\n")])), (20, kinds::delta(&[(0, "four")]))];
    let expected: Vec<_> = expected.into_iter().map(|(at, record)| Stamped { at, record }).collect();
    assert_eq!(stamped(&home.sessions, id(1)), expected);
}
