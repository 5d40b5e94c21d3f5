use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use tempfile::TempDir;
use tokio::task::yield_now;

use super::*;
use crate::store::tests::{ALL, ann, first, is_there, next};
use crate::store::{Pruned, Sqlite, Volatile};

/// A store that reports what it is asked for, waits for leave to write, and refuses what is named so.
struct Watched {
    inner: Volatile,
    /// How many changes each call has.
    calls: mpsc::Sender<usize>,
    leave: Receiver<()>,
    /// Steps of pruning there still are.
    steps: usize,
    prunes: mpsc::Sender<()>,
}

/// The other end of it.
struct Watcher {
    calls: mpsc::Receiver<usize>,
    leave: SyncSender<()>,
    prunes: mpsc::Receiver<()>,
}

fn watched() -> (Watched, Watcher) {
    let (calls, called) = mpsc::channel(1000);
    let (leave, left) = sync_channel(1000);
    let (prunes, looks) = mpsc::channel(1000);
    let store = Watched { inner: Volatile::default(), calls, leave: left, steps: 0, prunes };
    (store, Watcher { calls: called, leave, prunes: looks })
}

impl Store for Watched {
    fn write(&mut self, changes: &[Change]) -> Result<Vec<bool>, StoreError> {
        self.calls.blocking_send(changes.len()).unwrap();
        self.leave.recv().unwrap();
        let named =
            |name: &str| changes.iter().any(|change| matches!(change, Change::Keep(kept) if kept.id.as_str() == name));
        let path = "file".into();
        match () {
            () if named("too large") => Err(StoreError::Full { path }),
            () if named("at a bad time") => Err(StoreError::Locked { path }),
            () => self.inner.write(changes),
        }
    }

    fn prune(&mut self, _: u64, _: &StoreLimits) -> Result<Pruned, StoreError> {
        self.prunes.blocking_send(()).unwrap();
        self.steps = self.steps.saturating_sub(1);
        Ok(Pruned { responses: 0, bytes: 0, more: self.steps > 0 })
    }

    fn reader(&mut self) -> &mut dyn Reader {
        self.inner.reader()
    }

    fn another_reader(&self) -> Result<Option<Box<dyn Reader>>, StoreError> {
        Ok(None)
    }
}

