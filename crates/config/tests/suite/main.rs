//! One binary for all integration tests of the crate.

#[cfg(test)]
mod errors;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod secrets;

#[cfg(test)]
use config::{Layers, Table};

#[cfg(test)]
const PATH: &str = "~/.capstan/config.toml";

/// The settings of one file.
#[cfg(test)]
fn file(text: &str) -> Table {
    Layers::new().file(PATH, text).unwrap().merge()
}
