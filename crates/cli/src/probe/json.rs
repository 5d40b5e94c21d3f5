//! A probe for programs.

use std::fmt::Write as _;
use std::time::Duration;

use responses::chain::TroubleKind;
use responses::json::{ObjectWriter, Write};
use transport::credentials::KeySource;
use transport::dial::Path;
use transport::provider::Wire;
use transport::rate_limits::{Plan, Quota, RateLimits, Window};
use transport::{Found, Head, Problem, Verdict, Why};

use super::{Report, address, lacks_key};
use crate::settings::name_of;

/// What was found, as one object on one line. Every field is always there; what is not known is `null`. Times are
/// numbers of milliseconds, with fractions.
///
/// ```json
/// {
///   "provider": {"id": "openai", "name": "OpenAI", "base_url": "https://api.openai.com/v1", "wire_api": "responses"},
///   "transport": "auto",                     // auto, ws, http: the ways a run would go
///   "why": "usual",                          // run, settings, chat, no_websocket, single_answer, usual
///   "key": {"source": "environment",         // environment, file, command, none
///           "place": "OPENAI_API_KEY",       // variable, path or program; never the key
///           "set": true},                    // null if that is not known before it is asked for
///   "websocket": {                           // null if none is wanted
///     "url": "wss://api.openai.com/v1/responses",
///     "ok": true,
///     "ms": 212.5,                           // in all
///     "route": {"proxy": null, "peer": "192.0.2.7:443", "resolve_ms": 3.1, "connect_ms": 11.4, "proxy_ms": null,
///               "tls_ms": 24.2, "tls_version": "TLSv1_3", "alpn": "http/1.1"},
///     "error": null,                         // or {"kind": …, "status": 404, "code": null, "message": "…"}
///     "request_id": "req_1",
///     "rate_limits": null                    // or {"requests": …, "tokens": …, "plans": […]}
///   },
///   "http": {…},                             // the same fields
///   "verdict": "websocket",                  // http, http_in_place_of_websocket, credentials, nothing
///   "works": true,                           // as the exit code says: 0 or 4
///   "conclusion": "works: …"                 // for people; the only field whose text may change
/// }
/// ```
///
/// The kind of an error is `refused` (with a status), `no_key`, `name`, `connect`, `tls`, `proxy`, `timeout` or `broke`.
pub(super) fn write(report: &Report<'_>) -> String {
    let Report { provider, probe, .. } = report;
    let mut text = String::new();
    let mut object = ObjectWriter::begin(&mut text);
    let mut inner = ObjectWriter::begin(object.open("provider"));
    let wire = match provider.wire {
        Wire::Responses => "responses",
        Wire::Chat => "chat",
    };
    inner.field("id", &provider.id).field("name", &provider.name);
    inner.field("base_url", &address(provider)).field("wire_api", wire);
    inner.end();
    object.field("transport", name_of(probe.choice.mode)).field("why", why(probe.choice.why));
    key(report, object.open("key"));
    match &probe.socket {
        Some(found) => way(found, object.open("websocket")),
        None => object.open("websocket").push_str("null"),
    }
    way(&probe.http, object.open("http"));
    object.field("verdict", verdict(probe.verdict)).field("works", &report.works());
    object.field("conclusion", &report.conclusion());
    object.end();
    text.push('\n');
    text
}

fn why(why: Why) -> &'static str {
    match why {
        Why::Run => "run",
        Why::Settings => "settings",
        Why::Chat => "chat",
        Why::NoWebSocket => "no_websocket",
        Why::SingleAnswer => "single_answer",
        Why::Usual => "usual",
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::WebSocket => "websocket",
        Verdict::Http => "http",
        Verdict::HttpInPlaceOfWebSocket => "http_in_place_of_websocket",
        Verdict::Credentials => "credentials",
        Verdict::Nothing => "nothing",
    }
}

fn key(report: &Report<'_>, to: &mut String) {
    let (source, place) = match &report.provider.key {
        KeySource::None => ("none", None),
        KeySource::Environment(variable) => ("environment", Some(variable.clone())),
        KeySource::File(path) => ("file", Some(path.display().to_string())),
        KeySource::Command(command) => ("command", Some(command.program.clone())),
    };
    let mut object = ObjectWriter::begin(to);
    object.field("source", source).nullable("place", &place).nullable("set", &report.key_is_set);
    object.end();
}

fn way(found: &Found, to: &mut String) {
    let answer = &found.answer;
    let head = answer.as_ref().ok();
    let limits = head.map(|head| &head.rate_limits).filter(|limits| !limits.is_empty());
    let mut object = ObjectWriter::begin(to);
    object.field("url", &found.url).field("ok", &answer.is_ok()).field("ms", &Milliseconds(found.took));
    object.nullable("route", &found.path.as_ref().map(Route));
    object.nullable("error", &answer.as_ref().err().map(Error));
    object.nullable("request_id", &request_id(answer)).nullable("rate_limits", &limits.map(Limits));
    object.end();
}

