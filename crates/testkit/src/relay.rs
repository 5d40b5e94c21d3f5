//! Distance in front of an address: what goes through arrives later, in both directions.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::serving::Serving;

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// How many bytes of one direction are on their way; then the sender has to wait, as on a line that is full.
const MAX_ON_THE_WAY: usize = 8 << 20;

/// How long the other end has to answer the phone.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stretch of line that delays everything by the same time. Dropping it ends all its tasks.
///
/// Bytes are under way side by side: the delay costs latency, not throughput, unless the line is [narrow](Self::narrow).
/// Opening a connection is not delayed, only what is said over it; the clock has steps of a millisecond.
#[derive(Debug)]
pub struct Relay {
    serving: Serving,
    stretch: Arc<Stretch>,
}

/// What all connections of a relay share.
#[derive(Debug)]
struct Stretch {
    to: SocketAddr,
    length: Length,
    up: AtomicU64,
    down: AtomicU64,
    connections: AtomicU64,
    cuts: watch::Sender<()>,
}

/// How long bytes take.
#[derive(Debug, Clone, Copy)]
struct Length {
    /// From one end to the other.
    one_way: Duration,
    /// To get onto the line, one after the other.
    per_byte: Duration,
}

impl Relay {
    /// A free port of this machine from where it is so far to an address.
    pub async fn start(to: SocketAddr, one_way: Duration) -> io::Result<Self> {
        Self::narrow(to, one_way, Duration::ZERO).await
    }

    /// The same, and each byte of a direction of a connection takes so long before the next one can follow.
    pub async fn narrow(to: SocketAddr, one_way: Duration, per_byte: Duration) -> io::Result<Self> {
        let stretch = Arc::new(Stretch {
            to,
            length: Length { one_way, per_byte },
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            cuts: watch::Sender::new(()),
        });
        let shared = Arc::clone(&stretch);
        let serving = Serving::start(move |near| {
            shared.connections.fetch_add(1, Ordering::Relaxed);
            pass(Arc::clone(&shared), near, shared.cuts.subscribe())
        });
        Ok(Self { serving: serving.await?, stretch })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.serving.address()
    }

    /// How many bytes clients have sent into it.
    pub fn bytes_up(&self) -> u64 {
        self.stretch.up.load(Ordering::Relaxed)
    }

    /// How many bytes came back into it.
    pub fn bytes_down(&self) -> u64 {
        self.stretch.down.load(Ordering::Relaxed)
    }

    /// How many connections were made.
    pub fn connections(&self) -> u64 {
        self.stretch.connections.load(Ordering::Relaxed)
    }

    /// Breaks every connection there is, with what is on its way. New ones can be made.
    pub fn cut(&self) {
        self.stretch.cuts.send_replace(());
    }

    /// Ends all its tasks, and returns when that is done.
    pub async fn stop(self) {
        self.serving.stop().await;
    }
}

async fn pass(stretch: Arc<Stretch>, mut near: TcpStream, mut cuts: watch::Receiver<()>) {
    let reaching = tokio::time::timeout(PATIENCE, TcpStream::connect(stretch.to));
    let Ok(Ok(mut far)) = reaching.await else { return };
    // Without this, small messages wait for each other; if it fails, they do.
    let _ = far.set_nodelay(true);
    let ((near_in, near_out), (far_in, far_out)) = (near.split(), far.split());
    let up = carry(near_in, far_out, stretch.length, &stretch.up);
    let down = carry(far_in, near_out, stretch.length, &stretch.down);
    // An error is a line that broke; both directions are then over.
    let cut = tokio::select! {
        _ = async { tokio::try_join!(up, down) } => false,
        _ = cuts.changed() => true,
    };
    if cut {
        // A line that is cut says no goodbye; if this fails, it does.
        let _ = near.set_zero_linger().and(far.set_zero_linger());
    }
}

/// Bytes on their way, and when they arrive; none are the end.
type OnTheWay = VecDeque<(Instant, Vec<u8>)>;

