//! Which models a key may use.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::KeysError;

/// How many patterns a key may have.
const MAX_PATTERNS: usize = 64;

/// How long a pattern may be. Names of models are shorter.
const MAX_PATTERN_BYTES: usize = 128;

/// Patterns of names, in which `*` stands for any characters. Without a pattern, all models are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Box<str>>", into = "Vec<Box<str>>")]
pub struct Models(Vec<Box<str>>);

impl Models {
    /// The models that these patterns mean.
    pub fn new(patterns: impl IntoIterator<Item = impl Into<Box<str>>>) -> Result<Self, KeysError> {
        // One more than may be is enough to refuse them all.
        let patterns: Vec<Box<str>> = patterns.into_iter().take(MAX_PATTERNS + 1).map(Into::into).collect();
        let is_pattern = |text: &str| (1..=MAX_PATTERN_BYTES).contains(&text.len()) && text.bytes().all(is_plain);
        if patterns.len() > MAX_PATTERNS || !patterns.iter().all(|text| is_pattern(text)) {
            return Err(KeysError::Models { most: MAX_PATTERNS });
        }
        Ok(Self(patterns))
    }

    /// Whether the model of this name is meant.
    pub fn allow(&self, model: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| matches(pattern, model))
    }

    /// The patterns; none if all models are meant.
    pub fn patterns(&self) -> &[Box<str>] {
        &self.0
    }
}

impl fmt::Display for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("all");
        }
        f.write_str(&self.0.join(", "))
    }
}

impl TryFrom<Vec<Box<str>>> for Models {
    type Error = KeysError;

    fn try_from(patterns: Vec<Box<str>>) -> Result<Self, KeysError> {
        Self::new(patterns)
    }
}

impl From<Models> for Vec<Box<str>> {
    fn from(models: Models) -> Self {
        models.0
    }
}

/// A comma stands between patterns where they are written in one line.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b','
}

/// The shortest match of each piece leaves the most for those after it, so nothing is tried twice.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(rest) = pieces.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    pieces.all(|piece| match rest.split_once(piece) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_nothing_else_for_anything() {
        let cases = [
            ("gpt-5", "gpt-5", true),
            ("gpt-5", "gpt-5-mini", false),
            ("gpt-5", "my-gpt-5", false),
            ("gpt-*", "gpt-5", true),
            ("gpt-*", "gpt-", true),
            ("gpt-*", "gpt", false),
            ("*", "anything/at:all", true),
            ("*", "", true),
            ("**", "", true),
            ("*-mini", "gpt-5-mini", true),
            ("*-mini", "gpt-5-mini-2", false),
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*bc*bc", "abcbc", true),
            ("a*bc*bc", "abc", false),
            ("gpt-?", "gpt-5", false),
            ("gpt.5", "gpt-5", false),
            ("GPT-*", "gpt-5", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(Models::new([pattern]).unwrap().allow(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn without_patterns_all_models_are_meant_and_with_several_any_of_them() {
        assert!(Models::default().allow("o3"));
        let two = Models::new(["gpt-*", "o3"]).unwrap();
        assert!(two.allow("gpt-5") && two.allow("o3") && !two.allow("o4"));
        assert_eq!((Models::default().to_string(), two.to_string()), ("all".to_owned(), "gpt-*, o3".to_owned()));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let (long, longest) = ("x".repeat(MAX_PATTERN_BYTES + 1), "x".repeat(MAX_PATTERN_BYTES));
        for wrong in ["", " ", "gpt 5", "a,b", "a\u{1b}[31m", "\u{e9}", &long] {
            assert_eq!(Models::new([wrong]), Err(KeysError::Models { most: MAX_PATTERNS }), "{wrong}");
        }
        assert!(Models::new([longest.as_str()]).is_ok());
        assert!(Models::new(vec!["x"; MAX_PATTERNS]).is_ok());
        assert!(Models::new(vec!["x"; MAX_PATTERNS + 1]).is_err());
    }
}
