//! A Rust file as tokens and as a syntax tree.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Both views of one file; they share their spans.
pub(crate) struct RustFile {
    /// Every token, those inside macro calls too.
    pub(crate) tokens: TokenStream,
    /// The syntax tree, in which macro calls are opaque.
    pub(crate) syntax: syn::File,
}

impl RustFile {
    /// Reads a file.
    pub(crate) fn parse(text: &str) -> syn::Result<Self> {
        let tokens: TokenStream = text.parse()?;
        let syntax = syn::parse2(tokens.clone())?;
        Ok(Self { tokens, syntax })
    }
}

/// The token as a group with these brackets.
pub(crate) fn group(token: &TokenTree, delimiter: Delimiter) -> Option<&Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

/// Whether the token is this one sign.
pub(crate) fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// Calls `visit` with the tokens between every pair of brackets, and with the outermost ones.
pub(crate) fn each_level(tokens: &TokenStream, visit: &mut impl FnMut(&[TokenTree])) {
    let level: Vec<TokenTree> = tokens.clone().into_iter().collect();
    visit(&level);
    for token in level {
        if let TokenTree::Group(group) = token {
            each_level(&group.stream(), visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_rust_is_refused() {
        assert!(RustFile::parse("fn f( {}").is_err());
        assert!(RustFile::parse("fn f() -> {}").is_err());
    }

    #[test]
    fn every_level_of_brackets_is_visited() {
        let tokens: TokenStream = "a { b ( c ) } [ d ]".parse().unwrap();
        let mut levels = Vec::new();
        each_level(&tokens, &mut |level| levels.push(level.len()));
        assert_eq!(levels, [3, 2, 1, 1]);
    }
}
