//! Whatever happens to an act: as many ends as begins, and none that nobody permitted.

use policy::act::Role;
use policy::approval::{Answer, Said};
use policy::gate::{Gate, Gated, Wanted};
use policy::verdict::Verdict;
use proptest::prelude::*;

use super::log::{Entry, Log, Mood, actor, answer, call, command, done, now, poll, ruling, too_late, wanted};

/// How far somebody goes with what a gate gave, before it is dropped.
#[derive(Debug, Clone, Copy)]
enum Until {
    Gated,
    Opened,
    Finished,
}

#[derive(Debug, Clone)]
struct Story {
    verdict: Verdict,
    answers: Vec<(Role, Said, bool)>,
    at_first: Mood,
    then: Mood,
    until: Until,
}

fn story() -> impl Strategy<Value = Story> {
    let mood = || {
        prop_oneof![
            4 => Just(Mood::Well),
            1 => Just(Mood::NoRoom),
            1 => Just(Mood::RoomPends),
            1 => Just(Mood::NotDurable),
            1 => Just(Mood::BeginNotDurable),
            1 => Just(Mood::EndNotDurable),
            1 => Just(Mood::DurablePends),
        ]
    };
    let said = prop_oneof![Just(Said::Yes), Just(Said::No)];
    let one = (prop::sample::select(Role::ALL.to_vec()), said, prop::bool::weighted(0.2));
    let until = prop_oneof![Just(Until::Gated), Just(Until::Opened), Just(Until::Finished)];
    let verdict = prop::sample::select(Verdict::ALL.to_vec());
    (verdict, prop::collection::vec(one, 0..4), mood(), mood(), until)
        .prop_map(|(verdict, answers, at_first, then, until)| Story { verdict, answers, at_first, then, until })
}

fn tell(log: &Log, id: &str, story: &Story) {
    let gate = Gate::new(log.clone());
    log.becomes(story.at_first);
    let wanted = Wanted { call: call(id), ..wanted(command("ls")) };
    let mut gated = poll(gate.judged(wanted, |_, _| ruling(story.verdict)));
    log.becomes(story.then);
    for (role, said, late) in &story.answers {
        let Some(Ok(Gated::Asked(question))) = gated else { break };
        let answer = Answer { by: actor(*role), ..answer(&question, *said) };
        gated = poll(gate.answered(question, &answer, if *late { too_late() } else { now() }));
    }
    let Some(Ok(Gated::Permitted(permit))) = gated else { return };
    let yes = |entry: &Entry| matches!(entry, Entry::Answered { call, said: Said::Yes, unheard: None } if *call == id);
    assert!(story.verdict == Verdict::Allow || story.verdict == Verdict::Ask && log.entries().iter().any(yes));
    match story.until {
        Until::Gated => drop(permit),
        Until::Opened => drop(permit.open()),
        Until::Finished => drop(permit.open().1.finish(done())),
    }
}

proptest! {
    #[test]
    fn whatever_happens_each_begin_has_one_end_after_it(stories in prop::collection::vec(story(), 1..6)) {
        let log = Log::new(Mood::Well);
        for (number, story) in stories.iter().enumerate() {
            let id = number.to_string();
            tell(&log, &id, story);
            let entries = log.entries();
            let begun = entries.iter().position(|entry| matches!(entry, Entry::Begun { call, .. } if *call == id));
            let ended = |entry: &Entry| matches!(entry, Entry::Ended { call, .. } if *call == id);
            prop_assert_eq!(entries.iter().filter(|entry| ended(entry)).count(), usize::from(begun.is_some()));
            prop_assert_eq!(entries.last().is_some_and(ended), begun.is_some());
        }
    }
}
