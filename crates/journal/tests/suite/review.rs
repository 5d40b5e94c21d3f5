//! What a hostile reader tried.

mod audit;
mod deep;
mod faults;
mod hooked;
mod hostile;
mod races;
mod secrets;
