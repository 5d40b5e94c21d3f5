//! Clients that vanish without a word, or stay and say nothing: the gateway notices, and lets go of what they held. In
//! virtual time.

use std::time::Duration;

use hyper::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::support::{Running, text_of};

/// Longer than any client that is not there is waited for, and how often it is looked whether it was let go.
const PATIENCE: Duration = Duration::from_mins(10);
const LOOK: Duration = Duration::from_secs(1);

/// An answer that no buffer on the way can hold.
const FLOOD: &str = r#""input":"bytes 50000000","store":false"#;

/// Waits until a number of the gateway is nought, and says how long that took; none if it does not happen.
async fn until_none(gateway: &Running, number: &str) -> Option<Duration> {
    let (began, line) = (Instant::now(), format!("\n{number} 0\n"));
    while began.elapsed() < PATIENCE {
        if gateway.get("/metrics").await.1.contains(&line) {
            return Some(began.elapsed());
        }
        sleep(LOOK).await;
    }
    None
}

/// How many events were made of responses that have ended.
async fn events_made(gateway: &Running) -> u64 {
    let (_, counted) = gateway.get("/metrics").await;
    let line = counted.lines().find_map(|line| line.strip_prefix("capstan_events_total "));
    line.unwrap().parse().unwrap()
}

