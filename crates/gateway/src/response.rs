//! A response is a task of its own; everybody else listens to it.

pub(crate) mod account;
mod compact;
pub(crate) mod log;
pub(crate) mod run;
pub(crate) mod runs;
pub(crate) mod settled;
pub(crate) mod shape;
#[cfg(test)]
mod tests;
