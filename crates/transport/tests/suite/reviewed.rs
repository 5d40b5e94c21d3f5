//! What a hostile reader found, kept as tests.

mod after;
mod exchanges;
mod sockets;
