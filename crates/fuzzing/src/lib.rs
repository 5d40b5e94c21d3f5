//! What must hold for every input, whoever sent it.
//!
//! One function for each target of the fuzzer. The fuzzer feeds it bytes of its own; the test of this crate feeds it
//! what was worth keeping, so that `cargo test` knows all that a fuzzer ever found.

mod chain_operations;
mod client_frame;
mod command_line;
mod journal_recovery;
mod rule_file;
mod server_event;
mod sse;

pub use chain_operations::chain_operations;
pub use client_frame::client_frame;
pub use command_line::command_line;
pub use journal_recovery::journal_recovery;
pub use rule_file::rule_file;
pub use server_event::server_event;
pub use sse::sse;

/// The property of a target, by the target's name.
pub fn property(target: &str) -> Option<fn(&[u8])> {
    Some(match target {
        "chain_operations" => chain_operations,
        "client_frame" => client_frame,
        "command_line" => command_line,
        "journal_recovery" => journal_recovery,
        "rule_file" => rule_file,
        "server_event" => server_event,
        "sse" => sse,
        _ => return None,
    })
}

/// The lines of the input that are text.
fn lines(data: &[u8]) -> impl Iterator<Item = &str> {
    data.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok())
}
