//! The gateway from outside: over real sockets, by clients that know the protocol and nothing else.

#[cfg(test)]
mod access;
mod answers;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod privacy;
mod resume;
#[cfg(test)]
mod reviewed;
mod sockets;
#[cfg(test)]
mod support;
#[cfg(test)]
mod upstreams;
