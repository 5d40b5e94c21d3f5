//! The record of a model, and its end.

use futures_util::SinkExt;
use testkit::{Happened, Script};
use tokio::runtime::Handle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{Socket, body, create, hello, send, soon, stream, user};

#[tokio::test]
async fn everything_a_client_does_is_in_the_record() {
    let model = hello().await;
    let mut socket = Socket::open(&model).await;
    let frame = create(&user("hi"));
    socket.ask(&frame).await;
    socket.0.send(Message::Ping(Vec::new().into())).await.unwrap();
    let close = CloseFrame { code: CloseCode::Away, reason: "bye".into() };
    socket.0.send(Message::Close(Some(close))).await.unwrap();
    socket.rest().await;
    soon(model.log().until(|log| log.on_connection(1).contains(&Happened::Gone))).await;
    body(send(&model, "POST", "/v1/responses?a=b", r#"{"input":"hi"}"#).await).await;
    let happened = model.log().on_connection(1);
    let [Happened::Opened, Happened::Request(upgrade), rest @ ..] = &happened[..] else { panic!("{happened:?}") };
    assert_eq!((upgrade.method.as_str(), upgrade.path.as_str()), ("GET", "/v1/responses"));
    assert_eq!(upgrade.header("upgrade"), Some("websocket"));
    assert_eq!(rest, [Happened::Frame(frame.clone()), Happened::Ping, Happened::Close(Some(1001)), Happened::Gone]);
    assert_eq!(model.log().frames(), [frame]);
    let post = &model.log().requests()[1];
    assert_eq!((post.path.as_str(), post.body.as_str()), ("/v1/responses?a=b", r#"{"input":"hi"}"#));
    assert_eq!(post.header("content-type"), Some("application/json"));
    model.stop().await;
}

#[tokio::test]
async fn nothing_is_left_of_a_stopped_model() {
    let before = Handle::current().metrics().num_alive_tasks();
    let model = hello().await;
    let mut socket = Socket::open(&model).await;
    socket.ask(&create(&user("hi"))).await;
    let mut other = Socket::open(&model).await;
    other.send(&create(&user("hi"))).await;
    assert!(Handle::current().metrics().num_alive_tasks() > before);
    model.stop().await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before);
    socket.rest().await;
}

#[tokio::test]
async fn a_dropped_model_lets_go_of_its_clients() {
    let model = hello().await;
    let mut socket = Socket::open(&model).await;
    socket.ask(&create(&user("hi"))).await;
    drop(model);
    socket.rest().await;
}

#[tokio::test]
async fn the_example_script_can_be_played() {
    let script = Script::parse(include_str!("../../scripts/hello.toml")).unwrap();
    let model = testkit::FakeModel::scripted(script).start_loopback().await.unwrap();
    let (first, _) = stream(&model, &user("hi")).await;
    let (second, _) = stream(&model, &user("hi")).await;
    assert!(first.iter().any(|text| text.contains("final_answer")));
    assert!(second.iter().any(|text| text.contains("function_call_arguments.done")));
    model.stop().await;
}

#[test]
fn the_binary_says_where_it_listens_and_serves() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{Command, Stdio};
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/hello.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fake-model"));
    let mut child = command.args(["--script", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().trim_start_matches("http://").trim_end_matches("/v1");
    let mut client = std::net::TcpStream::connect(address).unwrap();
    client.write_all(b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("scripted"), "{answer}");
    child.kill().unwrap();
    child.wait().unwrap();
}
