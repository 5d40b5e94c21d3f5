//! Deadlines: every wait of a chain ends here, if nothing ends it before.

use super::super::link::Transport;
use super::super::liveness::Pings;
use super::super::notice::{Fault, Outcome};
use super::super::route::Mode;
use super::super::time::{Time, earliest};
use super::super::turn::{Flow, Streaming, Turn};
use super::Chain;

impl Chain {
    /// When to call [`Chain::handle_deadline`], if nothing happens before.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Time> {
        let turn = match &self.turn {
            Turn::None | Turn::Queued(_) => None,
            Turn::BackingOff(waiting) => Some(waiting.until),
            Turn::Streaming(streaming) => Some(self.stream_deadline(streaming)),
        };
        let next = self.next.as_ref().map(|(_, patience)| *patience);
        earliest([turn, next, self.line_deadline()])
    }

    /// Time has passed.
    pub fn handle_deadline(&mut self, now: Time) {
        self.wake_line(now);
        match std::mem::take(&mut self.turn) {
            Turn::BackingOff(waiting) if waiting.until <= now => self.turn = Turn::Queued(waiting.woken()),
            Turn::Streaming(streaming) if self.stream_deadline(&streaming) <= now => self.wake_stream(now, streaming),
            other => self.turn = other,
        }
        if self.next.as_ref().is_some_and(|(_, patience)| *patience <= now) {
            self.leave_warm_up(now);
        }
        self.advance(now);
    }

    fn stream_deadline(&self, streaming: &Streaming) -> Time {
        let limits = &self.config.limits;
        match &streaming.flow {
            Flow::Settling(until) | Flow::Interrupted(until) | Flow::Steering(until, _) => *until,
            Flow::Running => streaming.heard.after(match (streaming.transport, self.pings) {
                _ if streaming.kept_alive => limits.silence_of_live_peer,
                (Transport::Http, _) => limits.silence_over_http,
                (Transport::WebSocket, Pings::Trusted) => limits.silence_of_live_peer,
                (Transport::WebSocket, Pings::Ignored) => limits.silence,
            }),
        }
    }

    fn wake_stream(&mut self, now: Time, streaming: Box<Streaming>) {
        match streaming.flow {
            Flow::Running => self.fell(now, streaming, Fault::Silent),
            Flow::Settling(_) => self.finish(now, streaming),
            Flow::Steering(..) => self.fell(now, streaming, Fault::SteerLost),
            Flow::Interrupted(_) => {
                self.drop_line();
                self.cancelled(now, *streaming);
            }
        }
    }

    /// A warm-up takes too long, and a turn waits behind it.
    fn leave_warm_up(&mut self, now: Time) {
        if let Some((next, _)) = &mut self.next {
            next.http_only = self.config.mode == Mode::Auto;
        }
        if let Turn::Streaming(warming) = std::mem::take(&mut self.turn) {
            self.drop_line();
            self.end(warming.ask.turn, Outcome::Cold);
        }
        self.advance(now);
    }
}
