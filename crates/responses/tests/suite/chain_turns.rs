//! What a turn does, case by case: the contract of the transport as users meet it.

mod faults;
mod lines;
mod steering;

use responses::chain::{Config, Mode, Outcome, Peer, Transport, WhyAll};
use responses::item::Item;

use crate::pair::{Ending, Opening, Pair, Step, settings};

pub(crate) fn auto() -> Pair {
    Pair::new(Config::default())
}

pub(crate) fn socket_only() -> Pair {
    Pair::new(Config { mode: Mode::WebSocket, ..Config::default() })
}

#[test]
fn the_first_turn_sends_everything_and_the_next_only_what_is_new() {
    let mut pair = auto();
    pair.turn();
    assert_eq!(pair.last_sent(), (Transport::WebSocket, Some(WhyAll::NothingThere), 1));
    pair.turn();
    assert_eq!(pair.last_sent(), (Transport::WebSocket, None, 1));
    // The second answer made a call: its answer and the next words are all that is new.
    pair.turn();
    assert_eq!(pair.last_sent(), (Transport::WebSocket, None, 2));
    assert_eq!(pair.lines_opened(), 1);
}

#[test]
fn a_warm_server_is_sent_only_the_first_words() {
    let mut pair = Pair::resumed_with(Config::default(), [Item::user("earlier")]);
    pair.warm_up();
    pair.settle();
    assert_eq!(pair.outcome(), &Outcome::Warm);
    pair.turn();
    assert_eq!(pair.last_sent(), (Transport::WebSocket, None, 1));
}

#[test]
fn a_turn_waits_two_seconds_behind_a_warm_up_and_then_goes_over_http() {
    let mut pair = auto();
    pair.warm_up();
    while pair.deliver_to_client() {}
    pair.submit();
    let before = pair.now;
    pair.step(Step::Wake);
    assert_eq!(pair.now.since(before).as_secs(), 2);
    assert_eq!(pair.last_sent(), (Transport::Http, Some(WhyAll::NothingThere), 1));
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
}

