//! The command in a clean room: a folder of its own, no variables, and nothing that shows a key.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use testkit::tls::Authority;
use testkit::{FakeModel, Fault, FaultPlan, On, RunningModel, Turn};
use tokio::process::Command;

/// A key that must never be seen anywhere but in the header it is for.
pub(crate) const PLANTED: &str = "sk-planted-3c9a";

/// How long a run may take before it counts as hanging. It is not part of what is tested.
const PATIENCE: Duration = Duration::from_mins(2);

/// A home folder, and what is set in the environment.
pub(crate) struct Room {
    home: TempDir,
    variables: Vec<(String, String)>,
}

/// What a run left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Room {
    /// An empty home, and a key for `OpenAI`.
    pub(crate) fn new() -> Self {
        Self::empty().with("OPENAI_API_KEY", PLANTED)
    }

    /// An empty home.
    pub(crate) fn empty() -> Self {
        Self { home: TempDir::new().unwrap(), variables: Vec::new() }
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A file in the home folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The settings of the user.
    pub(crate) fn settings(self, text: &str) -> Self {
        self.file(".capstan/config.toml", text);
        self
    }

    /// The user's settings, with the built-in provider at this server.
    pub(crate) fn at(self, model: &RunningModel) -> Self {
        let text = format!("[model_providers.openai]\nbase_url = \"{}\"\n", model.base_url());
        self.settings(&text)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_capstan"));
        command.args(arguments).env_clear().env("HOME", self.home.path()).stdin(Stdio::null()).kill_on_drop(true);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.home.path());
        command
    }

    /// Runs the command, and looks for keys in what it says.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        self.ran(self.command(arguments)).await.unwrap()
    }

    pub(crate) async fn ran(&self, mut command: Command) -> io::Result<Ran> {
        let output = tokio::time::timeout(PATIENCE, command.output()).await??;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ran = Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) };
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains("planted"), "a key is shown: {said}");
        assert!(!said.contains("panicked") && !said.contains('\u{1b}'), "{said}");
        Ok(ran)
    }

    /// What is said, with the home folder and this server by other names.
    pub(crate) fn named(&self, text: &str, model: &RunningModel) -> String {
        let address = model.address();
        let text = text.replace(&*self.home.path().to_string_lossy(), "HOME").replace(&address.to_string(), "SERVER");
        text.replace(&format!("localhost:{}", address.port()), "SERVER")
    }
}

impl Ran {
    /// The last line of what was said.
    pub(crate) fn conclusion(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }

    /// Stands for nothing said, and an exit code of 2.
    pub(crate) fn refusal(&self) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{self:?}");
        &self.stderr
    }
}

/// A model that demands the planted key.
pub(crate) fn model() -> FakeModel {
    FakeModel::respond_with(|_| Turn::new().message("yes")).with_key(PLANTED)
}

/// The same on a loopback address.
pub(crate) async fn running() -> RunningModel {
    model().start_loopback().await.unwrap()
}

/// The same, without sockets.
pub(crate) async fn refusing_upgrades(status: u16) -> RunningModel {
    let faults = FaultPlan::default().on(On::EveryConnection, Fault::RefuseUpgrade { status, retry_after: None });
    model().with_faults(faults).with_header("x-request-id", "req_1").start_loopback().await.unwrap()
}

/// The same over TLS, as `localhost`.
pub(crate) async fn secure(authority: &Authority) -> RunningModel {
    let config = authority.server_config(&["localhost"], &[b"h2", b"http/1.1"]).unwrap();
    model().start_tls(config).await.unwrap()
}

/// How often this model was asked for a socket.
pub(crate) fn upgrades(model: &RunningModel) -> usize {
    model.log().requests().iter().filter(|request| request.header("upgrade").is_some()).count()
}

/// A text for people without its times: they differ from run to run.
pub(crate) fn without_times(text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    for at in 1..words.len() {
        if words[at].starts_with("ms") {
            words[at - 1] = "T";
        }
    }
    words.join(" ")
}

/// The same for JSON. That they are numbers is part of it.
pub(crate) fn json_without_times(text: &str) -> String {
    let mut plain = String::new();
    for (at, part) in text.split("ms\":").enumerate() {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        plain.push_str(if at == 0 { "" } else { "ms\":" });
        plain.push_str(if at == 0 || rest.len() == part.len() { part } else { "T" });
        plain.push_str(if at == 0 || rest.len() == part.len() { "" } else { rest });
    }
    plain
}
