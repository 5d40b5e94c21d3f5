//! The loop: what a chain asks for is done, and what happens is told to it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::HeaderValue;
use responses::chain::{
    Chain, Effect, Failure, Fault, Heard, LinkId, NotSteered, NotSubmitted, Notice, Outcome, Seat, Time, Transport,
    TurnId,
};
use responses::event::{Body, ServerEvent, Stage};
use responses::item::{Item, ItemKind, ItemView, Role};
use responses::json::Object;
use responses::request::Settings;
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::breaker::{Decision, State};
use crate::head::{Head, TURN_STATE};
use crate::link::{Link, Moved, Opened, Post, SocketId, Text, Ways, Word, Words};
use crate::rate_limits::RateLimits;
use crate::route::Choice;

/// How many words wait for a chain. Links wait when there are more.
const MAX_WORDS: usize = 16;

/// How long a loop sleeps when nothing has a deadline.
const A_WHILE: Duration = Duration::from_hours(1);

/// What a conversation tells those who watch.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// What became of it.
    Notice(Notice),
    /// What the server says while it says it: the text of an event. If the answer is dropped, so is this.
    Event(Text),
    /// Which ways it goes, and why. Told once, before all else.
    Chosen(Choice),
    /// What is known of sockets at this place, and what follows.
    Route(Decision),
    /// What the server said with an answer, before it.
    Head(Arc<Head>),
    /// What of the request the server has no way to be told. Told when it changes.
    LeftOut(Vec<Box<str>>),
    /// What is left of the limits, told in mid-stream.
    RateLimits(Box<RateLimits>),
}

/// A chain, and the links it has to its server.
#[derive(Debug)]
pub struct Drive {
    chain: Chain,
    ways: Arc<dyn Ways>,
    began: Instant,
    /// When the user last spoke.
    spoke: Instant,
    ear: Ear,
    opening: Option<LinkId>,
    line: Option<Held>,
    post: Option<Held>,
    /// The socket that was left last. There is no way back to it.
    left: Option<SocketId>,
    turn_state: Option<HeaderValue>,
    left_out: Vec<Box<str>>,
    /// What was last told of sockets at this place.
    route: Option<Decision>,
    /// How a request left last.
    sent: Transport,
    /// What came with the link over which was asked last.
    head: Arc<Head>,
    told: VecDeque<Told>,
}

/// What the loop waits for: words, and the time.
#[derive(Debug)]
struct Ear {
    words: mpsc::Sender<(LinkId, Word)>,
    heard: mpsc::Receiver<(LinkId, Word)>,
    /// Words that came together, until they are taken in.
    together: Vec<(LinkId, Word)>,
    /// Rings at the deadline, or before: it is not set anew for every word.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// A link in use.
#[derive(Debug)]
struct Held {
    name: LinkId,
    link: Box<dyn Link>,
    moved: Moved,
    head: Arc<Head>,
}

impl Drive {
    /// Drives a chain whose time began at `began`.
    pub(crate) fn new(chain: Chain, ways: Arc<dyn Ways>, began: Instant) -> Self {
        Self {
            chain,
            ways,
            began,
            spoke: began,
            ear: Ear::new(),
            opening: None,
            line: None,
            post: None,
            left: None,
            turn_state: None,
            left_out: Vec::new(),
            route: None,
            sent: Transport::Http,
            head: Arc::default(),
            told: VecDeque::new(),
        }
    }

    /// The chain, to look at.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Opens the line before it is needed, where a line is wanted.
    pub fn connect(&mut self) {
        self.remember_route();
        self.chain.connect(self.now());
        self.act();
    }

    /// Lets the server read what is there already.
    pub fn warm_up(&mut self, settings: &Arc<Settings>) -> Option<TurnId> {
        self.remember_route();
        let turn = self.chain.warm_up(self.now(), settings);
        self.act();
        turn
    }

