//! What is not to be stored is on no disk; what belongs to one key does not exist for another.

use std::path::Path;

use hyper::Method;

use crate::support::{Running, of, text_of};

const PLANTED: &str = "planted-fact-9b1c2e";

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

fn holds(folder: &Path, text: &str) -> bool {
    files(folder).iter().any(|(_, bytes)| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}

#[tokio::test]
async fn a_response_that_is_not_to_be_stored_never_touches_a_disk() {
    let gateway = Running::start();
    let folder = std::sync::Arc::clone(&gateway.folder);
    let unstored = format!(r#""input":"say {PLANTED}","store":false"#);
    gateway.create(&unstored).await;
    let mut socket = gateway.socket().await;
    let made = socket.made(&unstored).await;
    let next =
        format!(r#""input":"say {PLANTED} again","store":false,"previous_response_id":"{}""#, text_of(&made, "id"));
    socket.made(&next).await;
    socket.create(&format!(r#""input":"say {PLANTED}\nfail server_error x","store":false"#)).await;
    socket.answer().await;
    gateway.create(r#""input":"say stored-canary-55""#).await;
    gateway.stop().await;
    assert!(!holds(folder.path(), PLANTED));
    assert!(holds(folder.path(), "stored-canary-55"), "what is to be stored is there, so the search works");
}

#[tokio::test]
async fn what_is_not_stored_can_be_heard_again_and_not_be_looked_at() {
    let gateway = Running::start();
    let made = gateway.create(r#""input":"say hi","store":false"#).await;
    let id = text_of(&made, "id");
    for path in [format!("/v1/responses/{id}"), format!("/v1/responses/{id}/input_items")] {
        assert_eq!(gateway.get(&path).await.0, 404, "{path}");
    }
    let (status, text) = gateway.post(&format!(r#""input":"more","previous_response_id":"{id}""#)).await;
    assert_eq!((status.as_u16(), text_of(&text, "error.code")), (400, "previous_response_not_found".into()));
    assert_eq!(gateway.get(&format!("/v1/responses/{id}?stream=true")).await.0, 200);
    gateway.stop().await;
}

#[tokio::test]
async fn a_deleted_response_is_gone_from_every_memory() {
    let gateway = Running::start();
    let folder = std::sync::Arc::clone(&gateway.folder);
    let made = gateway.create(&format!(r#""input":"say {PLANTED}""#)).await;
    let id = text_of(&made, "id");
    let (status, text) = gateway.ask(Method::DELETE, &format!("/v1/responses/{id}"), "").await;
    assert_eq!((status.as_u16(), of::<bool>(&text, "deleted")), (200, true));
    for path in [format!("/v1/responses/{id}"), format!("/v1/responses/{id}?stream=true")] {
        assert_eq!(gateway.get(&path).await.0, 404, "{path}");
    }
    assert_eq!(gateway.post(&format!(r#""input":"more","previous_response_id":"{id}""#)).await.0, 400);
    assert_eq!(gateway.ask(Method::DELETE, &format!("/v1/responses/{id}"), "").await.0, 404);
    gateway.stop().await;
    assert!(!holds(folder.path(), PLANTED));
}