#[test]
fn other_settings_or_a_rewritten_transcript_are_sent_whole() {
    let mut pair = auto();
    pair.turn();
    pair.settings = settings(r#"{"model":"m","store":false,"tools":[]}"#);
    pair.turn();
    assert_eq!(pair.last_sent().1, Some(WhyAll::OtherSettings));
    pair.answer_calls();
    assert!(pair.step(Step::Rewrite));
    pair.turn();
    assert_eq!(pair.last_sent().1, Some(WhyAll::Rewritten));
}

#[test]
fn a_stored_chain_goes_on_by_name_over_any_line() {
    let mut pair = Pair::new(Config { mode: Mode::Http, ..Config::default() });
    pair.settings = settings(r#"{"model":"m","store":true}"#);
    pair.turn();
    pair.turn();
    assert_eq!(pair.last_sent(), (Transport::Http, None, 1));
}

#[test]
fn over_http_without_storage_everything_is_sent_each_time() {
    let peer = Peer { stores: false, ..Peer::default() };
    let mut pair = Pair::new(Config { mode: Mode::Http, peer, ..Config::default() });
    pair.settings = settings(r#"{"model":"m","store":true}"#);
    pair.turn();
    pair.turn();
    assert_eq!(pair.last_sent().1, Some(WhyAll::NothingThere));
}

#[test]
fn the_anchor_says_what_the_server_remembers() {
    let mut pair = auto();
    assert!(pair.chain.anchor().is_none());
    pair.turn();
    let anchor = pair.chain.anchor().unwrap();
    assert_eq!((anchor.response().as_str(), anchor.covered()), ("resp_1", 3));
}

#[test]
fn a_line_can_be_opened_before_it_is_needed_where_one_is_wanted() {
    let mut pair = auto();
    pair.connect();
    assert_eq!(pair.lines_opened(), 1);
    pair.connect();
    assert_eq!(pair.lines_opened(), 1, "it is being opened already");
    pair.settle();
    pair.turn();
    assert_eq!((pair.lines_opened(), pair.last_sent().0), (1, Transport::WebSocket));
    let mut pair = Pair::new(Config { mode: Mode::Http, ..Config::default() });
    pair.connect();
    assert_eq!(pair.lines_opened(), 0);
}

#[test]
fn every_turn_has_a_number_of_its_own_and_ends_under_it() {
    let mut pair = auto();
    let turns = [pair.submit().unwrap(), {
        pair.settle();
        pair.submit().unwrap()
    }];
    pair.settle();
    assert_ne!(turns[0], turns[1]);
    assert_eq!(pair.ended.iter().map(|(turn, _)| *turn).collect::<Vec<_>>(), turns);
}

#[test]
fn nothing_is_rewritten_while_the_server_reads_it() {
    let mut pair = auto();
    pair.warm_up();
    assert!(pair.chain.rewrite(vec![Item::user("summary")]).is_err());
    pair.settle();
    assert!(pair.chain.rewrite(vec![Item::user("summary")]).is_ok());
}

#[test]
fn a_server_is_warmed_only_between_turns_and_over_a_socket() {
    let mut pair = auto();
    pair.submit();
    let settings = std::sync::Arc::clone(&pair.settings);
    assert_eq!(pair.chain.warm_up(pair.now, &settings), None);
    pair.settle();
    pair.turn();
    assert!(!pair.chain.transcript().unanswered().is_empty());
    assert_eq!(pair.chain.warm_up(pair.now, &settings), None, "the service refuses open calls");
    let mut pair = Pair::new(Config { mode: Mode::Http, ..Config::default() });
    assert_eq!(pair.chain.warm_up(pair.now, &settings), None);
}

#[test]
fn a_turn_is_refused_while_another_is_on_its_way_and_the_items_are_given_back() {
    let mut pair = auto();
    let turn = pair.submit().unwrap();
    let items = vec![Item::user("impatient")];
    let refused = pair.chain.submit(pair.now, items.clone(), &pair.settings).unwrap_err();
    assert_eq!(refused, responses::chain::NotSubmitted::Busy(turn, items));
    pair.settle();
}

#[test]
fn a_conversation_with_an_open_call_is_not_sent_and_the_items_are_given_back() {
    let mut pair = auto();
    pair.turn();
    pair.turn();
    let open = pair.chain.transcript().unanswered().to_vec();
    assert_eq!(open.len(), 1);
    let items = vec![Item::user("never mind the call")];
    let refused = pair.chain.submit(pair.now, items.clone(), &pair.settings).unwrap_err();
    assert_eq!(refused, responses::chain::NotSubmitted::Unanswered(open, items));
    pair.turn();
}

#[test]
fn a_response_at_its_limit_is_an_answer_and_can_be_gone_on_from() {
    let mut pair = auto();
    pair.next_endings([Ending::Incomplete]);
    assert!(matches!(pair.turn(), Outcome::Answered(response) if response.incomplete_reason().is_some()));
    pair.turn();
    assert_eq!(pair.last_sent().1, None);
}

#[test]
fn items_are_taken_from_wherever_the_server_puts_them() {
    for ending in [Ending::Completed, Ending::WithoutOutput, Ending::OnlyInTheEnd] {
        let mut pair = auto();
        pair.next_endings([ending]);
        pair.turn();
        assert_eq!(pair.transcript().len(), 3, "{ending:?}");
    }
}

#[test]
fn words_that_come_while_a_turn_runs_are_shown_once() {
    let mut pair = auto();
    pair.submit();
    while pair.deliver_to_server() || pair.produce() {}
    pair.step(Step::ToClient);
    let before = pair.shown().len();
    pair.settle();
    assert!(pair.shown().len() > before);
    let mut unique = pair.shown().to_vec();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), pair.shown().len());
}

#[test]
fn cancel_ends_the_turn_and_the_next_starts_afresh() {
    for interrupts in [false, true] {
        let peer = Peer { interrupts, ..Peer::default() };
        let mut pair = Pair::new(Config { peer, ..Config::default() });
        pair.powers.interrupt = true;
        pair.turn();
        pair.submit();
        pair.deliver_to_server();
        for _ in 0..4 {
            pair.produce();
            pair.deliver_to_client();
        }
        assert!(pair.cancel());
        pair.settle();
        assert_eq!(pair.outcome(), &Outcome::Cancelled);
        pair.turn();
        // An interrupted response can be gone on from; a dropped line cannot.
        assert_eq!(pair.lines_opened(), if interrupts { 1 } else { 2 });
    }
}

#[test]
fn an_interrupt_that_is_not_answered_drops_the_line_within_a_second() {
    let peer = Peer { interrupts: true, ..Peer::default() };
    let mut pair = Pair::new(Config { peer, ..Config::default() });
    pair.powers.interrupt = true;
    pair.next_endings([Ending::Silence]);
    pair.submit();
    for _ in 0..4 {
        pair.deliver();
    }
    pair.step(Step::HalfOpen);
    let before = pair.now;
    pair.cancel();
    pair.settle();
    assert_eq!(pair.outcome(), &Outcome::Cancelled);
    assert!(pair.now.since(before).as_millis() < 1000);
}

#[test]
fn an_interrupt_that_is_refused_drops_the_line_at_once() {
    let peer = Peer { interrupts: true, ..Peer::default() };
    let mut pair = Pair::new(Config { peer, ..Config::default() });
    pair.next_endings([Ending::Silence]);
    pair.submit();
    for _ in 0..6 {
        pair.deliver();
    }
    let before = pair.now;
    pair.cancel();
    pair.settle();
    assert_eq!((pair.outcome(), pair.now), (&Outcome::Cancelled, before));
}

#[test]
fn cancel_stops_a_wait() {
    let mut pair = socket_only();
    pair.step(Step::Open(Opening::Refused(429)));
    pair.submit();
    while pair.deliver() {}
    pair.cancel();
    assert_eq!(pair.outcome(), &Outcome::Cancelled);
    assert!(pair.chain.is_idle());
}
