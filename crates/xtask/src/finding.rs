//! A place in the repository that breaks a house rule.

use std::fmt;

/// Ordered by place, so that a list of findings reads like the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    /// `message` says what is wrong and, after a colon, what to do.
    pub(crate) fn new(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, message } = self;
        write!(formatter, "{path}:{line}: {message}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_sorted_by_place_and_lines_count_as_numbers() {
        let mut findings = [Finding::new("b", 1, "x"), Finding::new("a", 10, "x"), Finding::new("a", 9, "x")];
        findings.sort();
        assert_eq!(findings.map(|finding| finding.to_string()), ["a:9: x", "a:10: x", "b:1: x"]);
    }
}
