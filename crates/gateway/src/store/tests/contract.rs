use std::time::Duration;

use super::*;

#[test]
fn a_response_is_found_as_it_was_kept_whatever_it_is_made_of() {
    let long: Vec<String> = (0..9000).map(|number| number.to_string()).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    let root = first("root", &["hello"], &["hi", "there"]);
    let rewritten = Kept {
        context: said(&["summary", "go on", "yes"]).into_iter().collect(),
        ..next(&root, "rewritten", &["go on"], &["yes"])
    };
    let unknown = Kept { parent: Some("elsewhere".into()), ..next(&root, "unknown", &["a"], &["b"]) };
    let table = [
        root.clone(),
        next(&root, "next", &["a"], &["b"]),
        next(&root, "fork", &["c", "d"], &[]),
        next(&root, "silent", &[], &["more"]),
        next(&root, "nothing new", &[], &[]),
        first("nothing at all", &[], &[]),
        next(&first("nothing at all", &[], &[]), "after nothing", &["a"], &["b"]),
        unknown,
        rewritten.clone(),
        next(&rewritten, "after rewritten", &["a"], &["b"]),
        first("long", &long, &long),
        next(&first("long", &long, &long), "after long", &["a"], &["b"]),
        first("strange \"id\" ä\u{0}'--", &["\u{0}\u{1F600}'"], &[]),
        Kept { events: Vec::new(), at: u64::MAX, ..first("no events", &["a"], &["b"]) },
    ];
    for (mut store, _folder) in stores() {
        for kept in &table {
            assert_gone(&mut *store, kept);
            assert!(!keep(&mut *store, kept));
            assert_whole(&mut *store, kept);
        }
        for kept in &table {
            assert_whole(&mut *store, kept);
        }
    }
}

#[test]
fn changes_of_one_call_see_those_before_them() {
    let root = first("root", &["a"], &["b"]);
    let child = next(&root, "child", &["c"], &["d"]);
    for (mut store, _folder) in stores() {
        let changes = [
            Change::Keep(root.clone()),
            Change::Keep(child.clone()),
            Change::Delete(ann(), root.id.clone()),
            Change::Delete(ann(), root.id.clone()),
        ];
        assert_eq!(store.write(&changes).unwrap(), [false, false, true, false]);
        assert_gone(&mut *store, &root);
        assert_whole(&mut *store, &child);
        assert_eq!(store.write(&[]).unwrap(), [] as [bool; 0]);
    }
}

#[test]
fn what_is_kept_again_takes_the_place_of_what_was_there() {
    let old = first("one", &["old"], &["words"]);
    let child = next(&old, "child", &["c"], &["d"]);
    let new = first("one", &["new"], &["other", "words"]);
    for (mut store, _folder) in stores() {
        keep(&mut *store, &old);
        keep(&mut *store, &child);
        assert!(keep(&mut *store, &new));
        assert_whole(&mut *store, &new);
        assert_whole(&mut *store, &child);
    }
}

#[test]
fn what_has_begun_is_found_and_can_be_gone_on_from_when_it_has_ended() {
    let root = first("root", &["a"], &["b"]);
    let begun = Kept { events: Vec::new(), ..next(&root, "slow", &["c"], &[]) };
    let ended = next(&root, "slow", &["c"], &["d"]);
    for (mut store, _folder) in stores() {
        keep(&mut *store, &root);
        assert_eq!(store.write(&[Change::Begin(begun.clone())]).unwrap(), [false]);
        let reader = store.reader();
        assert_eq!(reader.response(&ann(), &begun.id).unwrap().as_ref(), Some(&begun.response));
        assert_eq!(reader.input(&ann(), &begun.id).unwrap().unwrap(), said(&["c"]));
        assert!(reader.context(&ann(), &begun.id).unwrap().is_none());
        assert!(keep(&mut *store, &ended));
        assert_whole(&mut *store, &ended);
    }
}

#[test]
fn what_is_of_one_owner_is_not_there_for_another() {
    let mine = first("same", &["mine"], &["a"]);
    for (mut store, _folder) in stores() {
        keep(&mut *store, &mine);
        for other in [Owner::nobody(), Owner::of_key("bob"), Owner::of_key("ann ")] {
            let theirs = Kept { owner: other, ..first("same", &["theirs"], &["b"]) };
            assert_gone(&mut *store, &theirs);
            assert!(!delete(&mut *store, &theirs));
            assert!(!keep(&mut *store, &theirs));
            assert_whole(&mut *store, &theirs);
            // A name of mine is no past of theirs.
            let child = Kept { context: mine.context.with(said(&["c"])), ..next(&theirs, "child", &["c"], &[]) };
            keep(&mut *store, &child);
            assert!(delete(&mut *store, &theirs));
            assert_whole(&mut *store, &child);
            assert_whole(&mut *store, &mine);
        }
    }
}

#[test]
fn a_past_is_not_taken_from_another_owner_even_if_name_and_size_agree() {
    let mine = first("same", &["mine"], &["a"]);
    let theirs = Kept { owner: Owner::of_key("bob"), ..first("same", &["ours"], &["a"]) };
    let child = next(&theirs, "child", &["c"], &["d"]);
    assert_eq!(mine.context.bytes(), theirs.context.bytes());
    for (mut store, _folder) in stores() {
        keep(&mut *store, &mine);
        keep(&mut *store, &child);
        assert_whole(&mut *store, &child);
    }
}

