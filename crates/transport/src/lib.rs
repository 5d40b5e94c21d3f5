//! Reach a model, and never lose a turn.
//!
//! A [`ModelClient`] knows one provider. It gives conversations: a [`Conversation`] drives itself, a [`Drive`] is driven
//! by whoever has it. Either is a `responses::chain::Chain`, which decides, and the links that it has to its server:
//! a lane of a WebSocket, or an exchange over HTTP. All bytes leave by one way, [`Dial`].

pub mod breaker;
mod caller;
mod chat_link;
mod compress;
mod conversation;
pub mod credentials;
pub mod dial;
mod drive;
mod head;
mod http;
mod lanes;
mod lines;
mod link;
mod metered;
mod model;
mod models;
mod probe;
pub mod provider;
pub mod proxy;
pub mod rate_limits;
mod route;
mod secret;
mod sse_link;
mod tasks;
pub mod tls;
mod websocket_link;

pub use conversation::{Conversation, Ended, Heard};
pub use dial::Dial;
pub use drive::{Drive, Told};
pub use head::Head;
pub use link::Text;
pub use model::{ModelClient, Options, Surroundings};
pub use models::ListedModel;
pub use probe::{Found, Probe, Problem, Verdict};
pub use provider::{Provider, Providers};
pub use route::{Choice, Why};
pub use secret::{BadSecret, Secret};
