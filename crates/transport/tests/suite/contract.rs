//! What users are promised of the transport, line by line, in virtual time.

use std::time::Duration;

use responses::chain::{
    Class, ConnectionLimits, Failure, Fault as Fell, Mode, Notice, Outcome, Transport, TroubleKind, WhyAll, WhyHttp,
};
use responses::error::Remedy;
use responses::item::Item;
use testkit::{FakeModel, Fault, FaultPlan, On, Refusal, Turn};
use tokio::time::{Instant, sleep};
use transport::breaker::State;
use transport::{Told, Why};

use crate::memory::{Place, Weather};
use crate::support::{ALL, Talk, answered, settings};

const HTTP: Transport = Transport::Http;
const SOCKET: Transport = Transport::WebSocket;
const SECOND: Duration = Duration::from_secs(1);

fn model() -> FakeModel {
    FakeModel::respond_with(|seen| Turn::new().message(format!("answer {}", seen.number)))
}

fn with(on: On, fault: Fault) -> FakeModel {
    model().with_faults(FaultPlan::default().on(on, fault))
}

fn talk_with(place: &Place, mode: Mode) -> Talk {
    Talk::with(&place.client, mode).patiently()
}

fn ways(talk: &Talk) -> Vec<Transport> {
    talk.sent().into_iter().map(|(way, _)| way).collect()
}

/// Why each request that left over HTTP did so.
fn why_http(talk: &Talk) -> Vec<Option<WhyHttp>> {
    talk.notices()
        .filter_map(|notice| match notice {
            Notice::Sent { why_http, .. } => Some(*why_http),
            _ => None,
        })
        .collect()
}

async fn turns(talk: &mut Talk, count: usize) {
    for number in 0..count {
        let outcome = talk.turn(&format!("word {number}")).await;
        assert!(answered(&outcome), "{outcome:?}");
    }
}

