//! One response, from its request to its last event.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use responses::chain::Context;
use responses::error::ApiError;
use responses::event::Stage;
use responses::fold::{FoldError, Response};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::account::Told;
use super::log::{Event, Live, Order, Outcome};
use super::shape::{Ending, Shape, Taken};
use crate::admit::{Place, Ticket};
use crate::backend::{Candidate, Said, Source, may_fail_over};
use crate::engine::{Engine, since_1970, warm_usage};

/// How long a backend may take to say its first word before the client is told that the response was accepted. Until
/// then a refusal is a plain answer with a status of its own.
pub(super) const HOLD_BACK: Duration = Duration::from_secs(10);

/// The same, once the backend has said that it begins.
const ACCEPTED: Duration = Duration::from_millis(500);

/// How long a response waits for those who listen to it and do not read.
const STALLED: Duration = Duration::from_mins(5);

/// What is needed to make one response.
pub(crate) struct Making {
    pub(crate) engine: Arc<Engine>,
    pub(crate) live: Arc<Live>,
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) place: Place,
    pub(crate) created_at: u64,
}

/// Makes a response. Whatever happens, those who listen hear of its end.
pub(crate) async fn make(making: Making) {
    let Making { engine, live, orders, place, created_at } = making;
    let _guard = Guard(Arc::clone(&live));
    let left_behind = engine.left_behind(&live).await;
    let told = Told { left_behind: &left_behind, past_stored: live.past_is_stored() || !live.run.request.store() };
    let shape = Shape::new(&live.id, created_at, &live.run, &told);
    let began = Instant::now();
    let context = live.run.context.clone();
    let mut run = Run {
        engine,
        live,
        orders,
        shape,
        out: Vec::new(),
        began,
        heard: false,
        context,
        ticket: None,
        asked: None,
        source: None,
    };
    let stop = run.go(place).await;
    run.finish(stop).await;
}

/// Tells those who listen if the task that makes the response is no more.
struct Guard(Arc<Live>);

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.0.has_ended() {
            self.0.refuse(ApiError::report(500, Some("server_error"), None, "the response was lost: ask again"));
        }
    }
}

/// Why it goes no further.
pub(super) enum Stop {
    /// The response ends.
    Ending(Ending),
    /// There is no response: nothing of it was told.
    Refused(ApiError),
}

/// How far one backend got.
enum Spoken {
    Ending(Ending),
    /// It failed, and nothing that it said is told already: another one may do better.
    Failed(ApiError),
}

pub(super) struct Run {
    pub(super) engine: Arc<Engine>,
    pub(super) live: Arc<Live>,
    orders: mpsc::Receiver<Order>,
    pub(super) shape: Shape,
    pub(super) out: Vec<Event>,
    began: Instant,
    /// Whether a backend has said anything.
    heard: bool,
    /// All that the model is to see, and what was compacted of it.
    pub(super) context: Context,
    /// Its place among those that run.
    ticket: Option<Ticket>,
    /// Who makes it, or made it.
    asked: Option<Candidate>,
    source: Option<Source>,
}

impl Run {
    async fn go(&mut self, place: Place) -> Stop {
        let candidates = match self.engine.candidates_of(&self.live.run.request).await {
            Ok(candidates) => candidates,
            Err(error) => return self.stopped(error),
        };
        if self.live.background {
            // Before its client is told of it: after a crash there must be something to find.
            if let Err(error) = self.engine.remember_begun(&self.live, self.shape.now(Stage::Queued)).await {
                return self.stopped(error);
            }
            self.shape.queue(&mut self.out);
            self.publish(Stage::Queued);
        }
        match self.unless_ordered(place.turn()).await {
            Err(stop) => return stop,
            Ok(Err(error)) => return self.stopped(error),
            Ok(Ok(ticket)) => self.ticket = Some(ticket),
        }
        if !self.live.run.request.generate() {
            self.begin();
            return Stop::Ending(Ending::Whole(Some(warm_usage(&self.live.run))));
        }
        match self.compacted(&candidates).await {
            Ok(Some(stop)) => return stop,
            Ok(None) => {}
            Err(error) => return self.stopped(error),
        }
        let mut trouble = None;
        let mut left = candidates.len();
        for candidate in candidates {
            left -= 1;
            let ask = match self.ask(&candidate) {
                Ok(ask) => ask,
                Err(error) => return self.stopped(error),
            };
            self.live.set_steers(candidate.steers());
            let source = self.engine.backends.begin(&candidate, ask);
            (self.asked, self.source) = (Some(candidate), Some(source));
            match self.speak().await {
                Spoken::Ending(ending) => return Stop::Ending(ending),
                Spoken::Failed(error) => {
                    self.blame(&error);
                    let goes_on = may_fail_over(&error) && !self.shape.has_items();
                    trouble = Some(error);
                    if !goes_on || left == 0 {
                        break;
                    }
                    self.went_on();
                }
            }
        }
        self.stopped(trouble.unwrap_or_else(nobody))
    }

