//! What all requests share: who may ask, who answers, and what is remembered.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use data_encoding::HEXLOWER;
use hyper::header::ORIGIN;
use hyper::{HeaderMap, Uri};
use responses::chain::{ConnectionLimits, Context, RunRequest};
use responses::error::ApiError;
use responses::event::Stage;
use responses::fold::Response;
use responses::id::ResponseId;
use responses::item::Item;
use responses::json::{Json, Object, ObjectWriter, Write};
use responses::request::Request;
use responses::usage::Usage;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admit::{Admission, AdmitLimits, Ticket};
use crate::backend::{Backends, Candidate, Health, Offered};
use crate::catalogue;
use crate::check::check;
use crate::compaction::estimate_tokens;
use crate::http::front::Endpoint;
use crate::keys::{Holder, KeyRing};
use crate::metrics::Metrics;
use crate::owner::Owner;
use crate::response::log::{Event, Heard, Live, Order};
use crate::response::run::{self, Making};
use crate::response::runs::{Idempotency, Replay, Runs};
use crate::response::settled::{Settled, past_is_stored};
use crate::seal::Seal;
use crate::settings::{Limits, Settings};
use crate::store::{Keeper, Kept, StoreError};

/// How much of what has ended is kept in memory, for those who come back to hear it.
const REPLAY_BYTES: usize = 256 << 20;

/// How long a response waits for its turn before it is refused after all.
const QUEUE_PATIENCE: Duration = Duration::from_mins(5);

/// A queue is full when so many keys have all of theirs in it: one alone cannot fill it.
const KEYS_IN_A_FULL_QUEUE: usize = 4;

/// How often it is looked at what has become too old.
const SWEEP: Duration = Duration::from_secs(1);

/// Every bound that requests meet.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) websockets: bool,
    pub(crate) body_bytes: usize,
    /// How long a response runs on that nobody listens to.
    pub(crate) grace: Duration,
    pub(crate) connection: ConnectionLimits,
}

/// What is to be made.
pub(crate) struct Job {
    pub(crate) run: RunRequest,
    pub(crate) asked: Option<Idempotency>,
}

/// What all requests share.
pub(crate) struct Engine {
    pub(crate) limits: Bounds,
    pub(crate) backends: Backends,
    pub(crate) runs: Runs,
    pub(crate) metrics: Metrics,
    pub(crate) seal: Seal,
    /// None where nobody is asked for a key.
    keys: Option<KeyRing>,
    admission: Admission,
    keeper: Keeper,
    /// The tag of the list of models.
    tag: watch::Sender<Option<Arc<str>>>,
    random: SystemRandom,
    /// Who makes responses.
    pub(crate) tasks: TaskTracker,
    /// Nothing new is begun.
    pub(crate) draining: CancellationToken,
}

/// What an engine is made of.
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) backends: Backends,
    pub(crate) keys: Option<KeyRing>,
    pub(crate) keeper: Keeper,
    pub(crate) seal: Seal,
}

