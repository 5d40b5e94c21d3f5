//! What `capstan` says of itself, and of wrong usage.

use std::io;
use std::process::{Command, Output, Stdio};

const HELP: &str = "\
Capstan is an agent and a gateway for the OpenAI Responses API, built on one protocol core.

This release has the gateway, `capstan serve`: the Responses API with WebSocket mode in front of
any backend, with responses that survive their socket; the transport, which `capstan probe` tries;
and the memory and judgement of the agent: sessions, policy, audit. The agent itself comes with a
later release.

Usage: capstan [OPTIONS] [COMMAND]

Commands:
  serve     Serve the Responses API with WebSocket mode in front of any backend
  keys      Make, list, replace and revoke API keys of the gateway
  sessions  List, search, show, fork, export, import, check and remove sessions
  policy    Ask what the rules decide; list, give and take back grants; try other rules on what was done
  audit     Verify, show and export the log of what was done, and prove parts of it
  probe     Take the way to a model provider once, and show where it leads

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

const SERVE_HELP: &str = "\
Serve the Responses API with WebSocket mode in front of any backend

Usage: capstan serve [OPTIONS]

Options:
      --listen <ADDRESS:PORT>  Where to listen; port 0 takes a free one
      --config <FILE>          Read the settings from this file, in the place of ~/.capstan/config.toml
      --data <FOLDER>          Keep responses and keys in this folder, in the place of ~/.capstan/gateway
  -c <KEY=VALUE>               Set a setting of config.toml for this run, as often as needed: -c model_provider=azure
  -h, --help                   Print help

Without settings it listens on 127.0.0.1:8787, asks for no key, and serves the models of the local
servers it finds (Ollama, LM Studio, vLLM, llama.cpp) and `scripted`, which answers by rule and
needs no model. Point a client at http://127.0.0.1:8787/v1.

Settings: the tables [gateway] and [model_providers] of ~/.capstan/config.toml, or of --config.
On an address that others can reach it asks for API keys: make one with `capstan keys create NAME`.

SIGTERM and Ctrl-C let what runs end, for a minute; a second one ends at once.
The log goes to standard error; CAPSTAN_LOG=gateway=debug says more.
";

const NO_ARGUMENTS: &str = "\
capstan has no terminal interface yet.

This release has the gateway, the transport, and the memory and judgement of the agent. The agent
itself comes with a later release.

Next: `capstan serve` gives the Responses API with WebSocket mode to the models it finds;
`capstan probe` shows whether and how a model provider is reached from here;
`capstan policy check COMMAND` says what would be decided about a command, and why.
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
        assert_eq!(seen(&capstan(&["serve", flag]).output()?), (Some(0), SERVE_HELP.to_owned(), String::new()));
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
