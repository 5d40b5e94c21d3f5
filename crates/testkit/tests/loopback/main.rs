//! The model over real sockets: what it says, how it misbehaves, what it remembers of its clients.

mod cut;
mod http;
mod life;
mod misbehave;
mod simulated;
mod socket;
#[cfg(test)]
mod support;
