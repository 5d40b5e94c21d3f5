//! `capstan serve`: the gateway.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use gateway::Gateway;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use transport::credentials::process_environment;

use crate::exit::Exit;
use crate::settings::{Overrides, Settings, home};
use crate::{compose, say, telemetry};

/// What `--help` says below the options.
const MORE: &str = "\
Without settings it listens on 127.0.0.1:8787, asks for no key, and serves the models of the local
servers it finds (Ollama, LM Studio, vLLM, llama.cpp) and `scripted`, which answers by rule and
needs no model. Point a client at http://127.0.0.1:8787/v1.

Settings: the tables [gateway] and [model_providers] of ~/.capstan/config.toml, or of --config.
On an address that others can reach it asks for API keys: make one with `capstan keys create NAME`.

SIGTERM and Ctrl-C let what runs end, for a minute; a second one ends at once.
The log goes to standard error; CAPSTAN_LOG=gateway=debug says more.";

/// Serve the Responses API with WebSocket mode in front of any backend
#[derive(clap::Args)]
#[command(after_help = MORE)]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Read the settings from this file, in the place of ~/.capstan/config.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep responses and keys in this folder, in the place of ~/.capstan/gateway
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
}

impl Serve {
    /// Serves until a signal comes.
    pub(crate) fn run(self, before: Overrides) -> anyhow::Result<(String, Exit)> {
        let environment = process_environment();
        telemetry::to_stderr(&environment)?;
        let overrides = before.and(&self.overrides);
        let mut settings = Settings::find_in(self.config.as_deref(), &overrides, &environment)?.gateway;
        settings.listen = self.listen.unwrap_or(settings.listen);
        let folder = match self.data.or_else(|| settings.data.clone()) {
            Some(folder) => folder,
            None => home(&environment)?.join("gateway"),
        };
        let runtime = compose::busy_runtime()?;
        let served = runtime.block_on(async {
            let signals = Signals::new()?;
            let gateway = compose::gateway(settings, &environment, &folder)?;
            announce(&gateway).await?;
            let (first, told) = oneshot::channel();
            let asked = async {
                let _ = told.await;
            };
            anyhow::Ok(tokio::select! {
                () = gateway.serve(asked) => Exit::Done,
                () = signals.both(first) => Exit::Failed,
            })
        });
        // A name that is still being resolved would hold up the end.
        runtime.shutdown_background();
        served.map(|exit| (String::new(), exit))
    }
}

/// Where it listens, for people and for programs; what it serves, for people.
async fn announce(gateway: &Gateway) -> io::Result<()> {
    say(io::stdout().lock(), &format!("listening on http://{}\n", gateway.address()))?;
    // Writing to a String cannot fail.
    let mut text = String::new();
    for found in gateway.found_by_themselves().await {
        let _ = writeln!(text, "found {found}");
    }
    for backend in gateway.health().iter().filter(|backend| backend.present) {
        if let Some(problem) = &backend.problem {
            let _ = writeln!(text, "{} lists no models: {problem}", backend.backend);
        }
    }
    text += "serving `scripted`, which answers by rule and is no model\n";
    say(io::stderr().lock(), &text)
}

/// What asks for an end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on they are heard, and do not end the process by themselves.
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// The first one asks for an end, which `first` is told. This is over with the second one, which does not ask.
    async fn both(mut self, first: oneshot::Sender<()>) {
        self.next().await;
        // Whoever is not there any more has ended already.
        let _ = first.send(());
        self.next().await;
    }
}
