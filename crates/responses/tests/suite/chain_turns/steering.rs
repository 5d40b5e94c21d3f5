//! Saying something while the model speaks.

use responses::chain::{Config, Mode, Notice, Outcome, Peer};

use crate::pair::{Pair, Step, settings};

fn steerable() -> Pair {
    let peer = Peer { steers: true, ..Peer::default() };
    let mut pair = Pair::new(Config { mode: Mode::WebSocket, peer, ..Config::default() });
    pair.powers.steer = true;
    pair
}

/// A turn that has a response id and no whole item yet.
fn running(pair: &mut Pair) {
    pair.submit();
    while pair.deliver_to_client() {}
    pair.deliver_to_server();
    pair.produce();
    while pair.deliver_to_client() {}
}

#[test]
fn a_steer_takes_effect_in_a_successor_and_the_turn_goes_on() {
    let mut pair = steerable();
    running(&mut pair);
    assert!(pair.steer());
    pair.settle();
    assert!(pair.notices.iter().any(|notice| matches!(notice, Notice::Steered { .. })));
    assert!(matches!(pair.outcome(), Outcome::Answered(response) if response.id().as_str() == "resp_2"));
    assert!(pair.transcript().iter().any(|text| text.contains("user steers")));
    assert_eq!(pair.ended.len(), 1);
}

#[test]
fn a_steer_that_has_to_wait_for_answers_is_said_once_and_before_them() {
    let mut pair = steerable();
    pair.turn();
    running(&mut pair);
    // The second generation makes a call; the steer comes while the call is being made.
    while !pair.last_told_is_call() {
        assert!(pair.produce());
        while pair.deliver_to_client() {}
    }
    assert!(pair.steer());
    pair.settle();
    assert_eq!(pair.chain.transcript().unanswered().len(), 1);
    pair.turn();
    let said = pair.transcript();
    let place = |word: &str| said.iter().position(|text| text.contains(word)).unwrap();
    assert!(place("user steers") < place("answer to call_2_0"));
}

#[test]
fn a_steer_that_the_server_holds_is_lost_with_the_line_and_said_again_even_where_responses_are_stored() {
    for cut_in_the_next_turn in [false, true] {
        let mut pair = steerable();
        pair.settings = settings(r#"{"model":"m","store":true,"tools":[{"type":"function","name":"f"}]}"#);
        pair.turn();
        running(&mut pair);
        while !pair.last_told_is_call() {
            assert!(pair.produce());
            while pair.deliver_to_client() {}
        }
        assert!(pair.steer());
        pair.settle();
        if cut_in_the_next_turn {
            running(&mut pair);
        }
        assert!(pair.step(Step::Cut));
        pair.settle();
        if !cut_in_the_next_turn {
            pair.turn();
        }
        assert!(matches!(pair.outcome(), Outcome::Answered(_)));
        let said = pair.transcript();
        assert!(said.iter().any(|text| text.contains("user steers")), "{said:#?}");
    }
}

#[test]
fn a_steer_that_is_refused_is_given_back() {
    let mut pair = steerable();
    pair.powers.steer = false;
    running(&mut pair);
    assert!(pair.steer());
    pair.settle();
    assert!(pair.notices.iter().any(|notice| matches!(notice, Notice::SteerReturned { error: Some(_), .. })));
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
}

#[test]
fn a_steer_refused_after_its_response_has_ended_ends_the_turn_at_once() {
    let mut pair = steerable();
    pair.powers.steer = false;
    running(&mut pair);
    assert!(pair.steer());
    let before = pair.now;
    // The model has said everything before the steer arrives.
    while pair.produce() {}
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
    assert_eq!((pair.now, pair.lines_opened()), (before, 1));
}

#[test]
fn a_steer_lost_with_its_line_is_given_back() {
    let mut pair = steerable();
    running(&mut pair);
    assert!(pair.steer());
    pair.step(Step::Cut);
    pair.settle();
    assert!(pair.notices.iter().any(|notice| matches!(notice, Notice::SteerReturned { .. })));
    assert!(!pair.transcript().iter().any(|text| text.contains("user steers")));
}

#[test]
fn nothing_can_be_steered_where_nothing_runs_or_the_server_cannot() {
    let mut pair = steerable();
    assert!(!pair.steer());
    pair.submit();
    assert!(!pair.steer(), "before there is a response to steer");
    pair.settle();
    let mut pair = Pair::new(Config::default());
    running(&mut pair);
    assert!(!pair.steer(), "a server that does not take steers");
    pair.settle();
}

#[test]
fn more_steers_than_a_server_takes_are_not_sent() {
    let mut pair = steerable();
    running(&mut pair);
    let taken = (0..20).filter(|_| pair.steer()).count();
    assert_eq!(taken, 8);
    pair.settle();
}

#[test]
fn a_server_that_never_answers_a_steer_does_not_keep_the_turn() {
    let mut pair = steerable();
    running(&mut pair);
    assert!(pair.steer());
    pair.lose_what_is_on_its_way_to_the_server();
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
    assert!(pair.notices.iter().any(|notice| matches!(notice, Notice::SteerReturned { .. })));
    pair.turn();
    assert_eq!(pair.lines_opened(), 2, "a line on which a steer may still be held is not used again");
}
