//! The real `capstan`, as a person meets it.

mod probe;
mod routes;
mod settings;
#[cfg(test)]
mod support;
mod usage;
