//! `capstan`, the command: what was asked for, done, and told by an exit code.

mod compose;
mod exit;
mod probe;
mod settings;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Exit;
use probe::Probe;
use settings::Overrides;

/// What a person reads who starts `capstan` to see what it does.
const WHAT_EXISTS_NOW: &str = "\
capstan has no terminal interface yet.

This release has the protocol core and the transport: what reaches a model and loses no turn.
The agent and the gateway come with later releases.

Next: `capstan probe` shows whether and how a model provider is reached from here.
";

/// What `--help` says above the commands.
const ABOUT: &str = "\
Capstan is an agent and a gateway for the OpenAI Responses API, built on one protocol core.

This release has the core, which keeps a conversation with a model exact across WebSocket and
HTTP, lost connections and resends, and the transport that carries it. `capstan probe` tries it.
The agent and the gateway, and their commands, come with later releases.";

#[derive(Parser)]
#[command(name = "capstan", version, about = ABOUT, help_expected = true, disable_help_subcommand = true)]
struct Arguments {
    #[command(flatten)]
    overrides: Overrides,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Probe(Probe),
}

fn main() -> ExitCode {
    let Arguments { overrides, command } = Arguments::parse();
    let done = match command {
        None => Ok((WHAT_EXISTS_NOW.to_owned(), Exit::Done)),
        Some(Command::Probe(probe)) => probe.run(overrides),
    };
    let said = match done {
        Ok((text, exit)) => say(io::stdout().lock(), &text).map(|()| exit),
        Err(error) => say(io::stderr().lock(), &format!("error: {error}\n")).map(|()| Exit::Usage),
    };
    said.unwrap_or(Exit::Failed).into()
}

/// Says something. A reader that has gone away has read all it wanted, which is no failure.
fn say(mut to: impl Write, text: &str) -> io::Result<()> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
