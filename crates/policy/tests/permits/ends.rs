//! What has begun ends once, whatever happens.

use std::panic::{AssertUnwindSafe, catch_unwind};

use policy::act::{Act, Hash};
use policy::gate::{Bound, Ended, Gate, Gated, NotRecorded, Open, Outcome, Permit};
use policy::verdict::Verdict;

use super::log::{Command, Entry, Log, Mood, command, done, full, judged, permit, poll, ready, ruling, wanted};

const BEGUN: &str = "begun c1 allow by rules";

#[test]
fn a_permit_says_that_the_begin_is_written_down() {
    let log = Log::new(Mood::Well);
    let permit = permit(&log);
    assert_eq!(log.told(), [BEGUN]);
    let hash = permit.hash();
    assert!(matches!(log.entries().first(), Some(Entry::Begun { input, .. }) if *input == hash));
    drop(permit);
}

#[test]
fn an_act_ends_as_it_is_said_to_end() {
    for outcome in Outcome::ALL {
        let log = Log::new(Mood::Well);
        let (payload, open) = permit(&log).open();
        assert_eq!(payload, command("ls"));
        let ended = Ended { outcome, ..done() };
        ready(open.finish(ended.clone())).unwrap();
        assert_eq!(log.told().len(), 2);
        assert_eq!(log.entries().last(), Some(&Entry::Ended { call: "c1".to_owned(), ended }));
    }
}

#[test]
fn an_end_is_written_down_though_nobody_waits_for_it() {
    let log = Log::new(Mood::Well);
    let (_, open) = permit(&log).open();
    drop(open.finish(done()));
    assert_eq!(log.told(), [BEGUN, "ended c1 done"]);
}

#[test]
fn a_refusal_by_rules_begins_and_ends_in_the_log() {
    let log = Log::new(Mood::Well);
    let Gated::Refused(refusal) = judged(&log, Verdict::Deny).unwrap() else { panic!("not refused") };
    assert_eq!(log.told(), ["begun c1 deny by rules", "ended c1 refused"]);
    assert_eq!(
        refusal.to_string(),
        "command `ls` was not done: rule `rm` of rules.toml; do it in another way, or change the rules"
    );
}

#[test]
fn a_permit_that_nobody_uses_is_abandoned() {
    let log = Log::new(Mood::Well);
    drop(permit(&log));
    assert_eq!(log.told(), [BEGUN, "ended c1 abandoned"]);
}

#[test]
fn an_act_that_is_dropped_is_interrupted() {
    let log = Log::new(Mood::Well);
    let (_, open) = permit(&log).open();
    drop(open);
    assert_eq!(log.told(), [BEGUN, "ended c1 interrupted"]);
}

async fn run(permit: Permit<Command>) -> Result<(), NotRecorded> {
    let (_, open): (Command, Open) = permit.open();
    std::future::pending::<()>().await;
    open.finish(done()).await
}

#[test]
fn an_act_that_is_cancelled_is_interrupted() {
    let log = Log::new(Mood::Well);
    assert_eq!(poll(run(permit(&log))), None);
    assert_eq!(log.told(), [BEGUN, "ended c1 interrupted"]);
}

#[test]
fn an_act_that_is_cancelled_before_it_starts_is_abandoned() {
    let log = Log::new(Mood::Well);
    drop(run(permit(&log)));
    assert_eq!(log.told(), [BEGUN, "ended c1 abandoned"]);
}

#[test]
fn an_act_that_panics_is_interrupted() {
    let log = Log::new(Mood::Well);
    let permit = permit(&log);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let (payload, open) = permit.open();
        assert_eq!(payload, command("something else"), "on purpose");
        drop(open.finish(done()));
    }));
    assert!(panicked.is_err());
    assert_eq!(log.told(), [BEGUN, "ended c1 interrupted"]);
}