impl Engine {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let Parts { settings, backends, keys, keeper, seal } = parts;
        let limits = &settings.limits;
        let connection =
            ConnectionLimits { age: limits.socket_age, frame_bytes: limits.frame_bytes, ..ConnectionLimits::default() };
        Arc::new(Self {
            limits: Bounds {
                websockets: settings.websockets,
                body_bytes: limits.body_bytes,
                grace: limits.grace,
                connection,
            },
            backends,
            runs: Runs::new(Replay { age: limits.replay, bytes: REPLAY_BYTES }),
            metrics: Metrics::new(),
            seal,
            keys,
            admission: Admission::new(admit_limits(limits)),
            keeper,
            tag: watch::Sender::default(),
            random: SystemRandom::new(),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
        })
    }

    /// Who asks.
    pub(crate) fn who(&self, endpoint: &Endpoint, headers: &HeaderMap) -> Result<Holder, ApiError> {
        if self.keys.is_none() && is_of_another_site(headers) {
            let message = "a page of another site asks, and no key is asked for here: set gateway.keys = \"required\"";
            return Err(ApiError::report(403, Some("foreign_origin"), None, message));
        }
        match &self.keys {
            Some(keys) if !endpoint.is_open() => keys.who(headers, SystemTime::now()),
            _ => Ok(Holder::anybody()),
        }
    }

    /// Begins a response.
    pub(crate) fn begin(self: &Arc<Self>, holder: &Holder, job: Job) -> Result<Arc<Live>, ApiError> {
        self.try_begin(holder, job).inspect_err(|error| self.metrics.refused(error))
    }

    fn try_begin(self: &Arc<Self>, holder: &Holder, job: Job) -> Result<Arc<Live>, ApiError> {
        if self.is_draining() {
            return Err(going_away());
        }
        let Job { run, asked } = job;
        let request = &run.request;
        let model = request.model().ok_or_else(no_model)?;
        if request.retention.conversation.as_ref().is_some_and(|conversation| !conversation.is_null()) {
            return Err(no_conversations());
        }
        check(&run)?;
        let holder = self.holder(holder)?;
        holder.may_use(&model)?;
        let background = request.background();
        if let Some(asked) = &asked
            && let Some(before) = self.runs.asked(&holder.owner, asked)?
        {
            return Ok(before);
        }
        let place = self.admission.enter(&holder.owner, holder.max_concurrent)?;
        let (live, orders) = Live::new(self.fresh_id("resp_").into(), holder.owner.clone(), run, background);
        let live = Arc::new(live);
        if let Some(before) = self.runs.insert(Arc::clone(&live), asked.as_ref())? {
            return Ok(before);
        }
        let created_at = since_1970().as_secs();
        let making = Making { engine: Arc::clone(self), live: Arc::clone(&live), orders, place, created_at };
        self.tasks.spawn(run::make(making));
        Ok(live)
    }

    /// Who may answer this request of this holder, as things are now.
    pub(crate) async fn candidates(
        &self,
        holder: &Holder,
        request: &Request,
    ) -> Result<(Holder, Vec<Candidate>), ApiError> {
        let holder = self.holder(holder)?;
        holder.may_use(&request.model().ok_or_else(no_model)?)?;
        Ok((holder, self.candidates_of(request).await?))
    }

    /// Who may answer this request.
    pub(crate) async fn candidates_of(&self, request: &Request) -> Result<Vec<Candidate>, ApiError> {
        self.backends.candidates(&request.model().unwrap_or_default()).await.map_err(|error| *error)
    }

    /// Waits for a place among those that run.
    pub(crate) async fn turn(&self, holder: &Holder) -> Result<Ticket, ApiError> {
        self.admission.enter(&holder.owner, holder.max_concurrent)?.turn().await
    }

    /// A socket lives long: its key may be void by now, or be good for less.
    pub(crate) fn holder(&self, holder: &Holder) -> Result<Holder, ApiError> {
        match &self.keys {
            Some(keys) => keys.again(holder, SystemTime::now()),
            None => Ok(holder.clone()),
        }
    }

    /// What of the settings of the response before this one its request leaves out without a word.
    pub(crate) async fn left_behind(&self, live: &Live) -> Vec<&'static str> {
        let Some(previous) = &live.run.previous else { return Vec::new() };
        let before = self.runs.find(&live.owner, previous).map(|before| Arc::clone(&before.run.request));
        let settled = match live.run.parent.as_ref().or(before.as_ref()) {
            Some(request) => Some(Settled::of_request(request)),
            None => self.keeper.response(&live.owner, previous).await.ok().flatten().as_ref().map(Settled::of_response),
        };
        settled.map(|settled| settled.left_behind(&live.run.request)).unwrap_or_default()
    }

    /// What the response before this one cost, if that is known without looking far.
    pub(crate) fn usage_before(&self, live: &Live) -> Option<Usage> {
        let before = self.runs.find(&live.owner, live.run.previous.as_ref()?)?.outcome()?;
        Object::parse(before.response.text()).ok()?.read("usage").ok().flatten()
    }

    /// A response of this owner: one that runs, one that ended not long ago, or one that is stored.
    pub(crate) async fn find(&self, owner: &Owner, id: &ResponseId) -> Result<Option<Arc<Live>>, ApiError> {
        self.find_from(owner, id, 0).await
    }

    /// The same, for somebody who has heard all events before this one.
    pub(crate) async fn find_from(
        &self,
        owner: &Owner,
        id: &ResponseId,
        from: usize,
    ) -> Result<Option<Arc<Live>>, ApiError> {
        if let Some(live) = self.runs.find(owner, id) {
            return Ok(Some(live));
        }
        let Some(response) = self.keeper.response(owner, id).await.map_err(unreadable_store)? else { return Ok(None) };
        let input = self.keeper.input(owner, id).await.map_err(unreadable_store)?.unwrap_or_default();
        let context = self.keeper.context(owner, id).await.map_err(unreadable_store)?.unwrap_or_default();
        let events = self.keeper.events(owner, id).await.map_err(unreadable_store)?.unwrap_or_default();
        let past = (context, input.len());
        Ok(Some(Arc::new(Live::stored(id.clone(), owner.clone(), (response, events), past, from))))
    }

    /// All that was seen and said up to the end of a response that can be gone on from.
    pub(crate) async fn recall(&self, owner: &Owner, id: &ResponseId) -> Result<Option<Context>, ApiError> {
        if let Some(live) = self.runs.find(owner, id) {
            // What is not stored is remembered by its connection and by nobody else.
            let outcome = live.outcome().filter(|_| live.run.request.store());
            return Ok(outcome.filter(|outcome| outcome.stage != Stage::Failed).map(|outcome| outcome.context.clone()));
        }
        let Some(response) = self.keeper.response(owner, id).await.map_err(unreadable_store)? else { return Ok(None) };
        let failed = responses::fold::whole(response.text()).is_ok_and(|response| response.stage() == Stage::Failed);
        if failed || !past_is_stored(&response) {
            return Ok(None);
        }
        self.keeper.context(owner, id).await.map_err(unreadable_store)
    }

    /// A response is to be gone.
    pub(crate) async fn delete(&self, owner: &Owner, id: &ResponseId) -> Result<bool, ApiError> {
        let live = self.runs.find(owner, id).filter(|live| live.is_kept());
        if let Some(live) = &live {
            self.runs.forget(owner, id);
            live.order(Order::Cancel);
            // What is being stored this moment is stored, and then deleted.
            let mut watch = live.watch(live.count());
            while let Heard::Events(_) = watch.next().await {}
        }
        let stored = self.keeper.delete(owner, id).await.map_err(unreadable_store)?;
        Ok(stored || live.is_some())
    }

    /// A response in the background has begun. After a crash its client is told what became of it.
    pub(crate) async fn remember_begun(&self, live: &Live, now: Json) -> Result<(), ApiError> {
        if !live.run.request.store() {
            return Ok(());
        }
        self.keeper.begin(kept(live, &[], now, Vec::new())).await.map_err(unreadable_store)
    }

    /// Stores a response that has ended, if it is to be stored.
    pub(crate) async fn keep(&self, live: &Live, response: &Response, last: &[Event]) -> Result<(), StoreError> {
        if !live.run.request.store() || self.runs.find(&live.owner, &live.id).is_none() {
            return Ok(());
        }
        let mut events = live.texts();
        events.extend(last.iter().map(|event| Arc::clone(&event.text)));
        // Nobody goes on from one that failed.
        let output = if response.stage() == Stage::Failed { &[] } else { response.output() };
        self.keeper.keep(kept(live, output, response.json().clone(), events)).await
    }

    /// Counts what ended.
    pub(crate) fn ended(&self, live: &Live, response: &Response, maker: Option<&Candidate>, took: Duration) {
        let model = live.run.request.model().unwrap_or_default();
        self.metrics.events(live.count());
        self.metrics.response(&model, maker.map_or("", Candidate::backend), response, took);
    }

    /// The models that are had here, as everybody lists them.
    pub(crate) fn model_list(&self, holder: &Holder) -> String {
        catalogue::public(&self.models_of(holder))
    }

    /// The models that this holder may use.
    fn models_of(&self, holder: &Holder) -> Vec<Offered> {
        let mut models = self.backends.models();
        models.retain(|model| holder.may_use(&model.id).is_ok());
        models
    }

    /// One of them.
    pub(crate) fn model(&self, holder: &Holder, name: &str) -> Result<String, ApiError> {
        let models = self.models_of(holder);
        let model = models.iter().find(|model| &*model.id == name);
        model.map(catalogue::public_one).ok_or_else(|| no_such_model(name))
    }

    /// The models as Codex lists them, and the tag of that list.
    pub(crate) fn catalogue(&self, holder: &Holder) -> (String, String) {
        let text = catalogue::codex(&self.models_of(holder));
        let tag = catalogue::etag(&text);
        (text, tag)
    }

    /// The tag of the list, as it was a moment ago.
    pub(crate) fn models_tag(&self) -> Option<Arc<str>> {
        self.tag.borrow().clone()
    }

    /// What was counted, for whoever watches over the gateway.
    pub(crate) fn counted(&self) -> String {
        self.metrics.render(self.admission.load())
    }

    /// Whether work is taken, and how the backends are.
    pub(crate) fn ready(&self, headers: &HeaderMap) -> (bool, String) {
        // What the backends are called is for those who may use them.
        let is_known = self.keys.as_ref().is_none_or(|keys| keys.who(headers, SystemTime::now()).is_ok());
        let ready = !self.is_draining();
        let mut text = String::new();
        let mut object = ObjectWriter::begin(&mut text);
        object.field("status", if ready { "ready" } else { "draining" });
        object.field("running", &(self.runs.running() as u64));
        if is_known {
            object.field("backends", &self.backends.health().iter().map(Standing).collect::<Vec<_>>());
        }
        object.end();
        (ready, text)
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// An id that nobody can guess.
    pub(crate) fn fresh_id(&self, prefix: &str) -> String {
        let mut bytes = [0; 16];
        // The system's source of randomness fails only where there is none, and then keys could not be checked either.
        let _ = self.random.fill(&mut bytes);
        format!("{prefix}{}", HEXLOWER.encode(&bytes))
    }

    /// Forgets what is too old, for as long as the gateway lives.
    pub(crate) async fn sweep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(SWEEP);
        loop {
            ticks.tick().await;
            self.runs.sweep(Instant::now());
            let (_, tag) = self.catalogue(&Holder::anybody());
            self.tag.send_if_modified(|known| {
                let changed = known.as_deref() != Some(&*tag);
                if changed {
                    *known = Some(tag.into());
                }
                changed
            });
        }
    }
}

