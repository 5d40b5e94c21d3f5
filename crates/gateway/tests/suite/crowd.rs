//! Many clients at once, some of them with no manners: each gets its answer, and nothing of any of them stays.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::SinkExt;
use hyper::Method;
use responses::json::Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::{Running, Socket, events, of, said, soon, text_of};

/// An answer that no buffer on the way can hold.
const FLOOD: &str = r#""input":"bytes 50000000","store":false"#;

/// Waits until nothing runs, nothing waits and no socket is open.
async fn until_idle(gateway: &Running) {
    for number in ["capstan_sockets", "capstan_responses_running", "capstan_responses_waiting"] {
        let line = format!("\n{number} 0\n");
        soon(async { while !gateway.get("/metrics").await.1.contains(&line) {} }).await;
    }
}

/// A number that the gateway counts.
async fn number(gateway: &Running, name: &str) -> u64 {
    let (_, counted) = gateway.get("/metrics").await;
    let value = counted.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

/// Bytes that are to be sent as they are; what comes back, until the connection is over.
async fn raw(address: SocketAddr, bytes: &[u8], hangs_up: bool) -> Vec<u8> {
    let mut io = TcpStream::connect(address).await.unwrap();
    // Who is refused may find that nobody reads the rest.
    let _ = io.write_all(bytes).await;
    let mut answer = Vec::new();
    if !hangs_up {
        let _ = soon(io.read_to_end(&mut answer)).await;
    }
    answer
}

fn handshake(address: SocketAddr) -> String {
    let upgrade = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13";
    format!(
        "GET /v1/responses HTTP/1.1\r\nhost: {address}\r\n{upgrade}\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// Makes one response in the way of the client of this number, and looks whether it is its own.
async fn one_of_many(gateway: Arc<Running>, number: usize) {
    let text = format!("I am client {number}");
    let fields = format!(r#""input":"say {text}","store":false"#);
    match number % 3 {
        0 => assert_eq!(said(&gateway.create(&fields).await), text),
        1 => {
            let (status, stream) = gateway.post(&format!(r#"{fields},"stream":true"#)).await;
            assert_eq!(status, 200, "{stream}");
            let last = events(&stream).pop().unwrap();
            assert_eq!(said(of::<Json>(&last, "response").text()), text);
        }
        _ => {
            let mut socket = gateway.socket().await;
            let made = socket.made(&fields).await;
            assert_eq!(said(&made), text);
            let previous = text_of(&made, "id");
            let next =
                socket.made(&format!(r#""input":"recall","store":false,"previous_response_id":"{previous}""#)).await;
            assert_eq!(said(&next), format!("say {text}"));
        }
    }
}

#[tokio::test]
async fn three_hundred_clients_at_once_each_get_their_own_answer() {
    let gateway = Arc::new(Running::start());
    let mut clients = JoinSet::new();
    for number in 0..300 {
        clients.spawn(one_of_many(Arc::clone(&gateway), number));
    }
    while let Some(ended) = soon(clients.join_next()).await {
        ended.unwrap();
    }
    until_idle(&gateway).await;
    let gateway = Arc::into_inner(gateway).unwrap();
    gateway.stop().await;
}

#[tokio::test]
async fn what_is_no_http_and_no_websocket_is_turned_away_and_leaves_nothing() {
    let gateway = Running::start();
    let address = gateway.address;
    let long = format!("GET /{} HTTP/1.1\r\nhost: g\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(1000));
    for (what, bytes) in [
        ("another protocol", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("noise", (0..=255).cycle().take(70_000).collect()),
        ("nuls", vec![0; 4096]),
        ("a long line", long.into_bytes()),
        ("many headers", many.into_bytes()),
        ("two lengths", b"POST /v1/responses HTTP/1.1\r\nhost: g\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
        ("a wrong length", b"POST /v1/responses HTTP/1.1\r\nhost: g\r\ncontent-length: -1\r\n\r\n{}".to_vec()),
        ("a wrong chunk", b"POST /v1/responses HTTP/1.1\r\nhost: g\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec()),
        ("http/2 and noise", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnoise noise noise noise".to_vec()),
        ("a method", b"BREW /v1/responses HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n".to_vec()),
        ("no utf-8", b"POST /v1/responses HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: 2\r\n\r\n\xff\xfe".to_vec()),
        ("bad zstd", b"POST /v1/responses HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-encoding: zstd\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
        ("br", b"POST /v1/responses HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
    ] {
        let answer = raw(address, &bytes, false).await;
        let shown = String::from_utf8_lossy(&answer);
        let is_refusal = shown.is_empty() || shown.starts_with("HTTP/1.1 4") || !shown.starts_with("HTTP/1");
        assert!(is_refusal, "{what}: {shown}");
        raw(address, &bytes, true).await;
        assert_eq!(said(&gateway.create(r#""input":"say undisturbed","store":false"#).await), "undisturbed", "{what}");
    }
    until_idle(&gateway).await;
    gateway.stop().await;
}

#[tokio::test]
async fn frames_that_are_none_end_their_socket_and_no_other() {
    let gateway = Running::start();
    let mut other = gateway.socket().await;
    let masked = |opcode: u8, length: u8| vec![opcode, 0x80 | length, 0, 0, 0, 0];
    for (what, frame) in [
        ("not masked", vec![0x81, 0x01, b'x']),
        ("a reserved opcode", masked(0x83, 0)),
        ("reserved bits", masked(0xf1, 0)),
        ("a long ping", [vec![0x89, 0xfe, 0, 200, 0, 0, 0, 0], vec![0; 200]].concat()),
        ("a ping in pieces", masked(0x09, 0)),
        ("a continuation of nothing", masked(0x80, 0)),
        ("a text within a text", [masked(0x01, 0), masked(0x81, 0)].concat()),
        ("no utf-8", [masked(0x81, 2), vec![0xff, 0xfe]].concat()),
        ("too long", vec![0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
        ("a close of one byte", [masked(0x88, 1), vec![3]].concat()),
        ("a close with a strange code", [masked(0x88, 2), vec![0, 5]].concat()),
        ("half a frame, and nobody there", vec![0x81, 0xfe, 0x10]),
    ] {
        let bytes = [handshake(gateway.address).into_bytes(), frame].concat();
        if what.ends_with("nobody there") {
            raw(gateway.address, &bytes, true).await;
        } else {
            let answer = raw(gateway.address, &bytes, false).await;
            assert!(answer.starts_with(b"HTTP/1.1 101 "), "{what}");
        }
        assert_eq!(said(&other.made(r#""input":"say undisturbed","store":false"#).await), "undisturbed", "{what}");
    }
    drop(other);
    until_idle(&gateway).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_message_in_pieces_is_one_message() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    let text = r#"{"type":"response.create","model":"scripted","input":"say whole","store":false}"#;
    let last = text.len() - 1;
    for (at, byte) in text.bytes().enumerate() {
        let opcode = OpCode::Data(if at == 0 { Data::Text } else { Data::Continue });
        socket.0.send(Message::Frame(Frame::message(vec![byte], opcode, at == last))).await.unwrap();
        if at == last / 2 {
            socket.0.send(Message::Ping(vec![1, 2, 3].into())).await.unwrap();
        }
    }
    assert_eq!(said(of::<Json>(socket.answer().await.last().unwrap(), "response").text()), "whole");
    gateway.stop().await;
}

#[tokio::test]
async fn clients_that_leave_at_every_point_leave_nothing_behind() {
    let gateway = Running::with("gateway.limits.grace_seconds = 0");
    let address = gateway.address;
    let body = r#"{"model":"scripted","input":"count 50\npause 60000\nsay b","store":false,"stream":true}"#;
    let post = format!("POST /v1/responses HTTP/1.1\r\nhost: g\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    for cut in (0..post.len()).step_by(7) {
        raw(address, &post.as_bytes()[..cut], true).await;
    }
    let upgrade = handshake(address);
    for cut in (0..upgrade.len()).step_by(7) {
        raw(address, &upgrade.as_bytes()[..cut], true).await;
    }
    // In the middle of a stream, of a folded answer, of a response over a socket.
    for fields in [r#""stream":true"#, r#""stream":false"#] {
        let body = format!(r#"{{"model":"scripted","input":"say a\npause 60000\nsay b",{fields}}}"#);
        let post = format!("POST /v1/responses HTTP/1.1\r\nhost: g\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let mut io = TcpStream::connect(address).await.unwrap();
        io.write_all(post.as_bytes()).await.unwrap();
        soon(async { while number(&gateway, "capstan_responses_running").await == 0 {} }).await;
        drop(io);
        until_idle(&gateway).await;
    }
    for heard in 0..6 {
        let mut socket = gateway.socket().await;
        socket.create(r#""input":"say a\npause 60000\nsay b","store":false"#).await;
        for _ in 0..heard {
            socket.hear().await.unwrap();
        }
        drop(socket);
        until_idle(&gateway).await;
    }
    gateway.stop().await;
}

#[tokio::test]
async fn those_who_read_nothing_slow_down_nobody_and_are_forgotten_when_they_leave() {
    let gateway = Running::with("gateway.limits.grace_seconds = 0");
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut socket = gateway.socket().await;
        socket.create(FLOOD).await;
        socket.create(&format!(r#"{FLOOD},"stream_id":"other""#)).await;
        let body = format!(r#"{{"model":"scripted",{FLOOD},"stream":true}}"#);
        let stream = gateway.send(Method::POST, "/v1/responses", &[], &body).await;
        slow.push((socket, stream));
    }
    assert_eq!(number(&gateway, "capstan_responses_running").await, 12);
    let mut quick = gateway.socket().await;
    for _ in 0..200 {
        assert_eq!(said(&quick.made(r#""input":"say quick","store":false"#).await), "quick");
        assert_eq!(said(&gateway.create(r#""input":"say quick","store":false"#).await), "quick");
    }
    // They have not ended meanwhile, as they would have if somebody had read.
    assert_eq!(number(&gateway, "capstan_responses_running").await, 12);
    drop((quick, slow));
    until_idle(&gateway).await;
    let made = number(&gateway, "capstan_events_total").await;
    assert!(made < 12 * 16_000, "{made} events of a kibibyte");
    gateway.stop().await;
}

#[tokio::test]
async fn a_slow_reader_who_reads_after_all_gets_every_event_once() {
    let gateway = Running::start();
    let mut slow = gateway.socket().await;
    slow.create(r#""input":"bytes 12000000","store":false"#).await;
    let mut quick = gateway.socket().await;
    for _ in 0..50 {
        quick.made(r#""input":"say quick","store":false"#).await;
    }
    let (mut next, mut text) = (0_u64, String::new());
    loop {
        let event = slow.hear().await.unwrap();
        assert_eq!(of::<u64>(&event, "sequence_number"), next);
        next += 1;
        match &*text_of(&event, "type") {
            "response.output_text.delta" => text += &text_of(&event, "delta"),
            "response.completed" => break,
            _ => {}
        }
    }
    let expected: String = ('a'..='z').cycle().take(12_000_000).collect();
    assert!(text == expected, "{} bytes", text.len());
    gateway.stop().await;
}

#[tokio::test]
async fn a_client_that_asks_and_never_reads_is_not_read_from_without_end() {
    let gateway = Running::with("gateway.limits.grace_seconds = 0");
    let Socket(mut socket) = gateway.socket().await;
    // Each of these is answered with an error, and nobody reads it.
    let frame = format!(r#"{{"type":"nonsense","more":"{}"}}"#, "x".repeat(1000));
    let mut sent = 0_u64;
    let flood = async {
        while socket.send(Message::text(frame.clone())).await.is_ok() {
            sent += 1;
        }
    };
    let mut quick = gateway.socket().await;
    let others = async {
        for _ in 0..300 {
            assert_eq!(said(&quick.made(r#""input":"say quick","store":false"#).await), "quick");
        }
    };
    tokio::select! {
        () = flood => panic!("the socket was closed"),
        () = others => {}
    }
    assert!(sent < 200_000, "{sent} messages were taken");
    drop((socket, quick));
    until_idle(&gateway).await;
    gateway.stop().await;
}
