//! What a hostile reader found, each once a failing test.

mod chains;
mod doors;
mod more;
mod refusals;
mod rest;
mod streams;
