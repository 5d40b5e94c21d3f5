//! Settings as they stand in a file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{ConfigError, Source, Table};
use transport::Providers;
use transport::credentials::Environment;

use super::{Keys, Limits, Planned, Routes, SCRIPTED, Settings, StoreSettings, Target};

/// Servers on this machine that are looked for where nobody configured them.
const LOCAL: [&str; 4] = ["ollama", "lmstudio", "vllm", "llamacpp"];

/// How many routes there may be, and how many targets each may have.
const MAX_ROUTES: usize = 1024;
const MAX_TARGETS: usize = 16;

const COUNT: RangeInclusive<usize> = 1..=1_000_000;
const BODY_BYTES: RangeInclusive<usize> = (64 << 10)..=(1 << 30);
const STORE_BYTES: RangeInclusive<u64> = (1 << 20)..=(1 << 50);
const DAYS: RangeInclusive<u64> = 1..=3650;
const SECONDS: RangeInclusive<u64> = 0..=24 * 60 * 60;
const MINUTES: RangeInclusive<u64> = 1..=7 * 24 * 60;

const A_MINUTE: u64 = 60;
const A_DAY: u64 = 24 * 60 * A_MINUTE;

impl Settings {
    /// Reads the tables `gateway` and `model_providers`.
    pub fn read(settings: &mut Table, environment: &Environment) -> Result<Self, ConfigError> {
        let mentioned = mentioned(settings)?;
        let providers = Providers::read(settings, environment)?;
        let mut table = settings.table("gateway")?;
        let usual = Self::default();
        let discover = table.read("discover")?.unwrap_or(true);
        let routes = routes(&mut table, &providers)?;
        let listen = table.read_with("listen", "an address and a port, as 127.0.0.1:8787", address)?;
        let listen = listen.unwrap_or(usual.listen);
        let backends = backends(&table, &providers, &mentioned, &routes)?;
        let backends = with_discovered(backends, discover.then_some(listen), &providers);
        let read = Self {
            listen,
            websockets: table.read("websockets")?.unwrap_or(usual.websockets),
            keys: keys(&mut table)?.unwrap_or(usual.keys),
            key_file: path(&mut table, "key_file", environment)?,
            data: path(&mut table, "data", environment)?,
            store: store(&mut table, &usual.store)?,
            limits: limits(table.table("limits")?, &usual.limits)?,
            backends,
            routes,
        };
        table.finish()?;
        Ok(read)
    }
}

/// The providers that somebody wrote something about.
fn mentioned(settings: &mut Table) -> Result<Vec<String>, ConfigError> {
    let tables = settings.tables("model_providers")?.into_iter();
    let by_somebody = |table: &Table| table.entries().iter().any(|entry| *entry.origin.source() != Source::BuiltIn);
    Ok(tables.filter(|(_, table)| by_somebody(table)).map(|(id, _)| id).collect())
}

fn routes(table: &mut Table, providers: &Providers) -> Result<Routes, ConfigError> {
    let written = table.lists("models")?;
    let at = table.table("models")?;
    if written.len() > MAX_ROUTES {
        return Err(table.refuse("models", format!("more than {MAX_ROUTES} models: use patterns, as \"gpt-*\"")));
    }
    let mut routes = Vec::with_capacity(written.len());
    for (name, targets) in written {
        if targets.is_empty() || targets.len() > MAX_TARGETS {
            return Err(at.refuse(&name, format!("expected 1 to {MAX_TARGETS} backends")));
        }
        let targets: Vec<Target> = targets.iter().map(|target| Target::parse(target)).collect();
        if let Some(wrong) = targets.iter().find_map(|target| wrong(target, providers)) {
            return Err(at.refuse(&name, wrong));
        }
        routes.push((name.into(), targets));
    }
    Ok(Routes::new(routes))
}

/// What is wrong with a target.
fn wrong(target: &Target, providers: &Providers) -> Option<String> {
    if target.model.as_deref() == Some("") {
        return Some(format!("the name of the model is missing: write \"{0}/model\", or \"{0}\"", target.backend));
    }
    if &*target.backend == SCRIPTED {
        return None;
    }
    providers.get(&target.backend).err().map(|error| error.to_string())
}

/// The providers that the settings mention, in a route or in a table of their own.
fn backends(
    table: &Table,
    providers: &Providers,
    mentioned: &[String],
    routes: &Routes,
) -> Result<Vec<Planned>, ConfigError> {
    let named =
        |id: &str| mentioned.iter().any(|name| name == id) || routes.targets().any(|target| &*target.backend == id);
    let planned = |id: &str| {
        if id == SCRIPTED {
            return Err(table.refuse("", format!("{SCRIPTED} is a backend already: call the provider something else")));
        }
        match providers.get(id) {
            Ok(provider) => Ok(Planned { provider: provider.clone(), discovered: false }),
            Err(error) => Err(table.refuse("", error.to_string())),
        }
    };
    providers.ids().filter(|id| named(id)).map(planned).collect()
}

