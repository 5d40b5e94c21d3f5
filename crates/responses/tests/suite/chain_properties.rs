//! Random schedules: whatever the network, the server and the user do, and in whatever order.
//!
//! What must hold is checked by the pair itself at every step: the model sees exactly the transcript, no item twice,
//! one request in flight, every turn ends once, nothing told is lost, and no refusal that could be foreseen.

use std::time::Duration;

use proptest::prelude::*;
use responses::chain::{Config, Mode, Outcome, Peer, RetryPolicy, Transport};

use crate::pair::{Ending, Opening, Pair, Step};

/// How many schedules each property is tried on.
const SCHEDULES: u32 = 4_000;

/// How long a schedule is, before everything is allowed to settle.
const STEPS: usize = 60;

fn ordinary() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Submit),
        4 => Just(Step::Flush),
        3 => Just(Step::ToServer),
        5 => Just(Step::Produce),
        5 => Just(Step::ToClient),
        2 => Just(Step::Wake),
        1 => Just(Step::Connect),
        1 => Just(Step::WarmUp),
        1 => Just(Step::Cancel),
        1 => Just(Step::Steer),
    ]
}

fn fault() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Cut),
        2 => Just(Step::CutAfterDelivery),
        1 => Just(Step::HalfOpen),
        1 => Just(Step::SwallowPings),
        1 => prop_oneof![Just(1001_u16), Just(1006), Just(1009), Just(1011)].prop_map(Step::Close),
        2 => Just(Step::Forget),
        1 => Just(Step::Drain),
        1 => (1_u16..5000).prop_map(Step::Pass),
        2 => prop_oneof![1_u16..60, 1_u16..10_000].prop_map(Step::Oversleep),
        1 => Just(Step::Duplicate),
        1 => Just(Step::Swap),
        1 => Just(Step::Garbage),
        1 => (0_u8..3).prop_map(Step::Settings),
        1 => Just(Step::Rewrite),
        2 => opening().prop_map(Step::Open),
        3 => ending().prop_map(Step::End),
    ]
}

fn opening() -> impl Strategy<Value = Opening> {
    prop_oneof![
        prop_oneof![Just(426_u16), Just(404), Just(401), Just(429), Just(500), Just(503)].prop_map(Opening::Refused),
        Just(Opening::Unreachable),
        Just(Opening::Hangs),
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        Just(Ending::WithoutOutput),
        Just(Ending::OnlyInTheEnd),
        Just(Ending::Incomplete),
        Just(Ending::Silence),
        prop_oneof![Just("server_error"), Just("rate_limit_exceeded"), Just("invalid_prompt")].prop_map(Ending::Failed),
        prop_oneof![
            Just((500_u16, "server_error")),
            Just((503, "server_is_overloaded")),
            Just((400, "context_length_exceeded")),
            Just((400, "websocket_connection_limit_reached")),
        ]
        .prop_map(|(status, code)| Ending::Error(status, code)),
    ]
}

fn schedule(faults: u32) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(prop_oneof![10 => ordinary(), faults => fault()], 1..STEPS)
}

fn config() -> impl Strategy<Value = (Config, bool)> {
    let mode = prop_oneof![3 => Just(Mode::Auto), 1 => Just(Mode::WebSocket), 1 => Just(Mode::Http)];
    (mode, any::<bool>(), any::<bool>(), any::<bool>(), any::<u64>()).prop_map(
        |(mode, steers, interrupts, stores, seed)| {
            let peer = Peer { steers, interrupts, stores, ..Peer::default() };
            (Config { mode, peer, seed, ..Config::default() }, stores)
        },
    )
}

fn pair(config: &Config) -> Pair {
    let mut pair = Pair::new(config.clone());
    pair.powers.steer = config.peer.steers;
    pair.powers.interrupt = config.peer.interrupts;
    pair
}

