//! Opening a line, losing it, doing without it, and coming back to it.

use std::time::Duration;

use responses::chain::{
    Chain, Class, Config, Effect, Fault, Heard, LinkId, Mode, Notice, Outcome, Peer, Seat, Time, Transport, WhyAll,
};

use super::{auto, socket_only};
use crate::pair::{Ending, Opening, Pair, Step};

#[test]
fn a_server_without_websocket_costs_nothing_and_is_asked_again_after_an_hour() {
    for status in [426, 404, 405, 400, 501] {
        let mut pair = auto();
        pair.opening = Opening::Refused(status);
        pair.submit();
        let before = pair.now;
        pair.settle();
        assert!(matches!(pair.outcome(), Outcome::Answered(_)), "{status}");
        assert_eq!(pair.now, before, "{status} cost time");
        pair.pass(Duration::from_secs(3500));
        pair.turn();
        assert_eq!(pair.lines_opened(), 1, "{status} was asked again too early");
        pair.pass(Duration::from_secs(200));
        // The turn after the hour goes over HTTP still, and the line joins at the next.
        pair.turn();
        assert_eq!(pair.last_sent().0, Transport::Http);
        pair.turn();
        assert_eq!(pair.last_sent().0, Transport::WebSocket, "{status}");
    }
}

#[test]
fn a_server_without_websocket_fails_a_turn_that_may_use_nothing_else() {
    let mut pair = socket_only();
    pair.opening = Opening::Refused(426);
    let Outcome::Failed(failure) = pair.turn().clone() else { panic!("{:?}", pair.outcome()) };
    assert!(failure.to_string().contains("use transport auto or http"), "{failure}");
}

#[test]
fn a_refused_key_is_not_a_matter_of_transport() {
    for status in [401, 403] {
        let mut pair = auto();
        pair.opening = Opening::Refused(status);
        let Outcome::Failed(failure) = pair.turn().clone() else { panic!("{:?}", pair.outcome()) };
        assert!(failure.to_string().contains("key"), "{failure}");
        assert!(pair.ledger.sends.is_empty(), "{status} was tried over HTTP");
    }
}

#[test]
fn a_hanging_upgrade_is_raced_by_http_after_two_seconds() {
    let mut pair = auto();
    pair.opening = Opening::Hangs;
    pair.submit();
    let before = pair.now;
    pair.settle();
    assert_eq!(pair.now.since(before), Duration::from_secs(2));
    assert_eq!(pair.last_sent().0, Transport::Http);
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
}

#[test]
fn a_turn_that_may_use_nothing_else_waits_for_the_socket() {
    let mut pair = socket_only();
    pair.opening = Opening::Hangs;
    pair.submit();
    pair.pass(Duration::from_secs(10));
    assert!(pair.ledger.sends.is_empty());
    pair.settle();
    assert_eq!(pair.last_sent().0, Transport::WebSocket);
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
}

#[test]
fn a_line_that_closes_while_it_opens_costs_nothing_where_http_works() {
    let mut pair = auto();
    pair.opening = Opening::Hangs;
    pair.submit();
    let before = pair.now;
    pair.close_over(LinkId(1));
    pair.settle();
    assert_eq!((pair.last_sent().0, pair.now), (Transport::Http, before));
}

#[test]
fn silence_over_http_is_counted_from_when_the_request_was_accepted() {
    let mut pair = Pair::new(Config { mode: Mode::Http, ..Config::default() });
    pair.submit();
    let accepted = pair.now.after(Duration::from_mins(14));
    pair.chain.handle_open(accepted, LinkId(1));
    assert_eq!(pair.chain.poll_deadline(), Some(accepted.after(Duration::from_mins(15))));
    pair.settle();
}

#[test]
fn close_1009_fails_a_turn_that_may_use_nothing_else() {
    let mut pair = socket_only();
    pair.submit();
    pair.deliver_to_client();
    pair.step(Step::Close(1009));
    pair.settle();
    let Outcome::Failed(failure) = pair.outcome() else { panic!("{:?}", pair.outcome()) };
    assert!(failure.to_string().contains("compact"), "{failure}");
    assert!(pair.ledger.sends.iter().all(|(transport, ..)| *transport == Transport::WebSocket));
}

