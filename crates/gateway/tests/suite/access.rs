//! Who may ask for what, whose responses are whose, and how many run at once.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway::keys::{Keys, Models, NewKey};
use hyper::Method;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Error;

use crate::support::{Running, Socket, of, said, soon, text_of, whole};

/// A gateway that asks for keys, and the file they are in.
struct Guarded {
    gateway: Arc<Running>,
    keys: Keys,
}

impl Guarded {
    /// With a key for each of these names.
    fn with(settings: &str, names: &[&str]) -> (Self, Vec<String>) {
        Self::wanting(settings, names.iter().map(|name| NewKey { name: (*name).into(), ..NewKey::default() }))
    }

    fn wanting(settings: &str, wanted: impl IntoIterator<Item = NewKey>) -> (Self, Vec<String>) {
        let folder = Arc::new(TempDir::new().unwrap());
        let mut keys = Keys::open(folder.path().join("keys.toml")).unwrap();
        let now = SystemTime::now();
        let texts = wanted.into_iter().map(|new| keys.create(new, now).unwrap().1.expose().to_owned()).collect();
        let gateway = Running::in_folder(&format!("gateway.keys = \"required\"\n{settings}"), folder);
        (Self { gateway: Arc::new(gateway), keys }, texts)
    }

    async fn ask(&self, key: &str, method: Method, path: &str, body: &str) -> (u16, String) {
        let bearer = format!("Bearer {key}");
        let reply = self.gateway.send(method, path, &[("authorization", &bearer)], body).await;
        (reply.status().as_u16(), whole(reply).await)
    }

    async fn get(&self, key: &str, path: &str) -> (u16, String) {
        self.ask(key, Method::GET, path, "").await
    }

