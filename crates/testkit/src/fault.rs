//! How the model misbehaves, by name.

use std::time::Duration;

use serde::Deserialize;

use crate::millis::millis;
use crate::refusal::Refusal;

/// One way to misbehave. Frames are the text messages of a socket and the events of a stream alike.
///
/// On a connection, frames and bytes are counted from its beginning, and what happens to their order over HTTP from the
/// beginning of each response. On a request, all is counted from when the model begins with it, and ends with it.
///
/// Faults of the line are those of HTTP/1.1 and sockets. Over HTTP/2 it breaks after bytes and reads slowly, for all
/// requests it carries and until it ends; it knows no frames, so that it neither breaks nor freezes after any.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Answers the upgrade with an error. Only on connections.
    RefuseUpgrade {
        /// Its status.
        status: u16,
        /// Seconds to wait before asking again.
        retry_after: Option<u64>,
    },
    /// Never answers the upgrade. Only on connections.
    HangUpgrade,
    /// Closes a socket with 1009 when a message is larger than this. Only on connections.
    LargestMessage(usize),
    /// Ends a socket at this age. Only on connections.
    #[serde(rename = "age_limit_ms")]
    AgeLimit(#[serde(deserialize_with = "millis")] Duration),
    /// After so many frames says nothing more, but reads, and answers pings.
    SilentAfter(usize),
    /// After so many frames neither reads nor writes, and does not close either.
    HalfOpenAfter(usize),
    /// The line breaks after so many frames.
    CutAfterFrames(usize),
    /// The line breaks within the frame that comes after so many.
    CutInFrame(usize),
    /// The line breaks after so many bytes.
    CutAfterBytes(u64),
    /// Closes after so many frames: a socket with a code, a stream by ending.
    CloseAfter {
        /// How many frames.
        frames: usize,
        /// The close code of a socket.
        code: u16,
    },
    /// Reads so many bytes at a time, with a pause after each.
    SlowReader {
        /// How many.
        bytes: usize,
        /// How long a pause.
        #[serde(rename = "pause_ms", deserialize_with = "millis")]
        pause: Duration,
    },
    /// Answers no pings; everything else goes on.
    PingsUnanswered,
    /// Sends the n-th frame twice.
    Duplicate(usize),
    /// Sends the n-th frame after the one that follows it.
    Swap(usize),
    /// Does not know the previous response, if the request names one.
    ForgetPrevious,
    /// Answers with an error in place of the model.
    Refuse(Refusal),
    /// Answers with a status and a page, as a proxy does; on a socket, the page is the message of an error.
    HtmlError(u16),
    /// Answers with a stream that has no events; on a socket, the response is lost.
    EmptyStream,
    /// The last event has no `output`.
    TerminalWithoutOutput,
    /// Items come whole, in `output_item.done` and in no other event.
    ItemsOnlyDone,
    /// Each event has another id for the same item.
    RotatedIds,
    /// Error events of the model have the flat shape of the published schema.
    FlatErrors,
}

/// Where a fault happens. Everything is counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum On {
    /// The n-th connection.
    Connection(u64),
    /// Every connection.
    EveryConnection,
    /// The n-th request for the model to say something. Requests that are refused count, warm-ups do not.
    Request(u64),
    /// Every such request.
    EveryRequest,
}

/// Which faults happen where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct FaultPlan {
    placed: Vec<Placed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Placed {
    on: On,
    fault: Fault,
}

/// A fault of connections was placed on a request, where it would never happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} can happen only on connections")]
pub struct ConnectionsOnly(Box<Fault>);

impl FaultPlan {
    /// Adds a fault.
    #[must_use]
    pub fn on(mut self, on: On, fault: Fault) -> Self {
        self.placed.push(Placed { on, fault });
        self
    }

    pub(crate) fn extend(&mut self, more: Self) {
        self.placed.extend(more.placed);
    }

    /// A fault that can never happen would make the test that asks for it pass for no reason.
    pub(crate) fn check(&self) -> Result<(), ConnectionsOnly> {
        let misplaced = self.placed.iter().find(|placed| {
            matches!(placed.on, On::Request(_) | On::EveryRequest) && placed.fault.is_of_connections_only()
        });
        misplaced.map_or(Ok(()), |placed| Err(ConnectionsOnly(Box::new(placed.fault.clone()))))
    }

    pub(crate) fn of_connection(&self, number: u64) -> Vec<Fault> {
        self.pick(|on| on == On::EveryConnection || on == On::Connection(number))
    }

    pub(crate) fn of_request(&self, number: u64) -> Vec<Fault> {
        self.pick(|on| on == On::EveryRequest || on == On::Request(number))
    }

    fn pick(&self, here: impl Fn(On) -> bool) -> Vec<Fault> {
        self.placed.iter().filter(|placed| here(placed.on)).map(|placed| placed.fault.clone()).collect()
    }
}

impl Fault {
    fn is_of_connections_only(&self) -> bool {
        matches!(self, Self::RefuseUpgrade { .. } | Self::HangUpgrade | Self::LargestMessage(_) | Self::AgeLimit(_))
    }
}
