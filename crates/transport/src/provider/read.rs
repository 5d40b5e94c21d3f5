//! Providers as they stand in the settings. Keys that Codex knows keep their names and their meaning.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{ConfigError, Table};
use hyper::header::{self, HeaderName};
use responses::chain::Mode;

use super::{
    Abilities, BadUrl, BaseUrl, Certificates, ClientCertificate, Header, HeaderSource, Known, Patience, Provider,
    Providers, Wire,
};
use crate::credentials::{Environment, KeyCommand, KeySource};
use crate::secret::Secret;

/// More tries than this are no patience but a mistake. Codex has the same bound.
const MOST_RETRIES: u32 = 100;

/// The times that can be set: from a millisecond to a week.
const MILLISECONDS: RangeInclusive<u64> = 1..=7 * 24 * 60 * 60 * 1000;

/// How large the largest message over a socket can be set: smaller, nothing fits; larger, nothing is gained.
const FRAME_BYTES: RangeInclusive<usize> = (64 << 10)..=(1 << 30);

/// Stands for an address that is not known yet. Such names lead nowhere, and nobody gets such a provider.
const NOWHERE: &str = "https://unset.invalid";

impl Providers {
    /// Reads the table `model_providers`.
    pub fn read(settings: &mut Table, environment: &Environment) -> Result<Self, ConfigError> {
        let tables = settings.tables("model_providers")?.into_iter();
        let known = tables.map(|(id, table)| read(&id, table, environment)).collect::<Result<_, _>>()?;
        Ok(Self { known })
    }
}

fn read(id: &str, mut table: Table, environment: &Environment) -> Result<Known, ConfigError> {
    if id.is_empty() || id.contains(['/', '"']) || id.contains(char::is_whitespace) {
        return Err(table.refuse("", "a provider's name has no slashes, quotes or spaces in it"));
    }
    refuse_what_is_not_supported(&mut table)?;
    let (base_url, unset) = base_url(&mut table, environment)?;
    let (wire, transport) = ways(&mut table)?;
    let provider = Provider {
        id: id.into(),
        name: text(&mut table, "name")?.unwrap_or_else(|| id.into()),
        base_url,
        wire,
        headers: headers(&mut table)?,
        key: key(&mut table, environment)?,
        key_instructions: text(&mut table, "env_key_instructions")?,
        can: abilities(&mut table, wire)?,
        transport,
        patience: patience(&mut table)?,
        certificates: certificates(&mut table, environment)?,
        service_tier: text(&mut table, "service_tier")?,
    };
    table.finish()?;
    Ok(Known { provider, unset })
}

fn refuse_what_is_not_supported(table: &mut Table) -> Result<(), ConfigError> {
    if table.read("requires_openai_auth")? == Some(true) {
        let message = "login with a ChatGPT account is not supported: remove this, and set env_key to the name of the \
                       variable that holds an API key";
        return Err(table.refuse("requires_openai_auth", message));
    }
    if table.read::<String>("experimental_bearer_token")?.is_some() {
        let message = "a key does not belong into a file of settings: put it into a file of its own and set key_file, \
                       or into a variable and set env_key";
        return Err(table.refuse("experimental_bearer_token", message));
    }
    Ok(())
}

/// The address, and the variable that it lacks.
fn base_url(table: &mut Table, environment: &Environment) -> Result<(BaseUrl, Option<Box<str>>), ConfigError> {
    let query = table.map("query_params")?;
    let Some(text) = table.read::<String>("base_url")? else {
        return Err(table.refuse("base_url", "base_url is missing: set it to the address of the server"));
    };
    let (text, unset) = expand(&text, environment);
    let base_url = BaseUrl::new(&text, &query).map_err(|error| {
        let key = if matches!(error, BadUrl::Key(_)) { "query_params" } else { "base_url" };
        table.refuse(key, error.to_string())
    })?;
    Ok((base_url, unset))
}

