//! Durations in files: whole milliseconds.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

pub(crate) fn millis<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    u64::deserialize(from).map(Duration::from_millis)
}
