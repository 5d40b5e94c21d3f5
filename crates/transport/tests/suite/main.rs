//! The transport against real servers on loopback.

#[cfg(test)]
mod chat;
#[cfg(test)]
mod contract;
#[cfg(unix)]
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod dial;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod lanes;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod rate_limits;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod reviewed;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod support;
#[cfg(test)]
mod turns;
