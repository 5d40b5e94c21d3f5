//! What a model costs. Whole numbers all the way; a sum is rounded up once, at its end.

use std::collections::BTreeMap;

use config::{ConfigError, Table};

use super::Money;

/// What a million tokens of a model cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Tokens that the model reads.
    pub input: Money,
    /// Tokens of them that the server still had.
    pub cached_input: Money,
    /// Tokens that the model writes.
    pub output: Money,
}

/// Tokens of one answer, or as many as one may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// All that the model reads.
    pub input: u64,
    /// Those among them that the server still had.
    pub cached: u64,
    /// All that it writes, thoughts included.
    pub output: u64,
}

/// The price table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prices(BTreeMap<String, Price>);

/// Nobody said what a model costs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no price is known for the model {model:?}: set `input` and `output` in [prices.{model:?}], in dollars for a million \
     tokens"
)]
pub struct NoPrice {
    /// The model.
    pub model: String,
}

const MILLION: u128 = 1_000_000;

impl Prices {
    /// Reads the tables `[prices."…"]` of the settings, in dollars for a million tokens. Without `cached_input` such
    /// tokens cost what others do.
    pub fn read(settings: &mut Table) -> Result<Self, ConfigError> {
        let prices = settings.tables("prices")?.into_iter().map(|(model, mut table)| {
            let mut price = |key: &'static str| Money::read(&mut table, key);
            let (input, cached, output) = (price("input")?, price("cached_input")?, price("output")?);
            let missing = |key: &str| table.refuse(key, format!("`{key}` is not set: dollars for a million tokens"));
            let input = input.ok_or_else(|| missing("input"))?;
            let output = output.ok_or_else(|| missing("output"))?;
            table.finish()?;
            Ok((model, Price { input, cached_input: cached.unwrap_or(input), output }))
        });
        prices.collect::<Result<_, _>>().map(Self)
    }

    /// What these tokens of a model cost, by the name that the table has for it.
    pub fn cost(&self, model: &str, tokens: Tokens) -> Result<Money, NoPrice> {
        let price = self.0.get(model).ok_or_else(|| NoPrice { model: model.to_owned() })?;
        let cached = tokens.cached.min(tokens.input);
        let parts = [(tokens.input - cached, price.input), (cached, price.cached_input), (tokens.output, price.output)];
        let sum = parts.into_iter().fold(0_u128, |sum, (tokens, Money(micros))| {
            sum.saturating_add(u128::from(tokens).saturating_mul(u128::from(micros)))
        });
        Ok(Money(u64::try_from(sum.div_ceil(MILLION)).unwrap_or(u64::MAX)))
    }
}
