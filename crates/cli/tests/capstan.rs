//! The real `capstan`, as a person meets it.

use std::io;
use std::process::{Command, Output, Stdio};

const HELP: &str = "\
Capstan is an agent and a gateway for the OpenAI Responses API, built on one protocol core.

This release has the protocol core only: the response chain, a library that keeps a
conversation with a model exact across WebSocket and HTTP, lost connections and resends.
The agent and the gateway, and their commands, come with later releases.

Usage: capstan

Options:
  -h, --help     Print help
  -V, --version  Print version
";

const NO_ARGUMENTS: &str = "\
capstan has no terminal interface yet.

This release is the protocol core, the response chain: the crate `responses`, a library.
The agent and the gateway come with later releases.

Next: README.md says what can be run today; `capstan --help` says what capstan is.
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
fn without_arguments_it_says_what_exists_now() -> io::Result<()> {
    assert_eq!(seen(&capstan(&[]).output()?), (Some(0), NO_ARGUMENTS.to_owned(), String::new()));
    Ok(())
}

#[test]
fn wrong_usage_exits_with_2_and_names_the_next_step() -> io::Result<()> {
    for (wrong, tip) in [("--versoin", "tip: a similar argument exists: '--version'\n\n"), ("exec", "")] {
        let (code, stdout, stderr) = seen(&capstan(&[wrong]).output()?);
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert!(stderr.starts_with(&format!("error: unexpected argument '{wrong}' found\n\n")), "{stderr}");
        assert!(stderr.contains(tip), "{stderr}");
        assert!(stderr.ends_with("For more information, try '--help'.\n"), "{stderr}");
    }
    Ok(())
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() -> io::Result<()> {
    for arguments in [&[][..], &["--help"], &["--version"]] {
        let (reader, writer) = io::pipe()?;
        drop(reader);
        let output = capstan(arguments).stdout(writer).stderr(Stdio::piped()).output()?;
        assert_eq!(seen(&output), (Some(0), String::new(), String::new()), "{arguments:?}");
    }
    Ok(())
}
