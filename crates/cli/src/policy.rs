//! `capstan policy`: what would be decided, what was granted, and what other rules would have decided.

mod files;
mod here;
mod json;
mod replay;

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};
use journal::audit::entry::{Entry, Granted, Revoked};
use policy::act::{Act, Actor, Role};
use policy::grants::{Grant, Grants};
use policy::judge::{Judge, Judgement};
use policy::place::Surroundings;
use policy::report;
use policy::rules::{Moment, Rules};
use policy::verdict::Verdict;

use crate::exit::Exit;
use crate::memory;
use crate::time;
use files::Files;
use here::{moment, surroundings};

/// What `--help` says below the commands.
const MORE: &str = "\
The rules are in ~/.capstan/policy.toml, and what was allowed for longer than once is in
~/.capstan/grants.toml. Without either, what is built in decides: what looks, builds and changes
files in the workspace is allowed; what leaves it is asked about; what destroys it is denied.";

/// Ask what the rules decide; list, give and take back grants; try other rules on what was done
#[derive(Args)]
#[command(after_help = MORE, disable_help_subcommand = true)]
pub(crate) struct Policy {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Say what would be decided about a command, and why; nothing is run
    ///
    /// The exit code is 0 if it may be run, 1 if somebody would be asked, 3 if it is refused.
    Check {
        #[command(flatten)]
        command: OneCommand,
        #[command(flatten)]
        with: With,
        /// Print one JSON object in place of text
        #[arg(long)]
        json: bool,
    },
    /// Say what the rules would have decided about all that a session did, and where that differs
    Replay {
        /// The session, by its id or how the id begins
        session: String,
        #[command(flatten)]
        with: With,
        /// Print one JSON object in place of text
        #[arg(long)]
        json: bool,
    },
    /// List what was allowed for longer than once
    Grants {
        /// Print one JSON array in place of text
        #[arg(long)]
        json: bool,
    },
    /// Allow what a command means for longer than once, so that it is not asked about again
    Grant {
        #[command(flatten)]
        command: OneCommand,
        /// How long it holds: 8h, 30d; without it, until it is revoked
        #[arg(long = "for", value_name = "TIME", value_parser = time::some_time)]
        valid: Option<Duration>,
        /// How often it may be used; without it, as often as wanted
        #[arg(long, value_name = "NUMBER")]
        uses: Option<u32>,
        /// In which session only
        #[arg(long, value_name = "ID")]
        session: Option<String>,
        /// Why, for whoever looks at the list later
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Take a grant back
    Revoke {
        /// Which, by its id in the list
        id: String,
    },
}

/// A command line.
#[derive(Args)]
struct OneCommand {
    /// The command line, as one argument
    #[arg(value_name = "COMMAND")]
    line: String,
    /// The folder in which it would run; without it, this one
    #[arg(long, value_name = "DIR")]
    cd: Option<PathBuf>,
}

/// What is judged with.
#[derive(Args)]
struct With {
    /// A file of rules in the place of the one that holds
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Who would run it
    #[arg(long = "as", value_name = "ROLE", value_enum, default_value = "agent")]
    role: RoleName,
    /// As if the kernel kept the command to the workspace and off the network
    #[arg(long)]
    confined: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    Owner,
    Operator,
    Reviewer,
    Auditor,
    Agent,
    Subagent,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Owner => Self::Owner,
            RoleName::Operator => Self::Operator,
            RoleName::Reviewer => Self::Reviewer,
            RoleName::Auditor => Self::Auditor,
            RoleName::Agent => Self::Agent,
            RoleName::Subagent => Self::Subagent,
        }
    }
}

impl Policy {
    /// Does what was asked for.
    pub(crate) fn run(self) -> anyhow::Result<(String, Exit)> {
        let files = Files::of_this_user()?;
        match self.action {
            Action::Check { command, with, json } => check(&files, &command, &with, json),
            Action::Replay { session, with, json } => {
                let (rules, grants) = (with.rules(&files)?, files.grants()?);
                replay::run(files.home(), &session, &Judge { rules: &rules, grants: &grants, session: None }, json)
            }
            Action::Grants { json } => {
                let (grants, now) = (files.grants()?, moment()?.seconds);
                let text = if json { json::grants(&grants, now) } else { report::grants(&grants, now) };
                Ok((text, Exit::Done))
            }
            Action::Grant { command, valid, uses, session, reason } => {
                let now = moment()?;
                let (act, around) = command.here(false)?;
                let grant = Grant {
                    id: new_id(),
                    role: Role::Agent,
                    actor: None,
                    session,
                    meaning: judged(&Rules::default(), &Grants::default(), &act, &around, now).meaning,
                    place: around.workspace.first().cloned().unwrap_or_else(|| around.cwd.clone()),
                    until: valid.map(|valid| now.seconds.saturating_add(valid.as_secs())),
                    uses,
                    given_by: here::user(),
                    at: now.seconds,
                    reason,
                };
                let said = format!("granted {}: {} in {}\n", grant.id, grant.meaning, grant.place.as_str());
                let entry = Entry::Granted(Granted {
                    grant: grant.id.clone().into(),
                    actor: here::owner(),
                    on: format!("{} in {}", grant.meaning, grant.place.as_str()).into(),
                    until: grant.until.map(|until| until.saturating_mul(1000)),
                });
                files.change_grants(|grants| {
                    grants.expire(now.seconds);
                    grants.add(grant)?;
                    memory::record(files.home(), entry)
                })?;
                Ok((said, Exit::Done))
            }
            Action::Revoke { id } => {
                let unknown = || anyhow!("there is no grant {id}: `capstan policy grants` lists them");
                let grant = files.change_grants(|grants| {
                    let grant = grants.revoke(&id).ok_or_else(unknown)?;
                    let entry = Revoked { grant: id.as_str().into(), actor: here::owner() };
                    memory::record(files.home(), Entry::Revoked(entry))?;
                    Ok(grant)
                })?;
                Ok((format!("revoked {id}: {}\n", grant.meaning), Exit::Done))
            }
        }
    }
}

fn check(files: &Files, command: &OneCommand, with: &With, json: bool) -> anyhow::Result<(String, Exit)> {
    let (rules, grants) = (with.rules(files)?, files.grants()?);
    let (act, around) = command.here(with.confined)?;
    let actor = Actor { name: here::user(), role: with.role.into() };
    let judge = Judge { rules: &rules, grants: &grants, session: None };
    let judgement = judge.judge(&actor, &act, &around, moment()?);
    let exit = match judgement.verdict {
        Verdict::Allow => Exit::Done,
        Verdict::Ask => Exit::Failed,
        Verdict::Deny => Exit::Refused,
    };
    let text = if json { json::judgement(&judgement) } else { report::judgement(&judgement) };
    Ok((text, exit))
}

/// What is thought of an act that an agent wants to do.
fn judged(rules: &Rules, grants: &Grants, act: &Act, around: &Surroundings, now: Moment) -> Judgement {
    let actor = Actor { name: here::user(), role: Role::Agent };
    Judge { rules, grants, session: None }.judge(&actor, act, around, now)
}

/// Short, for it is typed to revoke the grant, and sorted by time.
fn new_id() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("g{:x}", since.as_millis())
}

impl OneCommand {
    fn here(&self, confined: bool) -> anyhow::Result<(Act, Surroundings)> {
        let around = surroundings(self.cd.as_deref(), confined)?;
        Ok((Act::Command { line: self.line.clone(), cwd: around.cwd.clone() }, around))
    }
}

impl With {
    fn rules(&self, files: &Files) -> anyhow::Result<Rules> {
        files.rules(self.rules.as_deref())
    }
}
