//! The audit log, from inside and from outside.

mod crash;
mod damage;
mod entries;
mod merkle;
mod proofs;
#[cfg(test)]
mod room;
mod writing;
