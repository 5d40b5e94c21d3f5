//! The Responses API with WebSocket mode in front of any backend.
//!
//! A response is a task of its own, with its own log of events; sockets and HTTP requests only watch it. Streaming, not
//! streaming, background, retrieval, resumption, idempotency and cancel are then one mechanism.

mod owner;

pub use owner::Owner;
