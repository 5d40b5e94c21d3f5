//! A log in memory, and what the tests do with a gate.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use policy::act::{Act, Actor, Hash, Role};
use policy::approval::{Answer, Question, Said, Unheard};
use policy::gate::{
    Answered, Asked, Begun, Bound, Call, Decided, Ended, Gate, Gated, NotRecorded, Outcome, Receipt, Recorder, Room,
    Ruling, Ticket, Wanted,
};
use policy::place::Path;
use policy::verdict::Verdict;

/// What happens to whoever writes to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// There is no room, for ever.
    NoRoom,
    /// Room is waited for without end.
    RoomPends,
    /// An entry is taken and does not become durable.
    NotDurable,
    /// The same for begins only.
    BeginNotDurable,
    /// The same for ends only.
    EndNotDurable,
    /// An entry is taken, and its durability is waited for without end.
    DurablePends,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Begun { call: String, input: Hash, verdict: Verdict, how: &'static str },
    Ended { call: String, ended: Ended },
    Asked { call: String, input: Hash },
    Answered { call: String, said: Said, unheard: Option<Unheard> },
}

#[derive(Clone)]
pub(crate) struct Log {
    mood: Arc<Mutex<Mood>>,
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Log {
    pub(crate) fn new(mood: Mood) -> Self {
        Self { mood: Arc::new(Mutex::new(mood)), entries: Arc::default() }
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }

    pub(crate) fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap()
    }

    fn put(&self, entry: Entry) -> Receipt {
        let mood = self.mood();
        let durable = match &entry {
            Entry::Begun { .. } => !matches!(mood, Mood::NotDurable | Mood::BeginNotDurable),
            Entry::Ended { .. } => !matches!(mood, Mood::NotDurable | Mood::EndNotDurable),
            Entry::Asked { .. } | Entry::Answered { .. } => mood != Mood::NotDurable,
        };
        self.entries().push(entry);
        Receipt::new(async move {
            if mood == Mood::DurablePends {
                std::future::pending::<()>().await;
            }
            durable.then_some(()).ok_or_else(full)
        })
    }

    /// The log in words: `begun c1 allow by rules`, `ended c1 done`.
    pub(crate) fn told(&self) -> Vec<String> {
        self.entries().iter().map(Entry::told).collect()
    }
}

impl Entry {
    fn told(&self) -> String {
        match self {
            Self::Begun { call, verdict, how, .. } => format!("begun {call} {verdict} by {how}"),
            Self::Ended { call, ended } => format!("ended {call} {}", ended.outcome.name()),
            Self::Asked { call, .. } => format!("asked {call}"),
            Self::Answered { call, said, unheard: None } => format!("answered {call} {}", said.name()),
            Self::Answered { call, said, unheard: Some(_) } => format!("answered {call} {} unheard", said.name()),
        }
    }
}

pub(crate) fn full() -> NotRecorded {
    NotRecorded { why: "the disk is full: make room".to_owned() }
}

pub(crate) struct Space(Log);

struct Stub {
    log: Log,
    call: String,
}

impl Recorder for Log {
    type Room = Space;

    async fn room(&self) -> Result<Space, NotRecorded> {
        match self.mood() {
            Mood::NoRoom => Err(full()),
            Mood::RoomPends => std::future::pending().await,
            _ => Ok(Space(self.clone())),
        }
    }

    async fn asked(&self, Asked { case, .. }: Asked<'_>) -> Result<(), NotRecorded> {
        self.put(Entry::Asked { call: case.call.id.clone(), input: case.input }).await
    }

    async fn answered(&self, Answered { case, answer, unheard }: Answered<'_>) -> Result<(), NotRecorded> {
        self.put(Entry::Answered { call: case.call.id.clone(), said: answer.said, unheard }).await
    }
}

impl Room for Space {
    fn begin(self, begun: Begun<'_>) -> (Box<dyn Ticket>, Receipt) {
        let how = match begun.decided {
            Decided::Rules => "rules",
            Decided::Answer(_) => "answer",
            Decided::Expiry => "expiry",
        };
        let call = begun.case.call.id.clone();
        let entry = Entry::Begun { call: call.clone(), input: begun.case.input, verdict: begun.verdict(), how };
        let receipt = self.0.put(entry);
        (Box::new(Stub { log: self.0, call }), receipt)
    }
}

impl Ticket for Stub {
    fn end(self: Box<Self>, ended: Ended) -> Receipt {
        self.log.put(Entry::Ended { call: self.call, ended })
    }
}

/// A command as whoever runs it has it: more than its act says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) line: String,
    pub(crate) variables: String,
}

impl Bound for Command {
    fn act(&self) -> Act {
        Act::Command { line: self.line.clone(), cwd: Path::absolute("/work") }
    }

    fn rest(&self) -> Hash {
        Hash::of(self.variables.as_bytes())
    }
}

pub(crate) fn command(line: &str) -> Command {
    Command { line: line.to_owned(), variables: String::new() }
}

pub(crate) fn actor(role: Role) -> Actor {
    Actor { name: format!("some {}", role.name()), role }
}

pub(crate) fn call(id: &str) -> Call {
    Call { session: "s1".to_owned(), id: id.to_owned() }
}

/// When questions of these tests are asked; an hour later it is too late.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(1)
}

pub(crate) fn too_late() -> SystemTime {
    now() + Duration::from_hours(1)
}

pub(crate) fn wanted<A>(payload: A) -> Wanted<A> {
    Wanted { payload, actor: actor(Role::Agent), call: call("c1"), until: too_late() }
}

pub(crate) fn ruling(verdict: Verdict) -> Ruling {
    Ruling { verdict, by: vec!["rule `rm` of rules.toml".to_owned()], policy: Hash::of(b"rules") }
}

pub(crate) fn answer<A>(question: &Question<A>, said: Said) -> Answer {
    let case = question.case();
    Answer { call: case.call.clone(), hash: case.input, by: actor(Role::Owner), said, reason: String::new() }
}

/// What comes out when a command is wanted and the rules say this.
pub(crate) fn judged(log: &Log, verdict: Verdict) -> Result<Gated<Command>, NotRecorded> {
    ready(Gate::new(log.clone()).judged(wanted(command("ls")), |_, _| ruling(verdict)))
}

pub(crate) fn question(log: &Log) -> Question<Command> {
    match judged(log, Verdict::Ask).unwrap() {
        Gated::Asked(question) => question,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn permit(log: &Log) -> policy::gate::Permit<Command> {
    match judged(log, Verdict::Allow).unwrap() {
        Gated::Permitted(permit) => permit,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn done() -> Ended {
    Ended { output: Some(Hash::of(b"out")), ..Ended::without_output(Outcome::Done) }
}

/// Runs a future as far as it comes at once.
pub(crate) fn poll<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(ready) => Some(ready),
        Poll::Pending => None,
    }
}

pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    poll(future).expect("nothing is waited for")
}