/// What a person would be told: everything but the ordinary course of a turn.
fn troubles(talk: &Talk) -> Vec<&Notice> {
    let ordinary = |notice: &&Notice| {
        matches!(notice, Notice::Sent { .. } | Notice::Item { .. } | Notice::Ended { .. } | Notice::WebSocketOn)
    };
    talk.notices().filter(|notice| !ordinary(notice)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_socket_is_opened_and_warmed_before_the_first_request_takes_it() {
    let place = Place::new(model(), ALL);
    let mut talk = talk_with(&place, Mode::Auto);
    talk.conversation.warm_up(settings()).await.unwrap();
    assert_eq!(talk.ended().await, Outcome::Warm);
    turns(&mut talk, 1).await;
    let whole: Vec<bool> = talk
        .notices()
        .filter_map(|notice| match notice {
            Notice::Sent { all, .. } => Some(all.is_some()),
            _ => None,
        })
        .collect();
    assert_eq!((ways(&talk), whole), (vec![SOCKET, SOCKET], vec![true, false]));
    assert_eq!(place.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_late_is_overtaken_by_http_after_two_seconds_and_joins_later() {
    let place = Place::new(with(On::Connection(1), Fault::HangUpgrade), ALL);
    let mut talk = talk_with(&place, Mode::Auto);
    let began = Instant::now();
    turns(&mut talk, 1).await;
    let took = began.elapsed();
    assert!(took >= 2 * SECOND && took < 3 * SECOND, "{took:?}");
    assert_eq!(why_http(&talk), [Some(WhyHttp::SocketLate)]);
    // The line fails in the meantime, is left alone for a while, is tried again beside HTTP, and takes over.
    sleep(Duration::from_mins(2)).await;
    turns(&mut talk, 3).await;
    assert_eq!(ways(&talk)[..2], [HTTP, HTTP]);
    assert_eq!(ways(&talk).last(), Some(&SOCKET));
}

#[tokio::test(start_paused = true)]
async fn a_run_with_a_single_answer_uses_http() {
    let place = Place::new(model(), ALL);
    for (mode, way) in [(None, HTTP), (Some(Mode::Auto), HTTP), (Some(Mode::WebSocket), SOCKET)] {
        let options = transport::Options { single: true, mode, ..transport::Options::default() };
        let mut talk = Talk::by(&place.client, options).patiently();
        turns(&mut talk, 1).await;
        assert_eq!(ways(&talk), [way], "{mode:?}");
        let why = if mode == Some(Mode::WebSocket) { Why::Run } else { Why::SingleAnswer };
        let Told::Chosen(choice) = &talk.heard[0] else { panic!("{:?}", talk.heard[0]) };
        assert_eq!(choice.why, why, "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_websocket_here_costs_no_time_and_no_retry_and_is_known_to_all_for_an_hour() {
    for status in [426, 404, 405, 400, 501] {
        let place = Place::new(with(On::EveryConnection, Fault::RefuseUpgrade { status, retry_after: None }), ALL);
        let began = Instant::now();
        let mut talk = talk_with(&place, Mode::Auto);
        turns(&mut talk, 2).await;
        assert_eq!((began.elapsed(), place.upgrades()), (Duration::ZERO, 1), "{status}");
        let off = talk.notices().find(|notice| matches!(notice, Notice::WebSocketOff { .. }));
        assert!(off.is_some(), "{status}: nobody was told");
        // Another conversation need not find out, and is told why.
        let mut other = talk_with(&place, Mode::Auto);
        turns(&mut other, 1).await;
        assert_eq!(place.upgrades(), 1, "{status}");
        let Some(Told::Route(decision)) = other.heard.iter().find(|told| matches!(told, Told::Route(_))) else {
            panic!("{status}: nobody was told why");
        };
        assert_eq!(decision.state, State::Closed);
        assert!(!decision.reason.is_empty() && decision.until.is_some(), "{decision:?}");
        sleep(Duration::from_mins(61)).await;
        turns(&mut talk, 1).await;
        assert_eq!(place.upgrades(), 2, "{status}: it is worth another try after an hour");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_way_of_a_socket_is_gone_round_by_http() {
    for kind in [TroubleKind::Timeout, TroubleKind::Tls, TroubleKind::Proxy, TroubleKind::Connect, TroubleKind::Name] {
        let place = Place::new(model(), ALL);
        place.weather.send_replace(Weather::Fails(kind));
        let mut talk = talk_with(&place, Mode::Auto);
        talk.conversation.connect().await.unwrap();
        while !matches!(talk.next().await, Told::Notice(Notice::WebSocketOff { .. })) {}
        place.weather.send_replace(Weather::Fair);
        turns(&mut talk, 1).await;
        assert_eq!(ways(&talk), [HTTP], "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_waited_for_and_each_wait_says_why() {
    let place = Place::new(model(), ALL);
    place.weather.send_replace(Weather::Fails(TroubleKind::Name));
    let mut talk = talk_with(&place, Mode::Auto);
    talk.conversation.submit(vec![Item::user("hello")], settings()).await.unwrap().unwrap();
    let mut waits = 0;
    while waits < 3 {
        if let Told::Notice(Notice::Waiting { class, fault, .. }) = talk.next().await {
            assert_eq!(class, Class::Reach);
            assert!(fault.to_string().contains("as the test has it"), "{fault}");
            waits += 1;
        }
    }
    place.weather.send_replace(Weather::Fair);
    assert!(answered(&talk.ended().await));
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_is_a_matter_of_credentials_and_not_of_the_way() {
    for status in [401, 403] {
        let refusal = Fault::RefuseUpgrade { status, retry_after: None };
        let place = Place::new(with(On::EveryConnection, refusal), ALL);
        let mut talk = talk_with(&place, Mode::Auto);
        let outcome = talk.turn("hello").await;
        let Outcome::Failed(Failure::Refused(error)) = &outcome else { panic!("{outcome:?}") };
        assert_eq!((error.status, error.meaning().remedy), (Some(status), Remedy::Credentials));
        assert_eq!(talk.sent(), [], "{status}: nothing is sent with a key that was refused");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_fallback_the_line_is_probed_with_growing_pauses_and_comes_back() {
    let mut plan = FaultPlan::default();
    for connection in [1, 3, 4] {
        plan = plan.on(On::Connection(connection), Fault::HangUpgrade);
    }
    let place = Place::new(model().with_faults(plan), ALL);
    let mut talk = talk_with(&place, Mode::Auto);
    let mut opened = Vec::new();
    let began = Instant::now();
    for _ in 0..30 {
        turns(&mut talk, 1).await;
        opened.push((began.elapsed().as_secs() / 10 * 10, place.upgrades()));
        sleep(10 * SECOND).await;
    }
    let pauses: Vec<u64> = opened.windows(2).filter(|pair| pair[0].1 < pair[1].1).map(|pair| pair[1].0).collect();
    assert_eq!(ways(&talk).last(), Some(&SOCKET), "{opened:?}");
    let [first, second, third] = pauses[..] else { panic!("{opened:?}") };
    assert!(first < second - first && second - first < third - second, "pauses grow: {opened:?}");
}

#[tokio::test(start_paused = true)]
async fn a_half_open_socket_is_noticed_within_35_seconds() {
    let place = Place::new(with(On::Request(2), Fault::HalfOpenAfter(3)), ALL);
    let mut talk = talk_with(&place, Mode::Auto);
    turns(&mut talk, 1).await;
    let began = Instant::now();
    talk.conversation.submit(vec![Item::user("hello?")], settings()).await.unwrap().unwrap();
    while !matches!(talk.next().await, Told::Notice(Notice::Dropped { fault: Fell::Dead, .. })) {}
    assert!(began.elapsed() <= 35 * SECOND, "{:?}", began.elapsed());
    assert!(answered(&talk.ended().await));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_thinks_for_ten_minutes_is_left_to_think() {
    for mode in [Mode::WebSocket, Mode::Http] {
        let thinks = FakeModel::respond_with(|_| Turn::new().message("h").pace(9, Duration::from_mins(10)));
        let limits = ConnectionLimits { age: Duration::from_hours(9), ..ConnectionLimits::default() };
        let place = Place::new(thinks.with_limits(limits), ALL);
        let mut talk = talk_with(&place, mode);
        turns(&mut talk, 1).await;
        assert_eq!((talk.sent().len(), troubles(&talk).len()), (1, 0), "{mode:?}: {:?}", troubles(&talk));
    }
}

#[tokio::test(start_paused = true)]
async fn the_socket_is_replaced_between_turns_before_the_server_ends_it() {
    for minutes in [60, 25, 12] {
        let limits = ConnectionLimits { age: Duration::from_mins(minutes), ..ConnectionLimits::default() };
        let table = format!("supports_websockets = true\nwebsocket_age_limit_ms = {}", minutes * 60_000);
        let place = Place::new(model().with_limits(limits), &table);
        let mut talk = talk_with(&place, Mode::Auto);
        let began = Instant::now();
        while began.elapsed() < Duration::from_mins(3 * minutes) {
            turns(&mut talk, 1).await;
            // In steps, as time passes: pings are sent and answered on the way.
            for _ in 0..12 {
                sleep(5 * SECOND).await;
            }
        }
        assert!(place.upgrades() >= 3, "{minutes}: {} sockets", place.upgrades());
        assert_eq!(troubles(&talk), Vec::<&Notice>::new(), "{minutes}");
        assert!(ways(&talk).iter().all(|way| *way == SOCKET), "{minutes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_lost_between_turns_or_before_an_answer_begins_costs_one_full_resend_and_no_word() {
    // An answer has nine events: after 18 the second is whole, and after 1 and 0 of the third nothing was shown.
    for fault in [(On::Connection(1), Fault::CutAfterFrames(18)), (On::Request(3), Fault::CutAfterFrames(0))] {
        let place = Place::new(with(fault.0, fault.1.clone()), ALL);
        let mut talk = talk_with(&place, Mode::Auto);
        let began = Instant::now();
        turns(&mut talk, 4).await;
        let whys: Vec<Option<WhyAll>> = talk
            .notices()
            .filter_map(|notice| match notice {
                Notice::Sent { all, .. } => Some(*all),
                _ => None,
            })
            .collect();
        let full = whys.iter().skip(1).filter(|why| why.is_some()).count();
        assert_eq!((place.upgrades(), full), (2, 1), "{fault:?}: {whys:?}");
        assert_eq!((troubles(&talk), began.elapsed()), (vec![], Duration::ZERO), "{fault:?}");
        assert_eq!(ways(&talk).iter().filter(|way| **way == HTTP).count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_forgot_is_told_everything_at_once() {
    let place = Place::new(with(On::Request(2), Fault::ForgetPrevious), ALL);
    let mut talk = talk_with(&place, Mode::Auto);
    let began = Instant::now();
    turns(&mut talk, 3).await;
    assert_eq!(talk.sent(), [(SOCKET, 1), (SOCKET, 1), (SOCKET, 3), (SOCKET, 1)]);
    assert_eq!((began.elapsed(), place.upgrades()), (Duration::ZERO, 1));
    assert_eq!(troubles(&talk), Vec::<&Notice>::new());
}

#[tokio::test(start_paused = true)]
async fn a_message_over_the_frame_limit_goes_over_http_and_the_line_stays() {
    let place = Place::new(model(), "supports_websockets = true\nwebsocket_frame_bytes = 70000");
    let mut talk = talk_with(&place, Mode::Auto);
    turns(&mut talk, 1).await;
    assert!(answered(&talk.turn(&"long ".repeat(20_000)).await));
    turns(&mut talk, 1).await;
    assert_eq!(why_http(&talk)[..2], [None, Some(WhyHttp::TooLarge)]);
    assert_eq!(ways(&talk)[..2], [SOCKET, HTTP]);
    assert_eq!(troubles(&talk), Vec::<&Notice>::new());
}

#[tokio::test(start_paused = true)]
async fn a_limit_nobody_told_us_of_is_learned_from_1009() {
    let place = Place::new(with(On::EveryConnection, Fault::LargestMessage(100_000)), ALL);
    let mut talk = talk_with(&place, Mode::Auto);
    turns(&mut talk, 1).await;
    assert!(answered(&talk.turn(&"long ".repeat(30_000)).await));
    assert_eq!(ways(&talk)[..3], [SOCKET, SOCKET, HTTP]);
}

#[tokio::test(start_paused = true)]
async fn limits_and_overload_are_waited_for_as_told_and_do_not_end_the_run() {
    for mode in [Mode::WebSocket, Mode::Http] {
        for (status, code) in
            [(429, "rate_limit_exceeded"), (503, "server_is_overloaded"), (429, "usage_limit_reached")]
        {
            let refusal = Refusal::new(status, code, "later").retry_after(3000);
            let place = Place::new(with(On::Request(1), Fault::Refuse(refusal)), ALL);
            let mut talk = talk_with(&place, mode);
            let began = Instant::now();
            turns(&mut talk, 1).await;
            let took = began.elapsed();
            assert!(took >= 3000 * SECOND && took < 3400 * SECOND, "{mode:?} {status} {code}: {took:?}");
            let waits = |notice: &&Notice| matches!(notice, Notice::Waiting { class: Class::Limit, .. });
            assert_eq!(talk.notices().filter(waits).count(), 1, "{mode:?} {status} {code}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_keeps_what_is_whole_and_runs_no_call_twice() {
    for mode in [Mode::Auto, Mode::Http] {
        for frames in 1..30 {
            let faults = FaultPlan::default().on(On::Request(1), Fault::CutAfterFrames(frames));
            let model = FakeModel::respond_with(|seen| {
                let turn = Turn::new().message(format!("I will do it {}", seen.number));
                if seen.number == 1 { turn.function_call("do", "{}").message("and then some more") } else { turn }
            });
            let place = Place::new(model.with_faults(faults), ALL);
            let mut talk = talk_with(&place, mode);
            let mut outcome = talk.turn("do it").await;
            let calls: Vec<_> = talk
                .notices()
                .filter_map(|notice| match notice {
                    Notice::Item { item, .. } => item.call(),
                    _ => None,
                })
                .collect();
            assert!(calls.len() <= 1, "{mode:?} {frames}: {calls:?}");
            if let Outcome::CallsFirst(_) = outcome {
                let items = calls.iter().map(|call| Item::function_output(call, "done")).collect();
                outcome = talk.turn_with(items).await;
            }
            assert!(answered(&outcome), "{mode:?} {frames}: {outcome:?}");
            let transcript = talk.conversation.transcript().await.unwrap();
            let mut texts: Vec<&str> = transcript.iter().map(Item::text).collect();
            texts.sort_unstable();
            texts.dedup();
            assert_eq!(texts.len(), transcript.len(), "{mode:?} {frames}: {transcript:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_the_turn_at_once_and_the_next_one_works() {
    for mode in [Mode::Auto, Mode::Http] {
        let slow = FakeModel::respond_with(|_| Turn::new().message("word by word by word").pace(4, 5 * SECOND));
        let place = Place::new(slow, ALL);
        let mut talk = talk_with(&place, mode);
        talk.conversation.submit(vec![Item::user("hello")], settings()).await.unwrap().unwrap();
        while !matches!(talk.next().await, Told::Event(_)) {}
        let began = Instant::now();
        assert!(talk.conversation.cancel().await.unwrap());
        assert_eq!(talk.ended().await, Outcome::Cancelled);
        assert!(began.elapsed() < SECOND, "{mode:?}: {:?}", began.elapsed());
        let sockets = place.upgrades();
        turns(&mut talk, 1).await;
        assert_eq!(place.upgrades(), if mode == Mode::Auto { sockets + 1 } else { 0 }, "on a fresh line");
    }
}

#[tokio::test(start_paused = true)]
async fn without_storage_nothing_is_asked_to_be_kept_and_recovery_comes_from_here() {
    let place = Place::new(with(On::Connection(1), Fault::CutAfterFrames(18)), ALL);
    let mut talk = talk_with(&place, Mode::WebSocket);
    turns(&mut talk, 3).await;
    let frames = place.log.frames();
    assert!(frames.iter().all(|frame| frame.contains(r#""store":false"#)), "{frames:?}");
    let last = frames.last().unwrap();
    assert!(!last.contains("previous_response_id"), "{last}");
    for said in ["word 0", "answer 1", "word 1", "answer 2", "word 2"] {
        assert!(last.contains(said), "{said} is not in {last}");
    }
}
