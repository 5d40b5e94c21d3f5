//! What `capstan audit` says of a log, here and elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::audit::entry::{Begun, Case, Ended, Spent, Who};
use journal::audit::{Audit, Options};
use journal::disk::Machine;
use journal::log::Hash;

use crate::support::{Ran, Room};

/// A home with a log: one act that is done, one that has not ended.
async fn room() -> (Room, PathBuf) {
    let room = Room::empty();
    let home = room.file("home/marker", "").parent().unwrap().to_owned();
    let options = Options {
        version: "0.1.0".to_owned(),
        host: "bench".to_owned(),
        clock: Arc::new(|| 1_764_115_201_500),
        redact: Arc::new(|text| text.into()),
    };
    let audit = Audit::open(Arc::new(Machine), &home, options).await.unwrap();
    let begun = |name: &'static str, on: &'static str| Begun {
        case: Case {
            actor: Who { name: name.into(), role: None },
            session: "s1".into(),
            call: "c1".into(),
            what: "command".into(),
            on: on.into(),
            input: Some(Hash::of(b"input")),
        },
        verdict: "allow".into(),
        by: vec!["policy.toml line 3".into(), "kim said yes".into()],
        policy: None,
    };
    let ticket = audit.begin(begun("robin", "cargo test\u{1b}[2J")).await.unwrap();
    let ended = Ended { outcome: "done".into(), output: None, spent: Spent::default() };
    ticket.end(ended).unwrap().on_disk().await.unwrap();
    let ticket = audit.begin(begun("lee", "rm -r build")).await.unwrap();
    // The process ends here.
    std::mem::forget(ticket);
    let room = room.with("CAPSTAN_HOME", home.to_str().unwrap());
    (room, home.join("audit"))
}

fn key_name(audit: &Path) -> String {
    fs::read_to_string(audit.join("key.pub")).unwrap().split('+').next().unwrap().to_owned()
}

/// The conclusion of a verification, and its exit code.
fn concluded(ran: &Ran) -> (&str, Option<i32>) {
    assert_eq!(ran.stderr, "");
    (ran.conclusion().split(':').next().unwrap_or_default(), ran.code)
}

