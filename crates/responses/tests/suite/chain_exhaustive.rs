//! Every schedule of a small world: two turns, one line, and at each moment everything that can happen next.

use responses::chain::{Config, Mode, Peer};

use crate::pair::{Pair, Step};

const DEPTH: usize = 7;
const TURNS: usize = 2;

/// What can happen at each moment. `Submit` is tried twice at most.
const STEPS: [Step; 8] =
    [Step::Submit, Step::ToServer, Step::Produce, Step::ToClient, Step::Wake, Step::Cut, Step::Cancel, Step::Forget];

fn explore(pair: &Pair, depth: usize, visited: &mut usize) {
    *visited += 1;
    let mut end = pair.clone();
    end.settle();
    if depth == 0 {
        return;
    }
    for step in STEPS {
        if step == Step::Submit && pair.ledger.submitted == TURNS {
            continue;
        }
        let mut next = pair.clone();
        // A step that cannot be done leads nowhere new.
        if next.step(step) {
            explore(&next, depth - 1, visited);
        }
    }
}

fn explore_from(config: Config) -> usize {
    let mut visited = 0;
    let mut pair = Pair::new(config);
    pair.powers.interrupt = true;
    pair.submit();
    explore(&pair, DEPTH, &mut visited);
    visited
}

#[test]
fn every_schedule_to_depth_seven_over_a_socket_ends_well() {
    assert!(explore_from(Config { mode: Mode::WebSocket, ..Config::default() }) > 1_000);
}

#[test]
fn every_schedule_to_depth_seven_with_http_to_fall_back_on_ends_well() {
    assert!(explore_from(Config { mode: Mode::Auto, ..Config::default() }) > 1_000);
}

#[test]
fn every_schedule_to_depth_seven_with_interrupts_ends_well() {
    let peer = Peer { interrupts: true, ..Peer::default() };
    assert!(explore_from(Config { mode: Mode::WebSocket, peer, ..Config::default() }) > 1_000);
}
