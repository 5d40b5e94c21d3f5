//! `capstan sessions`, on sessions that were written before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::disk::Machine;
use journal::record::{Record, Spent};
use journal::redact::Redactor;
use journal::sessions::{Limits, New, SessionId, Sessions};
use responses::item::{Item, Role};
use responses::usage::Usage;

use crate::support::Room;

/// When the first session began.
const BEGAN: u64 = 1_795_289_538_000;

fn id(number: u64) -> SessionId {
    SessionId::of(BEGAN + 60_000 * number, [0x5A; 10])
}

fn folder(room: &Room) -> PathBuf {
    let file = room.file(".capstan/mark", "");
    file.parent().unwrap().join("sessions")
}

async fn write(room: &Room, number: u64, cwd: &str, texts: &[&str]) {
    let redactor = Arc::new(Redactor::new(&[1; 32], []));
    let sessions = Sessions::open(Arc::new(Machine), &folder(room), redactor, Limits::default()).unwrap();
    let at = id(number).began();
    let new = New { id: id(number), at, version: "0.1.0".to_owned(), cwd: cwd.to_owned() };
    let session = sessions.create(new).await.unwrap();
    for text in texts {
        session.append(at, Record::Input { items: vec![Item::user(text)] }).await.unwrap();
        let answer = Item::message(&Role::Assistant, &format!("yes: {text}"));
        session.append(at, Record::Output { response: None, items: vec![answer] }).await.unwrap();
        let usage = Usage { input: 100, output: 20, total: 120, ..Usage::default() };
        session.append(at, Record::Usage(Spent { response: None, model: None, usage, cost: None })).await.unwrap();
    }
    session.close().await.unwrap();
}

/// Two sessions.
async fn room() -> Room {
    let room = Room::empty();
    write(&room, 1, "/work", &["fix the bug", "and the\u{1b}[2J other"]).await;
    write(&room, 2, "/else", &["write a test"]).await;
    room
}

async fn done(room: &Room, arguments: &[&str]) -> String {
    let ran = room.run(&[&["sessions"][..], arguments].concat()).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}: {}", ran.stdout);
    ran.stdout
}

#[tokio::test]
async fn sessions_are_listed_and_searched_for_people_and_for_programs() {
    let room = room().await;
    let expected = format!(
        "id                          changed            state  tokens  size   folder  title\n\
         {}  2026-11-21T19:34Z  ended  120     826 B  /else   write a test\n\
         {}  2026-11-21T19:33Z  ended  240     1 KB   /work   fix the bug\n",
        id(2),
        id(1)
    );
    assert_eq!(done(&room, &["list"]).await, expected);
    let listed = done(&room, &["list", "--json", "--limit", "1"]).await;
    let begins = format!(
        "[{{\"id\":\"{}\",\"title\":\"write a test\",\"cwd\":\"/else\",\"created_at\":{began},\"changed_at\":{began},\
         \"state\":\"ended\",\"waits_for\":null,\"waits_until\":null,\"damage\":null,\"forked_from\":null,\"records\":4,",
        id(2),
        began = id(2).began()
    );
    assert!(listed.starts_with(&begins), "{listed}");
    assert_eq!(
        done(&room, &["list", "--here"]).await,
        "no sessions in this folder: `capstan sessions list` shows all\n"
    );
    let found = done(&room, &["search", "the", "bu"]).await;
    assert!(found.starts_with(&format!("{}  2026-11-21T19:33Z  fix the bug\n    ", id(1))), "{found}");
    assert!(found.contains("fix [the] [bug]"), "{found}");
    assert!(done(&room, &["search", "--json", "test"]).await.contains("\"seq\":1,\"kind\":\"input\""));
    assert!(done(&room, &["search", "nothing"]).await.starts_with("no session says that"));
    let empty = Room::empty();
    assert!(done(&empty, &["list"]).await.starts_with("no sessions in "));
    assert_eq!(done(&empty, &["list", "--json"]).await, "[]\n");
}

#[tokio::test]
async fn a_session_is_shown_by_the_beginning_of_its_id() {
    let room = room().await;
    let prefix = &id(1).to_string()[..10];
    let shown = done(&room, &["show", prefix]).await;
    let expected = format!(
        "session: {} in /work, 2026-11-21T19:33Z\nuser: fix the bug\nmodel: yes: fix the bug\ntokens: 100 read, 20 written\n\
         user: and the [2J other\nmodel: yes: and the [2J other\ntokens: 100 read, 20 written\n",
        id(1)
    );
    assert_eq!(shown, expected);
    let lines = done(&room, &["show", "--json", prefix]).await;
    assert_eq!(lines.lines().count(), 7);
    assert!(lines.starts_with(&format!("{{\"session\":\"{}\",\"seq\":0,\"hash\":\"", id(1))), "{lines}");
    assert_eq!(done(&room, &["verify", prefix]).await, "whole: 7 records, 0 long strings beside them\n");
}

