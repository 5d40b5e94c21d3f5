//! What a hostile reader found, kept as tests.

mod exchanges;
mod sockets;
