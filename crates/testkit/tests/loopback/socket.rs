//! WebSocket mode: continuation, warm-up, lanes, steers, interrupts.

use responses::chain::Transport;
use responses::event::ServerEvent;
use responses::fold::IncompleteReason;
use responses::item::Item;
use std::time::Duration;
use testkit::{FakeModel, Refusal, Script, Turn};

use crate::support::{Socket, after, create, ends, fold, hello, said, scripted, send, user};

#[tokio::test]
async fn a_continuation_sends_the_new_items_and_the_model_sees_all() {
    let model = hello().await;
    let mut socket = Socket::open(&model).await;
    let first = socket.ask(&create(&user("one"))).await;
    let second = socket.ask(&create(&(after(&first) + &user("two")))).await;
    assert_eq!((said(&first).as_str(), said(&second).as_str()), ("hello there", "hello there"));
    let seen = model.log().seen();
    assert_eq!(seen[1].items(), [Item::user("one"), first.output()[0].clone(), Item::user("two")]);
    assert_eq!((seen[1].transport, seen[1].new_items, seen[1].number), (Transport::WebSocket, 1, 2));
    assert_eq!(seen[1].previous.as_ref(), Some(first.id()));
    model.stop().await;
}

#[tokio::test]
async fn a_warm_up_takes_no_turn_and_can_be_continued() {
    let model = scripted([Turn::new().message("only once")]).await;
    let mut socket = Socket::open(&model).await;
    let warm = socket.ask(&create(&format!(r#","generate":false{}"#, user("one")))).await;
    assert!(warm.output().is_empty());
    let answer = socket.ask(&create(&(after(&warm) + &user("two")))).await;
    assert_eq!(said(&answer), "only once");
    assert_eq!(model.log().seen()[0].items(), [Item::user("one"), Item::user("two")]);
    model.stop().await;
}

#[tokio::test]
async fn two_lanes_speak_at_the_same_time() {
    let slowly = || Turn::new().message("hello there").pace(1, Duration::from_millis(5));
    let model = scripted([slowly(), slowly()]).await;
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&(r#","stream_id":"a""#.to_owned() + &user("to a")))).await;
    socket.send(&create(&(r#","stream_id":"b""#.to_owned() + &user("to b")))).await;
    let (mut lanes, mut order) = ([Vec::new(), Vec::new()], Vec::new());
    while !lanes.iter().all(|texts| texts.last().is_some_and(|text: &String| ends(text))) {
        let text = socket.next().await.unwrap();
        let lane = usize::from(ServerEvent::parse(&text).unwrap().lane.unwrap() == "b");
        order.push(lane);
        lanes[lane].push(text);
    }
    for texts in &lanes {
        assert_eq!(said(&fold(texts)), "hello there");
    }
    let changes = order.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(changes > 2, "they take turns: {order:?}");
    model.stop().await;
}

#[tokio::test]
async fn a_response_is_recalled_from_another_socket_only_if_it_was_stored() {
    let model = hello().await;
    let stored = create(&user("one")).replace(r#""store":false"#, r#""store":true"#);
    let mut socket = Socket::open(&model).await;
    let (stored, lost) = (socket.ask(&stored).await, socket.ask(&create(&user("two"))).await);
    let mut other = Socket::open(&model).await;
    other.ask(&create(&(after(&stored) + &user("three")))).await;
    assert_eq!(model.log().seen()[2].items().len(), 3);
    other.send(&create(&(after(&lost) + &user("four")))).await;
    let texts = other.response().await;
    assert!(texts[0].contains("previous_response_not_found"), "{texts:?}");
    let found = send(&model, "GET", &format!("/v1/responses/{}", stored.id()), "").await;
    assert_eq!(found.status(), 200);
    model.stop().await;
}

#[tokio::test]
async fn an_error_turn_is_an_event_and_the_socket_stays() {
    let refusal = Refusal::new(503, "server_is_overloaded", "full").retry_after(3);
    let model = scripted([Turn::new().error(refusal), Turn::new().message("now")]).await;
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("one"))).await;
    let texts = socket.response().await;
    assert!(texts[0].starts_with(r#"{"type":"error","status":503,"#), "{texts:?}");
    assert!(texts[0].contains(r#""headers":{"retry-after":"3"}"#));
    assert_eq!(said(&socket.ask(&create(&user("one"))).await), "now");
    model.stop().await;
}

#[tokio::test]
async fn a_silent_turn_can_be_interrupted_and_keeps_what_is_whole() {
    let model = scripted([Turn::new().message("whole").silence()]).await;
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("one"))).await;
    let mut texts = Vec::new();
    while !texts.last().is_some_and(|text: &String| text.contains("output_item.done")) {
        texts.push(socket.next().await.unwrap());
    }
    let id = model.log().seen()[0].response.clone();
    socket
        .send(&format!(r#"{{"type":"response.interrupt","response_id":"{id}","mode":"discard_partial_items"}}"#))
        .await;
    assert!(socket.next().await.unwrap().contains("response.interrupt.accepted"));
    texts.extend(socket.response().await);
    let response = fold(&texts);
    assert_eq!(response.incomplete_reason(), Some(&IncompleteReason::Interrupted));
    assert_eq!(said(&response), "whole");
    model.stop().await;
}

#[tokio::test]
async fn a_steer_ends_the_response_early_and_a_successor_follows() {
    let slow = Turn::new().message("first").message("second").pace(1, Duration::from_millis(2));
    let model = scripted([slow, Turn::new().message("steered")]).await;
    let mut socket = Socket::open(&model).await;
    socket.send(&create(&user("one"))).await;
    let mut texts = vec![socket.next().await.unwrap()];
    let id = model.log().seen()[0].response.clone();
    socket.send(&format!(r#"{{"type":"response.steer","previous_response_id":"{id}","input":"left"}}"#)).await;
    texts.extend(socket.response().await);
    texts.retain(|text| !text.contains("response.steer.accepted"));
    assert_eq!(fold(&texts).incomplete_reason(), Some(&IncompleteReason::Steered));
    let successor = fold(&socket.response().await);
    assert_eq!(said(&successor), "steered");
    let items = model.log().seen()[1].items();
    assert_eq!(items.last().unwrap().text(), Item::user("left").text());
    model.stop().await;
}

#[tokio::test]
async fn a_model_can_answer_what_it_sees() {
    let model = FakeModel::respond_with(|seen| Turn::new().message(format!("I see {} items", seen.items().len())));
    let model = model.start_loopback().await.unwrap();
    let mut socket = Socket::open(&model).await;
    let first = socket.ask(&create(&user("one"))).await;
    let second = socket.ask(&create(&(after(&first) + &user("two")))).await;
    assert_eq!((said(&first).as_str(), said(&second).as_str()), ("I see 1 items", "I see 3 items"));
    model.stop().await;
}

#[tokio::test]
async fn a_binary_message_is_refused() {
    use futures_util::SinkExt;
    let model = FakeModel::scripted(Script::default()).start_loopback().await.unwrap();
    let mut socket = Socket::open(&model).await;
    let frame = tokio_tungstenite::tungstenite::Message::binary(b"{}".to_vec());
    socket.0.send(frame).await.unwrap();
    assert!(socket.next().await.unwrap().contains(r#""type":"error""#));
    model.stop().await;
}
