//! Prints the table of error codes as a page. `cargo xtask generate` writes it to docs/error-codes.md.

use std::io::{self, Write as _};

use responses::error::{CODES, Meaning, Memory, Remedy, STATUSES};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "<!-- made by `cargo run --quiet --package responses --example error_codes`: do not edit -->")?;
    writeln!(out, "\n# Error codes\n")?;
    writeln!(
        out,
        "What an error means for the next step, for what the server remembers, and for the user. A code says"
    )?;
    writeln!(
        out,
        "more than a type, and a type more than a status. The table is `crates/responses/src/error/table.rs`.\n"
    )?;
    rows(&mut out, "Codes and types", CODES)?;
    writeln!(out)?;
    rows(&mut out, "Statuses, where neither code nor type is known", STATUSES)
}

fn rows(out: &mut impl io::Write, title: &str, rows: &[Meaning]) -> io::Result<()> {
    writeln!(out, "## {title}\n")?;
    writeln!(out, "| code | status | next step | the server remembers | the user is told |")?;
    writeln!(out, "|--|--|--|--|--|")?;
    for Meaning { code, status, remedy, memory, advice } in rows {
        let status = if *status == 0 { String::new() } else { status.to_string() };
        writeln!(out, "| `{code}` | {status} | {} | {} | {advice} |", step(*remedy), left(*memory))?;
    }
    Ok(())
}

fn step(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::SendAll => "send everything, at once",
        Remedy::NewLine => "new line, send everything, at once",
        Remedy::Wait => "wait as told, ask again",
        Remedy::BackOff => "ask again after growing pauses",
        Remedy::Credentials => "renew the credentials",
        Remedy::Compact => "compact, ask again",
        Remedy::Change => "change the request",
    }
}

fn left(memory: Memory) -> &'static str {
    match memory {
        Memory::Kept => "all it did",
        Memory::ParentLost => "all but the parent",
        Memory::AllLost => "nothing",
    }
}
