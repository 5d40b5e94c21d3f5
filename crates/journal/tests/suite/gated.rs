//! A gate that writes into a session and the audit log.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use journal::audit::{Audit, Clock, Options, folder};
use journal::disk::Machine;
use journal::record::Record;
use journal::recorder::Recorder;
use journal::redact::Redactor;
use journal::sessions::{Limits, New, SessionId, Sessions, Step};
use policy::act::{Act, Actor, Hash, Role};
use policy::approval::{Answer, Said};
use policy::gate::{Call, Ended, Gate, Gated, Outcome, Ruling, Wanted};
use policy::place::Path;
use policy::verdict::Verdict;
use tempfile::TempDir;

const NOW: u64 = 1_795_289_538_000;

fn wanted(call: &str, line: &str) -> Wanted<Act> {
    Wanted {
        payload: Act::Command { line: line.to_owned(), cwd: Path::absolute("/work") },
        actor: Actor { name: "session".to_owned(), role: Role::Agent },
        call: Call { session: "session".to_owned(), id: call.to_owned() },
        until: UNIX_EPOCH + Duration::from_secs(u64::MAX / 4),
    }
}

fn ruled(verdict: Verdict) -> impl FnOnce(&Actor, &Act) -> Ruling {
    move |_, _| Ruling { verdict, by: vec!["a rule".to_owned()], policy: Hash::of(b"rules") }
}

/// What a session says of acts, each in a few words.
fn said(sessions: &Sessions, id: SessionId) -> Vec<String> {
    let mut said = Vec::new();
    for step in sessions.read(id).unwrap() {
        let Step::Entry(entry) = step.unwrap() else { panic!("damaged") };
        said.extend(match entry.record {
            Record::Begun(begun) => {
                let Some(Act::Command { line, .. }) = begun.act else { panic!("the act is missing") };
                Some(format!("begun {line}: {} {}", begun.ruled, begun.verdict))
            }
            Record::Ended { how, .. } => Some(format!("ended {how}")),
            Record::Asked(asked) => Some(format!("asked {}", asked.text)),
            Record::Answered(answered) => Some(format!("answered {} by {}", answered.answer, answered.by)),
            _ => None,
        });
    }
    said
}

#[tokio::test]
async fn every_act_has_its_begin_and_its_end_in_the_session_and_in_the_audit_log() {
    let home = TempDir::new().unwrap();
    let clock: Clock = Arc::new(|| NOW);
    let redactor = Arc::new(Redactor::new(&[7; 32], ["hunter-secret-2".to_owned()]));
    let for_audit = Arc::clone(&redactor);
    let options = Options {
        version: "0".to_owned(),
        host: "here".to_owned(),
        clock: Arc::clone(&clock),
        redact: Arc::new(move |text| -> Cow<'_, str> { for_audit.text(text) }),
    };
    let audit = Audit::open(Arc::new(Machine), home.path(), options).await.unwrap();
    let sessions =
        Sessions::open(Arc::new(Machine), &home.path().join("sessions"), redactor, Limits::default()).unwrap();
    let id = SessionId::of(NOW, [1; 10]);
    let session = sessions.create(New { id, at: NOW, version: "0".into(), cwd: "/work".into() }).await.unwrap();
    let session = Arc::new(session);
    let gate = Gate::new(Recorder::new(audit.clone(), Arc::clone(&session), clock));

    let Ok(Gated::Permitted(permit)) = gate.judged(wanted("1", "ls"), ruled(Verdict::Allow)).await else { panic!() };
    let (_, open) = permit.open();
    open.finish(Ended::without_output(Outcome::Done)).await.unwrap();

    let Ok(Gated::Asked(question)) = gate.judged(wanted("2", "echo hunter-secret-2"), ruled(Verdict::Ask)).await else {
        panic!()
    };
    let by = Actor { name: "alice".to_owned(), role: Role::Owner };
    let case = question.case();
    let answer = Answer { call: case.call.clone(), hash: case.input, by, said: Said::Yes, reason: String::new() };
    let Ok(Gated::Permitted(permit)) = gate.answered(question, &answer, UNIX_EPOCH).await else { panic!() };
    drop(permit);

    let Ok(Gated::Refused(_)) = gate.judged(wanted("3", "rm -rf /"), ruled(Verdict::Deny)).await else { panic!() };

    drop(gate);
    Arc::into_inner(session).unwrap().close().await.unwrap();
    audit.close().await.unwrap();
    let said = said(&sessions, id);
    let secret = said.iter().find_map(|line| line.split("echo ").nth(1)?.split(['`', ':']).next()).unwrap().to_owned();
    assert!(secret.starts_with("[redacted"), "{said:?}");
    assert_eq!(
        said,
        [
            "begun ls: allow allow".to_owned(),
            "ended done".to_owned(),
            format!("asked command `echo {secret}`: a rule"),
            "answered yes by alice".to_owned(),
            format!("begun echo {secret}: ask allow"),
            "ended abandoned".to_owned(),
            "begun rm -rf /: deny deny".to_owned(),
            "ended refused".to_owned(),
        ]
    );
    let (session, opened) = sessions.resume(id, NOW).await.unwrap();
    assert!(opened.pending.is_empty(), "{:?}", opened.pending);
    drop(session);

    let log = std::fs::read_to_string(folder(home.path()).join("log")).unwrap();
    let count = |kind: &str| log.matches(&format!(r#""kind":"{kind}""#)).count();
    assert_eq!(["begun", "ended", "asked", "answered"].map(count), [3, 3, 1, 1], "{log}");
    assert!(!log.contains("hunter-secret-2"), "{log}");
}
