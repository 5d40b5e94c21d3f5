//! The audit log, from inside and from outside.

mod crash;
mod damage;
mod entries;
mod merkle;
mod proofs;
#[cfg(test)]
pub(crate) mod room;
mod writing;
