//! What `capstan` says of itself, and of wrong usage.

use std::io;
use std::process::{Command, Output, Stdio};

const HELP: &str = "\
Capstan is an agent and a gateway for the OpenAI Responses API, built on one protocol core.

This release has the core, which keeps a conversation with a model exact across WebSocket and
HTTP, lost connections and resends, and the transport that carries it. `capstan probe` tries it.
The agent and the gateway, and their commands, come with later releases.

Usage: capstan [OPTIONS] [COMMAND]

Commands:
  probe  Take the way to a model provider once, and show where it leads

Options:
  -c <KEY=VALUE>  Set a setting of config.toml for this run, as often as needed: -c model_provider=azure
  -h, --help      Print help
  -V, --version   Print version
";

const PROBE_HELP: &str = "\
Take the way to a model provider once, and show where it leads

Usage: capstan probe [OPTIONS] [PROVIDER]

Arguments:
  [PROVIDER]  The provider: openai, azure, or another one of the settings; without it, the one that they choose

Options:
      --transport <WAYS>  The ways to take: both, the WebSocket only, or HTTP only [possible values: auto, ws, http]
      --json              Print one JSON object in place of text
  -c <KEY=VALUE>          Set a setting of config.toml for this run, as often as needed: -c model_provider=azure
  -h, --help              Print help

Opens a WebSocket and asks for the list of models, by the network, proxies, certificates and
key that a run would use. No model is asked anything.

Exits with 0 if turns can be had, 2 if the settings are wrong, 4 if the provider cannot be used.
";

const NO_ARGUMENTS: &str = "\
capstan has no terminal interface yet.

This release has the protocol core and the transport: what reaches a model and loses no turn.
The agent and the gateway come with later releases.

Next: `capstan probe` shows whether and how a model provider is reached from here.
";

fn capstan(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capstan"));
    command.args(arguments);
    command
}

/// Exit code, stdout and stderr.
fn seen(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn version_prints_name_and_version() -> io::Result<()> {
    for flag in ["--version", "-V"] {
        let expected = (Some(0), "capstan 0.1.0\n".to_owned(), String::new());
        assert_eq!(seen(&capstan(&[flag]).output()?), expected);
    }
    Ok(())
}

#[test]
fn help_says_what_capstan_is_and_what_this_release_has() -> io::Result<()> {
    for flag in ["--help", "-h"] {
        assert_eq!(seen(&capstan(&[flag]).output()?), (Some(0), HELP.to_owned(), String::new()));
    }
    Ok(())
}

#[test]
fn help_on_a_command_says_what_it_does_and_how_it_ends() -> io::Result<()> {
    for flag in ["--help", "-h"] {
        assert_eq!(seen(&capstan(&["probe", flag]).output()?), (Some(0), PROBE_HELP.to_owned(), String::new()));
    }
    Ok(())
}

#[test]
fn without_arguments_it_says_what_exists_now() -> io::Result<()> {
    assert_eq!(seen(&capstan(&[]).output()?), (Some(0), NO_ARGUMENTS.to_owned(), String::new()));
    Ok(())
}

#[test]
fn wrong_usage_exits_with_2_and_names_the_next_step() -> io::Result<()> {
    for (wrong, error, tip) in [
        (&["--versoin"][..], "unexpected argument '--versoin' found", "a similar argument exists: '--version'"),
        (&["prob"], "unrecognized subcommand 'prob'", "a similar subcommand exists: 'probe'"),
        (
            &["probe", "--transport", "htp"],
            "invalid value 'htp' for '--transport <WAYS>'",
            "a similar value exists: 'http'",
        ),
        (&["probe", "-c"], "a value is required for '-c <KEY=VALUE>' but none was supplied", ""),
    ] {
        let (code, stdout, stderr) = seen(&capstan(wrong).output()?);
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert!(stderr.starts_with(&format!("error: {error}\n")), "{stderr}");
        assert!(stderr.contains(tip), "{stderr}");
        assert!(stderr.ends_with("For more information, try '--help'.\n"), "{stderr}");
    }
    Ok(())
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() -> io::Result<()> {
    for arguments in [&[][..], &["--help"], &["--version"], &["probe", "--help"]] {
        let (reader, writer) = io::pipe()?;
        drop(reader);
        let output = capstan(arguments).stdout(writer).stderr(Stdio::piped()).output()?;
        assert_eq!(seen(&output), (Some(0), String::new(), String::new()), "{arguments:?}");
    }
    Ok(())
}
