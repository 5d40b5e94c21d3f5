//! What lies in the folders of sessions and does not belong there, or comes from another time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::disk::{Disk as _, How, Machine};
use journal::log::{Sharing, Writer};
use journal::sessions::{Keep, Limits, SessionError, Step};

use crate::sessions::{Home, home, id, new, on, said, session, texts};
use crate::simulated::Simulated;

fn folder(home: &Home, number: u64) -> PathBuf {
    home.sessions.folder().join(id(number).to_string())
}

#[tokio::test]
async fn a_session_of_a_newer_format_is_read_and_not_written() {
    let home = home();
    std::fs::create_dir(folder(&home, 1)).unwrap();
    let log = folder(&home, 1).join("log");
    let (writer, _) = Writer::open(Arc::new(Machine), &log, Sharing::Own, None).unwrap();
    let head = format!(
        r#"{{"at":1,"kind":"session","format":2,"version":"9.9.9","id":"{}","cwd":"/work","new":true}}"#,
        id(1)
    );
    writer.append(head).await.unwrap();
    writer.close().await.unwrap();
    let before = std::fs::read(&log).unwrap();
    let refused = home.sessions.resume(id(1), 5).await.err().expect("it is written").to_string();
    for part in [id(1).to_string().as_str(), "format 2", "9.9.9", "update", "fork"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    assert_eq!(std::fs::read(&log).unwrap(), before);
    assert_eq!(home.sessions.read(id(1)).unwrap().count(), 1);
    home.sessions.fork(id(1), None, new(2)).await.unwrap().close().await.unwrap();
    assert!(home.sessions.verify(id(2)).unwrap().damage.is_empty());
}

#[tokio::test]
async fn strange_files_beside_the_strings_of_a_session_are_ignored() {
    let home = home();
    session(&home, 1, &[&"long ".repeat(10_000)]).await;
    let session = home.sessions.resume(id(1), 5).await.unwrap().0;
    let size = session.bytes();
    session.close().await.unwrap();
    let blobs = folder(&home, 1).join("blobs");
    std::fs::write(blobs.join(".DS_Store"), "strange").unwrap();
    std::fs::create_dir_all(blobs.join("ab/folder")).unwrap();
    std::fs::write(blobs.join("ab/note.txt"), "strange").unwrap();
    std::fs::write(blobs.join("cd"), "strange").unwrap();
    let session = home.sessions.resume(id(1), 6).await.unwrap().0;
    assert_eq!(session.bytes(), size, "and count nowhere");
    session.close().await.unwrap();
    let keep = Keep { bytes: Some(0), age: None };
    assert_eq!(home.sessions.prune(5000, &keep, false).unwrap().removed, [id(1)]);
}

#[tokio::test]
async fn what_an_import_left_that_did_not_end_is_removed_with_the_next_that_are_pruned() {
    let home = home();
    session(&home, 1, &["one"]).await;
    session(&home, 2, &["two"]).await;
    let left = |number: u64| ["log.new", "new"].map(|name| folder(&home, number).join(name));
    for number in [1, 2] {
        let [log, beside] = left(number);
        std::fs::create_dir_all(beside.join("blobs/ab")).unwrap();
        std::fs::write(beside.join("blobs/ab/cd"), "left").unwrap();
        std::fs::write(log, "left").unwrap();
    }
    let importing = Machine.open(&left(2)[0], How::Write).unwrap();
    assert!(importing.try_lock().unwrap());
    let there = |number| left(number).map(|path: PathBuf| path.exists());
    assert_eq!(home.sessions.prune(5000, &Keep::default(), true).unwrap().removed, []);
    assert_eq!(there(1), [true, true], "nothing is removed where it is only said what would be");
    assert_eq!(home.sessions.prune(5000, &Keep::default(), false).unwrap().removed, []);
    assert_eq!((there(1), there(2)), ([false, false], [true, true]), "what is being imported stays");
    drop(importing);
    home.sessions.prune(5000, &Keep::default(), false).unwrap();
    assert_eq!(there(2), [false, false]);
    assert_eq!((texts(&home.sessions, id(1)), texts(&home.sessions, id(2))), (vec!["one".into()], vec!["two".into()]));
}

#[test]
fn a_past_that_did_not_reach_the_disk_is_not_shared_as_if_it_had() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut failed = 0;
    for seed in 0..200 {
        let disk = Simulated::new(seed);
        let sessions = on(disk.disk(), Path::new("/here"), Limits::default());
        let forked = runtime.block_on(async {
            let past = sessions.create(new(1)).await.unwrap();
            past.append(1, said("shared")).await.unwrap();
            // Writing succeeds, and syncing does not.
            disk.fail(1);
            assert!(past.append(2, said("perhaps")).await.is_err());
            disk.heal();
            let forked = sessions.fork(id(1), None, new(2)).await;
            let forked = match forked {
                Ok(fork) => fork.close().await.map(drop),
                Err(error) => Err(error),
            };
            drop(past);
            forked
        });
        assert_eq!(disk.failed(), ["sync"]);
        failed += u64::from(forked.is_err());
        disk.crash(seed);
        let whole = |number| {
            let mut steps = sessions.read(id(number)).unwrap();
            steps.all(|step| matches!(step, Ok(Step::Entry(_))))
        };
        assert!(forked.is_err() || whole(2), "seed {seed}: what it shares is gone");
    }
    assert_eq!(failed, 0, "it can be written again, so it is");
}

#[tokio::test]
async fn a_session_whose_disk_failed_can_be_opened_again_while_it_is_still_held() {
    let disk = Simulated::new(1);
    let sessions = on(disk.disk(), Path::new("/here"), Limits::default());
    let first = sessions.create(new(1)).await.unwrap();
    first.append(1, said("one")).await.unwrap();
    assert!(matches!(sessions.resume(id(1), 2).await, Err(SessionError::InUse { .. })));
    disk.fail(1);
    assert!(first.append(2, said("perhaps")).await.is_err());
    let second = sessions.resume(id(1), 3).await.unwrap().0;
    assert!(first.append(4, said("lost")).await.is_err());
    second.append(5, said("two")).await.unwrap();
    assert!(first.close().await.is_err());
    second.append(6, said("three")).await.unwrap();
    second.close().await.unwrap();
    let texts = texts(&sessions, id(1));
    assert!(texts.ends_with(&["two".to_owned(), "three".to_owned()]) && texts[0] == "one", "{texts:?}");
}
