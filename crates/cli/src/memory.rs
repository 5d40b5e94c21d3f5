//! Where Capstan remembers: the sessions and the audit log of a home.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use journal::audit::entry::Entry;
use journal::audit::{Audit, Options};
use journal::disk::Machine;
use journal::redact::{Redactor, secret_variables};
use journal::sessions::{Limits, Sessions};

/// The folder of the sessions in a home.
pub(crate) const SESSIONS: &str = "sessions";

/// The sessions of a home. Whoever only reads them needs no key, and makes none.
pub(crate) fn sessions(home: &Path, to_write: bool) -> anyhow::Result<Sessions> {
    let redactor = if to_write { redactor(home)? } else { Arc::new(Redactor::new(&[0; 32], [])) };
    Ok(Sessions::open(Arc::new(Machine), &home.join(SESSIONS), redactor, Limits::default())?)
}

/// Writes an entry into the audit log of a home, and returns when it is on the disk.
pub(crate) fn record(home: &Path, entry: Entry<'_>) -> anyhow::Result<()> {
    let redactor = redactor(home)?;
    let options = Options {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: host(),
        clock: Arc::new(now),
        redact: Arc::new(move |text| redactor.text(text)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("no runtime can be started")?;
    runtime.block_on(async {
        let audit = Audit::open(Arc::new(Machine), home, options).await?;
        audit.record(entry).await?;
        audit.close().await?;
        Ok(())
    })
}

/// What takes secrets out: those that variables of this process hold are known, whatever they look like.
fn redactor(home: &Path) -> anyhow::Result<Arc<Redactor>> {
    let variables = std::env::vars_os();
    let readable = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let folder = home.join(SESSIONS);
    let redactor = Redactor::at(&Machine, &folder, secret_variables(readable));
    Ok(Arc::new(redactor.with_context(|| format!("the key in {} cannot be used", folder.display()))?))
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The name of this machine.
fn host() -> String {
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "unknown".to_owned() } else { name.to_owned() }
}
