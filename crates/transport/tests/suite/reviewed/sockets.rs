//! What a hostile reader found: sockets, and those who share them.

use std::time::Duration;

use responses::chain::{Mode, Outcome, Transport};
use responses::item::Item;
use responses::json::Json;
use testkit::{FakeModel, Fault, FaultPlan, On, Turn};
use tokio::time::{Instant, sleep, timeout};
use transport::{Options, Told};

use crate::memory::Place;
use crate::raw::{BINARY, CLOSE, PING, PONG, Raw, TEXT, events};
use crate::support::{ALL, Talk, answered, settings};

const SECOND: Duration = Duration::from_secs(1);

fn model() -> FakeModel {
    FakeModel::respond_with(|seen| Turn::new().message(format!("answer {}", seen.number)))
}

fn talk(place: &Place, mode: Mode) -> Talk {
    Talk::with(&place.client, mode).patiently()
}

async fn say(talk: &Talk, text: &str) {
    talk.conversation.submit(vec![Item::user(text)], settings()).await.unwrap().unwrap();
}

async fn until_event(talk: &mut Talk) {
    while !matches!(talk.next().await, Told::Event(_)) {}
}

#[tokio::test(start_paused = true)]
async fn one_pong_that_is_lost_is_forgiven_and_the_next_ping_is_sent() {
    let mut raw = Raw::new("supports_websockets = true");
    let mut talk = Talk::with(&raw.client, Mode::WebSocket).patiently();
    talk.conversation.connect().await.unwrap();
    let mut socket = raw.socket().await;
    while !matches!(talk.next().await, Told::Head(_)) {}
    let mut pings = 0;
    let _ = timeout(100 * SECOND, async {
        while let Some((kind, payload)) = socket.hear().await {
            if kind == PING {
                pings += 1;
                if pings > 1 {
                    socket.frame(PONG, &payload).await;
                }
            }
        }
        panic!("the line was given up after {pings} pings, of which one was not answered");
    })
    .await;
    assert!(pings >= 5, "{pings} pings in a hundred seconds");
}

