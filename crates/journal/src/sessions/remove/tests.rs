use super::*;

fn id(number: u64) -> SessionId {
    SessionId::of(number, [0; 10])
}

fn facts(number: u64, changed: u64, bytes: u64, past: Option<u64>) -> Facts {
    Facts { id: id(number), changed, bytes, past: past.map(id) }
}

fn planned(all: &[Facts], keep: Keep, kept: &[u64]) -> Vec<u64> {
    plan(all, 1000, &keep, &kept.iter().map(|number| id(*number)).collect()).iter().map(|id| id.began()).collect()
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
