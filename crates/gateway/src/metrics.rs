//! What operators watch: `/metrics`, in the text of `OpenMetrics`, which Prometheus reads.
//!
//! No number says who asked: keys and their owners are no labels. Names that come from outside are labels only up to a
//! bound, then `other`.

mod labels;
mod series;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use responses::error::ApiError;
use responses::fold::Response as Finished;
use responses::usage::Usage;

use crate::admit::Load;
use labels::{Backend, Direction, Names, Refusal, Request, Response, Tokens, outcome};
use series::Series;

/// How many names of models are told apart. Those that come later are one.
const MAX_MODELS: usize = 100;

/// The same for codes of errors: those of other servers are among them.
const MAX_CODES: usize = 100;

/// Where there is no name.
const NONE: &str = "none";

/// All that is counted. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics(Arc<Inner>);

/// A socket that is open. Dropping it says that it is not.
#[derive(Debug)]
pub(crate) struct OpenSocket(Gauge);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    series: Series,
    models: Names,
    codes: Names,
}

impl Default for Inner {
    fn default() -> Self {
        let series = Series::default();
        let mut registry = Registry::with_prefix("capstan");
        series.register(&mut registry);
        Self { registry, series, models: Names::new(MAX_MODELS), codes: Names::new(MAX_CODES) }
    }
}

impl Metrics {
    /// The `content-type` of what [`Metrics::render`] gives.
    pub(crate) const CONTENT_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Nothing is counted yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A request over HTTP was answered with this status. An upgrade is one, with 101. Endpoints are few, and named here.
    pub(crate) fn request(&self, endpoint: &'static str, status: u16) {
        self.series().requests.get_or_create(&Request::new(endpoint, status)).inc();
    }

    /// A socket is open for as long as this is kept.
    pub(crate) fn socket_open(&self) -> OpenSocket {
        let sockets = self.series().sockets.clone();
        sockets.inc();
        OpenSocket(sockets)
    }

    /// A message of so many bytes came over a socket.
    pub(crate) fn socket_read(&self, bytes: usize) {
        self.series().socket_bytes.get_or_create(&Direction::READ).inc_by(count(bytes));
    }

    /// A message of so many bytes went out over a socket.
    pub(crate) fn socket_written(&self, bytes: usize) {
        self.series().socket_bytes.get_or_create(&Direction::WRITTEN).inc_by(count(bytes));
    }

    /// So many events were sent, to whomever and in whatever form.
    pub(crate) fn events(&self, events: usize) {
        self.series().events.inc_by(count(events));
    }

    /// The first event of a backend came so long after the response was asked for.
    pub(crate) fn first_event(&self, after: Duration) {
        self.series().first_event.observe(after.as_secs_f64());
    }

    /// A response has ended that took so long to make. Without a backend, none was come to.
    pub(crate) fn response(&self, model: &str, backend: &str, ended: &Finished, took: Duration) {
        let model = self.0.models.label(model);
        let backend = Backend::new(if backend.is_empty() { NONE } else { backend });
        self.series().duration.get_or_create(&backend).observe(took.as_secs_f64());
        let Usage { input, output, .. } = ended.usage().unwrap_or_default();
        for (direction, tokens) in [("input", input), ("output", output)] {
            self.series().tokens.get_or_create(&Tokens { model: Arc::clone(&model), direction }).inc_by(tokens);
        }
        let response = Response { model, backend: backend.name(), outcome: outcome(ended) };
        self.series().responses.get_or_create(&response).inc();
    }

    /// Something was refused.
    pub(crate) fn refused(&self, error: &ApiError) {
        let code = error.code.as_deref().or(error.kind.as_deref()).unwrap_or(NONE);
        self.series().refusals.get_or_create(&Refusal { code: self.0.codes.label(code) }).inc();
    }

    /// A backend failed, and another was asked in its place.
    pub(crate) fn failover(&self, from: &str) {
        self.series().failovers.get_or_create(&Backend::new(from)).inc();
    }

    /// Something could not be stored, or not be read again.
    pub(crate) fn store_error(&self) {
        self.series().store_errors.inc();
    }

    /// All of it as text, with how much is going on at the moment.
    pub(crate) fn render(&self, load: Load) -> String {
        self.series().running.set(gauge(load.running));
        self.series().waiting.set(gauge(load.waiting));
        let mut text = String::new();
        // Writing to a string does not fail; half of it would not be taken for all, for its end is marked.
        let _ = encode(&mut text, &self.0.registry);
        text
    }

    fn series(&self) -> &Series {
        &self.0.series
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn gauge(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
