//! Every operation of the disk fails in turn, and the power is lost: what was acknowledged is there, and what is there
//! can be read.

use std::collections::BTreeMap;
use std::path::Path;

use journal::blobs::INLINE_MAX;
use journal::record::{Record, Stamped};
use journal::sessions::{Limits, Session, SessionError, SessionId, Sessions, Step};

use super::{id, kinds, new, on, said};
use crate::simulated::Simulated;

/// What the one who used the disk was told.
#[derive(Default)]
struct Told {
    /// What of each session is there for sure.
    records: BTreeMap<SessionId, Vec<Record>>,
    /// Sessions that may be there or not: their removal has begun.
    removing: Vec<SessionId>,
    /// What was imported elsewhere.
    imported: Option<SessionId>,
}

struct Run {
    here: Sessions,
    there: Sessions,
    told: Told,
}

fn run_on(disk: &Simulated) -> Run {
    let sessions = |folder: &str| on(disk.disk(), Path::new(folder), Limits::default());
    Run { here: sessions("/here"), there: sessions("/there"), told: Told::default() }
}

fn long() -> Record {
    said(&"long ".repeat(INLINE_MAX))
}

impl Run {
    async fn append(&mut self, session: &Session, record: Record) -> Result<(), SessionError> {
        if session.append(5, record.clone()).await?.is_some() {
            self.told.records.entry(session.id()).or_default().push(record);
        }
        Ok(())
    }

    /// Says things to a session, and closes it whether or not that worked.
    async fn say(&mut self, session: Session, records: Vec<Record>) -> Result<(), SessionError> {
        self.told.records.entry(session.id()).or_default();
        let mut done = Ok(());
        for record in records {
            if done.is_ok() {
                done = self.append(&session, record).await;
            }
        }
        let closed = session.close().await;
        done.and(closed.map(drop))
    }

    /// A life of sessions, up to the first thing that fails.
    async fn live(&mut self) -> Result<(), SessionError> {
        let session = self.here.create(new(1)).await?;
        let delta = kinds::delta(&[(0, "a\n")]);
        self.say(session, vec![said("one"), delta, long(), kinds::intent("a"), said("two")]).await?;
        let (session, resumed) = self.here.resume(id(1), 6).await?;
        assert_eq!((resumed.pending.intents.len(), resumed.torn), (1, None));
        self.say(session, vec![said("three"), long()]).await?;
        let session = self.here.fork(id(1), None, new(2)).await?;
        self.say(session, vec![said("of the fork")]).await?;
        let mut export = Vec::new();
        self.here.export(id(2), &mut export)?;
        self.there.import(&mut &export[..])?;
        self.told.imported = Some(id(2));
        self.told.removing.push(id(2));
        self.here.remove(&[id(2)], false)?;
        self.told.records.remove(&id(2));
        Ok(())
    }
}

/// What a session says by itself; none if it never began.
fn own(sessions: &Sessions, wanted: SessionId, when: &str) -> Option<Vec<Record>> {
    let history = match sessions.read(wanted) {
        Err(SessionError::NotFound { .. } | SessionError::NoHead { .. }) => return None,
        history => history.unwrap(),
    };
    let mut records = Vec::new();
    for step in history {
        match step.unwrap() {
            Step::Entry(entry) if entry.session == wanted => {
                assert_eq!(entry.lost, [], "{when}: {:?} {wanted}", sessions.folder());
                records.push(Stamped { at: entry.at, record: entry.record }.record);
            }
            Step::Entry(_) => {}
            damage @ Step::Damage { .. } => panic!("{when}: {damage:?}"),
        }
    }
    Some(records)
}

/// Everything that was told is there, in its order; nothing is damaged.
fn check(run: &Run, when: &str) {
    for (wanted, told) in &run.told.records {
        let Some(found) = own(&run.here, *wanted, when) else {
            assert!(run.told.removing.contains(wanted), "{when}: {wanted} is gone");
            continue;
        };
        let mut found = found.iter();
        for record in told {
            assert!(found.any(|other| other == record), "{when}: {record:?} of {wanted} is gone");
        }
    }
    for sessions in [&run.here, &run.there] {
        for wanted in sessions.ids().unwrap() {
            if own(sessions, wanted, when).is_some() {
                let verified = sessions.verify(wanted).unwrap();
                assert_eq!(verified.damage, [] as [String; 0], "{when}: {wanted}");
            }
        }
    }
    if run.told.imported.is_some() {
        assert!(own(&run.there, id(1), when).is_some(), "{when}");
        assert_eq!(own(&run.there, id(2), when).unwrap().pop(), Some(said("of the fork")), "{when}");
    }
    if !run.told.removing.is_empty() && !run.told.records.contains_key(&id(2)) {
        assert!(own(&run.here, id(2), when).is_none(), "{when}: what was removed is gone");
    }
}

/// What is there can be gone on with.
async fn go_on(run: &mut Run, when: &str) {
    for wanted in run.here.ids().unwrap() {
        if own(&run.here, wanted, when).is_some() {
            let resumed = run.here.resume(wanted, 9).await;
            let (session, _) = resumed.unwrap_or_else(|error| panic!("{when}: {error}"));
            run.say(session, vec![said("and on"), long()]).await.unwrap();
        }
    }
    check(run, when);
}

fn now<T>(act: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(act)
}

#[test]
fn one_operation_fails_and_what_was_acknowledged_is_read_and_gone_on_with() {
    for after in 0.. {
        let disk = Simulated::new(after);
        let mut run = run_on(&disk);
        disk.fail(after);
        now(async {
            let lived = run.live().await;
            if disk.failed().is_empty() {
                lived.unwrap();
            }
            disk.heal();
            let when = format!("after {:?}, operation {after}, failed", disk.failed());
            check(&run, &when);
            go_on(&mut run, &when).await;
        });
        if disk.failed().is_empty() {
            assert!(after > 100, "{after}");
            return;
        }
    }
}

#[test]
fn the_power_is_lost_at_every_operation_and_what_was_acknowledged_is_read_and_gone_on_with() {
    for after in 0.. {
        let mut failed = true;
        for seed in 0..4 {
            let disk = Simulated::new(after * 31 + seed);
            let mut run = run_on(&disk);
            disk.fail_from(after);
            now(async {
                let _ = run.live().await;
                failed = !disk.failed().is_empty();
                disk.crash(seed);
                let when = format!("after the power was lost at operation {after}, seed {seed}");
                check(&run, &when);
                go_on(&mut run, &when).await;
                disk.crash(seed + 100);
                check(&run, &when);
            });
        }
        if !failed {
            return;
        }
    }
}
