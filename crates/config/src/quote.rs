//! The line an error is about, without what is secret in it.

use std::ops::Range;

use crate::key;
use crate::origin::Document;
use crate::scan::Scan;
use crate::secret::{HIDDEN, has_user, names_secret};

/// The most characters of a line that are quoted.
const MAX_WIDTH: usize = 100;

/// How many of them stand before the place, if the line is longer.
const BEFORE: usize = 30;

/// The line of the span and a row of `^` below it, each on a new line. Nothing for a variable or an argument: there
/// the place says it all.
pub(crate) fn quote(document: &Document, span: &Range<usize>) -> String {
    if !document.has_lines() {
        return String::new();
    }
    let (line, column) = document.position(span.start);
    let bytes = document.line_range(line);
    let text = document.text.get(bytes.clone()).unwrap_or_default();
    let marked = document.text.get(span.start..span.end.min(bytes.end)).unwrap_or_default().chars().count();
    let shown = shown(&document.text, &bytes);
    let (start, marked) = match shown.as_deref() {
        Some(shown) if column + marked > shown.chars().count() => (shown.chars().count() - 1, 1),
        _ => (column - 1, marked.max(1)),
    };
    render(line, shown.as_deref().unwrap_or(text), start, marked)
}

fn render(line: usize, text: &str, start: usize, marked: usize) -> String {
    let cut = if text.chars().count() > MAX_WIDTH { start.saturating_sub(BEFORE) } else { 0 };
    let mut window = String::new();
    let mut letters = text.chars().skip(cut);
    window.extend(letters.by_ref().take(MAX_WIDTH).map(printable));
    if letters.next().is_some() {
        window.push('…');
    }
    let (lead, start) = if cut > 0 { ("…", start - cut + 1) } else { ("", start) };
    let marks = "^".repeat(marked.min(MAX_WIDTH - BEFORE));
    format!("\n{line:>6} | {lead}{window}\n       | {:start$}{marks}", "")
}

/// What stands for a character without moving the cursor.
fn printable(letter: char) -> char {
    match letter {
        '\t' => ' ',
        letter if letter.is_control() => char::REPLACEMENT_CHARACTER,
        letter => letter,
    }
}

/// What may be shown of a line, if it is not all.
fn shown(text: &str, line: &Range<usize>) -> Option<String> {
    let around = around(text, line.start);
    let statement = text.get(around.statement..line.end).unwrap_or_default();
    // An escape may spell a name that is not seen here.
    let spells = |part: &str| ["\\u", "\\U", "\\x"].iter().any(|escape| part.contains(escape));
    let secret = [around.header, statement].into_iter().any(|part| names_secret(part) || spells(part));
    if !secret && !has_user(statement) {
        return None;
    }
    let begins_here = around.statement == line.start;
    Some(match statement.split_once('=') {
        Some((before, _)) if begins_here && key::parts(before).is_some() => format!("{before}= {HIDDEN}"),
        _ => HIDDEN.to_owned(),
    })
}

/// What a line belongs to.
struct Around<'a> {
    /// The header of the table, or nothing.
    header: &'a str,
    /// Where the statement begins that reaches into the line.
    statement: usize,
}

fn around(text: &str, until: usize) -> Around<'_> {
    let mut around = Around { header: "", statement: 0 };
    let mut scan = Scan::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if scan.is_between_statements() {
            around.statement = start;
            if line.trim_start().starts_with('[') {
                around.header = line;
            }
        }
        if start >= until {
            return around;
        }
        scan.line(line);
        start += line.len();
    }
    if scan.is_between_statements() {
        around.statement = start;
    }
    around
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of the line with this text.
    fn line_with(text: &str, needle: &str) -> Option<String> {
        let at = text.find(needle).unwrap();
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
        shown(text, &(start..end))
    }

    #[test]
    fn a_value_is_hidden_if_its_key_its_table_or_what_is_around_it_sounds_secret() {
        for (text, expected) in [
            ("api_key = HERE", "api_key = …"),
            ("  \"my token\" = HERE", "  \"my token\" = …"),
            ("a.http_headers.x = HERE", "a.http_headers.x = …"),
            ("[a.http_headers]\n\nx = 1\ny = HERE", "y = …"),
            ("a = { api_key = 'x', b = HERE }", "a = …"),
            ("a = { api_key = 'x',\n b = HERE }", "…"),
            ("http_headers = { # [\n x = ']',\n\n y = HERE", "…"),
            ("password = \"\"\"\n]\n\\\"\"\" = 5\nHERE", "…"),
            ("secret = '''\na = 'b'\nHERE", "…"),
            ("secret = [\n[\"\"\"x\"\"\"\"\",\n[HERE", "…"),
            ("api_key HERE = 5", "…"),
            ("proxy = 'http://me:HERE@host'", "proxy = …"),
            ("url = 'http://host/?api_key=HERE'", "url = …"),
            ("\"api\\u005fkey\" = HERE", "\"api\\u005fkey\" = …"),
            ("Authorization: HERE", "…"),
        ] {
            assert_eq!(line_with(text, "HERE").as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_value_is_shown_if_only_other_statements_are_secret() {
        for text in [
            "api_key = 'x'\nmodel = HERE",
            "[http_headers]\n[b]\nmodel = HERE",
            "secret = [']', # [\n'x'] # [\nmodel = HERE",
            "secret = \"\"\"a\\\"\"\"\"\"\"\nmodel = HERE",
            "secret = '''a''''\nmodel = HERE",
            "secret = 'a\\'\nmodel = HERE",
            "secret = \"a\\\"[\"\nmodel = HERE",
            "model = HERE\napi_key = 'x'",
            "url = 'http://host/' # HERE",
        ] {
            assert_eq!(line_with(text, "HERE"), None, "{text}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}HERE{}", "a".repeat(1000), "b".repeat(1000));
        let quoted = render(3, &text, 1000, 4);
        let rows: Vec<_> = quoted.lines().collect();
        let shown = format!("     3 | …{}HERE{}…", "a".repeat(BEFORE), "b".repeat(MAX_WIDTH - BEFORE - 4));
        assert_eq!(rows, ["", &shown, &format!("       | {}^^^^", " ".repeat(BEFORE + 1))]);
        assert!(render(3, &text, 0, 2000).len() < 400);
    }
}
