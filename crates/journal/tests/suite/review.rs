//! What a hostile reader tried.

mod deep;
mod faults;
mod hooked;
mod hostile;
mod races;
mod secrets;
