//! `capstan audit`: is the log of what was done whole, who did what, and proofs for others.

mod report;
mod show;

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, Subcommand};
use journal::audit::checkpoint::{MAX_NOTE, PublicKey};
use journal::audit::proof::{self, Proven};
use journal::audit::verify::{self, Trust};
use journal::audit::{export, folder};
use journal::disk::Machine;
use transport::credentials::process_environment;

use crate::exit::Exit;
use crate::settings::{home, read_file, why};

/// The longest key file, and the longest proof: one record, and what leads from it to the root.
const MAX_KEY: usize = 1 << 10;
const MAX_PROOF: usize = 8 << 20;

/// What `--help` says below the commands.
const MORE: &str = "\
The log is in ~/.capstan/audit, with the public key in key.pub. Give that key, and from time to
time the file checkpoint, to somebody who keeps them elsewhere: whoever has this user's rights here
has the private key too, and can write another log. With a checkpoint that was kept elsewhere that
is found: capstan audit verify --key KEY --since CHECKPOINT.";

/// Verify, show and export the log of what was done, and prove parts of it
#[derive(Args)]
#[command(after_help = MORE, disable_help_subcommand = true)]
pub(crate) struct Audit {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Say whether the log is as it was written and signed, and name what is not
    ///
    /// The exit code is 0 if it is, 1 if something is changed, added, moved or missing, 2 if it cannot be read.
    Verify(Verify),
    /// Show who did what, by which rule, and how it ended
    Show(show::Show),
    /// Write the whole log into one text file, which is verified elsewhere with --bundle
    Export {
        /// The file, which must not be there yet; without it, standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Prove that a record is in the log, or that the log was only added to; verified elsewhere with --proof
    Proof {
        /// The number of the record, as `show` has it
        #[arg(value_name = "RECORD", required_unless_present = "since")]
        record: Option<u64>,
        /// A checkpoint that was kept: prove that what it covers is the beginning of the log
        #[arg(long, value_name = "FILE", conflicts_with = "record")]
        since: Option<PathBuf>,
        /// The file, which must not be there yet; without it, standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Args)]
struct Verify {
    /// The public key that is trusted; without it, the one that lies beside the log
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Verify what was exported, in the place of the log of this user
    #[arg(long, value_name = "FILE", conflicts_with = "proof")]
    bundle: Option<PathBuf>,
    /// Verify a proof, in the place of the log of this user
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// A checkpoint that was kept: verify that what it covers is the beginning of the log
    #[arg(long, value_name = "FILE", conflicts_with = "proof")]
    since: Option<PathBuf>,
    /// Print one JSON object in place of text
    #[arg(long)]
    json: bool,
}

impl Audit {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<(String, Exit)> {
        match self.action {
            Action::Verify(verify) => verify.run(),
            Action::Show(show) => Ok((show.run(&here()?)?, Exit::Done)),
            Action::Export { output } => {
                write(output.as_deref(), |out| Ok(export::export(&Machine, &here()?, out)?))?;
                Ok((String::new(), Exit::Done))
            }
            Action::Proof { record, since, output } => {
                let text = match (record, since) {
                    (Some(record), _) => proof::record(&Machine, &here()?, record)?,
                    (None, since) => proof::since(&Machine, &here()?, &read(&since.unwrap_or_default(), MAX_NOTE)?)?,
                };
                write(output.as_deref(), |out| Ok(out.write_all(text.as_bytes())?))?;
                Ok((String::new(), Exit::Done))
            }
        }
    }
}

impl Verify {
    fn run(self) -> anyhow::Result<(String, Exit)> {
        let key = self.key.as_deref().map(read_key).transpose()?;
        if let Some(path) = &self.proof {
            let key = match key {
                Some(key) => key,
                None => read_key(&here()?.join("key.pub"))?,
            };
            return Ok(match proof::verify(&read(path, MAX_PROOF)?, &key) {
                Ok(proven) => (proven_text(&proven, self.json), Exit::Done),
                Err(error) if self.json => (report::json_error(&error.to_string()), Exit::Failed),
                Err(error) => (format!("not proved: {error}\n"), Exit::Failed),
            });
        }
        let since = self.since.as_deref().map(|path| read(path, MAX_NOTE)).transpose()?;
        let trust = Trust { key: key.as_ref(), since: since.as_deref() };
        let found = match &self.bundle {
            Some(file) => verify::bundle(&Machine, file, trust)?,
            None => verify::folder(&Machine, &here()?, trust)?,
        };
        let exit = if found.is_whole() { Exit::Done } else { Exit::Failed };
        let text = if self.json { report::json(&found) } else { report::text(&found, key.is_some()) };
        Ok((text, exit))
    }
}

fn proven_text(proven: &Proven, json: bool) -> String {
    match proven {
        _ if json => report::json_proven(proven),
        Proven::Record { number, body, size, time } => {
            let time = show::moment(*time);
            format!(
                "record {number} of {size} was in the log that was signed at {time}. it says:\n{}\n",
                show::plain(body)
            )
        }
        Proven::Beginning { old, new } => {
            format!(
                "the log was only added to: its first {old} records are the same among the {new} that were signed last\n"
            )
        }
    }
}

/// The audit folder of this user.
fn here() -> anyhow::Result<PathBuf> {
    let home = home(&process_environment())?;
    let folder = folder(&home);
    // Without the log there may still be what was signed of it.
    if folder.exists() {
        return Ok(folder);
    }
    let home = home.display();
    Err(anyhow!("there is no audit log in {home}: it begins with the first act; or set CAPSTAN_HOME to where it is"))
}

fn read_key(path: &Path) -> anyhow::Result<PublicKey> {
    let text = read(path, MAX_KEY)?;
    PublicKey::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

fn read(path: &Path, most: usize) -> anyhow::Result<String> {
    let bytes = read_file(path, most).map_err(|error| anyhow!("{} cannot be read: {}", path.display(), why(&error)))?;
    String::from_utf8(bytes).map_err(|_| anyhow!("{} cannot be read: it is no text", path.display()))
}

/// Writes a file that is not there yet, or to standard output.
fn write(to: Option<&Path>, text: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    // What is still in the buffer when it is dropped is written then, and nobody is told if it cannot be.
    let whole = |out: &mut dyn Write| {
        text(out)?;
        Ok(out.flush()?)
    };
    let Some(path) = to else {
        return whole(&mut BufWriter::new(io::stdout().lock()));
    };
    let made: io::Result<File> = OpenOptions::new().write(true).create_new(true).open(path);
    let file = made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => anyhow!("{} is there already: name another file", path.display()),
        _ => anyhow!("{} cannot be written: {}", path.display(), why(&error)),
    })?;
    whole(&mut BufWriter::new(file)).inspect_err(|_| {
        // A part is of no use.
        let _ = std::fs::remove_file(path);
    })
}
