//! One binary for all integration tests of the crate: one link step instead of ten.

mod pair;

mod chain_exhaustive;
mod chain_properties;
mod chain_turns;
mod compile_fail;
mod cost;
mod fold_streams;
mod hostile_input;
mod server_rules;
mod sse_chunks;
mod wire_round_trip;
