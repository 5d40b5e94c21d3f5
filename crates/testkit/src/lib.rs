//! A model that can be trusted to misbehave.
//!
//! [`FakeModel`] speaks the Responses API over HTTP, server-sent events and WebSocket mode, on any byte stream: a
//! loopback socket, with [TLS](tls) and HTTP/2 if the client likes, or a simulated one. What it says is a [`Script`], or
//! a function of what it was asked; how it misbehaves is a [`FaultPlan`]; what it was told is in its [`Log`].
//!
//! Around it is what real clients meet on their way: [proxies](proxy), distance ([`Relay`]), and a server that speaks
//! Chat Completions and nothing else ([`ChatModel`]).

mod answer;
mod body;
mod chat;
mod connection;
mod delivery;
mod events;
mod fault;
mod http;
mod lock;
mod memory;
mod millis;
mod play;
pub mod proxy;
mod record;
mod refusal;
mod relay;
mod script;
mod server;
mod serving;
mod shared;
mod socket;
mod sse;
pub mod tls;
mod wire;

pub use chat::{ChatModel, RunningChatModel};
pub use fault::{Fault, FaultPlan, On};
pub use record::{Entry, Happened, HttpRequest, Log, Seen};
pub use refusal::Refusal;
pub use relay::Relay;
pub use script::{End, Output, Pace, Script, ScriptError, Turn};
pub use server::{FakeModel, RunningModel};
