//! One socket: `responses::chain::Connection` decides, this carries out.
//!
//! One task owns all of it, the responses it tells included: they are told in turns, one event each.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use responses::chain::{
    Connection, ConnectionEffect, ConnectionLimits, Context, RunEvent, RunId, RunRequest, Time, Transport,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::delivery::Delivery;
use crate::fault::Fault;
use crate::play::Play;
use crate::record::Happened;
use crate::refusal::Refusal;
use crate::shared::{Line, What, page};

/// The largest message read at all; the limit that clients know is that of the connection.
const MAX_MESSAGE: usize = 64 << 20;

/// How long the other end has to answer a close frame.
const GOODBYE: Duration = Duration::from_secs(2);

/// Serves one socket until it ends. How it ended is in the record.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(io: S, line: Line) {
    let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    // An error is a line that broke: often it was asked to.
    let _ = Conversation::new(socket, line).run().await;
}

struct Conversation<S> {
    socket: WebSocketStream<S>,
    connection: Connection,
    plays: Vec<Playing>,
    delivery: Delivery,
    /// Requests that are over once all that was said is sent.
    over: Vec<u64>,
    line: Line,
    born: Instant,
}

/// A response that is being told.
struct Playing {
    run: RunId,
    /// The number of its request; a warm-up has none.
    number: Option<u64>,
    play: Play,
    context: Context,
    /// When its next event comes.
    due: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    fn new(socket: WebSocketStream<S>, line: Line) -> Self {
        let mut delivery = Delivery::default();
        delivery.arm(None, &line.faults);
        let connection = Connection::new(Time::default(), limits(&line), line.shared.powers);
        Self { socket, connection, plays: Vec::new(), delivery, over: Vec::new(), line, born: Instant::now() }
    }

    fn now(&self) -> Time {
        Time::at(self.born.elapsed())
    }

    async fn run(mut self) -> Result<(), Error> {
        loop {
            self.carry_out().await?;
            if self.connection.is_closed() {
                return self.see_off().await;
            }
            let wake = self.wake();
            tokio::select! {
                biased;
                message = self.socket.next() => match message {
                    Some(message) => self.hear(message)?,
                    None => self.connection.handle_closed(),
                },
                () = sleep_until(wake) => self.go_on(),
            }
        }
    }

    /// When there is something to do, if nobody says anything before.
    fn wake(&self) -> Option<Instant> {
        let deadline = self.connection.poll_deadline().map(|time| self.born + time.since_beginning());
        let told = self.plays.iter().filter(|playing| !playing.play.is_silent()).map(|playing| playing.due);
        told.chain(deadline).min()
    }

