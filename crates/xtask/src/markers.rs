//! Marks that put a rule off: a lint switched off without a reason, work left for later.

use std::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::finding::Finding;
use crate::repository::{Repository, SourceFile};
use crate::rules::Rules;
use crate::rust::{self, RustFile};

/// Words in a comment that promise work.
const PROMISES: [&str; 2] = ["FIXME", "TODO"];

/// Every such mark in a Rust file. A file that does not parse is a finding of the sizes, not of this check.
pub(crate) fn check(repository: &Repository, _: &Rules) -> Vec<Finding> {
    let parsed = repository.ending(".rs").filter_map(|file| Some((file, RustFile::parse(&file.text).ok()?)));
    parsed.flat_map(|(file, rust)| [lints(file, &rust.tokens), promises(file, &rust.tokens)].concat()).collect()
}

/// Attributes are looked for in the tokens, so that those inside macro calls are found and strings are not.
fn lints(file: &SourceFile, tokens: &TokenStream) -> Vec<Finding> {
    let mut findings = Vec::new();
    rust::each_level(tokens, &mut |level| {
        let mut tokens = level.iter().peekable();
        while let Some(token) = tokens.next() {
            if rust::is_sign(token, '#') {
                tokens.next_if(|token| rust::is_sign(token, '!'));
                if let Some(attribute) = tokens.peek().and_then(|token| rust::group(token, Delimiter::Bracket)) {
                    findings.extend(attribute_finding(file, attribute.stream()));
                }
            }
        }
    });
    findings
}

fn attribute_finding(file: &SourceFile, attribute: TokenStream) -> Vec<Finding> {
    let tokens: Vec<TokenTree> = attribute.into_iter().collect();
    let mut findings = Vec::new();
    let mut at_start = true;
    for pair in tokens.windows(2) {
        if let [TokenTree::Ident(name), arguments] = pair
            && let Some(arguments) = rust::group(arguments, Delimiter::Parenthesis)
            && at_start
        {
            let message = match name.to_string().as_str() {
                "allow" => "`#[allow]` outlives its cause: write `#[expect(.., reason = \"..\")]`",
                "expect" if !has_reason(arguments.stream()) => "`#[expect]` says no why: add `reason = \"..\"`",
                "cfg_attr" => {
                    findings.extend(attribute_finding(file, arguments.stream()));
                    continue;
                }
                _ => continue,
            };
            findings.push(Finding::new(&file.path, name.span().start().line, message));
        }
        at_start = pair.first().is_some_and(|token| rust::is_sign(token, ','));
    }
    findings
}

fn has_reason(arguments: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = arguments.into_iter().collect();
    let is_reason = |pair: &[TokenTree]| matches!(pair, [TokenTree::Ident(key), sign] if key == "reason" && rust::is_sign(sign, '='));
    tokens.windows(2).any(is_reason)
}

/// Words of comments are what is left of a file when its strings are taken out; no name is written like these.
fn promises(file: &SourceFile, tokens: &TokenStream) -> Vec<Finding> {
    let text = without_strings(&file.text, tokens);
    let mut findings = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        for word in line.split(|letter: char| !letter.is_alphanumeric()).filter(|word| PROMISES.contains(word)) {
            let message = format!("`{word}` in a comment: do it now, or write an issue and take the comment out");
            findings.push(Finding::new(&file.path, number, message));
        }
    }
    findings
}

fn without_strings(text: &str, tokens: &TokenStream) -> String {
    let mut strings: Vec<Range<usize>> = Vec::new();
    rust::each_level(tokens, &mut |level| {
        strings.extend(level.iter().filter_map(|token| match token {
            TokenTree::Literal(literal) => Some(literal.span().byte_range()),
            _ => None,
        }));
    });
    let is_comment = |range: &Range<usize>| text.get(range.clone()).is_some_and(|text| text.starts_with('/'));
    strings.retain(|range| !is_comment(range));
    strings.sort_by_key(|range| range.start);
    let mut rest = String::with_capacity(text.len());
    let mut end = 0;
    for string in strings {
        rest.push_str(text.get(end..string.start).unwrap_or_default());
        rest.extend(text.get(string.clone()).unwrap_or_default().chars().filter(|letter| *letter == '\n'));
        end = string.end;
    }
    rest + text.get(end..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{printed, repository, rules};

    const ALLOW: &str = "`#[allow]` outlives its cause: write `#[expect(.., reason = \"..\")]`";
    const EXPECT: &str = "`#[expect]` says no why: add `reason = \"..\"`";

    fn findings(text: &str) -> Vec<String> {
        printed(check(&repository(&[("src/a.rs", text)]), &rules()))
    }

    #[test]
    fn a_lint_expected_for_a_reason_is_clean() {
        let text =
            "#![expect(dead_code, reason = \"a list\")]\n#[cfg_attr(test, expect(x, reason = \"y\"))]\nfn f() {}";
        assert!(findings(text).is_empty());
    }

    #[test]
    fn a_lint_switched_off_is_found_wherever_it_stands() {
        for attribute in ["#[allow(x)]", "#[cfg_attr(test, allow(x))]", "#[cfg_attr(all(a), b, allow(x))]"] {
            for (before, after) in [("", "fn f() {}"), ("m! { {", "fn f() {} } }"), ("fn f() {", "x(); }")] {
                assert_eq!(findings(&format!("\n{before}{attribute}{after}")), [format!("src/a.rs:2: {ALLOW}")]);
            }
        }
        assert_eq!(findings("#![allow(x)]"), [format!("src/a.rs:1: {ALLOW}")]);
    }

    #[test]
    fn a_lint_expected_without_a_reason_is_found() {
        assert_eq!(findings("#[expect(dead_code)]\nfn f() {}"), [format!("src/a.rs:1: {EXPECT}")]);
        assert_eq!(findings("#[cfg_attr(test, expect(x))]\nfn f() {}"), [format!("src/a.rs:1: {EXPECT}")]);
    }

    #[test]
    fn the_same_words_elsewhere_are_no_attributes() {
        let text = "#[arg(allow(x))]\nfn f() { let s = \"#[allow(x)]\"; let t = o.expect(s); allow(x); }";
        assert!(findings(text).is_empty());
    }

    #[test]
    fn a_promise_in_any_kind_of_comment_is_found() {
        for comment in ["// TODO: later", "/* TODO later */", "/// TODO(me)", "//! TODO", "let a = 1; // see TODO."] {
            let text = if comment.starts_with("//!") { comment.to_owned() } else { format!("{comment}\nstruct S;") };
            let text = if comment.starts_with("let") { format!("fn f() {{ {comment}\n}}") } else { text };
            let expected = "src/a.rs:1: `TODO` in a comment: do it now, or write an issue and take the comment out";
            assert_eq!(findings(&text), [expected]);
        }
        assert_eq!(findings("\n// FIXME").len(), 1);
    }

    #[test]
    fn a_promise_in_a_string_is_data() {
        assert!(findings("const A: &str = \"TODO\n FIXME\"; const B: &[u8] = br#\"TODO\"#;").is_empty());
        let after = "// ü\nconst A: &str = \"ü\nTODO\";\n// TODO";
        assert_eq!(findings(after).len(), 1);
        assert!(findings(after)[0].starts_with("src/a.rs:4:"));
    }

    #[test]
    fn a_longer_word_is_no_promise() {
        assert!(findings("// TODOS, todo, MASTODON").is_empty());
    }
}
