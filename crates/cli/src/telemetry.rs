//! What is logged: set up here and nowhere else.

use std::io;

use anyhow::anyhow;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use transport::credentials::Environment;

/// What of it is shown: `debug`, or `gateway=debug,transport=warn`.
const VARIABLE: &str = "CAPSTAN_LOG";

/// What is shown where nobody says.
const USUAL: &str = "warn,gateway=info";

/// Logs to standard error: for commands that have no interface there.
pub(crate) fn to_stderr(environment: &Environment) -> anyhow::Result<()> {
    let wanted = environment(VARIABLE).filter(|wanted| !wanted.trim().is_empty());
    let targets: Targets = match wanted.as_deref().unwrap_or(USUAL).parse() {
        Ok(targets) => targets,
        Err(_) => {
            let example = "gateway=debug,transport=warn";
            return Err(anyhow!(
                "{VARIABLE} is not understood: write a level (error, warn, info, debug, trace) or {example}"
            ));
        }
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
    let subscriber = tracing_subscriber::registry().with(targets).with(layer);
    subscriber.try_init().map_err(|error| anyhow!("the log cannot be set up: {error}"))
}
