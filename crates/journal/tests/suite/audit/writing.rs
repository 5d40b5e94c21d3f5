//! Writing the audit log: what is promised of it, and what it goes on from.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::task::{Context, Waker};
use std::time::{Duration, UNIX_EPOCH};

use journal::audit::entry::{Entry, Opened, Recorded, Session};
use journal::audit::verify::Finding;
use journal::audit::{AuditError, MAX_ACTS};
use journal::log::{Hash, LogError};
use policy::act::{Act, Actor, Role};
use policy::approval::{Answer, Said};
use policy::gate::{self, Call, Gate, Gated, Outcome, Ruling, Wanted};
use policy::verdict::Verdict;

use super::room::{Home, Still, begun, case, ended};

/// What kinds of entries there are.
fn kinds(home: &Home) -> Vec<String> {
    home.bodies().iter().map(|body| Recorded::read(body).unwrap().entry.kind().to_owned()).collect()
}

/// How many records the process that opened the log last found unsigned.
fn unsigned(home: &Home) -> u64 {
    let bodies = home.bodies();
    let opened = bodies.iter().rev().find_map(|body| match Recorded::read(body).unwrap().entry {
        Entry::Opened(Opened { unsigned, .. }) => Some(unsigned),
        _ => None,
    });
    opened.unwrap()
}

#[tokio::test]
async fn an_act_is_on_the_disk_and_signed_before_it_begins_and_when_it_has_ended() {
    let home = Home::new();
    let audit = home.open().await.unwrap();
    let ticket = audit.begin(begun("c1")).await.unwrap();
    let report = home.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!((report.entries, report.newer, report.open_count, report.unfinished), (2, 0, 1, 0));
    assert_eq!((report.open[0].record, report.open[0].act.as_str()), (1, ticket.act()));
    let place = ticket.end(ended("done")).unwrap().on_disk().await.unwrap();
    assert_eq!(place.seq, 2);
    let report = home.verify();
    assert_eq!((report.is_whole(), report.entries, report.newer, report.open_count), (true, 3, 0, 0));
    let session = Session { id: "s1".into(), head: Hash::of(b"head"), records: 9 };
    let place = audit.record(Entry::Session(session)).await.unwrap();
    let latest = home.verify().latest.unwrap();
    assert_eq!((latest.size(), latest.bytes, latest.chain), (4, place.end, place.hash));
    assert_eq!(kinds(&home), ["opened", "begun", "ended", "session"]);
    assert_eq!(*audit.key(), home.key());
}

