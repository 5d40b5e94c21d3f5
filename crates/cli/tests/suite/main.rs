//! The real `capstan`, as a person meets it.

#[cfg(test)]
mod audit;
mod keys;
#[cfg(test)]
mod policy;
mod probe;
mod routes;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod sessions;
mod settings;
#[cfg(test)]
mod support;
mod usage;
