//! Prints what each fault costs as a page. `cargo xtask generate` writes it to docs/faults.md.

use std::io::{self, Write as _};

use world::faults::{Error, table};

const PAGE: &str = "\
<!-- made by `cargo run --quiet --package world --example faults`: do not edit -->

# Faults

What each fault of a model costs a conversation of four turns with three calls, against the same conversation without
it: seconds, requests and bytes of requests on top, in simulated time with packets that take 20 ms. Calls lost and items
doubled must be 0. Then what the user is told, and over what the conversation went on.

| fault | over | seconds | requests | bytes | lost | doubled | the user is told | went on over |
|--|--|--|--|--|--|--|--|--|
";

fn main() -> Result<(), Error> {
    let mut out = io::stdout().lock();
    write!(out, "{PAGE}")?;
    for row in table()? {
        writeln!(out, "{row}")?;
    }
    Ok(())
}
