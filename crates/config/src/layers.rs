//! Which source is stronger.

use std::fmt;

use crate::error::ConfigError;
use crate::key;
use crate::node::{Branch, lay};
use crate::origin::Source;
use crate::parse;
use crate::secret::HIDDEN;
use crate::table::Table;

/// The most characters of an argument without a key that are shown: enough to find it, too few for a secret.
const MAX_HEAD: usize = 24;

/// Collects settings. Built-in ones are the weakest, then come files, the environment, and arguments. Among equals the
/// later one is stronger.
#[derive(Default)]
pub struct Layers {
    layers: Vec<(Strength, Branch)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    BuiltIn,
    File,
    Environment,
    Argument,
}

impl Layers {
    /// No settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the defaults of the program.
    pub fn built_in(self, text: &str) -> Result<Self, ConfigError> {
        Ok(self.with(Strength::BuiltIn, parse::file(Source::BuiltIn, text)?))
    }

    /// Adds the text of a file. The path is what errors name.
    pub fn file(self, path: &str, text: &str) -> Result<Self, ConfigError> {
        Ok(self.with(Strength::File, parse::file(Source::File(path.to_owned()), text)?))
    }

    /// Adds what an environment variable says about a dotted key. Its value is read like that of an argument.
    pub fn environment(self, variable: &str, key: &str, value: &str) -> Result<Self, ConfigError> {
        let source = Source::Variable(variable.to_owned());
        let Some(path) = key::parts(key) else {
            return Err(ConfigError::without_line(source.to_string(), format!("{key:?} is not a dotted key")));
        };
        Ok(self.with(Strength::Environment, parse::value(source, path, value)?))
    }

    /// Adds `key=value`. The key may be dotted; the value is TOML if it can be read as such, else it is text.
    pub fn argument(self, text: &str) -> Result<Self, ConfigError> {
        let (key, value) = split(text)
            .ok_or_else(|| ConfigError::without_line(format!("-c {}", head(text)), "no value: use -c key=value"))?;
        let Some(path) = key::parts(key) else {
            let message = "not a key: use -c key=value, with dots between the parts of the key";
            return Err(ConfigError::without_line(format!("-c {}", head(key)), message));
        };
        let source = Source::Argument(key::dotted(path.iter().map(String::as_str)));
        Ok(self.with(Strength::Argument, parse::value(source, path, value)?))
    }

    /// One table of all settings, each from the strongest source that has it.
    pub fn merge(mut self) -> Table {
        self.layers.sort_by_key(|(strength, _)| *strength);
        let mut merged = Branch::new();
        for (_, layer) in self.layers {
            lay(&mut merged, layer);
        }
        Table::root(merged)
    }

    fn with(mut self, strength: Strength, layer: Branch) -> Self {
        self.layers.push((strength, layer));
        self
    }
}

/// Without the settings: they may hold secrets.
impl fmt::Debug for Layers {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Layers({})", self.layers.len())
    }
}

/// What is before and after the first equals sign that is not within quotes.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut within = None;
    let at = text.find(|letter: char| {
        match within {
            None if matches!(letter, '"' | '\'') => within = Some(letter),
            Some(quote) if letter == quote => within = None,
            _ => {}
        }
        within.is_none() && letter == '='
    })?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The beginning of an argument, as far as it looks like a key.
fn head(text: &str) -> String {
    let in_key = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let head: String = text.chars().take_while(in_key).take(MAX_HEAD).collect();
    if head.len() == text.len() && !head.is_empty() { head } else { head + HIDDEN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_split_at_its_first_equals_sign_outside_of_quotes() {
        for (text, expected) in [
            ("a=b", Some(("a", "b"))),
            ("a=b=c", Some(("a", "b=c"))),
            ("=", Some(("", ""))),
            ("'a=b'.\"c='\"=d", Some(("'a=b'.\"c='\"", "d"))),
            ("a", None),
            ("", None),
            ("'a=b", None),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn little_is_shown_of_what_is_not_a_key() {
        assert_eq!(head("model"), "model");
        assert_eq!(head("api_key:sk-123"), "api_key…");
        assert_eq!(head(&"x".repeat(1000)), "x".repeat(MAX_HEAD) + "…");
        assert_eq!(head(""), "…");
    }
}
