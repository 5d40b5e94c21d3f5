//! A listener on loopback and the tasks of its connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many connections are served at once; more are turned away.
pub(crate) const MAX_CONNECTIONS: usize = 1024;

/// A server with a free port of this machine. Dropping it ends all its tasks.
#[derive(Debug)]
pub(crate) struct Serving {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Serving {
    /// Serves each connection with a task of its own.
    pub(crate) async fn start<F, Served>(serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> Served + Send + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, stop.clone(), serve));
        Ok(Self { address, stop, tasks })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all its tasks, and returns when that is done.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn accept<F, Served>(listener: TcpListener, stop: CancellationToken, serve: F)
where
    F: Fn(TcpStream) -> Served,
    Served: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((io, _)) if connections.len() < MAX_CONNECTIONS => {
                    // Without this, small messages wait for each other; if it fails, they do.
                    let _ = io.set_nodelay(true);
                    connections.spawn(serve(io));
                }
                Ok(_) => {}
                Err(_) => break,
            },
        }
    }
    connections.shutdown().await;
}
