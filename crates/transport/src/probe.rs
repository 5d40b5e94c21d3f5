//! The way to a provider, really taken once: for those who ask why it does not work.

use std::time::Duration;

use responses::chain::{Mode, Trouble, TroubleKind};
use responses::error::ApiError;
use tokio::time::{Instant, timeout};

use crate::dial::{Alpn, Origin, Path};
use crate::head::Head;
use crate::link::Word;
use crate::model::{ModelClient, Options};
use crate::route::Choice;
use crate::websocket_link::NotOpened;

/// How long a server may take over its list of models, connecting included.
const MODELS: Duration = Duration::from_secs(15);

/// What was found on the way to a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Which ways a run would go, and why.
    pub choice: Choice,
    /// What became of a socket. It is tried wherever one is wanted.
    pub socket: Option<Found>,
    /// What became of a request over HTTP.
    pub http: Found,
    /// What follows.
    pub verdict: Verdict,
}

/// One way, tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Where it leads, without what may be secret.
    pub url: String,
    /// The route that was taken, if the server was reached.
    pub path: Option<Path>,
    /// How long it took in all.
    pub took: Duration,
    /// What the server said with its answer, or why there is none.
    pub answer: Result<Head, Problem>,
}

/// Why a way does not work.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The server refuses.
    #[error("{0}: {advice}", advice = .0.meaning().advice)]
    Refused(Box<ApiError>),
    /// It is not reached.
    #[error("{0}")]
    Unreachable(Trouble),
    /// The connection broke before there was an answer.
    #[error("the connection broke before there was an answer: try again, and check what stands before the server")]
    Broke,
}

/// What follows from a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Turns go over a socket.
    WebSocket,
    /// Turns go over HTTP: sockets are not wanted here.
    Http,
    /// Turns go over HTTP: a socket was wanted, and did not open.
    HttpInPlaceOfWebSocket,
    /// The key is refused, or there is none.
    Credentials,
    /// Nothing works.
    Nothing,
}

impl Probe {
    fn of(choice: Choice, socket: Option<Found>, http: Found) -> Self {
        let verdict = verdict(choice.mode, socket.as_ref(), &http);
        Self { choice, socket, http, verdict }
    }
}

fn verdict(mode: Mode, socket: Option<&Found>, http: &Found) -> Verdict {
    let wants_key = |found: &Found| matches!(&found.answer, Err(Problem::Refused(error)) if matches!(error.status, Some(401 | 403)));
    let socket_opens = socket.is_some_and(|found| found.answer.is_ok());
    // A server without a list of models says so over HTTP, and has been reached all the same.
    let http_works = match &http.answer {
        Ok(_) => true,
        Err(Problem::Refused(error)) => matches!(error.status, Some(404 | 405)),
        Err(_) => false,
    };
    match (mode, socket) {
        _ if socket_opens => Verdict::WebSocket,
        _ if wants_key(http) || socket.is_some_and(wants_key) => Verdict::Credentials,
        (Mode::WebSocket, _) => Verdict::Nothing,
        _ if !http_works => Verdict::Nothing,
        (_, Some(_)) => Verdict::HttpInPlaceOfWebSocket,
        (_, None) => Verdict::Http,
    }
}

impl ModelClient {
    /// Takes the way to the provider once. Costs a handshake and a list of models, and asks no model anything.
    pub async fn probe(&self, options: &Options) -> Probe {
        let choice = self.choice(options);
        let socket = async {
            match choice.mode {
                Mode::Http => None,
                Mode::Auto | Mode::WebSocket => Some(self.probe_socket().await),
            }
        };
        let (socket, http) = tokio::join!(socket, self.probe_http());
        Probe::of(choice, socket, http)
    }

    pub(crate) fn refused(&self, mut error: ApiError) -> Problem {
        if let Some(clean) = self.caller().without_secrets(&error.message) {
            error.message = clean.into();
        }
        Problem::Refused(Box::new(error))
    }

    async fn probe_socket(&self) -> Found {
        let (began, caller) = (Instant::now(), self.caller());
        let (path, answer) = match caller.open().await {
            Ok(open) => (Some(open.path), Ok(open.head)),
            Err(NotOpened::Refused(error)) => (None, Err(self.refused(error))),
            Err(NotOpened::Unreachable(trouble)) => (None, Err(Problem::Unreachable(trouble))),
        };
        Found { url: shown(caller.provider.base_url.socket()), path, took: began.elapsed(), answer }
    }

    async fn probe_http(&self) -> Found {
        let (began, caller) = (Instant::now(), self.caller());
        let uri = caller.provider.base_url.models();
        let dialed = match Origin::of(uri) {
            Ok(origin) => caller.dial.dial(&origin, Alpn::Http2OrHttp1).await.map(|dialed| dialed.path).ok(),
            Err(_) => None,
        };
        let answer = match timeout(MODELS, caller.models()).await {
            Ok(Ok(head)) => Ok(head),
            Ok(Err(Word::Refused(error))) => Err(self.refused(error)),
            Ok(Err(Word::Unreachable(trouble))) => Err(Problem::Unreachable(trouble)),
            Ok(Err(_)) => Err(Problem::Broke),
            Err(_) => Err(Problem::Unreachable(Trouble::new(
                TroubleKind::Timeout,
                "the server does not answer: check what stands before it, and try again",
            ))),
        };
        Found { url: shown(uri), path: dialed, took: began.elapsed(), answer }
    }
}

/// A URL without its query.
fn shown(uri: &hyper::Uri) -> String {
    let text = uri.to_string();
    text.split('?').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(answer: Result<Head, Problem>) -> Found {
        Found { url: String::new(), path: None, took: Duration::ZERO, answer }
    }

    fn refused(status: u16) -> Found {
        found(Err(Problem::Refused(Box::new(ApiError::report(status, None, None, "no")))))
    }

    fn away() -> Found {
        found(Err(Problem::Unreachable(Trouble::new(TroubleKind::Name, ""))))
    }

    #[test]
    fn what_follows_from_what_was_found() {
        let fine = || found(Ok(Head::default()));
        for (mode, socket, http, verdict) in [
            (Mode::Auto, Some(fine()), fine(), Verdict::WebSocket),
            (Mode::Auto, Some(fine()), away(), Verdict::WebSocket),
            (Mode::Auto, Some(refused(404)), fine(), Verdict::HttpInPlaceOfWebSocket),
            (Mode::Auto, Some(away()), refused(404), Verdict::HttpInPlaceOfWebSocket),
            (Mode::Auto, Some(refused(401)), refused(401), Verdict::Credentials),
            (Mode::Auto, Some(away()), away(), Verdict::Nothing),
            (Mode::Auto, Some(away()), refused(500), Verdict::Nothing),
            (Mode::WebSocket, Some(refused(426)), fine(), Verdict::Nothing),
            (Mode::Http, None, fine(), Verdict::Http),
            (Mode::Http, None, refused(403), Verdict::Credentials),
            (Mode::Http, None, away(), Verdict::Nothing),
        ] {
            assert_eq!(super::verdict(mode, socket.as_ref(), &http), verdict, "{mode:?} {socket:?} {http:?}");
        }
    }
}