#[tokio::test]
async fn a_whole_log_is_verified_shown_exported_and_proved() {
    let (room, audit) = room().await;
    let key = key_name(&audit);
    let ran = room.run(&["audit", "verify"]).await;
    let said: Vec<&str> = ran.stdout.lines().collect();
    assert!(said[0].starts_with("record 3 begins act ") && said[0].ends_with(", which has not ended"), "{ran:?}");
    assert_eq!(said[1], "the key is the one beside the log; use --key with one that was kept elsewhere");
    let whole = format!("whole: 4 records, 4 signed at 2025-11-26T00:00:01Z, 2 checkpoints, by {key}");
    assert_eq!((said[2], said.len(), ran.code), (whole.as_str(), 3, Some(0)));

    let shown = room.run(&["audit", "show"]).await;
    let rows: Vec<&str> = shown.stdout.lines().collect();
    assert_eq!(rows.len(), 4, "{shown:?}");
    let cells = |row: usize| rows[row].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
    assert_eq!(cells(0), ["record", "time", "who", "what", "on", "by", "outcome"]);
    let (by, at) = ("policy.toml line 3; kim said yes", "2025-11-26T00:00:01Z");
    assert_eq!(cells(2), ["1", at, "robin", "command", "cargo test\u{fffd}[2J", by, "done"]);
    assert_eq!(cells(3), ["3", at, "lee", "command", "rm -r build", by, "open"]);

    let bundle = audit.with_file_name("bundle");
    let kept = audit.with_file_name("key");
    fs::copy(audit.join("key.pub"), &kept).unwrap();
    let [bundle, kept] = [&bundle, &kept].map(|path| path.to_str().unwrap());
    assert_eq!(room.run(&["audit", "export", "-o", bundle]).await.code, Some(0));
    assert_eq!(room.run(&["audit", "export"]).await.stdout, fs::read_to_string(bundle).unwrap());
    let elsewhere = Room::empty();
    let ran = elsewhere.run(&["audit", "verify", "--bundle", bundle, "--key", kept]).await;
    assert_eq!((ran.conclusion(), ran.code), (whole.as_str(), Some(0)));

    let proof = audit.with_file_name("proof");
    let proof = proof.to_str().unwrap();
    assert_eq!(room.run(&["audit", "proof", "1", "-o", proof]).await.code, Some(0));
    let ran = elsewhere.run(&["audit", "verify", "--proof", proof, "--key", kept]).await;
    let begins = "record 1 of 4 was in the log that was signed at 2025-11-26T00:00:01Z. it says:\n{\"v\":1,";
    assert!(ran.code == Some(0) && ran.stdout.starts_with(begins), "{ran:?}");
    let ran = elsewhere.run(&["audit", "verify", "--proof", proof, "--key", kept, "--json"]).await;
    assert!(
        ran.stdout.starts_with(r#"{"proved":true,"record":1,"of":4,"signed_at":1764115201500,"entry":""#),
        "{ran:?}"
    );
}

#[tokio::test]
async fn what_is_shown_is_chosen_by_session_actor_and_number() {
    let (room, _audit) = room().await;
    let records = |ran: &Ran| -> Vec<String> {
        ran.stdout.lines().skip(1).map(|row| row.split(' ').next().unwrap().to_owned()).collect()
    };
    for (arguments, expected) in [
        (&["--session", "s1"][..], &["1", "3"][..]),
        (&["--session", "s2"], &[]),
        (&["--actor", "lee"], &["3"]),
        (&["--last", "2"], &["1", "3"]),
        (&["--last", "1", "--actor", "robin"], &["1"]),
    ] {
        let ran = room.run(&[&["audit", "show"][..], arguments].concat()).await;
        assert_eq!(records(&ran), expected, "{ran:?}");
    }
    let ran = room.run(&["audit", "show", "--json", "--actor", "robin"]).await;
    let begins: Vec<&str> = ran.stdout.lines().map(|line| line.split(",\"entry\":{\"v\":1,").next().unwrap()).collect();
    assert_eq!(begins, [r#"{"record":1"#, r#"{"record":2"#]);
}

#[tokio::test]
async fn a_log_that_was_changed_is_named_and_exits_with_1() {
    let (room, audit) = room().await;
    let log = fs::read(audit.join("log")).unwrap();
    let kept = audit.with_file_name("kept");
    fs::copy(audit.join("checkpoint"), &kept).unwrap();
    let mut changed = log.clone();
    changed[100] ^= 1;
    fs::write(audit.join("log"), &changed).unwrap();
    let ran = room.run(&["audit", "verify"]).await;
    assert!(ran.stdout.starts_with("record 0, at byte 0, was changed"), "{ran:?}");
    assert_eq!(concluded(&ran), ("damaged", Some(1)));
    let ran = room.run(&["audit", "verify", "--json"]).await;
    assert!(ran.stdout.starts_with(r#"{"whole":false,"key":"capstan/audit/"#), "{ran:?}");
    let finding = r#""findings":["record 0, at byte 0, was changed, or what stood before it was"],"more_findings":0"#;
    assert!(ran.stdout.contains(finding), "{ran:?}");

    // A new log and a new key, whole by themselves.
    let (other, elsewhere) = self::room().await;
    let kept = kept.to_str().unwrap();
    let key = audit.join("key.pub");
    assert_eq!(concluded(&other.run(&["audit", "verify"]).await), ("whole", Some(0)));
    let ran = other.run(&["audit", "verify", "--key", key.to_str().unwrap()]).await;
    assert_eq!(concluded(&ran), ("damaged", Some(1)));
    assert!(ran.stdout.starts_with("the key beside the log is not the key that was given"), "{ran:?}");
    let ran = other.run(&["audit", "verify", "--since", kept]).await;
    let expected = "error: the older checkpoint: it is not signed by the key that was given\n";
    assert_eq!(ran.refusal(), expected);

    // The log is what it was when the checkpoint was kept, and has less than that now.
    fs::write(audit.join("log"), &log).unwrap();
    let ran = room.run(&["audit", "verify", "--since", kept]).await;
    assert_eq!(concluded(&ran), ("whole", Some(0)));
    let proof = room.run(&["audit", "proof", "--since", kept]).await;
    assert_eq!(proof.code, Some(0), "{proof:?}");
    let file = elsewhere.with_file_name("proof");
    fs::write(&file, proof.stdout).unwrap();
    let file = file.to_str().unwrap();
    let ran = room.run(&["audit", "verify", "--proof", file]).await;
    let expected = "the log was only added to: its first 4 records are the same among the 4 that were signed last\n";
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(0)));
    let ran = other.run(&["audit", "verify", "--proof", file]).await;
    let expected = "not proved: the checkpoint in the proof: it is not signed by the key that was given\n";
    assert_eq!((ran.stdout.as_str(), ran.code), (expected, Some(1)));
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_next_step() {
    let empty = Room::empty();
    for arguments in [&["verify"][..], &["show"], &["export"], &["proof", "0"]] {
        let ran = empty.run(&[&["audit"], arguments].concat()).await;
        assert!(ran.refusal().starts_with("error: there is no audit log in "), "{ran:?}");
        assert!(ran.refusal().contains("set CAPSTAN_HOME"), "{ran:?}");
    }
    let (room, audit) = room().await;
    let log = audit.join("log");
    let file = log.to_str().unwrap();
    for (arguments, refusal) in [
        (&["export", "-o", file][..], format!("{file} is there already: name another file")),
        (&["proof", "4"], "there is no checkpoint that covers record 4: the latest covers 4 records".to_owned()),
        (&["proof"], "the following required arguments were not provided".to_owned()),
        (
            &["verify", "--bundle", file],
            format!("{file} is no exported audit log: make one with `capstan audit export`"),
        ),
        (&["verify", "--key", file], format!("{file} cannot be read: it has more than 1024 bytes")),
        (&["verify", "--since", "/nowhere"], "/nowhere cannot be read: there is no such file".to_owned()),
    ] {
        let ran = room.run(&[&["audit"], arguments].concat()).await;
        assert!(ran.refusal().starts_with(&format!("error: {refusal}")), "{ran:?}");
    }
}
