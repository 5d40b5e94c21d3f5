use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;

const NOW: SystemTime = UNIX_EPOCH;

fn named(name: &str) -> NewKey {
    NewKey { name: name.to_owned(), ..NewKey::default() }
}

fn after(seconds: u64) -> SystemTime {
    NOW + Duration::from_secs(seconds)
}

fn in_a_folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("gateway/keys.toml");
    (folder, path)
}

fn one_key() -> (TempDir, PathBuf, Keys, KeyInfo) {
    let (folder, path) = in_a_folder();
    let mut keys = Keys::open(&path).unwrap();
    let (key, _) = keys.create(named("alice"), NOW).unwrap();
    (folder, path, keys, key)
}

#[test]
fn a_file_that_is_not_there_has_no_keys_and_opening_it_makes_none() {
    let (folder, path) = in_a_folder();
    assert_eq!(Keys::open(&path).unwrap().list(), []);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_created_is_read_again_the_same() {
    let (_folder, path) = in_a_folder();
    let mut keys = Keys::open(&path).unwrap();
    let wanted = NewKey {
        name: "alice's \"laptop\" ü".to_owned(),
        valid_for: Some(Duration::from_mins(1)),
        models: Models::new(["gpt-*", "o3"]).unwrap(),
        max_concurrent: NonZeroUsize::new(3),
    };
    let (alice, _) = keys.create(wanted.clone(), after(5)).unwrap();
    let (bob, _) = keys.create(named("bob"), after(6)).unwrap();
    keys.rotate("bob", Duration::from_secs(9), after(7)).unwrap();
    assert_eq!((alice.created_at, alice.expires_at, bob.expires_at), (5, Some(65), None));
    assert_eq!(
        (&*alice.name, &alice.models, alice.max_concurrent),
        (&*wanted.name, &wanted.models, wanted.max_concurrent)
    );
    assert_eq!(keys.list()[0], alice);
    assert_eq!(keys.list()[1].former_until(7), Some(16));
    assert_eq!(Keys::open(&path).unwrap().list(), keys.list());
}

#[test]
fn no_secret_is_kept_and_none_is_shown() {
    let (_folder, path) = in_a_folder();
    let mut keys = Keys::open(&path).unwrap();
    let (_, first) = keys.create(named("alice"), NOW).unwrap();
    let (_, second) = keys.rotate("alice", Duration::from_hours(1), NOW).unwrap();
    let held = format!("{}{keys:?}", fs::read_to_string(&path).unwrap());
    for text in [first, second] {
        let (_, secret) = text.expose().rsplit_once("key_").unwrap();
        let (id, secret) = secret.split_once('-').unwrap();
        assert!(held.contains(id) && !held.contains(secret), "{held}");
        assert_eq!(format!("{text:?}"), "[redacted]");
    }
}

#[test]
fn a_key_is_found_by_id_and_by_name_and_what_is_past_stays_so() {
    let (_folder, _path, mut keys, first) = one_key();
    keys.rotate(&first.id, Duration::ZERO, after(1)).unwrap();
    let revoked = keys.revoke("alice", after(2)).unwrap();
    assert_eq!((&revoked.id, revoked.revoked_at, revoked.state(2)), (&first.id, Some(2), KeyState::Revoked));
    let past = |id: &KeyInfo, state| KeysError::Past { id: id.id.clone(), state };
    assert_eq!(keys.revoke("alice", after(3)).unwrap_err(), past(&first, KeyState::Revoked));
    assert_eq!(keys.rotate(&first.id, Duration::ZERO, after(3)).unwrap_err(), past(&first, KeyState::Revoked));
    // The name is free again, and means the key that is valid.
    let wanted = NewKey { valid_for: Some(Duration::from_secs(10)), ..named("alice") };
    let (second, _) = keys.create(wanted, after(4)).unwrap();
    assert_eq!(keys.rotate("alice", Duration::ZERO, after(13)).unwrap().0.id, second.id);
    assert_eq!(keys.rotate("alice", Duration::ZERO, after(14)).unwrap_err(), past(&second, KeyState::Expired));
    assert_eq!(keys.revoke("bob", after(5)).unwrap_err(), KeysError::Unknown { wanted: "bob".to_owned() });
}

#[test]
fn two_valid_keys_have_different_names() {
    let (_folder, path, mut keys, _) = one_key();
    let before = fs::read(&path).unwrap();
    assert_eq!(keys.create(named("alice"), NOW).unwrap_err(), KeysError::Taken { name: "alice".into() });
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_name_is_refused() {
    let (_folder, path) = in_a_folder();
    let mut keys = Keys::open(&path).unwrap();
    let (long, longest) = ("ü".repeat(65), "ü".repeat(64));
    for wrong in ["", " ", " a", "a ", "a\nb", "a\u{1b}[31m", "key_0123456789ab", &long] {
        assert_eq!(keys.create(named(wrong), NOW).unwrap_err(), KeysError::Name { most: 64 }, "{wrong:?}");
    }
    assert!(!path.exists());
    keys.create(named(&longest), NOW).unwrap();
}

#[test]
fn a_change_is_made_to_what_the_file_holds_now() {
    let (_folder, path, mut first, alice) = one_key();
    let mut second = Keys::open(&path).unwrap();
    let (bob, _) = first.create(named("bob"), NOW).unwrap();
    let (carol, _) = second.create(named("carol"), NOW).unwrap();
    assert_eq!(second.list(), [alice, bob, carol]);
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    let (_folder, path) = in_a_folder();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let mut keys = Keys::open(&path).unwrap();
            scope.spawn(move || {
                for key in 0..4 {
                    keys.create(named(&format!("{writer}-{key}")), NOW).unwrap();
                }
            });
        }
    });
    assert_eq!(Keys::open(&path).unwrap().list().len(), 16);
}

