//! The Responses API as data and as state machines: no clock, no socket, no disk, no runtime.
//!
//! Start with [`item`] (what a conversation is made of) and [`request`] (what is asked for); [`event`] and [`fold`]
//! turn what a server sends into a finished response; [`chain`] decides what to send next, and survives what happens.

pub mod chain;
pub mod error;
pub mod event;
pub mod fold;
pub mod frame;
pub mod id;
pub mod item;
pub mod json;
mod macros;
pub mod request;
pub mod sse;
pub mod tool_spec;
pub mod transcript;
pub mod usage;
