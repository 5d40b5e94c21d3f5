//! One response of a server: a turn of a chain that the gateway has with it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use responses::chain::{Budget, Config, NotSubmitted, RetryPolicy};
use responses::error::ApiError;
use responses::id::ResponseId;
use responses::item::Item;
use responses::json::{Json, Object};
use responses::request::{Delivery, Request, Settings};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use transport::{Drive, ModelClient, Options};

use super::parking::{Parking, Ticket};
use super::telling::{Telling, Then};
use super::{Ask, Said, blame};

/// How often a backend is asked again, and how long it is waited for: little, because there may be another one, and the
/// client has a patience of its own.
const TRIES: u32 = 2;
const TRIES_TO_REACH: u32 = 1;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(2);

/// How much is heard ahead of those who watch. A line that nobody listens to is lost within a second, because others may
/// share it; a client may take longer.
const MAX_AHEAD: usize = 4 << 20;

/// A response of a server, in the making. Dropping it stops it there.
#[derive(Debug)]
pub struct Upstream {
    state: State,
    telling: Telling,
    /// What was heard and not yet asked for.
    ahead: VecDeque<Said>,
    bytes_ahead: usize,
    steers: bool,
    parking: Arc<Parking>,
    backend: Arc<str>,
    model: Box<str>,
}

#[derive(Debug)]
enum State {
    Starting(Box<Start>),
    Driving(Box<Drive>),
    /// The last event was said.
    Said(Box<Drive>),
    Over,
}

/// What is needed to begin.
#[derive(Debug)]
struct Start {
    /// A line that waited for the chain to go on, on its way to us.
    taken: Option<oneshot::Receiver<Box<Drive>>>,
    client: ModelClient,
    config: Config,
    /// What is asked for, besides the items.
    settings: Arc<Settings>,
    old: Vec<Item>,
    new: Vec<Item>,
}

impl Upstream {
    /// Asks. Where a line waits for this chain to go on, only what is new is sent.
    pub(super) fn begin(client: &ModelClient, backend: &Arc<str>, parking: &Arc<Parking>, ask: Ask) -> Self {
        let Ask { model, request, previous, items: mut old, new_items } = ask;
        let settings = settings(client, &request, &model, old.first());
        let new = old.split_off(old.len().saturating_sub(new_items));
        let single = previous.is_none() && request.tools().is_empty();
        let options = Options { effort: effort(&request), single, ..Options::default() };
        let config = Config { retry: retry_policy(client), ..client.chain_config(&options) };
        let ticket = previous.map(|response| Ticket { backend: Arc::clone(backend), model: model.clone(), response });
        let taken = ticket.and_then(|ticket| parking.take(&ticket));
        Self {
            state: State::Starting(Box::new(Start { taken, client: client.clone(), config, settings, old, new })),
            telling: Telling::of(backend),
            ahead: VecDeque::new(),
            bytes_ahead: 0,
            steers: client.provider().can.steers,
            parking: Arc::clone(parking),
            backend: Arc::clone(backend),
            model,
        }
    }

    /// What it says next. Nothing is lost if this is left before it is ready.
    pub async fn next(&mut self) -> Said {
        let Some(said) = self.ahead.pop_front() else { return self.hear().await };
        self.bytes_ahead -= bytes(&said);
        said
    }

    /// Listens while nobody has room for what is said, up to a limit. Never ready.
    pub async fn keep_up(&mut self) -> Infallible {
        while !self.is_heard() && !self.is_full() {
            let said = self.hear().await;
            self.bytes_ahead += bytes(&said);
            self.ahead.push_back(said);
        }
        pending().await
    }

    /// Whether there is nothing more to hear.
    pub(super) fn is_heard(&self) -> bool {
        matches!(self.state, State::Said(_) | State::Over)
    }

    /// Whether enough was heard ahead.
    pub(super) fn is_full(&self) -> bool {
        self.bytes_ahead >= MAX_AHEAD
    }

    async fn hear(&mut self) -> Said {
        loop {
            match &mut self.state {
                State::Starting(start) => {
                    let taken = match &mut start.taken {
                        Some(taken) => taken.await.ok(),
                        None => None,
                    };
                    let State::Starting(start) = std::mem::replace(&mut self.state, State::Over) else { continue };
                    match start.submit(taken) {
                        Ok(drive) => self.state = State::Driving(drive),
                        Err(error) => return Said::Failed(Box::new(error)),
                    }
                }
                State::Driving(drive) => {
                    let told = drive.next().await;
                    match self.telling.hear(told) {
                        Then::Listen => {}
                        Then::Say(text) => return Said::Event(text),
                        Then::End(text) => {
                            if let State::Driving(drive) = std::mem::replace(&mut self.state, State::Over) {
                                self.state = State::Said(drive);
                            }
                            return Said::Event(text);
                        }
                        Then::Steered => {
                            self.state = State::Over;
                            return Said::Steered;
                        }
                        Then::Fail(error) => {
                            self.state = State::Over;
                            return Said::Failed(Box::new(error));
                        }
                    }
                }
                State::Said(_) | State::Over => return Said::Ended,
            }
        }
    }

    /// Stops it soon: what is whole by then is all there is. False if this server is not to be steered.
    pub fn end_early(&mut self) -> bool {
        let State::Driving(drive) = &mut self.state else { return false };
        if !self.steers {
            return false;
        }
        self.telling.steer();
        drive.cancel()
    }

    /// It ended well, and is known by this id from now on: where that pays, its line waits for the chain to go on.
    pub fn park(self, id: &ResponseId) {
        let State::Said(drive) = self.state else { return };
        if drive.chain().is_idle() && drive.chain().anchor().is_some() {
            self.parking.park(Ticket { backend: self.backend, model: self.model, response: id.clone() }, drive);
        }
    }
}

