//! What `capstan keys` does to the file, and what it says.

use std::fs;
use std::path::PathBuf;

use gateway::keys::{KeyState, Keys};

use crate::support::{Ran, Room};

/// The one line of standard output, which is a key.
fn key(ran: &Ran) -> &str {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let key = ran.stdout.strip_suffix('\n').unwrap_or_default();
    assert!(key.starts_with("capstan-key_") && !key.contains(char::is_whitespace), "{ran:?}");
    assert!(!ran.stderr.contains(key), "{ran:?}");
    key
}

fn id(ran: &Ran) -> &str {
    key(ran).split('-').nth(1).unwrap_or_default()
}

/// An empty file of keys elsewhere, and the arguments that name it.
fn elsewhere(room: &Room) -> PathBuf {
    room.file("elsewhere/keys.toml", "")
}

#[tokio::test]
async fn a_key_is_made_told_once_listed_and_revoked() {
    let room = Room::empty();
    let created = room.run(&["keys", "create", "alice"]).await;
    let (id, said) = (id(&created), &created.stderr);
    let expected = format!("the key {id} (alice) is valid; keep its text, it is shown only this once:\n");
    assert_eq!(*said, expected);

    let listed = room.run(&["keys", "list"]).await;
    assert_eq!((listed.code, listed.stderr.as_str()), (Some(0), ""));
    let rows: Vec<Vec<&str>> = listed.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["id", "name", "state", "created", "expires", "at", "once", "models"]);
    assert_eq!((&rows[1][..3], &rows[1][4..]), (&[id, "alice", "valid"][..], &["-", "-", "all"][..]));
    assert_eq!(rows.len(), 2);

    let revoked = room.run(&["keys", "revoke", "alice"]).await;
    assert_eq!(
        revoked,
        Ran { code: Some(0), stdout: format!("the key {id} (alice) is revoked\n"), stderr: String::new() }
    );
    let listed = room.run(&["keys", "list"]).await;
    assert!(listed.stdout.contains(&format!("{id}  alice  revoked  ")), "{}", listed.stdout);
    let again = room.run(&["keys", "revoke", id]).await;
    assert_eq!(again.refusal(), format!("error: the key {id} is revoked: make a new one with `keys create`\n"));

    let secret = key(&created).rsplit_once(id).unwrap().1;
    for ran in [&listed, &again, &revoked] {
        assert!(!format!("{ran:?}").contains(secret));
    }
}

#[tokio::test]
async fn what_a_key_may_is_kept_in_the_file_that_was_named() {
    let room = Room::empty();
    let path = elsewhere(&room);
    let file = path.to_str().unwrap();
    let options = ["--models", "gpt-*,o3", "--expires", "30d", "--max-concurrent", "4", "--file", file];
    let created = room.run(&[&["keys", "create", "ci runner"][..], &options].concat()).await;
    let keys = Keys::open(&path).unwrap();
    let [key] = keys.list() else { panic!("{keys:?}") };
    assert_eq!((&*key.id, &*key.name), (id(&created), "ci runner"));
    assert_eq!(key.models.to_string(), "gpt-*, o3");
    assert_eq!(key.max_concurrent.map(usize::from), Some(4));
    assert_eq!(key.expires_at, Some(key.created_at + 30 * 86_400));
    assert!(created.stderr.contains(" is valid until 2"), "{}", created.stderr);

    let listed = room.run(&["keys", "--file", file, "list", "--json"]).await;
    let expected = format!(
        r#"[{{"id":"{}","name":"ci runner","state":"valid","created_at":{},"expires_at":{},"revoked_at":null,"former_until":null,"models":["gpt-*","o3"],"max_concurrent":4}}]"#,
        key.id,
        key.created_at,
        key.created_at + 30 * 86_400
    );
    assert_eq!((listed.code, listed.stdout), (Some(0), format!("{expected}\n")));
    assert!(room.run(&["keys", "list"]).await.stdout.starts_with("no keys in "));
}

