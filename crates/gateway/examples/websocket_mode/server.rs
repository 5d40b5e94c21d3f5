//! A server that is no good, to see what is made of it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::stage::Outcomes;

/// Answers everything with the same words.
pub(crate) struct BadServer {
    pub(crate) address: SocketAddr,
    _task: JoinSet<()>,
}

impl BadServer {
    /// Without words, nobody listens at its address.
    pub(crate) async fn start(answer: &'static str) -> Outcomes<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut task = JoinSet::new();
        if !answer.is_empty() {
            task.spawn(async move {
                let mut connections = JoinSet::new();
                while let Ok((io, _)) = listener.accept().await {
                    connections.spawn(async move {
                        // Who has heard enough goes away.
                        let _ = reply(io, answer).await;
                    });
                }
            });
        }
        Ok(Self { address, _task: task })
    }
}

async fn reply(mut io: TcpStream, answer: &str) -> std::io::Result<()> {
    const HEAD_END: &[u8] = b"\r\n\r\n";
    let mut heard = Vec::new();
    while !heard.windows(HEAD_END.len()).any(|window| window == HEAD_END) {
        if io.read_buf(&mut heard).await? == 0 {
            return Ok(());
        }
    }
    io.write_all(answer.as_bytes()).await?;
    io.shutdown().await?;
    // To close at once would take back what was said, if there is more to read.
    while io.read_buf(&mut heard).await? > 0 {
        heard.clear();
    }
    Ok(())
}