fn bytes(said: &Said) -> usize {
    if let Said::Event(text) = said { text.len() } else { 0 }
}

impl Start {
    /// Says what is new, over the line that waited if it has heard all the rest.
    fn submit(self, taken: Option<Box<Drive>>) -> Result<Box<Drive>, ApiError> {
        let Self { client, config, settings, old, new, .. } = self;
        let fits = |drive: &Drive| drive.chain().is_idle() && drive.chain().transcript().items() == old;
        let mut drive = match taken {
            Some(drive) if fits(&drive) => drive,
            taken => {
                if taken.is_some() {
                    tracing::debug!(provider = &*client.provider().id, "a line that waited has heard something else");
                }
                Box::new(client.drive(config, old))
            }
        };
        match drive.submit(new, &settings) {
            Ok(_) => Ok(drive),
            Err(NotSubmitted::Unanswered(calls, _)) => {
                let call = calls.first().map_or("", |call| call.as_str());
                let message = format!("no output for the call {call}: the input must answer each call of the model");
                Err(ApiError::report(400, None, Some("input"), message))
            }
            Err(NotSubmitted::Busy(..)) => Err(blame::broke_off(&client.provider().id)),
        }
    }
}

/// The request as this backend is to have it: how the answer travels is our own business, compaction is the gateway's, and
/// what the client says of itself goes no further.
fn settings(client: &ModelClient, request: &Request, model: &str, first: Option<&Item>) -> Arc<Settings> {
    let mut request = Request { input: None, previous_response_id: None, ..request.clone() };
    request.model = Some(Json::of(&model.to_owned()));
    request.delivery = Delivery::default();
    request.prompt.context_management = None;
    request.service.client_metadata = None;
    keep_thoughts(&mut request);
    client.settings(request, &session(first))
}

/// A server that stores nothing knows its thoughts again only if they are sent back sealed. Whoever goes on from a response
/// relies on us for that, and need not have asked for it.
fn keep_thoughts(request: &mut Request) {
    const SEALED: &str = "reasoning.encrypted_content";
    let thinks = request.prompt.reasoning.as_ref().is_some_and(|reasoning| !reasoning.is_null());
    let include = request.prompt.include.as_ref().filter(|include| !include.is_null());
    let Ok(mut include) = include.map_or(Ok(Vec::new()), Json::read::<Vec<Box<str>>>) else { return };
    if thinks && !request.store() && !include.iter().any(|part| **part == *SEALED) {
        include.push(SEALED.into());
        request.prompt.include = Some(Json::of(&include));
    }
}

/// The same for all turns of a chain, and for all its forks: they share what is read first.
fn session(first: Option<&Item>) -> String {
    const LETTERS: usize = 32;
    let digest = Sha256::digest(first.map_or("", Item::text));
    let mut name = HEXLOWER.encode(&digest);
    name.truncate(LETTERS);
    name
}

fn effort(request: &Request) -> Option<Box<str>> {
    let reasoning = request.prompt.reasoning.as_ref()?;
    Object::parse(reasoning.text()).ok()?.read::<Option<Box<str>>>("effort").ok()?
}

/// What the settings of a provider say about its patience is kept to.
fn retry_policy(client: &ModelClient) -> RetryPolicy {
    let patience = &client.provider().patience;
    let budget = |tries| Budget { tries, first: FIRST_PAUSE, longest: LONGEST_PAUSE };
    let usual = RetryPolicy::default();
    RetryPolicy {
        line: budget(patience.stream_retries.unwrap_or(TRIES)),
        sockets: TRIES,
        silence: Budget { tries: 0, ..usual.silence },
        server: budget(patience.request_retries.unwrap_or(TRIES_TO_REACH)),
        waiting: budget(TRIES_TO_REACH),
        patience: PATIENCE,
        resumptions: 0,
        ..usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_come_sealed_where_they_are_stored_nowhere() {
        let sealed = r#"["reasoning.encrypted_content"]"#;
        for (request, include) in [
            (r#"{"store":false,"reasoning":{"effort":"low"}}"#, Some(sealed)),
            (r#"{"store":false,"reasoning":{},"include":null}"#, Some(sealed)),
            (r#"{"store":false,"reasoning":{},"include":["reasoning.encrypted_content"]}"#, Some(sealed)),
            (r#"{"store":false,"reasoning":{},"include":["x"]}"#, Some(r#"["x","reasoning.encrypted_content"]"#)),
            (r#"{"store":false,"reasoning":{},"include":7}"#, Some("7")),
            (r#"{"store":false,"reasoning":null}"#, None),
            (r#"{"store":false}"#, None),
            (r#"{"reasoning":{}}"#, None),
        ] {
            let mut request = Request::parse(request).unwrap();
            keep_thoughts(&mut request);
            assert_eq!(request.prompt.include.as_ref().map(Json::text), include, "{request:?}");
        }
    }

    #[test]
    fn how_hard_it_is_to_think_is_found_where_it_is_said() {
        for (request, expected) in [
            (r#"{"reasoning":{"effort":"high"}}"#, Some("high")),
            (r#"{"reasoning":{"effort":null}}"#, None),
            (r#"{"reasoning":7}"#, None),
            ("{}", None),
        ] {
            assert_eq!(effort(&Request::parse(request).unwrap()).as_deref(), expected, "{request}");
        }
    }

    #[test]
    fn a_chain_is_known_by_what_was_said_first() {
        let session = |text: &str| session(Some(&Item::user(text)));
        assert_eq!(session("a"), session("a"));
        assert_ne!(session("a"), session("b"));
        assert_eq!(session("a").len(), 32);
    }
}
