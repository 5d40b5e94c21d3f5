//! What holds for every store.

mod contract;
mod crash;
mod figures;
mod model;

use responses::chain::Context;
use responses::item::Item;
use responses::json::Json;
use tempfile::TempDir;

use super::{Change, Kept, Pruned, Sqlite, Store, StoreLimits, Volatile};
use crate::Owner;

/// Limits that nothing reaches.
pub(in crate::store) const ALL: StoreLimits = StoreLimits { bytes: u64::MAX, age: std::time::Duration::MAX };

pub(in crate::store) fn ann() -> Owner {
    Owner::of_key("ann")
}

/// Items that say these words.
pub(in crate::store) fn said(words: &[&str]) -> Vec<Item> {
    words.iter().map(|word| Item::user(word)).collect()
}

/// A response of Ann's that goes on from nothing, made at second 100.
pub(in crate::store) fn first(id: &str, input: &[&str], output: &[&str]) -> Kept {
    Kept {
        id: id.into(),
        owner: ann(),
        at: 100,
        parent: None,
        context: Context::default().with(said(input)).with(said(output)),
        input: input.len(),
        output: output.len(),
        response: Json::parse(&format!(r#"{{"id":{},"status":"completed","error":null}}"#, quoted(id))).unwrap(),
        events: ["created", "completed"]
            .map(|name| format!(r#"{{"type":"{name}","id":{}}}"#, quoted(id)).into())
            .to_vec(),
    }
}

fn quoted(text: &str) -> String {
    Json::of(&text).text().to_owned()
}

/// One that goes on from another.
pub(in crate::store) fn next(parent: &Kept, id: &str, input: &[&str], output: &[&str]) -> Kept {
    let context = parent.context.with(said(input)).with(said(output));
    let (owner, at) = (parent.owner.clone(), parent.at + 1);
    Kept { parent: Some(parent.id.clone()), context, owner, at, ..first(id, input, output) }
}

pub(in crate::store) fn keep(store: &mut dyn Store, kept: &Kept) -> bool {
    store.write(&[Change::Keep(kept.clone())]).unwrap() == [true]
}

pub(in crate::store) fn delete(store: &mut dyn Store, kept: &Kept) -> bool {
    store.write(&[Change::Delete(kept.owner.clone(), kept.id.clone())]).unwrap() == [true]
}

/// All steps of it.
pub(in crate::store) fn prune(store: &mut dyn Store, now: u64, limits: &StoreLimits) -> Pruned {
    let mut responses = 0;
    loop {
        let step = store.prune(now, limits).unwrap();
        responses += step.responses;
        if !step.more {
            return Pruned { responses, ..step };
        }
    }
}

pub(in crate::store) fn is_there(store: &mut dyn Store, kept: &Kept) -> bool {
    store.reader().response(&kept.owner, &kept.id).unwrap().is_some()
}

/// That a store has all of a response.
#[track_caller]
pub(in crate::store) fn assert_whole(store: &mut dyn Store, kept: &Kept) {
    let (owner, id, reader) = (&kept.owner, &kept.id, store.reader());
    assert_eq!(reader.response(owner, id).unwrap().as_ref(), Some(&kept.response), "{id}");
    let context = reader.context(owner, id).unwrap().unwrap();
    assert_eq!(context.to_vec(), kept.context.to_vec(), "{id}");
    assert_eq!((context.len(), context.bytes()), (kept.context.len(), kept.context.bytes()), "{id}");
    assert_eq!(reader.input(owner, id).unwrap().unwrap(), kept.input_items(), "{id}");
    assert_eq!(reader.events(owner, id).unwrap().as_ref(), Some(&kept.events), "{id}");
}

/// That a store has nothing of a response.
#[track_caller]
pub(in crate::store) fn assert_gone(store: &mut dyn Store, kept: &Kept) {
    let (owner, id, reader) = (&kept.owner, &kept.id, store.reader());
    assert_eq!(reader.response(owner, id).unwrap(), None, "{id}");
    assert!(reader.context(owner, id).unwrap().is_none(), "{id}");
    assert_eq!(reader.input(owner, id).unwrap(), None, "{id}");
    assert_eq!(reader.events(owner, id).unwrap(), None, "{id}");
}

/// One of each, new, with what is to be kept for as long as they are used.
fn stores() -> Vec<(Box<dyn Store>, Option<TempDir>)> {
    let folder = TempDir::new().unwrap();
    let file = Sqlite::open(&folder.path().join("responses.db")).unwrap();
    vec![(Box::new(Volatile::default()), None), (Box::new(file), Some(folder))]
}