#[test]
fn a_lock_that_is_held_makes_it_busy_and_changes_nothing() {
    let (_folder, path, mut keys, _) = one_key();
    let before = fs::read(&path).unwrap();
    let held = file::lock(&path).unwrap();
    assert_eq!(keys.create(named("bob"), NOW).unwrap_err(), KeysError::Busy { path: path.clone() });
    assert_eq!(fs::read(&path).unwrap(), before);
    drop(held);
    keys.create(named("bob"), NOW).unwrap();
}

#[test]
fn what_an_interrupted_writer_left_behind_is_in_nobodys_way() {
    let (_folder, path, mut keys, alice) = one_key();
    let rest = path.with_file_name("keys.toml.new");
    fs::write(&rest, "[[key]]\nid = ").unwrap();
    assert_eq!(Keys::open(&path).unwrap().list(), [alice]);
    keys.create(named("bob"), NOW).unwrap();
    assert!(!rest.exists());
    assert_eq!(Keys::open(&path).unwrap().list().len(), 2);
}

#[test]
fn a_damaged_file_is_refused_with_its_line_and_none_of_its_text() {
    let (_folder, path, _, key) = one_key();
    let good = fs::read_to_string(&path).unwrap();
    let line = |text: &str| 1 + good.split(text).next().unwrap().matches('\n').count();
    let twice = format!("{good}{}", good.split_once("\n\n").unwrap().1);
    let begins = |line| format!("what begins in line {line} is not as it is written here");
    let cases = [
        (good.replace("name = \"alice\"", "name = planted"), begins(line("name"))),
        (good.replace("created_at = 0", "created_at = \"planted\""), begins(line("created_at"))),
        (good.replace("created_at = 0", "planted = 0"), begins(line("created_at"))),
        (good.replace("models = []", "models = [\"plan ted\"]"), begins(line("models"))),
        (good.replace("sha256 = \"", "sha256 = \"planted"), begins(line("sha256"))),
        (good.replace("alice", "key_planted"), "a key has an id or a name that no key can have".to_owned()),
        (good.replace("key_", "planted"), "a key has an id or a name that no key can have".to_owned()),
        (twice, format!("two keys have the id {}", key.id)),
    ];
    for (text, what) in cases {
        fs::write(&path, &text).unwrap();
        let error = Keys::open(&path).unwrap_err();
        let shown = error.to_string();
        assert_eq!(error, KeysError::Damaged { path: path.clone(), what }, "{text}");
        assert!(!shown.contains("planted") && !shown.contains("plan ted"), "{shown}");
    }
}

#[test]
fn what_is_damaged_is_not_overwritten() {
    let (_folder, path, mut keys, _) = one_key();
    fs::write(&path, "[[key]").unwrap();
    assert!(matches!(keys.create(named("bob"), NOW), Err(KeysError::Damaged { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "[[key]");
}

#[test]
fn a_place_that_cannot_be_used_is_named_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let said = |path: &Path| Keys::open(path).unwrap_err().to_string();
    let shown = folder.path().display();
    assert_eq!(said(folder.path()), format!("the keys in {shown} cannot be read: it is a folder: name a file"));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let mut keys = Keys { path: file.join("keys.toml"), keys: Vec::new() };
    let error = keys.create(named("a"), NOW).unwrap_err();
    assert!(matches!(error, KeysError::Unwritable { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn only_its_user_may_use_what_is_written() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path, mut keys, _) = one_key();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    // Written anew, it is closed again.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    keys.create(named("bob"), NOW).unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_write_is_not_believed() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path, _, _) = one_key();
    for (mode, is_believed) in [(0o600, true), (0o644, true), (0o620, false), (0o602, false), (0o666, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let read = Keys::open(&path);
        assert_eq!(read.is_ok(), is_believed, "{mode:o}");
        if let Err(error) = read {
            assert_eq!(error, KeysError::Exposed { path: path.clone() });
        }
    }
}