    /// Says something to the model.
    pub fn submit(&mut self, items: Vec<Item>, settings: &Arc<Settings>) -> Result<TurnId, NotSubmitted> {
        self.remember_route();
        let speaks = items.iter().any(is_of_the_user);
        let state = self.turn_state.as_ref().filter(|_| !speaks).and_then(|state| state.to_str().ok());
        let stated = state.map(|state| Arc::new(settings.with_metadata(TURN_STATE.as_str(), state)));
        let turn = self.chain.submit(self.now(), items, stated.as_ref().unwrap_or(settings));
        if turn.is_ok() && speaks {
            // The user speaks: what the server wanted to hear again was about what the user said before.
            self.turn_state = None;
            self.spoke = Instant::now();
        }
        self.act();
        turn
    }

    /// Says something to the response that is running.
    pub fn steer(&mut self, items: Vec<Item>) -> Result<(), NotSteered> {
        let steered = self.chain.steer(items);
        self.act();
        steered
    }

    /// Stops the turn on its way, if there is one.
    pub fn cancel(&mut self) -> bool {
        let cancelled = self.chain.cancel(self.now());
        self.act();
        cancelled
    }

    /// Writes the conversation anew. Only between turns.
    pub fn rewrite(&mut self, items: Vec<Item>) -> Result<(), NotSubmitted> {
        self.chain.rewrite(items)
    }

    /// The next thing that is told. Nothing is lost if this is left before it is ready.
    pub async fn next(&mut self) -> Told {
        loop {
            if let Some(told) = self.next_ready() {
                return told;
            }
            self.step().await;
        }
    }