proptest! {
    #![proptest_config(ProptestConfig { cases: SCHEDULES, failure_persistence: None, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_model_sees_exactly_the_transcript_whatever_happens((config, _) in config(), steps in schedule(6)) {
        let mut pair = pair(&config);
        for step in steps {
            pair.step(step);
        }
        pair.settle();
    }

    #[test]
    fn after_any_trouble_the_next_turn_works((config, _) in config(), steps in schedule(4)) {
        let mut pair = pair(&Config { mode: Mode::Auto, ..config });
        for step in steps {
            pair.step(step);
        }
        pair.settle();
        pair.clear_trouble();
        prop_assert!(pair.submit().is_some());
        pair.settle();
        prop_assert!(matches!(pair.outcome(), Outcome::Answered(_)), "{:?}", pair.outcome());
    }

    #[test]
    fn while_the_line_lives_only_new_items_are_sent(steers in any::<bool>(), steps in prop::collection::vec(ordinary(), 1..STEPS)) {
        let peer = Peer { steers, interrupts: true, ..Peer::default() };
        let mut pair = pair(&Config { mode: Mode::WebSocket, peer, ..Config::default() });
        for step in steps {
            pair.step(step);
        }
        pair.settle();
        // Nothing broke: a line was opened once, and all was sent at most once, in the beginning. A wake-up may have
        // let an interrupt run into its deadline or the line grow old: then there is a new line, and one more.
        let all = pair.ledger.sends.iter().filter(|(_, all, ..)| all.is_some()).count();
        prop_assert!(all <= pair.lines_opened(), "{all} full sends over {} lines", pair.lines_opened());
        prop_assert!(pair.ledger.sends.iter().all(|(transport, ..)| *transport == Transport::WebSocket));
        let settings = pair.settings.bytes();
        let (items, bytes) = pair.ledger.sends.iter().filter(|(_, all, ..)| all.is_none())
            .fold((0, 0), |(items, bytes), send| (items + send.2, bytes + send.3 - settings.min(send.3)));
        let said: usize = pair.ledger.said.iter().map(String::len).sum();
        prop_assert!(items <= pair.ledger.said.len(), "model output was sent back: {items} items");
        prop_assert!(bytes <= said + 256 * pair.ledger.sends.len(), "{bytes} bytes for {said} bytes of new items");
    }

    #[test]
    fn a_fault_that_never_ends_costs_a_bounded_number_of_requests(
        (config, _) in config(),
        always in ending(),
        cuts in any::<bool>(),
        steps in prop::collection::vec(ordinary(), 1..10),
    ) {
        let retry = RetryPolicy { patience: Duration::from_mins(10), ..RetryPolicy::default() };
        let mut pair = pair(&Config { retry, ..config });
        for step in steps {
            pair.step(step);
        }
        pair.settle();
        pair.always_ends(always);
        let before = pair.ledger.sends.len();
        prop_assert!(pair.submit().is_some());
        for _ in 0..10_000 {
            if pair.chain.is_idle() {
                break;
            }
            // A line that is cut whenever something was whole is the worst of them.
            let told = pair.told();
            if !pair.deliver() {
                pair.step(Step::Wake);
            } else if cuts && pair.told() > told {
                pair.step(Step::Cut);
            }
        }
        prop_assert!(pair.chain.is_idle(), "the turn does not end");
        let requests = pair.ledger.sends.len() - before;
        prop_assert!(requests <= 60, "{requests} requests for one turn");
    }

    #[test]
    fn a_stored_chain_never_sends_anything_twice((config, _) in config(), steps in schedule(3)) {
        let peer = Peer { stores: true, steers: false, ..config.peer };
        let mut pair = pair(&Config { peer, ..config });
        pair.settings = crate::pair::settings(r#"{"model":"m","store":true}"#);
        for step in steps {
            if !matches!(step, Step::Settings(_) | Step::Rewrite | Step::End(_)) {
                pair.step(step);
            }
        }
        pair.settle();
        // From the first answer on the server has a name for what was said: it is never said again.
        let later = pair.ledger.sends.iter().skip(pair.ledger.sends_before_first_answer.unwrap_or(usize::MAX));
        prop_assert!(later.clone().all(|(_, all, ..)| all.is_none()), "{:?}", pair.ledger.sends);
    }
}
