//! Stories from a seed.
//!
//! Real conversations of a real [`ModelClient`](transport::ModelClient) with a real [`FakeModel`](testkit::FakeModel),
//! over a network that delays, holds and loses what it is given, while the model misbehaves as planned. [`run`] plays
//! the story of a seed; [`faults`] measures what each fault costs, [`soak`] what thousands of turns leave behind.

mod dice;
pub mod faults;
mod ledger;
mod scene;
mod simulated;
pub mod soak;
mod story;
mod user;

pub use story::{Report, run};
