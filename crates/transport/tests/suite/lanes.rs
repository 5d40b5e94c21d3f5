//! Several conversations with one server.

use std::time::Duration;

use responses::chain::{Mode, Outcome, Transport};
use responses::item::Item;
use testkit::{FakeModel, Fault, FaultPlan, On, Turn};
use transport::{Heard, Options, Told};

use crate::memory::Place;
use crate::support::{ALL, Talk, answered, settings};

const WITHOUT_LANES: &str = "supports_websockets = true\n";

fn model() -> FakeModel {
    FakeModel::respond_with(|seen| Turn::new().message(format!("answer to {:?}", seen.items().last())))
}

fn talks(place: &Place, count: usize) -> Vec<Talk> {
    (0..count).map(|_| Talk::with(&place.client, Mode::WebSocket).patiently()).collect()
}

/// All of them speak at once, and wait for their answers.
async fn all_at_once(talks: &mut [Talk], word: &str) {
    for (number, talk) in talks.iter().enumerate() {
        let said = vec![Item::user(&format!("{word} of {number}"))];
        talk.conversation.submit(said, settings()).await.unwrap().unwrap();
    }
    for (number, talk) in talks.iter_mut().enumerate() {
        let outcome = talk.ended().await;
        let Outcome::Answered(response) = &outcome else { panic!("{number}: {outcome:?}") };
        assert!(response.output()[0].text().contains(&format!("{word} of {number}")), "{number}: {response:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn chains_share_a_socket_where_the_server_has_lanes() {
    for (table, sockets) in [(ALL, 1), (WITHOUT_LANES, 8)] {
        let place = Place::new(model(), table);
        let mut talks = talks(&place, 8);
        for word in ["first", "second", "third"] {
            all_at_once(&mut talks, word).await;
        }
        assert_eq!(place.upgrades(), sockets, "{table}");
        for talk in &talks {
            assert_eq!(talk.sent(), [(Transport::WebSocket, 1); 3], "only what is new is sent on each lane");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn more_chains_than_lanes_get_another_socket() {
    let place = Place::new(model(), ALL);
    let mut talks = talks(&place, 40);
    all_at_once(&mut talks, "first").await;
    all_at_once(&mut talks, "second").await;
    assert_eq!(place.upgrades(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_is_free_again_is_used_again() {
    let place = Place::new(model(), ALL);
    let mut keeps = talks(&place, 1);
    all_at_once(&mut keeps, "first").await;
    for round in 0..50 {
        let mut short = talks(&place, 3);
        all_at_once(&mut short, &format!("round {round}")).await;
    }
    all_at_once(&mut keeps, "last").await;
    assert_eq!(place.upgrades(), 1, "names of lanes are never given back, so they must be used again");
}

#[tokio::test(start_paused = true)]
async fn a_lost_socket_is_lost_to_all_and_all_go_on() {
    let plan = FaultPlan::default().on(On::Connection(1), Fault::CutAfterFrames(100));
    let place = Place::new(model().with_faults(plan), ALL);
    let mut talks = talks(&place, 6);
    for round in 0..10 {
        all_at_once(&mut talks, &format!("round {round}")).await;
    }
    assert_eq!(place.upgrades(), 2, "they meet again on one socket");
}

#[tokio::test(start_paused = true)]
async fn stopping_one_chain_stops_no_other() {
    let slow = FakeModel::respond_with(|seen| {
        Turn::new().message(format!("answer to {:?}", seen.items().last())).pace(9, Duration::from_millis(100))
    });
    let place = Place::new(slow, ALL);
    let mut talks = talks(&place, 3);
    for (number, talk) in talks.iter().enumerate() {
        let said = vec![Item::user(&format!("word of {number}"))];
        talk.conversation.submit(said, settings()).await.unwrap().unwrap();
    }
    while !matches!(talks[1].next().await, Told::Event(_)) {}
    assert!(talks[1].conversation.cancel().await.unwrap());
    assert_eq!(talks[1].ended().await, Outcome::Cancelled);
    for number in [0, 2] {
        assert!(answered(&talks[number].ended().await));
        assert_eq!(talks[number].sent().len(), 1, "{number} had to ask again");
    }
    // The one that was stopped goes on: not on the lane where the answer it does not want is still coming.
    all_at_once(&mut talks, "next").await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_holds_up_nobody_and_loses_nothing_but_events() {
    let flood = FakeModel::respond_with(|seen| {
        let floods = seen.items().last().is_some_and(|item| item.text().contains("flood"));
        let text = if floods { "x".repeat(50_000) } else { format!("answer to {:?}", seen.items().last()) };
        Turn::new().message(text).pace(1, if floods { Duration::from_millis(1) } else { Duration::ZERO })
    });
    let place = Place::new(flood, ALL);
    let silent = place.client.converse(Options { mode: Some(Mode::WebSocket), ..Options::default() });
    silent.submit(vec![Item::user("flood")], settings()).await.unwrap().unwrap();
    let mut talks = talks(&place, 3);
    let began = tokio::time::Instant::now();
    for round in 0..5 {
        all_at_once(&mut talks, &format!("round {round}")).await;
    }
    assert!(began.elapsed() < Duration::from_secs(1), "they waited for the flood: {:?}", began.elapsed());
    assert_eq!(place.upgrades(), 1);
    // Long enough for much of it to come, and too long for nobody to read it.
    tokio::time::sleep(Duration::from_secs(5)).await;
    // Whoever reads at last finds all that matters.
    let (mut silent, mut passed_over) = (silent, 0);
    loop {
        match silent.next().await.expect("the conversation goes on") {
            Heard::PassedOver(events) => passed_over += events,
            Heard::Told(Told::Notice(responses::chain::Notice::Ended { outcome, .. })) => {
                let Outcome::Answered(response) = outcome else { panic!("{outcome:?}") };
                assert!(response.output()[0].text().len() > 50_000);
                break;
            }
            Heard::Told(_) => {}
        }
    }
    assert!(passed_over > 0);
}

#[tokio::test(start_paused = true)]
async fn when_the_client_is_gone_so_are_its_tasks() {
    let place = Place::new(model(), ALL);
    let before = place.client.tasks();
    let mut some = talks(&place, 5);
    all_at_once(&mut some, "word").await;
    let mut http: Vec<Talk> = (0..3).map(|_| Talk::with(&place.client, Mode::Http).patiently()).collect();
    all_at_once(&mut http, "word").await;
    drop((some, http));
    // Connections that wait for another request are kept for a while.
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(place.client.tasks(), before);
    let runtime = tokio::runtime::Handle::current();
    let with_the_client = runtime.metrics().num_alive_tasks();
    drop(place.client);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(runtime.metrics().num_alive_tasks(), with_the_client - before, "its own tasks end with it");
}
