//! Grants as a file.

use std::fmt::Write as _;

use config::{ConfigError, Layers, Table};

use crate::act::{Hash, Role};
use crate::effects::{Nature, Reach};
use crate::judge::part::Access;
use crate::place::{Path, Place};
use crate::shown::quoted;

use super::{Grant, GrantError, Grants, Likeness, Meaning, RunLike, Touch};

/// The number of the format that is written.
pub const FORMAT: u32 = 1;

/// Between the fields of one entry; no field has one, see [`Meaning::of`].
const BETWEEN: char = '\t';

/// A file of grants cannot be used. Nothing of it is.
#[derive(Debug, thiserror::Error)]
pub enum DamagedGrants {
    /// It is not as it was written.
    #[error("the file of grants is damaged, and no grant holds: {0}")]
    Damaged(#[from] ConfigError),
    /// It holds what cannot be kept.
    #[error("the file of grants is damaged, and no grant holds: {0}")]
    Refused(#[from] GrantError),
}

impl Grants {
    /// The text of a file that [`Self::from_text`] reads.
    pub fn to_text(&self) -> String {
        let mut to = format!(
            "# What was allowed for longer than once. Use `capstan policy` to change it.\nversion = {FORMAT}\n"
        );
        for grant in self.iter() {
            write_grant(&mut to, grant);
        }
        to
    }

    /// The grants of a file. The path is what errors name.
    pub fn from_text(path: &str, text: &str) -> Result<Self, DamagedGrants> {
        let mut file = Layers::new().file(path, text)?.merge();
        let version: Option<u32> = file.read("version")?;
        if version != Some(FORMAT) {
            let message = format!("the version is not {FORMAT}: use the version of capstan that wrote the file");
            return Err(file.refuse("version", message).into());
        }
        let mut grants = Self::default();
        for (id, mut table) in file.tables("grant")? {
            let grant = read_grant(id, &mut table)?;
            table.finish()?;
            grants.add(grant)?;
        }
        file.finish()?;
        Ok(grants)
    }
}

fn write_grant(to: &mut String, grant: &Grant) {
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(to, "{key} = {value}");
    };
    let header = format!("\n[grant.{}]\nrole", grant.id);
    line(&header, &quoted(grant.role.name()));
    line("place", &quoted(grant.place.as_str()));
    line("given_by", &quoted(&grant.given_by));
    line("at", &grant.at.to_string());
    line("reason", &quoted(&grant.reason));
    for (key, value) in [("actor", &grant.actor), ("session", &grant.session)] {
        if let Some(value) = value {
            line(key, &quoted(value));
        }
    }
    for (key, value) in [("until", grant.until), ("uses", grant.uses.map(u64::from))] {
        if let Some(value) = value {
            line(key, &value.to_string());
        }
    }
    match &grant.meaning {
        Meaning::Exact(hash) => line("exactly", &quoted(&hash.to_string())),
        Meaning::Tool { server, name } => line("tool", &list([server.as_str(), name.as_str()].map(str::to_owned))),
        Meaning::Model(model) => line("model", &quoted(model)),
        Meaning::Agent => line("agents", "true"),
        Meaning::Like(all) => {
            line("confined", if all.confined { "true" } else { "false" });
            line("runs", &list(all.runs.iter().map(run_text)));
            line("touches", &list(all.touches.iter().map(touch_text)));
            line("hosts", &list(all.hosts.iter().map(host_text)));
        }
    }
}

fn list(texts: impl IntoIterator<Item = String>) -> String {
    let texts: Vec<_> = texts.into_iter().map(|text| quoted(&text)).collect();
    format!("[{}]", texts.join(", "))
}

fn run_text(run: &RunLike) -> String {
    let known = format!("{}{BETWEEN}{}", run.nature.name(), run.program);
    run.verb.as_ref().map_or(known.clone(), |verb| format!("{known}{BETWEEN}{verb}"))
}

fn touch_text(touch: &Touch) -> String {
    let deep = if touch.deep { "deep" } else { "itself" };
    let known = format!("{}{BETWEEN}{}{BETWEEN}{deep}", touch.access.name(), touch.place.name());
    touch.path.as_ref().map_or(known.clone(), |path| format!("{known}{BETWEEN}{}", path.as_str()))
}

fn host_text(reach: &Reach) -> String {
    let host = reach.host.as_deref().unwrap_or_default();
    reach.port.map_or(host.to_owned(), |port| format!("{host}{BETWEEN}{port}"))
}

fn read_grant(id: String, table: &mut Table) -> Result<Grant, ConfigError> {
    let role = table.read_with("role", "a role", Role::named)?;
    let place =
        table.read_with("place", "an absolute path", |text| text.starts_with('/').then(|| Path::absolute(text)))?;
    let given_by = table.read("given_by")?;
    let at = table.read("at")?;
    let reason = table.read("reason")?;
    let meaning = read_meaning(table)?;
    let missing = |key: &str| table.refuse(key, format!("`{key}` is missing"));
    Ok(Grant {
        id,
        role: role.ok_or_else(|| missing("role"))?,
        meaning,
        place: place.ok_or_else(|| missing("place"))?,
        given_by: given_by.ok_or_else(|| missing("given_by"))?,
        at: at.ok_or_else(|| missing("at"))?,
        reason: reason.ok_or_else(|| missing("reason"))?,
        actor: table.read("actor")?,
        session: table.read("session")?,
        until: table.read("until")?,
        uses: table.read("uses")?,
    })
}

fn read_meaning(table: &mut Table) -> Result<Meaning, ConfigError> {
    let exactly = table.read_with("exactly", "64 hexadecimal digits", hash)?.map(Meaning::Exact);
    let model = table.read("model")?.map(Meaning::Model);
    let agents = table.read("agents")?.and_then(|agents: bool| agents.then_some(Meaning::Agent));
    let tool = match table.read::<Vec<String>>("tool")?.map(<[String; 2]>::try_from) {
        Some(Ok([server, name])) => Some(Meaning::Tool { server, name }),
        Some(Err(_)) => return Err(table.refuse("tool", "expected a server and a tool")),
        None => None,
    };
    let like = read_likeness(table)?.map(Meaning::Like);
    let mut all = [exactly, model, agents, tool, like].into_iter().flatten();
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(table.refuse("", "expected one of exactly, runs, tool, model and agents")),
    }
}

