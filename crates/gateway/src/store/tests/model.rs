//! Random changes on a store, and on a list that does the same in the plainest way.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use responses::id::ResponseId;

use super::*;

const NAMES: u8 = 6;

#[derive(Debug, Clone)]
enum Operation {
    Put { owner: u8, id: u8, parent: Option<u8>, known: bool, input: u8, output: u8, at: u8, running: bool },
    Delete { owner: u8, id: u8 },
    PruneOld { now: u8 },
    PruneAll,
    OpenAgain,
}

fn operation() -> impl Strategy<Value = Operation> {
    let put = (
        0..2u8,
        0..NAMES,
        prop::option::of(0..NAMES),
        any::<bool>(),
        0..3u8,
        0..3u8,
        0..50u8,
        prop::bool::weighted(0.2),
    )
        .prop_map(|(owner, id, parent, known, input, output, at, running)| Operation::Put {
            owner,
            id,
            parent,
            known,
            input,
            output,
            at,
            running,
        });
    prop_oneof![
        12 => put,
        4 => (0..2u8, 0..NAMES).prop_map(|(owner, id)| Operation::Delete { owner, id }),
        1 => (0..60u8).prop_map(|now| Operation::PruneOld { now }),
        1 => Just(Operation::PruneAll),
        1 => Just(Operation::OpenAgain),
    ]
}

#[derive(Default)]
struct Model {
    held: BTreeMap<(u8, u8), (Kept, bool)>,
    /// Makes each text another.
    texts: usize,
}

impl Model {
    fn words(&mut self, count: u8) -> Vec<Item> {
        let word = |_| {
            self.texts += 1;
            Item::user(&format!("{}{}", self.texts, "w".repeat(self.texts % 40)))
        };
        (0..count).map(word).collect()
    }

    /// What goes on from `parent`; if its past is not known, from one made up.
    fn make(&mut self, (owner, id): (u8, u8), parent: Option<u8>, known: bool, counts: (u8, u8)) -> Kept {
        let past = parent.and_then(|parent| self.held.get(&(owner, parent))).filter(|(_, running)| known && !running);
        let past = past.map_or_else(|| said(&["made up"]).into_iter().collect(), |(kept, _)| kept.context.clone());
        let (input, output) = (self.words(counts.0), self.words(counts.1));
        Kept {
            owner: Owner::of_key(&owner.to_string()),
            parent: parent.map(|parent| ResponseId::from(parent.to_string())),
            input: input.len(),
            output: output.len(),
            context: past.with(input).with(output),
            ..first(&id.to_string(), &[], &[])
        }
    }

    #[track_caller]
    fn assert_same(&self, store: &mut dyn Store) {
        for name in (0..2).flat_map(|owner| (0..NAMES).map(move |id| (owner, id))) {
            let owner = Owner::of_key(&name.0.to_string());
            match self.held.get(&name) {
                Some((kept, false)) => assert_whole(store, kept),
                Some((kept, true)) => {
                    assert!(is_there(store, kept) && store.reader().context(&owner, &kept.id).unwrap().is_none());
                }
                None => assert_gone(store, &Kept { owner, ..first(&name.1.to_string(), &[], &[]) }),
            }
        }
    }
}

/// `again` closes the store and opens it, if it is one that outlives that.
fn play(mut store: Box<dyn Store>, again: Option<&dyn Fn() -> Box<dyn Store>>, operations: &[Operation]) {
    let mut model = Model::default();
    let empty = store.prune(0, &ALL).unwrap().bytes;
    for operation in operations {
        match *operation {
            Operation::Put { owner, id, parent, known, input, output, at, running } => {
                let kept = Kept { at: at.into(), ..model.make((owner, id), parent, known, (input, output)) };
                let change = if running { Change::Begin(kept.clone()) } else { Change::Keep(kept.clone()) };
                let was_there = model.held.insert((owner, id), (kept, running)).is_some();
                assert_eq!(store.write(&[change]).unwrap(), [was_there]);
            }
            Operation::Delete { owner, id } => {
                let change = Change::Delete(Owner::of_key(&owner.to_string()), id.to_string().into());
                assert_eq!(store.write(&[change]).unwrap(), [model.held.remove(&(owner, id)).is_some()]);
            }
            Operation::PruneOld { now } => {
                let limits = StoreLimits { age: Duration::from_secs(20), ..ALL };
                prune(&mut *store, now.into(), &limits);
                model.held.retain(|_, (kept, running)| *running || kept.at + 20 >= now.into());
            }
            Operation::PruneAll => {
                prune(&mut *store, 0, &StoreLimits { bytes: 0, ..ALL });
                model.held.retain(|_, (_, running)| *running);
            }
            Operation::OpenAgain => {
                let Some(again) = again else { continue };
                drop(store);
                store = again();
                for (kept, running) in model.held.values_mut().filter(|(_, running)| *running) {
                    *running = false;
                    kept.response = super::super::pack::failed_by_restart(kept.response.text()).unwrap();
                }
            }
        }
        model.assert_same(&mut *store);
    }
    // Nothing is left of it all.
    for (owner, id) in model.held.keys() {
        store.write(&[Change::Delete(Owner::of_key(&owner.to_string()), id.to_string().into())]).unwrap();
    }
    assert_eq!(store.prune(0, &ALL).unwrap().bytes, empty);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_memory_any_changes_leave_what_a_plain_list_would_have(operations in prop::collection::vec(operation(), 1..60)) {
        play(Box::new(Volatile::default()), None, &operations);
    }

    #[test]
    fn in_a_file_any_changes_leave_what_a_plain_list_would_have(operations in prop::collection::vec(operation(), 1..30)) {
        let folder = TempDir::new().unwrap();
        let open = || -> Box<dyn Store> { Box::new(Sqlite::open(&folder.path().join("responses.db")).unwrap()) };
        play(open(), Some(&open), &operations);
    }
}
