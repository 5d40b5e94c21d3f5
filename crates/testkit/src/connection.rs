//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError};

use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::{self, Upgrading};
use crate::record::Happened;
use crate::shared::{Line, Shared};
use crate::socket;
use crate::wire::{Control, Wire};

/// Where the requests of one HTTP/2 connection are answered: each is a task, and none outlives the connection.
#[derive(Debug, Clone)]
struct Streams {
    tasks: TaskTracker,
    over: CancellationToken,
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, work: F) {
        let over = self.over.clone();
        self.tasks.spawn(async move { over.run_until_cancelled(work).await });
    }
}

/// HTTP for as long as it is HTTP, of whichever version the client begins with, then the socket it may have become.
pub(crate) async fn serve<S>(shared: Arc<Shared>, io: S, tasks: TaskTracker)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let number = shared.next_connection();
    let control = Control::default();
    let faults = shared.plan.of_connection(number);
    control.arm(None, &faults);
    let line = Line { shared, number, faults: faults.into(), control: control.clone() };
    line.shared.log.note(number, Happened::Opened);
    let over = CancellationToken::new();
    let _ends_with_this = over.clone().drop_guard();
    let upgrading = Arc::new(Upgrading::default());
    let service = service_fn(|request| {
        let (line, upgrading) = (line.clone(), Arc::clone(&upgrading));
        async move { Ok::<_, Infallible>(http::reply(&line, &upgrading, request).await) }
    });
    let io = TokioIo::new(Wire::new(io, control));
    let builder = auto::Builder::new(Streams { tasks, over });
    // An error is a line that broke: often it was asked to.
    let _ = builder.serve_connection_with_upgrades(io, service).await;
    let upgraded = upgrading.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(upgraded) = upgraded
        && let Ok(upgraded) = upgraded.await
    {
        socket::serve(TokioIo::new(upgraded), line.clone()).await;
    }
    line.shared.log.note(number, Happened::Gone);
}
