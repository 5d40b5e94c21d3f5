//! A key is seen by the server it is for, and by nobody else: not in errors, not in what is told, not in the log.

use std::fmt::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use responses::chain::Mode;
use testkit::proxy::Proxy;
use testkit::{FakeModel, Fault, FaultPlan, On, Refusal, Turn};
use tracing::field::{Field, Visit};
use tracing::span;
use transport::dial::{DialLimits, SystemNetwork};
use transport::proxy::Proxies;
use transport::tls::{Tls, TlsSettings};
use transport::{Dial, Options};

use crate::support::{PLANTED, Talk, client_by};

/// Every line of every library that logs, down to the last detail.
struct Everything {
    lines: SyncSender<String>,
}

/// More lines than all of this writes.
const MAX_LINES: usize = 1 << 20;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl tracing::Subscriber for Everything {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut line = Line(attributes.metadata().name().to_owned());
        attributes.record(&mut line);
        let _ = self.lines.try_send(line.0);
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        let _ = self.lines.try_send(line.0);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        let _ = self.lines.try_send(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn listen() -> (tracing::subscriber::DefaultGuard, Receiver<String>) {
    let (lines, heard) = sync_channel(MAX_LINES);
    (tracing::subscriber::set_default(Everything { lines }), heard)
}

const TABLE: &str = "supports_websockets = true\nsupports_zstd = true\nenv_key = \"PLANTED_KEY\"\n\
                     env_http_headers = { X-Other = \"PLANTED_KEY\" }\nhttp_headers = { X-Fixed = \"sk-planted-7d1f\" }\n\
                     request_max_retries = 1\nstream_max_retries = 1";

/// What goes wrong, one after the other.
fn faults() -> Vec<(On, Fault)> {
    let refuse = |status, code| Fault::Refuse(Refusal::new(status, code, "no"));
    vec![
        (On::Request(9), Fault::EmptyStream),
        (On::EveryConnection, Fault::RefuseUpgrade { status: 401, retry_after: None }),
        (On::EveryConnection, Fault::RefuseUpgrade { status: 404, retry_after: None }),
        (On::EveryConnection, Fault::RefuseUpgrade { status: 307, retry_after: None }),
        (On::EveryRequest, refuse(400, "invalid_value")),
        (On::EveryRequest, refuse(401, "invalid_api_key")),
        (On::EveryRequest, refuse(500, "server_error")),
        (On::EveryRequest, Fault::HtmlError(502)),
        (On::EveryRequest, Fault::CutAfterFrames(3)),
        (On::EveryRequest, Fault::CutInFrame(2)),
    ]
}

/// Speaks, whatever comes of it, and writes down everything that is told and everything that can be shown.
async fn said_and_shown(dial: &Dial, base_url: &str, mode: Mode) -> String {
    let client = client_by(dial.clone(), base_url, TABLE);
    let mut talk = Talk::with(&client, mode);
    let outcome = talk.turn(&"a long word ".repeat(1000)).await;
    let probe = client.probe(&Options { mode: Some(mode), ..Options::default() }).await;
    let mut shown = format!("{outcome:?} {client:?} {:?} {probe:?} {:?}", talk.conversation, client.provider());
    for told in &talk.heard {
        let _ = write!(shown, "{told:?}");
    }
    shown
}

/// `user:planted-password` as a proxy is told it.
const ENCODED: &str = "dXNlcjpwbGFudGVkLXBhc3N3b3Jk";

fn check(shown: &str, what: &str) {
    assert!(!shown.contains(ENCODED), "{what}");
    let found = shown.find("planted").map(|at| &shown[at.saturating_sub(200)..(at + 40).min(shown.len())]);
    assert_eq!(found, None, "{what}");
}

#[tokio::test]
async fn no_key_is_seen_in_what_is_told_shown_or_logged() {
    let (_guard, log) = listen();
    let direct = crate::support::direct();
    for (on, fault) in faults() {
        for mode in [Mode::Auto, Mode::WebSocket, Mode::Http] {
            let model = FakeModel::respond_with(|_| Turn::new().message("hello"))
                .with_key(PLANTED)
                .with_header("x-codex-turn-state", "planted-state")
                .with_faults(FaultPlan::default().on(on, fault.clone()));
            let model = model.start_loopback().await.unwrap();
            check(&said_and_shown(&direct, &model.base_url(), mode).await, &format!("{fault:?} {mode:?}"));
            assert!(model.log().requests().iter().any(|request| request.header("x-other") == Some(PLANTED)));
        }
    }
    let lines: Vec<String> = log.try_iter().collect();
    assert!(lines.len() > 100, "the log was listened to: {} lines", lines.len());
    assert!(lines.iter().any(|line| line.contains("compressed with zstd")), "our own lines are among them");
    for line in lines {
        check(&line, "the log");
    }
}

#[tokio::test]
async fn no_password_of_a_proxy_is_seen() {
    let (_guard, log) = listen();
    let model = FakeModel::respond_with(|_| Turn::new().message("hello")).start_loopback().await.unwrap();
    for (proxy, works) in [
        (Proxy::http().with_credentials("user", "planted-password"), true),
        (Proxy::http().with_credentials("user", "another"), false),
        (Proxy::http().refusing(403), false),
        (Proxy::socks5().with_credentials("user", "planted-password"), true),
        (Proxy::socks5().with_credentials("user", "another"), false),
    ] {
        let socks = format!("{proxy:?}").to_lowercase().contains("socks");
        let proxy = proxy.start_loopback().await.unwrap();
        let scheme = if socks { "socks5h" } else { "http" };
        let url = format!("{scheme}://user:planted-password@{}", proxy.address());
        let proxies = Proxies::from_variables([("HTTP_PROXY", url)]).unwrap();
        let tls = Tls::new(&TlsSettings::default()).unwrap();
        let dial = Dial::new(std::sync::Arc::new(SystemNetwork::new(DialLimits::default())), proxies, tls);
        let client = client_by(dial, &model.base_url(), TABLE);
        let probe = client.probe(&Options::default()).await;
        assert_eq!(probe.http.answer.is_ok() || probe.socket.as_ref().is_some_and(|found| found.answer.is_ok()), works);
        check(&format!("{probe:?} {client:?}"), "a proxy");
    }
    for line in log.try_iter() {
        check(&line, "the log");
    }
}
