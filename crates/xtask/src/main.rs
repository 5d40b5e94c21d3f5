//! `cargo xtask`: the house rules, kept by a machine.
//!
//! The checks are plain functions from a [`repository::Repository`] to findings; reading the repository and printing
//! are the only things here that touch the world.

mod arrows;
mod command;
mod decisions;
mod documents;
mod externals;
mod finding;
#[cfg(test)]
mod fixture;
mod generated;
mod manifests;
mod markdown;
mod markers;
mod repository;
mod rules;
mod rust;
mod sizes;
mod tidy;
mod workspace;

use std::io::{self, Write};
use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::command::Task;
use crate::repository::Repository;
use crate::rules::Rules;

/// Exit code when the command could not be understood or the repository could not be read.
const TROUBLE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell when stderr is gone.
            let _ = writeln!(io::stderr().lock(), "xtask: {error:#}");
            ExitCode::from(TROUBLE)
        }
    }
}

fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    match command::parse(arguments)? {
        Task::Help => say(&command::help()).map(|()| ExitCode::SUCCESS),
        Task::Tidy => tidy(),
        Task::Generate => generate(),
        Task::FakeModel(rest) => fake_model(rest),
    }
}

fn tidy() -> anyhow::Result<ExitCode> {
    let root = repository::root()?;
    let rules = Rules::load(&root)?;
    let repository = Repository::load(&root)?;
    let mut findings = tidy::check(&repository, &rules);
    findings.extend(generated::check(&root, &repository, &rules));
    findings.sort();
    if findings.is_empty() {
        let (files, crates) = (repository.files.len(), repository.crates.len());
        say(&format!("tidy: {files} files, {crates} crates, no findings\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    for finding in findings {
        say(&format!("{finding}\n"))?;
    }
    Ok(ExitCode::FAILURE)
}

fn generate() -> anyhow::Result<ExitCode> {
    let root = repository::root()?;
    for rule in &Rules::load(&root)?.generated {
        generated::write(&root, rule)?;
        say(&format!("wrote {}\n", rule.path.get_ref()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn fake_model(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let status = Command::new(repository::cargo())
        .args(["run", "--quiet", "--package", "testkit", "--bin", "fake-model", "--"])
        .args(arguments)
        .status()
        .context("cannot start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn say(text: &str) -> anyhow::Result<()> {
    io::stdout().lock().write_all(text.as_bytes()).context("cannot write to stdout")
}
