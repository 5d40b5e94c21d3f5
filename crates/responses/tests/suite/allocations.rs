//! What the decisions of a chain cost in memory: nothing, whatever the length of the conversation.

use std::sync::Arc;

use allocation_counter::measure;
use responses::chain::{Chain, Config, Effect, LinkId, Plan, Time, WhyAll, plan};
use responses::item::Item;
use responses::request::{Request, Settings};

fn settings(text: &str) -> Arc<Settings> {
    Arc::new(Settings::new(&Request::parse(text).unwrap()))
}

/// A chain of so many items, of which the server has all but one.
fn anchored(items: usize, settings: &Arc<Settings>) -> (Chain, LinkId) {
    let now = Time::default();
    let said = (2..items).map(|at| Item::user(&format!("said {at}")));
    let mut chain = Chain::resumed(Config::default(), said);
    chain.submit(now, vec![Item::user("hello")], settings).unwrap();
    let Some(Effect::Open(link)) = chain.poll_effect() else { panic!("no line is wanted") };
    chain.handle_open(now, link);
    for event in [
        r#"{"type":"response.created","response":{"id":"resp_1"}}"#,
        r#"{"type":"response.completed","response":{"id":"resp_1","output":[{"role":"assistant","content":"hi"}]}}"#,
    ] {
        let _heard = chain.handle_text(now, link, event);
    }
    assert_eq!(chain.transcript().len(), items);
    assert!(chain.is_idle());
    (chain, link)
}

#[test]
fn a_plan_allocates_nothing_however_long_the_conversation_is() {
    let (same, others) = (settings(r#"{"model":"m"}"#), settings(r#"{"model":"n"}"#));
    for items in [10, 100_000] {
        let (chain, link) = anchored(items, &same);
        let (anchor, transcript) = (chain.anchor().unwrap(), chain.transcript());
        let rewritten = transcript.rewritten([]);
        let mut plans = Vec::with_capacity(4);
        let counted = measure(|| {
            plans.push(plan(Some(anchor), link, transcript, &same));
            plans.push(plan(Some(anchor), link, transcript, &others));
            plans.push(plan(Some(anchor), link, &rewritten, &same));
            plans.push(plan(None, link, transcript, &same));
        });
        let previous = anchor.response();
        let expected = [
            Plan::Delta { previous, from: items },
            Plan::All(WhyAll::OtherSettings),
            Plan::All(WhyAll::Rewritten),
            Plan::All(WhyAll::NothingThere),
        ];
        assert_eq!(plans, expected);
        assert_eq!(counted.count_total, 0, "at {items} items");
    }
}

#[test]
fn what_a_turn_allocates_does_not_grow_with_the_conversation() {
    // The lists of the transcript: one of them may be full, and doubles.
    const LISTS: u64 = 2;
    let settings = settings(r#"{"model":"m"}"#);
    let allocations_at = |items: usize| {
        let (mut chain, _) = anchored(items, &settings);
        while chain.poll_effect().is_some() {}
        let item = vec![Item::user("and then?")];
        measure(|| drop(chain.submit(Time::default(), item, &settings))).count_total
    };
    let (short, long) = (allocations_at(10), allocations_at(100_000));
    assert!(short > 0 && long <= short + LISTS, "{long} allocations at 100 000 items, {short} at 10");
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(vec![0_u8; 1000])).bytes_max, 1000);
}
