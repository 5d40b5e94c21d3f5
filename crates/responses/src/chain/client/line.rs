//! The socket: down, opening, up; its age; its pulse.

use std::time::Duration;

use super::super::anchor::Scope;
use super::super::link::{LinkId, Transport};
use super::super::liveness::{Liveness, Pings, Pulse};
use super::super::notice::{Effect, Failure, Fault, Notice, Outcome, Trouble, TroubleKind};
use super::super::retry::Class;
use super::super::route::Mode;
use super::super::time::{Time, earliest};
use super::super::turn::{Purpose, Turn};
use super::Chain;
use crate::error::{ApiError, Remedy};
use crate::id::LaneId;

/// The socket of a chain.
#[derive(Debug, Clone)]
pub(super) enum Line {
    Down,
    Opening { link: LinkId, since: Time },
    Up(Up),
}

#[derive(Debug, Clone)]
pub(super) struct Up {
    pub(super) link: LinkId,
    lane: Option<LaneId>,
    since: Time,
    liveness: Liveness,
    used: bool,
}

/// A place on a socket that may have others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The lane; none is the default lane.
    pub lane: Option<LaneId>,
    /// When the socket was opened.
    pub since: Time,
}

impl Line {
    pub(super) fn link(&self) -> Option<LinkId> {
        match self {
            Self::Down => None,
            Self::Opening { link, .. } => Some(*link),
            Self::Up(up) => Some(up.link),
        }
    }

    pub(super) fn lane(&self) -> Option<&LaneId> {
        match self {
            Self::Up(up) => up.lane.as_ref(),
            Self::Down | Self::Opening { .. } => None,
        }
    }
}

impl Chain {
    pub(super) fn open_line(&mut self, now: Time) {
        let link = self.new_link();
        self.line = Line::Opening { link, since: now };
        self.effects.push_back(Effect::Open(link));
    }

    /// The line is gone, and with it what the server kept in its memory.
    pub(super) fn line_gone(&mut self) {
        self.line = Line::Down;
        if self.anchor.as_ref().is_some_and(|anchor| anchor.scope != Scope::Server) {
            self.anchor = None;
        }
    }

    pub(super) fn drop_line(&mut self) {
        if let Some(link) = self.line.link() {
            self.effects.push_back(Effect::Close(link));
        }
        self.line_gone();
    }

    /// A line near its age limit is replaced between turns, before the server ends it in the middle of one.
    pub(super) fn rotate_if_old(&mut self, now: Time) {
        let Line::Up(up) = &self.line else { return };
        if now.since(up.since) < self.config.peer.rotate_at() {
            return;
        }
        let used = up.used;
        self.drop_line();
        if used {
            self.open_line(now);
        }
    }

    fn is_opening(&self, link: LinkId) -> bool {
        matches!(self.line, Line::Opening { link: opening, .. } if opening == link)
    }

    pub(super) fn is_up(&self, link: LinkId) -> bool {
        matches!(&self.line, Line::Up(up) if up.link == link)
    }

    /// The socket is open, or the request was accepted.
    pub fn handle_open(&mut self, now: Time, link: LinkId) {
        self.handle_joined(now, link, Seat { lane: None, since: now });
    }

    /// The socket is open, and may have been for a while, with other chains on it.
    pub fn handle_joined(&mut self, now: Time, link: LinkId, seat: Seat) {
        if let Turn::Streaming(streaming) = &mut self.turn
            && streaming.link == link
        {
            streaming.heard = now;
        }
        if !self.is_opening(link) {
            return;
        }
        let liveness = Liveness::new(now, self.config.limits.beat);
        self.line = Line::Up(Up { link, lane: seat.lane, since: seat.since, liveness, used: false });
        if self.route.closed_until().is_some() {
            self.route.opened();
            self.tell(Notice::WebSocketOn);
        }
        self.advance(now);
    }

    /// The server, or something before it, answered with an error instead of opening.
    pub fn handle_refused(&mut self, now: Time, link: LinkId, error: ApiError) {
        self.not_opened(now, link, Fault::Api(Box::new(error)));
    }

    /// Nothing answered.
    pub fn handle_unreachable(&mut self, now: Time, link: LinkId, trouble: Trouble) {
        self.not_opened(now, link, Fault::Unreachable(trouble));
    }

    fn not_opened(&mut self, now: Time, link: LinkId, fault: Fault) {
        if self.is_opening(link) {
            self.line_gone();
            self.without_line(now, fault);
            self.advance(now);
        } else {
            self.stream_fell(now, link, fault);
        }
    }

    /// The other end closed, or the line broke. For a request over HTTP: its answer ended.
    pub fn handle_closed(&mut self, now: Time, link: LinkId, code: Option<u16>) {
        const TOO_LARGE: u16 = 1009;
        let fault = if code == Some(TOO_LARGE) { Fault::TooLarge } else { Fault::Closed(code) };
        match &self.line {
            Line::Opening { link: opening, .. } if *opening == link => return self.not_opened(now, link, fault),
            Line::Up(up) if up.link == link => self.line_gone(),
            _ => {}
        }
        self.stream_fell(now, link, fault);
    }