#[test]
fn a_panic_before_an_act_starts_leaves_it_abandoned() {
    let log = Log::new(Mood::Well);
    let permit = permit(&log);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _mine = permit;
        panic!("on purpose");
    }));
    assert!(panicked.is_err());
    assert_eq!(log.told(), [BEGUN, "ended c1 abandoned"]);
}

/// Panics when it is dropped.
struct Fragile;

impl Bound for Fragile {
    fn act(&self) -> Act {
        command("ls").act()
    }

    fn rest(&self) -> Hash {
        command("ls").rest()
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

#[test]
fn a_payload_that_panics_when_it_is_dropped_does_not_take_the_end_with_it() {
    let log = Log::new(Mood::Well);
    let gated = ready(Gate::new(log.clone()).judged(wanted(Fragile), |_, _| ruling(Verdict::Allow))).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(gated))).is_err());
    assert_eq!(log.told(), [BEGUN, "ended c1 abandoned"]);
}

#[test]
fn whoever_goes_away_while_the_begin_is_made_durable_leaves_an_end() {
    let log = Log::new(Mood::DurablePends);
    let gate = Gate::new(log.clone());
    assert!(poll(gate.judged(wanted(command("ls")), |_, _| ruling(Verdict::Allow))).is_none());
    assert_eq!(log.told(), [BEGUN, "ended c1 abandoned"]);
}

#[test]
fn whoever_goes_away_while_a_refusal_is_made_durable_leaves_an_end() {
    let log = Log::new(Mood::DurablePends);
    let gate = Gate::new(log.clone());
    assert!(poll(gate.judged(wanted(command("ls")), |_, _| ruling(Verdict::Deny))).is_none());
    assert_eq!(log.told(), ["begun c1 deny by rules", "ended c1 refused"]);
}

#[test]
fn whoever_goes_away_while_there_is_no_room_leaves_nothing() {
    let log = Log::new(Mood::RoomPends);
    let gate = Gate::new(log.clone());
    for verdict in [Verdict::Allow, Verdict::Deny] {
        assert!(poll(gate.judged(wanted(command("ls")), |_, _| ruling(verdict))).is_none());
    }
    assert_eq!(log.told(), [""; 0]);
}

#[test]
fn what_cannot_be_written_down_is_not_permitted() {
    for verdict in [Verdict::Allow, Verdict::Deny] {
        assert_eq!(judged(&Log::new(Mood::NoRoom), verdict).unwrap_err(), full());
        assert_eq!(judged(&Log::new(Mood::NotDurable), verdict).unwrap_err(), full());
    }
    assert_eq!(judged(&Log::new(Mood::NotDurable), Verdict::Ask).unwrap_err(), full());
}

#[test]
fn a_refusal_is_written_down_from_begin_to_end() {
    for mood in [Mood::BeginNotDurable, Mood::EndNotDurable] {
        assert_eq!(judged(&Log::new(mood), Verdict::Deny).unwrap_err(), full());
    }
}

#[test]
fn a_begin_that_does_not_become_durable_ends_all_the_same() {
    let log = Log::new(Mood::NotDurable);
    judged(&log, Verdict::Allow).unwrap_err();
    assert_eq!(log.told(), [BEGUN, "ended c1 abandoned"]);
}

#[test]
fn an_end_that_does_not_become_durable_is_told() {
    let log = Log::new(Mood::Well);
    let (_, open) = permit(&log).open();
    log.becomes(Mood::NotDurable);
    assert_eq!(ready(open.finish(done())).unwrap_err(), full());
    assert_eq!(log.told(), [BEGUN, "ended c1 done"]);
}

#[test]
fn a_log_that_cannot_be_written_says_what_helps() {
    assert_eq!(
        full().to_string(),
        "the log cannot be written: the disk is full: make room; nothing is done that cannot be written down first"
    );
}

#[test]
fn outcomes_have_names() {
    for outcome in Outcome::ALL {
        assert_eq!(Outcome::named(outcome.name()), Some(outcome));
    }
    assert_eq!(Outcome::named("DONE"), None);
}
