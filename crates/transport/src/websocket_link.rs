//! One socket, and the chains that share it.
//!
//! One task owns the socket. It reads and writes at the same time, so that a ping is answered while a large message is
//! on its way out, and cuts such a message into pieces for the same reason.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use responses::chain::Trouble;
use responses::error::ApiError;
use responses::event::ServerEvent;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::dial::{BoxedStream, Path};
use crate::head::Head;
use crate::lanes::{LaneNo, Lanes, To};
use crate::link::{Link, Meter, Moved, Opened, Place, SocketId, Text, Word, Words};
use crate::metered::Metered;

/// The largest message that is taken from a server. Partial images have megabytes.
const MAX_MESSAGE: usize = 32 << 20;

/// How much is read at once. It is made ready before each read, and kept by each line: more costs more of both.
const READ_AT_ONCE: usize = 4 << 10;

/// How much of a message goes out in one frame, so that a pong never waits for long.
const PIECE: usize = 256 << 10;

/// How many orders wait for a socket. Each chain has one request in flight, a ping and a farewell.
pub(crate) const MAX_ORDERS: usize = 256;

/// How long a chain may be deaf. Its loop does nothing but listen, so this is long.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a farewell may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// The close code for a message that was too large.
const TOO_LARGE: u16 = 1009;

type Stream = WebSocketStream<Metered<BoxedStream>>;

/// A chain that wants a place.
#[derive(Debug)]
pub(crate) struct Joiner {
    pub(crate) words: Words,
    /// It has left this socket, or was never on one; it wants a younger one.
    pub(crate) after: Option<SocketId>,
}

/// What is asked of a socket.
#[derive(Debug)]
pub(crate) enum Order {
    Join(Joiner),
    Of(Ticket, Wish),
}

/// What who sits on a lane wishes.
#[derive(Debug)]
pub(crate) enum Wish {
    Say(String),
    Ping,
    Settled,
    Leave,
}

/// Who sits on a lane. The next one on it has another number: what the last one wished is not done in its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    lane: LaneNo,
    number: u64,
}

/// A socket that is open.
pub(crate) struct OpenSocket {
    pub(crate) stream: BoxedStream,
    pub(crate) head: Head,
    /// The way there.
    pub(crate) path: Path,
}

/// Why a socket did not open.
#[derive(Debug, Clone)]
pub(crate) enum NotOpened {
    Refused(ApiError),
    Unreachable(Trouble),
}

impl From<NotOpened> for Word {
    fn from(reason: NotOpened) -> Self {
        match reason {
            NotOpened::Refused(error) => Self::Refused(error),
            NotOpened::Unreachable(trouble) => Self::Unreachable(trouble),
        }
    }
}

/// What a socket is made with.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) id: SocketId,
    pub(crate) orders: mpsc::Receiver<Order>,
    /// For the places it gives away.
    pub(crate) sender: mpsc::Sender<Order>,
    /// Where those go for whom there is no place here.
    pub(crate) back: mpsc::Sender<Joiner>,
    /// How many lanes the server has.
    pub(crate) lanes: usize,
    /// Up to which age it takes more chains.
    pub(crate) young: Duration,
}

/// A socket, from its opening to its end.
pub(crate) async fn carry(opening: impl Future<Output = Result<OpenSocket, NotOpened>>, first: Joiner, mut desk: Desk) {
    let mut waiting = vec![first];
    let opened = {
        let mut opening = std::pin::pin!(opening);
        loop {
            tokio::select! {
                biased;
                opened = &mut opening => break opened,
                Some(order) = desk.orders.recv() => match order {
                    Order::Join(joiner) if waiting.len() < desk.lanes => waiting.push(joiner),
                    Order::Join(joiner) => desk.send_back(joiner).await,
                    Order::Of(..) => {}
                },
            }
        }
    };
    match opened {
        Ok(open) => Socket::new(open, desk).await.serve(waiting).await,
        Err(reason) => {
            for joiner in waiting {
                joiner.words.say(reason.clone().into()).await;
            }
            desk.turn_away().await;
        }
    }
}

impl Desk {
    async fn send_back(&self, mut joiner: Joiner) {
        joiner.after = Some(self.id);
        // Whoever keeps the sockets has ended: so has everything else.
        let _ = self.back.send(joiner).await;
    }

    /// Nobody joins any more: those on their way look elsewhere.
    async fn turn_away(&mut self) {
        self.orders.close();
        while let Some(order) = self.orders.recv().await {
            if let Order::Join(joiner) = order {
                self.send_back(joiner).await;
            }
        }
    }
}

