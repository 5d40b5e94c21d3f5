//! A model that can be trusted to misbehave.
//!
//! [`FakeModel`] speaks the Responses API over HTTP, server-sent events and WebSocket mode, on any byte stream: a
//! loopback socket or a simulated one. What it says is a [`Script`], or a function of what it was asked; how it
//! misbehaves is a [`FaultPlan`]; what it was told is in its [`Log`].

mod answer;
mod delivery;
mod events;
mod fault;
mod http;
mod memory;
mod millis;
mod play;
mod record;
mod refusal;
mod script;
mod server;
mod shared;
mod socket;
mod sse;
mod wire;
pub mod world;

pub use fault::{Fault, FaultPlan, On};
pub use record::{Entry, Happened, HttpRequest, Log, Seen};
pub use refusal::Refusal;
pub use script::{End, Output, Pace, Script, ScriptError, Turn};
pub use server::{FakeModel, RunningModel};
