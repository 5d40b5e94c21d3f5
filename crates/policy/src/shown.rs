//! Text of others, as it may be shown and kept.

/// The most characters of a piece of text that are shown.
const MAX_SHOWN: usize = 200;

/// On one line, without what moves a cursor, shortened if it is very long.
pub(crate) fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let mut to: String = letters.by_ref().take(MAX_SHOWN).map(printable).collect();
    if letters.next().is_some() {
        to.push('…');
    }
    to
}

fn printable(letter: char) -> char {
    let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match letter {
        '\n' | '\t' => ' ',
        letter if letter.is_control() || turns => char::REPLACEMENT_CHARACTER,
        letter => letter,
    }
}

/// A TOML string on one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut to = String::with_capacity(text.len() + 2);
    to.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => to.extend(['\\', letter]),
            '\t' => to.push_str("\\t"),
            letter if letter.is_control() => to.extend(format!("\\u{:04X}", u32::from(letter)).chars()),
            letter => to.push(letter),
        }
    }
    to.push('"');
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_moves_no_cursor_and_has_an_end() {
        assert_eq!(shown("a\nb\u{1b}[2J\u{202e}c"), "a b\u{fffd}[2J\u{fffd}c");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), MAX_SHOWN + 1);
    }

    #[test]
    fn a_quoted_text_is_read_as_it_was() {
        for text in ["", "a\"b\\c", "tab\there", "line\nend\r\u{1b}", "ä…"] {
            let mut table = config::Layers::new().file("x", &format!("a = {}", quoted(text))).unwrap().merge();
            assert_eq!(table.read("a").unwrap(), Some(text.to_owned()));
        }
    }
}
