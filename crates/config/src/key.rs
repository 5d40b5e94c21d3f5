//! Dotted keys, from text and to text.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The most characters of a key that are shown.
const MAX_SHOWN: usize = 80;

/// The parts of a dotted key, if it is one.
pub(crate) fn parts(key: &str) -> Option<Vec<String>> {
    // The grammar of keys is that of files: read a file which has this key and nothing else.
    if key.contains('\n') {
        return None;
    }
    let text = format!("{key}=0");
    let file = DeTable::parse(&text).ok()?;
    let mut parts = Vec::new();
    let mut table = file.get_ref();
    loop {
        let (part, value): (_, &Spanned<DeValue<'_>>) = table.iter().next()?;
        parts.push(part.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return (value.span().start == key.len() + 1).then_some(parts),
        }
    }
}

/// The dotted key of these parts, shortened if it is very long.
pub(crate) fn dotted<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts: Vec<_> = parts.into_iter().map(part).collect();
    shorten(parts.join("."))
}

/// One part of a key, quoted if it must be.
pub(crate) fn part(text: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !text.is_empty() && text.bytes().all(bare) { text.to_owned() } else { quoted(text) }
}

/// A TOML string on one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut to = String::with_capacity(text.len() + 2);
    to.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => to.extend(['\\', letter]),
            '\n' => to.push_str("\\n"),
            '\t' => to.push_str("\\t"),
            '\r' => to.push_str("\\r"),
            letter if letter.is_control() => to.extend(format!("\\u{:04X}", u32::from(letter)).chars()),
            letter => to.push(letter),
        }
    }
    to.push('"');
    to
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((at, _)) => text.get(..at).unwrap_or_default().to_owned() + "…",
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_parts_and_parts_have_a_key() {
        for (key, expected) in [
            ("model", vec!["model"]),
            (" a . b ", vec!["a", "b"]),
            ("model_providers.\"my.name\".x", vec!["model_providers", "my.name", "x"]),
            ("'a=b'.1", vec!["a=b", "1"]),
            ("\"\"", vec![""]),
            (r#""\u0041\n""#, vec!["A\n"]),
        ] {
            let read = parts(key).unwrap();
            assert_eq!(read, expected);
            assert_eq!(parts(&dotted(read.iter().map(String::as_str))), Some(read));
        }
    }

    #[test]
    fn what_is_not_a_key_has_no_parts() {
        for text in ["", " ", ".", "a.", ".a", "a b", "a=1 #", "a={b", "[a]\nb", "[a]b", "a\n", "#", "\"a", "ä", "a\0"]
        {
            assert_eq!(parts(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_would_move_the_cursor_is_escaped_and_what_is_long_is_shortened() {
        assert_eq!(dotted(["a b", "\u{1b}[2J", "x\"\\"]), r#""a b"."\u001B[2J"."x\"\\""#);
        assert_eq!(dotted(["x".repeat(1000).as_str()]).chars().count(), MAX_SHOWN + 1);
    }
}
