//! Text of others, as it may be shown and kept.

/// The most characters of a piece of text that are shown.
const MAX_SHOWN: usize = 200;

/// A piece of text in another: see [`shown_up_to`].
pub(crate) fn shown(text: &str) -> String {
    shown_up_to(MAX_SHOWN, text)
}

/// On one line, with what would make a terminal show something else written out, shortened after so many characters.
pub(crate) fn shown_up_to(most: usize, text: &str) -> String {
    let mut letters = text.chars();
    let mut to = String::new();
    for letter in letters.by_ref().take(most) {
        if deceives(letter) {
            to.extend(letter.escape_default());
        } else {
            to.push(letter);
        }
    }
    if letters.next().is_some() {
        to.push('…');
    }
    to
}

/// Whether a letter moves the cursor, turns the text around it, or has no width.
fn deceives(letter: char) -> bool {
    let unseen =
        matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    let turns = matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || unseen || turns
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
        assert_eq!(shown("a\nb\u{1b}[2J\u{202e}c"), r"a\nb\u{1b}[2J\u{202e}c");
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
