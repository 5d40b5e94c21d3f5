//! What a chain asks for, and what it tells.

use super::anchor::WhyAll;
use super::link::{LinkId, Transport};
use super::retry::Class;
use super::time::Time;
use super::turn::TurnId;
use crate::error::ApiError;
use crate::fold::Response;
use crate::item::Item;

/// What a chain asks its owner to do, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Open a socket, and answer with `handle_open`, `handle_refused` or `handle_unreachable`.
    Open(LinkId),
    /// Send a message over a socket.
    Send(LinkId, String),
    /// Send a request over HTTP, and feed its events as if they came over a socket of this name.
    Post(LinkId, String),
    /// Send a ping.
    Ping(LinkId),
    /// Drop a socket or a request, at once. Nothing more is heard from it.
    Close(LinkId),
    /// Tell whoever watches.
    Tell(Notice),
}

/// What a chain tells those who watch.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A request left.
    Sent {
        /// For which turn.
        turn: TurnId,
        /// How.
        transport: Transport,
        /// Why not over a socket, if it was not.
        why_http: Option<WhyHttp>,
        /// Why all of it, if it was all.
        all: Option<WhyAll>,
        /// How many items.
        items: usize,
        /// How many bytes.
        bytes: usize,
    },
    /// An item is whole. It is told once, and stays unless a `Dropped` for its turn says otherwise.
    Item {
        /// Of which turn.
        turn: TurnId,
        /// Where in the response.
        index: u32,
        /// The item.
        item: Item,
    },
    /// The rest of the answer will not come: forget partial text. What was whole is in the transcript, thoughts that
    /// led nowhere aside.
    Dropped {
        /// Of which turn.
        turn: TurnId,
        /// How many items were kept.
        kept: usize,
        /// Why.
        fault: Fault,
    },
    /// A turn waits.
    Waiting {
        /// Which.
        turn: TurnId,
        /// Until when.
        until: Time,
        /// For what.
        class: Class,
        /// What happened.
        fault: Fault,
    },
    /// Sockets are left alone for a while.
    WebSocketOff {
        /// Until when.
        until: Time,
        /// Why.
        fault: Fault,
    },
    /// A socket is open and in use again.
    WebSocketOn,
    /// A steer took effect: what was said is in the transcript, and the turn goes on with a new response.
    Steered {
        /// Which turn.
        turn: TurnId,
        /// The response it ended.
        response: Box<Response>,
    },
    /// A steer did not take effect. What was said is yours again.
    SteerReturned {
        /// What was said.
        items: Vec<Item>,
        /// Why, where the server said so.
        error: Option<Box<ApiError>>,
    },
    /// A turn ended. Nothing more is told of it.
    Ended {
        /// Which.
        turn: TurnId,
        /// How.
        outcome: Outcome,
    },
}

/// Why a request leaves over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhyHttp {
    /// Nothing else is wanted.
    Wanted,
    /// Sockets are left alone for a while: they failed before, or the server has none.
    SocketsAvoided,
    /// The socket took too long to open, and joins later.
    SocketLate,
    /// The message is larger than the server takes over a socket.
    TooLarge,
    /// Sockets failed this very turn.
    SocketsFailed,
}

/// How a turn ended. Whatever it says, the transcript holds all that was whole.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The model said all it wanted, or all it could.
    Answered(Box<Response>),
    /// The line broke after calls were whole. They may be running already: answer them and submit again.
    CallsFirst(Fault),
    /// The server is warm.
    Warm,
    /// Warming did not work out. Nothing is lost by it.
    Cold,
    /// The user stopped it.
    Cancelled,
    /// It did not work, and will not by asking again.
    Failed(Failure),
}

/// Why a turn failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The server refuses.
    #[error("{0}: {advice}", advice = .0.meaning().advice)]
    Refused(Box<ApiError>),
    /// The server has no WebSocket, and nothing else is allowed.
    #[error("the server has no websocket ({0}): use transport auto or http")]
    NoWebSocket(Box<ApiError>),
    /// It was tried as often and as long as the policy allows.
    #[error("gave up: {0}{advice}", advice = .0.advice())]
    GaveUp(Fault),
    /// The message is larger than the server takes, and only a socket is allowed.
    #[error(
        "the request has {bytes} bytes and the server takes {limit} over a websocket: use transport auto or http, or compact"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
}

/// Why a server could not be reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{kind}{}{detail}", if detail.is_empty() { "" } else { ": " })]
pub struct Trouble {
    /// In which part of the way it was.
    pub kind: TroubleKind,
    /// What happened there and what to do, where that is known.
    pub detail: Box<str>,
}

impl Trouble {
    /// A trouble, in short and in detail.
    pub fn new(kind: TroubleKind, detail: impl Into<Box<str>>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

/// In which part of the way to a server it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TroubleKind {
    /// Its name is not known.
    #[error("its name could not be resolved")]
    Name,
    /// Nothing answers there.
    #[error("nothing answers at its address")]
    Connect,
    /// TLS failed.
    #[error("the TLS handshake failed")]
    Tls,
    /// The proxy refuses.
    #[error("the proxy refuses")]
    Proxy,
    /// It took too long.
    #[error("it took too long")]
    Timeout,
}

/// What went wrong with a line or a response.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The other end closed, or the line broke.
    #[error("the line was lost{}", .0.map(|code| format!(" (close code {code})")).unwrap_or_default())]
    Closed(Option<u16>),
    /// The other end answers no pings.
    #[error("the line is dead: no answer to pings")]
    Dead,
    /// Nothing was said for too long.
    #[error("the server said nothing for too long")]
    Silent,
    /// What came made no sense.
    #[error("the server sent something unreadable: {0}")]
    Unreadable(Box<str>),
    /// A response came that nobody asked for.
    #[error("the server sent a response that was not asked for")]
    Unasked,
    /// The message was too large for the line.
    #[error("the message is too large for the server's websocket")]
    TooLarge,
    /// The server reports an error.
    #[error("{0}")]
    Api(Box<ApiError>),
    /// The server could not be reached.
    #[error("the server could not be reached: {0}")]
    Unreachable(Trouble),
    /// A steer was without answer for too long.
    #[error("the server did not say what became of a steer")]
    SteerLost,
}

impl Fault {
    /// What a person can do when asking again did not help.
    fn advice(&self) -> std::borrow::Cow<'static, str> {
        match self {
            Self::Api(error) => format!(": {}", error.meaning().advice).into(),
            Self::TooLarge => ": use transport auto or http, or compact".into(),
            // The detail says what to do.
            Self::Unreachable(trouble) if !trouble.detail.is_empty() => "".into(),
            _ => {
                ": check the network and what stands before the server, then submit again: nothing said is lost".into()
            }
        }
    }
}
