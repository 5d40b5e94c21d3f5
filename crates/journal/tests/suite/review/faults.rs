//! Sessions after something failed.

use std::path::Path;
use std::sync::Arc;

use journal::index::Index;
use journal::redact::Redactor;
use journal::sessions::{Keep, Limits, SessionError};

use super::hooked::Hooked;
use crate::sessions::{home, id, new, on, said, session, texts};
use crate::simulated::Simulated;

#[test]
fn a_past_is_not_removed_while_a_session_that_shares_it_cannot_be_read() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for prunes in [false, true] {
        for after in 0.. {
            let disk = Simulated::new(after);
            let sessions = on(disk.disk(), Path::new("/here"), Limits::default());
            runtime.block_on(async {
                let past = sessions.create(new(1)).await.unwrap();
                past.append(1, said("shared")).await.unwrap();
                past.close().await.unwrap();
                sessions.fork(id(1), None, new(2)).await.unwrap().close().await.unwrap();
            });
            disk.fail(after);
            if prunes {
                // Only the past is old enough.
                let open = runtime.block_on(async {
                    disk.heal();
                    let open = sessions.resume(id(2), 5).await.unwrap().0;
                    disk.fail(after);
                    open
                });
                drop(sessions.prune(u64::MAX / 2, &Keep { bytes: Some(0), age: None }, false));
                disk.heal();
                drop(open);
            } else {
                drop(sessions.remove(&[id(1)], false));
            }
            disk.heal();
            let read = sessions.read(id(2)).map(drop);
            assert!(read.is_ok(), "prune: {prunes}, {:?}, operation {after}, failed: {read:?}", disk.failed());
            if disk.failed().is_empty() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_read_hides_no_other_in_a_list() {
    let home = home();
    session(&home, 1, &["good"]).await;
    // What a disk with a bad block says, a folder in the place of a log says too: it can be opened and not be read.
    std::fs::create_dir_all(home.sessions.folder().join(id(2).to_string()).join("log")).unwrap();
    std::fs::write(home.sessions.folder().join(id(3).to_string()), "no folder").unwrap();
    let listed = Index::of(&home.sessions).unwrap().list(&journal::index::Filter::default()).unwrap();
    assert!(listed.iter().any(|listed| listed.id == id(1)), "{listed:?}");
}

#[tokio::test]
async fn many_sessions_are_pruned_with_few_files_open() {
    let disk = Hooked::new(|_, _| ());
    let home = home();
    for number in 0..200 {
        let folder = home.sessions.folder().join(id(number).to_string());
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("log"), "no line\n").unwrap();
    }
    let sessions = on(Arc::new(disk.clone()), home.sessions.folder(), Limits::default());
    let pruned = sessions.prune(u64::MAX / 2, &Keep { bytes: Some(0), age: None }, false).unwrap();
    assert_eq!(pruned.removed.len(), 200);
    assert!(disk.most_open() < 20, "{} files at once", disk.most_open());
}

#[tokio::test]
async fn a_torn_end_is_written_down_though_the_past_is_damaged() {
    let home = home();
    session(&home, 1, &["one", "two", "three"]).await;
    home.sessions.fork(id(1), None, new(2)).await.unwrap().close().await.unwrap();
    let log = |number| home.sessions.folder().join(id(number).to_string()).join("log");
    let torn = [std::fs::read(log(2)).unwrap(), b"half a li".to_vec()].concat();
    std::fs::write(log(2), torn).unwrap();
    let text = std::fs::read_to_string(log(1)).unwrap();
    std::fs::write(log(1), text.replace("\"one\"", "\"ONE\"")).unwrap();
    assert!(matches!(home.sessions.resume(id(2), 5).await, Err(SessionError::Damaged { .. })));
    let left = std::fs::read_to_string(log(2)).unwrap();
    assert!(left.contains("half a li"), "{left}");
}

#[tokio::test]
async fn a_session_whose_last_record_is_broken_is_not_said_to_be_whole_without_a_word() {
    let home = home();
    session(&home, 1, &["one", "last"]).await;
    let log = home.sessions.folder().join(id(1).to_string()).join("log");
    let text = std::fs::read_to_string(&log).unwrap();
    let line = text.lines().last().unwrap().len() + 1;
    std::fs::write(&log, text.replace("\"last\"", "\"LAST\"")).unwrap();
    let verified = home.sessions.verify(id(1)).unwrap();
    assert_eq!((verified.records, verified.damage.len()), (2, 0));
    assert_eq!(verified.unfinished, line as u64, "{verified:?}");
    let exported = home.sessions.export(id(1), &mut Vec::new()).unwrap();
    assert_eq!((exported.records, exported.unfinished), (2, line as u64), "{exported:?}");
    let mut history = home.sessions.read(id(1)).unwrap();
    assert_eq!((history.by_ref().count(), history.unfinished()), (2, line as u64));
    session(&home, 2, &["one"]).await;
    assert_eq!(home.sessions.verify(id(2)).unwrap().unfinished, 0);
}

#[test]
fn zeros_that_a_crash_left_are_not_taken_for_the_key_of_a_home() {
    let disk = Simulated::new(1);
    disk.put(Path::new("/here/redaction.key"), &[0; 32]);
    let secret = "sk-0123456789ABCDEFGHIJklmnop";
    let made = Redactor::at(&*disk.disk(), Path::new("/here"), []).unwrap();
    assert_ne!(made.text(secret), Redactor::new(&[0; 32], []).text(secret));
    let again = Redactor::at(&*disk.disk(), Path::new("/here"), []).unwrap();
    assert_eq!(made.text(secret), again.text(secret));
}

#[tokio::test]
async fn the_index_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home();
    session(&home, 1, &["private"]).await;
    Index::of(&home.sessions).unwrap();
    let mode = std::fs::metadata(home.sessions.folder().join("index.sqlite")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "{mode:o}");
    assert_eq!(texts(&home.sessions, id(1)), ["private"]);
}
