//! Clients, a server and faults on a simulated network: many seeds, each a story of its own.

use world::{Report, run};

/// How many seeds each run of the tests plays. `WORLD_SEEDS=50000` plays more, `WORLD_FROM` others.
const SEEDS: u64 = 500;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn check(report: &Report) {
    assert!(report.violation.is_none(), "{report}");
}

#[test]
fn no_seed_loses_repeats_or_reorders_an_item_and_every_turn_ends() {
    let from = number("WORLD_FROM", 0);
    let (mut answered, mut dropped, mut steered, mut longest) = (0, 0, 0, std::time::Duration::ZERO);
    for seed in from..from + number("WORLD_SEEDS", SEEDS) {
        let report = run(seed);
        check(&report);
        answered += report.answered;
        dropped += report.dropped;
        steered += report.steered;
        longest = longest.max(report.lasted);
    }
    println!(
        "{answered} turns answered, {dropped} answers broken and asked for again, {steered} steered, longest story \
         {longest:?}"
    );
    assert!(answered > 0 && dropped > 0, "stories in which nothing goes wrong prove nothing");
}

#[test]
fn the_same_seed_gives_the_same_story() {
    for seed in [3, 11, 42] {
        assert_eq!(run(seed).trace, run(seed).trace);
    }
}

#[test]
fn a_steer_that_the_server_holds_is_said_again_when_the_line_is_lost_before_it_is_heard() {
    check(&run(9131));
}

#[test]
fn a_connection_that_breaks_one_answer_after_another_is_not_kept() {
    check(&run(343));
}
