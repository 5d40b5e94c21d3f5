//! The response chain: what to send next, decided by plain state machines.
//!
//! [`Chain`] is the client's half: one conversation with one server. [`Connection`] is the server's half: one socket
//! with its lanes. Neither knows a socket, a clock or a task. Both are fed `handle_*(now, …)`, drained by
//! `poll_effect()`, and say when to wake by `poll_deadline()`; time is always an argument.
//!
//! The main idea is the [`Anchor`]: what the server is known to remember. "May I send only the new items?" is one
//! comparison of it with the line, the writing of the transcript and the settings, whatever the length of either.

mod anchor;
mod client;
mod limits;
mod link;
mod liveness;
mod notice;
mod retry;
mod route;
mod server;
mod time;
pub mod turn;

pub use anchor::{Anchor, Plan, WhyAll, plan};
pub use client::{Chain, Config, Heard, NotSteered, NotSubmitted, Seat, readable};
pub use limits::{Beat, Limits, Peer};
pub use link::{LinkId, Transport};
pub use notice::{Effect, Failure, Fault, Notice, Outcome, Trouble, TroubleKind, WhyHttp};
pub use retry::{Budget, Class, RetryPolicy};
pub use route::{Mode, RouteLimits};
pub use server::{
    Connection, ConnectionEffect, ConnectionLimits, Context, Powers, RunEvent, RunId, RunRequest, Shutdown,
};
pub use time::Time;
pub use turn::TurnId;
