//! What a hostile reader tried.

mod audit;
mod deep;
mod faults;
mod hooked;
mod hostile;
mod kept;
mod races;
mod secrets;
