//! Text that comes in deltas.

/// Where a text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Before the space between words.
    Words,
    /// After so many bytes, or a little later where a character is not to be cut.
    Every(usize),
}

/// A text, and how much of it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flow {
    text: String,
    said: usize,
    cut: Cut,
}

impl Flow {
    /// A delta for each word, with the space before it.
    pub(super) fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), said: 0, cut: Cut::Words }
    }

    /// Small deltas, whatever the text is.
    pub(super) fn pieces(text: impl Into<String>) -> Self {
        const SMALL: usize = 16;
        Self { text: text.into(), said: 0, cut: Cut::Every(SMALL) }
    }

    /// So many bytes, in deltas of a kibibyte. Each delta differs from its neighbours, so that a lost one is missed.
    pub(super) fn bytes(count: usize) -> Self {
        const LARGE: usize = 1024;
        Self { text: ('a'..='z').cycle().take(count).collect(), said: 0, cut: Cut::Every(LARGE) }
    }

    /// The numbers from 1.
    pub(super) fn count(to: usize) -> Self {
        Self::words((1..=to).map(|number| number.to_string()).collect::<Vec<_>>().join(" "))
    }

    /// What was said so far.
    pub(super) fn said(&self) -> &str {
        self.text.get(..self.said).unwrap_or_default()
    }

    /// Whether all was said.
    pub(super) fn is_over(&self) -> bool {
        self.said >= self.text.len()
    }

    /// The next delta; empty at the end.
    pub(super) fn advance(&mut self) -> &str {
        let from = self.said;
        let rest = self.text.get(from..).unwrap_or_default();
        self.said += match self.cut {
            Cut::Words => end_of_word(rest),
            Cut::Every(bytes) => (bytes..rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len()),
        };
        self.text.get(from..self.said).unwrap_or_default()
    }
}

/// Where the first word ends. Space that no word follows belongs to the last.
fn end_of_word(text: &str) -> usize {
    let word = text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len());
    let after = |from| text.get(from..).unwrap_or_default();
    let end = after(word).find(char::is_whitespace).map_or(text.len(), |length| word + length);
    if after(end).trim_start().is_empty() { text.len() } else { end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deltas(mut flow: Flow) -> Vec<String> {
        let mut deltas = Vec::new();
        while !flow.is_over() {
            deltas.push(flow.advance().to_owned());
        }
        assert_eq!(deltas.concat(), flow.said());
        deltas
    }

    #[test]
    fn a_text_is_cut_before_the_space_between_words() {
        for (text, expected) in [
            ("one two  three\nfour", vec!["one", " two", "  three", "\nfour"]),
            (" a ", vec![" a "]),
            ("é\u{a0}ß", vec!["é", "\u{a0}ß"]),
            ("   ", vec!["   "]),
            ("", vec![]),
        ] {
            assert_eq!(deltas(Flow::words(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn a_piece_never_cuts_a_character() {
        assert_eq!(deltas(Flow::pieces("0123456789abcde€fg")), ["0123456789abcde€", "fg"]);
    }

    #[test]
    fn so_many_bytes_and_so_many_numbers_are_said() {
        let sizes: Vec<_> = deltas(Flow::bytes(2500)).iter().map(String::len).collect();
        assert_eq!(sizes, [1024, 1024, 452]);
        assert_eq!(deltas(Flow::count(3)), ["1", " 2", " 3"]);
        assert!(deltas(Flow::count(0)).is_empty());
    }
}