#[test]
fn a_line_that_says_it_is_old_between_turns_is_left_without_a_word() {
    let mut pair = auto();
    pair.turn();
    let told = pair.notices.len();
    let old = r#"{"type":"error","status":400,"error":{"code":"websocket_connection_limit_reached","message":"m"}}"#;
    assert_eq!(pair.hear_over(LinkId(1), old), Heard::Nobody);
    assert_eq!(pair.notices.len(), told);
    pair.turn();
    assert_eq!(pair.lines_opened(), 2);
}

#[test]
fn any_other_error_between_turns_changes_nothing() {
    let mut pair = auto();
    pair.turn();
    let late = r#"{"type":"error","status":400,"error":{"code":"invalid_value","message":"m"}}"#;
    assert_eq!(pair.hear_over(LinkId(1), late), Heard::Nobody);
    pair.turn();
    assert_eq!((pair.lines_opened(), pair.last_sent().1), (1, None));
}

#[test]
fn nonsense_between_turns_costs_the_line_and_over_http_it_does_not() {
    let mut pair = auto();
    pair.turn();
    assert_eq!(pair.hear_over(LinkId(9), "{"), Heard::Nobody);
    assert!(pair.chain.anchor().is_some(), "another link's nonsense");
    assert_eq!(pair.hear_over(LinkId(1), "{"), Heard::Nobody);
    assert!(pair.chain.anchor().is_none());
    pair.turn();
    assert_eq!(pair.lines_opened(), 2);
}

#[test]
fn a_link_that_is_not_in_use_cannot_cost_the_line_that_is() {
    let mut pair = auto();
    pair.turn();
    let unasked = r#"{"type":"response.created","response":{"id":"resp_99","status":"in_progress"}}"#;
    assert_eq!(pair.hear_over(LinkId(9), unasked), Heard::Nobody);
    pair.turn();
    assert_eq!((pair.lines_opened(), pair.last_sent().1), (1, None));
}

#[test]
fn a_line_that_opens_late_joins_at_the_next_turn() {
    let mut pair = auto();
    pair.submit();
    // Its opening is on its way to the client when two seconds have passed.
    pair.step(Step::Wake);
    pair.settle();
    assert_eq!(pair.last_sent().0, Transport::Http);
    pair.turn();
    assert_eq!(pair.last_sent().0, Transport::WebSocket);
}

#[test]
fn an_unreachable_socket_costs_nothing_where_http_works() {
    let mut pair = auto();
    pair.opening = Opening::Unreachable;
    pair.submit();
    let before = pair.now;
    pair.settle();
    assert_eq!((pair.last_sent().0, pair.now), (Transport::Http, before));
}

#[test]
fn an_unreachable_server_is_waited_for_visibly_and_found_again() {
    let mut pair = socket_only();
    pair.opening = Opening::Unreachable;
    pair.turn();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
    let waits = pair.notices.iter().filter(|notice| matches!(notice, Notice::Waiting { class: Class::Reach, .. }));
    assert_eq!(waits.count(), 1);
}

#[test]
fn a_socket_lost_between_turns_is_opened_again_without_a_word() {
    let mut pair = auto();
    pair.turn();
    pair.step(Step::Cut);
    let told = pair.notices.len();
    while pair.deliver() {}
    assert_eq!(pair.notices.len(), told);
    pair.turn();
    assert_eq!(pair.last_sent(), (Transport::WebSocket, Some(WhyAll::NothingThere), 4));
}

#[test]
fn a_socket_that_always_dies_leads_to_http_and_comes_back_without_a_restart() {
    let mut pair = auto();
    pair.submit();
    for _ in 0..40 {
        pair.step(Step::Flush);
        if pair.ledger.sends.iter().any(|(transport, ..)| *transport == Transport::Http) {
            break;
        }
        pair.next_endings([Ending::Silence]);
        pair.step(Step::Cut);
        pair.step(Step::Flush);
        pair.step(Step::Wake);
        if pair.chain.is_idle() {
            pair.next_endings([Ending::Silence]);
            pair.submit();
        }
    }
    pair.clear_trouble();
    pair.settle();
    pair.pass(Duration::from_mins(11));
    pair.turn();
    pair.turn();
    assert_eq!(pair.last_sent().0, Transport::WebSocket);
}

