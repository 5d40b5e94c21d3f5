//! The audit log as what a gate writes down to.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use policy::act::Actor;
use policy::gate::{self, Decided, NotRecorded};

use super::entry::{Answered, Asked, Begun, Case, Ended, Entry, Spent, Who};
use super::recorder::{Audit, Room, Ticket};
use crate::log::{LogError, Receipt};

impl gate::Recorder for Audit {
    type Room = Room;

    async fn room(&self) -> Result<Room, NotRecorded> {
        Self::room(self).await.map_err(not_recorded)
    }

    async fn asked(&self, asked: gate::Asked<'_>) -> Result<(), NotRecorded> {
        let gate::Asked { case: of, ruling, until } = asked;
        let asked = Asked { case: case(of), by: texts(&ruling.by), until: milliseconds(until) };
        self.record(Entry::Asked(asked)).await.map(drop).map_err(not_recorded)
    }

    async fn answered(&self, answered: gate::Answered<'_>) -> Result<(), NotRecorded> {
        let gate::Answered { case: of, answer, unheard } = answered;
        let answered = Answered {
            case: case(of),
            answerer: who(&answer.by),
            said: answer.said.name().into(),
            reason: answer.reason.as_str().into(),
            unheard: unheard.map(|unheard| unheard.to_string().into()),
        };
        self.record(Entry::Answered(answered)).await.map(drop).map_err(not_recorded)
    }
}

impl gate::Room for Room {
    fn begin(self, begun: gate::Begun<'_>) -> (Box<dyn gate::Ticket>, gate::Receipt) {
        let (ticket, receipt) = self.begin_act(begun);
        (Box::new(ticket), receipt)
    }
}

impl Room {
    /// Puts the begin into the log, without waiting.
    pub(crate) fn begin_act(self, begun: gate::Begun<'_>) -> (Ticket, gate::Receipt) {
        let gate::Begun { case: of, ruling, decided } = begun;
        let mut by = texts(&ruling.by);
        match decided {
            Decided::Rules => {}
            Decided::Answer(answer) => by.push(format!("{} said {}", answer.by.name, answer.said.name()).into()),
            Decided::Expiry => by.push("nobody answered in time".into()),
        }
        let verdict = begun.verdict().name().into();
        let (ticket, begun) = self.start(Begun { case: case(of), verdict, by, policy: Some(ruling.policy) });
        (ticket, receipt(begun))
    }
}

impl gate::Ticket for Ticket {
    fn end(self: Box<Self>, ended: gate::Ended) -> gate::Receipt {
        let gate::Ended { outcome, output, spent } = ended;
        let spent = Spent {
            tokens: spent.tokens,
            micro_dollars: spent.money.0,
            nanoseconds: u64::try_from(spent.time.as_nanos()).unwrap_or(u64::MAX),
            calls: spent.calls,
            bytes_written: spent.bytes_written,
            bytes_deleted: spent.bytes_deleted,
        };
        receipt(Self::end(*self, Ended { outcome: outcome.name().into(), output, spent }))
    }
}

fn receipt(written: Result<Receipt, LogError>) -> gate::Receipt {
    gate::Receipt::new(async {
        match written {
            Ok(receipt) => receipt.on_disk().await.map(drop).map_err(not_recorded),
            Err(error) => Err(not_recorded(error)),
        }
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where an error is mapped")]
fn not_recorded(error: LogError) -> NotRecorded {
    NotRecorded { why: error.to_string() }
}

fn case(of: &gate::Case) -> Case<'_> {
    Case {
        actor: who(&of.actor),
        session: of.call.session.as_str().into(),
        call: of.call.id.as_str().into(),
        what: of.what().into(),
        on: of.on().into(),
        input: Some(of.input),
    }
}

fn who(actor: &Actor) -> Who<'_> {
    Who { name: actor.name.as_str().into(), role: Some(actor.role) }
}

fn texts(texts: &[String]) -> Vec<Cow<'_, str>> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
