//! `capstan`, the command. This release holds the protocol core as a library; the command says so and nothing more.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

/// What a person reads who starts `capstan` to see what it does.
const WHAT_EXISTS_NOW: &str = "\
capstan has no terminal interface yet.

This release is the protocol core, the response chain: the crate `responses`, a library.
The agent and the gateway come with later releases.

Next: README.md says what can be run today; `capstan --help` says what capstan is.
";

/// What `--help` says above the options.
const ABOUT: &str = "\
Capstan is an agent and a gateway for the OpenAI Responses API, built on one protocol core.

This release has the protocol core only: the response chain, a library that keeps a
conversation with a model exact across WebSocket and HTTP, lost connections and resends.
The agent and the gateway, and their commands, come with later releases.";

#[derive(Parser)]
#[command(name = "capstan", version, about = ABOUT, help_expected = true)]
struct Arguments {}

fn main() -> ExitCode {
    let Arguments {} = Arguments::parse();
    match say(WHAT_EXISTS_NOW) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Writes to stdout. A reader that has gone away has read all it wanted, which is no failure.
fn say(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
