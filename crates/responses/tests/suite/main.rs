//! One binary for all integration tests of the crate: one link step instead of ten.

#[cfg(test)]
mod pair;

#[cfg(test)]
mod allocations;
#[cfg(test)]
mod chain_exhaustive;
#[cfg(test)]
mod chain_properties;
#[cfg(test)]
mod chain_turns;
#[cfg(test)]
mod compile_fail;
#[cfg(test)]
mod fold_streams;
#[cfg(test)]
mod hostile_input;
#[cfg(test)]
mod json_scan;
#[cfg(test)]
mod reviewed;
#[cfg(test)]
mod server_rules;
#[cfg(test)]
mod sse_chunks;
#[cfg(test)]
mod wire_round_trip;
