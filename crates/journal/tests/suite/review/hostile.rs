//! Logs and exports that were made to do harm.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use journal::log::Hash;
use journal::sessions::{Limits, MAX_DEPTH, SessionError, SessionId, Step};

use super::hooked::Hooked;
use crate::sessions::{entries, home, id, new, on, said, session, texts};

#[tokio::test]
async fn a_damaged_log_is_read_in_time_in_proportion_to_its_length() {
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let disk = Hooked::new(move |what, _| {
        counted.fetch_add(usize::from(what == "read_at"), Ordering::SeqCst);
    });
    let home = home();
    session(&home, 1, &["one", "two", "three"]).await;
    let log = home.sessions.folder().join(id(1).to_string()).join("log");
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let garbage = "\n".repeat(2000);
    std::fs::write(&log, format!("{}{}{garbage}{}{}", lines[0], lines[1], lines[2], lines[3])).unwrap();
    let sessions = on(Arc::new(disk), home.sessions.folder(), Limits::default());
    let found: Vec<_> = sessions.read(id(1)).unwrap().map(Result::unwrap).collect();
    let damage = found.iter().filter(|step| matches!(step, Step::Damage { .. })).count();
    assert!(damage >= 2000 && found.len() >= damage + 3, "{damage} of {}", found.len());
    let reads = reads.load(Ordering::SeqCst);
    assert!(reads < 200, "{reads} reads of a log of {} bytes", std::fs::metadata(&log).unwrap().len());
}

/// An export of sessions that share the past of the one before.
fn chain(length: u64) -> String {
    let mut export = format!("{{\"capstan\":\"session\",\"format\":1,\"id\":\"{}\"}}\n", id(length - 1));
    let mut past: Option<(SessionId, Hash)> = None;
    for number in 0..length {
        let forked = past.map_or_else(String::new, |(from, hash)| {
            format!(",\"forked\":{{\"from\":\"{from}\",\"seq\":0,\"hash\":\"{hash}\"}}")
        });
        let this = id(number);
        let body = format!(
            "{{\"at\":1,\"kind\":\"session\",\"format\":1,\"version\":\"1\",\"id\":\"{this}\",\"cwd\":\"/\"{forked}}}"
        );
        let hash = Hash::of(&[&[0; 32][..], format!("0 = {body}").as_bytes()].concat());
        let _ = writeln!(export, "{{\"session\":\"{this}\"}}\n{{\"seq\":0,\"hash\":\"{hash}\",\"record\":{body}}}");
        past = Some((this, hash));
    }
    let _ = writeln!(export, "{{\"end\":\"{}\",\"records\":{length}}}", id(length - 1));
    export
}

#[tokio::test]
async fn no_session_is_made_that_is_too_deep_to_be_read() {
    let home = home();
    let most = MAX_DEPTH as u64;
    home.sessions.import(&mut chain(most).as_bytes()).unwrap();
    assert_eq!(entries(&home.sessions, id(most - 1)).len(), MAX_DEPTH);
    let refused = home.sessions.fork(id(most - 1), None, new(most)).await.err();
    assert!(matches!(refused, Some(SessionError::Limit { .. })), "{refused:?}");
    assert_eq!(home.sessions.ids().unwrap().len(), MAX_DEPTH);
}

#[tokio::test]
async fn what_is_too_deep_to_be_read_is_not_imported() {
    let home = home();
    let refused = home.sessions.import(&mut chain(MAX_DEPTH as u64 + 1).as_bytes());
    assert!(matches!(refused, Err(SessionError::Import { .. })), "{refused:?}");
    assert_eq!(home.sessions.ids().unwrap(), []);
}

#[tokio::test]
async fn an_import_that_is_refused_leaves_nothing_in_a_session_that_is_there() {
    let home = home();
    session(&home, 1, &["mine"]).await;
    let size = |home: &crate::sessions::Home| {
        let blobs = home.sessions.folder().join(id(1).to_string()).join("blobs");
        std::fs::read_dir(blobs).map_or(0, Iterator::count)
    };
    let text = "x".repeat(20_000);
    let export = format!(
        "{{\"capstan\":\"session\",\"format\":1,\"id\":\"{0}\"}}\n{{\"session\":\"{0}\"}}\n{{\"blob\":\"{1}\",\"text\":\"{text}\"}}\nno line\n",
        id(1),
        Hash::of(text.as_bytes()),
    );
    assert!(home.sessions.import(&mut export.as_bytes()).is_err());
    assert_eq!(size(&home), 0);
    let folder = home.sessions.folder().join(id(1).to_string());
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["log"]);
    let session = home.sessions.resume(id(1), 3).await.unwrap().0;
    session.append(4, said("more")).await.unwrap();
    session.close().await.unwrap();
    assert_eq!(texts(&home.sessions, id(1)), ["mine", "more"]);
}