    /// The next thing that is told, if it is there already.
    pub(crate) fn next_ready(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    fn now(&self) -> Time {
        Time::at(self.began.elapsed())
    }

    /// The words of links that are there, or one deadline.
    async fn step(&mut self) {
        if let Some(name) = self.line.as_ref().filter(|line| line.link.is_gone()).map(|line| line.name) {
            // This loop was not driven for a while, and its place was given to somebody else.
            self.let_go(name);
            self.chain.handle_closed(self.now(), name, None);
            return self.act();
        }
        let deadline = self.chain.poll_deadline().map(|deadline| self.began + deadline.since_beginning());
        if self.ear.listen(deadline).await {
            self.wake();
            self.act();
        }
        let mut words = std::mem::take(&mut self.ear.together);
        for (link, word) in words.drain(..) {
            self.hear(link, word);
            self.act();
        }
        self.ear.together = words;
    }

    /// What other chains learned of sockets at this place since.
    fn remember_route(&mut self) {
        if self.line.is_some() || self.opening.is_some() || !self.chain.may_use_sockets() {
            return;
        }
        let decision = self.ways.ask();
        let known = self.route.as_ref();
        if known.is_some_and(|known| known.place != decision.place) {
            // What was found out elsewhere does not hold here.
            self.chain.try_sockets();
        } else if known.is_some_and(|known| known.state == State::Probing) && decision.state == State::Closed {
            // It is closed to others while this chain finds out.
            return;
        }
        match decision.state {
            State::Open => {}
            State::Closed => {
                let until = decision.until.unwrap_or_else(Instant::now);
                self.chain.avoid_sockets(Time::at(until.saturating_duration_since(self.began)));
            }
            // Whether it works again is found out beside HTTP.
            State::Probing => self.chain.avoid_sockets(self.now()),
        }
        let changed = known.is_none_or(|known| known.until != decision.until);
        if changed && decision.state != State::Open {
            self.told.push_back(Told::Route(decision.clone()));
        }
        self.route = Some(decision);
    }

    fn wake(&mut self) {
        if let Some(line) = &mut self.line {
            let moved = line.link.moved();
            if moved.is_progress_since(line.moved) {
                self.chain.handle_progress(line.name);
            }
            line.moved = moved;
        }
        self.chain.handle_deadline(self.now());
    }

    fn hear(&mut self, name: LinkId, word: Word) {
        let now = self.now();
        match word {
            Word::Open(opened) => self.opened(now, name, opened),
            Word::Text(text) => self.text(now, name, text),
            Word::Pong => self.chain.handle_pong(name),
            Word::Alive => self.chain.handle_progress(name),
            Word::Refused(error) => {
                self.let_go(name);
                self.chain.handle_refused(now, name, error);
            }
            Word::Unreachable(trouble) => {
                self.let_go(name);
                self.chain.handle_unreachable(now, name, trouble);
            }
            Word::Closed(code) => {
                self.let_go(name);
                self.chain.handle_closed(now, name, code);
            }
        }
    }

    fn opened(&mut self, now: Time, name: LinkId, opened: Opened) {
        let Opened { place, head, left_out } = opened;
        if left_out != self.left_out {
            self.left_out.clone_from(&left_out);
            self.told.push_back(Told::LeftOut(left_out));
        }
        let Some(place) = place else {
            if let Some(post) = self.post.as_mut().filter(|post| post.name == name) {
                post.head = Arc::clone(&head);
                self.head = Arc::clone(&head);
                self.keep_turn_state(head.turn_state.as_ref());
                self.told.push_back(Told::Head(head));
                self.chain.handle_open(now, name);
            }
            return;
        };
        if self.opening != Some(name) {
            // Given up meanwhile: the place is left by being dropped.
            return;
        }
        self.opening = None;
        if place.since >= self.spoke {
            self.keep_turn_state(head.turn_state.as_ref());
        }
        let since = Time::at(place.since.saturating_duration_since(self.began));
        let moved = place.link.moved();
        self.line = Some(Held { name, link: place.link, moved, head: Arc::clone(&head) });
        self.told.push_back(Told::Head(head));
        self.chain.handle_joined(now, name, Seat { lane: place.lane, since });
    }

    fn text(&mut self, now: Time, name: LinkId, text: Text) {
        let Ok(event) = ServerEvent::parse(&text) else {
            let _ = self.chain.handle_text(now, name, &text);
            return;
        };
        // What comes after the end of an answer over HTTP is of the turn before.
        let in_use = [&self.line, &self.post].into_iter().flatten().any(|held| held.name == name);
        if matches!(event.body, Body::Aside) && in_use {
            self.aside(&event);
        }
        let may_say_keys = matches!(event.body, Body::Error(_) | Body::Response(Stage::Failed, _));
        if self.chain.handle_event(now, name, &event) == Heard::Turn {
            drop(event);
            let clean = may_say_keys.then(|| self.ways.without_secrets(&text)).flatten();
            self.told.push_back(Told::Event(clean.map_or(text, Text::from)));
        }
    }

    /// What is of no consequence to the chain may be of some to us.
    fn aside(&mut self, event: &ServerEvent<'_>) {
        if let Some(limits) = RateLimits::from_event(event.text()) {
            self.told.push_back(Told::RateLimits(Box::new(limits)));
        }
        if event.kind == "response.metadata"
            && let Ok(object) = Object::parse(event.text())
            && let Some(headers) = object.get("headers").and_then(|text| Object::parse(text).ok())
            && let Ok(state) = headers.read::<Cow<'_, str>>("x-codex-turn-state")
            && let Ok(mut state) = HeaderValue::from_str(&state)
        {
            state.set_sensitive(true);
            self.keep_turn_state(Some(&state));
        }
    }

    /// The first one of a turn counts.
    fn keep_turn_state(&mut self, state: Option<&HeaderValue>) {
        if self.turn_state.is_none() {
            self.turn_state = state.cloned();
        }
    }

    /// Does what the chain asks for.
    fn act(&mut self) {
        while let Some(effect) = self.chain.poll_effect() {
            match effect {
                Effect::Open(name) => {
                    self.opening = Some(name);
                    self.ways.open(self.words(name), self.left);
                }
                Effect::Send(name, text) => {
                    if let Some(line) = self.line.as_mut().filter(|line| line.name == name) {
                        self.head = Arc::clone(&line.head);
                        line.link.send(text);
                    }
                }
                Effect::Post(name, body) => {
                    let post = Post { body, turn_state: self.turn_state.clone() };
                    let link = self.ways.post(self.words(name), post);
                    self.head = Arc::default();
                    self.post = Some(Held { name, link, moved: Moved::default(), head: Arc::default() });
                }
                Effect::Ping(name) => {
                    if let Some(line) = self.line.as_mut().filter(|line| line.name == name) {
                        line.link.ping();
                    }
                }
                Effect::Close(name) => self.let_go(name),
                Effect::Tell(notice) => self.tell(notice),
            }
        }
    }

    fn words(&self, name: LinkId) -> Words {
        Words::new(name, self.ear.words.clone())
    }

    fn let_go(&mut self, name: LinkId) {
        self.opening.take_if(|opening| *opening == name);
        self.post.take_if(|post| post.name == name);
        if let Some(line) = self.line.take_if(|line| line.name == name) {
            self.left = line.link.socket();
        }
    }

    fn tell(&mut self, mut notice: Notice) {
        if let Some(error) = error_in(&mut notice) {
            if error.request_id.is_none() {
                error.request_id.clone_from(&self.head.request_id);
            }
            if let Some(clean) = self.ways.without_secrets(&error.message) {
                error.message = clean.into();
            }
        }
        match &notice {
            Notice::WebSocketOff { until, fault } => {
                self.route.take_if(|known| known.state == State::Probing);
                match fault {
                    // A model that is silent says nothing about the way to it.
                    Fault::Silent => {}
                    Fault::Api(error) if error.says_no_websocket() => {
                        self.ways.refused(self.began + until.since_beginning(), &fault.to_string());
                    }
                    _ => self.ways.failed(&fault.to_string()),
                }
            }
            Notice::Sent { transport, .. } => self.sent = *transport,
            Notice::Ended { outcome: Outcome::Answered(_), .. } if self.sent == Transport::WebSocket => {
                self.route.take_if(|known| known.state == State::Probing);
                self.ways.worked();
            }
            _ => {}
        }
        if matches!(notice, Notice::Ended { .. }) {
            for held in [&mut self.line, &mut self.post].into_iter().flatten() {
                held.link.settled();
            }
            self.post = None;
        }
        self.told.push_back(Told::Notice(notice));
    }
}

impl Ear {
    fn new() -> Self {
        let (words, heard) = mpsc::channel(MAX_WORDS);
        Self { words, heard, together: Vec::new(), alarm: None }
    }

