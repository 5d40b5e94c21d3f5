//! Sessions as version 1 wrote them. They stay readable; the files in `tests/golden/sessions-1` never change.

use std::path::{Path, PathBuf};

use journal::blobs::INLINE_MAX;
use journal::disk::Machine;
use journal::record::{Record, Stamped};
use journal::sessions::{Entry, Limits, Sessions};

use super::{entries, fork, home, id, kinds, new, on, said, stamped};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/sessions-1")
}

/// All files of the golden folder by their names in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A copy that may be written.
fn golden() -> (super::Home, Sessions) {
    let home = home();
    let to = home.folder.path().join("golden");
    for file in files(&folder()) {
        let copy = to.join(file.strip_prefix(folder()).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(&file, copy).unwrap();
    }
    let sessions = on(std::sync::Arc::new(Machine), &to, Limits::default());
    (home, sessions)
}

/// What the golden session says.
fn records() -> Vec<Record> {
    let mut records = kinds::all();
    records.push(kinds::delta(&[(0, "pie"), (7, "ces\n")]));
    records.push(said(&"a long \"text\"\n".repeat(INLINE_MAX / 8)));
    records.push(said("@blob 1 2"));
    records
}

fn export(sessions: &Sessions, number: u64) -> String {
    let mut out = Vec::new();
    sessions.export(id(number), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn sessions_of_version_1_are_read_exported_and_gone_on_with() {
    let (home, sessions) = golden();
    let expected = records();
    let found: Vec<_> = stamped(&sessions, id(1)).into_iter().map(|stamped| stamped.record).collect();
    assert_eq!(found, expected);
    let fork: Vec<Stamped> = stamped(&sessions, id(2));
    assert_eq!(fork.len(), 5 + 1, "five of the past, and one of its own");
    assert_eq!(fork[5], Stamped { at: 40, record: said("of the fork") });
    for number in [1, 2] {
        assert_eq!(sessions.verify(id(number)).unwrap().damage, [] as [String; 0]);
        let exported = std::fs::read_to_string(folder().join(format!("export-{number}.jsonl"))).unwrap();
        assert!(export(&sessions, number) == exported, "the export of {number} is another");
        home.sessions.import(&mut exported.as_bytes()).unwrap();
        let (here, there): (Vec<Entry>, Vec<Entry>) =
            (entries(&sessions, id(number)), entries(&home.sessions, id(number)));
        assert_eq!(here, there);
    }
    let (session, resumed) = sessions.resume(id(1), 50).await.unwrap();
    assert_eq!((resumed.torn, resumed.pending.intents.len()), (None, 0));
    session.append(51, said("more")).await.unwrap();
    session.close().await.unwrap();
    assert_eq!(stamped(&sessions, id(1)).len(), expected.len() + 1);
}

/// Run by hand, once for each version of the format: what is there already is not written again.
#[tokio::test]
#[ignore = "writes the golden files of a new version"]
async fn write_what_this_version_writes() {
    assert!(!folder().join(id(1).to_string()).exists(), "golden files do not change");
    let home = home();
    let session = home.sessions.create(new(1)).await.unwrap();
    for (at, record) in (10..).zip(records()) {
        session.append(at, record).await.unwrap();
    }
    session.close().await.unwrap();
    let of = fork(&home, 1, Some(5), 2, &[]).await.unwrap();
    of.append(40, said("of the fork")).await.unwrap();
    of.close().await.unwrap();
    for file in files(home.sessions.folder()) {
        let name = file.strip_prefix(home.sessions.folder()).unwrap().to_owned();
        if name.components().count() > 1 {
            std::fs::create_dir_all(folder().join(&name).parent().unwrap()).unwrap();
            std::fs::copy(&file, folder().join(&name)).unwrap();
        }
    }
    for number in [1, 2] {
        std::fs::write(folder().join(format!("export-{number}.jsonl")), export(&home.sessions, number)).unwrap();
    }
}