/// A request, written by hand, to a gateway whose answer nobody is going to read.
async fn asked(gateway: &Running, fields: &str) -> TcpStream {
    let body = format!(r#"{{"model":"scripted",{fields}}}"#);
    let mut io = TcpStream::connect(gateway.address).await.unwrap();
    let head = format!("POST /v1/responses HTTP/1.1\r\nhost: g\r\ncontent-length: {}\r\n\r\n", body.len());
    io.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    io
}

#[tokio::test(start_paused = true)]
async fn a_socket_whose_client_reads_nothing_is_let_go_and_little_was_made_for_it() {
    let gateway = Running::with("gateway.limits.grace_seconds = 0");
    let mut slow = gateway.socket().await;
    slow.create(FLOOD).await;
    let gone = until_none(&gateway, "capstan_sockets").await.expect("its socket is let go");
    assert!(gone < Duration::from_mins(3), "{gone:?}");
    until_none(&gateway, "capstan_responses_running").await.expect("its response ends");
    // The buffers of the system hold some megabytes; all would have been fifty.
    let made = events_made(&gateway).await;
    assert!((1..16_000).contains(&made), "{made} events of a kibibyte");
    drop(slow);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_idle_and_answers_pings_is_kept() {
    let gateway = Running::start();
    let mut socket = gateway.socket().await;
    socket.made(r#""input":"say hi","store":false"#).await;
    let quiet = tokio::time::timeout(PATIENCE, futures_util::StreamExt::next(&mut socket.0));
    // The library answers pings for whoever reads; what it gives are the pings.
    let ping = quiet.await.expect("a ping comes").unwrap().unwrap();
    assert!(ping.is_ping(), "{ping:?}");
    for _ in 0..20 {
        let next = tokio::time::timeout(PATIENCE, futures_util::StreamExt::next(&mut socket.0)).await;
        assert!(next.unwrap().unwrap().unwrap().is_ping());
    }
    socket.made(r#""input":"say still here","store":false"#).await;
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_stops_in_the_middle_is_answered_and_over() {
    let gateway = Running::start();
    let mut io = TcpStream::connect(gateway.address).await.unwrap();
    let head = "POST /v1/responses HTTP/1.1\r\nhost: g\r\ncontent-length: 100000\r\n\r\n{\"model\":";
    io.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, io.read_to_string(&mut answer)).await.expect("it ends").unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_head_never_ends_is_over() {
    let gateway = Running::start();
    for begun in ["GET /healthz HTTP/1.1\r\nhost: g\r\n", "GET /healthz HTTP/1.1\r\nhost: g\r\n\r\n"] {
        let mut io = TcpStream::connect(gateway.address).await.unwrap();
        io.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, io.read_to_end(&mut answer)).await.expect("it ends").unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_over_which_nothing_is_ever_said_is_over() {
    let gateway = Running::start();
    // The beginning of HTTP/2 is something that HTTP/1 could begin with, too.
    for begun in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut io = TcpStream::connect(gateway.address).await.unwrap();
        io.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let over = tokio::time::timeout(PATIENCE, io.read_to_end(&mut answer)).await;
        assert!(over.is_ok(), "after {begun:?} it is still open");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_client_reads_nothing_is_let_go_and_little_was_made_for_it() {
    let gateway = Running::with("gateway.limits.grace_seconds = 0");
    let slow = asked(&gateway, &format!(r#"{FLOOD},"stream":true"#)).await;
    slow.readable().await.unwrap();
    let gone = until_none(&gateway, "capstan_responses_running").await;
    assert!(gone.is_some(), "after {PATIENCE:?} its response still runs");
    let made = events_made(&gateway).await;
    assert!((1..16_000).contains(&made), "{made} events of a kibibyte");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_does_not_hold_its_connection_for_ever() {
    let gateway = Running::start();
    let mut slow = asked(&gateway, r#""input":"bytes 15000000","store":false"#).await;
    slow.readable().await.unwrap();
    sleep(PATIENCE).await;
    let (mut bytes, mut into) = (0, vec![0; 1 << 20]);
    let over = tokio::time::timeout(PATIENCE, async {
        while let Ok(read) = slow.read(&mut into).await
            && read > 0
        {
            bytes += read;
        }
    });
    over.await.unwrap();
    assert!(bytes < 15_000_000, "{bytes} bytes were kept for it");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_ends_though_clients_read_nothing_and_say_nothing() {
    let mut gateway = Running::start();
    let mut socket = gateway.socket().await;
    socket.create(FLOOD).await;
    let stream = asked(&gateway, &format!(r#"{FLOOD},"stream":true"#)).await;
    let silent = TcpStream::connect(gateway.address).await.unwrap();
    let mut half = TcpStream::connect(gateway.address).await.unwrap();
    half.write_all(b"POST /v1/responses HTTP/1.1\r\nhost: g\r\ncontent-length: 9\r\n\r\n{").await.unwrap();
    stream.readable().await.unwrap();
    let ready = gateway.send(Method::GET, "/readyz", &[], "").await;
    assert_eq!(ready.status(), 200);
    gateway.ask_to_stop();
    // What runs has a minute, and then its last words.
    sleep(Duration::from_secs(75)).await;
    tokio::time::resume();
    gateway.stop().await;
    drop((socket, silent, half));
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_too_old_is_ended_with_the_notice_that_clients_know() {
    let gateway = Running::with("gateway.limits.socket_age_minutes = 30");
    let mut socket = gateway.socket().await;
    let began = Instant::now();
    let mut notice = None;
    while let Some(Ok(message)) = futures_util::StreamExt::next(&mut socket.0).await {
        if let Ok(text) = message.to_text()
            && message.is_text()
        {
            notice = Some(text.to_owned());
        }
    }
    assert_eq!(began.elapsed().as_secs() / 60, 30);
    assert_eq!(text_of(&notice.unwrap(), "error.code"), "websocket_connection_limit_reached");
}

#[tokio::test(start_paused = true)]
async fn a_socket_whose_client_answers_no_pings_is_let_go() {
    let gateway = Running::start();
    let mut vanished = gateway.socket().await;
    vanished.create(r#""input":"say a\npause 3000000\nsay b","store":false"#).await;
    vanished.hear().await.unwrap();
    // It is not closed, and nobody reads from it or writes to it any more.
    let gone = until_none(&gateway, "capstan_sockets").await.expect("its socket is let go");
    assert!((Duration::from_secs(40)..Duration::from_mins(3)).contains(&gone), "{gone:?}");
    let ended = until_none(&gateway, "capstan_responses_running").await.expect("its response ends after the grace");
    assert!(ended >= Duration::from_secs(50), "the client could have come back: {ended:?}");
    drop(vanished);
}
