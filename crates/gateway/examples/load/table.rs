//! Tables as documents have them.

use std::io::{self, Write as _};

use crate::Outcome;

/// Prints a table.
pub(crate) fn print(title: &str, head: &[&str], rows: &[Vec<String>]) -> Outcome<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\n### {title}\n\n| {} |\n|{}", head.join(" | "), "--|".repeat(head.len()))?;
    for row in rows {
        writeln!(out, "| {} |", row.join(" | "))?;
    }
    Ok(out.flush()?)
}

/// Says what is going on.
pub(crate) fn mention(what: &str) -> Outcome<()> {
    let mut out = io::stderr().lock();
    writeln!(out, "{what}")?;
    Ok(())
}

/// The value below which this share of the others is.
pub(crate) fn share(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
    let at = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

pub(crate) fn median(values: &[f64]) -> f64 {
    share(values, 0.5)
}