#[tokio::test]
async fn an_act_whose_ticket_is_dropped_was_abandoned() {
    let home = Home::new();
    let audit = home.open().await.unwrap();
    let ticket = audit.begin(begun("c1")).await.unwrap();
    assert!(format!("{ticket:?}").contains(ticket.act()));
    drop(ticket);
    drop(audit.room().await.unwrap());
    audit.close().await.unwrap();
    let last = home.bodies().pop().unwrap();
    assert!(last.contains(r#""kind":"ended""#) && last.contains(r#""outcome":"abandoned""#), "{last}");
    assert_eq!((home.verify().open_count, home.bodies().len()), (0, 3));
}

#[tokio::test]
async fn ends_never_wait_and_as_many_acts_run_at_once_as_there_is_room_for() {
    let home = Home::new();
    let audit = home.open().await.unwrap();
    let mut tickets = Vec::new();
    for act in 0..MAX_ACTS {
        tickets.push(audit.room().await.unwrap().begin(begun(&act.to_string())).unwrap());
    }
    let mut next = Box::pin(audit.room());
    let mut context = Context::from_waker(Waker::noop());
    assert!(next.as_mut().poll(&mut context).is_pending(), "there is no room for one more");
    let receipts: Vec<_> =
        tickets.into_iter().map(|(ticket, begun)| (begun, ticket.end(ended("done")).unwrap())).collect();
    for (begun, ended) in receipts {
        begun.on_disk().await.unwrap();
        ended.on_disk().await.unwrap();
    }
    drop(next.await.unwrap());
    let report = home.verify();
    assert!(report.is_whole() && report.open_count == 0 && report.loose_count == 0);
    assert_eq!(report.entries, 1 + 2 * MAX_ACTS as u64);
}

#[tokio::test]
async fn two_write_at_once_and_each_signs_what_both_wrote() {
    let home = Home::new();
    let (one, other) = (home.open().await.unwrap(), home.open().await.unwrap());
    for act in 0..40 {
        let call = act.to_string();
        let (first, second) = tokio::join!(one.begin(begun(&call)), other.begin(begun(&call)));
        let report = home.verify();
        assert!(report.is_whole() && report.newer == 0, "{:?}", report.findings);
        drop(first.unwrap());
        second.unwrap().end(ended("done")).unwrap().on_disk().await.unwrap();
    }
    one.close().await.unwrap();
    other.close().await.unwrap();
    let report = home.verify();
    assert!(report.is_whole(), "{:?}", report.findings);
    assert_eq!((report.entries, report.newer, report.open_count, report.loose_count), (162, 0, 0, 0));
}

#[tokio::test]
async fn the_history_has_a_checkpoint_for_each_process_and_every_few_hundred_records() {
    let home = Home::new();
    let audit = home.open().await.unwrap();
    for _ in 0..600 {
        let session = Session { id: "s1".into(), head: Hash::of(b"head"), records: 9 };
        audit.record(Entry::Session(session)).await.unwrap();
    }
    audit.close().await.unwrap();
    home.open().await.unwrap().close().await.unwrap();
    let history = fs::read_to_string(home.folder().join("checkpoints")).unwrap();
    let sizes: Vec<&str> = history.split("\n\n").step_by(2).filter_map(|note| note.lines().nth(1)).collect();
    assert_eq!(sizes, ["1", "256", "512", "602"]);
    let report = home.verify();
    assert_eq!((report.is_whole(), report.checkpoints, report.entries), (true, 5, 602));
}

#[tokio::test]
async fn after_a_crash_the_log_goes_on_from_what_is_there() {
    let home = Home::with_acts(2).await;
    let path = |name: &str| home.folder().join(name);
    // The checkpoint is half of one, then that of an earlier moment, then lost; the log is as it was.
    let first = fs::read(path("checkpoint")).unwrap();
    fs::write(path("checkpoint"), &first[..100]).unwrap();
    let finding = home.verify().findings;
    assert!(matches!(finding[..], [Finding::Checkpoint { file: "checkpoint", .. }]), "{finding:?}");
    home.open().await.unwrap().close().await.unwrap();
    assert_eq!(kinds(&home)[5..], ["torn", "opened"]);
    assert_eq!(unsigned(&home), 4, "the history knows the first record only");
    fs::write(path("checkpoint"), &first).unwrap();
    home.open().await.unwrap().close().await.unwrap();
    assert_eq!(unsigned(&home), 1, "the history knows more than the checkpoint");
    fs::remove_file(path("checkpoint")).unwrap();
    fs::remove_file(path("checkpoints")).unwrap();
    home.open().await.unwrap().close().await.unwrap();
    assert_eq!(unsigned(&home), 8);
    let report = home.verify();
    assert!(report.is_whole() && report.entries == 9, "{:?}", report.findings);
}

#[tokio::test]
async fn what_was_never_whole_is_cut_off_and_written_down() {
    let home = Home::with_acts(1).await;
    for (name, kind) in [("log", "torn"), ("checkpoints", "torn")] {
        let file = OpenOptions::new().write(true).open(home.folder().join(name)).unwrap();
        file.write_all_at(b"half of so", file.metadata().unwrap().len()).unwrap();
        let report = home.verify();
        assert_eq!(report.unfinished, if name == "log" { 10 } else { 0 });
        home.open().await.unwrap().close().await.unwrap();
        let bodies = home.bodies();
        let torn = &bodies[bodies.len() - 2];
        assert!(torn.contains(kind) && torn.contains(&format!(r#""file":"{name}""#)), "{torn}");
        assert!(torn.contains(&Hash::of(b"half of so").to_string()), "{torn}");
        assert!(home.verify().is_whole());
    }
}

#[tokio::test]
async fn a_log_that_is_not_as_it_was_signed_is_not_gone_on_with() {
    let home = Home::with_acts(2).await;
    let path = home.folder().join("log");
    let log = fs::read(&path).unwrap();
    let lines = home.lines();
    let without_last = log.len() - lines[4].len() - 1;
    let mut damaged = log.clone();
    damaged[without_last + 80] ^= 1;
    for wrong in [&log[..without_last], &log[..log.len() - 1], &damaged] {
        fs::write(&path, wrong).unwrap();
        let error = home.open().await.err().unwrap();
        assert!(matches!(error, AuditError::NotAsSigned { records: 5, .. }), "{error}");
        assert!(error.to_string().contains("capstan audit verify"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), wrong, "nothing was changed");
    }
    fs::write(&path, &log).unwrap();
    home.open().await.unwrap().close().await.unwrap();
    // Damage that the end of the log does not show.
    let mut longer = fs::read(&path).unwrap();
    fs::write(home.folder().join("checkpoint"), b"").unwrap();
    longer[without_last + 80] ^= 1;
    fs::write(&path, &longer).unwrap();
    fs::remove_file(home.folder().join("checkpoints")).unwrap();
    let error = home.open().await.err().unwrap();
    assert!(matches!(error, AuditError::Log(LogError::Damaged { .. })), "{error}");
    assert_eq!(fs::read(&path).unwrap(), longer, "nothing was changed");
}

#[tokio::test]
async fn a_log_without_its_key_is_not_gone_on_with() {
    let home = Home::with_acts(1).await;
    let other = Home::with_acts(1).await;
    let key = home.folder().join("key");
    fs::remove_file(home.folder().join("key.pub")).unwrap();
    home.open().await.unwrap().close().await.unwrap();
    assert!(home.verify().is_whole(), "the public key follows from the other");
    fs::copy(other.folder().join("key"), &key).unwrap();
    let error = home.open().await.err().unwrap();
    assert!(matches!(error, AuditError::Checkpoint { .. }), "{error}");
    fs::write(&key, "PRIVATE+KEY+planted").unwrap();
    let error = home.open().await.err().unwrap();
    assert!(matches!(error, AuditError::Key { .. }) && !error.to_string().contains("planted"), "{error}");
    fs::remove_file(&key).unwrap();
    let error = home.open().await.err().unwrap();
    assert!(matches!(error, AuditError::NoKey { .. }), "{error}");
}

#[tokio::test]
async fn the_files_are_their_owners_alone_and_hold_no_secret_that_was_planted() {
    let home = Home::new();
    let audit = home.open().await.unwrap();
    let mut begun = begun("c1");
    begun.case = case("sk-planted");
    begun.case.on = "curl -H 'authorization: sk-planted'".into();
    drop(audit.begin(begun).await.unwrap());
    audit.close().await.unwrap();
    assert_eq!(fs::metadata(home.folder()).unwrap().permissions().mode() & 0o777, 0o700);
    for (name, bytes) in Still::of(&home.folder()).0 {
        let mode = fs::metadata(home.folder().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        assert!(!String::from_utf8_lossy(&bytes).contains("sk-planted"), "{name}");
    }
    assert!(home.bodies()[1].contains("authorization: [key]"));
}

#[tokio::test]
async fn a_gate_writes_to_it() {
    let home = Home::new();
    let audit = home.open().await.unwrap();
    let gate = Gate::new(audit.clone());
    let call = |id: &str| Call { session: "s1".to_owned(), id: id.to_owned() };
    let wanted = |id: &str| {
        let payload = Act::Connect { host: "example.com".to_owned(), port: 443 };
        let actor = Actor { name: "robin".to_owned(), role: Role::Agent };
        Wanted { payload, actor, call: call(id), until: UNIX_EPOCH + Duration::from_secs(9) }
    };
    let judge =
        |verdict| move |_: &Actor, _: &Act| Ruling { verdict, by: vec!["line 1".to_owned()], policy: Hash::of(b"") };
    let Gated::Permitted(permit) = gate.judged(wanted("c1"), judge(Verdict::Allow)).await.unwrap() else { panic!() };
    let (_, open) = permit.open();
    let spent = policy::budget::Spent { calls: 1, time: Duration::from_nanos(7), ..Default::default() };
    open.finish(gate::Ended { outcome: Outcome::Done, output: Some(Hash::of(b"out")), spent }).await.unwrap();
    drop(gate.judged(wanted("c2"), judge(Verdict::Deny)).await.unwrap());
    let Gated::Asked(question) = gate.judged(wanted("c3"), judge(Verdict::Ask)).await.unwrap() else { panic!() };
    let by = Actor { name: "kim".to_owned(), role: Role::Owner };
    let answer = Answer { call: call("c3"), hash: question.case().input, by, said: Said::Yes, reason: String::new() };
    let Gated::Permitted(permit) = gate.answered(question, &answer, UNIX_EPOCH).await.unwrap() else { panic!() };
    drop(permit);
    audit.close().await.unwrap();
    assert_eq!(kinds(&home)[1..], ["begun", "ended", "begun", "ended", "asked", "answered", "begun", "ended"]);
    let says = |record: usize, text: &str| assert!(home.bodies()[record].contains(text), "{}", home.bodies()[record]);
    says(1, r#""what":"connect","on":"example.com:443","input":""#);
    says(1, r#""verdict":"allow","by":["line 1"],"policy":""#);
    says(2, r#""outcome":"done","output":""#);
    says(2, r#""spent":{"nanoseconds":7,"calls":1}"#);
    says(3, r#""verdict":"deny""#);
    says(4, r#""outcome":"refused""#);
    says(5, r#""until":9000"#);
    says(6, r#""answerer":{"name":"kim","role":"owner"},"said":"yes""#);
    says(7, r#""by":["line 1","kim said yes"]"#);
    says(8, r#""outcome":"abandoned""#);
    let report = home.verify();
    assert!(report.is_whole() && report.open_count == 0 && report.loose_count == 0, "{report:?}");
}
