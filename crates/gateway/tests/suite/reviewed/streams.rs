//! Who listens, who does not, and what that does to a response.

use std::time::Duration;

use hyper::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Running, events, of, text_of};

/// Real time in which something is to happen that takes milliseconds.
const ENOUGH: Duration = Duration::from_secs(10);

async fn status_of(gateway: &Running, id: &str) -> String {
    text_of(&gateway.get(&format!("/v1/responses/{id}")).await.1, "status")
}

/// A listener that waits for an event of the far future hears nothing, so the response waits for it, and it for the
/// response.
#[tokio::test]
async fn a_listener_from_beyond_the_end_does_not_stop_a_response() {
    let gateway = Running::start();
    let begun = gateway.create(r#""input":"pause 300\nbytes 3000000","background":true"#).await;
    let id = text_of(&begun, "id");
    let mut listener = TcpStream::connect(gateway.address).await.unwrap();
    let ask = format!("GET /v1/responses/{id}?stream=true&starting_after=1000000000 HTTP/1.1\r\nhost: g\r\n\r\n");
    listener.write_all(ask.as_bytes()).await.unwrap();
    let ended = tokio::time::timeout(ENOUGH, async {
        while status_of(&gateway, &id).await != "completed" {
            tokio::task::yield_now().await;
        }
    });
    let ended = ended.await;
    drop(listener);
    assert!(ended.is_ok(), "it stands still for as long as somebody listens from there");
    gateway.stop().await;
}

/// Time passes without anybody doing anything.
async fn let_pass(time: Duration) {
    tokio::time::pause();
    let step = Duration::from_secs(5);
    for _ in 0..time.as_secs() / 5 {
        tokio::time::advance(step).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    tokio::time::resume();
}

/// One that holds its line and does not read keeps its place among those that run, for ever.
#[tokio::test]
async fn a_client_over_http_that_never_reads_loses_its_place_in_the_end() {
    let gateway = Running::with("gateway.limits.concurrency = 1\ngateway.limits.queue = 0\n");
    let mut deaf = TcpStream::connect(gateway.address).await.unwrap();
    let body = r#"{"model":"scripted","input":"bytes 30000000","stream":true,"store":false}"#;
    let ask = format!(
        "POST /v1/responses HTTP/1.1\r\nhost: g\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    deaf.write_all(ask.as_bytes()).await.unwrap();
    // It runs.
    while gateway.post(r#""input":"say hi""#).await.0 == 200 {}
    let_pass(Duration::from_mins(90)).await;
    let (status, text) = gateway.post(r#""input":"say hi""#).await;
    drop(deaf);
    assert_eq!(status, 200, "after an hour and a half: {text}");
}

/// A connection on which nothing is said counts among the 20,000.
#[tokio::test]
async fn a_connection_that_says_nothing_is_closed_in_the_end() {
    let gateway = Running::start();
    let mut open = Vec::new();
    for said in ["", "PRI * HTT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /"] {
        let mut silent = TcpStream::connect(gateway.address).await.unwrap();
        silent.write_all(said.as_bytes()).await.unwrap();
        tokio::task::yield_now().await;
        let_pass(Duration::from_hours(1)).await;
        let closed = tokio::time::timeout(Duration::from_secs(1), silent.read_to_end(&mut Vec::new())).await;
        if closed.is_err() {
            open.push(said);
        }
    }
    assert_eq!(open, [""; 0], "an hour after these words their connections are still there");
}

/// A response in the background runs whether or not anybody listens; one that listens and does not read is nobody.
#[tokio::test]
async fn a_listener_that_does_not_read_does_not_stop_a_response_in_the_background() {
    let gateway = Running::start();
    let begun = gateway.create(r#""input":"pause 300\nbytes 30000000","background":true"#).await;
    let id = text_of(&begun, "id");
    let mut deaf = TcpStream::connect(gateway.address).await.unwrap();
    let ask = format!("GET /v1/responses/{id}?stream=true HTTP/1.1\r\nhost: g\r\n\r\n");
    deaf.write_all(ask.as_bytes()).await.unwrap();
    let ended = tokio::time::timeout(ENOUGH, async {
        while status_of(&gateway, &id).await == "in_progress" || status_of(&gateway, &id).await == "queued" {
            tokio::task::yield_now().await;
        }
    });
    let ended = ended.await;
    drop(deaf);
    assert!(ended.is_ok(), "it stands still for as long as somebody has a line to it and does not read");
    gateway.stop().await;
}

/// A minute of patience for each byte is a minute for each of sixty million.
#[tokio::test]
async fn a_body_that_comes_byte_by_byte_does_not_take_for_ever() {
    let gateway = Running::start();
    let mut slow = TcpStream::connect(gateway.address).await.unwrap();
    slow.write_all(b"POST /v1/responses HTTP/1.1\r\nhost: g\r\ncontent-length: 1000000\r\n\r\n{").await.unwrap();
    let mut closed = false;
    for _ in 0..120 {
        let_pass(Duration::from_secs(45)).await;
        if slow.write_all(b" ").await.is_err() {
            closed = true;
            break;
        }
        let mut byte = [0];
        if tokio::time::timeout(Duration::from_millis(5), slow.read(&mut byte)).await.is_ok() {
            closed = true;
            break;
        }
    }
    assert!(closed, "after 90 minutes it still waits for the rest");
}

/// What is told to be begun is to be known after a crash.
#[tokio::test]
async fn a_background_response_is_stored_before_its_client_is_told_of_it() {
    let gateway = Running::start();
    let store = rusqlite::Connection::open(gateway.folder.path().join("responses.db")).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ask = gateway.post(r#""input":"pause 1000\nsay hi","background":true"#);
    let told = tokio::time::timeout(Duration::from_secs(2), ask).await;
    store.execute_batch("ROLLBACK").unwrap();
    assert!(told.is_err(), "nothing can be written, and yet: {told:?}");
}

/// A client that heard some events before a crash comes back for the rest: there must be one, and it must be the last.
#[tokio::test]
async fn who_comes_back_after_a_crash_hears_how_it_ended() {
    let gateway = Running::start();
    let begun = gateway.create(r#""input":"say hi\npause 60000\nsay there","background":true"#).await;
    let id = text_of(&begun, "id");
    // A crash leaves behind what is on the disk.
    let folder = std::sync::Arc::new(tempfile::TempDir::new().unwrap());
    for entry in std::fs::read_dir(gateway.folder.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let again = Running::in_folder("", folder);
    let (status, all) = again.get(&format!("/v1/responses/{id}?stream=true")).await;
    assert_eq!((status.as_u16(), text_of(&events(&all)[0], "type")), (200, "response.failed".into()), "{all}");
    let (_, rest) = again.get(&format!("/v1/responses/{id}?stream=true&starting_after=4")).await;
    let rest = events(&rest);
    assert!(!rest.is_empty(), "nothing comes after the events that were heard, not even the end");
    assert_eq!(of::<u64>(&rest[0], "sequence_number"), 5);
}

/// It was heard to the end, and swept away; a socket that sits idle after it has no use for its 40 MB of events.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn an_idle_socket_does_not_keep_the_events_of_its_last_response() {
    let gateway = Running::with("gateway.limits.replay_minutes = 1\n");
    let mut idle = Vec::new();
    let mut grown = Vec::new();
    for round in 0..12 {
        let mut socket = gateway.socket().await;
        socket.create(r#""input":"bytes 8000000\nfail server_error x","store":false"#).await;
        socket.answer().await;
        idle.push(socket);
        let_pass(Duration::from_secs(90)).await;
        let now = resident();
        println!("round {round}: {} MB", now >> 20);
        grown.push(now);
    }
    // The allocator takes and gives back in leaps; a socket that keeps something does so in every round.
    let mut steps: Vec<_> = grown.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    steps.sort_unstable();
    let usual = steps[steps.len() / 2];
    assert!(usual < (4 << 20), "each idle socket keeps {} MB", usual >> 20);
}

#[cfg(target_os = "linux")]
pub(crate) fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Requests that were refused leave nothing behind; those that were answered leave what replay is for, within its bound.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_refused_request_does_not_stay_in_memory() {
    let gateway = Running::start();
    let padding = "x".repeat(16 << 20);
    let body = format!(r#"{{"model":"nobody/knows","input":"{padding}","store":false}}"#);
    let before = resident();
    for _ in 0..40 {
        let (status, _) = gateway.ask(Method::POST, "/v1/responses", &body).await;
        assert_eq!(status, 404);
    }
    let grown = resident().saturating_sub(before);
    println!("{} MB", grown >> 20);
    assert!(grown < (256 << 20), "40 refusals keep {} MB", grown >> 20);
}
