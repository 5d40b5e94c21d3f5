//! The keys there are, for people and for programs.

use gateway::keys::KeyInfo;
use responses::json::{ObjectWriter, Write};

use crate::time::shown;

/// What stands where there is nothing.
const NONE: &str = "-";

const HEADS: [&str; 7] = ["id", "name", "state", "created", "expires", "at once", "models"];

/// A table, the oldest key first.
pub(super) fn text(keys: &[KeyInfo], now: u64) -> String {
    let rows: Vec<[String; 7]> =
        std::iter::once(HEADS.map(str::to_owned)).chain(keys.iter().map(|key| row(key, now))).collect();
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn row(key: &KeyInfo, now: u64) -> [String; 7] {
    [
        key.id.to_string(),
        key.name.to_string(),
        key.state(now).to_string(),
        shown(key.created_at),
        key.expires_at.map_or_else(|| NONE.to_owned(), shown),
        key.max_concurrent.map_or_else(|| NONE.to_owned(), |most| most.to_string()),
        key.models.to_string(),
    ]
}

/// One array on one line. Every field is always there; what is not known is `null`. Times are seconds since 1970.
///
/// ```json
/// [{"id": "key_0123456789ab", "name": "alice",
///   "state": "valid",                        // valid, expired, revoked
///   "created_at": 1795289538, "expires_at": null, "revoked_at": null,
///   "former_until": null,                    // until when the secret before this one is valid
///   "models": ["gpt-*"],                     // none: all
///   "max_concurrent": 4}]
/// ```
pub(super) fn json(keys: &[KeyInfo], now: u64) -> String {
    let keys: Vec<Shown<'_>> = keys.iter().map(|key| Shown { key, now }).collect();
    let mut text = String::new();
    keys.write(&mut text);
    text.push('\n');
    text
}

struct Shown<'a> {
    key: &'a KeyInfo,
    now: u64,
}

impl Write for Shown<'_> {
    fn write(&self, out: &mut String) {
        let Self { key, now } = self;
        let most = key.max_concurrent.and_then(|most| u64::try_from(most.get()).ok());
        let mut object = ObjectWriter::begin(out);
        object.field("id", &key.id).field("name", &key.name).field("state", &key.state(*now).to_string());
        object.field("created_at", &key.created_at).nullable("expires_at", &key.expires_at);
        object.nullable("revoked_at", &key.revoked_at).nullable("former_until", &key.former_until(*now));
        object.field("models", key.models.patterns()).nullable("max_concurrent", &most);
        object.end();
    }
}