fn read_likeness(table: &mut Table) -> Result<Option<Likeness>, ConfigError> {
    let confined = table.read("confined")?;
    let runs = entries(table, "runs", read_run)?;
    let touches = entries(table, "touches", read_touch)?;
    let hosts = entries(table, "hosts", read_host)?;
    match (confined, runs, touches, hosts) {
        (None, None, None, None) => Ok(None),
        (Some(confined), Some(runs), Some(touches), Some(hosts)) => Ok(Some(Likeness {
            confined,
            runs: runs.into_iter().collect(),
            touches: touches.into_iter().collect(),
            hosts: hosts.into_iter().collect(),
        })),
        _ => Err(table.refuse("", "confined, runs, touches and hosts stand together")),
    }
}

fn entries<T>(
    table: &mut Table,
    key: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<Vec<T>>, ConfigError> {
    let Some(texts) = table.read::<Vec<String>>(key)? else { return Ok(None) };
    let read: Option<Vec<T>> = texts.iter().map(|text| read(text)).collect();
    read.map(Some).ok_or_else(|| table.refuse(key, "an entry is not as it was written"))
}

fn read_run(text: &str) -> Option<RunLike> {
    let mut fields = text.splitn(3, BETWEEN);
    let (nature, program) = (fields.next()?, fields.next()?);
    let nature = Nature::ALL.into_iter().find(|known| known.name() == nature)?;
    Some(RunLike { nature, program: program.to_owned(), verb: fields.next().map(str::to_owned) })
}

fn read_touch(text: &str) -> Option<Touch> {
    let mut fields = text.splitn(4, BETWEEN);
    let (access, place, deep) = (fields.next()?, fields.next()?, fields.next()?);
    let access = Access::ALL.into_iter().find(|known| known.name() == access)?;
    let deep = match deep {
        "deep" => true,
        "itself" => false,
        _ => return None,
    };
    let place = Place::named(place)?;
    let path = fields.next().map(|path| path.starts_with('/').then(|| Path::absolute(path)));
    // Without a path it is the whole of such places.
    let by_kind = matches!(place, Place::Workspace | Place::Temporary);
    match path {
        None if by_kind => Some(Touch { access, place, deep, path: None }),
        Some(Some(path)) => Some(Touch { access, place, deep, path: Some(path) }),
        _ => None,
    }
}

fn read_host(text: &str) -> Option<Reach> {
    let (host, port) = match text.split_once(BETWEEN) {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (text, None),
    };
    (!host.is_empty()).then(|| Reach { host: Some(host.to_owned()), port })
}

fn hash(text: &str) -> Option<Hash> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(Hash(bytes))
}