/// Puts a variable in its place: `${NAME}/path`. Some set the variable to the address without the path, some with it.
fn expand(text: &str, environment: &Environment) -> (String, Option<Box<str>>) {
    let Some((name, path)) = text.strip_prefix("${").and_then(|rest| rest.split_once('}')) else {
        return (text.to_owned(), None);
    };
    let value = environment(name).unwrap_or_default();
    match value.trim().trim_end_matches('/') {
        "" => (format!("{NOWHERE}{path}"), Some(name.into())),
        value if value.ends_with(path.trim_end_matches('/')) => (value.to_owned(), None),
        value => (format!("{value}{path}"), None),
    }
}

fn ways(table: &mut Table) -> Result<(Wire, Option<Mode>), ConfigError> {
    let wire = table.read_with("wire_api", "responses or chat", |text| match text {
        "responses" => Some(Wire::Responses),
        "chat" => Some(Wire::Chat),
        _ => None,
    })?;
    let wire = wire.unwrap_or_default();
    let transport = table.read_with("transport", "auto, ws or http", |text| match text {
        "auto" => Some(Mode::Auto),
        "ws" => Some(Mode::WebSocket),
        "http" => Some(Mode::Http),
        _ => None,
    })?;
    if (wire, transport) == (Wire::Chat, Some(Mode::WebSocket)) {
        let message = "Chat Completions knows no WebSocket: remove this, or set wire_api = \"responses\"";
        return Err(table.refuse("transport", message));
    }
    Ok((wire, transport))
}

fn abilities(table: &mut Table, wire: Wire) -> Result<Abilities, ConfigError> {
    let usual = Abilities::default();
    let websocket = table.read("supports_websockets")?.unwrap_or(usual.websocket);
    Ok(Abilities {
        websocket: websocket && wire == Wire::Responses,
        lanes: table.read("supports_lanes")?.unwrap_or(usual.lanes),
        line_age: time(table, "websocket_age_limit_ms")?.unwrap_or(usual.line_age),
        frame_bytes: within(table, "websocket_frame_bytes", &FRAME_BYTES)?.unwrap_or(usual.frame_bytes),
        zstd: table.read("supports_zstd")?.unwrap_or(usual.zstd),
        stores: table.read("stores_responses")?.unwrap_or(usual.stores),
        steers: table.read("supports_steering")?.unwrap_or(usual.steers),
        interrupts: table.read("supports_interrupt")?.unwrap_or(usual.interrupts),
    })
}

fn patience(table: &mut Table) -> Result<Patience, ConfigError> {
    Ok(Patience {
        silence: time(table, "stream_idle_timeout_ms")?,
        connect: time(table, "websocket_connect_timeout_ms")?,
        stream_retries: table.read("stream_max_retries")?.map(|tries: u32| tries.min(MOST_RETRIES)),
        request_retries: table.read("request_max_retries")?.map(|tries: u32| tries.min(MOST_RETRIES)),
    })
}

fn headers(table: &mut Table) -> Result<Vec<Header>, ConfigError> {
    let mut headers = Vec::new();
    for (name, variable) in table.map("env_http_headers")? {
        let name = header_name(table, "env_http_headers", &name)?;
        let variable = checked_variable(table, "env_http_headers", variable)?;
        headers.push(Header { name, value: HeaderSource::Environment(variable.into()) });
    }
    // After the others: what a user writes down counts more than a variable that happens to be set.
    for (name, value) in table.map("http_headers")? {
        let name = header_name(table, "http_headers", &name)?;
        if name == header::AUTHORIZATION {
            let message = "a key does not belong into a file of settings: set env_key or key_file, or the name of a \
                           variable in env_http_headers";
            return Err(table.refuse("http_headers", message));
        }
        let secret = Secret::new(&value)
            .map_err(|why| table.refuse("http_headers", format!("the value of {name} cannot be sent: {why}")))?;
        headers.push(Header { name, value: HeaderSource::Fixed(secret) });
    }
    Ok(headers)
}