fn request_id(answer: &Result<Head, Problem>) -> Option<&str> {
    match answer {
        Ok(head) => head.request_id.as_deref(),
        Err(Problem::Refused(error)) => error.request_id.as_deref(),
        Err(Problem::Unreachable(_) | Problem::Broke) => None,
    }
}

struct Milliseconds(Duration);

impl Write for Milliseconds {
    fn write(&self, out: &mut String) {
        let microseconds = self.0.as_micros();
        // Writing to a String cannot fail.
        let _ = write!(out, "{}.{:03}", microseconds / 1000, microseconds % 1000);
    }
}

struct Route<'a>(&'a Path);

impl Write for Route<'_> {
    fn write(&self, out: &mut String) {
        let Path { via, peer, resolve, connect, proxy, tls, tls_version, alpn } = self.0;
        let mut object = ObjectWriter::begin(out);
        object.nullable("proxy", via).nullable("peer", &peer.map(|peer| peer.to_string()));
        object.field("resolve_ms", &Milliseconds(*resolve)).field("connect_ms", &Milliseconds(*connect));
        object.nullable("proxy_ms", &proxy.map(Milliseconds)).nullable("tls_ms", &tls.map(Milliseconds));
        object.nullable("tls_version", tls_version).nullable("alpn", alpn);
        object.end();
    }
}

struct Error<'a>(&'a Problem);

impl Write for Error<'_> {
    fn write(&self, out: &mut String) {
        let mut object = ObjectWriter::begin(out);
        match self.0 {
            Problem::Refused(error) => {
                let lacks_key = lacks_key(error);
                object.field("kind", if lacks_key { "no_key" } else { "refused" });
                object.nullable("status", &error.status.filter(|_| !lacks_key));
                object.nullable("code", &error.code.as_ref().filter(|_| !lacks_key)).field("message", &error.message);
            }
            problem @ (Problem::Unreachable(_) | Problem::Broke) => {
                object.field("kind", kind(problem)).raw("status", "null").raw("code", "null");
                object.field("message", &problem.to_string());
            }
        }
        object.end();
    }
}

fn kind(problem: &Problem) -> &'static str {
    match problem {
        Problem::Refused(_) => "refused",
        Problem::Unreachable(trouble) => match trouble.kind {
            TroubleKind::Name => "name",
            TroubleKind::Connect => "connect",
            TroubleKind::Tls => "tls",
            TroubleKind::Proxy => "proxy",
            TroubleKind::Timeout => "timeout",
        },
        Problem::Broke => "broke",
    }
}

struct Limits<'a>(&'a RateLimits);

impl Write for Limits<'_> {
    fn write(&self, out: &mut String) {
        let RateLimits { requests, tokens, plans, .. } = self.0;
        let mut object = ObjectWriter::begin(out);
        object.nullable("requests", &requests.as_ref().map(Left)).nullable("tokens", &tokens.as_ref().map(Left));
        object.field("plans", &plans.iter().map(Used).collect::<Vec<_>>());
        object.end();
    }
}

/// `{"limit": 500, "remaining": 499, "reset_ms": 120.000}`
struct Left<'a>(&'a Quota);

impl Write for Left<'_> {
    fn write(&self, out: &mut String) {
        let Quota { limit, remaining, reset_after } = self.0;
        let mut object = ObjectWriter::begin(out);
        object.nullable("limit", limit).nullable("remaining", remaining);
        object.nullable("reset_ms", &reset_after.map(Milliseconds));
        object.end();
    }
}

/// `{"id": "codex", "primary": {"used_percent": 12, "window_minutes": 300, "resets_at": 1790000000}, "secondary": null}`
struct Used<'a>(&'a Plan);

impl Write for Used<'_> {
    fn write(&self, out: &mut String) {
        let Plan { id, primary, secondary, .. } = self.0;
        let mut object = ObjectWriter::begin(out);
        object.field("id", id);
        object.nullable("primary", &primary.as_ref().map(Part)).nullable("secondary", &secondary.as_ref().map(Part));
        object.end();
    }
}

struct Part<'a>(&'a Window);

impl Write for Part<'_> {
    fn write(&self, out: &mut String) {
        let Window { used_percent, minutes, resets_at } = self.0;
        let mut object = ObjectWriter::begin(out);
        // What is not finite is no number in JSON.
        let used = used_percent.is_finite().then(|| used_percent.to_string());
        object.raw("used_percent", used.as_deref().unwrap_or("null"));
        object.nullable("window_minutes", minutes).nullable("resets_at", resets_at);
        object.end();
    }
}
