//! One line, or one request: what is on its way in each direction, and the server's end of it.

use std::collections::{BTreeMap, VecDeque};

use responses::chain::{
    Connection, ConnectionEffect, ConnectionLimits, LinkId, Powers, RunEvent, RunId, RunRequest, Seat, Time, Trouble,
    TroubleKind,
};
use responses::error::ApiError;
use responses::item::Item;
use responses::request::{Input, Request};

use super::Pair;
use super::model::Generation;

/// What is on its way to the client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ToClient {
    Open,
    Refused(Box<ApiError>),
    Unreachable,
    Text(String),
    Pong,
    Closed(Option<u16>),
}

/// One line or one request.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one way in which a line can be spoilt")]
pub(crate) struct Pipe {
    /// The server's end; none for a request over HTTP.
    connection: Option<Connection>,
    to_server: VecDeque<(String, Vec<String>)>,
    pub(crate) to_client: VecDeque<ToClient>,
    runs: BTreeMap<RunId, Generation>,
    pub(crate) open_at_client: bool,
    pub(crate) closed_at_client: bool,
    /// Nothing arrives any more, in either direction, and nobody is told.
    pub(crate) half_open: bool,
    /// Pings are swallowed on the way.
    pub(crate) swallows_pings: bool,
    gone: bool,
}

impl Pipe {
    fn new(connection: Option<Connection>) -> Self {
        Self {
            connection,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            runs: BTreeMap::new(),
            open_at_client: false,
            closed_at_client: false,
            half_open: false,
            swallows_pings: false,
            gone: false,
        }
    }

    pub(crate) fn line(now: Time, limits: ConnectionLimits, powers: Powers) -> Self {
        Self::new(Some(Connection::new(now, limits, powers)))
    }

    pub(crate) fn post(body: String, transcript: Vec<String>) -> Self {
        let mut pipe = Self::new(None);
        pipe.open_at_client = true;
        pipe.to_server.push_back((body, transcript));
        pipe
    }

    pub(crate) fn is_line(&self) -> bool {
        self.connection.is_some()
    }

    pub(crate) fn is_live_line(&self) -> bool {
        self.is_line() && self.open_at_client && !self.gone
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.runs.values().any(|run| !run.ended)
    }

    pub(crate) fn send(&mut self, text: String, transcript: Vec<String>) {
        if !self.half_open && !self.gone {
            self.to_server.push_back((text, transcript));
        }
    }

    pub(crate) fn answers(&self) -> bool {
        !self.half_open && !self.gone && !self.swallows_pings
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        if self.gone { None } else { self.connection.as_ref()?.poll_deadline() }
    }

    /// The server's end goes away.
    pub(crate) fn cut_server(&mut self) {
        self.gone = true;
        self.to_server.clear();
        self.runs.clear();
        if let Some(connection) = &mut self.connection {
            connection.handle_closed();
        }
    }
}

impl Pair {
    /// The server begins and ends here what it has to; pongs come back by themselves.
    fn serve(&mut self, link: LinkId) {
        loop {
            let Some(pipe) = self.pipes.get_mut(&link) else { return };
            let Some(effect) = pipe.connection.as_mut().and_then(Connection::poll_effect) else { return };
            match effect {
                ConnectionEffect::Send(text) => {
                    if text.contains("previous_response_not_found") {
                        self.ledger.not_found += 1;
                    }
                    if !pipe.half_open && !pipe.gone {
                        pipe.to_client.push_back(ToClient::Text(text));
                    }
                }
                ConnectionEffect::Recall(run, id) => {
                    let stored = self.settings.store().then(|| self.ledger.generations.get(id.as_str())).flatten();
                    let found = stored.map(|texts| texts.iter().filter_map(|text| Item::parse(text).ok()).collect());
                    if let Some(connection) = &mut pipe.connection {
                        connection.handle_recalled(run, found);
                    }
                }
                ConnectionEffect::Begin(run, request) => self.begin(link, run, &request),
                ConnectionEffect::EndEarly(run) => {
                    if let Some(run) = pipe.runs.get_mut(&run) {
                        run.stop("steered");
                    }
                }
                ConnectionEffect::Interrupt(run) => {
                    if let Some(run) = pipe.runs.get_mut(&run) {
                        run.stop("interrupted");
                    }
                }
                ConnectionEffect::Inject(..)
                | ConnectionEffect::Unwatched(_)
                | ConnectionEffect::Cancel(_)
                | ConnectionEffect::Rejoin(..) => {}
                ConnectionEffect::Ping => {
                    if !pipe.half_open
                        && let Some(connection) = &mut pipe.connection
                    {
                        connection.handle_pong();
                    }
                }
                ConnectionEffect::Close(why) => {
                    if !pipe.half_open {
                        pipe.to_client.push_back(ToClient::Closed(Some(why.code())));
                    }
                    pipe.cut_server();
                }
            }
        }
    }

