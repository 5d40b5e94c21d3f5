//! What a hostile reader found in the mends of what he had found.

use std::time::Duration;

use responses::chain::Mode;
use responses::item::Item;
use testkit::{FakeModel, Fault, FaultPlan, On, Turn};
use tokio::time::{Instant, sleep};
use transport::{Drive, Options, Told};

use crate::memory::Place;
use crate::raw::{Raw, events};
use crate::support::{ALL, PLANTED, Talk, answered, settings};

const SECOND: Duration = Duration::from_secs(1);

/// Floods who asks for a flood.
fn model() -> FakeModel {
    FakeModel::respond_with(|seen| {
        let floods = seen.items().last().is_some_and(|item| item.text().contains("flood"));
        Turn::new().message(if floods { "x".repeat(500) } else { "answer".to_owned() }).pace(1, Duration::ZERO)
    })
}

/// Who asks for a flood, and is not driven: the socket gives it up, and its lane is free when the flood is over.
async fn put_off(place: &Place) -> Drive {
    let config = place.client.chain_config(&Options { mode: Some(Mode::WebSocket), ..Options::default() });
    let mut deaf = place.client.drive(config, vec![]);
    deaf.connect();
    while !matches!(deaf.next().await, Told::Head(_)) {}
    deaf.submit(vec![Item::user("flood")], &settings()).unwrap();
    sleep(5 * SECOND).await;
    deaf
}

#[tokio::test(start_paused = true)]
async fn who_was_put_off_a_lane_takes_it_from_nobody_by_leaving() {
    let place = Place::new(model(), ALL);
    let mut keeps = Talk::with(&place.client, Mode::WebSocket).patiently();
    assert!(answered(&keeps.turn("word").await));
    let deaf = put_off(&place).await;
    assert!(answered(&keeps.turn("word").await));
    let mut next = Talk::with(&place.client, Mode::WebSocket).patiently();
    assert!(answered(&next.turn("word").await));
    assert_eq!(place.upgrades(), 1);
    drop(deaf);
    let began = Instant::now();
    for _ in 0..3 {
        assert!(answered(&next.turn("word").await));
    }
    assert_eq!((place.upgrades(), began.elapsed() < SECOND), (1, true), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn who_was_put_off_a_lane_says_nothing_on_it_any_more() {
    let place = Place::new(model(), ALL);
    let mut keeps = Talk::with(&place.client, Mode::WebSocket).patiently();
    assert!(answered(&keeps.turn("word").await));
    let mut deaf = put_off(&place).await;
    let mut next = Talk::with(&place.client, Mode::WebSocket).patiently();
    assert!(answered(&next.turn("word").await));
    // It is driven again, and learns what became of its turn.
    let began = Instant::now();
    loop {
        if let Told::Notice(responses::chain::Notice::Ended { outcome, .. }) = deaf.next().await {
            assert!(answered(&outcome), "{outcome:?}");
            break;
        }
    }
    assert!(began.elapsed() < SECOND, "it learned after {:?} that it has no line", began.elapsed());
    assert!(answered(&next.turn("word").await));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_may_be_for_one_of_two_does_not_end_the_answer_of_a_third() {
    let mut raw = Raw::new(ALL);
    let mut talks: Vec<Talk> = (0..3).map(|_| Talk::with(&raw.client, Mode::WebSocket).patiently()).collect();
    talks[0].conversation.submit(vec![Item::user("word")], settings()).await.unwrap().unwrap();
    let mut socket = raw.socket().await;
    socket.text().await;
    for talk in &talks[1..] {
        talk.conversation.submit(vec![Item::user("word")], settings()).await.unwrap().unwrap();
        socket.text().await;
    }
    let [created, item, completed] = events(None, "r1");
    socket.say(&created).await;
    socket.say(r#"{"type":"error","status":400,"error":{"type":"invalid_request_error","message":"no"}}"#).await;
    socket.say(&item).await;
    socket.say(&completed).await;
    let outcome = talks[0].ended().await;
    assert!(answered(&outcome), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn sockets_that_are_rationed_do_not_keep_a_turn_from_http_for_a_day() {
    let plan = FaultPlan::default().on(On::EveryConnection, Fault::RefuseUpgrade { status: 429, retry_after: None });
    let place = Place::new(model().with_faults(plan), ALL);
    let mut talk = Talk::with(&place.client, Mode::Auto).patiently();
    let began = Instant::now();
    let outcome = talk.turn("word").await;
    assert!(answered(&outcome), "{outcome:?}");
    assert!(began.elapsed() < Duration::from_mins(10), "{:?}", began.elapsed());
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_that_fails_once_does_not_end_the_turn() {
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("asked");
    let script = format!("test -e {0:?} || {{ touch {0:?}; exit 1; }}; echo key", flag.to_str().unwrap());
    let model = model().with_key("key").start_loopback().await.unwrap();
    let table = format!("auth = {{ command = \"sh\", args = [\"-c\", '{script}'] }}");
    let client = crate::support::client(&model.base_url(), &table);
    let outcome = Talk::with(&client, Mode::Http).turn("one").await;
    assert!(answered(&outcome), "another try goes better: {outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn turn_state_is_not_shown_by_who_holds_it() {
    let calls = FakeModel::respond_with(|_| Turn::new().function_call("do", "{}"));
    let place = Place::new(calls.with_header("x-codex-turn-state", PLANTED), "");
    let config = place.client.chain_config(&Options { mode: Some(Mode::Http), ..Options::default() });
    let mut drive = place.client.drive(config, vec![]);
    drive.submit(vec![Item::user("word")], &settings()).unwrap();
    loop {
        if matches!(drive.next().await, Told::Notice(responses::chain::Notice::Ended { .. })) {
            break;
        }
    }
    let call = drive.chain().transcript().items().iter().find_map(Item::call).unwrap();
    drive.submit(vec![Item::function_output(&call, "done")], &settings()).unwrap();
    assert!(!format!("{drive:?}").contains(PLANTED));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_listen_keeps_from_nobody_that_the_socket_is_lost() {
    let mut raw = Raw::new(ALL);
    let config = raw.client.chain_config(&Options { mode: Some(Mode::WebSocket), ..Options::default() });
    let mut deaf = raw.client.drive(config, vec![]);
    deaf.submit(vec![Item::user("word")], &settings()).unwrap();
    let (mut socket, ()) = tokio::join!(raw.socket(), async { while !matches!(deaf.next().await, Told::Head(_)) {} });
    socket.text().await;
    let mut talk = Talk::with(&raw.client, Mode::WebSocket).patiently();
    talk.conversation.submit(vec![Item::user("word")], settings()).await.unwrap().unwrap();
    socket.text().await;
    socket.say(&events(Some("lane-1"), "r2")[0]).await;
    while !matches!(talk.next().await, Told::Event(_)) {}
    // As much as waits for one that does not listen.
    for _ in 0..16 {
        socket.say(r#"{"type":"response.in_progress","response":{"id":"r1"}}"#).await;
    }
    tokio::task::yield_now().await;
    drop(socket);
    let began = Instant::now();
    while !matches!(talk.next().await, Told::Notice(responses::chain::Notice::Dropped { .. })) {}
    assert!(began.elapsed() < 2 * SECOND, "it heard of it after {:?}", began.elapsed());
}
