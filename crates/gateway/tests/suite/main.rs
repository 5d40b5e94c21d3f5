//! The gateway from outside: over real sockets, by clients that know the protocol and nothing else.

mod answers;
#[cfg(test)]
mod privacy;
mod resume;
mod sockets;
#[cfg(test)]
mod support;
