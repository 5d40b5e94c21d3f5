//! By what numbers are told apart. Each label has few values.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use responses::event::Stage;
use responses::fold::Response as Finished;

/// What stands for all names beyond the bound.
const OTHER: &str = "other";

/// How long a name may be.
const MAX_NAME_BYTES: usize = 100;

/// How a response ended, as its status says; a client's cancel is no stage of its own.
pub(super) fn outcome(response: &Finished) -> &'static str {
    let status = response.field::<Cow<'_, str>>("status");
    match response.stage() {
        _ if status.is_ok_and(|status| status.as_deref() == Some("cancelled")) => "cancelled",
        Stage::Completed => "completed",
        Stage::Incomplete => "incomplete",
        Stage::Created | Stage::Queued | Stage::InProgress | Stage::Failed => "failed",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Request {
    endpoint: &'static str,
    status: &'static str,
}

impl Request {
    pub(super) fn new(endpoint: &'static str, status: u16) -> Self {
        let status = match status {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        Self { endpoint, status }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Direction {
    direction: &'static str,
}

impl Direction {
    pub(super) const READ: Self = Self { direction: "read" };
    pub(super) const WRITTEN: Self = Self { direction: "written" };
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Response {
    pub(super) model: Arc<str>,
    pub(super) backend: Arc<str>,
    pub(super) outcome: &'static str,
}

/// A backend, by its name in the settings: there are as many as the operator wants.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Backend {
    backend: Arc<str>,
}

impl Backend {
    pub(super) fn new(name: &str) -> Self {
        Self { backend: name.into() }
    }

    pub(super) fn name(&self) -> Arc<str> {
        Arc::clone(&self.backend)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Tokens {
    pub(super) model: Arc<str>,
    pub(super) direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Refusal {
    pub(super) code: Arc<str>,
}

/// Names that come from outside, the first so many of them.
#[derive(Debug)]
pub(super) struct Names {
    most: usize,
    // Taken for one look at a time.
    known: Mutex<HashSet<Arc<str>>>,
    other: Arc<str>,
}

impl Names {
    pub(super) fn new(most: usize) -> Self {
        Self { most, known: Mutex::default(), other: OTHER.into() }
    }

    /// The name, if it is among the first and can be one.
    pub(super) fn label(&self, name: &str) -> Arc<str> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return Arc::clone(known);
        }
        let is_name = (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        if known.len() >= self.most || !is_name {
            return Arc::clone(&self.other);
        }
        let name: Arc<str> = name.into();
        known.insert(Arc::clone(&name));
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_names_are_told_apart_and_the_rest_is_one() {
        let names = Names::new(2);
        let labels = ["a", "b", "c", "a", "d", "b"].map(|name| names.label(name));
        assert_eq!(labels.each_ref().map(|label| &**label), ["a", "b", "other", "a", "other", "b"]);
    }

    #[test]
    fn what_is_no_name_takes_no_place() {
        let names = Names::new(1);
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for wrong in ["", " ", "a b", "a\nb", "\u{e9}", &long] {
            assert_eq!(&*names.label(wrong), "other", "{wrong:?}");
        }
        let longest = "x".repeat(MAX_NAME_BYTES);
        assert_eq!(*names.label(&longest), *longest);
    }

    #[test]
    fn a_status_counts_by_its_class() {
        let classes = [(101, "1xx"), (200, "2xx"), (304, "3xx"), (429, "4xx"), (499, "4xx"), (500, "5xx"), (0, "5xx")];
        for (status, class) in classes {
            assert_eq!(Request::new("create", status).status, class);
        }
    }
}
