//! What a hostile reader found: requests over HTTP, keys, networks.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use responses::chain::{Fault as Fell, Mode, Notice, Outcome};
use testkit::{FakeModel, Fault, FaultPlan, On, Refusal, Turn};
use tokio::time::Instant;
use transport::{ModelClient, Surroundings};

use crate::memory::Place;
use crate::raw::{Raw, events};
use crate::support::{ALL, PLANTED, Talk, answered, settings};

const SECOND: Duration = Duration::from_secs(1);

fn model() -> FakeModel {
    FakeModel::respond_with(|seen| Turn::new().message(format!("answer {}", seen.number)))
}

async fn say(talk: &Talk, text: &str) {
    talk.conversation.submit(vec![responses::item::Item::user(text)], settings()).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_error_whose_body_does_not_end_is_an_error_all_the_same() {
    let mut raw = Raw::new("");
    let mut talk = Talk::with(&raw.client, Mode::Http).patiently();
    say(&talk, "word").await;
    let (mut peer, _) = raw.accept().await;
    peer.write(
        b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"error\":",
    )
    .await;
    let began = Instant::now();
    assert!(matches!(talk.ended().await, Outcome::Failed(_)));
    assert!(began.elapsed() < 60 * SECOND, "it was waited for {:?}", began.elapsed());
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn a_chat_answer_that_is_whole_is_not_asked_for_again_because_its_stream_ends_badly() {
    let mut raw = Raw::new("wire_api = \"chat\"");
    let mut talk = Talk::with(&raw.client, Mode::Http).patiently();
    say(&talk, "word").await;
    let (mut peer, _) = raw.accept().await;
    let chunk = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"all of it\"},\"finish_reason\":\"stop\"}]}\n\n";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    peer.write(format!("{head}{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes()).await;
    // No last chunk: many small servers just close.
    drop(peer);
    let outcome = tokio::time::timeout(SECOND / 10, talk.ended()).await;
    assert!(outcome.as_ref().is_ok_and(answered), "it was whole, and is asked for again: {:?}", talk.heard);
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_one_piece_that_breaks_off_is_a_lost_line_and_not_a_wrong_address() {
    let mut raw = Raw::new("");
    let mut talk = Talk::with(&raw.client, Mode::Http).patiently();
    say(&talk, "word").await;
    let (mut peer, _) = raw.accept().await;
    peer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"id\":\"r1\",")
        .await;
    drop(peer);
    // It is asked for again, at once and without a word: nothing of it was shown.
    let (again, _) = raw.accept().await;
    drop(again);
    loop {
        if let transport::Told::Notice(Notice::Waiting { fault, .. }) = talk.next().await {
            assert!(matches!(fault, Fell::Closed(_)), "{fault}");
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_a_server_says_back_is_not_told_to_anybody() {
    let says_back = || Refusal::new(401, "invalid_api_key", format!("Incorrect API key provided: {PLANTED}"));
    for mode in [Mode::Http, Mode::WebSocket] {
        let plan = FaultPlan::default().on(On::EveryRequest, Fault::Refuse(says_back()));
        let place = Place::new(model().with_faults(plan), &format!("{ALL}env_key = \"PLANTED_KEY\""));
        let mut talk = Talk::with(&place.client, mode).patiently();
        let outcome = talk.turn("word").await;
        assert!(matches!(outcome, Outcome::Failed(_)));
        assert!(!format!("{outcome:?} {:?}", talk.heard).contains(PLANTED), "{mode:?}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_ends_the_turn_at_once_and_no_password_in_it_is_told() {
    let mut raw = Raw::new("");
    let mut talk = Talk::with(&raw.client, Mode::Http).patiently();
    say(&talk, "word").await;
    let (mut peer, _) = raw.accept().await;
    let began = Instant::now();
    let redirects = async {
        loop {
            let location = "location: https://user:planted@other/v1\r\ncontent-length: 0\r\n\r\n";
            peer.write(format!("HTTP/1.1 307 Temporary Redirect\r\n{location}").as_bytes()).await;
            peer.head().await;
        }
    };
    let outcome = tokio::select! {
        outcome = talk.ended() => outcome,
        () = redirects => unreachable!("it goes on for ever"),
    };
    let shown = format!("{outcome:?}");
    assert!(shown.contains("redirects") && !shown.contains("planted"), "{shown}");
    assert!(began.elapsed() < SECOND, "it was asked again and again for {:?}", began.elapsed());
}

/// Whether the laptop is at home.
static AT_HOME: AtomicBool = AtomicBool::new(false);

#[expect(clippy::unnecessary_wraps, reason = "its shape is that of what it stands for")]
fn here() -> Option<IpAddr> {
    Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, u8::from(AT_HOME.load(Ordering::Relaxed)))))
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_comes_to_another_network_tries_its_sockets() {
    let plan = FaultPlan::default().on(On::Connection(1), Fault::RefuseUpgrade { status: 405, retry_after: None });
    let place = Place::new(model().with_faults(plan), ALL);
    let (provider, dial) = (place.client.provider().clone(), place.dial.clone());
    let surroundings = Surroundings { here, ..Surroundings::new(dial, Arc::new(|_| None)) };
    let client = ModelClient::new(provider, surroundings).unwrap();
    let mut talk = Talk::with(&client, Mode::Auto).patiently();
    assert!(answered(&talk.turn("in the office").await));
    AT_HOME.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        assert!(answered(&talk.turn("at home").await));
    }
    assert_eq!(place.upgrades(), 2, "what is known of the office does not hold at home");
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_that_still_holds_is_used_when_its_command_fails_once() {
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("asked");
    let script = format!("test -e {0:?} && exit 1; touch {0:?}; echo key", flag.to_str().unwrap());
    let model = model().with_key("key").start_loopback().await.unwrap();
    let table = format!("auth = {{ command = \"sh\", args = [\"-c\", '{script}'], refresh_interval_ms = 1 }}");
    let client = crate::support::client(&model.base_url(), &table);
    let mut talk = Talk::with(&client, Mode::Http);
    assert!(answered(&talk.turn("one").await));
    for _ in 0..50 {
        let outcome = talk.turn("two").await;
        assert!(answered(&outcome), "nobody has refused the key: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_opened_takes_an_answer_that_comes_in_the_same_breath() {
    // A control: what follows the upgrade at once is not lost.
    let mut raw = Raw::new("supports_websockets = true");
    let mut talk = Talk::with(&raw.client, Mode::WebSocket).patiently();
    say(&talk, "word").await;
    let mut socket = raw.socket().await;
    socket.text().await;
    for event in events(None, "r1") {
        socket.say(&event).await;
    }
    assert!(answered(&talk.ended().await));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_loses_lines_for_ten_seconds_does_not_end_a_turn_over_http() {
    // As when it is started anew behind something that takes connections for it.
    let plan = (1..=5).fold(FaultPlan::default(), |plan, number| plan.on(On::Request(number), Fault::EmptyStream));
    let place = Place::new(model().with_faults(plan), "");
    let mut talk = Talk::with(&place.client, Mode::Http).patiently();
    let began = Instant::now();
    let outcome = talk.turn("word").await;
    assert!(answered(&outcome), "given up after {:?}: {outcome:?}", began.elapsed());
}
