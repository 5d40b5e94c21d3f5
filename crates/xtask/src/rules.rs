//! `tidy.toml`: the numbers and tables the checks compare the repository with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;
use toml::Spanned;

/// Where the rules are written.
pub(crate) const RULES: &str = "tidy.toml";

/// From a crate to the crates it may depend on; keys and values know where they are written.
pub(crate) type ArrowTable = BTreeMap<Spanned<String>, Vec<Spanned<String>>>;

/// Everything in `tidy.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    /// How long and how deep.
    pub(crate) limits: Limits,
    /// Arrows of what is shipped: normal and build dependencies. Every crate has a line.
    pub(crate) arrows: ArrowTable,
    /// Arrows of tests only.
    pub(crate) dev_arrows: ArrowTable,
    /// Rules for one crate.
    pub(crate) crates: BTreeMap<Spanned<String>, CrateRules>,
    /// What the documents promise.
    pub(crate) documents: DocumentRules,
    /// Files which a command writes.
    #[serde(default)]
    pub(crate) generated: Vec<GeneratedRule>,
    /// The text of the file, for line numbers.
    #[serde(skip)]
    text: String,
}

/// The numbers; each is the largest that is still allowed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// Lines of a Rust file.
    pub(crate) file_lines: usize,
    /// Lines of a function's body, braces included.
    pub(crate) function_lines: usize,
    /// Arguments of a function, `self` not counted.
    pub(crate) arguments: usize,
    /// Fields of a struct or of an enum's variant.
    pub(crate) fields: usize,
    /// Arrows on the longest way down through the crates.
    pub(crate) crate_depth: usize,
    /// Lines of ARCHITECTURE.md, so that it can be read in one sitting.
    pub(crate) architecture_lines: usize,
}

/// Rules for one crate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CrateRules {
    /// The only external crates it may use outside tests.
    pub(crate) allow: Vec<String>,
}

/// What the documents promise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DocumentRules {
    /// Files at the root that must be there.
    pub(crate) required: Vec<String>,
    /// Names at the root which make an inline code span a path, even when the entry itself is gone.
    pub(crate) top_level: Vec<String>,
}

/// A file which a command writes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GeneratedRule {
    /// The file.
    pub(crate) path: Spanned<String>,
    /// The program and its arguments; its stdout is the file.
    pub(crate) command: Vec<String>,
}

impl Rules {
    /// Reads `tidy.toml` at the root of the repository.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(root.join(RULES)).with_context(|| format!("cannot read {RULES}"))?;
        Self::parse(&text).with_context(|| format!("cannot understand {RULES}"))
    }

    /// Understands the text of a `tidy.toml`.
    pub(crate) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let rules: Self = toml::from_str(text)?;
        Ok(Self { text: text.to_owned(), ..rules })
    }

    /// The line of `tidy.toml` where a value is written.
    pub(crate) fn line<T>(&self, value: &Spanned<T>) -> usize {
        line_at(&self.text, value.span().start)
    }
}

/// The number, from 1, of the line which holds this byte.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_value_knows_its_line() {
        let rules = fixture::rules_with("[arrows]\nagent = [\n  'responses',\n]\n[dev_arrows]\n[crates]\n");
        let (from, to) = rules.arrows.first_key_value().unwrap();
        assert_eq!(rules.line(&to[0]) - rules.line(from), 1);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = Rules::parse("limit = 3\n").err().unwrap().to_string();
        assert!(error.contains("unknown field `limit`"), "{error}");
    }

    #[test]
    fn the_rules_of_this_repository_are_understood() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        assert_eq!(Rules::load(&root).unwrap().limits.file_lines, 600);
    }
}
