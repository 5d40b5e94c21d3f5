//! Messages on their way in and out, with as much room as is given to them.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use responses::chain::Shutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

/// How much is read at once. Each idle socket holds a buffer of this size.
const READ_BUFFER: usize = 4 << 10;

/// Messages that are larger travel in pieces of this size.
const FRAGMENT: usize = 64 << 10;

/// Nothing more is read from a client that has so many answers to read first.
const MAX_UNREAD: usize = 256;

/// How long the other end has for the last words.
const GOODBYE: Duration = Duration::from_secs(5);

/// What happened on a socket.
pub(super) enum Came {
    Text(Utf8Bytes),
    Binary,
    Pong,
    /// Something that says nothing.
    Alive,
    TooLarge,
    /// All that was to be sent has been.
    Written,
    Gone,
}

/// A socket, and what waits to be sent over it.
pub(super) struct Traffic {
    socket: WebSocketStream<Counted>,
    out: VecDeque<Message>,
    unflushed: bool,
    seen: u64,
}

impl Traffic {
    pub(super) async fn new(io: TokioIo<Upgraded>, frame_bytes: usize) -> Self {
        let most = Some(frame_bytes);
        let config =
            WebSocketConfig::default().max_message_size(most).max_frame_size(most).read_buffer_size(READ_BUFFER);
        let io = Counted { io, written: 0 };
        let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
        Self { socket, out: VecDeque::new(), unflushed: false, seen: 0 }
    }

    pub(super) fn send(&mut self, text: String) {
        if text.len() <= FRAGMENT {
            return self.out.push_back(Message::text(text));
        }
        // A message in pieces needs no buffer of its size, which an idle socket would keep.
        let mut rest = Bytes::from(text);
        let mut code = Data::Text;
        while !rest.is_empty() {
            let piece = rest.split_to(FRAGMENT.min(rest.len()));
            self.out.push_back(Message::Frame(Frame::message(piece, OpCode::Data(code), rest.is_empty())));
            code = Data::Continue;
        }
    }

    pub(super) fn ping(&mut self) {
        self.out.push_back(Message::Ping(Vec::new().into()));
    }

    pub(super) fn close(&mut self, why: Shutdown) {
        let frame = CloseFrame { code: CloseCode::from(why.code()), reason: Utf8Bytes::from_static(why.reason()) };
        self.out.push_back(Message::Close(Some(frame)));
    }

    /// Whether nothing waits to be sent.
    pub(super) fn is_clear(&self) -> bool {
        self.out.is_empty() && !self.unflushed
    }

    /// Whether the other end has taken more since this was asked last than our own pings, which leave whether or not
    /// anybody is there.
    pub(super) fn has_moved(&mut self) -> bool {
        const MORE_THAN_PINGS: u64 = 1024;
        let written = self.socket.get_ref().written;
        std::mem::replace(&mut self.seen, written) + MORE_THAN_PINGS <= written
    }

    /// Sends what waits, and gives what comes. Nothing is lost if this is left before it is ready.
    pub(super) async fn next(&mut self) -> Came {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Came> {
        let had_work = !self.is_clear();
        if self.write(cx).is_err() {
            return Poll::Ready(Came::Gone);
        }
        if self.out.len() < MAX_UNREAD
            && let Poll::Ready(message) = Pin::new(&mut self.socket).poll_next(cx)
        {
            return Poll::Ready(came(message));
        }
        if had_work && self.is_clear() { Poll::Ready(Came::Written) } else { Poll::Pending }
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        let mut socket = Pin::new(&mut self.socket);
        while !self.out.is_empty() {
            match socket.as_mut().poll_ready(cx)? {
                Poll::Ready(()) => {
                    if let Some(message) = self.out.pop_front() {
                        socket.as_mut().start_send(message)?;
                        self.unflushed = true;
                    }
                }
                Poll::Pending => return Ok(()),
            }
        }
        if self.unflushed && socket.poll_flush(cx)?.is_ready() {
            self.unflushed = false;
        }
        Ok(())
    }

    /// Says what is left to say, and waits for the other end to close, but not for ever.
    pub(super) async fn finish(mut self) {
        let farewell = async {
            for message in std::mem::take(&mut self.out) {
                self.socket.feed(message).await?;
            }
            self.socket.flush().await?;
            while let Some(message) = poll_fn(|cx| Pin::new(&mut self.socket).poll_next(cx)).await {
                message?;
            }
            Ok::<(), Error>(())
        };
        // A client that is gone does not hear it.
        let _ = tokio::time::timeout(GOODBYE, farewell).await;
    }
}

fn came(message: Option<Result<Message, Error>>) -> Came {
    match message {
        Some(Ok(Message::Text(text))) => Came::Text(text),
        Some(Ok(Message::Binary(_))) => Came::Binary,
        Some(Ok(Message::Pong(_))) => Came::Pong,
        Some(Ok(Message::Ping(_) | Message::Frame(_))) => Came::Alive,
        Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. }))) => Came::TooLarge,
        Some(Ok(Message::Close(_)) | Err(_)) | None => Came::Gone,
    }
}

/// Counts what the other end takes.
struct Counted {
    io: TokioIo<Upgraded>,
    written: u64,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, into)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.written += count as u64;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
