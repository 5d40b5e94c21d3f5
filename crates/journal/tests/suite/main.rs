//! The journal as its users see it.

#[cfg(test)]
mod log;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod crash;
