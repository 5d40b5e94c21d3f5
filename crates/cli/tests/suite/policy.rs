//! What `capstan policy` decides, remembers and takes back, and how it tells.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use journal::disk::Machine;
use journal::log::Hash;
use journal::record::{Begun, Record};
use journal::redact::Redactor;
use journal::sessions::{Limits, New, SessionId, Sessions};
use policy::act::{Act, Actor, Role};
use policy::place::Path;
use policy::verdict::Verdict;

use crate::support::Room;

/// A workspace in the home, and the words that name it.
fn workspace(room: &Room) -> String {
    let file = room.file("work/.git/HEAD", "");
    file.parent().and_then(FilePath::parent).unwrap().canonicalize().unwrap().display().to_string()
}

#[tokio::test]
async fn a_command_is_judged_piece_by_piece_and_nothing_is_run() {
    let room = Room::empty();
    let work = workspace(&room);
    let check = async |line: &str| room.run(&["policy", "check", line, "--cd", &work]).await;
    let allowed = check("cargo test > out.txt").await;
    assert_eq!((allowed.code, allowed.stderr.as_str()), (Some(0), ""), "{allowed:?}");
    assert!(allowed.stdout.starts_with("allow\n") && allowed.stdout.contains("cargo test"), "{allowed:?}");
    let asked = check("cargo test; curl https://example.com").await;
    assert_eq!(asked.code, Some(1), "{asked:?}");
    assert!(asked.stdout.starts_with("ask\n") && asked.stdout.contains("example.com"), "{asked:?}");
    let denied = check("rm -rf ~").await;
    assert_eq!(denied.code, Some(3), "{denied:?}");
    assert!(denied.stdout.starts_with("deny\n"), "{denied:?}");
    assert!(!PathBuf::from(&work).join("out.txt").exists());
}

#[tokio::test]
async fn programs_get_a_judgement_as_json() {
    let room = Room::empty();
    let work = workspace(&room);
    let ran = room.run(&["policy", "check", "git push", "--cd", &work, "--json"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.starts_with(r#"{"verdict":"ask","findings":[{"verdict":""#), "{ran:?}");
    assert!(ran.stdout.contains(r#""rule":null"#) && ran.stdout.contains(r#""grant":null,"policy":""#), "{ran:?}");
}

#[tokio::test]
async fn the_rules_of_the_user_hold_and_a_mistake_in_them_is_named() {
    let room = Room::empty();
    let work = workspace(&room);
    let rule =
        "[rule.no-push]\nverdict = \"deny\"\nrun = [\"git push **\"]\nreason = \"releases are made elsewhere\"\n";
    room.file(".capstan/policy.toml", rule);
    let denied = room.run(&["policy", "check", "git push", "--cd", &work]).await;
    assert_eq!(denied.code, Some(3), "{denied:?}");
    assert!(denied.stdout.contains("releases are made elsewhere (rule no-push)"), "{denied:?}");
    let other = room.file("other.toml", "[rule.x]\nverdict = \"alow\"\nreason = \"r\"\n").display().to_string();
    let mistaken = room.run(&["policy", "check", "ls", "--rules", &other]).await;
    assert!(
        mistaken.refusal().contains("other.toml:2") && mistaken.refusal().contains("allow, ask or deny"),
        "{mistaken:?}"
    );
    let missing = room.run(&["policy", "check", "ls", "--rules", "/nowhere/rules.toml"]).await;
    let expected = "error: the rules in /nowhere/rules.toml cannot be read: there is no such file\n";
    assert_eq!(missing.refusal(), expected);
}

#[tokio::test]
async fn a_grant_is_given_by_meaning_listed_revoked_and_in_the_audit_log() {
    let room = Room::empty();
    let work = workspace(&room);
    let check = async |line: &str| room.run(&["policy", "check", line, "--cd", &work]).await.code;
    assert_eq!(check("git push origin main").await, Some(1));
    let granted =
        room.run(&["policy", "grant", "git push", "--cd", &work, "--for", "8h", "--reason", "release day"]).await;
    assert_eq!(granted.code, Some(0), "{granted:?}");
    let id = granted.stdout.split([' ', ':']).nth(1).unwrap().to_owned();
    assert_eq!(check("git push").await, Some(0));
    assert_eq!(check("git push; curl https://example.com").await, Some(1), "two things are not one");
    let listed = room.run(&["policy", "grants"]).await;
    assert!(listed.stdout.contains(&id) && listed.stdout.contains("release day"), "{listed:?}");
    let as_json = room.run(&["policy", "grants", "--json"]).await;
    assert!(as_json.stdout.contains(r#""holds":true"#), "{as_json:?}");
    let revoked = room.run(&["policy", "revoke", &id]).await;
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    assert_eq!(check("git push").await, Some(1));
    let again = room.run(&["policy", "revoke", &id]).await;
    assert_eq!(again.refusal(), format!("error: there is no grant {id}: `capstan policy grants` lists them\n"));
    let shown = room.run(&["audit", "show", "--json"]).await;
    for word in ["granted", "revoked", &id] {
        assert!(shown.stdout.contains(word), "{word}: {shown:?}");
    }
    let whole = room.run(&["audit", "verify"]).await;
    assert_eq!(whole.code, Some(0), "{whole:?}");
}

#[tokio::test]
async fn other_rules_are_tried_on_what_a_session_did() {
    let room = Room::empty();
    let work = workspace(&room);
    let sessions = room.file(".capstan/sessions/placeholder", "").parent().unwrap().to_owned();
    let redactor = Arc::new(Redactor::new(&[7; 32], []));
    let all = Sessions::open(Arc::new(Machine), &sessions, redactor, Limits::default()).unwrap();
    let new = New {
        id: SessionId::fresh(1_795_289_538_000).unwrap(),
        at: 1_795_289_538_000,
        version: "0".into(),
        cwd: work.clone(),
    };
    let (id, session) = (new.id, all.create(new).await.unwrap());
    for (call, line) in ["cargo test", "git push"].into_iter().enumerate() {
        let begun = Begun {
            permit: format!("p{call}"),
            call: None,
            actor: Actor { name: "s".to_owned(), role: Role::Agent },
            act: Some(Act::Command { line: line.to_owned(), cwd: Path::absolute(&work) }),
            input: Hash::of(line.as_bytes()),
            ruled: Verdict::Allow,
            verdict: Verdict::Allow,
            by: Vec::new(),
            policy: Hash::of(b""),
        };
        session.append(1_795_289_539_000, Record::Begun(begun)).await.unwrap();
    }
    session.close().await.unwrap();
    let ran = room.run(&["policy", "replay", &id.to_string()]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.starts_with("2 acts, 1 would be decided otherwise\n"), "{ran:?}");
    assert!(ran.stdout.contains("allow → ask  git push"), "{ran:?}");
    let as_json = room.run(&["policy", "replay", &id.to_string(), "--json"]).await;
    assert!(as_json.stdout.starts_with(r#"{"acts":2,"counts":[{"was":"#), "{as_json:?}");
}
