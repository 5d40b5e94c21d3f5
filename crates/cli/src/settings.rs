//! The settings: found, read, checked.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use config::{ConfigError, Layers, Table};
use responses::chain::Mode;
use transport::credentials::Environment;
use transport::provider::BUILT_IN;
use transport::{Provider, Providers};

/// The provider where nothing is said.
const DEFAULT_PROVIDER: &str = "openai";

/// The ways to a model, and how people write them.
const WAYS: [(&str, Mode); 3] = [("auto", Mode::Auto), ("ws", Mode::WebSocket), ("http", Mode::Http)];

/// Variables that stand for settings. What is said with `-c` counts more, the file less.
const VARIABLES: [(&str, &str); 3] =
    [("CAPSTAN_MODEL", "model"), ("CAPSTAN_MODEL_PROVIDER", "model_provider"), ("CAPSTAN_TRANSPORT", "transport")];

const HELP: &str = "Set a setting of config.toml for this run, as often as needed: -c model_provider=azure";

/// Settings of one run.
#[derive(clap::Args)]
pub(crate) struct Overrides {
    #[arg(short = 'c', value_name = "KEY=VALUE", help = HELP)]
    settings: Vec<String>,
}

impl Overrides {
    /// Those given before a command and those after it: both count, the later ones more.
    pub(crate) fn and(mut self, later: &Self) -> Self {
        self.settings.extend_from_slice(&later.settings);
        self
    }
}

/// What holds for a run.
#[derive(Debug)]
pub(crate) struct Settings {
    provider: String,
    transport: Option<Mode>,
    providers: Providers,
    pub(crate) gateway: gateway::Settings,
}

impl Settings {
    /// Reads what is built in, the user's file, the environment, and what was said for this run.
    pub(crate) fn find(overrides: &Overrides, environment: &Environment) -> anyhow::Result<Self> {
        Self::find_in(None, overrides, environment)
    }

    /// The same, with this file in the place of the user's.
    pub(crate) fn find_in(
        file: Option<&Path>,
        overrides: &Overrides,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let path =
            file.map_or_else(|| Ok(home(environment)?.join("config.toml")), |file| anyhow::Ok(file.to_owned()))?;
        let mut layers = Layers::new().built_in(BUILT_IN)?;
        match read_text(&path) {
            Ok(text) => layers = layers.file(&path.display().to_string(), &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_none() => {}
            Err(error) => return Err(anyhow!("the settings in {} cannot be read: {}", path.display(), why(&error))),
        }
        for (variable, key) in VARIABLES {
            if let Some(value) = environment(variable).filter(|value| !value.is_empty()) {
                layers = layers.environment(variable, key, &value)?;
            }
        }
        for setting in &overrides.settings {
            layers = layers.argument(setting)?;
        }
        Ok(Self::read(layers.merge(), environment)?)
    }

    fn read(mut table: Table, environment: &Environment) -> Result<Self, ConfigError> {
        let settings = Self {
            provider: table.read("model_provider")?.unwrap_or_else(|| DEFAULT_PROVIDER.to_owned()),
            transport: table.read_with("transport", "auto, ws or http", way)?,
            providers: Providers::read(&mut table, environment)?,
            gateway: gateway::Settings::read(&mut table, environment)?,
        };
        check_what_turns_need(&mut table)?;
        table.finish()?;
        Ok(settings)
    }

    /// The provider of this name, or the one that is usually asked, with the ways that the settings want.
    pub(crate) fn provider(&self, named: Option<&str>) -> anyhow::Result<Provider> {
        let mut provider = self.providers.get(named.unwrap_or(&self.provider))?.clone();
        provider.transport = provider.transport.or(self.transport);
        Ok(provider)
    }
}

/// Settings of turns. Nothing here has turns, but a mistake in one of them is a mistake all the same.
fn check_what_turns_need(table: &mut Table) -> Result<(), ConfigError> {
    table.read::<String>("model")?;
    table.read::<u64>("model_auto_compact_token_limit")?;
    table.read::<u64>("tool_output_token_limit")?;
    Ok(())
}

/// The way that is written like this.
pub(crate) fn way(text: &str) -> Option<Mode> {
    WAYS.iter().find(|(name, _)| *name == text).map(|(_, mode)| *mode)
}

/// How a way is written.
pub(crate) fn name_of(way: Mode) -> &'static str {
    WAYS.iter().find(|(_, mode)| *mode == way).map_or("auto", |(name, _)| name)
}

/// All ways, as they are written.
pub(crate) fn ways() -> [&'static str; 3] {
    WAYS.map(|(name, _)| name)
}

/// Where Capstan keeps what it keeps.
pub(crate) fn home(environment: &Environment) -> anyhow::Result<PathBuf> {
    let set = |name| environment(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = set("CAPSTAN_HOME").or_else(|| Some(set("HOME")?.join(".capstan")));
    home.ok_or_else(|| anyhow!("neither CAPSTAN_HOME nor HOME is set: set CAPSTAN_HOME to a folder for the settings"))
}

fn read_text(path: &Path) -> io::Result<String> {
    let bytes = read_file(path, config::MAX_BYTES)?;
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

/// Why a file cannot be read, without numbers of the system.
pub(crate) fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// Reads a file that somebody named, and that may be anything.
pub(crate) fn read_file(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let more_than_most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(more_than_most).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::other(format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}