#[tokio::test]
async fn a_fork_is_exported_with_its_past_and_comes_back() {
    let here = room().await;
    let forked = done(&here, &["fork", &id(1).to_string(), "--at", "2"]).await;
    let fork = forked.trim_end();
    assert_eq!(done(&here, &["show", fork]).await.lines().count(), 4);
    let file = here.file("elsewhere/mark", "").with_file_name("export.jsonl");
    let file = file.to_str().unwrap();
    assert_eq!(done(&here, &["export", fork, "-o", file]).await, "");
    let exported = done(&here, &["export", fork]).await;
    assert_eq!(std::fs::read_to_string(file).unwrap(), exported);
    let there = Room::empty();
    let imported = done(&there, &["import", file]).await;
    assert_eq!(imported, format!("{fork}\nwith {}, whose past it shares\n", id(1)));
    assert_eq!(done(&there, &["export", fork]).await, exported);
    assert_eq!(done(&there, &["import", file]).await, format!("{fork}\nit was here already\n"));
    let again = here.run(&["sessions", "export", fork, "-o", file]).await;
    assert!(again.refusal().ends_with("export.jsonl is there already: use another name\n"), "{again:?}");
}

#[tokio::test]
async fn sessions_are_removed_and_pruned_and_forgotten_by_the_search() {
    let room = room().await;
    let redactor = Arc::new(Redactor::new(&[1; 32], []));
    let sessions = Sessions::open(Arc::new(Machine), &folder(&room), redactor, Limits::default()).unwrap();
    let (open, _) = sessions.resume(id(1), 1).await.unwrap();
    let refused = room.run(&["sessions", "rm", &id(1).to_string()]).await;
    let in_use =
        format!("error: the session {} is in use by another process: end that one first, or fork the session\n", id(1));
    assert_eq!(refused.refusal(), in_use);
    open.close().await.unwrap();
    let fork = done(&room, &["fork", &id(1).to_string()]).await;
    let refused = room.run(&["sessions", "rm", &id(1).to_string()]).await;
    let expected = format!(
        "error: the session {} is the past of {}: remove these too, with --with-forks\n",
        id(1),
        fork.trim_end()
    );
    assert_eq!(refused.refusal(), expected);
    assert_eq!(done(&room, &["rm", "--with-forks", &id(1).to_string()]).await.lines().count(), 2);
    assert!(done(&room, &["search", "bug"]).await.starts_with("no session says that"));
    let said = done(&room, &["prune", "--keep-bytes", "0", "--dry-run"]).await;
    assert_eq!(said, format!("would remove {}\nwould remove 1 sessions with 826 B\n", id(2)));
    assert_eq!(done(&room, &["prune", "--older-than", "36500d"]).await, "removed 0 sessions with 0 B\n");
    assert_eq!(done(&room, &["prune", "--keep-bytes", "0"]).await, said.replace("would remove", "removed"));
    assert!(done(&room, &["list"]).await.starts_with("no sessions in "));
}

#[tokio::test]
async fn what_is_wrong_is_said_with_the_next_step_and_told_by_the_exit_code() {
    let room = room().await;
    for (arguments, refusal) in [
        (&["show", "zzzz"][..], "there is no session zzzz: `capstan sessions list` shows those there are"),
        (&["show", "01"], "01 is too short for the id of a session: use at least 4 characters"),
        (&["show", "01m7"], "2 sessions begin with 01m7, "),
        (&["import", "nowhere"], "nowhere: there is no such file"),
        (&["prune"], "the following required arguments were not provided"),
        (&["prune", "--keep-bytes", "x"], "invalid value 'x' for '--keep-bytes <BYTES>': use a number of bytes"),
        (&["fork", &id(2).to_string(), "--at", "9"], &format!("the session {} has no record 9: its last is 3", id(2))),
    ] {
        let ran = room.run(&[&["sessions"][..], arguments].concat()).await;
        assert!(ran.refusal().starts_with(&format!("error: {refusal}")), "{ran:?}");
    }
    let log = folder(&room).join(id(1).to_string()).join("log");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replace("yes: fix the bug", "no: do not touch it")).unwrap();
    let failed = |ran: crate::support::Ran| {
        assert_eq!(ran.code, Some(1), "{ran:?}");
        format!("{}{}", ran.stdout, ran.stderr)
    };
    let whole = id(1).to_string();
    let verified = failed(room.run(&["sessions", "verify", &whole]).await);
    assert!(verified.starts_with(&format!("damaged: {whole}: record 2, at byte ")), "{verified}");
    assert!(failed(room.run(&["sessions", "show", &whole]).await).contains("\nuser: and the"), "the rest is shown");
    assert!(failed(room.run(&["sessions", "export", &whole]).await).contains("{\"damage\":\"record 2"));
    assert!(failed(room.run(&["sessions", "fork", &whole]).await).contains(&format!("fork {whole} --at 1")));
    assert!(done(&room, &["list"]).await.contains(&format!("\n{whole} is damaged: record 2")));
    let export = room.file("export", "{\"capstan\":\"other\"}\n");
    let imported = failed(room.run(&["sessions", "import", export.to_str().unwrap()]).await);
    assert_eq!(imported, "error: line 1 of the export: it is not as exports are written. nothing was imported\n");
    assert!(Path::new(&log).exists());
}
