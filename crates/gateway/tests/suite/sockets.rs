//! WebSocket mode, rule by rule, as a client meets it.

use futures_util::{SinkExt, StreamExt};
use responses::json::Json;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Running, of, said, soon, text_of};

#[tokio::test]
async fn thirty_rounds_of_tools_go_over_one_socket_with_new_items_only() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    let mut made = socket.made(r#""store":false,"input":"rounds 30 step""#).await;
    for round in 1..=30 {
        assert_eq!(text_of(&made, "output.0.type"), "function_call", "round {round}: {made}");
        let (id, call) = (text_of(&made, "id"), text_of(&made, "output.0.call_id"));
        let output = format!(r#"{{"type":"function_call_output","call_id":"{call}","output":"ok"}}"#);
        made = socket.made(&format!(r#""store":false,"previous_response_id":"{id}","input":[{output}]"#)).await;
    }
    assert_eq!(said(&made), "done after 30 rounds");
    gateway.stop().await;
}

#[tokio::test]
async fn a_lane_that_floods_does_not_hold_up_another() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    socket.create(r#""input":"count 20000","stream_id":"flood","store":false"#).await;
    socket.hear().await.unwrap();
    socket.create(r#""input":"say quick","stream_id":"quick","store":false"#).await;
    let (mut before, mut ended) = (0_usize, Vec::new());
    while ended.len() < 2 {
        let text = socket.hear().await.unwrap();
        let lane = text_of(&text, "stream_id");
        if text_of(&text, "type") == "response.completed" {
            ended.push(lane);
        } else if lane == "flood" && ended.is_empty() {
            before += 1;
        }
    }
    assert_eq!(ended, ["quick", "flood"]);
    assert!(before < 15_000, "{before} events of the flood came first");
    gateway.stop().await;
}

#[tokio::test]
async fn malformed_frames_of_every_kind_are_answered_and_the_socket_stays() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    let deep = format!(r#"{{"type":"response.create","input":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for frame in [
        "",
        "{",
        "null",
        "[]",
        "7",
        "\"text\"",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"unheard.of"}"#,
        r#"{"type":"response.create"}"#,
        r#"{"type":"response.create","model":7}"#,
        r#"{"type":"response.create","model":"scripted","input":7}"#,
        r#"{"type":"response.create","model":"scripted","input":"x","stream_id":""}"#,
        r#"{"type":"response.create","model":"scripted","input":"x","stream_id":"a b"}"#,
        r#"{"type":"response.create","model":"scripted","model":"scripted","input":"x"}"#,
        r#"{"type":"response.create","model":"scripted","input":"x","background":true}"#,
        r#"{"type":"response.create","model":"nobody","input":"x"}"#,
        r#"{"type":"response.create","model":"scripted","input":"x","previous_response_id":"resp_no"}"#,
        r#"{"type":"response.create","model":"scripted","input":"x","temperature":"hot"}"#,
        r#"{"type":"response.create","model":"scripted","input":"x","conversation":"conv_1"}"#,
        r#"{"type":"response.cancel","response_id":"resp_no"}"#,
        r#"{"type":"response.resume"}"#,
        &deep,
    ] {
        socket.say(frame).await;
        let answer = soon(socket.hear()).await.unwrap_or_else(|| panic!("closed after {frame:.60}"));
        assert_eq!(text_of(&answer, "type"), "error", "{frame:.60}: {answer}");
        assert!((400..500).contains(&of::<u64>(&answer, "status")), "{frame:.60}: {answer}");
        assert!(!text_of(&answer, "error.message").is_empty(), "{frame:.60}: {answer}");
    }
    socket.0.send(Message::Binary(vec![0xff; 10].into())).await.unwrap();
    assert_eq!(text_of(&socket.hear().await.unwrap(), "type"), "error");
    assert_eq!(said(&socket.made(r#""input":"say still here""#).await), "still here");
    for (frame, failed) in [
        (r#"{"type":"response.steer","previous_response_id":"resp_no","input":"x"}"#, "response.steer.failed"),
        (r#"{"type":"response.inject","response_id":"resp_no","input":[]}"#, "response.inject.failed"),
        (r#"{"type":"response.interrupt","response_id":"resp_no"}"#, "response.interrupt.failed"),
    ] {
        socket.say(frame).await;
        assert_eq!(text_of(&socket.hear().await.unwrap(), "type"), failed);
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_message_that_is_too_large_closes_the_socket_with_the_code_that_clients_know() {
    let gateway = Running::with("gateway.limits.frame_bytes = 65536");
    let mut socket = gateway.socket().await;
    let large = "x".repeat(70_000);
    let _ = socket
        .0
        .send(Message::text(format!(r#"{{"type":"response.create","model":"scripted","input":"{large}"}}"#)))
        .await;
    let closed = loop {
        match soon(socket.0.next()).await {
            Some(Ok(Message::Close(frame))) => break frame.map(|frame| frame.code),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(closed, Some(CloseCode::Size));
    let body = format!(r#""input":"{large}","store":false"#);
    assert_eq!(gateway.post(&body).await.0, 200, "over HTTP it is taken");
    gateway.stop().await;
}

#[tokio::test]
async fn sockets_that_are_switched_off_are_refused_with_426_and_never_else() {
    let gateway = Running::with("gateway.websockets = false");
    match gateway.socket_with(&[]).await.map(|_| ()) {
        Err(Error::Http(reply)) => assert_eq!(reply.status(), 426),
        other => panic!("{other:?}"),
    }
    gateway.create(r#""input":"say over http""#).await;
    gateway.stop().await;
}

#[tokio::test]
async fn an_interrupted_response_keeps_what_is_whole_and_is_gone_on_from() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    socket.create(r#""input":"say whole\npace 60000\nsay never ever","store":false"#).await;
    let mut id = String::new();
    loop {
        let text = socket.hear().await.unwrap();
        match &*text_of(&text, "type") {
            "response.created" => id = text_of(&text, "response.id"),
            "response.output_item.added" if of::<u32>(&text, "output_index") == 1 => break,
            _ => {}
        }
    }
    socket.say(format!(r#"{{"type":"response.interrupt","response_id":"{id}","mode":"discard_partial_items"}}"#)).await;
    let rest = socket.answer().await;
    let kinds: Vec<String> = rest.iter().map(|event| text_of(event, "type")).collect();
    assert!(kinds.contains(&"response.interrupt.accepted".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"response.output_item.interrupted".to_owned()), "{kinds:?}");
    let last = rest.last().unwrap();
    assert_eq!(text_of(last, "response.incomplete_details.reason"), "interrupted");
    let output: Vec<Json> = of(last, "response.output");
    assert_eq!(output.len(), 1);
    let next = socket.made(&format!(r#""input":"say on","store":false,"previous_response_id":"{id}""#)).await;
    assert_eq!(said(&next), "on");
    gateway.stop().await;
}

#[tokio::test]
async fn a_gateway_that_ends_says_so_and_lets_what_runs_end() {
    let mut gateway = Running::start();
    let mut socket = gateway.socket().await;
    socket.create(r#""input":"say first\npause 200\nsay last","store":false"#).await;
    socket.hear().await.unwrap();
    gateway.ask_to_stop();
    let answer = socket.answer().await;
    assert_eq!(text_of(answer.last().unwrap(), "type"), "response.completed");
    let notice = socket.hear().await.unwrap();
    assert_eq!(text_of(&notice, "error.code"), "websocket_connection_limit_reached");
    match soon(socket.0.next()).await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(frame.code, CloseCode::Away),
        other => panic!("{other:?}"),
    }
    gateway.stop().await;
}