/// How a backend is, for whoever watches over the gateway.
struct Standing<'a>(&'a Health);

impl Write for Standing<'_> {
    fn write(&self, out: &mut String) {
        let Health { backend, standing, failures, present, models, problem } = self.0;
        let mut object = ObjectWriter::begin(out);
        object.field("name", backend).field("present", present).field("state", &standing.to_string());
        object.field("failures", failures).field("models", &(*models as u64)).field("problem", problem);
        object.end();
    }
}

/// Whether a browser asks on behalf of a page that did not come from this machine: it would speak for whoever sits here.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let host = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.parse::<Uri>().ok())
        .and_then(|uri| uri.host().map(str::to_owned));
    let is_here = |host: &str| {
        let bare = host.trim_matches(['[', ']']);
        host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    !host.is_some_and(|host| is_here(&host))
}

/// What a warm-up costs.
pub(crate) fn warm_usage(run: &RunRequest) -> Usage {
    let input = estimate_tokens(&run.context.to_vec(), &run.request);
    Usage { input, total: input, ..Usage::default() }
}

fn admit_limits(limits: &Limits) -> AdmitLimits {
    let least_one = |count| NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN);
    AdmitLimits {
        running: least_one(limits.concurrency),
        waiting: limits.queue,
        per_key_running: least_one(limits.concurrency_per_key),
        per_key_waiting: limits.queue.div_ceil(KEYS_IN_A_FULL_QUEUE),
        patience: QUEUE_PATIENCE,
    }
}