/// The servers of this machine besides. What listens where we do is ourselves.
fn with_discovered(mut backends: Vec<Planned>, ours: Option<SocketAddr>, providers: &Providers) -> Vec<Planned> {
    let Some(ours) = ours else { return backends };
    for id in LOCAL {
        let Ok(provider) = providers.get(id) else { continue };
        let known = backends.iter().any(|known| {
            known.provider.id == provider.id || known.provider.base_url.models() == provider.base_url.models()
        });
        let authority = provider.base_url.models().authority();
        if !known && authority.and_then(hyper::http::uri::Authority::port_u16) != Some(ours.port()) {
            backends.push(Planned { provider: provider.clone(), discovered: true });
        }
    }
    backends
}

fn address(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port.parse().ok()?)),
        None => text.parse().ok(),
    }
}

fn keys(table: &mut Table) -> Result<Option<Keys>, ConfigError> {
    table.read_with("keys", "auto, required or off", |text| match text {
        "auto" => Some(Keys::Auto),
        "required" => Some(Keys::Required),
        "off" => Some(Keys::Off),
        _ => None,
    })
}

fn store(table: &mut Table, usual: &StoreSettings) -> Result<StoreSettings, ConfigError> {
    let on_disk = table.read_with("store", "disk or memory", |text| match text {
        "disk" => Some(true),
        "memory" => Some(false),
        _ => None,
    })?;
    Ok(StoreSettings {
        on_disk: on_disk.unwrap_or(usual.on_disk),
        max_bytes: within(table, "store_max_bytes", &STORE_BYTES)?.unwrap_or(usual.max_bytes),
        max_age: time(table, "store_max_age_days", &DAYS, A_DAY)?.unwrap_or(usual.max_age),
    })
}

fn limits(mut table: Table, usual: &Limits) -> Result<Limits, ConfigError> {
    let limits = Limits {
        concurrency: within(&mut table, "concurrency", &COUNT)?.unwrap_or(usual.concurrency),
        queue: within(&mut table, "queue", &(0..=*COUNT.end()))?.unwrap_or(usual.queue),
        concurrency_per_key: within(&mut table, "concurrency_per_key", &COUNT)?.unwrap_or(usual.concurrency_per_key),
        body_bytes: within(&mut table, "body_bytes", &BODY_BYTES)?.unwrap_or(usual.body_bytes),
        frame_bytes: within(&mut table, "frame_bytes", &BODY_BYTES)?.unwrap_or(usual.frame_bytes),
        grace: time(&mut table, "grace_seconds", &SECONDS, 1)?.unwrap_or(usual.grace),
        replay: time(&mut table, "replay_minutes", &MINUTES, A_MINUTE)?.unwrap_or(usual.replay),
        socket_age: time(&mut table, "socket_age_minutes", &MINUTES, A_MINUTE)?.unwrap_or(usual.socket_age),
    };
    table.finish()?;
    Ok(limits)
}

/// A path. It does not depend on where the program was started.
fn path(table: &mut Table, key: &'static str, environment: &Environment) -> Result<Option<PathBuf>, ConfigError> {
    let Some(text) = table.read::<String>(key)? else { return Ok(None) };
    let path = match text.strip_prefix("~/") {
        Some(rest) => {
            let home = environment("HOME").filter(|home| !home.is_empty());
            Path::new(&home.ok_or_else(|| table.refuse(key, "HOME is not set: write the whole path"))?).join(rest)
        }
        None => PathBuf::from(text),
    };
    if path.is_absolute() { Ok(Some(path)) } else { Err(table.refuse(key, "write the whole path, from / or ~/ on")) }
}

fn time(
    table: &mut Table,
    key: &'static str,
    range: &RangeInclusive<u64>,
    seconds: u64,
) -> Result<Option<Duration>, ConfigError> {
    Ok(within(table, key, range)?.map(|number| Duration::from_secs(number.saturating_mul(seconds))))
}

fn within<T>(table: &mut Table, key: &'static str, range: &RangeInclusive<T>) -> Result<Option<T>, ConfigError>
where
    T: config::Value + PartialOrd + std::fmt::Display,
{
    let Some(number) = table.read::<T>(key)? else { return Ok(None) };
    if range.contains(&number) {
        return Ok(Some(number));
    }
    Err(table.refuse(key, format!("expected a number from {} to {}", range.start(), range.end())))
}
