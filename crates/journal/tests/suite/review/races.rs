//! What others do between two steps.

use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex};

use journal::disk::{Disk, How, Machine};
use journal::sessions::{Limits, SessionError};

use super::hooked::Hooked;
use crate::sessions::{home, id, on, said, session, texts};

/// A disk on which something is done once, between the opening of a file with this name and the taking of its lock.
fn between(name: &'static str, act: impl FnOnce() + Send + 'static) -> Hooked {
    let act: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(Some(Box::new(act)));
    Hooked::new(move |what, path: &Path| {
        let ours = what == "try_lock" && path.ends_with(name);
        let act = ours.then(|| act.lock().unwrap().take()).flatten();
        if let Some(act) = act {
            act();
        }
    })
}

#[tokio::test]
async fn a_session_that_is_completed_by_an_import_while_it_is_opened_loses_no_records() {
    let (here, there) = (home(), home());
    session(&here, 1, &["one", "two"]).await;
    let mut export = Vec::new();
    here.sessions.export(id(1), &mut export).unwrap();
    let folder = there.sessions.folder().join(id(1).to_string());
    std::fs::create_dir(&folder).unwrap();
    let whole = std::fs::read_to_string(here.sessions.folder().join(id(1).to_string()).join("log")).unwrap();
    let beginning: String = whole.split_inclusive('\n').take(2).collect();
    std::fs::write(folder.join("log"), beginning).unwrap();
    assert_eq!(texts(&there.sessions, id(1)), ["one"]);
    let other = there.sessions.clone();
    let disk = between("log", move || drop(other.import(&mut &export[..]).unwrap()));
    let sessions = on(Arc::new(disk), there.sessions.folder(), Limits::default());
    if let Ok((session, _)) = sessions.resume(id(1), 5).await {
        session.append(6, said("three")).await.unwrap();
        session.close().await.unwrap();
        assert!(texts(&there.sessions, id(1)).contains(&"three".to_owned()), "what was acknowledged is nowhere");
    }
    assert!(texts(&there.sessions, id(1)).contains(&"two".to_owned()));
}

#[tokio::test]
async fn of_two_imports_at_once_none_empties_what_the_other_brought() {
    let (here, there) = (home(), home());
    session(&here, 1, &["one", "two"]).await;
    let mut export = Vec::new();
    here.sessions.export(id(1), &mut export).unwrap();
    // The first has written all, and puts it in its place while the second has it open and waits for its lock.
    let (new, log) = ["log.new", "log"].map(|name| there.sessions.folder().join(id(1).to_string()).join(name)).into();
    std::fs::create_dir(new.parent().unwrap()).unwrap();
    let whole = std::fs::read(here.sessions.folder().join(id(1).to_string()).join("log")).unwrap();
    std::fs::write(&new, &whole).unwrap();
    let first = Machine.open(&new, How::Write).unwrap();
    assert!(first.try_lock().unwrap());
    let disk = between("log.new", move || {
        Machine.rename(&new, &log).unwrap();
        drop(first);
    });
    let sessions = on(Arc::new(disk), there.sessions.folder(), Limits::default());
    let cut_off = export.len() - 10;
    let second = sessions.import(&mut &export[..cut_off]);
    assert!(matches!(second, Err(SessionError::Import { .. } | SessionError::InUse { .. })), "{second:?}");
    assert_eq!(texts(&there.sessions, id(1)), ["one", "two"]);
}

/// Text of which something is done after the first part.
struct Parted<'a, F: FnMut()> {
    parts: Vec<&'a [u8]>,
    act: F,
}

impl<F: FnMut()> Read for Parted<'_, F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.parts.first().is_some_and(|part| part.is_empty()) {
            self.parts.remove(0);
            if self.parts.len() == 1 {
                (self.act)();
            }
        }
        self.parts.first_mut().map_or(Ok(0), |part| part.read(into))
    }
}

#[test]
fn what_is_said_in_a_session_while_it_is_being_imported_stays() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (here, there) = (home(), home());
    runtime.block_on(session(&here, 1, &["one", "two", "three"]));
    let mut export = Vec::new();
    here.sessions.export(id(1), &mut export).unwrap();
    let folder = there.sessions.folder().join(id(1).to_string());
    std::fs::create_dir(&folder).unwrap();
    let whole = std::fs::read_to_string(here.sessions.folder().join(id(1).to_string()).join("log")).unwrap();
    let beginning: String = whole.split_inclusive('\n').take(2).collect();
    std::fs::write(folder.join("log"), beginning).unwrap();
    // The end of what is here is met, and then somebody goes on with it before the import comes to its own end.
    let (first, last) = export.split_at(export.len() - 5);
    let act = || {
        runtime.block_on(async {
            let session = there.sessions.resume(id(1), 5).await.unwrap().0;
            session.append(6, said("mine")).await.unwrap();
            session.close().await.unwrap();
        });
    };
    let mut parted = BufReader::with_capacity(64, Parted { parts: vec![first, last], act });
    let imported = there.sessions.import(&mut parted);
    assert!(imported.is_err(), "{imported:?}");
    assert_eq!(texts(&there.sessions, id(1)), ["one", "mine"]);
}