/// A response as it is stored. What was not to be stored is not stored with what comes after it.
fn kept(live: &Live, output: &[Item], response: Json, events: Vec<Arc<str>>) -> Kept {
    let run = &live.run;
    let past = if live.past_is_stored() {
        run.context.clone()
    } else {
        run.context.newest(run.new_items).into_iter().collect()
    };
    Kept {
        id: live.id.clone(),
        owner: live.owner.clone(),
        at: since_1970().as_secs(),
        parent: run.previous.clone().filter(|_| live.past_is_stored()),
        context: past.with(output.to_vec()),
        input: run.new_items,
        output: output.len(),
        response,
        events,
    }
}

pub(crate) fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

pub(crate) fn going_away() -> ApiError {
    let message = "this gateway is about to end: ask again, another one may answer";
    ApiError { wait: Some(Duration::from_secs(1)), ..ApiError::report(503, Some("going_away"), None, message) }
}

fn no_model() -> ApiError {
    ApiError::report(400, Some("missing_required_parameter"), Some("model"), "`model` is missing: see GET /v1/models")
}

fn no_such_model(name: &str) -> ApiError {
    let shown: String = name.chars().take(80).collect();
    let message = format!("there is no model `{shown}` here: see GET /v1/models");
    ApiError::report(404, Some("model_not_found"), Some("model"), message)
}

fn no_conversations() -> ApiError {
    let message = "conversations are not kept here: go on from a response with `previous_response_id`";
    ApiError::report(400, Some("unsupported_parameter"), Some("conversation"), message)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` takes")]
fn unreadable_store(error: StoreError) -> ApiError {
    tracing::error!(%error, "the store failed");
    ApiError::report(500, Some("storage_failed"), None, "the store of responses cannot be used now: ask again later")
}
