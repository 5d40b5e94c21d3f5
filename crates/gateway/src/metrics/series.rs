//! The numbers themselves, each with its name and its sentence.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::labels::{Backend, Direction, Refusal, Request, Response, Tokens};

/// From a model in the next rack to one that thinks.
const FIRST_EVENT_SECONDS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

/// From one word to an hour of reasoning.
const DURATION_SECONDS: [f64; 12] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0];

#[derive(Debug)]
pub(super) struct Series {
    pub(super) requests: Family<Request, Counter>,
    pub(super) sockets: Gauge,
    pub(super) socket_bytes: Family<Direction, Counter>,
    pub(super) events: Counter,
    pub(super) responses: Family<Response, Counter>,
    pub(super) running: Gauge,
    pub(super) waiting: Gauge,
    pub(super) first_event: Histogram,
    pub(super) duration: Family<Backend, Histogram>,
    pub(super) tokens: Family<Tokens, Counter>,
    pub(super) refusals: Family<Refusal, Counter>,
    pub(super) failovers: Family<Backend, Counter>,
    pub(super) store_errors: Counter,
}

impl Default for Series {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            sockets: Gauge::default(),
            socket_bytes: Family::default(),
            events: Counter::default(),
            responses: Family::default(),
            running: Gauge::default(),
            waiting: Gauge::default(),
            first_event: Histogram::new(FIRST_EVENT_SECONDS),
            duration: Family::new_with_constructor(|| Histogram::new(DURATION_SECONDS)),
            tokens: Family::default(),
            refusals: Family::default(),
            failovers: Family::default(),
            store_errors: Counter::default(),
        }
    }
}

impl Series {
    pub(super) fn register(&self, to: &mut Registry) {
        to.register("http_requests", "Requests over HTTP by endpoint and class of status", self.requests.clone());
        to.register("sockets", "WebSockets that are open", self.sockets.clone());
        let (help, bytes) = ("Bytes of messages over WebSockets", self.socket_bytes.clone());
        to.register_with_unit("socket", help, Unit::Bytes, bytes);
        to.register("events", "Events that were sent to clients", self.events.clone());
        to.register("responses", "Responses that have ended, by how", self.responses.clone());
        to.register("responses_running", "Responses that run", self.running.clone());
        to.register("responses_waiting", "Responses that wait for their turn", self.waiting.clone());
        let (help, first) =
            ("Time from being asked for a response to the first event of a backend", self.first_event.clone());
        to.register_with_unit("first_event", help, Unit::Seconds, first);
        let (help, duration) = ("Time in which a response was in the making", self.duration.clone());
        to.register_with_unit("response_duration", help, Unit::Seconds, duration);
        to.register("tokens", "Tokens of responses, as backends count them", self.tokens.clone());
        to.register("refusals", "What was refused, by the code of the error", self.refusals.clone());
        let help = "Times that another backend was asked in place of this one";
        to.register("failovers", help, self.failovers.clone());
        let help = "Times that the store could not be written or read";
        to.register("store_errors", help, self.store_errors.clone());
    }
}
