//! Faults of the bytes: a stream around a stream.

mod units;

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::fault::Fault;
use units::{Kind, Unit, Units};

/// How much of a message that is broken off gets out.
const PARTIAL: usize = 24;

/// A byte stream that breaks, freezes or slows down as it is told.
#[derive(Debug)]
pub(crate) struct Wire<T> {
    io: T,
    control: Control,
    /// The pause of a slow reader.
    pause: Option<Pin<Box<Sleep>>>,
}

/// Tells a wire what to do. Clones tell the same wire.
#[derive(Debug, Clone, Default)]
pub(crate) struct Control(Arc<Mutex<Rules>>);

#[derive(Debug, Default)]
struct Rules {
    units: Units,
    armed: Vec<Armed>,
    messages: usize,
    bytes: u64,
    state: State,
}

/// A fault, and the counts from which its own begin.
#[derive(Debug)]
struct Armed {
    fault: Fault,
    /// The request it belongs to, if not to the connection.
    request: Option<u64>,
    messages: usize,
    bytes: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Sound,
    Cut,
    Frozen,
}

/// What becomes of bytes on their way out.
enum Verdict {
    /// So many of them leave.
    Pass(usize),
    /// So many of them are lost.
    Lose(usize),
    Refuse(State),
}

impl Control {
    /// From now on these faults happen as well: on a request, or on all of the connection.
    pub(crate) fn arm(&self, request: Option<u64>, faults: &[Fault]) {
        let mut rules = self.rules();
        let (messages, bytes) = (rules.messages, rules.bytes);
        let armed = faults.iter().cloned().map(|fault| Armed { fault, request, messages, bytes });
        rules.armed.extend(armed);
    }

    /// A request is over, and its faults with it.
    pub(crate) fn disarm(&self, request: u64) {
        self.rules().armed.retain(|armed| armed.request != Some(request));
    }

    /// The next bytes begin the head of an HTTP answer. Whatever was asked before is over.
    pub(crate) fn begin_answer(&self) {
        let mut rules = self.rules();
        rules.armed.retain(|armed| armed.request.is_none());
        rules.units.begin_answer(false);
    }

    /// The head of the answer makes the connection a socket.
    pub(crate) fn upgrade(&self) {
        self.rules().units.begin_answer(true);
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rules {
    fn judge(&mut self, bytes: &[u8]) -> Verdict {
        self.settle();
        if self.state != State::Sound {
            return Verdict::Refuse(self.state);
        }
        let unit = self.units.clone().step(bytes);
        let unanswered = self.armed.iter().any(|armed| armed.fault == Fault::PingsUnanswered);
        if unanswered && unit.kind == Kind::Pong {
            return Verdict::Lose(unit.len);
        }
        match self.armed.iter().filter_map(|armed| self.room(armed, unit)).min() {
            Some(0) => {
                self.state = State::Cut;
                Verdict::Refuse(State::Cut)
            }
            Some(room) => Verdict::Pass(room.min(unit.len)),
            None => Verdict::Pass(unit.len),
        }
    }

    /// How many more bytes get out before the line breaks, if it does.
    fn room(&self, armed: &Armed, unit: Unit) -> Option<usize> {
        match armed.fault {
            Fault::CutAfterBytes(bytes) => {
                let left = (armed.bytes + bytes).saturating_sub(self.bytes);
                Some(usize::try_from(left).unwrap_or(usize::MAX))
            }
            Fault::CutInFrame(frames) if unit.kind == Kind::Message && self.messages == armed.messages + frames => {
                Some(PARTIAL.saturating_sub(unit.offset))
            }
            _ => None,
        }
    }

    /// Bytes left.
    fn advance(&mut self, mut bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let unit = self.units.step(bytes);
            if unit.ends && unit.kind == Kind::Message {
                self.messages += 1;
            }
            bytes = bytes.get(unit.len..).unwrap_or_default();
        }
        self.settle();
    }

    /// What is due after so many messages happens at once, not when the next one is to leave.
    fn settle(&mut self) {
        if self.state != State::Sound || !self.units.is_past_head() {
            return;
        }
        let due = |armed: &Armed| match armed.fault {
            Fault::CutAfterFrames(n) if self.messages >= armed.messages + n => Some(State::Cut),
            Fault::HalfOpenAfter(n) if self.messages >= armed.messages + n => Some(State::Frozen),
            _ => None,
        };
        self.state = self.armed.iter().find_map(due).unwrap_or_default();
    }

    fn slow_reader(&self) -> Option<(usize, std::time::Duration)> {
        self.armed.iter().find_map(|armed| match armed.fault {
            Fault::SlowReader { bytes, pause } => Some((bytes.max(1), pause)),
            _ => None,
        })
    }
}

impl<T> Wire<T> {
    pub(crate) fn new(io: T, control: Control) -> Self {
        Self { io, control, pause: None }
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the line was cut, as asked")
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (state, slow) = {
            let mut rules = self.control.rules();
            rules.settle();
            (rules.state, rules.slow_reader())
        };
        match state {
            State::Cut => return Poll::Ready(Err(broken())),
            State::Frozen => return Poll::Pending,
            State::Sound => {}
        }
        let Some((most, wait)) = slow else { return Pin::new(&mut self.io).poll_read(cx, into) };
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let mut piece = vec![0; most.min(into.remaining())];
        let mut piece = ReadBuf::new(&mut piece);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut piece))?;
        into.put_slice(piece.filled());
        self.pause = Some(Box::pin(tokio::time::sleep(wait)));
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let verdict = self.control.rules().judge(bytes);
        let written = match verdict {
            Verdict::Pass(len) => {
                let piece = bytes.get(..len).unwrap_or_default();
                ready!(Pin::new(&mut self.io).poll_write(cx, piece))?
            }
            Verdict::Lose(len) => len,
            Verdict::Refuse(State::Frozen) => return Poll::Pending,
            Verdict::Refuse(_) => return Poll::Ready(Err(broken())),
        };
        self.control.rules().advance(bytes.get(..written).unwrap_or_default());
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A line that is half open says no goodbye.
        if self.control.rules().state == State::Frozen {
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_reads_a_piece_for_each_pause() {
        let (mut client, server) = tokio::io::duplex(64);
        let pause = Duration::from_secs(3);
        let control = Control::default();
        control.arm(None, &[Fault::SlowReader { bytes: 4, pause }]);
        let mut wire = Wire::new(server, control);
        client.write_all(b"0123456789").await.unwrap();
        let (mut into, mut pieces, begun) = ([0; 64], Vec::new(), Instant::now());
        for _ in 0..3 {
            let read = wire.read(&mut into).await.unwrap();
            pieces.push((String::from_utf8(into[..read].to_vec()).unwrap(), begun.elapsed()));
        }
        let expected = [("0123", Duration::ZERO), ("4567", pause), ("89", pause * 2)];
        assert_eq!(pieces, expected.map(|(text, time)| (text.to_owned(), time)));
    }
}
