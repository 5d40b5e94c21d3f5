//! The model over real sockets: what it says, how it misbehaves, what it remembers of its clients.

#[cfg(test)]
mod admit;
#[cfg(test)]
mod chat;
mod cut;
mod http;
mod life;
mod misbehave;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod secure;
mod simulated;
mod socket;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trust;
