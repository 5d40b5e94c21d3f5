//! What is given away, and verified elsewhere.

use std::fs;
use std::path::Path;

use journal::audit::checkpoint::{Checkpoint, NoteError};
use journal::audit::export::export;
use journal::audit::proof::{self, ProofError, Proven};
use journal::audit::verify::{self, Trust};
use journal::audit::{AuditError, entry::Recorded};
use journal::disk::Machine;

use super::room::{Home, Still};

/// An export as the only file of a folder.
fn exported(home: &Home) -> Still {
    let mut text = Vec::new();
    export(&Machine, &home.folder(), &mut text).unwrap();
    Still([("bundle".to_owned(), text)].into())
}

fn verified(still: &Still, trust: Trust<'_>) -> Result<verify::Report, AuditError> {
    verify::bundle(still, Path::new("bundle"), trust)
}

#[tokio::test]
async fn an_export_is_verified_with_nothing_but_the_public_key() {
    let home = Home::with_acts(2).await;
    let key = home.key();
    let bundle = exported(&home);
    let report = verified(&bundle, Trust { key: Some(&key), since: None }).unwrap();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!((report.entries, report.newer, report.checkpoints), (5, 0, 2));
    let text = String::from_utf8(bundle.0["bundle"].clone()).unwrap();
    assert!(text.starts_with(r#"{"capstan_audit":1,"key":"capstan/audit/"#), "{text}");
    assert!(text.ends_with(&(home.lines().join("\n") + "\n")), "the lines are as they are");
    let secret = fs::read_to_string(home.folder().join("key")).unwrap();
    // The fifth part, which may have a `+` of its own.
    assert!(!text.contains(secret.trim_end().splitn(5, '+').last().unwrap()));
    // While it is written, and longer than its lines, it is exported all the same.
    let audit = home.open().await.unwrap();
    let report = verified(&exported(&home), Trust { key: Some(&key), since: None }).unwrap();
    assert!(report.is_whole() && report.entries == 6 && report.unfinished == 0, "{:?}", report.findings);
    drop(audit);
}

#[tokio::test]
async fn every_flipped_byte_of_an_export_is_found() {
    let home = Home::with_acts(1).await;
    let key = home.key();
    let bundle = exported(&home);
    let text = &bundle.0["bundle"];
    for (at, mask) in (0..text.len()).flat_map(|at| [(at, 1), (at, 0xFF)]) {
        let mut flipped = text.clone();
        flipped[at] ^= mask;
        let report = verified(&bundle.with("bundle", flipped), Trust { key: Some(&key), since: None });
        let whole = report.is_ok_and(|report| report.is_whole());
        assert!(!whole, "byte {at} ^ {mask}");
    }
    for at in 0..text.len() {
        let report = verified(&bundle.with("bundle", text[..at].to_vec()), Trust { key: Some(&key), since: None });
        assert!(!report.is_ok_and(|report| report.is_whole()), "cut at {at}");
    }
}

#[tokio::test]
async fn every_record_is_proved_by_a_small_text() {
    let home = Home::with_acts(4).await;
    let key = home.key();
    for (number, body) in home.bodies().into_iter().enumerate() {
        let text = proof::record(&Machine, &home.folder(), number as u64).unwrap();
        let Proven::Record { number: proved, body: says, size, time } = proof::verify(&text, &key).unwrap() else {
            panic!("{text}")
        };
        assert_eq!((proved, says, size), (number as u64, body.clone(), 9));
        assert!(time > Recorded::read(&body).unwrap().at);
        let other = text.replace(&format!(r#""record":{number},"#), &format!(r#""record":{},"#, number + 1));
        assert_eq!(proof::verify(&other, &key), Err(ProofError::Wrong));
        let other = text.replace(r#"\"kind\":\""#, r#"\"kind\": \""#);
        assert_eq!(proof::verify(&other, &key), Err(ProofError::Wrong));
    }
    let error = proof::record(&Machine, &home.folder(), 9).unwrap_err();
    assert!(matches!(error, AuditError::Proof(ProofError::NotCovered { record: 9, covered: 9 })), "{error}");
}

#[tokio::test]
async fn no_byte_of_a_proof_can_be_another() {
    let home = Home::with_acts(2).await;
    let text = proof::record(&Machine, &home.folder(), 3).unwrap();
    let says = proof::verify(&text, &home.key()).unwrap();
    for (at, mask) in (0..text.len()).flat_map(|at| [(at, 1_u8), (at, 0x10)]) {
        let mut flipped = text.clone().into_bytes();
        flipped[at] ^= mask;
        let Ok(flipped) = String::from_utf8(flipped) else { continue };
        // What stands between the parts of JSON may be another white space; what is said may not.
        let same = proof::verify(&flipped, &home.key()).is_ok_and(|other| other != says);
        assert!(!same, "byte {at} ^ {mask}");
    }
}

#[tokio::test]
async fn an_older_checkpoint_is_proved_the_beginning_of_the_log() {
    let home = Home::with_acts(2).await;
    let older = fs::read_to_string(home.folder().join("checkpoint")).unwrap();
    let older = older.trim_end_matches('\0');
    home.open().await.unwrap().close().await.unwrap();
    let key = home.key();
    let text = proof::since(&Machine, &home.folder(), older).unwrap();
    assert_eq!(proof::verify(&text, &key), Ok(Proven::Beginning { old: 5, new: 6 }));
    let other = Home::with_acts(3).await;
    assert_eq!(proof::verify(&text, &other.key()), Err(ProofError::Checkpoint(NoteError::Key)));
    let error = proof::since(&Machine, &other.folder(), older).unwrap_err();
    assert!(matches!(error, AuditError::Since(NoteError::Key)), "{error}");
}

#[tokio::test]
async fn nothing_is_proved_of_a_log_that_is_not_as_it_was_signed() {
    let home = Home::with_acts(2).await;
    let still = Still::of(&home.folder());
    let mut log = still.0["log"].clone();
    let last = log.len() - 3;
    log[last] ^= 1;
    let error = proof::record(&still.with("log", log), Path::new("audit"), 0).unwrap_err();
    assert!(matches!(error, AuditError::Proof(ProofError::NotAsSigned)), "{error}");
    for text in ["", "{}", r#"{"capstan_audit_proof":2}"#, r#"{"capstan_audit_proof":1,"path":["x"]}"#] {
        assert!(proof::verify(text, &home.key()).is_err(), "{text}");
    }
}

#[test]
fn a_log_of_version_1_is_read_and_verified_forever() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/audit-1");
    let report = verify::folder(&Machine, &folder, Trust::default()).unwrap();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!((report.entries, report.checkpoints, report.unknown, report.newer), (6, 3, 0, 0));
    let report =
        verify::bundle(&Machine, &folder.join("export"), Trust { key: Some(&report.key), since: None }).unwrap();
    assert!(report.is_whole(), "{:?}", report.findings);
    for name in ["proof", "proof-since"] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        assert!(proof::verify(&text, &report.key).is_ok(), "{name}");
    }
    let note = fs::read_to_string(folder.join("older")).unwrap();
    assert_eq!(Checkpoint::read(&note, &report.key).unwrap().size(), 5);
}