struct Socket {
    sink: SplitSink<Stream, Message>,
    stream: SplitStream<Stream>,
    desk: Desk,
    head: Arc<Head>,
    meter: Meter,
    since: Instant,
    lanes: Lanes,
    members: BTreeMap<LaneNo, Member>,
    tickets: u64,
    outbox: VecDeque<Piece>,
    /// Something was handed to the socket and may not have left.
    unflushed: bool,
    /// Who waits for a pong.
    pinging: Vec<LaneNo>,
}

/// Somebody on a lane.
struct Member {
    number: u64,
    words: Words,
    /// Told when the place is taken away from who does not listen.
    gone: Arc<AtomicBool>,
}

/// One frame on its way out.
struct Piece {
    /// Whose it is. Pings are nobody's.
    lane: Option<LaneNo>,
    /// Whether it is the first of its message: what has begun to leave must leave whole.
    first: bool,
    message: Message,
}

/// Why a socket ends.
enum End {
    Closed(Option<u16>),
    Deserted,
}

impl Socket {
    async fn new(open: OpenSocket, desk: Desk) -> Self {
        let meter = Meter::default();
        let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
        let config = config.read_buffer_size(READ_AT_ONCE);
        let stream = Metered::new(open.stream, meter.clone());
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await;
        let (sink, stream) = socket.split();
        Self {
            sink,
            stream,
            head: Arc::new(open.head),
            meter,
            since: Instant::now(),
            lanes: Lanes::new(desk.lanes),
            desk,
            members: BTreeMap::new(),
            tickets: 0,
            outbox: VecDeque::new(),
            unflushed: false,
            pinging: Vec::new(),
        }
    }

    async fn serve(mut self, waiting: Vec<Joiner>) {
        for joiner in waiting {
            self.join(joiner).await;
        }
        let end = loop {
            if self.lanes.is_deserted() {
                break End::Deserted;
            }
            let writes = self.unflushed || !self.outbox.is_empty();
            tokio::select! {
                // Orders are few, and writing ends where the socket is full: neither keeps from reading.
                biased;
                Some(order) = self.desk.orders.recv() => self.take(order).await,
                written = write_on(&mut self.sink, &mut self.outbox, &mut self.unflushed), if writes => {
                    if written.is_err() {
                        break self.last_words().await;
                    }
                }
                message = self.stream.next() => match message {
                    Some(Ok(message)) => if let Some(end) = self.hear(message).await { break end },
                    Some(Err(_)) | None => break End::Closed(None),
                },
            }
        };
        self.end(end).await;
    }

