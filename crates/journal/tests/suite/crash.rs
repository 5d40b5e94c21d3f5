//! Whatever fails and whenever the power is lost: what was acknowledged is there, and nothing is mangled.

mod faults;
mod ledger;
mod told;
