//! `capstan sessions`: what was said and done, found again, shown, taken elsewhere, removed.

mod json;
mod show;
mod table;

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use clap::Subcommand;
use journal::index::{Filter, Index};
use journal::sessions::{self as kept, Keep, New, SessionError, SessionId};
use transport::credentials::process_environment;

use crate::exit::Exit;
use crate::memory;
use crate::say;
use crate::settings::{home, why};
use crate::time;

/// What `--help` says below the commands.
const MORE: &str = "\
The sessions are in ~/.capstan/sessions, each in a folder of its own; secrets are taken out before
anything is written. An id may be shortened as long as it is the only one that begins like that.

Exits with 0 if it is done, 1 if something is damaged or fails, 2 if it was asked for in a wrong way.
";

/// List, search, show, fork, export, import, check and remove sessions
#[derive(clap::Args)]
#[command(after_help = MORE, disable_help_subcommand = true)]
pub(crate) struct Sessions {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List sessions, those that changed last first
    List {
        /// Only those in this folder
        #[arg(long)]
        here: bool,
        /// Print one JSON array in place of text
        #[arg(long)]
        json: bool,
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: u64,
    },
    /// Find sessions by words that were said in them
    Search {
        /// The words; the last may be the beginning of one
        #[arg(required = true)]
        text: Vec<String>,
        /// Print one JSON array in place of text
        #[arg(long)]
        json: bool,
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 20)]
        limit: u64,
    },
    /// Show what was said and done in a session, with the past that it shares
    Show {
        /// The session
        id: String,
        /// Print every record as one line of JSON in place of text
        #[arg(long)]
        json: bool,
    },
    /// Write a session, its past and all that belongs to them into one file
    Export {
        /// The session
        id: String,
        /// The file, which must not be there yet; without it, standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Take in a session that was exported
    Import {
        /// The file; - for standard input
        file: PathBuf,
    },
    /// Begin a session that shares the past of another, and print its id
    Fork {
        /// The session whose past is shared
        id: String,
        /// The last record that is shared, as `show --json` numbers them; without it, the last there is
        #[arg(long, value_name = "NUMBER")]
        at: Option<u64>,
    },
    /// Remove sessions
    Rm {
        /// The sessions
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
        /// And those that share their past
        #[arg(long)]
        with_forks: bool,
    },
    /// Remove sessions that are too old or too many, but none that is open or the past of one that stays
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
    Prune {
        /// Those that did not change for so long: 30d
        #[arg(long, value_name = "TIME", value_parser = time::some_time, group = "what")]
        older_than: Option<Duration>,
        /// The oldest, until the others have so much of the disk: 10G
        #[arg(long, value_name = "BYTES", value_parser = table::bytes, group = "what")]
        keep_bytes: Option<u64>,
        /// Only say which
        #[arg(long)]
        dry_run: bool,
    },
    /// Check that a session is as it was written
    Verify {
        /// The session
        id: String,
    },
}

impl Sessions {
    /// Does what was asked for. What is wrong with the disk or with a session is told apart from wrong usage.
    pub(crate) fn run(self) -> anyhow::Result<(String, Exit)> {
        let done = self.action.run(&home(&process_environment())?);
        match done {
            Err(error) if is_failure(&error) => {
                say(io::stderr().lock(), &format!("error: {error:#}\n"))?;
                Ok((String::new(), Exit::Failed))
            }
            done => done,
        }
    }
}

/// Whether it was asked for in a right way.
fn is_failure(error: &anyhow::Error) -> bool {
    use SessionError::{Damaged, Disk, Ending, Import, Limit, Log, Newer, NoHead, NoRandomness};
    let failed = |error: &SessionError| {
        matches!(
            error,
            Log(_)
                | Disk { .. }
                | Damaged { .. }
                | Newer { .. }
                | NoHead { .. }
                | Import { .. }
                | Limit { .. }
                | Ending
                | NoRandomness
        )
    };
    error.downcast_ref::<SessionError>().is_some_and(failed)
        || error.is::<journal::index::IndexError>()
        || error.is::<io::Error>()
}

