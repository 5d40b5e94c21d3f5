//! One way to a server, whatever carries it, and what it says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use responses::chain::{LinkId, Trouble};
use responses::error::ApiError;
use responses::id::LaneId;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

use crate::breaker::Decision;
use crate::head::Head;

/// One way to a server. Dropping it gives it up, at once.
pub(crate) trait Link: Send + std::fmt::Debug {
    /// Sends a message. Only sockets take more than the one that they were opened with.
    fn send(&mut self, text: String);

    /// Asks whether the other end is there. Only sockets can.
    fn ping(&mut self);

    /// What was asked for over it has ended.
    fn settled(&mut self);

    /// How many bytes have moved.
    fn moved(&self) -> Moved;

    /// Whether it was taken away, because nobody listened for too long to be told.
    fn is_gone(&self) -> bool;

    /// The socket it is a place on, if it is one.
    fn socket(&self) -> Option<SocketId>;
}

/// The ways there are to one server.
pub(crate) trait Ways: Send + Sync + std::fmt::Debug {
    /// Opens a socket, or takes a place on one that is younger than `after`. The link comes with the word `Open`.
    fn open(&self, words: Words, after: Option<SocketId>);

    /// Sends a request over HTTP; its answer comes as words.
    fn post(&self, words: Words, post: Post) -> Box<dyn Link>;

    /// May a socket be opened, after all that is known of the place?
    fn ask(&self) -> Decision;

    /// The server has no sockets: they are to be left alone until then.
    fn refused(&self, until: Instant, reason: &str);

    /// A socket failed.
    fn failed(&self, reason: &str);

    /// A response came whole over a socket.
    fn worked(&self);

    /// A server's words without what it was told in confidence. None if they hold nothing of the kind.
    fn without_secrets(&self, text: &str) -> Option<String>;
}

/// A request over HTTP.
#[derive(Debug)]
pub(crate) struct Post {
    /// Its body.
    pub(crate) body: String,
    /// What the server wants to hear again within a turn.
    pub(crate) turn_state: Option<hyper::header::HeaderValue>,
}

/// A socket, by the order in which sockets were opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SocketId(pub(crate) u64);

/// What a link says.
#[derive(Debug)]
pub(crate) enum Word {
    /// It is open, or the request was accepted.
    Open(Opened),
    /// The server, or something before it, answered with an error.
    Refused(ApiError),
    /// Nothing answered.
    Unreachable(Trouble),
    /// A message of the server.
    Text(Text),
    /// A pong.
    Pong,
    /// Bytes that say nothing, but say it: comments of a stream.
    Alive,
    /// It ended. Nothing is said after this.
    Closed(Option<u16>),
}

/// How it was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The place on a socket. A request over HTTP has its link already.
    pub(crate) place: Option<Place>,
    /// What the server said with it.
    pub(crate) head: Arc<Head>,
    /// What of the request could not be carried.
    pub(crate) left_out: Vec<Box<str>>,
}

/// A place on a socket.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) link: Box<dyn Link>,
    pub(crate) lane: Option<LaneId>,
    pub(crate) since: Instant,
}

/// A message of the server: its exact text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(tokio_tungstenite::tungstenite::Utf8Bytes);

impl Text {
    pub(crate) fn received(text: tokio_tungstenite::tungstenite::Utf8Bytes) -> Self {
        /// A short text is a slice of a buffer much larger than itself: where it waits, all of that would.
        const SHORT: usize = 4 << 10;
        if text.len() <= SHORT { Self(text.as_str().to_owned().into()) } else { Self(text) }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

/// Where the words of one link go. Whoever listens does so at all times, so saying a word never takes long.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    link: LinkId,
    to: mpsc::Sender<(LinkId, Word)>,
}

impl Words {
    pub(crate) fn new(link: LinkId, to: mpsc::Sender<(LinkId, Word)>) -> Self {
        Self { link, to }
    }

    /// Says a word if there is room for it.
    pub(crate) fn mention(&self, word: Word) {
        let _ = self.to.try_send((self.link, word));
    }

    /// Says a word if there is room for it, and gives whether anybody listens; gives the word back if there is none.
    pub(crate) fn offer(&self, word: Word) -> Result<bool, Word> {
        match self.to.try_send((self.link, word)) {
            Ok(()) => Ok(true),
            Err(TrySendError::Closed(_)) => Ok(false),
            Err(TrySendError::Full((_, word))) => Err(word),
        }
    }

    /// Says a word. Gives whether anybody listens.
    pub(crate) async fn say(&self, word: Word) -> bool {
        self.to.send((self.link, word)).await.is_ok()
    }
}

/// How many bytes have moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) read: u64,
    pub(crate) written: u64,
}

impl Moved {
    /// Whether that is more than our own pings: those leave whether or not anybody is there.
    pub(crate) fn is_progress_since(self, before: Self) -> bool {
        const MORE_THAN_PINGS: u64 = 1024;
        self.read > before.read || self.written >= before.written + MORE_THAN_PINGS
    }
}

/// Counts the bytes that move.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    read: AtomicU64,
    written: AtomicU64,
}

impl Meter {
    pub(crate) fn has_read(&self, bytes: usize) {
        self.0.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn has_written(&self, bytes: usize) {
        self.0.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn moved(&self) -> Moved {
        Moved { read: self.0.read.load(Ordering::Relaxed), written: self.0.written.load(Ordering::Relaxed) }
    }
}
