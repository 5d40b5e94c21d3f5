//! A scripted model, for any client to be pointed at.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use testkit::{FakeModel, Script};

const USAGE: &str = "usage: fake-model --script FILE [--port N]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let (file, port) = arguments(std::env::args().skip(1))?;
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let script = Script::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let turns = script.turns.len();
    let model = FakeModel::scripted(script).start_on(port).await.map_err(|error| format!("port {port}: {error}"))?;
    let mut out = io::stdout();
    let base = model.base_url();
    let _ = writeln!(out, "{base}\nThis model is scripted: it says the {turns} turns of {}.", file.display());
    let _ = out.flush();
    tokio::signal::ctrl_c().await.map_err(|error| error.to_string())?;
    model.stop().await;
    Ok(())
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<(PathBuf, u16), String> {
    let (mut script, mut port) = (None, 0);
    while let Some(name) = given.next() {
        let value = given.next().ok_or(USAGE)?;
        match name.as_str() {
            "--script" => script = Some(PathBuf::from(value)),
            "--port" => port = value.parse().map_err(|_| format!("`{value}` is not a port\n{USAGE}"))?,
            _ => return Err(format!("`{name}` is not known\n{USAGE}")),
        }
    }
    Ok((script.ok_or(USAGE)?, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<(PathBuf, u16), String> {
        arguments(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_script_is_needed_and_a_port_is_not() {
        assert_eq!(read("--script a.toml"), Ok(("a.toml".into(), 0)));
        assert_eq!(read("--port 8080 --script a.toml"), Ok(("a.toml".into(), 8080)));
        for wrong in ["", "--script", "--port x --script a", "--port 1", "--verbose yes"] {
            assert!(read(wrong).unwrap_err().contains("usage"), "{wrong}");
        }
    }
}
