//! The transport against real servers on loopback.

#[cfg(unix)]
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod rate_limits;
#[cfg(test)]
mod support;
#[cfg(test)]
mod turns;