/// Carries one direction to its end.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    length: Length,
    count: &AtomicU64,
) -> io::Result<()> {
    let mut on_the_way = OnTheWay::new();
    let (mut bytes, mut open, mut free) = (0, true, Instant::now());
    let mut piece = vec![0; PIECE];
    loop {
        let due = on_the_way.front().map(|(due, _)| *due);
        tokio::select! {
            biased;
            () = arrival(due), if due.is_some() => {
                let Some((_, arrived)) = on_the_way.pop_front() else { continue };
                if arrived.is_empty() {
                    return to.shutdown().await;
                }
                bytes -= arrived.len();
                to.write_all(&arrived).await?;
                to.flush().await?;
            }
            read = from.read(&mut piece), if open && bytes < MAX_ON_THE_WAY => {
                let read = piece.get(..read?).unwrap_or_default();
                open = !read.is_empty();
                bytes += read.len();
                count.fetch_add(read.len() as u64, Ordering::Relaxed);
                let takes = length.per_byte.saturating_mul(u32::try_from(read.len()).unwrap_or(u32::MAX));
                free = free.max(Instant::now()) + takes;
                on_the_way.push_back((free + length.one_way, read.to_vec()));
            }
        }
    }
}

async fn arrival(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    const FAR: Length = Length { one_way: Duration::from_millis(100), per_byte: Duration::ZERO };

    #[tokio::test(start_paused = true)]
    async fn pieces_are_under_way_side_by_side_and_each_arrives_when_it_should() {
        let ((mut near, from), (to, mut far)) = (duplex(1 << 10), duplex(1 << 10));
        let (count, begun) = (AtomicU64::new(0), Instant::now());
        let sending = async move {
            for text in ["one", "two", "six"] {
                near.write_all(text.as_bytes()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let hearing = async {
            let (mut heard, mut into) = (Vec::new(), [0; 16]);
            loop {
                let read = far.read(&mut into).await.unwrap();
                heard.push((String::from_utf8(into[..read].to_vec()).unwrap(), begun.elapsed().as_millis()));
                if read == 0 {
                    break heard;
                }
            }
        };
        let ((), heard, carried) = tokio::join!(sending, hearing, carry(from, to, FAR, &count));
        carried.unwrap();
        let expected = [("one", 100), ("two", 110), ("six", 120), ("", 130)];
        assert_eq!(heard, expected.map(|(text, time)| (text.to_owned(), time)));
        assert_eq!(count.into_inner(), 9);
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_much_is_on_its_way() {
        let ((mut near, from), (to, _far)) = (duplex(PIECE), duplex(PIECE));
        let count = AtomicU64::new(0);
        let flood = async {
            let piece = vec![0; PIECE];
            while near.write_all(&piece).await.is_ok() {}
        };
        let very_far = Length { one_way: Duration::from_mins(1), ..FAR };
        let all = async { tokio::join!(flood, carry(from, to, very_far, &count)) };
        assert!(tokio::time::timeout(FAR.one_way, all).await.is_err());
        assert_eq!(count.into_inner(), MAX_ON_THE_WAY as u64);
    }

    #[tokio::test(start_paused = true)]
    async fn on_a_narrow_line_bytes_wait_for_each_other_until_it_is_free() {
        let ((mut near, from), (to, mut far)) = (duplex(1 << 10), duplex(1 << 10));
        let narrow = Length { per_byte: Duration::from_millis(1), ..FAR };
        let (count, begun) = (AtomicU64::new(0), Instant::now());
        let sending = async move {
            for pause in [0, 10, 200] {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                near.write_all(&[0; 50]).await.unwrap();
            }
        };
        let hearing = async {
            let (mut heard, mut into) = (Vec::new(), [0; 64]);
            while far.read(&mut into).await.unwrap() > 0 {
                heard.push(begun.elapsed().as_millis());
            }
            heard
        };
        let ((), heard, carried) = tokio::join!(sending, hearing, carry(from, to, narrow, &count));
        carried.unwrap();
        assert_eq!(heard, [150, 200, 360]);
    }
}
