//! The tasks of one client: all of them end with it.

use std::pin::Pin;

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Owns tasks. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Tasks {
    spawner: Spawner,
    _ends: DropGuard,
}

/// Starts tasks that end with their owner.
#[derive(Debug, Clone)]
pub(crate) struct Spawner {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        let stop = CancellationToken::new();
        let spawner = Spawner { tracker: TaskTracker::new(), stop: stop.clone() };
        Self { spawner, _ends: stop.drop_guard() }
    }

    pub(crate) fn spawner(&self) -> &Spawner {
        &self.spawner
    }
}

impl Spawner {
    /// Starts a task.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> tokio::task::JoinHandle<()> {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            stop.run_until_cancelled(task).await;
        })
    }

    /// How many tasks there are.
    pub(crate) fn count(&self) -> usize {
        self.tracker.len()
    }
}

/// What hyper needs done in the background: keeping connections.
impl<F> hyper::rt::Executor<F> for Spawner
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            task.await;
        });
        drop(self.spawn(task));
    }
}