/// Keeps these at once, and gives leave when all but the first wait. The results are in their order.
async fn keep_at_once(keeper: &Keeper, watcher: &mut Watcher, ids: &[&str]) -> Vec<Result<(), StoreError>> {
    let mut keeps = JoinSet::new();
    for (at, id) in ids.iter().enumerate() {
        let (keeper, kept) = (keeper.clone(), first(id, &["a"], &["b"]));
        keeps.spawn(async move { (at, keeper.keep(kept).await) });
        if at == 0 {
            assert_eq!(watcher.calls.recv().await, Some(1));
        }
    }
    while keeper.work.max_capacity() - keeper.work.capacity() < ids.len() - 1 {
        yield_now().await;
    }
    for _ in 0..=ids.len() {
        watcher.leave.send(()).unwrap();
    }
    let mut results = keeps.join_all().await;
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[tokio::test]
async fn all_that_waits_becomes_one_transaction() {
    let (store, mut watcher) = watched();
    let (keeper, _keeping) = Keeper::start(Box::new(store), ALL).unwrap();
    let ids: Vec<String> = (0..64).map(|id| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(keep_at_once(&keeper, &mut watcher, &ids).await, vec![Ok(()); 64]);
    assert_eq!(watcher.calls.recv().await, Some(63));
    for id in ids {
        assert!(keeper.response(&ann(), &id.into()).await.unwrap().is_some(), "{id}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_does_not_take_others_along() {
    let (store, mut watcher) = watched();
    let (keeper, _keeping) = Keeper::start(Box::new(store), ALL).unwrap();
    let results = keep_at_once(&keeper, &mut watcher, &["first", "a", "too large", "b"]).await;
    assert_eq!(results, [Ok(()), Ok(()), Err(StoreError::Full { path: "file".into() }), Ok(())]);
    let calls: Vec<_> = std::iter::from_fn(|| watcher.calls.try_recv().ok()).collect();
    assert_eq!(calls, [3, 1, 1, 1]);
}

#[tokio::test]
async fn when_the_store_is_locked_all_are_told_after_one_wait() {
    let (store, mut watcher) = watched();
    let (keeper, _keeping) = Keeper::start(Box::new(store), ALL).unwrap();
    let results = keep_at_once(&keeper, &mut watcher, &["first", "a", "at a bad time", "b"]).await;
    assert_eq!(results.iter().filter(|result| **result == Err(StoreError::Locked { path: "file".into() })).count(), 3);
    assert_eq!(watcher.calls.recv().await, Some(3));
    assert!(watcher.calls.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_limits_are_looked_at_as_time_goes_by_and_as_long_as_there_is_more() {
    let (mut store, mut watcher) = watched();
    store.steps = 5;
    let started = tokio::time::Instant::now();
    let (_keeper, _keeping) = Keeper::start(Box::new(store), ALL).unwrap();
    for _ in 0..5 + 2 {
        watcher.prunes.recv().await.unwrap();
    }
    assert!(started.elapsed() >= PRUNE_EVERY * 2);
}

#[tokio::test]
async fn the_limits_are_looked_at_after_many_changes() {
    let (store, mut watcher) = watched();
    let (keeper, mut keeping) = Keeper::start(Box::new(store), ALL).unwrap();
    watcher.prunes.recv().await.unwrap();
    keeping.ticks.shutdown().await;
    for id in 0..256 {
        watcher.leave.send(()).unwrap();
        assert!(watcher.prunes.try_recv().is_err(), "{id}");
        keeper.keep(first(&id.to_string(), &[], &[])).await.unwrap();
    }
    watcher.prunes.recv().await.unwrap();
}

#[tokio::test]
async fn questions_are_answered_while_a_write_takes_its_time() {
    /// Reads by its own connections; its writes never end before leave is given.
    struct Slow(Sqlite, Receiver<()>);
    impl Store for Slow {
        fn write(&mut self, changes: &[Change]) -> Result<Vec<bool>, StoreError> {
            self.1.recv().unwrap();
            self.0.write(changes)
        }
        fn prune(&mut self, now: u64, limits: &StoreLimits) -> Result<Pruned, StoreError> {
            self.0.prune(now, limits)
        }
        fn reader(&mut self) -> &mut dyn Reader {
            self.0.reader()
        }
        fn another_reader(&self) -> Result<Option<Box<dyn Reader>>, StoreError> {
            self.0.another_reader()
        }
    }
    let folder = TempDir::new().unwrap();
    let (leave, left) = sync_channel(2);
    let store = Slow(Sqlite::open(&folder.path().join("responses.db")).unwrap(), left);
    let (keeper, keeping) = Keeper::start(Box::new(store), ALL).unwrap();
    let (one, two) = (first("one", &["a"], &["b"]), first("two", &["a"], &["b"]));
    leave.send(()).unwrap();
    keeper.keep(one.clone()).await.unwrap();
    let mut keeps = JoinSet::new();
    let (again, later) = (keeper.clone(), two.clone());
    keeps.spawn(async move { again.keep(later).await });
    yield_now().await;
    assert_eq!(keeper.context(&ann(), &one.id).await.unwrap().unwrap().to_vec(), one.context.to_vec());
    assert_eq!(keeper.response(&ann(), &two.id).await.unwrap(), None);
    leave.send(()).unwrap();
    assert_eq!(keeps.join_all().await, [Ok(())]);
    assert_eq!(keeper.response(&ann(), &two.id).await.unwrap(), Some(two.response));
    keeping.stop().await;
}

#[tokio::test]
async fn a_stop_writes_what_waits_and_leaves_one_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("responses.db");
    let (keeper, keeping) = Keeper::start(Box::new(Sqlite::open(&path).unwrap()), ALL).unwrap();
    let root = first("root", &["a"], &["b"]);
    let table: Vec<Kept> = (0..100).map(|id| next(&root, &id.to_string(), &["c"], &["d"])).collect();
    let mut keeps = JoinSet::new();
    for kept in table.iter().cloned() {
        let keeper = keeper.clone();
        keeps.spawn(async move { keeper.keep(kept).await });
    }
    while keeper.work.capacity() == keeper.work.max_capacity() {
        yield_now().await;
    }
    keeping.stop().await;
    assert_eq!(keeper.keep(root.clone()).await, Err(StoreError::Stopped));
    assert_eq!(keeper.response(&ann(), &root.id).await, Err(StoreError::Stopped));
    let results = keeps.join_all().await;
    assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(StoreError::Stopped))));
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["responses.db", "responses.db.lock"]);
    let mut store = Sqlite::open(&path).unwrap();
    let there = table.iter().filter(|kept| is_there(&mut store, kept)).count();
    assert_eq!(there, results.iter().filter(|result| result.is_ok()).count());
    assert!(there > 0);
}

#[tokio::test]
async fn every_question_and_every_change_reaches_the_store() {
    let folder = TempDir::new().unwrap();
    let file = Sqlite::open(&folder.path().join("responses.db")).unwrap();
    let stores: [Box<dyn Store>; 2] = [Box::new(Volatile::default()), Box::new(file)];
    for store in stores {
        let (keeper, keeping) = Keeper::start(store, ALL).unwrap();
        let kept = first("one", &["a", "b"], &["c"]);
        let (owner, id) = (&kept.owner, &kept.id);
        keeper.begin(Kept { events: Vec::new(), ..kept.clone() }).await.unwrap();
        assert!(keeper.context(owner, id).await.unwrap().is_none());
        keeper.keep(kept.clone()).await.unwrap();
        assert_eq!(keeper.response(owner, id).await.unwrap().as_ref(), Some(&kept.response));
        assert_eq!(keeper.input(owner, id).await.unwrap().unwrap(), kept.input_items());
        assert_eq!(keeper.context(owner, id).await.unwrap().unwrap().to_vec(), kept.context.to_vec());
        assert_eq!(keeper.events(owner, id).await.unwrap().as_ref(), Some(&kept.events));
        assert!(!keeper.delete(&Owner::nobody(), id).await.unwrap());
        assert!(keeper.delete(owner, id).await.unwrap());
        assert_eq!(keeper.response(owner, id).await.unwrap(), None);
        keeping.stop().await;
    }
}