    fn blame(&self, error: &ApiError) {
        if let Some(candidate) = &self.asked {
            self.engine.backends.failed(candidate, error);
            tracing::warn!(backend = candidate.backend(), response = %self.live.id, %error, "a backend failed");
        }
    }

    fn went_on(&self) {
        if let Some(candidate) = &self.asked {
            self.engine.metrics.failover(candidate.backend());
        }
    }

    /// Ends it for this error: as a response that failed, or as none.
    fn stopped(&self, error: ApiError) -> Stop {
        if self.shape.has_begun() { Stop::Ending(Ending::Failed(error)) } else { Stop::Refused(error) }
    }

    /// Waits for something, unless the response is stopped meanwhile.
    pub(super) async fn unless_ordered<T>(&mut self, wait: impl Future<Output = T>) -> Result<T, Stop> {
        let live = Arc::clone(&self.live);
        let mut wait = pin!(wait);
        let mut deserted = pin!(live.deserted(self.engine.limits.grace));
        loop {
            tokio::select! {
                biased;
                Some(order) = self.orders.recv() => if let Some(ending) = ending_of(order) {
                    self.begin_late();
                    return Err(Stop::Ending(ending));
                },
                () = &mut deserted, if !live.background => {
                    self.begin_late();
                    return Err(Stop::Ending(Ending::Cancelled));
                }
                done = &mut wait => return Ok(done),
            }
        }
    }

    /// Lets the source speak until it ends, fails, or is stopped.
    async fn speak(&mut self) -> Spoken {
        let live = Arc::clone(&self.live);
        let mut deserted = pin!(live.deserted(self.engine.limits.grace));
        let mut accepted = pin!(tokio::time::sleep(HOLD_BACK));
        let Some(mut source) = self.source.take() else { return Spoken::Failed(nobody()) };
        let spoken = loop {
            let heard_enough = async {
                let room = tokio::select! {
                    biased;
                    room = tokio::time::timeout(STALLED, live.room()) => room,
                    // A server that is not listened to at all gives its line to somebody else.
                    never = source.keep_up() => match never {},
                };
                match room {
                    Ok(()) => Some(source.next().await),
                    Err(_) => None,
                }
            };
            let said = tokio::select! {
                biased;
                Some(order) = self.orders.recv() => {
                    if order == Order::Steer {
                        source.end_early();
                    } else if let Some(ending) = ending_of(order) {
                        break Spoken::Ending(ending);
                    }
                    continue;
                }
                () = &mut deserted, if !live.background => break Spoken::Ending(Ending::Cancelled),
                () = &mut accepted, if !self.shape.is_running() => {
                    self.begin();
                    continue;
                }
                said = heard_enough => match said {
                    Some(said) => said,
                    // Whoever listens has read nothing for too long: others wait for the place.
                    None => break Spoken::Ending(Ending::Cancelled),
                },
            };
            let taken = self.take(said);
            if !self.shape.is_running() && self.heard {
                // It was accepted over there; a refusal at once may still have a status of its own.
                let soon = Instant::now() + ACCEPTED;
                let until = accepted.deadline().min(soon);
                accepted.as_mut().reset(until);
            }
            if let Some(spoken) = taken {
                break spoken;
            }
        };
        if matches!(spoken, Spoken::Ending(_)) {
            self.begin_late();
        }
        self.source = Some(source);
        spoken
    }

