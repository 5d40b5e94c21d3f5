//! Writes down what goes through a gate: in the audit log, and in the session in which it happens.
//!
//! The audit log tells others who did what; the session tells whoever goes on with it what was begun, and with the whole
//! act what other rules would have decided.

use std::sync::Arc;

use policy::act::Act;
use policy::gate::{self, Begun, Ended, NotRecorded, Receipt};
use policy::place::Path;
use responses::id::CallId;

use crate::audit::entry::MAX_BY;
use crate::audit::{self, Audit, Clock};
use crate::log::LogError;
use crate::record::{self, Record};
use crate::sessions::{Session, Slot};

/// The longest command, task or list of paths that a session keeps with the begin of an act.
const MAX_ACT: usize = 64 << 10;

/// Writes into two logs. What it says is written is in both.
pub struct Recorder {
    audit: Audit,
    session: Arc<Session>,
    clock: Clock,
}

impl Recorder {
    /// Writes into this log and this session.
    pub fn new(audit: Audit, session: Arc<Session>, clock: Clock) -> Self {
        Self { audit, session, clock }
    }

    async fn note(&self, record: Record) -> Result<(), NotRecorded> {
        let noted = self.session.append((self.clock)(), record).await;
        noted.map(drop).map_err(|error| NotRecorded { why: error.to_string() })
    }
}

/// Room for the begin and the end of one act in both logs.
pub struct Room {
    audit: audit::Room,
    session: [Slot; 2],
    clock: Clock,
}

/// Room for the end of one act in both logs.
struct Ticket {
    audit: audit::Ticket,
    session: Slot,
    clock: Clock,
}

impl gate::Recorder for Recorder {
    type Room = Room;

    /// The audit log lets so few in that all of them find room in a session.
    async fn room(&self) -> Result<Room, NotRecorded> {
        let audit = gate::Recorder::room(&self.audit).await?;
        let session = self.session.room().await.map_err(not_recorded)?;
        Ok(Room { audit, session, clock: Arc::clone(&self.clock) })
    }

    async fn asked(&self, asked: gate::Asked<'_>) -> Result<(), NotRecorded> {
        let case = asked.case;
        let call = Some(CallId::from(case.call.id.as_str()));
        let text = format!("{} `{}`: {}", case.what(), case.on(), asked.ruling.by.join("; "));
        let question = question(case);
        self.note(Record::Asked(record::Asked { question, call, act: case.input, text })).await?;
        self.audit.asked(asked).await
    }

    async fn answered(&self, answered: gate::Answered<'_>) -> Result<(), NotRecorded> {
        self.audit.answered(answered).await?;
        if answered.unheard.is_some() {
            return Ok(());
        }
        let answer = record::Answered {
            question: question(answered.case),
            answer: answered.answer.said.name().to_owned(),
            by: answered.answer.by.name.clone(),
        };
        self.note(Record::Answered(answer)).await
    }
}

/// What a question is called: the call and what exactly was asked, for a changed call is another question.
fn question(case: &gate::Case) -> String {
    format!("{}-{}", case.call.id, case.input)
}

impl gate::Room for Room {
    fn begin(self, begun: Begun<'_>) -> (Box<dyn gate::Ticket>, Receipt) {
        let Self { audit, session: [first, session], clock } = self;
        let (audit, in_audit) = audit.begin_act(begun);
        let record = Record::Begun(of(audit.act(), &begun));
        let in_session = first.write(clock(), &record);
        (Box::new(Ticket { audit, session, clock }), both(in_audit, in_session))
    }
}

impl gate::Ticket for Ticket {
    fn end(self: Box<Self>, ended: Ended) -> Receipt {
        let Self { audit, session, clock } = *self;
        let record = Record::Ended { permit: audit.act().to_owned(), how: ended.outcome.name().to_owned() };
        let in_session = session.write(clock(), &record);
        both(gate::Ticket::end(Box::new(audit), ended), in_session)
    }
}

fn of(permit: &str, begun: &Begun<'_>) -> record::Begun {
    let gate::Case { call, actor, act, input } = begun.case;
    record::Begun {
        permit: permit.to_owned(),
        call: Some(CallId::from(call.id.as_str())),
        actor: actor.clone(),
        act: Some(act.clone()).filter(|act| length(act) <= MAX_ACT),
        input: *input,
        ruled: begun.ruling.verdict,
        verdict: begun.verdict(),
        by: begun.ruling.by.iter().take(MAX_BY).cloned().collect(),
        policy: begun.ruling.policy,
    }
}

/// About how long the text of an act is.
fn length(act: &Act) -> usize {
    let all = |paths: &[Path]| paths.iter().map(|path| path.as_str().len()).sum::<usize>();
    match act {
        Act::Command { line, cwd } => line.len() + cwd.as_str().len(),
        Act::Read { paths } => all(paths),
        Act::Change { writes, deletes, .. } => all(writes) + all(deletes),
        Act::Connect { host, .. } => host.len(),
        Act::Tool { server, name, .. } => server.len() + name.len(),
        Act::Ask { model, .. } => model.len(),
        Act::Spawn { task } => task.len(),
    }
}

/// Ready when it is in both logs.
fn both(in_audit: Receipt, in_session: Result<crate::log::Receipt, LogError>) -> Receipt {
    Receipt::new(async {
        in_audit.await?;
        in_session.map_err(not_recorded)?.on_disk().await.map(drop).map_err(not_recorded)
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where an error is mapped")]
fn not_recorded(error: LogError) -> NotRecorded {
    NotRecorded { why: error.to_string() }
}
