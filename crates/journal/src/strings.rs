//! The strings in a piece of JSON, in the places where they stand.

use std::borrow::Cow;

/// A string as it stands in JSON text, without its quotes and with its escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What stands between the quotes.
    pub(crate) inner: &'a str,
    /// The key whose value it is, if it is one.
    pub(crate) key: Option<&'a str>,
    /// Whether it is a key itself.
    pub(crate) is_key: bool,
}

/// The text with other strings in the place of some, given without quotes. Borrowed where none is another. The text must
/// be JSON; of what is none, some text comes back.
pub(crate) fn replace<'a>(json: &'a str, mut with: impl FnMut(Token<'a>) -> Option<String>) -> Cow<'a, str> {
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    let mut key: Option<(&'a str, usize)> = None;
    while let Some((start, end)) = next(json, at) {
        at = end + 1;
        let inner = json.get(start..end).unwrap_or_default();
        let value_at = value_after(json, at);
        let of = key.take().filter(|(_, value_at)| *value_at + 1 == start).map(|(key, _)| key);
        let token = Token { inner, key: of, is_key: value_at.is_some() };
        key = value_at.map(|value_at| (inner, value_at));
        if let Some(other) = with(token) {
            out.push_str(json.get(copied..start).unwrap_or_default());
            out.push_str(&other);
            copied = end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(json.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// Where the next string begins and ends, without its quotes.
fn next(json: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = json.as_bytes();
    let start = from + bytes.get(from..)?.iter().position(|byte| *byte == b'"')? + 1;
    let mut at = start;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if bytes.get(at) == Some(&b'"') {
            return Some((start, at));
        }
        at += 2;
    }
}

/// Where the value of a key begins, given where the key ends; `None` if it was no key.
fn value_after(json: &str, end_of_key: usize) -> Option<usize> {
    let spaces = |from: usize| {
        let rest = json.as_bytes().get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    };
    let colon = end_of_key + spaces(end_of_key);
    let is_colon = json.as_bytes().get(colon) == Some(&b':');
    is_colon.then(|| colon + 1 + spaces(colon + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_string_is_found_with_the_key_it_belongs_to() {
        let json = r#"{"a" : "b\"c", "d":["e", {"f":"g"}, "h"], "i":1, "j":""}"#;
        let mut found = Vec::new();
        assert!(matches!(
            replace(json, |token| {
                found.push((token.inner, token.key, token.is_key));
                None
            }),
            Cow::Borrowed(_)
        ));
        let key = |name| (name, None, true);
        let expected = [
            key("a"),
            (r#"b\"c"#, Some("a"), false),
            key("d"),
            ("e", None, false),
            key("f"),
            ("g", Some("f"), false),
            ("h", None, false),
            key("i"),
            key("j"),
            ("", Some("j"), false),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_replaced_leaves_every_other_byte_as_it_was() {
        let json = "{ \"a\":\t\"x\", \"x\" : [\"x\", \"xx\"] }";
        let replaced = replace(json, |token| (token.inner == "x").then(|| "longer".to_owned()));
        assert_eq!(replaced, "{ \"a\":\t\"longer\", \"longer\" : [\"longer\", \"xx\"] }");
    }

    #[test]
    fn text_that_is_no_json_ends_somewhere() {
        for text in ["", "\"", "\"\\", "\"\\\"", "\"ä\\", "{\"a\":\"b\\\\\\\"", ":\":\""] {
            let _ = replace(text, |token| Some(token.inner.to_owned()));
        }
    }
}
