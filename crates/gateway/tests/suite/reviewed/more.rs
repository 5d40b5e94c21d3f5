//! Failover after something was told, duplicates at a full door, and what long chains cost.

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use responses::json::Json;
use testkit::{FakeModel, Refusal, Turn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{Running, events, of, soon, text_of, whole};

/// Some servers send deltas without the events that set an item up. They were heard all the same.
#[tokio::test]
async fn after_a_delta_no_other_backend_begins_anew() {
    let delta = r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"msg_1","delta":"half an ans"}"#;
    let east = Turn::new().event(Json::parse(delta).unwrap()).error(Refusal::new(500, "server_error", "broke"));
    let east = FakeModel::respond_with(move |_| east.clone()).start_loopback().await.unwrap();
    let west = FakeModel::respond_with(|_| Turn::new().message("whole answer")).start_loopback().await.unwrap();
    let settings = format!(
        "gateway.models.m = [\"east\", \"west\"]\nmodel_providers.east.base_url = \"{}\"\nmodel_providers.west.base_url = \"{}\"\n",
        east.base_url(),
        west.base_url()
    );
    let gateway = Running::with(&settings);
    let body = r#"{"model":"m","input":"hi","stream":true}"#;
    let text = whole(gateway.send(Method::POST, "/v1/responses", &[], body).await).await;
    let events = events(&text);
    let deltas = events.iter().filter(|event| text_of(event, "type") == "response.output_text.delta");
    let heard: String = deltas.map(|event| text_of(event, "delta")).collect();
    println!("{heard:?}, then {}", text_of(events.last().unwrap(), "type"));
    assert!(!(heard.contains("half") && heard.contains("whole")), "{heard:?}");
}

/// The service refuses it: what is to be polled for has to be kept.
#[tokio::test]
async fn a_response_in_the_background_must_be_stored() {
    let gateway = Running::start();
    let (status, text) = gateway.post(r#""input":"hi","background":true,"store":false"#).await;
    assert_eq!(status, 400, "{text}");
    gateway.stop().await;
}

/// What its own request said is not to be stored is written with the next one.
#[tokio::test]
async fn what_was_not_to_be_stored_is_not_stored_with_its_successor() {
    const PLANTED: &str = "planted-in-the-parent-77";
    let gateway = Running::start();
    let folder = Arc::clone(&gateway.folder);
    let mut socket = gateway.socket().await;
    let parent = socket.made(&format!(r#""input":"say {PLANTED}","store":false"#)).await;
    let child = socket.made(&format!(r#""input":"say on","previous_response_id":"{}""#, text_of(&parent, "id"))).await;
    assert!(child.contains(r#""past_stored":false"#), "{child}");
    // In the background a response is stored when it begins, too.
    let next = format!(r#""input":"say further","background":true,"previous_response_id":"{}""#, text_of(&child, "id"));
    let id = text_of(&gateway.create(&next).await, "id");
    soon(async { while text_of(&gateway.get(&format!("/v1/responses/{id}")).await.1, "status") != "completed" {} })
        .await;
    gateway.stop().await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        let holds = bytes.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes());
        assert!(!holds, "it is in {:?}", entry.file_name());
    }
}

async fn answered(io: &mut TcpStream) -> bool {
    let mut bytes = vec![0; 65536];
    matches!(tokio::time::timeout(Duration::from_secs(5), io.read(&mut bytes)).await, Ok(Ok(count)) if count > 0)
}

/// `insert`, then `enter`, then `forget`: a duplicate that comes between them listens to a response that nobody makes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_duplicate_of_a_request_that_is_refused_at_the_door_is_answered() {
    let gateway = Arc::new(Running::with("gateway.limits.concurrency = 1\ngateway.limits.queue = 0\n"));
    let mut holder = gateway.socket().await;
    holder.create(r#""input":"say a\npause 600000\nsay b""#).await;
    holder.hear().await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(TcpStream::connect(gateway.address).await.unwrap());
    }
    let padding = "x".repeat(200_000);
    for round in 0..4000 {
        let body = format!(
            r#"{{"model":"scripted","input":"say {}","store":false}}"#,
            if round == 0 { &padding } else { "x" }
        );
        let ask = format!(
            "POST /v1/responses HTTP/1.1\r\nhost: g\r\nidempotency-key: k{round}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut asking = JoinSet::new();
        for mut client in clients.drain(..) {
            let ask = ask.clone();
            asking.spawn(async move {
                client.write_all(ask.as_bytes()).await.unwrap();
                let answered = answered(&mut client).await;
                (answered, client)
            });
        }
        while let Some(done) = asking.join_next().await {
            let (answered, client) = done.unwrap();
            assert!(answered, "round {round}: no answer within five seconds");
            clients.push(client);
        }
    }
}

/// A client that hangs up on a folded answer is gone.
#[tokio::test]
async fn a_folded_request_whose_client_hangs_up_ends_after_its_grace() {
    let gateway = Running::with("gateway.limits.grace_seconds = 0\n");
    let mut io = TcpStream::connect(gateway.address).await.unwrap();
    let body = r#"{"model":"scripted","input":"pause 600000","store":false}"#;
    let ask = format!("POST /v1/responses HTTP/1.1\r\nhost: g\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    io.write_all(ask.as_bytes()).await.unwrap();
    let running = async || of::<u64>(&gateway.get("/readyz").await.1, "running");
    while running().await == 0 {}
    drop(io);
    let ended = tokio::time::timeout(Duration::from_secs(5), async { while running().await > 0 {} }).await;
    assert!(ended.is_ok());
}