    async fn create(&self, key: &str, fields: &str) -> (u16, String) {
        let body = format!(r#"{{"model":"scripted",{fields}}}"#);
        self.ask(key, Method::POST, "/v1/responses", &body).await
    }

    /// A response that is made well.
    async fn made(&self, key: &str, fields: &str) -> String {
        let (status, text) = self.create(key, fields).await;
        assert_eq!(status, 200, "{text}");
        text
    }

    async fn socket(&self, key: &str) -> Socket {
        let bearer = format!("Bearer {key}");
        self.gateway.socket_with(&[("authorization", &bearer)]).await.unwrap()
    }

    /// Waits until this key is let in, or is not any more: the file is looked at from time to time.
    async fn until(&self, key: &str, status: u16) {
        soon(async { while self.get(key, "/v1/models").await.0 != status {} }).await;
    }

    /// Waits until a number of the gateway is this.
    async fn until_metric(&self, key: &str, line: &str) {
        soon(async { while !self.get(key, "/metrics").await.1.lines().any(|known| known == line) {} }).await;
    }

    async fn stop(self) {
        let gateway = Arc::into_inner(self.gateway).expect("nobody else has it");
        gateway.stop().await;
    }
}

/// Status and code of an error over a socket.
fn refusal(event: &str) -> (u64, String) {
    assert_eq!(text_of(event, "type"), "error", "{event}");
    (of(event, "status"), text_of(event, "error.code"))
}

/// Everything a request can ask for, but whether the gateway is there.
fn everything() -> Vec<(Method, &'static str)> {
    vec![
        (Method::POST, "/v1/responses"),
        (Method::GET, "/v1/responses"),
        (Method::GET, "/v1/responses/resp_1"),
        (Method::GET, "/v1/responses/resp_1?stream=true&starting_after=0"),
        (Method::DELETE, "/v1/responses/resp_1"),
        (Method::POST, "/v1/responses/resp_1/cancel"),
        (Method::GET, "/v1/responses/resp_1/input_items"),
        (Method::POST, "/v1/responses/input_tokens"),
        (Method::POST, "/v1/responses/compact"),
        (Method::GET, "/v1/models"),
        (Method::GET, "/v1/models?client_version=1"),
        (Method::GET, "/v1/models/scripted"),
        (Method::GET, "/metrics"),
        (Method::POST, "/responses"),
    ]
}

#[tokio::test]
async fn who_has_no_key_is_told_that_the_gateway_is_there_and_no_more() {
    let (guarded, keys) = Guarded::with("", &["alice", "bob"]);
    let (id, secret) = keys[0].rsplit_once('-').unwrap();
    let half_of_each = format!("{id}-{}", keys[1].rsplit_once('-').unwrap().1);
    let wrong = ["", "Bearer", "Bearer ", "Bearer x", "Basic YTpi"].map(str::to_owned).into_iter();
    let wrong = wrong.chain([&half_of_each, secret, id, &keys[0][1..]].map(|key| format!("Bearer {key}")));
    for authorization in wrong {
        for (method, path) in everything() {
            let reply = guarded.gateway.send(method, path, &[("authorization", &authorization)], "{}").await;
            assert_eq!(reply.status(), 401, "{path} with {authorization:?}");
            assert_eq!(reply.headers()["www-authenticate"], "Bearer", "{path}");
            let text = whole(reply).await;
            assert_eq!(text_of(&text, "error.code"), "invalid_api_key", "{text}");
            assert!(!text.contains(secret), "{text}");
        }
        match guarded.gateway.socket_with(&[("authorization", &authorization)]).await.map(|_| ()) {
            Err(Error::Http(reply)) => assert_eq!(reply.status(), 401),
            other => panic!("{other:?}"),
        }
    }
    for path in ["/healthz", "/readyz", "/v1/healthz"] {
        assert_eq!(guarded.gateway.get(path).await.0, 200, "{path}");
    }
    for header in ["authorization", "api-key", "x-api-key"] {
        let value = if header == "authorization" { format!("bearer {}", keys[0]) } else { keys[0].clone() };
        let reply = guarded.gateway.send(Method::GET, "/v1/models", &[(header, &value)], "").await;
        assert_eq!(reply.status(), 200, "{header}");
    }
    guarded.stop().await;
}

#[tokio::test]
async fn a_key_is_good_for_the_models_it_names_and_for_no_others() {
    let settings = "gateway.models.\"open-*\" = [\"scripted\"]\ngateway.models.closed = [\"scripted\"]";
    let models = Models::new(["open-*"]).unwrap();
    let (guarded, keys) = Guarded::wanting(settings, [NewKey { name: "k".into(), models, ..NewKey::default() }]);
    let body = |model: &str| format!(r#"{{"model":"{model}","input":"say hi"}}"#);
    for path in ["/v1/responses", "/v1/responses/compact"] {
        let (status, text) = guarded.ask(&keys[0], Method::POST, path, &body("open-1")).await;
        assert_eq!(status, 200, "{path}: {text}");
        for model in ["closed", "scripted"] {
            let (status, text) = guarded.ask(&keys[0], Method::POST, path, &body(model)).await;
            assert_eq!((status, text_of(&text, "error.code")), (403, "model_not_allowed".into()), "{path} {model}");
        }
    }
    let mut socket = guarded.socket(&keys[0]).await;
    socket.say(r#"{"type":"response.create","model":"closed","input":"say hi"}"#).await;
    assert_eq!(refusal(&socket.hear().await.unwrap()), (403, "model_not_allowed".into()));
    socket.say(r#"{"type":"response.create","model":"open-2","input":"say hi"}"#).await;
    assert_eq!(text_of(socket.answer().await.last().unwrap(), "type"), "response.completed", "the socket stays");
    guarded.stop().await;
}

#[tokio::test]
async fn a_key_that_is_revoked_makes_no_more_responses_over_a_socket_that_is_open() {
    let (mut guarded, keys) = Guarded::with("", &["alice", "bob"]);
    let mut alice = guarded.socket(&keys[0]).await;
    let mut bob = guarded.socket(&keys[1]).await;
    let made = alice.made(r#""input":"say before""#).await;
    guarded.keys.revoke("alice", SystemTime::now()).unwrap();
    guarded.until(&keys[0], 401).await;
    for fields in [r#""input":"say after""#, r#""input":"say after","store":false,"stream_id":"lane""#] {
        alice.create(fields).await;
        assert_eq!(refusal(&alice.hear().await.unwrap()), (401, "invalid_api_key".into()));
    }
    alice.create(&format!(r#""input":"recall","previous_response_id":"{}""#, text_of(&made, "id"))).await;
    assert_eq!(refusal(&alice.hear().await.unwrap()), (401, "invalid_api_key".into()));
    assert_eq!(said(&bob.made(r#""input":"say still here""#).await), "still here");
    guarded.stop().await;
}

#[tokio::test]
async fn a_key_that_is_too_old_is_not_let_in() {
    let valid_for = Some(Duration::from_mins(1));
    let folder = Arc::new(TempDir::new().unwrap());
    let mut keys = Keys::open(folder.path().join("keys.toml")).unwrap();
    let long_ago = SystemTime::now() - Duration::from_mins(2);
    let (_, old) = keys.create(NewKey { name: "old".into(), valid_for, ..NewKey::default() }, long_ago).unwrap();
    let gateway = Running::in_folder("gateway.keys = \"required\"", folder);
    let reply = gateway.send(Method::GET, "/v1/models", &[("x-api-key", old.expose())], "").await;
    assert_eq!(reply.status(), 401);
    assert!(text_of(&whole(reply).await, "error.message").contains("expired"));
    gateway.stop().await;
}

#[tokio::test]
async fn a_secret_that_is_replaced_is_good_for_its_grace_and_the_responses_stay_the_keys_own() {
    let (mut guarded, keys) = Guarded::with("", &["alice"]);
    let made = guarded.made(&keys[0], r#""input":"my name is Ada""#).await;
    let next = format!(r#""input":"recall","previous_response_id":"{}""#, text_of(&made, "id"));
    let mut socket = guarded.socket(&keys[0]).await;
    let (_, second) = guarded.keys.rotate("alice", Duration::from_hours(1), SystemTime::now()).unwrap();
    guarded.until(second.expose(), 200).await;
    for key in [&*keys[0], second.expose()] {
        assert_eq!(said(&guarded.made(key, &next).await), "my name is Ada");
    }
    assert_eq!(said(&socket.made(&next).await), "my name is Ada");
    let (_, third) = guarded.keys.rotate("alice", Duration::ZERO, SystemTime::now()).unwrap();
    guarded.until(second.expose(), 401).await;
    assert_eq!(guarded.create(&keys[0], &next).await.0, 401);
    socket.create(&next).await;
    assert_eq!(refusal(&socket.hear().await.unwrap()).0, 401, "the secret the socket came with is void");
    assert_eq!(said(&guarded.made(third.expose(), &next).await), "my name is Ada");
    guarded.stop().await;
}

#[tokio::test]
async fn what_belongs_to_one_key_does_not_exist_for_another_on_any_path() {
    let (guarded, keys) = Guarded::with("", &["alice", "bob"]);
    let (alice, bob) = (&keys[0], &keys[1]);
    let stored = text_of(&guarded.made(alice, r#""input":"the word is planted-7""#).await, "id");
    let runs = r#""input":"say planted-7\npause 60000\nsay b","background":true"#;
    let running = text_of(&guarded.made(alice, runs).await, "id");
    for id in [&stored, &running] {
        for (method, path) in [
            (Method::GET, format!("/v1/responses/{id}")),
            (Method::GET, format!("/v1/responses/{id}?stream=true")),
            (Method::GET, format!("/v1/responses/{id}?stream=true&starting_after=1")),
            (Method::GET, format!("/v1/responses/{id}/input_items")),
            (Method::POST, format!("/v1/responses/{id}/cancel")),
            (Method::DELETE, format!("/v1/responses/{id}")),
        ] {
            let (status, text) = guarded.ask(bob, method.clone(), &path, "").await;
            let never =
                guarded.ask(bob, method, &path.replace(&**id, "resp_never"), "").await.1.replace("resp_never", id);
            assert_eq!((status, &text), (404, &never), "{path}: as if it never was");
        }
        let previous = format!(r#""previous_response_id":"{id}""#);
        let (status, text) = guarded.create(bob, &format!(r#""input":"recall",{previous}"#)).await;
        assert_eq!((status, text_of(&text, "error.code")), (400, "previous_response_not_found".into()));
        for path in ["/v1/responses/compact", "/v1/responses/input_tokens"] {
            let (status, text) =
                guarded.ask(bob, Method::POST, path, &format!(r#"{{"model":"scripted",{previous}}}"#)).await;
            assert!(status == 400 && !text.contains("planted"), "{path}: {status} {text}");
        }
        let mut socket = guarded.socket(bob).await;
        socket.create(&format!(r#""input":"recall",{previous}"#)).await;
        assert_eq!(refusal(&socket.hear().await.unwrap()), (400, "previous_response_not_found".into()));
        socket.say(format!(r#"{{"type":"response.resume","response_id":"{id}"}}"#)).await;
        assert_eq!(refusal(&socket.hear().await.unwrap()), (404, "response_not_found".into()));
        for frame in [
            format!(r#"{{"type":"response.cancel","response_id":"{id}"}}"#),
            format!(r#"{{"type":"response.interrupt","response_id":"{id}"}}"#),
            format!(r#"{{"type":"response.steer","previous_response_id":"{id}","input":"x"}}"#),
        ] {
            socket.say(frame).await;
            let answer = socket.hear().await.unwrap();
            assert!(
                ["error", "response.interrupt.failed", "response.steer.failed"].contains(&&*text_of(&answer, "type"))
            );
        }
    }
    // All of it was to no avail.
    assert_eq!(guarded.get(alice, &format!("/v1/responses/{stored}")).await.0, 200);
    let (_, now) = guarded.get(alice, &format!("/v1/responses/{running}")).await;
    assert_eq!(text_of(&now, "status"), "in_progress");
    assert_eq!(guarded.ask(alice, Method::POST, &format!("/v1/responses/{running}/cancel"), "").await.0, 200);
    guarded.stop().await;
}

#[tokio::test]
async fn two_keys_may_name_their_requests_alike() {
    let (guarded, keys) = Guarded::with("", &["alice", "bob"]);
    let fields = r#""input":"say once","idempotency_key":"same""#;
    let (first, again) = (guarded.made(&keys[0], fields).await, guarded.made(&keys[0], fields).await);
    assert_eq!(first, again);
    let other = guarded.made(&keys[1], fields).await;
    assert_ne!(text_of(&first, "id"), text_of(&other, "id"));
    let different = guarded.made(&keys[1], &fields.replace("same", "else")).await;
    assert_ne!(text_of(&other, "id"), text_of(&different, "id"));
    guarded.stop().await;
}

#[tokio::test]
async fn one_runs_one_waits_and_the_third_is_told_when_to_come_back() {
    let gateway = Arc::new(Running::with("gateway.limits.concurrency = 1\ngateway.limits.queue = 1"));
    let mut first = gateway.socket().await;
    first.create(r#""input":"say a\npause 60000\nsay b""#).await;
    let id = text_of(&first.hear().await.unwrap(), "response.id");
    let mut second = JoinSet::new();
    let also = Arc::clone(&gateway);
    second.spawn(async move { also.post(r#""input":"say second""#).await });
    let waits = async { while !gateway.get("/metrics").await.1.contains("\ncapstan_responses_waiting 1\n") {} };
    soon(waits).await;
    let body = r#"{"model":"scripted","input":"say third"}"#;
    let third = gateway.send(Method::POST, "/v1/responses", &[], body).await;
    assert_eq!(third.status(), 429);
    let wait: u64 = third.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(text_of(&whole(third).await, "error.code"), "rate_limit_exceeded");
    let mut fourth = gateway.socket().await;
    fourth.create(r#""input":"say fourth""#).await;
    let refused = fourth.hear().await.unwrap();
    assert_eq!(refusal(&refused), (429, "rate_limit_exceeded".into()));
    assert!(refused.contains("retry-after"), "{refused}");
    first.say(format!(r#"{{"type":"response.cancel","response_id":"{id}"}}"#)).await;
    assert_eq!(text_of(first.answer().await.last().unwrap(), "response.status"), "cancelled");
    let (status, text) = soon(second.join_next()).await.unwrap().unwrap();
    assert_eq!((status.as_u16(), said(&text)), (200, "second".into()));
    assert_eq!(said(&fourth.made(r#""input":"say now""#).await), "now");
    drop((first, fourth, second));
    Arc::into_inner(gateway).unwrap().stop().await;
}

#[tokio::test]
async fn a_key_at_its_own_limit_holds_up_nobody_else() {
    let one = std::num::NonZeroUsize::new(1);
    let wanted = [("alice", one), ("bob", None)];
    let wanted = wanted.map(|(name, max_concurrent)| NewKey { name: name.into(), max_concurrent, ..NewKey::default() });
    let (guarded, keys) = Guarded::wanting("gateway.limits.queue = 4", wanted);
    let mut socket = guarded.socket(&keys[0]).await;
    socket.create(r#""input":"say a\npause 60000\nsay b","stream_id":"one""#).await;
    let id = text_of(&socket.hear().await.unwrap(), "response.id");
    socket.create(r#""input":"say waited","stream_id":"two""#).await;
    guarded.until_metric(&keys[1], "capstan_responses_waiting 1").await;
    // A quarter of the queue is for one key: here, one place.
    let (status, text) = guarded.create(&keys[0], r#""input":"say third""#).await;
    assert_eq!((status, text_of(&text, "error.code")), (429, "rate_limit_exceeded".into()));
    for _ in 0..5 {
        assert_eq!(said(&guarded.made(&keys[1], r#""input":"say at once""#).await), "at once");
    }
    socket.say(format!(r#"{{"type":"response.cancel","response_id":"{id}"}}"#)).await;
    let mut ended = Vec::new();
    while ended.len() < 2 {
        let last = socket.answer().await.pop().unwrap();
        ended.push((text_of(&last, "stream_id"), text_of(&last, "response.status")));
    }
    assert_eq!(ended, [("one".into(), "cancelled".into()), ("two".into(), "completed".into())]);
    guarded.stop().await;
}

#[tokio::test]
async fn who_leaves_the_queue_makes_way() {
    let gateway =
        Running::with("gateway.limits.concurrency = 1\ngateway.limits.queue = 1\ngateway.limits.grace_seconds = 0");
    let mut first = gateway.socket().await;
    first.create(r#""input":"say a\npause 60000\nsay b""#).await;
    first.hear().await.unwrap();
    let mut second = gateway.socket().await;
    second.create(r#""input":"say never""#).await;
    let waiting = async |count: usize| {
        let line = format!("\ncapstan_responses_waiting {count}\n");
        soon(async { while !gateway.get("/metrics").await.1.contains(&line) {} }).await;
    };
    waiting(1).await;
    drop(second);
    waiting(0).await;
    drop(first);
    assert_eq!(said(&gateway.create(r#""input":"say now""#).await), "now");
    gateway.stop().await;
}

#[tokio::test]
async fn a_key_that_is_revoked_hears_no_more_responses_over_a_socket_that_is_open() {
    let (mut guarded, keys) = Guarded::with("", &["alice"]);
    let stored = text_of(&guarded.made(&keys[0], r#""input":"say planted-7""#).await, "id");
    let mut socket = guarded.socket(&keys[0]).await;
    guarded.keys.revoke("alice", SystemTime::now()).unwrap();
    guarded.until(&keys[0], 401).await;
    socket.say(format!(r#"{{"type":"response.resume","response_id":"{stored}"}}"#)).await;
    let answer = socket.hear().await.unwrap();
    assert!(!answer.contains("planted-7"), "{answer}");
    assert_eq!(refusal(&answer).0, 401);
    guarded.stop().await;
}