impl Action {
    fn run(self, home: &Path) -> anyhow::Result<(String, Exit)> {
        let sessions = memory::sessions(home, matches!(self, Self::Fork { .. }))?;
        let done = |text| Ok((text, Exit::Done));
        match self {
            Self::List { here, json, limit } => done(list(&sessions, here, json, limit)?),
            Self::Search { text, json, limit } => done(search(&sessions, &text.join(" "), json, limit)?),
            Self::Show { id, json } => show_all(&sessions, sessions.find(&id)?, json),
            Self::Export { id, output } => export(&sessions, sessions.find(&id)?, output.as_deref()),
            Self::Import { file } => done(import(&sessions, &file)?),
            Self::Fork { id, at } => done(fork(&sessions, sessions.find(&id)?, at)?),
            Self::Rm { ids, with_forks } => {
                let ids = ids.iter().map(|id| sessions.find(id)).collect::<Result<Vec<_>, _>>()?;
                let gone = sessions.remove(&ids, with_forks)?;
                // What is searched forgets it too.
                Index::of(&sessions)?;
                done(gone.iter().map(|id| format!("removed {id}\n")).collect::<Vec<_>>().concat())
            }
            Self::Prune { older_than, keep_bytes, dry_run } => {
                let keep = Keep { age: older_than, bytes: keep_bytes };
                let pruned = sessions.prune(memory::now(), &keep, dry_run)?;
                if !dry_run {
                    Index::of(&sessions)?;
                }
                done(table::pruned(&pruned, dry_run))
            }
            Self::Verify { id } => {
                let verified = sessions.verify(sessions.find(&id)?)?;
                let exit = if verified.damage.is_empty() { Exit::Done } else { Exit::Failed };
                Ok((table::verified(&verified), exit))
            }
        }
    }
}

fn index(sessions: &kept::Sessions) -> anyhow::Result<Index> {
    let index = Index::of(sessions)?;
    if index.is_stale() {
        say(io::stderr().lock(), "note: another process reads what is new; it may be missing here\n")?;
    }
    Ok(index)
}

fn list(sessions: &kept::Sessions, here: bool, json: bool, limit: u64) -> anyhow::Result<String> {
    let cwd = if here { Some(std::env::current_dir()?.to_string_lossy().into_owned()) } else { None };
    let listed = index(sessions)?.list(&Filter { cwd, since: None, limit: Some(limit) })?;
    Ok(match (json, listed.is_empty()) {
        (true, _) => json::list(&listed),
        (false, true) if here => "no sessions in this folder: `capstan sessions list` shows all\n".to_owned(),
        (false, true) => format!("no sessions in {}\n", sessions.folder().display()),
        (false, false) => table::list(&listed),
    })
}

fn search(sessions: &kept::Sessions, text: &str, json: bool, limit: u64) -> anyhow::Result<String> {
    let hits = index(sessions)?.search(text, limit)?;
    Ok(match (json, hits.is_empty()) {
        (true, _) => json::hits(&hits),
        (false, true) => "no session says that: use fewer words, or the beginning of one\n".to_owned(),
        (false, false) => table::hits(&hits),
    })
}

/// Shows a session record by record: it may be longer than what has room in memory.
fn show_all(sessions: &kept::Sessions, id: SessionId, json: bool) -> anyhow::Result<(String, Exit)> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut exit = Exit::Done;
    let mut history = sessions.read(id)?;
    for step in history.by_ref() {
        let step = step?;
        if matches!(step, kept::Step::Damage { .. }) {
            exit = Exit::Failed;
        }
        let text = if json { json::step(&step) } else { show::step(&step) };
        match out.write_all(text.as_bytes()) {
            // Who does not listen any more has read all they wanted.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok((String::new(), exit)),
            written => written?,
        }
    }
    match out.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    say(io::stderr().lock(), &table::rest(history.unfinished()))?;
    Ok((String::new(), exit))
}

fn export(sessions: &kept::Sessions, id: SessionId, output: Option<&Path>) -> anyhow::Result<(String, Exit)> {
    let exported = match output {
        None => sessions.export(id, &mut BufWriter::new(io::stdout().lock()))?,
        Some(path) => {
            // What was said is for nobody else, in a file as it is in the home.
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            let file = made.map_err(|error| unusable(path, &error))?;
            let exported = sessions.export(id, &mut BufWriter::new(file));
            if exported.is_err() {
                // A part of an export is of no use.
                let _ = std::fs::remove_file(path);
            }
            exported?
        }
    };
    say(io::stderr().lock(), &(table::rest(exported.unfinished) + &table::damage(&exported.damage)))?;
    let exit = if exported.damage.is_empty() { Exit::Done } else { Exit::Failed };
    Ok((String::new(), exit))
}

fn import(sessions: &kept::Sessions, file: &Path) -> anyhow::Result<String> {
    let imported = if file == Path::new("-") {
        sessions.import(&mut io::stdin().lock())?
    } else {
        let opened = File::open(file).map_err(|error| unusable(file, &error))?;
        sessions.import(&mut BufReader::new(opened))?
    };
    Ok(table::imported(&imported))
}

/// A file that was named and cannot be used.
fn unusable(path: &Path, error: &io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists => anyhow!("{} is there already: use another name", path.display()),
        _ => anyhow!("{}: {}", path.display(), why(error)),
    }
}

fn fork(sessions: &kept::Sessions, from: SessionId, at_seq: Option<u64>) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let at = memory::now();
    let (cwd, id) = (sessions.head(from)?.cwd, SessionId::fresh(at)?);
    let new = New { id, at, version: env!("CARGO_PKG_VERSION").to_owned(), cwd };
    runtime.block_on(async { sessions.fork(from, at_seq, new).await?.close().await })?;
    Ok(format!("{id}\n"))
}
