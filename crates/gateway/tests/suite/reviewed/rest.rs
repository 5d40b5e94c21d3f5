//! What is left: a store that fails once, servers with odd numbers, requests of odd shapes.

use std::time::Duration;

use hyper::Method;
use responses::json::Json;
use testkit::{FakeModel, Turn};

use crate::support::{Running, soon, text_of, whole};

async fn let_pass(time: Duration) {
    tokio::time::pause();
    for _ in 0..time.as_secs() / 5 {
        tokio::time::advance(Duration::from_secs(5)).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    tokio::time::resume();
}

/// The row of a response in the background is written when it begins. If its end cannot be written, it is begun for ever:
/// for whoever polls, and for the pruning.
#[tokio::test]
async fn a_background_response_whose_end_could_not_be_stored_does_not_wait_for_ever() {
    let gateway = Running::start();
    let begun = gateway.create(r#""input":"pause 2000\nsay hi","background":true"#).await;
    let id = text_of(&begun, "id");
    let store = rusqlite::Connection::open(gateway.folder.path().join("responses.db")).unwrap();
    let count = || store.query_row("SELECT count(*) FROM response", (), |row| row.get::<_, i64>(0)).unwrap();
    while count() == 0 {
        tokio::task::yield_now().await;
    }
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    let path = format!("/v1/responses/{id}");
    let status = async || text_of(&gateway.get(&path).await.1, "status");
    soon(async {
        while ["queued", "in_progress"].contains(&&*status().await) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(status().await, "failed");
    store.execute_batch("ROLLBACK").unwrap();
    let_pass(Duration::from_mins(15)).await;
    assert_eq!(status().await, "failed", "a quarter of an hour later");
}

/// The gateway has the items; its backends do not, and are handed a name that means nothing to them.
#[tokio::test]
async fn a_reference_to_an_item_is_resolved_or_refused() {
    let model = FakeModel::respond_with(|_| Turn::new().message("hi")).start_loopback().await.unwrap();
    let gateway = Running::with(&format!(
        "gateway.models.m = [\"east\"]\nmodel_providers.east.base_url = \"{}\"\n",
        model.base_url()
    ));
    let first = gateway.ask(Method::POST, "/v1/responses", r#"{"model":"m","input":"one"}"#).await.1;
    let item = text_of(&first, "output.0.id");
    let body = format!(
        r#"{{"model":"m","input":[{{"type":"item_reference","id":"{item}"}},{{"role":"user","content":"two"}}]}}"#
    );
    let (status, text) = gateway.ask(Method::POST, "/v1/responses", &body).await;
    let sent: Vec<String> = model.log().requests().iter().map(|request| format!("{:?}", request.body)).collect();
    assert!(status == 400 || !sent.last().unwrap().contains("item_reference"), "{status} {text:.80}: {sent:?}");
    gateway.stop().await;
}

/// A number from outside is added to.
#[tokio::test]
async fn an_index_as_large_as_can_be_does_not_lose_the_response() {
    let added = r#"{"type":"response.output_item.added","output_index":4294967295,"item":{"id":"a","type":"message","role":"assistant","content":[]}}"#;
    let more =
        r#"{"type":"response.output_item.added","item":{"id":"b","type":"message","role":"assistant","content":[]}}"#;
    let turn = Turn::new().event(Json::parse(added).unwrap()).event(Json::parse(more).unwrap()).message("hi");
    let model = FakeModel::respond_with(move |_| turn.clone()).start_loopback().await.unwrap();
    let gateway = Running::with(&format!(
        "gateway.models.m = [\"east\"]\nmodel_providers.east.base_url = \"{}\"\n",
        model.base_url()
    ));
    let reply = gateway.send(Method::POST, "/v1/responses", &[], r#"{"model":"m","input":"one","stream":true}"#).await;
    let text = whole(reply).await;
    assert!(!text.contains("the response was lost"), "{text}");
    gateway.stop().await;
}

/// What is not found is not touched.
#[tokio::test]
async fn a_response_that_is_not_there_to_be_deleted_goes_on() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    socket.create(r#""input":"pause 1500\nsay hi","store":false"#).await;
    let id = text_of(&socket.hear().await.unwrap(), "response.id");
    let (status, text) = gateway.ask(Method::DELETE, &format!("/v1/responses/{id}"), "").await;
    assert_eq!(status, 404, "{text}");
    let heard = socket.answer().await;
    assert_eq!(text_of(heard.last().unwrap(), "type"), "response.completed", "{}", heard.last().unwrap());
    gateway.stop().await;
}

/// A key without a letter names nothing.
#[tokio::test]
async fn an_empty_idempotency_key_is_none() {
    let gateway = Running::start();
    for input in ["one", "two"] {
        let body = format!(r#"{{"model":"scripted","input":"{input}"}}"#);
        let reply = gateway.send(Method::POST, "/v1/responses", &[("idempotency-key", "")], &body).await;
        assert_eq!(reply.status(), 200, "{input}: {}", whole(reply).await);
    }
    gateway.stop().await;
}

/// A key that is not understood is no key, and the client relies on it.
#[tokio::test]
async fn an_idempotency_key_that_is_no_text_is_refused() {
    let gateway = Running::start();
    let (status, text) = gateway.post(r#""input":"one","idempotency_key":7"#).await;
    assert_eq!(status, 400, "{text}");
    gateway.stop().await;
}