    fn begin(&mut self, link: LinkId, run: RunId, request: &RunRequest) {
        let context = request.context.to_vec();
        check_answered(&context);
        let previous = request.previous.as_ref().map(ToString::to_string);
        let generation = self.model.begin(&context, request.request.generate(), previous);
        self.ledger.begun += 1;
        if let Some(pipe) = self.pipes.get_mut(&link) {
            assert!(!pipe.is_busy(), "two requests in flight on one chain");
            pipe.runs.insert(run, generation);
        }
    }

    /// One message arrives at the server.
    pub(crate) fn deliver_to_server(&mut self) -> bool {
        let waiting = |pipe: &Pipe| !pipe.to_server.is_empty() && !pipe.gone;
        let Some(link) = self.pipes.iter().find(|(_, pipe)| waiting(pipe)).map(|(link, _)| *link) else { return false };
        let Some(pipe) = self.pipes.get_mut(&link) else { return false };
        let Some((text, transcript)) = pipe.to_server.pop_front() else { return false };
        if let Some(connection) = &mut pipe.connection {
            let is_create = text.contains(r#""type":"response.create""#);
            connection.handle_frame(self.now, &text);
            let runs: Vec<RunId> = pipe.runs.keys().copied().collect();
            self.serve(link);
            if is_create {
                self.check_context(link, &runs, &transcript);
            }
        } else {
            self.post(link, &text, &transcript);
        }
        true
    }

    /// The model must see exactly what the transcript was when the request left.
    fn check_context(&self, link: LinkId, before: &[RunId], transcript: &[String]) {
        let Some(pipe) = self.pipes.get(&link) else { return };
        for (_, generation) in pipe.runs.iter().filter(|(run, _)| !before.contains(run)) {
            let (seen, said) = (self.that_counts(&generation.context), self.that_counts(transcript));
            assert_eq!(seen, said, "the model sees something else than the transcript");
        }
    }

    fn post(&mut self, link: LinkId, body: &str, transcript: &[String]) {
        let mut request = Request::parse(body).expect("a body that cannot be read");
        assert!(request.stream(), "a request over HTTP asks for events");
        let previous = request.previous_response_id().map(|id| id.to_string());
        let mut context: Vec<Item> = Vec::new();
        if let Some(previous) = &previous {
            let stored = self.ledger.generations.get(previous).expect("goes on from a response that is not stored");
            context.extend(stored.iter().map(|text| Item::parse(text).expect("stored items can be read")));
        }
        context.extend(request.input.take().map(Input::into_items).unwrap_or_default());
        check_answered(&context);
        let generation = self.model.begin(&context, true, previous);
        let (seen, said) = (self.that_counts(&generation.context), self.that_counts(transcript));
        assert_eq!(seen, said, "the model sees something else than the transcript");
        self.ledger.begun += 1;
        if let Some(pipe) = self.pipes.get_mut(&link) {
            pipe.to_client.push_back(ToClient::Open);
            pipe.runs.insert(RunId(0), generation);
        }
    }

    /// The model says one more thing.
    pub(crate) fn produce(&mut self) -> bool {
        for link in self.pipes.keys().copied().collect::<Vec<_>>() {
            let Some(pipe) = self.pipes.get_mut(&link).filter(|pipe| !pipe.gone) else { continue };
            let next = pipe.runs.iter_mut().find_map(|(run, generation)| Some((*run, generation.next()?)));
            let Some((run, text)) = next else { continue };
            let Some(generation) = pipe.runs.get(&run).cloned() else { continue };
            if generation.ended {
                self.ledger.generations.insert(generation.id.clone(), generation.full());
                pipe.runs.remove(&run);
            }
            if let Some(connection) = &mut pipe.connection {
                connection.handle_run(run, RunEvent::Event(&text));
                self.serve(link);
            } else {
                pipe.to_client.push_back(ToClient::Text(text));
                if generation.ended {
                    pipe.to_client.push_back(ToClient::Closed(None));
                }
            }
            return true;
        }
        false
    }

    /// One thing arrives at the client.
    pub(crate) fn deliver_to_client(&mut self) -> bool {
        let waiting = |pipe: &Pipe| !pipe.to_client.is_empty() && !pipe.closed_at_client;
        let Some(link) = self.pipes.iter().find(|(_, pipe)| waiting(pipe)).map(|(link, _)| *link) else { return false };
        let Some(pipe) = self.pipes.get_mut(&link) else { return false };
        let Some(message) = pipe.to_client.pop_front() else { return false };
        match message {
            ToClient::Open => {
                pipe.open_at_client = true;
                let seat = Seat { lane: self.lane.clone(), since: self.now };
                self.chain.handle_joined(self.now, link, seat);
            }
            ToClient::Refused(error) => {
                pipe.closed_at_client = true;
                self.chain.handle_refused(self.now, link, *error);
            }
            ToClient::Unreachable => {
                pipe.closed_at_client = true;
                self.chain.handle_unreachable(self.now, link, Trouble::new(TroubleKind::Connect, ""));
            }
            ToClient::Text(text) => {
                if self.chain.handle_text(self.now, link, &text) == responses::chain::Heard::Turn {
                    self.heard_text.push(text);
                }
            }
            ToClient::Pong => self.chain.handle_pong(link),
            ToClient::Closed(code) => {
                pipe.closed_at_client = true;
                pipe.open_at_client = false;
                self.chain.handle_closed(self.now, link, code);
            }
        }
        self.drain();
        true
    }

    pub(crate) fn wake_server(&mut self, link: LinkId) {
        let Some(pipe) = self.pipes.get_mut(&link).filter(|pipe| !pipe.gone) else { return };
        if let Some(connection) = &mut pipe.connection
            && connection.poll_deadline().is_some_and(|due| due <= self.now)
        {
            connection.handle_deadline(self.now);
            let next = connection.poll_deadline();
            assert!(next.is_none_or(|next| next > self.now), "a deadline that passing does not end");
            self.serve(link);
        }
    }

    pub(super) fn live_line(&mut self) -> Option<(LinkId, &mut Pipe)> {
        self.pipes.iter_mut().find(|(_, pipe)| pipe.is_live_line()).map(|(link, pipe)| (*link, pipe))
    }

    pub(super) fn live_pipes(&mut self) -> impl Iterator<Item = &mut Pipe> {
        self.pipes.values_mut().filter(|pipe| pipe.open_at_client && !pipe.gone)
    }

    /// The server forgets everything it has in memory for the line, if nothing runs on it.
    pub(crate) fn forget(&mut self) -> bool {
        let (now, limits, powers) = (self.now, self.limits.clone(), self.powers);
        let Some((_, pipe)) = self.live_line().filter(|(_, pipe)| !pipe.is_busy()) else { return false };
        pipe.connection = Some(Connection::new(now, limits, powers));
        self.ledger.allowed_not_found += 1;
        true
    }

    /// What was sent and has not arrived never does.
    pub(crate) fn lose_what_is_on_its_way_to_the_server(&mut self) {
        self.pipes.values_mut().for_each(|pipe| pipe.to_server.clear());
    }

    /// This message comes over this link.
    pub(crate) fn hear_over(&mut self, link: LinkId, text: &str) -> responses::chain::Heard {
        let heard = self.chain.handle_text(self.now, link, text);
        self.drain();
        heard
    }

    /// This link closes, whatever it was doing.
    pub(crate) fn close_over(&mut self, link: LinkId) {
        self.chain.handle_closed(self.now, link, None);
        self.drain();
    }

    /// The request over HTTP is answered with an error, and never reaches the model.
    pub(crate) fn refuse_post(&mut self, link: LinkId, error: ApiError) {
        self.lose_what_is_on_its_way_to_the_server();
        self.chain.handle_refused(self.now, link, error);
        self.drain();
    }

    /// How many messages are on their way to the client.
    pub(crate) fn on_its_way(&self) -> usize {
        self.pipes.values().map(|pipe| pipe.to_client.len()).sum()
    }

    /// The server wants to go away.
    pub(crate) fn drain_server(&mut self) -> bool {
        let now = self.now;
        let Some((link, pipe)) = self.live_line() else { return false };
        if let Some(connection) = &mut pipe.connection {
            connection.drain(now);
        }
        self.serve(link);
        true
    }
}

/// The service refuses a conversation in which a call has no answer: a client that sends one could have known.
fn check_answered(context: &[Item]) {
    let answered: Vec<_> = context.iter().filter_map(Item::answers).collect();
    for call in context.iter().filter_map(Item::call) {
        assert!(answered.contains(&call), "sent a conversation in which {call} has no answer");
    }
}