    /// A pong came: this peer answers pings, whatever was thought of it.
    pub fn handle_pong(&mut self, link: LinkId) {
        if let Line::Up(up) = &mut self.line
            && up.link == link
        {
            up.liveness.answered();
            self.pings = Pings::Trusted;
        }
    }

    /// Bytes moved over a link, in either direction. A large message on a slow line takes longer than a pong may. Over
    /// HTTP, where there are no pings, a server that sends bytes which say nothing says that it is there.
    pub fn handle_progress(&mut self, link: LinkId) {
        if let Turn::Streaming(streaming) = &mut self.turn
            && streaming.transport == Transport::Http
            && streaming.link == link
        {
            streaming.kept_alive = true;
        }
        if let Line::Up(up) = &mut self.line
            && up.link == link
        {
            up.liveness.moved();
        }
    }

    /// A word came over a link.
    pub(super) fn line_spoke(&mut self, now: Time, link: LinkId) {
        if let Line::Up(up) = &mut self.line
            && up.link == link
        {
            up.used = true;
            self.pings = up.liveness.word(now, self.pings);
        }
    }

    pub(super) fn line_deadline(&self) -> Option<Time> {
        match &self.line {
            Line::Down => None,
            Line::Opening { since, .. } => {
                let answers = matches!(&self.turn, Turn::Queued(ask) if ask.purpose == Purpose::Answer);
                let racing = answers && self.config.mode == Mode::Auto;
                let race = since.after(self.config.limits.race);
                let connect = since.after(self.config.limits.connect);
                earliest([Some(connect), racing.then_some(race)])
            }
            Line::Up(up) => {
                let rotate = up.since.after(self.config.peer.rotate_at());
                earliest([up.liveness.deadline(), self.is_idle().then_some(rotate)])
            }
        }
    }

    pub(super) fn wake_line(&mut self, now: Time) {
        match &mut self.line {
            Line::Opening { link, since } if now >= since.after(self.config.limits.connect) => {
                let link = *link;
                self.effects.push_back(Effect::Close(link));
                self.not_opened(now, link, Fault::Unreachable(Trouble::new(TroubleKind::Timeout, "")));
            }
            Line::Up(up) => {
                let link = up.link;
                match up.liveness.tick(now, self.config.limits.beat, self.pings) {
                    Pulse::Nothing => {}
                    Pulse::Ping => self.effects.push_back(Effect::Ping(link)),
                    Pulse::Dead => {
                        self.drop_line();
                        self.stream_fell(now, link, Fault::Dead);
                    }
                }
            }
            Line::Down | Line::Opening { .. } => {}
        }
    }

    /// The line did not open. A turn that waits for it goes over HTTP, waits, or fails, by the reason.
    fn without_line(&mut self, now: Time, fault: Fault) {
        let Fault::Api(error) = &fault else {
            self.leave_sockets_alone(now, &fault);
            return self.unless_auto(now, Class::Reach, fault);
        };
        let remedy = error.meaning().remedy;
        if error.says_no_websocket() {
            let error = error.clone();
            self.route.refused(now);
            self.tell_websocket_off(&fault);
            if self.config.mode == Mode::WebSocket {
                self.fail_waiting(Failure::NoWebSocket(error));
            }
        } else if remedy == Remedy::Credentials {
            let error = error.clone();
            self.fail_waiting(Failure::Refused(error));
        } else if (remedy == Remedy::Wait || error.status == Some(503)) && self.waits_for(error) {
            let told = error.wait;
            self.wait_for_line(now, Class::Limit, told, fault);
        } else {
            self.leave_sockets_alone(now, &fault);
            self.unless_auto(now, Class::Server, fault);
        }
    }

    /// Whether a line that is not to be had now is waited for. If nobody says for how long, HTTP may be better off.
    fn waits_for(&self, error: &ApiError) -> bool {
        error.wait.is_some() || self.config.mode != Mode::Auto
    }

    /// In `auto`, a turn that waited for the line goes over HTTP by itself; else it waits and tries again.
    fn unless_auto(&mut self, now: Time, class: Class, fault: Fault) {
        if self.config.mode != Mode::Auto {
            self.wait_for_line(now, class, None, fault);
        }
    }

    fn wait_for_line(&mut self, now: Time, class: Class, told: Option<Duration>, fault: Fault) {
        match std::mem::take(&mut self.turn) {
            Turn::Queued(ask) => self.again(now, ask, class, told, fault),
            other => self.turn = other,
        }
    }

    fn fail_waiting(&mut self, failure: Failure) {
        match std::mem::take(&mut self.turn) {
            Turn::Queued(ask) => self.end(ask.turn, Outcome::Failed(failure)),
            other => self.turn = other,
        }
    }

    pub(super) fn leave_sockets_alone(&mut self, now: Time, fault: &Fault) {
        self.route.failed(now);
        self.tell_websocket_off(fault);
    }

    fn tell_websocket_off(&mut self, fault: &Fault) {
        if let (Some(until), Mode::Auto) = (self.route.closed_until(), self.config.mode) {
            self.tell(Notice::WebSocketOff { until, fault: fault.clone() });
        }
    }
}