fn header_name(table: &Table, key: &str, name: &str) -> Result<HeaderName, ConfigError> {
    /// What belongs to the connection or to the body, and is not for anybody to say.
    const OURS: [HeaderName; 13] = [
        header::ACCEPT_ENCODING,
        header::CONNECTION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::EXPECT,
        header::HOST,
        HeaderName::from_static("keep-alive"),
        header::PROXY_AUTHORIZATION,
        HeaderName::from_static("proxy-connection"),
        header::TE,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    let parsed = HeaderName::from_bytes(name.as_bytes());
    let parsed = parsed.map_err(|_| table.refuse(key, format!("{name:?} is not the name of a header")))?;
    if OURS.contains(&parsed) || parsed.as_str().starts_with("sec-websocket-") {
        return Err(table.refuse(key, format!("the header {parsed} is set by the transport: remove it")));
    }
    Ok(parsed)
}

/// Where the key comes from. What is said last in this list counts most, so that one way can be laid over another.
fn key(table: &mut Table, environment: &Environment) -> Result<KeySource, ConfigError> {
    let mut source = KeySource::None;
    if let Some(name) = table.read::<String>("env_key")? {
        source = KeySource::Environment(checked_variable(table, "env_key", name)?);
    }
    if let Some(path) = file(table, "key_file", environment)? {
        source = KeySource::File(path);
    }
    let mut command = table.table("auth")?;
    if !command.is_empty() {
        source = KeySource::Command(key_command(&mut command)?);
    }
    command.finish()?;
    Ok(source)
}

fn key_command(table: &mut Table) -> Result<KeyCommand, ConfigError> {
    let Some(program) = table.read::<String>("command")?.filter(|program| !program.is_empty()) else {
        return Err(table.refuse("command", "auth.command is missing: set it to the program that prints the key"));
    };
    let args = table.read("args")?.unwrap_or_default();
    let timeout = time(table, "timeout_ms")?.unwrap_or(KeyCommand::TIMEOUT);
    let refresh_after = match table.read::<u64>("refresh_interval_ms")? {
        None => Some(KeyCommand::REFRESH_AFTER),
        Some(0) => None,
        Some(_) => time(table, "refresh_interval_ms")?,
    };
    Ok(KeyCommand { program, args, timeout, refresh_after })
}

/// The name of a variable. People paste the key itself here: it is not shown.
fn checked_variable(table: &Table, key: &str, name: String) -> Result<String, ConfigError> {
    let usual = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(usual) {
        let message = format!("{key} takes the name of a variable, as OPENAI_API_KEY, not what is in it");
        return Err(table.refuse(key, message));
    }
    Ok(name)
}

fn certificates(table: &mut Table, environment: &Environment) -> Result<Certificates, ConfigError> {
    let authorities = file(table, "ca_certificate", environment)?;
    let certificate = file(table, "client_certificate", environment)?;
    let key = file(table, "client_key", environment)?;
    let client = match (certificate, key) {
        (None, None) => None,
        (None, Some(_)) => {
            return Err(table.refuse("client_key", "this key has no certificate: set client_certificate"));
        }
        // Both may be in one file.
        (Some(certificate), key) => {
            Some(ClientCertificate { key: key.unwrap_or_else(|| certificate.clone()), certificate })
        }
    };
    Ok(Certificates { authorities, client })
}

/// A path. It does not depend on where the program was started.
fn file(table: &mut Table, key: &'static str, environment: &Environment) -> Result<Option<PathBuf>, ConfigError> {
    let Some(path) = table.read::<String>(key)? else { return Ok(None) };
    let at_home = |rest: &str| Some(Path::new(&environment("HOME").filter(|home| !home.is_empty())?).join(rest));
    let path = match path.strip_prefix("~/") {
        Some(rest) => at_home(rest).ok_or_else(|| table.refuse(key, "HOME is not set: write the whole path"))?,
        None => PathBuf::from(path),
    };
    if !path.is_absolute() {
        return Err(table.refuse(key, "write the whole path, from / or ~/ on"));
    }
    Ok(Some(path))
}

fn text(table: &mut Table, key: &'static str) -> Result<Option<Box<str>>, ConfigError> {
    Ok(table.read::<String>(key)?.filter(|text| !text.is_empty()).map(Box::from))
}

fn time(table: &mut Table, key: &'static str) -> Result<Option<Duration>, ConfigError> {
    Ok(within(table, key, &MILLISECONDS)?.map(Duration::from_millis))
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