#[test]
fn deleting_takes_a_response_and_leaves_others_the_past_they_are_made_of() {
    let root = first("root", &["a"], &["b"]);
    let (left, right) = (next(&root, "left", &["c"], &["d"]), next(&root, "right", &["e"], &["f"]));
    let leaf = next(&left, "leaf", &["g"], &["h"]);
    let all = [&root, &left, &right, &leaf];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]] {
        for (mut store, _folder) in stores() {
            for kept in all {
                keep(&mut *store, kept);
            }
            for (done, at) in order.iter().enumerate() {
                assert!(delete(&mut *store, all[*at]));
                assert!(!delete(&mut *store, all[*at]));
                for at in &order[..=done] {
                    assert_gone(&mut *store, all[*at]);
                }
                for at in &order[done + 1..] {
                    assert_whole(&mut *store, all[*at]);
                }
            }
        }
    }
}

#[test]
fn what_is_too_old_goes_and_what_has_not_ended_stays() {
    let table: Vec<Kept> = (0..10).map(|at| Kept { at, ..first(&format!("at {at}"), &["a"], &["b"]) }).collect();
    let running = Kept { at: 0, ..first("running", &["a"], &[]) };
    let limits = StoreLimits { age: Duration::from_secs(100), ..ALL };
    for (mut store, _folder) in stores() {
        // Not in the order of their age.
        for kept in table.iter().rev() {
            keep(&mut *store, kept);
        }
        store.write(&[Change::Begin(running.clone())]).unwrap();
        for (now, gone) in [(0, 0), (100, 0), (101, 1), (104, 4), (104, 4), (1000, 10)] {
            prune(&mut *store, now, &limits);
            for kept in &table[..gone] {
                assert_gone(&mut *store, kept);
            }
            for kept in &table[gone..] {
                assert_whole(&mut *store, kept);
            }
        }
        assert!(is_there(&mut *store, &running));
        assert_eq!(prune(&mut *store, u64::MAX, &StoreLimits { bytes: 0, ..limits.clone() }).responses, 0);
    }
}

#[test]
fn of_what_is_too_much_the_oldest_goes() {
    let noise = "x".repeat(20_000);
    let table: Vec<Kept> = (0..100).map(|at| Kept { at, ..first(&format!("at {at}"), &[&noise], &[]) }).collect();
    let limits = StoreLimits { bytes: 500_000, ..ALL };
    for (mut store, _folder) in stores() {
        for kept in &table {
            keep(&mut *store, kept);
        }
        let pruned = prune(&mut *store, 0, &limits);
        assert!(pruned.bytes <= limits.bytes && pruned.bytes > limits.bytes / 2, "{pruned:?}");
        let (gone, left) = table.split_at(pruned.responses);
        assert!((70..90).contains(&gone.len()), "{pruned:?}");
        for kept in gone {
            assert_gone(&mut *store, kept);
        }
        for kept in left {
            assert_whole(&mut *store, kept);
        }
        assert_eq!(prune(&mut *store, 0, &limits), Pruned { responses: 0, ..pruned });
    }
}

#[test]
fn pruning_goes_in_steps() {
    let changes: Vec<Change> =
        (0..600).map(|at| Change::Keep(Kept { at, ..first(&at.to_string(), &["a"], &[]) })).collect();
    let limits = StoreLimits { age: Duration::ZERO, ..ALL };
    for (mut store, _folder) in stores() {
        store.write(&changes).unwrap();
        let steps: Vec<_> = (0..3).map(|_| store.prune(1000, &limits).unwrap()).collect();
        assert_eq!(
            steps.iter().map(|step| (step.responses, step.more)).collect::<Vec<_>>(),
            [(256, true), (256, true), (88, false)]
        );
    }
}

#[test]
fn a_chain_of_ten_thousand_with_forks_is_kept_read_and_deleted() {
    let mut chain = vec![first("0", &["in 0"], &["out 0"])];
    let mut forks = Vec::new();
    for number in 1..10_000 {
        let kept = next(&chain[number - 1], &number.to_string(), &["in"], &["out"]);
        if number % 1000 == 0 {
            forks.push(next(&kept, &format!("fork {number}"), &["other"], &["way"]));
        }
        chain.push(kept);
    }
    let all: Vec<Change> = chain.iter().chain(&forks).cloned().map(Change::Keep).collect();
    for (mut store, _folder) in stores() {
        let empty = store.prune(0, &ALL).unwrap().bytes;
        for changes in all.chunks(500) {
            store.write(changes).unwrap();
        }
        for number in [0, 1, 199, 5000, 9999] {
            assert_whole(&mut *store, &chain[number]);
        }
        let deletes: Vec<Change> = chain.iter().map(|kept| Change::Delete(ann(), kept.id.clone())).collect();
        assert_eq!(store.write(&deletes).unwrap(), vec![true; 10_000]);
        assert_gone(&mut *store, &chain[9999]);
        for fork in &forks {
            assert_whole(&mut *store, fork);
        }
        for fork in &forks {
            assert!(delete(&mut *store, fork));
        }
        assert_eq!(store.prune(0, &ALL).unwrap().bytes, empty);
    }
}
