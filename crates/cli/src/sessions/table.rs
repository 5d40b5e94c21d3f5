//! Sessions for people.

use std::fmt::Write as _;

use journal::index::{Hit, Listed, State};
use journal::sessions::{Imported, Pruned, Verified};

use crate::time::shown;

/// What stands where there is nothing.
const NONE: &str = "-";

const HEADS: [&str; 7] = ["id", "changed", "state", "tokens", "size", "folder", "title"];

/// Milliseconds in a second.
const SECOND: u64 = 1000;

/// What stands behind a number of bytes.
const UNITS: [(char, u64); 4] = [('K', 1 << 10), ('M', 1 << 20), ('G', 1 << 30), ('T', 1 << 40)];

/// A number of bytes such as `10G`.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let unit = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(*unit)?, *bytes)));
    let (number, unit) = unit.unwrap_or((text, 1));
    let plain = number.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = number.parse::<u64>().ok().filter(|_| plain).and_then(|number| number.checked_mul(unit));
    bytes.ok_or_else(|| "use a number of bytes, or one with K, M, G or T: 10G".to_owned())
}

/// A table, and below it what is damaged.
pub(super) fn list(listed: &[Listed]) -> String {
    let rows: Vec<[String; 7]> = std::iter::once(HEADS.map(str::to_owned)).chain(listed.iter().map(row)).collect();
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    for listed in listed {
        if let State::Damaged(what) = &listed.state {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{} is damaged: {}", listed.id, plain(what));
        }
    }
    text
}

fn row(listed: &Listed) -> [String; 7] {
    let state = match &listed.state {
        State::Open => "open".to_owned(),
        State::Waiting { until: Some(until), .. } => format!("waits until {}", shown(until / SECOND)),
        State::Waiting { until: None, .. } => "waits".to_owned(),
        State::Ended => "ended".to_owned(),
        State::Damaged(_) => "damaged".to_owned(),
    };
    let tokens = listed.counts.input_tokens.saturating_add(listed.counts.output_tokens);
    [
        listed.id.to_string(),
        shown(listed.changed / SECOND),
        state,
        tokens.to_string(),
        size(listed.bytes),
        plain(&listed.cwd),
        listed.title.as_deref().map_or_else(|| NONE.to_owned(), plain),
    ]
}

/// A number of bytes, in the largest unit of which there is one.
fn size(bytes: u64) -> String {
    let unit = UNITS.iter().rev().find(|(_, unit)| bytes >= *unit);
    unit.map_or_else(|| format!("{bytes} B"), |(name, unit)| format!("{} {name}B", bytes / unit))
}

/// What was found, each below its session.
pub(super) fn hits(hits: &[Hit]) -> String {
    let mut text = String::new();
    for Hit { session, snippet, .. } in hits {
        let title = session.title.as_deref().map_or_else(|| NONE.to_owned(), plain);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}  {}  {title}", session.id, shown(session.changed / SECOND));
        let _ = writeln!(text, "    {}", plain(snippet.trim()));
    }
    text
}

/// Text of which nothing moves the cursor of a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

pub(super) fn imported(imported: &Imported) -> String {
    let mut text = format!("{}\n", imported.id);
    for id in imported.new.iter().filter(|id| **id != imported.id) {
        let _ = writeln!(text, "with {id}, whose past it shares");
    }
    if imported.there.contains(&imported.id) {
        text.push_str("it was here already\n");
    }
    text
}

pub(super) fn pruned(pruned: &Pruned, only_said: bool) -> String {
    let mut text = String::new();
    let removed = if only_said { "would remove" } else { "removed" };
    for id in &pruned.removed {
        let _ = writeln!(text, "{removed} {id}");
    }
    for id in &pruned.in_use {
        let _ = writeln!(text, "{id} is in use, and stays");
    }
    let count = pruned.removed.len();
    let _ = writeln!(text, "{removed} {count} sessions with {}", size(pruned.bytes));
    text
}

/// What stands after the last record, if anything does.
pub(super) fn rest(bytes: u64) -> String {
    if bytes == 0 {
        return String::new();
    }
    format!(
        "{bytes} bytes after the last record are of none: being written, left by a crash, or of one that was changed\n"
    )
}

pub(super) fn verified(verified: &Verified) -> String {
    let Verified { records, blobs, unfinished, damage: found } = verified;
    let rest = rest(*unfinished);
    if found.is_empty() {
        return format!("{rest}whole: {records} records, {blobs} long strings beside them\n");
    }
    rest + &damage(found)
}

pub(super) fn damage(found: &[String]) -> String {
    found.iter().map(|what| format!("damaged: {}\n", plain(what))).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_with_units_and_nothing_else() {
        for (text, expected) in [("0", 0), ("512", 512), ("3K", 3072), ("10G", 10 << 30), ("2T", 2 << 40)] {
            assert_eq!(bytes(text), Ok(expected));
        }
        for text in ["", "G", "-1", "+1", "1.5G", "10GB", "10 G", "99999999999T"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_is_said_in_the_largest_unit() {
        let cases = [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (5 << 20, "5 MB"), ((2 << 30) - 1, "1 GB")];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(plain("a\u{1b}[2J\r\nb\u{9b}c"), "a [2J  b c");
    }
}
