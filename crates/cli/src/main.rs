//! `capstan`, the command: what was asked for, done, and told by an exit code.

mod audit;
mod compose;
mod exit;
mod keys;
mod memory;
mod policy;
mod probe;
mod serve;
mod sessions;
mod settings;
mod telemetry;
mod time;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::policy::Policy;
use audit::Audit;
use exit::Exit;
use keys::Keys;
use probe::Probe;
use serve::Serve;
use sessions::Sessions;
use settings::Overrides;

/// What a person reads who starts `capstan` to see what it does.
const WHAT_EXISTS_NOW: &str = "\
capstan has no terminal interface yet.

This release has the gateway, the transport, and the memory and judgement of the agent. The agent
itself comes with a later release.

Next: `capstan serve` gives the Responses API with WebSocket mode to the models it finds;
`capstan probe` shows whether and how a model provider is reached from here;
`capstan policy check COMMAND` says what would be decided about a command, and why.
";

/// What `--help` says above the commands.
const ABOUT: &str = "\
Capstan is an agent and a gateway for the OpenAI Responses API, built on one protocol core.

This release has the gateway, `capstan serve`: the Responses API with WebSocket mode in front of
any backend, with responses that survive their socket; the transport, which `capstan probe` tries;
and the memory and judgement of the agent: sessions, policy, audit. The agent itself comes with a
later release.";

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
    Serve(Serve),
    Keys(Keys),
    Sessions(Sessions),
    Policy(Policy),
    Audit(Audit),
    Probe(Probe),
}

fn main() -> ExitCode {
    let Arguments { overrides, command } = Arguments::parse();
    let done = match command {
        None => Ok((WHAT_EXISTS_NOW.to_owned(), Exit::Done)),
        Some(Command::Serve(serve)) => serve.run(overrides),
        Some(Command::Keys(keys)) => keys.run(overrides),
        Some(Command::Sessions(sessions)) => sessions.run(),
        Some(Command::Policy(policy)) => policy.run(),
        Some(Command::Audit(audit)) => audit.run(),
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
