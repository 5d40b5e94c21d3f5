//! `capstan serve` as a process: from its start to its end, whoever brings it about.

mod client;
mod crash;
#[cfg(target_os = "linux")]
mod crowd;

use std::net::TcpListener;

use tokio::net::TcpStream;

use crate::support::Room;
use client::{Served, ask, begin, body, response_of, said, soon, text_of};

/// Waits until nobody can reach it any more: the first signal was heard.
async fn until_closed(address: &str) {
    soon(async { while TcpStream::connect(address).await.is_ok() {} }).await;
}

#[tokio::test]
async fn on_a_signal_what_runs_ends_well_and_everybody_is_told() {
    for signal in ["TERM", "INT"] {
        let room = Room::empty();
        let data = tempfile::tempdir().unwrap();
        let served = Served::start(&room, data.path(), &[]).await;
        let mut busy = served.socket().await;
        busy.create(r#""input":"say first\npause 300\nsay last""#).await.unwrap();
        soon(busy.hear()).await.unwrap();
        let mut idle = served.socket().await;
        let streamed = body(r#""input":"say a\npause 300\nsay b","stream":true"#);
        let mut stream_end = soon(begin(&served.address, "POST", "/v1/responses", &streamed)).await.unwrap();
        soon(async { while served.number("capstan_responses_running").await < 2 {} }).await;
        served.signal(signal).await;
        let last = soon(busy.answer()).await.unwrap();
        assert_eq!(text_of(&last, "type"), "response.completed", "{last}");
        for socket in [&mut busy, &mut idle] {
            let notice = soon(socket.hear()).await.expect("it is told");
            assert_eq!(text_of(&notice, "error.code"), "websocket_connection_limit_reached");
            assert_eq!(soon(socket.hear()).await, None);
        }
        let mut stream = String::new();
        soon(tokio::io::AsyncReadExt::read_to_string(&mut stream_end, &mut stream)).await.unwrap();
        assert!(stream.contains("event: response.completed") && stream.contains("data: [DONE]"), "{stream}");
        let address = served.address.clone();
        assert_eq!(served.ended().await, Some(0), "{signal}");
        assert!(TcpStream::connect(&address).await.is_err());
        // What was said before the end is there after it.
        let served = Served::start(&room, data.path(), &[]).await;
        let response = response_of(&last);
        assert_eq!(served.get(&format!("/v1/responses/{}", text_of(&response, "id"))).await, (200, response));
        served.kill().await;
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (room, data) = (Room::empty(), tempfile::tempdir().unwrap());
    let served = Served::start(&room, data.path(), &[]).await;
    let mut socket = served.socket().await;
    socket.create(r#""input":"say first\npause 3000000\nsay last""#).await.unwrap();
    soon(socket.hear()).await.unwrap();
    served.signal("TERM").await;
    until_closed(&served.address).await;
    served.signal("TERM").await;
    // Neither the end of its response nor a farewell: a drain would have had both.
    let mut heard = Vec::new();
    while let Some(text) = soon(socket.hear()).await {
        heard.push(text_of(&text, "type"));
    }
    assert!(heard.iter().all(|kind| kind != "error" && kind != "response.incomplete"), "{heard:?}");
    assert_eq!(served.ended().await, Some(1));
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_with_the_next_step() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = Room::empty().run(&["serve", "--listen", &address]).await;
    let refusal = ran.refusal();
    assert!(refusal.starts_with(&format!("error: {address} cannot be listened on: ")), "{refusal}");
    assert!(refusal.ends_with("choose another address with --listen\n"), "{refusal}");
}

#[tokio::test]
async fn settings_that_are_wrong_are_shown_line_by_line() {
    for (text, quoted, why) in [
        ("[gateway]\n# here\nlisten = \"nowhere\"\n", "3 | listen = \"nowhere\"", "an address and a port"),
        ("[gateway.limits]\nconcurrency = 0\n", "2 | concurrency = 0", "1 to 1000000"),
        ("[gateway]\nwebsocket = true\n", "2 | websocket = true", "websockets"),
        ("[gateway]\nmodels = { fast = [\"nobody/m\"] }\n", "2 | models = { fast = [\"nobody/m\"] }", "nobody"),
        ("[gateway\n", "1 | [gateway", ""),
    ] {
        let room = Room::empty();
        let file = room.file("gateway.toml", text);
        let ran = room.run(&["serve", "--config", file.to_str().unwrap(), "--listen", "127.0.0.1:0"]).await;
        let refusal = ran.refusal();
        assert!(refusal.starts_with("error: ") && refusal.contains("gateway.toml"), "{refusal}");
        assert!(refusal.contains(quoted) && refusal.contains(why), "{text:?}: {refusal}");
    }
    let missing = Room::empty().run(&["serve", "--config", "/no/such/file.toml"]).await;
    assert!(missing.refusal().contains("/no/such/file.toml"), "{missing:?}");
}

#[tokio::test]
async fn for_others_it_listens_only_with_keys_and_says_how_to_get_one() {
    let room = Room::empty();
    let refused = room.run(&["serve", "-c", "gateway.discover=false", "--listen", "0.0.0.0:0"]).await;
    let refusal = refused.refusal();
    assert!(
        refusal.contains("asks for API keys") && refusal.contains("`capstan keys create NAME --file "),
        "{refusal}"
    );
    // What it says is done, word by word.
    assert_eq!(room.run(&["keys", "create", "NAME"]).await.code, Some(0));
    let data = room.file(".capstan/gateway/marker", "");
    let served = Served::start_at("0.0.0.0:0", &room, data.parent().unwrap(), &[]).await;
    assert_eq!(served.get("/v1/models").await.0, 401);
    served.kill().await;
}

#[tokio::test]
async fn a_folder_is_of_one_gateway() {
    let (room, data) = (Room::empty(), tempfile::tempdir().unwrap());
    let served = Served::start(&room, data.path(), &[]).await;
    let folder = data.path().to_str().unwrap();
    let second =
        room.run(&["serve", "-c", "gateway.discover=false", "--listen", "127.0.0.1:0", "--data", folder]).await;
    assert!(second.refusal().contains("another gateway uses it: stop that one first"), "{second:?}");
    assert_eq!(said(&served.create(r#""input":"say undisturbed""#).await), "undisturbed");
    served.kill().await;
    let served = Served::start(&room, data.path(), &[]).await;
    served.kill().await;
}

#[tokio::test]
async fn without_settings_it_serves_on_this_machine_and_asks_for_no_key() {
    let (room, data) = (Room::empty(), tempfile::tempdir().unwrap());
    let served = Served::start(&room, data.path(), &[]).await;
    assert!(served.address.starts_with("127.0.0.1:"), "{}", served.address);
    let (status, models) = served.get("/v1/models").await;
    assert_eq!((status, text_of(&models, "data.0.id")), (200, "scripted".into()), "{models}");
    assert_eq!(said(&served.create(r#""input":"hello""#).await), "You said: hello");
    let unknown = soon(ask(&served.address, "GET", "/v2/nothing", "")).await.unwrap();
    assert_eq!(unknown.0, 404);
    served.kill().await;
}

#[tokio::test]
async fn what_is_advised_where_keys_are_missing_helps_in_any_folder() {
    let (room, data) = (Room::empty(), tempfile::tempdir().unwrap());
    let folder = data.path().to_str().unwrap();
    let refused = room.run(&["serve", "-c", "gateway.discover=false", "--listen", "0.0.0.0:0", "--data", folder]).await;
    let advised = refused.refusal().split('`').nth(1).unwrap();
    let words: Vec<&str> = advised.split(' ').skip(1).collect();
    assert_eq!(room.run(&words).await.code, Some(0), "{advised}");
    let served = Served::start_at("0.0.0.0:0", &room, data.path(), &[]).await;
    assert_eq!(served.get("/v1/models").await.0, 401);
    served.kill().await;
}

#[tokio::test]
async fn a_signal_right_after_the_start_is_heard() {
    let (room, data) = (Room::empty(), tempfile::tempdir().unwrap());
    for _ in 0..5 {
        let served = Served::announced("127.0.0.1:0", &room, data.path(), &[]).await;
        served.signal("TERM").await;
        assert_eq!(served.ended().await, Some(0));
    }
}
