//! Who comes in, and how the door is shut.

use std::sync::Arc;
use std::time::SystemTime;

use gateway::keys::{Keys, NewKey};
use hyper::Method;
use tempfile::TempDir;

use crate::support::{Running, of, soon, text_of, whole};

fn with_keys(settings: &str) -> (Running, Keys, String) {
    let folder = Arc::new(TempDir::new().unwrap());
    let mut keys = Keys::open(folder.path().join("keys.toml")).unwrap();
    let wanted = NewKey { name: "ada".to_owned(), ..NewKey::default() };
    let (_, text) = keys.create(wanted, SystemTime::now()).unwrap();
    let gateway = Running::in_folder(&format!("gateway.keys = \"required\"\n{settings}"), folder);
    (gateway, keys, text.expose().to_owned())
}

/// `begin` looks the key up again; `rejoin` and `recall` do not.
#[tokio::test]
async fn a_revoked_key_reads_nothing_more_over_a_socket_that_is_open() {
    let (gateway, mut keys, key) = with_keys("");
    let bearer = format!("Bearer {key}");
    let mut socket = gateway.socket_with(&[("authorization", &bearer)]).await.unwrap_or_else(|error| panic!("{error}"));
    let made = socket.made(r#""input":"say secret""#).await;
    let id = text_of(&made, "id");
    keys.revoke("ada", SystemTime::now()).unwrap();
    let path = format!("/v1/responses/{id}");
    soon(async { while gateway.send(Method::GET, &path, &[("authorization", &bearer)], "").await.status() != 401 {} })
        .await;
    socket.create(r#""input":"say more""#).await;
    let refused = socket.answer().await;
    assert_eq!(of::<u64>(refused.last().unwrap(), "status"), 401, "what is new is refused");
    socket.say(format!(r#"{{"type":"response.resume","response_id":"{id}"}}"#)).await;
    let told = socket.answer().await;
    assert_eq!(text_of(told.last().unwrap(), "type"), "error", "and yet it is read: {told:?}");
    gateway.stop().await;
}

/// Any page in a browser on this machine may open a socket to loopback, and reads what comes.
#[tokio::test]
async fn a_web_page_of_somebody_else_opens_no_socket_where_no_key_is_asked_for() {
    let gateway = Running::start();
    let opened = gateway.socket_with(&[("origin", "https://evil.example")]).await;
    let refused = opened.is_err();
    if let Ok(mut socket) = opened {
        println!("{}", socket.made(r#""input":"say paid for by you""#).await);
    }
    assert!(refused);
    gateway.stop().await;
}

/// Nor does it post: `text/plain` needs no leave of the browser.
#[tokio::test]
async fn a_web_page_of_somebody_else_posts_nothing_where_no_key_is_asked_for() {
    let gateway = Running::start();
    let headers =
        [("origin", "https://evil.example"), ("content-type", "text/plain"), ("sec-fetch-site", "cross-site")];
    let body = r#"{"model":"scripted","input":"say paid for by you"}"#;
    let reply = gateway.send(Method::POST, "/v1/responses", &headers, body).await;
    assert_eq!(reply.status(), 403, "{}", whole(reply).await);
    gateway.stop().await;
}

/// What needs no key takes no body.
#[tokio::test]
async fn who_has_no_key_sends_no_body_that_is_kept() {
    let (gateway, _, _) = with_keys("gateway.limits.body_bytes = 65536\n");
    let reply = gateway.send(Method::GET, "/healthz", &[], &"x".repeat(60_000)).await;
    assert_eq!(reply.status(), 200);
    // That it is refused at the limit of bodies shows that it was read and kept up to there.
    let reply = gateway.send(Method::GET, "/healthz", &[], &"x".repeat(100_000)).await;
    assert_eq!(reply.status(), 200, "{}", whole(reply).await);
    gateway.stop().await;
}

/// Each answer looks through all calls that are open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_and_answers_take_time_in_proportion() {
    let gateway = Running::start();
    // Were it in proportion to the square, this would take minutes.
    let count = 100_000;
    let calls =
        (0..count).map(|n| format!(r#"{{"type":"function_call","call_id":"{n}","name":"f","arguments":"{{}}"}}"#));
    let answers = (0..count).rev().map(|n| format!(r#"{{"type":"function_call_output","call_id":"{n}","output":""}}"#));
    let items: Vec<String> = calls.chain(answers).collect();
    let body = format!(r#""store":false,"generate":false,"input":[{}]"#, items.join(","));
    let (status, text) = gateway.post(&body).await;
    assert_eq!(status, 200, "{text:.300}");
    gateway.stop().await;
}

/// What backends there are, what they are called and why they do not answer is for the operator.
#[tokio::test]
async fn who_has_no_key_is_not_told_which_backends_there_are() {
    let backend = "model_providers.inner-lab-7.base_url = \"http://127.0.0.1:9/v1\"\n";
    let (gateway, _, _) = with_keys(backend);
    let text = whole(gateway.send(Method::GET, "/readyz", &[], "").await).await;
    assert!(!text.contains("inner-lab-7"), "{text}");
    gateway.stop().await;
}