#[tokio::test(start_paused = true)]
async fn who_joins_while_the_last_one_leaves_gets_a_socket_at_once() {
    let place = Place::new(model(), ALL);
    let mut first = talk(&place, Mode::WebSocket);
    assert!(answered(&first.turn("first").await));
    let mut second = talk(&place, Mode::WebSocket);
    // Both are done with the same breath: the order to join is on its way when the last one leaves.
    let began = Instant::now();
    let (submitted, ()) =
        futures_util::future::join(second.conversation.submit(vec![Item::user("second")], settings()), async {
            drop(first);
        })
        .await;
    submitted.unwrap().unwrap();
    assert!(answered(&second.ended().await));
    assert!(began.elapsed() < SECOND, "it waited {:?} for a place that nobody gave", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn three_hundred_conversations_that_begin_together_all_get_a_place_at_once() {
    let place = Place::new(model(), ALL);
    let mut talks: Vec<Talk> = (0..300).map(|_| talk(&place, Mode::WebSocket)).collect();
    let began = Instant::now();
    futures_util::future::join_all(talks.iter().map(|talk| say(talk, "word"))).await;
    for talk in &mut talks {
        assert!(answered(&talk.ended().await));
    }
    assert!(began.elapsed() < SECOND, "some waited {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_speaks_in_binary_is_not_waited_for_in_silence() {
    let mut raw = Raw::new("supports_websockets = true");
    let mut talk = Talk::with(&raw.client, Mode::Auto).patiently();
    say(&talk, "hello").await;
    let mut socket = raw.socket().await;
    while let Some((kind, payload)) = socket.hear().await {
        match kind {
            TEXT => {
                for event in events(None, "r1") {
                    socket.frame(BINARY, event.as_bytes()).await;
                }
                break;
            }
            PING => socket.frame(PONG, &payload).await,
            _ => {}
        }
    }
    let began = Instant::now();
    let answers_pings = async {
        while let Some((kind, payload)) = socket.hear().await {
            if kind == PING {
                socket.frame(PONG, &payload).await;
            }
        }
    };
    let noticed = async {
        loop {
            let told = talk.next().await;
            if matches!(
                told,
                Told::Notice(responses::chain::Notice::Dropped { .. } | responses::chain::Notice::Ended { .. })
            ) {
                return;
            }
        }
    };
    futures_util::future::select(Box::pin(answers_pings), Box::pin(noticed)).await;
    assert!(began.elapsed() < 60 * SECOND, "it was waited for {:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_lane_does_not_end_the_answer_of_who_was_there_alone() {
    let mut raw = Raw::new(ALL);
    let mut first = Talk::with(&raw.client, Mode::WebSocket).patiently();
    say(&first, "first").await;
    let mut socket = raw.socket().await;
    socket.text().await;
    let [created, item, completed] = events(None, "r1");
    socket.say(&created).await;
    until_event(&mut first).await;
    // The first answer has begun while nobody else was there.
    let mut second = Talk::with(&raw.client, Mode::WebSocket).patiently();
    say(&second, "second").await;
    assert!(socket.text().await.contains(r#""stream_id":"lane-1""#));
    socket.say(r#"{"type":"error","status":400,"error":{"type":"invalid_request_error","message":"no"}}"#).await;
    socket.say(&item).await;
    socket.say(&completed).await;
    assert!(answered(&first.ended().await), "the refusal was another's");
    let refused = timeout(60 * SECOND, second.ended()).await.expect("it hears that it was refused");
    assert!(matches!(refused, Outcome::Failed(_)), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn turn_state_told_on_one_lane_is_not_said_on_another() {
    let metadata = r#"{"type":"response.metadata","headers":{"x-codex-turn-state":"state-of-the-first"}}"#;
    let model = FakeModel::respond_with(move |seen| {
        let last = seen.items().last().map(|item| item.text().to_owned()).unwrap_or_default();
        if last.contains("call") && !last.contains("output") {
            Turn::new().function_call("do", "{}")
        } else if last.contains("first") {
            Turn::new().event(Json::parse(metadata).unwrap()).message("told")
        } else {
            Turn::new().message("done")
        }
    });
    let place = Place::new(model, ALL);
    let mut first = talk(&place, Mode::WebSocket);
    first.turn("hello").await;
    let mut second = talk(&place, Mode::WebSocket);
    let outcome = second.turn("call").await;
    let Outcome::Answered(response) = &outcome else { panic!("{outcome:?}") };
    let call = response.output().iter().find_map(Item::call).unwrap();
    assert!(answered(&first.turn("first").await));
    assert!(answered(&second.turn_with(vec![Item::function_output(&call, "output")]).await));
    assert_eq!(place.upgrades(), 1);
    let last = place.log.frames().pop().unwrap();
    assert!(!last.contains("state-of-the-first"), "{last}");
}

#[tokio::test(start_paused = true)]
async fn who_is_not_driven_for_a_while_holds_up_nobody() {
    let limits = r#"{"type":"codex.rate_limits","plan_type":"pro"}"#;
    let model = FakeModel::respond_with(move |_| Turn::new().event(Json::parse(limits).unwrap()).message("done"));
    let place = Place::new(model, ALL);
    let mut busy = talk(&place, Mode::WebSocket);
    assert!(answered(&busy.turn("first").await));
    let config = place.client.chain_config(&Options { mode: Some(Mode::WebSocket), ..Options::default() });
    let mut idle = place.client.drive(config, vec![]);
    idle.connect();
    while !matches!(idle.next().await, Told::Head(_)) {}
    // Its owner does something else meanwhile, as between the turns of an agent.
    let began = Instant::now();
    for _ in 0..40 {
        assert!(answered(&busy.turn("word").await));
    }
    assert_eq!((place.upgrades(), began.elapsed() < SECOND), (1, true), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_large_is_blamed_on_who_sent_it() {
    let plan = FaultPlan::default().on(On::Connection(1), Fault::LargestMessage(1 << 20));
    let table = format!("{ALL}websocket_frame_bytes = 16777215");
    let place = Place::new(model().with_faults(plan), &table);
    let (mut large, mut small) = (talk(&place, Mode::Auto), talk(&place, Mode::Auto));
    assert!(answered(&large.turn("first").await) && answered(&small.turn("first").await));
    assert_eq!(place.upgrades(), 1);
    say(&large, &"x".repeat(5 << 20)).await;
    say(&small, "word").await;
    assert!(answered(&large.ended().await) && answered(&small.ended().await));
    let ways = |talk: &Talk| talk.sent().into_iter().map(|(way, _)| way).collect::<Vec<_>>();
    assert_eq!(ways(&large)[1..], [Transport::WebSocket, Transport::Http]);
    assert_eq!(ways(&small)[1..], [Transport::WebSocket, Transport::WebSocket]);
}

#[tokio::test(start_paused = true)]
async fn a_lane_on_which_a_steered_answer_goes_on_is_given_to_nobody() {
    let table = format!("{ALL}supports_steering = true");
    let mut raw = Raw::new(&table);
    let mut first = Talk::with(&raw.client, Mode::WebSocket).patiently();
    say(&first, "first").await;
    let mut socket = raw.socket().await;
    socket.text().await;
    for event in events(None, "r0") {
        socket.say(&event).await;
    }
    assert!(answered(&first.ended().await));
    let mut steered = Talk::with(&raw.client, Mode::WebSocket).patiently();
    say(&steered, "second").await;
    socket.text().await;
    let lane = Some("lane-1");
    let [created, item, completed] = events(lane, "r1");
    socket.say(&created).await;
    until_event(&mut steered).await;
    steered.conversation.steer(vec![Item::user("no, this")]).await.unwrap().unwrap();
    assert!(socket.text().await.contains("response.steer"));
    socket
        .say(r#"{"stream_id":"lane-1","type":"response.steer.accepted","steer":{"id":"steer_1","previous_response_id":"r1"}}"#)
        .await;
    socket.say(&item).await;
    socket.say(&completed).await;
    let [created, item, completed] = events(lane, "r2");
    socket.say(&created).await;
    while !matches!(steered.next().await, Told::Notice(responses::chain::Notice::Steered { .. })) {}
    drop(steered);
    let mut third = Talk::with(&raw.client, Mode::WebSocket).patiently();
    say(&third, "third").await;
    let asked = socket.text().await;
    assert!(!asked.contains(r#""stream_id":"lane-1""#), "the answer to somebody else is still coming there: {asked}");
    socket.say(&item).await;
    socket.say(&completed).await;
    for event in events(Some("lane-2"), "r3") {
        socket.say(&event).await;
    }
    assert!(answered(&third.ended().await));
}

#[tokio::test(start_paused = true)]
async fn a_way_that_others_found_closed_is_not_warmed_up_either() {
    let plan = FaultPlan::default().on(On::EveryConnection, Fault::RefuseUpgrade { status: 426, retry_after: None });
    let place = Place::new(model().with_faults(plan), ALL);
    assert!(answered(&talk(&place, Mode::Auto).turn("word").await));
    let mut other = talk(&place, Mode::Auto);
    other.conversation.warm_up(settings()).await.unwrap();
    assert!(answered(&{
        say(&other, "word").await;
        loop {
            let outcome = other.ended().await;
            if outcome != Outcome::Cold {
                break outcome;
            }
        }
    }));
    assert_eq!(place.upgrades(), 1, "it is known for an hour that there is no socket");
}

#[tokio::test(start_paused = true)]
async fn to_connect_early_does_not_put_off_the_probe() {
    let plan = FaultPlan::default().on(On::Connection(1), Fault::RefuseUpgrade { status: 404, retry_after: None });
    let place = Place::new(model().with_faults(plan), ALL);
    assert!(answered(&talk(&place, Mode::Auto).turn("word").await));
    sleep(Duration::from_mins(61)).await;
    let mut other = talk(&place, Mode::Auto);
    other.conversation.connect().await.unwrap();
    for _ in 0..3 {
        assert!(answered(&other.turn("word").await));
    }
    assert_eq!(place.upgrades(), 2, "the hour is over");
}

#[tokio::test(start_paused = true)]
async fn an_hour_is_not_cut_short_by_another_fault() {
    let plan = FaultPlan::default()
        .on(On::Connection(1), Fault::HangUpgrade)
        .on(On::Connection(2), Fault::RefuseUpgrade { status: 426, retry_after: None })
        .on(On::Connection(4), Fault::RefuseUpgrade { status: 426, retry_after: None });
    let place = Place::new(model().with_faults(plan), "supports_websockets = true");
    let (hangs, refused) = (talk(&place, Mode::Auto), talk(&place, Mode::Auto));
    hangs.conversation.connect().await.unwrap();
    refused.conversation.connect().await.unwrap();
    sleep(Duration::from_mins(2)).await;
    assert_eq!(place.upgrades(), 2);
    assert!(answered(&talk(&place, Mode::Auto).turn("word").await));
    assert_eq!(place.upgrades(), 2, "the server has said that it has no sockets");
    drop((hangs, refused));
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_answered_with_503_does_not_keep_a_turn_from_http_for_a_day() {
    let plan = FaultPlan::default().on(On::EveryConnection, Fault::RefuseUpgrade { status: 503, retry_after: None });
    let place = Place::new(model().with_faults(plan), ALL);
    let mut talk = talk(&place, Mode::Auto);
    let began = Instant::now();
    let outcome = talk.turn("word").await;
    assert!(answered(&outcome), "{outcome:?}");
    assert!(began.elapsed() < Duration::from_mins(10), "{:?}", began.elapsed());
}

/// A control: forty of them on sixteen lanes, of whom a third is stopped in mid-answer, again and again.
#[tokio::test(start_paused = true)]
async fn forty_that_are_stopped_now_and_then_hold_up_nobody() {
    let slow = FakeModel::respond_with(|seen| {
        Turn::new().message(format!("answer to {:?}", seen.items().last())).pace(9, Duration::from_millis(100))
    });
    let place = Place::new(slow, ALL);
    let mut talks: Vec<Talk> = (0..40).map(|_| talk(&place, Mode::Auto)).collect();
    let began = Instant::now();
    for round in 0..10 {
        for (number, talk) in talks.iter().enumerate() {
            say(talk, &format!("round {round} of {number}")).await;
        }
        for (number, talk) in talks.iter_mut().enumerate() {
            if (number + round) % 3 == 0 {
                until_event(talk).await;
                talk.conversation.cancel().await.unwrap();
            }
            let outcome = talk.ended().await;
            let Outcome::Answered(response) = &outcome else {
                assert_eq!((outcome, (number + round) % 3), (Outcome::Cancelled, 0));
                continue;
            };
            assert!(response.output()[0].text().contains(&format!("round {round} of {number}")), "{response:?}");
        }
    }
    assert!(began.elapsed() < 120 * SECOND, "{:?}", began.elapsed());
    eprintln!("upgrades {} in {:?}", place.upgrades(), began.elapsed());
    let over_http = talks.iter().flat_map(Talk::sent).filter(|(way, _)| *way == Transport::Http).count();
    assert_eq!(over_http, 0);
}

#[tokio::test(start_paused = true)]
async fn a_close_code_is_heard_although_writing_fails_at_the_same_time() {
    for round in 0..20 {
        let mut raw = Raw::new("supports_websockets = true");
        let talk = Talk::with(&raw.client, Mode::Auto).patiently();
        say(&talk, &"x".repeat(1 << 20)).await;
        let mut socket = raw.socket().await;
        socket.bytes(200 << 10).await;
        // It has seen how long the message will be, says so, and is gone.
        socket.frame(CLOSE, &1009_u16.to_be_bytes()).await;
        drop(socket);
        let (_, head) = raw.accept().await;
        assert!(head.starts_with("POST"), "round {round}: the message was sent over a socket again");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_stopped_before_it_left_does_not_leave() {
    let slow = Fault::SlowReader { bytes: 64 << 10, pause: Duration::from_millis(100) };
    let table = format!("{ALL}websocket_frame_bytes = 16777215");
    let place = Place::new(model().with_faults(FaultPlan::default().on(On::Connection(1), slow)), &table);
    let (mut large, mut stopped) = (talk(&place, Mode::WebSocket), talk(&place, Mode::WebSocket));
    assert!(answered(&large.turn("first").await) && answered(&stopped.turn("first").await));
    say(&large, &"x".repeat(4 << 20)).await;
    say(&stopped, "never mind").await;
    stopped.conversation.cancel().await.unwrap();
    assert_eq!(stopped.ended().await, Outcome::Cancelled);
    assert!(answered(&large.ended().await) && answered(&large.turn("next").await));
    assert_eq!(place.upgrades(), 1);
    let asked = place.log.frames().into_iter().filter(|frame| frame.contains("never mind")).count();
    assert_eq!(asked, 0, "the model was asked for an answer that nobody waits for");
}