    fn hear(&mut self, message: Result<Message, Error>) -> Result<(), Error> {
        let now = self.now();
        let note = |happened| self.line.shared.log.note(self.line.number, happened);
        match message {
            Ok(Message::Text(text)) => {
                note(Happened::Frame(text.to_string()));
                self.connection.handle_frame(now, &text);
            }
            Ok(Message::Ping(_)) => note(Happened::Ping),
            Ok(Message::Pong(_)) => {
                note(Happened::Pong);
                self.connection.handle_pong();
            }
            Ok(Message::Close(frame)) => note(Happened::Close(frame.map(|frame| frame.code.into()))),
            // The protocol has no binary messages, and what comes here is none of it.
            Ok(Message::Binary(_)) => self.connection.handle_frame(now, "a binary message"),
            Ok(Message::Frame(_)) => {}
            Err(Error::Capacity(CapacityError::MessageTooLong { .. })) => self.connection.handle_oversize(),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Time has passed: each response that is due tells one event.
    fn go_on(&mut self) {
        let now = self.now();
        if self.connection.poll_deadline().is_some_and(|deadline| deadline <= now) {
            self.connection.handle_deadline(now);
        }
        let clock = Instant::now();
        for playing in self.plays.iter_mut().filter(|playing| playing.due <= clock) {
            let Some(told) = playing.play.next() else { continue };
            playing.due = clock + playing.play.wait();
            if let Some(ending) = &told.end {
                self.line.shared.remember(&playing.play, &playing.context, ending);
                self.over.extend(playing.number);
            }
            self.connection.handle_run(playing.run, RunEvent::Event(&told.text));
        }
        // A response that has ended says nothing more; one that is only silent may still be interrupted.
        self.plays.retain(|playing| !playing.play.has_ended());
    }

    async fn carry_out(&mut self) -> Result<(), Error> {
        while let Some(effect) = self.connection.poll_effect() {
            match effect {
                ConnectionEffect::Send(text) => self.say(text).await?,
                ConnectionEffect::Recall(run, id) => {
                    let stored = self.line.shared.memory().get(&id).filter(|stored| stored.well);
                    self.connection.handle_recalled(run, stored.map(|stored| stored.context));
                }
                ConnectionEffect::Begin(run, request) => self.begin(run, &request),
                ConnectionEffect::EndEarly(run) => self.change(run, Play::end_early),
                ConnectionEffect::Interrupt(run) | ConnectionEffect::Cancel(run) => self.change(run, Play::interrupt),
                // A script tells its answer to one line.
                ConnectionEffect::Rejoin(run, _) => self.connection.handle_rejoined(run, None),
                // A script has said already what it will say. That answers came is in the record.
                ConnectionEffect::Inject(..) => {}
                ConnectionEffect::Unwatched(run) => self.plays.retain(|playing| playing.run != run),
                ConnectionEffect::Ping => self.socket.send(Message::Ping(Vec::new().into())).await?,
                ConnectionEffect::Close(why) => self.close(why.code(), why.reason()).await?,
            }
        }
        if self.connection.is_closed() {
            return Ok(());
        }
        if let Some(code) = self.delivery.close_code() {
            self.connection.handle_closed();
            return self.close(code, "as asked").await;
        }
        let held = if self.plays.is_empty() { self.delivery.flush() } else { None };
        if let Some(held) = held {
            self.socket.send(Message::text(held)).await?;
        }
        for request in self.over.drain(..) {
            self.delivery.disarm(request);
            self.line.control.disarm(request);
        }
        Ok(())
    }

    async fn say(&mut self, text: String) -> Result<(), Error> {
        if self.delivery.close_code().is_some() {
            return Ok(());
        }
        for text in self.delivery.pass(text) {
            self.socket.send(Message::text(text)).await?;
        }
        Ok(())
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Error> {
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        self.socket.send(Message::Close(Some(frame))).await
    }

    fn begin(&mut self, run: RunId, request: &RunRequest) {
        let answer = self.line.answer(request, Transport::WebSocket);
        let flat = self.line.has_flat_errors(&answer);
        self.delivery.arm(answer.number, &answer.faults);
        let mut refuse = |refusal: &Refusal| self.connection.handle_run(run, RunEvent::Event(&refusal.event(flat)));
        match answer.what {
            What::Play(play) => {
                let due = Instant::now() + play.wait();
                let (number, context) = (answer.number, request.context.clone());
                self.plays.push(Playing { run, number, play: *play, context, due });
            }
            What::Refused(refusal) => refuse(&refusal),
            What::Page(status) => refuse(&Refusal { code: None, ..Refusal::new(status, "", page(status)) }),
            What::Empty => self.connection.handle_run(run, RunEvent::Gone),
        }
        if !self.plays.iter().any(|playing| playing.run == run) {
            self.over.extend(answer.number);
        }
    }

    fn change(&mut self, run: RunId, change: impl FnOnce(&mut Play)) {
        if let Some(playing) = self.plays.iter_mut().find(|playing| playing.run == run) {
            change(&mut playing.play);
            playing.due = Instant::now();
        }
    }

    /// A close frame went out, or came in: the other end has a moment to do its part.
    async fn see_off(mut self) -> Result<(), Error> {
        let goodbye = async {
            while let Some(message) = self.socket.next().await {
                self.hear(message)?;
            }
            Ok(())
        };
        tokio::time::timeout(GOODBYE, goodbye).await.unwrap_or(Ok(()))
    }
}

/// The limits of a model, and what its faults make of them.
fn limits(line: &Line) -> ConnectionLimits {
    let mut limits = line.shared.limits.clone();
    for fault in line.faults.iter() {
        match fault {
            Fault::LargestMessage(bytes) => limits.frame_bytes = *bytes,
            Fault::AgeLimit(age) => limits.age = *age,
            _ => {}
        }
    }
    limits
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        // A moment that has passed would still cost a tick of the timer.
        Some(wake) if wake <= Instant::now() => {}
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}
