//! The strings in a piece of JSON, in the places where they stand.

use std::borrow::Cow;

/// A string as it stands in JSON text, without its quotes and with its escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What stands between the quotes.
    pub(crate) inner: &'a str,
    /// The key whose value it is, if it is one.
    pub(crate) key: Option<&'a str>,
    /// The key of the list that it stands in, if it stands in one and in nothing below that.
    pub(crate) list: Option<&'a str>,
    /// Whether it is a key itself.
    pub(crate) is_key: bool,
}

/// The text with other strings in the place of some, given without quotes. Borrowed where none is another. The text must
/// be JSON; of what is none, some text comes back.
pub(crate) fn replace<'a>(json: &'a str, mut with: impl FnMut(Token<'a>) -> Option<String>) -> Cow<'a, str> {
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    let mut key: Option<(&'a str, usize)> = None;
    let mut list: Option<(&'a str, usize)> = None;
    while let Some((start, end)) = next(json, at) {
        at = end + 1;
        let inner = json.get(start..end).unwrap_or_default();
        let value_at = value_after(json, at);
        let of = key.take().filter(|(_, value_at)| *value_at + 1 == start).map(|(key, _)| key);
        let is_next = |from: usize| json.get(from..start - 1).is_some_and(|between| between.bytes().all(in_a_list));
        list = list.filter(|(_, from)| value_at.is_none() && is_next(*from)).map(|(key, _)| (key, at));
        let token = Token { inner, key: of, list: list.map(|(key, _)| key), is_key: value_at.is_some() };
        key = value_at.map(|value_at| (inner, value_at));
        list = list.or_else(|| key.filter(|(_, value_at)| json.as_bytes().get(*value_at) == Some(&b'[')));
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

/// What stands between the strings of a list, lists that begin in it too.
fn in_a_list(byte: u8) -> bool {
    !matches!(byte, b']' | b'{' | b'}' | b':' | b'"')
}

fn in_a_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// The text with other values in the place of some numbers: of those that are the value of a key, or stand in the list
/// that is, before strings and other values of many parts. Borrowed where none is another.
pub(crate) fn replace_numbers(json: &str, mut with: impl FnMut(&str, &str) -> Option<String>) -> Cow<'_, str> {
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while let Some((start, end)) = next(json, at) {
        at = end + 1;
        let Some(value_at) = value_after(json, at) else { continue };
        let key = json.get(start..end).unwrap_or_default();
        let bytes = json.as_bytes();
        let of = if bytes.get(value_at) == Some(&b'[') { in_a_list } else { in_a_number };
        let rest = bytes.get(value_at..).unwrap_or_default();
        at = value_at + rest.iter().position(|byte| !of(*byte)).unwrap_or(rest.len());
        let mut from = value_at;
        let ends = |letter| !u8::try_from(letter).is_ok_and(in_a_number);
        for part in json.get(value_at..at).unwrap_or_default().split_inclusive(ends) {
            let number = part.trim_end_matches(ends);
            if let Some(other) = Some(number).filter(|number| !number.is_empty()).and_then(|number| with(key, number)) {
                out.push_str(json.get(copied..from).unwrap_or_default());
                out.push_str(&other);
                copied = from + number.len();
            }
            from += part.len();
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
                found.push((token.inner, token.key.or(token.list), token.is_key));
                None
            }),
            Cow::Borrowed(_)
        ));
        let key = |name| (name, None, true);
        let expected = [
            key("a"),
            (r#"b\"c"#, Some("a"), false),
            key("d"),
            ("e", Some("d"), false),
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
    fn numbers_are_replaced_that_are_the_value_of_a_key_or_stand_in_the_list_that_is() {
        let json = r#"{"a": 12 ,"b":[3.5,null,[-4]],"c":[{"d":1e9},5],"e":"6","f":{"g":7},"ä":["ü",8]}, 9"#;
        let mut found = Vec::new();
        let none = replace_numbers(json, |key, number| {
            found.push(format!("{key} {number}"));
            None
        });
        assert!(matches!(none, Cow::Borrowed(_)));
        assert_eq!(found, ["a 12", "b 3.5", "b -4", "d 1e9", "g 7"]);
        let replaced = replace_numbers(json, |key, _| (key == "a" || key == "b").then(|| "\"x\"".to_owned()));
        let expected = json.replace("12", "\"x\"").replace("3.5", "\"x\"").replace("-4", "\"x\"");
        assert_eq!(replaced, expected);
    }

    #[test]
    fn text_that_is_no_json_ends_somewhere() {
        for text in ["", "\"", "\"\\", "\"\\\"", "\"ä\\", "{\"a\":\"b\\\\\\\"", ":\":\"", "\"a\":[1ä", "\"a\":"] {
            let _ = replace(text, |token| Some(token.inner.to_owned()));
            let _ = replace_numbers(text, |_, number| Some(number.to_owned()));
        }
    }
}