#[tokio::test]
async fn rotating_replaces_the_secret_at_once_or_after_a_grace() {
    let room = Room::empty();
    let path = elsewhere(&room);
    let file = path.to_str().unwrap();
    let created = room.run(&["keys", "create", "alice", "--file", file]).await;
    let first = fs::read_to_string(&path).unwrap();
    let at_once = room.run(&["keys", "rotate", "alice", "--file", file]).await;
    assert_eq!(id(&at_once), id(&created));
    assert_ne!(key(&at_once), key(&created));
    assert_ne!(fs::read_to_string(&path).unwrap(), first);
    assert!(at_once.stderr.contains("has a new secret; the one before is not valid any more;"), "{}", at_once.stderr);
    let keys = Keys::open(&path).unwrap();
    assert_eq!(keys.list()[0].former_until(0), None);

    let later = room.run(&["keys", "rotate", id(&created), "--grace", "1h", "--file", file]).await;
    assert_eq!(id(&later), id(&created));
    assert!(later.stderr.contains("has a new secret; the one before is valid until 2"), "{}", later.stderr);
    let keys = Keys::open(&path).unwrap();
    assert!(keys.list()[0].former_until(0).is_some_and(|until| until >= keys.list()[0].created_at + 3600));
    assert_eq!(keys.list()[0].state(keys.list()[0].created_at), KeyState::Valid);
}

#[tokio::test]
async fn the_file_is_in_the_home_of_capstan_and_is_its_users_alone() {
    let room = Room::empty();
    let home = room.file("other home/marker", "").parent().unwrap().to_owned();
    let room = room.with("CAPSTAN_HOME", home.to_str().unwrap());
    room.run(&["keys", "create", "alice"]).await;
    let path = home.join("gateway/keys.toml");
    assert_eq!(Keys::open(&path).unwrap().list().len(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn the_settings_say_where_the_file_is() {
    let room = Room::empty();
    let file = room.file("kept/here", "").with_file_name("our keys.toml");
    let folder = file.parent().unwrap().to_str().unwrap();
    let room = room.settings(&format!("[gateway]\ndata = '{folder}'\n"));
    room.run(&["keys", "create", "alice"]).await;
    assert_eq!(Keys::open(file.with_file_name("keys.toml")).unwrap().list().len(), 1);
    let setting = format!("gateway.key_file='{}'", file.to_str().unwrap());
    room.run(&["-c", &setting, "keys", "create", "bob"]).await;
    assert_eq!(&*Keys::open(&file).unwrap().list()[0].name, "bob");
    assert!(room.run(&["keys", "-c", &setting, "list"]).await.stdout.contains("  bob  "));
    let wrong = room.run(&["-c", "gateway.key_fil=1", "keys", "list"]).await;
    assert!(wrong.refusal().contains("key_file"), "{wrong:?}");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_next_step_and_changes_nothing() {
    let room = Room::empty();
    let path = elsewhere(&room);
    let file = path.to_str().unwrap();
    room.run(&["keys", "create", "alice", "--file", file]).await;
    let before = fs::read(&path).unwrap();
    for (arguments, refusal) in [
        (&["create", "alice"][..], "a key with the name alice exists: choose another name, or use `keys rotate`"),
        (&["create", ""], "this is no name for a key: use 1 to 64 characters"),
        (&["create", "b", "--models", "gpt 5"], "these are no models: name at most 64, each by a name or a pattern"),
        (&["create", "b", "--models", ""], "these are no models"),
        (&["create", "b", "--expires", "30"], "invalid value '30' for '--expires <TIME>': use a number with s, m, h"),
        (&["create", "b", "--expires", "0d"], "invalid value '0d' for '--expires <TIME>': use more than nothing"),
        (&["create", "b", "--max-concurrent", "0"], "invalid value '0' for '--max-concurrent <NUMBER>'"),
        (&["rotate", "bob"], "no key has the id or name bob: `keys list` shows those there are"),
        (&["rotate", "alice", "--grace", "x"], "invalid value 'x' for '--grace <TIME>'"),
        (&["revoke", "bob"], "no key has the id or name bob"),
    ] {
        let ran = room.run(&[&["keys"][..], arguments, &["--file", file]].concat()).await;
        assert!(ran.refusal().starts_with(&format!("error: {refusal}")), "{ran:?}");
        assert_eq!(fs::read(&path).unwrap(), before, "{arguments:?}");
    }
    fs::write(&path, "name = 'planted'").unwrap();
    let expected = format!(
        "error: the keys in {file} are damaged: what begins in line 1 is not as it is written here: correct it, or put back an older copy\n"
    );
    for arguments in [&["list"][..], &["create", "b"], &["rotate", "alice"], &["revoke", "alice"]] {
        let ran = room.run(&[&["keys"][..], arguments, &["--file", file]].concat()).await;
        assert_eq!(ran.refusal(), expected);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn keys_that_others_may_write_are_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let room = Room::empty();
    let path = elsewhere(&room);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let file = path.to_str().unwrap();
    let ran = room.run(&["keys", "list", "--file", file]).await;
    let expected = format!("error: the keys in {file} may be written by other users: use `chmod 600 {file}`\n");
    assert_eq!(ran.refusal(), expected);
}