    fn take(&mut self, said: Said) -> Option<Spoken> {
        let text = match said {
            Said::Event(text) => text,
            Said::Failed(error) => return Some(Spoken::Failed(*error)),
            Said::Steered => return Some(Spoken::Ending(Ending::Early("steered"))),
            Said::Ended => return Some(self.told()),
        };
        if !self.heard {
            self.heard = true;
            if let Some(candidate) = &self.asked {
                self.engine.backends.succeeded(candidate);
            }
            self.engine.metrics.first_event(self.began.elapsed());
        }
        let was_running = self.shape.is_running();
        let taken = self.shape.take(&text, &mut self.out);
        if was_running || !self.shape.is_running() {
            self.live.say(&mut self.out);
        } else {
            self.publish(Stage::InProgress);
        }
        match taken {
            Taken::More => None,
            Taken::Last => Some(self.told()),
            Taken::Bad(why) => {
                let message = format!("the backend's answer makes no sense: {why}");
                Some(Spoken::Failed(ApiError::report(502, Some("server_error"), None, message)))
            }
        }
    }

    /// The backend said how it ended. A failure before anything was made is not yet the response's.
    fn told(&mut self) -> Spoken {
        match self.shape.early_failure() {
            Some(error) => Spoken::Failed(error),
            None => Spoken::Ending(Ending::Told),
        }
    }

    pub(super) fn begin(&mut self) {
        if self.shape.is_running() {
            return;
        }
        self.shape.begin(&mut self.out);
        self.publish(Stage::InProgress);
    }

    /// An end needs a beginning.
    fn begin_late(&mut self) {
        if !self.shape.has_begun() {
            self.begin();
        }
    }

    fn publish(&mut self, stage: Stage) {
        self.live.set_now(self.shape.now(stage));
        self.live.say(&mut self.out);
    }

    async fn finish(mut self, stop: Stop) {
        self.ticket = None;
        let ending = match stop {
            Stop::Ending(ending) => ending,
            Stop::Refused(error) => {
                self.engine.metrics.refused(&error);
                // It may be asked for again under the same name.
                self.engine.runs.forget(&self.live.owner, &self.live.id);
                return self.live.refuse(error);
            }
        };
        let shape = self.shape.clone();
        let ended = end(shape.clone(), &ending).or_else(|why| {
            let message = format!("the backend's answer makes no sense: {why}");
            end(shape.clone(), &Ending::Failed(ApiError::report(502, Some("server_error"), None, message)))
        });
        let ended = match ended {
            Ok(ended) => self.stored(ended, shape).await,
            Err(error) => Err(error),
        };
        match ended {
            Ok((response, mut events)) => self.told_all(&ending, &response, &mut events),
            Err(error) => {
                tracing::error!(response = %self.live.id, %error, "a response could not be ended");
                self.live.refuse(ApiError::report(500, Some("server_error"), None, "the response was lost: ask again"));
            }
        }
    }

    /// What its client is told to be there is there.
    async fn stored(&mut self, (response, events): Ended, spare: Shape) -> Result<Ended, FoldError> {
        match self.engine.keep(&self.live, &response, &events).await {
            Ok(()) => Ok((response, events)),
            Err(error) => {
                tracing::error!(response = %self.live.id, %error, "a response could not be stored");
                self.engine.metrics.store_error();
                let message = "the response could not be stored: ask again, or with store: false";
                end(spare, &Ending::Failed(ApiError::report(500, Some("storage_failed"), None, message)))
            }
        }
    }

    fn told_all(mut self, ending: &Ending, response: &Response, events: &mut Vec<Event>) {
        self.engine.ended(&self.live, response, self.asked.as_ref(), self.began.elapsed());
        if let Some(source) = self.source.take().filter(|_| response.stage() == Stage::Completed) {
            source.park(&self.live.id);
        }
        if response.stage() == Stage::Failed || ending == &Ending::Cancelled {
            // Whoever asks again under the same name wants an answer.
            self.engine.runs.unname(&self.live.id);
        }
        let context = self.live.run.context.with(response.output().to_vec());
        self.live.end(events, Outcome { stage: response.stage(), response: response.json().clone(), context });
    }
}

/// A response, and the events that end it.
type Ended = (Response, Vec<Event>);

fn end(shape: Shape, ending: &Ending) -> Result<Ended, FoldError> {
    let mut events = Vec::new();
    let response = shape.end(ending, since_1970().as_secs(), &mut events)?;
    Ok((response, events))
}

/// What an order makes of a response.
fn ending_of(order: Order) -> Option<Ending> {
    match order {
        Order::Cancel => Some(Ending::Cancelled),
        Order::Interrupt => Some(Ending::Early("interrupted")),
        Order::Steer => None,
    }
}

fn nobody() -> ApiError {
    ApiError::report(503, Some("backend_unavailable"), None, "no backend can make this response now: ask again later")
}
