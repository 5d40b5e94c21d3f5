//! The Responses API with WebSocket mode in front of any backend.
//!
//! A response is a task of its own, with its own log of events; sockets and HTTP requests only watch it. Streaming, not
//! streaming, background, retrieval, resumption, idempotency and cancel are then one mechanism.

mod admit;
pub mod backend;
mod catalogue;
mod check;
mod compacting;
mod compaction;
mod engine;
mod gateway;
mod http;
pub mod keys;
mod metrics;
mod owner;
mod response;
mod scripted;
mod seal;
mod server;
pub mod settings;
mod socket;
mod store;

pub use gateway::{Gateway, StartError, ToDial};
pub use owner::Owner;
pub use seal::SealError;
pub use settings::Settings;
pub use store::StoreError;
