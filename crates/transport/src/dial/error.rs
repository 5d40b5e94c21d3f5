//! Why a server could not be reached.

use std::time::Duration;

use responses::chain::{Trouble, TroubleKind};

use super::origin::Origin;
use crate::tls::{explain, within};

/// Why a dial failed: in which part of the way, what happened there, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct DialError {
    kind: TroubleKind,
    detail: Box<str>,
}

impl DialError {
    /// An error, in short and in words. A network of one's own needs this.
    pub fn new(kind: TroubleKind, detail: impl Into<Box<str>>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// The same, and what to do about it.
    pub(crate) fn and(self, advice: &str) -> Self {
        Self::new(self.kind, format!("{}: {advice}", self.detail))
    }

    /// A step that took longer than it may.
    pub(crate) fn late(what: &str, limit: Duration) -> Self {
        let seconds = (limit.as_secs_f32() * 10.0).round() / 10.0;
        Self::new(TroubleKind::Timeout, format!("{what} took longer than {seconds} s"))
    }

    /// What an error that came later says of TLS: servers judge a client's certificate when the client is done already,
    /// and say so in place of the first answer.
    pub fn of_tls(error: &(dyn std::error::Error + 'static), to: &Origin) -> Option<Self> {
        within(error).map(|error| Self::new(TroubleKind::Tls, explain(error, &to.host)))
    }

    /// In which part of the way it was. All that goes wrong between here and the proxy's yes is the proxy's, unless it is
    /// a matter of time.
    pub fn kind(&self) -> TroubleKind {
        self.kind
    }
}

impl From<DialError> for Trouble {
    fn from(error: DialError) -> Self {
        Self::new(error.kind, error.detail)
    }
}
