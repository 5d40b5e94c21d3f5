use super::*;

fn id(number: u64) -> SessionId {
    SessionId::of(number, [0; 10])
}

fn facts(number: u64, changed: u64, bytes: u64, past: Option<u64>) -> Facts {
    Facts { id: id(number), changed, bytes, past: past.map(id) }
}

/// What goes where these are in use.
fn planned(all: &[Facts], keep: Keep, kept: &[u64]) -> Vec<u64> {
    let (mut plan, mut goes) = (Plan::new(all, 1000, &keep), Vec::new());
    while let Some(facts) = plan.next() {
        if !kept.contains(&facts.id.began()) {
            goes.push(facts.id.began());
            plan.is_gone(facts);
        }
    }
    goes
}

#[test]
fn what_is_removed_is_too_old_or_too_much_and_nothing_that_is_kept_needs_it() {
    let age = |milliseconds| Keep { age: Some(Duration::from_millis(milliseconds)), bytes: None };
    let bytes = |bytes| Keep { age: None, bytes: Some(bytes) };
    let apart = [facts(1, 100, 10, None), facts(2, 900, 10, None), facts(3, 500, 10, None)];
    assert_eq!(planned(&apart, Keep::default(), &[]), [] as [u64; 0]);
    assert_eq!(planned(&apart, age(500), &[]), [1], "what changed at the bound is kept");
    assert_eq!(planned(&apart, age(499), &[]), [1, 3]);
    assert_eq!(planned(&apart, bytes(20), &[]), [1]);
    assert_eq!(planned(&apart, bytes(19), &[]), [1, 3], "the oldest first");
    assert_eq!(planned(&apart, bytes(0), &[3]), [1, 2], "what is in use stays");
    let family =
        [facts(1, 100, 10, None), facts(2, 200, 10, Some(1)), facts(3, 900, 10, Some(2)), facts(4, 50, 1, Some(1))];
    assert_eq!(planned(&family, age(500), &[]), [4], "the past of what is kept stays");
    assert_eq!(planned(&family, age(50), &[]), [4, 3, 2, 1], "what shares a past goes before it");
    assert_eq!(planned(&family, bytes(25), &[]), [4, 3], "a past counts as long as something shares it");
    assert_eq!(planned(&family, age(50), &[2]), [4, 3]);
}

#[test]
fn the_time_that_a_plan_takes_is_in_proportion_to_the_number_of_sessions() {
    // In proportion to its square it takes longer than a test may.
    const MANY: u64 = 400_000;
    let pasts = |number: u64| (!number.is_multiple_of(64)).then(|| number - 1);
    let all: Vec<_> = (0..MANY).map(|number| facts(number, MANY - number, 10, pasts(number))).collect();
    let keep = Keep { age: None, bytes: Some(0) };
    assert_eq!(planned(&all, keep, &[]).len(), all.len());
    assert_eq!(planned(&all, keep, &[63]).len(), all.len() - 64, "and what is in use keeps its past only");
}