    /// Nothing can be written any more. What the server said before it closed, and why it closed, may still be there.
    async fn last_words(&mut self) -> End {
        let words = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(message)) => {
                        if let Some(end) = self.hear(message).await {
                            return end;
                        }
                    }
                    Some(Err(_)) | None => return End::Closed(None),
                }
            }
        };
        timeout(GOODBYE, words).await.unwrap_or(End::Closed(None))
    }

    async fn join(&mut self, joiner: Joiner) {
        let is_young = self.since.elapsed() <= self.desk.young;
        let Some(lane) = is_young.then(|| self.lanes.join()).flatten() else {
            return self.desk.send_back(joiner).await;
        };
        self.tickets += 1;
        let (orders, meter, gone) = (self.desk.sender.clone(), self.meter.clone(), Arc::new(AtomicBool::new(false)));
        let ticket = Ticket { lane, number: self.tickets };
        let link = Box::new(Seat { ticket, orders, meter, socket: self.desk.id, gone: Arc::clone(&gone) });
        let place = Place { link, lane: lane.name(), since: self.since };
        let words = joiner.words.clone();
        self.members.insert(lane, Member { number: ticket.number, words: joiner.words, gone });
        // If nobody listens any more, the seat comes back with the word, and leaves.
        words.say(Word::Open(Opened { place: Some(place), head: Arc::clone(&self.head), left_out: Vec::new() })).await;
    }

    async fn take(&mut self, order: Order) {
        let (ticket, wish) = match order {
            Order::Join(joiner) => return self.join(joiner).await,
            Order::Of(ticket, wish) => (ticket, wish),
        };
        let lane = ticket.lane;
        if self.members.get(&lane).is_none_or(|member| member.number != ticket.number) {
            return;
        }
        match wish {
            Wish::Say(text) => {
                self.lanes.said(lane, text.len());
                pieces(lane, text, &mut self.outbox);
            }
            Wish::Ping => {
                // Many may ask at once, and one ping answers all of them. Who asks again had no answer.
                if self.pinging.is_empty() || self.pinging.contains(&lane) {
                    // Control frames may go between the pieces of a message.
                    let message = Message::Ping(Bytes::new());
                    self.outbox.push_front(Piece { lane: None, first: true, message });
                }
                if !self.pinging.contains(&lane) {
                    self.pinging.push(lane);
                }
            }
            Wish::Settled => self.lanes.settled(lane),
            Wish::Leave => self.put_off(lane),
        }
    }

    /// Nobody sits on a lane any more.
    fn put_off(&mut self, lane: LaneNo) {
        if let Some(member) = self.members.remove(&lane) {
            member.gone.store(true, Ordering::Relaxed);
        }
        self.pinging.retain(|pinging| *pinging != lane);
        if withdraw(lane, &mut self.outbox) {
            self.lanes.unsaid(lane);
        }
        self.lanes.leave(lane);
    }

    async fn hear(&mut self, message: Message) -> Option<End> {
        match message {
            Message::Text(text) => self.pass_on(Text::received(text)).await,
            Message::Pong(_) => {
                for lane in std::mem::take(&mut self.pinging) {
                    self.mention(lane, Word::Pong);
                }
            }
            Message::Close(frame) => return Some(End::Closed(frame.map(|frame| frame.code.into()))),
            // Some put their text into binary messages. What is no text at all ends the trust in this socket.
            Message::Binary(bytes) => match Utf8Bytes::try_from(bytes) {
                Ok(text) => self.pass_on(Text::received(text)).await,
                Err(_) => return Some(End::Closed(None)),
            },
            // Pings are answered by the library.
            Message::Ping(_) | Message::Frame(_) => {}
        }
        None
    }

    async fn pass_on(&mut self, text: Text) {
        let to = match self.lanes.heard_alone() {
            Some(lane) => To::One(lane),
            // What cannot be read is everybody's: nobody can trust this socket any more.
            None => ServerEvent::parse(&text).map_or(To::All, |event| self.lanes.heard(&event)),
        };
        match to {
            To::One(lane) => self.say(lane, Word::Text(text)).await,
            To::All => {
                for lane in self.lanes.taken().collect::<Vec<_>>() {
                    self.say(lane, Word::Text(text.clone())).await;
                }
            }
            To::Whoever => {
                for lane in self.lanes.taken().collect::<Vec<_>>() {
                    self.mention(lane, Word::Text(text.clone()));
                }
            }
            To::Doubtful(lanes) => {
                // It is one of them that was refused. They ask again, each on a line of its own.
                for lane in lanes {
                    self.say(lane, Word::Closed(None)).await;
                    self.put_off(lane);
                }
            }
            To::Nobody => {}
        }
    }

    /// Says what must be heard. Who does not listen for long has left: the others are not made to wait.
    async fn say(&mut self, lane: LaneNo, word: Word) {
        let Some(member) = self.members.get(&lane) else { return };
        let listens = match member.words.offer(word) {
            Ok(listens) => listens,
            Err(word) => timeout(PATIENCE, member.words.say(word)).await.unwrap_or(false),
        };
        if !listens {
            self.put_off(lane);
        }
    }

    /// Says what need not be heard by who is busy.
    fn mention(&mut self, lane: LaneNo, word: Word) {
        if let Some(member) = self.members.get(&lane) {
            member.words.mention(word);
        }
    }

    async fn end(mut self, end: End) {
        self.desk.turn_away().await;
        if let End::Closed(code) = end {
            let blamed = self.lanes.loudest();
            let told = std::mem::take(&mut self.members).into_iter().map(|(lane, member)| async move {
                // Only one of them said too much; for the others the line is lost.
                let code = code.filter(|code| *code != TOO_LARGE || blamed.is_none_or(|blamed| blamed == lane));
                if timeout(PATIENCE, member.words.say(Word::Closed(code))).await.is_err() {
                    member.gone.store(true, Ordering::Relaxed);
                }
            });
            join_all(told).await;
        }
        if self.lanes.is_speaking() {
            // Nobody wants what is still being said: the server notices soonest if the line is gone.
            return;
        }
        let _ = timeout(GOODBYE, self.sink.close()).await;
    }
}