    /// Waits for words, or for a deadline, and gives whether that has come. Nothing is lost if this is left before it is
    /// ready.
    async fn listen(&mut self, deadline: Option<Instant>) -> bool {
        let wanted = || deadline.unwrap_or_else(|| Instant::now() + A_WHILE);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(wanted())));
        // One that rings too early is left alone: the deadline moves with every word.
        if alarm.is_elapsed() || deadline.is_some_and(|deadline| deadline < alarm.deadline()) {
            alarm.as_mut().reset(wanted());
        }
        tokio::select! {
            biased;
            () = alarm => deadline.is_some_and(|deadline| deadline <= Instant::now()),
            _ = self.heard.recv_many(&mut self.together, MAX_WORDS) => false,
        }
    }
}

/// Whether it is a person who speaks, and not a tool that answers.
fn is_of_the_user(item: &Item) -> bool {
    item.kind() == ItemKind::Message && matches!(item.view(), ItemView::Message(message) if message.role == Role::User)
}

/// The server's error that a notice is about.
fn error_in(notice: &mut Notice) -> Option<&mut responses::error::ApiError> {
    let fault = match notice {
        Notice::Dropped { fault, .. } | Notice::Waiting { fault, .. } | Notice::WebSocketOff { fault, .. } => fault,
        Notice::Ended { outcome, .. } => match outcome {
            Outcome::Failed(Failure::Refused(error) | Failure::NoWebSocket(error)) => return Some(error),
            Outcome::Failed(Failure::GaveUp(fault)) | Outcome::CallsFirst(fault) => fault,
            _ => return None,
        },
        _ => return None,
    };
    match fault {
        Fault::Api(error) => Some(error),
        _ => None,
    }
}
