//! The real `capstan`, as a person meets it.

mod keys;
mod probe;
mod routes;
#[cfg(test)]
mod serve;
mod settings;
#[cfg(test)]
mod support;
mod usage;
