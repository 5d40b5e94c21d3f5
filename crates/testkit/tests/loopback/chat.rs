//! The server of Chat Completions.

use testkit::ChatModel;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Error;

use crate::support::soon;

const HI: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;

async fn ask(model: &testkit::RunningChatModel, line: &str, body: &str) -> (String, String) {
    let mut io = TcpStream::connect(model.address()).await.unwrap();
    let length = body.len();
    let text = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    io.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(io.read_to_string(&mut answer)).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn each_request_gets_the_next_turn_as_it_was_written() {
    let model = ChatModel::scripted([vec![r#"{"n":1}"#, r#"{"n":2}"#], vec![]]).start_loopback().await.unwrap();
    assert_eq!(model.base_url(), format!("http://{}/v1", model.address()));
    let (head, first) = ask(&model, "POST /v1/chat/completions", HI).await;
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("content-type: text/event-stream"), "{head}");
    assert_eq!(first, "data: {\"n\":1}\n\ndata: {\"n\":2}\n\ndata: [DONE]\n\n");
    assert_eq!(ask(&model, "POST /v1/chat/completions", HI).await.1, "data: [DONE]\n\n");
    let (head, exhausted) = ask(&model, "POST /v1/chat/completions", HI).await;
    assert!(head.starts_with("HTTP/1.1 400 ") && exhausted.contains("script_exhausted"), "{head}: {exhausted}");
    assert_eq!(model.requests().iter().map(|request| request.body.as_str()).collect::<Vec<_>>(), [HI; 3]);
    model.stop().await;
}

#[tokio::test]
async fn it_knows_nothing_but_chat_completions() {
    let model = ChatModel::scripted([["{}"]]).start_loopback().await.unwrap();
    for line in ["POST /v1/responses", "GET /v1/chat/completions", "POST /chat/completions", "GET /v1/models"] {
        let (head, body) = ask(&model, line, HI).await;
        assert!(head.starts_with("HTTP/1.1 404 ") && body.contains(line), "{head}: {body}");
    }
    let io = TcpStream::connect(model.address()).await.unwrap();
    let url = format!("ws://{}/v1/responses", model.address());
    let Err(Error::Http(refused)) = soon(client_async(url, io)).await else { panic!("this is no socket") };
    assert_eq!(refused.status(), 404);
    assert_eq!(ask(&model, "POST /v1/chat/completions", HI).await.1, "data: {}\n\ndata: [DONE]\n\n");
    assert_eq!(model.requests().len(), 6);
    model.stop().await;
}
