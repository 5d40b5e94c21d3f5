//! Money as a whole number.

use std::fmt;

use config::{ConfigError, Table};

/// An amount in millionths of a dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub u64);

const MICROS: u64 = 1_000_000;
const DECIMALS: usize = 6;

impl Money {
    /// Reads a setting in dollars, exactly as it is written.
    pub(super) fn read(table: &mut Table, key: &'static str) -> Result<Option<Self>, ConfigError> {
        let Some(dollars) = table.read::<f64>(key)? else { return Ok(None) };
        // Written out, a float has the digits that were read; no sum is ever made of floats.
        let money = Self::from_dollars(&dollars.to_string());
        let message = "expected dollars, not negative, with at most six decimals: 1.25";
        money.map(Some).ok_or_else(|| table.refuse(key, message))
    }

    fn from_dollars(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > DECIMALS {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let micros: u64 = format!("{fraction:0<DECIMALS$}").parse().ok()?;
        whole.checked_mul(MICROS)?.checked_add(micros).map(Self)
    }
}

/// In dollars: `$1.25`, `$0.000125`.
impl fmt::Display for Money {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:0DECIMALS$}", self.0 % MICROS);
        let cents = fraction.trim_end_matches('0');
        write!(to, "${}.{cents:0<2}", self.0 / MICROS)
    }
}
