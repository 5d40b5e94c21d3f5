//! How items and events are written down, and read again.

use std::sync::Arc;

use responses::item::Item;
use responses::json::{Json, Object, ObjectWriter, Raw, elements};

/// Events say everything three times: the fastest level finds that.
const LEVEL: i32 = 1;

/// Bytes of the length before each event.
const LENGTH: usize = size_of::<u64>();

/// Items as one JSON array.
pub(super) fn items(items: &[Item]) -> String {
    Json::of(&items.iter().map(|item| Raw(item.text())).collect::<Vec<_>>()).text().to_owned()
}

/// The items of such an array.
pub(super) fn read_items(text: &str) -> Result<Vec<Item>, String> {
    let texts = elements(text).map_err(|error| error.to_string())?;
    texts.into_iter().map(|text| Item::keep(text).map_err(|error| error.to_string())).collect()
}

/// Events one after the other, each with its length before it, compressed.
pub(super) fn events(events: &[Arc<str>]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::with_capacity(events.iter().map(|event| event.len() + LENGTH).sum());
    for event in events {
        plain.extend((event.len() as u64).to_le_bytes());
        plain.extend(event.as_bytes());
    }
    zstd::bulk::compress(&plain, LEVEL)
}

/// The events of such a block.
pub(super) fn read_events(block: &[u8]) -> Result<Vec<Arc<str>>, String> {
    let plain = zstd::stream::decode_all(block).map_err(|error| error.to_string())?;
    let mut rest = plain.as_slice();
    let mut events = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<LENGTH>() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (event, after) = after.split_at_checked(length).ok_or("an event is cut off")?;
        events.push(str::from_utf8(event).map_err(|error| error.to_string())?.into());
        rest = after;
    }
    if rest.is_empty() { Ok(events) } else { Err("the length of an event is cut off".to_owned()) }
}

/// What is said of a response that was in the making when its gateway ended.
pub(crate) fn failed_by_restart(response: &str) -> Option<Json> {
    let mut error = String::new();
    let mut fields = ObjectWriter::begin(&mut error);
    fields
        .field("code", "server_error")
        .field("message", "the gateway was restarted while it worked on this response: ask again");
    fields.end();
    let mut object = Object::parse(response).ok()?;
    object.set("status", "\"failed\"");
    object.set("error", &error);
    Some(Json::of(&object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_back_byte_by_byte() {
        let long = "x".repeat(100_000);
        let tables: [&[&str]; 4] = [&[], &[""], &["{\"a\":1}", " {\n} ", "ä\u{1F600}\u{0}"], &[&long, "", &long]];
        for table in tables {
            let table: Vec<Arc<str>> = table.iter().map(|text| Arc::from(*text)).collect();
            assert_eq!(read_events(&events(&table).unwrap()).unwrap(), table);
        }
    }

    #[test]
    fn a_cut_block_of_events_is_an_error() {
        let whole = [7_u64.to_le_bytes().as_slice(), b"{\"a\":1}"].concat();
        for end in 1..whole.len() {
            let cut = zstd::bulk::compress(&whole[..end], LEVEL).unwrap();
            assert!(read_events(&cut).is_err(), "{end}");
        }
        assert!(read_events(b"not compressed").is_err());
    }

    #[test]
    fn items_come_back_as_they_were() {
        let table = vec![Item::user("a\"\n"), Item::parse(r#"{"type":"novel","x": 1.50}"#).unwrap()];
        assert_eq!(read_items(&items(&table)).unwrap(), table);
        assert_eq!(read_items(&items(&[])).unwrap(), []);
        assert!(read_items("{}").is_err() && read_items("[1]").is_err());
    }

    #[test]
    fn a_response_that_a_restart_cut_off_has_failed_and_keeps_its_other_fields() {
        let failed = failed_by_restart(r#"{"id":"resp_1","status":"in_progress","error":null,"model":"m"}"#).unwrap();
        assert_eq!(
            failed.text(),
            r#"{"id":"resp_1","status":"failed","error":{"code":"server_error","message":"the gateway was restarted while it worked on this response: ask again"},"model":"m"}"#
        );
        assert_eq!(failed_by_restart("nonsense"), None);
    }
}