/// Takes the writing one step further. If it is left in the middle, nothing is lost.
async fn write_on(
    sink: &mut SplitSink<Stream, Message>,
    outbox: &mut VecDeque<Piece>,
    unflushed: &mut bool,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    if *unflushed {
        poll_fn(|cx| sink.poll_flush_unpin(cx)).await?;
        *unflushed = false;
        return Ok(());
    }
    poll_fn(|cx| sink.poll_ready_unpin(cx)).await?;
    if let Some(piece) = outbox.pop_front() {
        sink.start_send_unpin(piece.message)?;
        *unflushed = true;
    }
    Ok(())
}

fn pieces(lane: LaneNo, text: String, outbox: &mut VecDeque<Piece>) {
    let lane = Some(lane);
    if text.len() <= PIECE {
        return outbox.push_back(Piece { lane, first: true, message: Message::text(text) });
    }
    let mut rest = Bytes::from(text);
    let mut kind = Data::Text;
    while !rest.is_empty() {
        let piece = rest.split_to(PIECE.min(rest.len()));
        let message = Message::Frame(Frame::message(piece, OpCode::Data(kind), rest.is_empty()));
        outbox.push_back(Piece { lane, first: kind == Data::Text, message });
        kind = Data::Continue;
    }
}

/// Takes back what has not begun to leave. Says whether there was anything.
fn withdraw(lane: LaneNo, outbox: &mut VecDeque<Piece>) -> bool {
    let (before, mut has_begun) = (outbox.len(), true);
    outbox.retain(|piece| {
        let theirs = piece.lane == Some(lane);
        has_begun &= !(theirs && piece.first);
        !theirs || has_begun
    });
    outbox.len() < before
}

/// A place on a socket.
#[derive(Debug)]
struct Seat {
    ticket: Ticket,
    orders: mpsc::Sender<Order>,
    meter: Meter,
    socket: SocketId,
    gone: Arc<AtomicBool>,
}

impl Seat {
    /// A socket that has ended has said so already. One that does not take orders is as good as gone.
    fn wish(&self, wish: Wish) {
        if let Err(TrySendError::Full(_)) = self.orders.try_send(Order::Of(self.ticket, wish)) {
            self.gone.store(true, Ordering::Relaxed);
        }
    }
}

impl Link for Seat {
    fn send(&mut self, text: String) {
        self.wish(Wish::Say(text));
    }

    fn ping(&mut self) {
        self.wish(Wish::Ping);
    }

    fn settled(&mut self) {
        self.wish(Wish::Settled);
    }

    fn moved(&self) -> Moved {
        self.meter.moved()
    }

    fn socket(&self) -> Option<SocketId> {
        Some(self.socket)
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.wish(Wish::Leave);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes() -> [LaneNo; 2] {
        let mut lanes = Lanes::new(2);
        [lanes.join().unwrap(), lanes.join().unwrap()]
    }

    #[test]
    fn a_large_message_leaves_in_pieces_that_are_one_message() {
        for len in [0, 1, PIECE, PIECE + 1, 3 * PIECE] {
            let (text, mut outbox) = ("x".repeat(len), VecDeque::new());
            pieces(lanes()[0], text.clone(), &mut outbox);
            let mut whole = Vec::new();
            let last = outbox.len() - 1;
            for (at, piece) in outbox.into_iter().enumerate() {
                assert_eq!(piece.first, at == 0);
                let Message::Frame(frame) = piece.message else {
                    assert!(len <= PIECE);
                    whole.extend_from_slice(&piece.message.into_data());
                    continue;
                };
                let kind = if at == 0 { Data::Text } else { Data::Continue };
                assert_eq!((frame.header().opcode, frame.header().is_final), (OpCode::Data(kind), at == last));
                whole.extend_from_slice(frame.payload());
            }
            assert_eq!(whole, text.as_bytes());
        }
    }

    #[test]
    fn what_has_not_begun_to_leave_is_taken_back_and_nothing_else() {
        let [one, other] = lanes();
        let mut outbox = VecDeque::new();
        pieces(one, "x".repeat(3 * PIECE), &mut outbox);
        pieces(other, "theirs".to_owned(), &mut outbox);
        pieces(one, "later".to_owned(), &mut outbox);
        outbox.pop_front();
        assert!(withdraw(one, &mut outbox));
        let left: Vec<_> = outbox.iter().map(|piece| (piece.lane, piece.first)).collect();
        assert_eq!(left, [(Some(one), false), (Some(one), false), (Some(other), true)]);
        assert!(!withdraw(one, &mut outbox));
    }
}