#[test]
fn three_losses_in_one_turn_are_enough_to_leave_the_socket() {
    let mut pair = auto();
    pair.next_endings([Ending::Silence; 4]);
    pair.submit();
    let mut losses = 0;
    while pair.ledger.sends.iter().all(|(transport, ..)| *transport == Transport::WebSocket) {
        // Before anything is whole: a loss without progress.
        pair.deliver_to_client();
        pair.deliver_to_server();
        if pair.step(Step::Cut) {
            losses += 1;
        }
        while pair.deliver_to_client() {}
        pair.step(Step::Wake);
        assert!(losses < 10, "never leaves the socket");
    }
    assert_eq!(losses, 4);
    assert!(pair.notices.iter().any(|notice| matches!(notice, Notice::WebSocketOff { .. })));
}

#[test]
fn a_line_is_replaced_between_turns_before_the_server_ends_it() {
    let mut pair = auto();
    pair.turn();
    pair.pass(Duration::from_mins(56));
    assert_eq!(pair.lines_opened(), 2, "not rotated");
    pair.turn();
    assert_eq!(pair.last_sent().1, Some(WhyAll::NothingThere));
    // An hour with nothing to do: the line goes, and does not come back by itself for ever.
    pair.pass(Duration::from_hours(5));
    assert!(pair.lines_opened() <= 4, "{} lines for nobody", pair.lines_opened());
}

#[test]
fn a_short_lived_line_is_replaced_in_time_too() {
    let peer = Peer { line_age: Duration::from_mins(12), ..Peer::default() };
    let mut pair = Pair::new(Config { peer, ..Config::default() });
    pair.limits.age = Duration::from_mins(12);
    for _ in 0..10 {
        assert!(matches!(pair.turn(), Outcome::Answered(_)));
        pair.pass(Duration::from_mins(5));
    }
    let dropped = pair.notices.iter().filter(|notice| matches!(notice, Notice::Dropped { .. })).count();
    assert_eq!(dropped, 0, "the age limit was met in the middle of a turn");
}

#[test]
fn the_age_limit_met_in_mid_turn_costs_one_full_send_and_no_wait() {
    let mut pair = socket_only();
    pair.turn();
    pair.next_endings([Ending::Error(400, "websocket_connection_limit_reached")]);
    pair.submit();
    let before = pair.now;
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
    assert_eq!((pair.lines_opened(), pair.now), (2, before));
}

#[test]
fn a_draining_server_is_left_at_a_turn_boundary() {
    let mut pair = auto();
    pair.turn();
    pair.submit();
    pair.deliver_to_server();
    pair.step(Step::Drain);
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
    pair.turn();
    assert_eq!((pair.lines_opened(), pair.last_sent().0), (2, Transport::WebSocket));
}

#[test]
fn a_half_open_socket_is_noticed_within_35_seconds() {
    let mut pair = auto();
    pair.turn();
    pair.submit();
    pair.step(Step::HalfOpen);
    let before = pair.now;
    while pair.lines_opened() < 2 {
        assert!(pair.wake() && pair.now.since(before) <= Duration::from_secs(35));
    }
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
}

#[test]
fn a_model_that_thinks_for_ten_minutes_is_left_to_think() {
    let mut pair = auto();
    pair.next_endings([Ending::Silence]);
    pair.submit();
    pair.pass(Duration::from_mins(10));
    assert!(!pair.chain.is_idle());
    assert!(!pair.notices.iter().any(|notice| matches!(notice, Notice::Dropped { .. })));
}

#[test]
fn silence_ends_in_the_end_even_if_the_peer_lives() {
    let mut pair = auto();
    pair.next_endings([Ending::Silence; 3]);
    pair.submit();
    pair.pass(Duration::from_mins(61));
    assert!(pair.notices.iter().any(|notice| matches!(notice, Notice::Dropped { fault: Fault::Silent, .. })));
    pair.clear_trouble();
    pair.settle();
}

#[test]
fn a_peer_that_swallows_pings_but_talks_is_not_dropped_for_ever() {
    let mut pair = auto();
    pair.turn();
    pair.step(Step::SwallowPings);
    pair.next_endings([Ending::Silence]);
    pair.submit();
    pair.deliver_to_server();
    // It says something every 22 seconds: after the first missing pong it is known that pings prove nothing.
    for _ in 0..4 {
        pair.produce();
        pair.pass_without_delivery(Duration::from_secs(22));
        pair.deliver_to_client();
    }
    pair.pass_without_delivery(Duration::from_mins(2));
    assert!(!pair.notices.iter().any(|notice| matches!(notice, Notice::Dropped { .. })), "{:?}", pair.notices.last());
    pair.clear_trouble();
    pair.settle();
}

