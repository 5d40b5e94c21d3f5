//! Frames as a server of flesh and blood sends them.

use std::time::{Duration, SystemTime};

use futures_util::{SinkExt, StreamExt};
use responses::chain::Mode;
use responses::item::Item;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::memory::raw;
use crate::support::{Talk, answered, settings};

const TABLE: &str = "supports_websockets = true\nwebsocket_age_limit_ms = 36000000";

async fn accepted(arriving: &mut mpsc::Receiver<std::io::Result<DuplexStream>>) -> WebSocketStream<DuplexStream> {
    accept_async(arriving.recv().await.unwrap().unwrap()).await.unwrap()
}

fn answer() -> [String; 2] {
    let created = r#"{"type":"response.created","response":{"id":"r","output":[]}}"#.to_owned();
    let item = r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hello"}]}"#;
    let completed =
        format!(r#"{{"type":"response.completed","response":{{"id":"r","status":"completed","output":[{item}]}}}}"#);
    [created, completed]
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_while_a_large_message_leaves() {
    let (client, mut arriving) = raw(TABLE);
    let mut talk = Talk::with(&client, Mode::WebSocket).patiently();
    talk.conversation.connect().await.unwrap();
    let mut server = accepted(&mut arriving).await;
    let said = vec![Item::user(&"long ".repeat(600_000))];
    talk.conversation.submit(said, settings()).await.unwrap().unwrap();
    server.send(Message::Ping("there?".into())).await.unwrap();
    let first = server.next().await.unwrap().unwrap();
    assert_eq!(first, Message::Pong("there?".into()), "the pong waits for no more than a piece");
    let second = server.next().await.unwrap().unwrap();
    assert!(second.is_text() && second.len() > 3_000_000);
    for event in answer() {
        server.send(Message::text(event)).await.unwrap();
    }
    assert!(answered(&talk.ended().await));
}

#[tokio::test(start_paused = true)]
async fn messages_in_pieces_with_pings_between_them_are_read() {
    let (client, mut arriving) = raw(TABLE);
    let mut talk = Talk::with(&client, Mode::WebSocket).patiently();
    talk.conversation.submit(vec![Item::user("hi")], settings()).await.unwrap().unwrap();
    let mut server = accepted(&mut arriving).await;
    assert!(server.next().await.unwrap().unwrap().is_text());
    for event in answer() {
        let (head, tail) = event.split_at(event.len() / 2);
        server.send(Message::Frame(Frame::message(head.to_owned(), OpCode::Data(Data::Text), false))).await.unwrap();
        server.send(Message::Ping("now".into())).await.unwrap();
        server.send(Message::Frame(Frame::message(tail.to_owned(), OpCode::Data(Data::Continue), true))).await.unwrap();
    }
    assert!(answered(&talk.ended().await));
}

#[tokio::test(start_paused = true)]
async fn a_farewell_of_the_server_between_turns_is_answered_and_the_next_turn_goes_on() {
    let (client, mut arriving) = raw(TABLE);
    let mut talk = Talk::with(&client, Mode::WebSocket).patiently();
    for _ in 0..2 {
        talk.conversation.submit(vec![Item::user("hi")], settings()).await.unwrap().unwrap();
        let mut server = accepted(&mut arriving).await;
        assert!(server.next().await.unwrap().unwrap().is_text());
        for event in answer() {
            server.send(Message::text(event)).await.unwrap();
        }
        assert!(answered(&talk.ended().await));
        server.close(None).await.unwrap();
        while let Some(message) = server.next().await {
            assert!(message.is_err() || message.unwrap().is_close(), "the client says goodbye, and nothing else");
        }
    }
    assert_eq!(talk.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_form_in_which_servers_say_when_to_come_back_is_kept_to() {
    let wait = Duration::from_mins(50);
    let reset = (SystemTime::now() + wait).duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let limit = r#""type":"usage_limit_reached","message""#;
    for error in [
        format!(r#"{{{limit}:"later","resets_at":{reset}}}"#),
        format!(r#"{{{limit}:"later","resets_in_seconds":3000}}"#),
        format!(r#"{{{limit}:"later","headers":{{"retry-after":"3000"}}}}"#),
        format!(r#"{{{limit}:"later","headers":{{"retry-after-ms":"3000000"}}}}"#),
        r#"{"code":"rate_limit_exceeded","message":"Please try again in 3000s."}"#.to_owned(),
        r#"{"code":"rate_limit_exceeded","message":"Please try again in 50m0s."}"#.to_owned(),
    ] {
        let (client, mut arriving) = raw(TABLE);
        let mut talk = Talk::with(&client, Mode::WebSocket).patiently();
        talk.conversation.submit(vec![Item::user("hi")], settings()).await.unwrap().unwrap();
        let mut server = accepted(&mut arriving).await;
        assert!(server.next().await.unwrap().unwrap().is_text());
        let began = Instant::now();
        server.send(Message::text(format!(r#"{{"type":"error","status":429,"error":{error}}}"#))).await.unwrap();
        while !server.next().await.unwrap().unwrap().is_text() {}
        let took = began.elapsed();
        assert!(took + Duration::from_secs(2) > wait && took < wait + Duration::from_secs(2), "{error}: {took:?}");
        for event in answer() {
            server.send(Message::text(event)).await.unwrap();
        }
        assert!(answered(&talk.ended().await));
    }
}
