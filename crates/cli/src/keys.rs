//! `capstan keys`: who may ask the gateway.

mod list;

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Subcommand;
use gateway::keys::{KeyInfo, Models, NewKey};
use transport::Secret;
use transport::credentials::process_environment;

use crate::exit::Exit;
use crate::say;
use crate::settings::{Overrides, Settings, home};
use crate::time::{self, shown};

/// What `--help` says below the commands.
const MORE: &str = "\
The keys are in ~/.capstan/gateway/keys.toml, or where data or key_file of [gateway] in the settings
say, with nothing of a secret but its SHA-256. A gateway that runs takes up what changes within a
second.";

/// Make, list, replace and revoke API keys of the gateway
#[derive(clap::Args)]
#[command(after_help = MORE, disable_help_subcommand = true)]
pub(crate) struct Keys {
    /// The file of keys, in the place of the one that the settings name
    #[arg(long, value_name = "FILE", global = true)]
    file: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key, and print it: only this once
    Create {
        /// Whose it is, or what for
        name: String,
        /// The models it may use, by name or pattern: gpt-*,o3; without it, all
        #[arg(long, value_name = "MODELS", value_delimiter = ',')]
        models: Vec<String>,
        /// How long it is valid: 12h, 30d; without it, until it is revoked
        #[arg(long, value_name = "TIME", value_parser = time::some_time)]
        expires: Option<Duration>,
        /// How many responses it may have running at once; without it, as many as any key
        #[arg(long, value_name = "NUMBER")]
        max_concurrent: Option<NonZeroUsize>,
    },
    /// Show the keys, without their secrets
    List {
        /// Print one JSON array in place of text
        #[arg(long)]
        json: bool,
    },
    /// Give a key a new secret, and print it: only this once
    Rotate {
        /// The key
        #[arg(value_name = "NAME_OR_ID")]
        key: String,
        /// How long the secret it has now stays valid: 10m, 1h; without it, not at all
        #[arg(long, value_name = "TIME", value_parser = time::any_time, default_value = "0s", hide_default_value = true)]
        grace: Duration,
    },
    /// Make a key invalid for good
    Revoke {
        /// The key
        #[arg(value_name = "NAME_OR_ID")]
        key: String,
    },
}

impl Keys {
    /// Does what was asked for. A new key is all that goes to standard output, so that a script can take it from there.
    pub(crate) fn run(self, before: Overrides) -> anyhow::Result<(String, Exit)> {
        let path = match self.file {
            Some(file) => file,
            None => usual_file(&before.and(&self.overrides))?,
        };
        let mut keys = gateway::keys::Keys::open(&path)?;
        let now = SystemTime::now();
        let text = match self.action {
            Action::Create { name, models, expires, max_concurrent } => {
                let wanted = NewKey { name, valid_for: expires, models: Models::new(models)?, max_concurrent };
                let (key, secret) = keys.create(wanted, now)?;
                let until = key.expires_at.map(|end| format!(" until {}", shown(end))).unwrap_or_default();
                hand_over(&key, &secret, &format!("is valid{until}"))?
            }
            Action::List { json: true } => list::json(keys.list(), seconds(now)),
            Action::List { json: false } if keys.list().is_empty() => {
                format!("no keys in {}: make one with `capstan keys create NAME`\n", path.display())
            }
            Action::List { json: false } => list::text(keys.list(), seconds(now)),
            Action::Rotate { key, grace } => {
                let (key, secret) = keys.rotate(&key, grace, now)?;
                let before = match key.former_until(seconds(now)) {
                    Some(until) => format!("has a new secret; the one before is valid until {}", shown(until)),
                    None => "has a new secret; the one before is not valid any more".to_owned(),
                };
                hand_over(&key, &secret, &before)?
            }
            Action::Revoke { key } => {
                let key = keys.revoke(&key, now)?;
                format!("the key {} ({}) is revoked\n", key.id, key.name)
            }
        };
        Ok((text, Exit::Done))
    }
}

/// Where the gateway has its keys.
fn usual_file(overrides: &Overrides) -> anyhow::Result<PathBuf> {
    let environment = process_environment();
    let gateway::Settings { key_file, data, .. } = Settings::find(overrides, &environment)?.gateway;
    match (key_file, data) {
        (Some(file), _) => Ok(file),
        (None, Some(folder)) => Ok(folder.join("keys.toml")),
        (None, None) => Ok(home(&environment)?.join("gateway").join("keys.toml")),
    }
}

/// Says what is to be known of a secret, and gives the secret itself.
fn hand_over(key: &KeyInfo, secret: &Secret, is: &str) -> io::Result<String> {
    let KeyInfo { id, name, .. } = key;
    say(io::stderr().lock(), &format!("the key {id} ({name}) {is}; keep its text, it is shown only this once:\n"))?;
    Ok(format!("{}\n", secret.expose()))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