#[test]
fn a_request_too_large_for_a_frame_goes_over_http_and_the_line_stays_of_use() {
    let peer = Peer { frame_bytes: 1000, ..Peer::default() };
    let mut pair = Pair::new(Config { peer, ..Config::default() });
    pair.turn();
    pair.say(&"x".repeat(2000));
    pair.settle();
    assert_eq!(pair.last_sent().0, Transport::Http);
    pair.answer_calls();
    pair.turn();
    // Too large still, as the line does not have the large item.
    assert_eq!(pair.last_sent().0, Transport::Http);
    let mut pair = Pair::new(Config {
        mode: Mode::WebSocket,
        peer: Peer { frame_bytes: 1000, ..Peer::default() },
        ..Config::default()
    });
    pair.say(&"x".repeat(2000));
    pair.settle();
    let Outcome::Failed(failure) = pair.outcome() else { panic!("{:?}", pair.outcome()) };
    assert!(failure.to_string().contains("1000"), "{failure}");
}

#[test]
fn a_request_goes_over_the_socket_as_long_as_its_frame_is_sure_to_fit() {
    let fixed = 256 + auto().settings.bytes();
    for (room, expected) in [(0, Transport::WebSocket), (1, Transport::Http)] {
        let text = "more words of this length";
        let item = responses::item::Item::user(text).text().len() + 1;
        let peer = Peer { frame_bytes: fixed + item - room, ..Peer::default() };
        let mut pair = Pair::new(Config { peer, ..Config::default() });
        pair.say(text);
        pair.settle();
        assert_eq!(pair.last_sent().0, expected, "{room}");
        let (.., bytes) = pair.ledger.sends[0];
        assert!(bytes <= fixed + item);
    }
}

#[test]
fn a_warm_up_too_large_for_a_frame_is_left_out() {
    let peer = Peer { frame_bytes: 300, ..Peer::default() };
    for mode in [Mode::Auto, Mode::WebSocket] {
        let config = Config { mode, peer: peer.clone(), ..Config::default() };
        let mut pair = Pair::resumed_with(config, [responses::item::Item::user(&"x".repeat(1000))]);
        pair.warm_up();
        pair.settle();
        assert_eq!(pair.outcome(), &Outcome::Cold);
        assert!(pair.ledger.sends.is_empty());
    }
}

#[test]
fn close_1009_teaches_the_limit_and_costs_no_attempt() {
    let mut pair = auto();
    pair.say(&"x".repeat(70_000));
    pair.deliver_to_client();
    pair.step(Step::Close(1009));
    pair.settle();
    assert!(matches!(pair.outcome(), Outcome::Answered(_)));
    assert_eq!(pair.last_sent().0, Transport::Http);
    assert!(!pair.notices.iter().any(|notice| matches!(notice, Notice::Waiting { .. })));
    pair.say(&"y".repeat(80_000));
    pair.settle();
    assert_eq!(pair.last_sent().0, Transport::Http, "what was learnt is forgotten");
}

#[test]
fn a_place_on_an_older_socket_is_given_up_when_the_socket_is_old() {
    let mut late = Chain::new(Config::default());
    let now = Time::at(Duration::from_mins(40));
    late.connect(now);
    assert_eq!(late.poll_effect(), Some(Effect::Open(LinkId(1))));
    late.handle_joined(now, LinkId(1), Seat { lane: None, since: Time::default() });
    let rotation = Time::at(Duration::from_mins(55));
    late.handle_deadline(Time::at(Duration::from_secs(55 * 60 - 1)));
    assert!(!std::iter::from_fn(|| late.poll_effect()).any(|effect| matches!(effect, Effect::Close(_))));
    late.handle_deadline(rotation);
    assert_eq!(std::iter::from_fn(|| late.poll_effect()).last(), Some(Effect::Close(LinkId(1))));
}

#[test]
fn what_another_chain_learned_of_sockets_is_believed_while_the_line_is_down() {
    let mut pair = auto();
    pair.chain.avoid_sockets(Time::at(Duration::from_mins(1)));
    pair.turn();
    assert_eq!((pair.last_sent().0, pair.lines_opened()), (Transport::Http, 0));
    pair.pass(Duration::from_secs(61));
    pair.turn();
    pair.turn();
    assert_eq!((pair.last_sent().0, pair.lines_opened()), (Transport::WebSocket, 1));
    pair.chain.avoid_sockets(Time::at(Duration::from_hours(9)));
    pair.turn();
    assert_eq!(pair.last_sent().0, Transport::WebSocket, "a line that is up proves the contrary");
}
