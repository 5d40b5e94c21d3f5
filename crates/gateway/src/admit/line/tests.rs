use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn limits(running: usize, waiting: usize, per_key_running: usize, per_key_waiting: usize) -> AdmitLimits {
    let at_least_one = |number| NonZeroUsize::new(number).unwrap();
    AdmitLimits {
        running: at_least_one(running),
        waiting,
        per_key_running: at_least_one(per_key_running),
        per_key_waiting,
        patience: Duration::from_secs(30),
    }
}

fn key(name: &str) -> Owner {
    Owner::of_key(name)
}

/// A line in which all whose turn it is run.
struct Called {
    line: Line,
    now: Instant,
    running: Vec<Number>,
}

impl Called {
    fn new(limits: AdmitLimits) -> Self {
        Self { line: Line::new(limits), now: Instant::now(), running: Vec::new() }
    }

    fn enter(&mut self, owner: &str) -> Result<Number, Why> {
        let number = self.line.enter(&key(owner), None);
        self.call();
        number
    }

    fn leave(&mut self, owner: &str, number: Number) {
        self.line.leave(&key(owner), number, self.now);
        self.running.retain(|running| *running != number);
        self.call();
    }

    fn call(&mut self) {
        self.running.extend(std::iter::from_fn(|| self.line.call(self.now)));
    }
}

#[test]
fn those_who_came_first_run_first() {
    let mut line = Called::new(limits(2, 9, 9, 9));
    for owner in ["a", "a", "b", "a", "c"] {
        line.enter(owner).unwrap();
    }
    assert_eq!(line.running, [0, 1]);
    line.leave("a", 1);
    assert_eq!(line.running, [0, 2]);
    line.leave("a", 3);
    line.leave("a", 0);
    assert_eq!((line.running, line.line.load()), (vec![2, 4], Load { running: 2, waiting: 0 }));
}

#[test]
fn a_key_at_its_limit_is_in_nobodys_way() {
    let mut line = Called::new(limits(3, 9, 1, 9));
    for owner in ["a", "a", "a", "b", "c"] {
        line.enter(owner).unwrap();
    }
    assert_eq!(line.running, [0, 3, 4]);
    line.leave("b", 3);
    assert_eq!(line.running, [0, 4]);
    line.leave("a", 0);
    assert_eq!(line.running, [4, 1]);
}

#[test]
fn the_limit_of_a_key_itself_counts_more_than_that_of_all_keys() {
    let mut line = Called::new(limits(9, 12, 2, 9));
    let (more, less) = (NonZeroUsize::new(3), NonZeroUsize::new(1));
    for _ in 0..4 {
        line.line.enter(&key("more"), more).unwrap();
        line.line.enter(&key("less"), less).unwrap();
        line.line.enter(&key("as all"), None).unwrap();
    }
    line.call();
    assert_eq!(line.line.load(), Load { running: 3 + 1 + 2, waiting: 1 + 3 + 2 });
    // A limit that was raised holds for those who wait already, and they go before the one who brought it.
    line.line.enter(&key("less"), more).unwrap();
    line.running.clear();
    line.call();
    assert_eq!(line.running, [4, 7]);
}

#[test]
fn where_no_keys_are_asked_for_only_the_limits_of_all_count() {
    let mut line = Called::new(limits(3, 2, 1, 1));
    let nobody = || Owner::nobody().as_str().to_owned();
    for _ in 0..5 {
        line.enter(&nobody()).unwrap();
    }
    assert_eq!(line.line.load(), Load { running: 3, waiting: 2 });
    assert_eq!(line.enter(&nobody()), Err(Why::Everyone));
}

#[test]
fn who_finds_no_place_is_told_whose_limit_it_is_and_leaves_no_trace() {
    let mut line = Called::new(limits(2, 3, 1, 1));
    for owner in ["a", "b"] {
        line.enter(owner).unwrap();
        line.enter(owner).unwrap();
        assert_eq!(line.enter(owner), Err(Why::Key));
    }
    line.enter("c").unwrap();
    assert_eq!((line.enter("c"), line.enter("d")), (Err(Why::Everyone), Err(Why::Everyone)));
    assert_eq!((line.line.load(), line.line.owners.len()), (Load { running: 2, waiting: 3 }, 3));
    for (owner, number) in [("a", 0), ("a", 1), ("b", 2), ("b", 3), ("c", 4)] {
        line.leave(owner, number);
    }
    assert_eq!((line.line.load(), line.line.owners.len()), (Load::default(), 0));
}

#[test]
fn without_a_queue_one_runs_or_is_refused() {
    let mut line = Called::new(limits(1, 0, 1, 0));
    assert_eq!(line.enter("a"), Ok(0));
    assert_eq!((line.enter("a"), line.enter("b")), (Err(Why::Everyone), Err(Why::Everyone)));
    line.leave("a", 0);
    assert_eq!((line.enter("b"), line.running), (Ok(1), vec![1]));
}

#[test]
fn leaving_twice_or_unknown_is_leaving_once() {
    let mut line = Called::new(limits(1, 9, 9, 9));
    line.enter("a").unwrap();
    line.enter("a").unwrap();
    for (owner, number) in [("b", 0), ("a", 7), ("a", 1), ("a", 1)] {
        line.leave(owner, number);
    }
    assert_eq!(line.line.load(), Load { running: 1, waiting: 0 });
}

#[test]
fn the_wait_follows_how_long_runs_last_and_how_many_are_in_front() {
    let mut line = Called::new(limits(2, 99, 1, 99));
    assert_eq!(line.line.wait(&key("a")), Duration::ZERO);
    for number in 0..200 {
        line.enter("a").unwrap();
        line.now += Duration::from_secs(6);
        line.leave("a", number);
    }
    let close_to =
        |wait: Duration, seconds: u64| wait.abs_diff(Duration::from_secs(seconds)) < Duration::from_millis(20);
    line.enter("a").unwrap();
    assert_eq!(line.line.wait(&key("b")), Duration::ZERO);
    assert!(close_to(line.line.wait(&key("a")), 6), "{:?}", line.line.wait(&key("a")));
    line.enter("b").unwrap();
    assert!(close_to(line.line.wait(&key("c")), 3), "{:?}", line.line.wait(&key("c")));
    for _ in 0..3 {
        line.enter("b").unwrap();
    }
    assert!(close_to(line.line.wait(&key("c")), 12), "{:?}", line.line.wait(&key("c")));
    assert!(close_to(line.line.wait(&key("b")), 24), "{:?}", line.line.wait(&key("b")));
}

#[derive(Debug, Clone)]
enum Move {
    Enter { owner: usize, own_limit: usize },
    Leave { at: usize },
}

const OWNERS: [&str; 4] = ["", "a", "b", "c"];

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let enter = (0..OWNERS.len(), 0..4_usize).prop_map(|(owner, own_limit)| Move::Enter { owner, own_limit });
    let leave = any::<usize>().prop_map(|at| Move::Leave { at });
    prop::collection::vec(prop_oneof![3 => enter, 2 => leave], 0..120)
}

fn some_limits() -> impl Strategy<Value = AdmitLimits> {
    (1..5_usize, 0..8_usize, 1..4_usize, 0..5_usize)
        .prop_map(|(all, wait, own, own_wait)| limits(all, wait, own, own_wait))
}

/// What is known of one who is in, by the simplest means.
#[derive(Debug, Clone, PartialEq)]
struct Guest {
    owner: usize,
    number: Number,
    runs: bool,
}

/// All who are in, in the order in which they came, and the latest limit of each owner.
#[derive(Debug, Default)]
struct Model {
    guests: Vec<Guest>,
    limits: [usize; OWNERS.len()],
}

impl Model {
    fn count(&self, owner: Option<usize>, runs: bool) -> usize {
        let counts = |guest: &&Guest| guest.runs == runs && owner.is_none_or(|owner| guest.owner == owner);
        self.guests.iter().filter(counts).count()
    }

    fn first_in_turn(&self, limits: &AdmitLimits) -> Option<usize> {
        let has_room = |guest: &Guest| self.count(Some(guest.owner), true) < self.limits[guest.owner];
        (self.count(None, true) < limits.running.get())
            .then(|| self.guests.iter().position(|guest| !guest.runs && has_room(guest)))?
    }
}

fn enter(line: &mut Line, model: &mut Model, limits: &AdmitLimits, owner: usize, own_limit: usize) {
    let own_limit = NonZeroUsize::new(own_limit);
    let limit = if owner == 0 { usize::MAX } else { own_limit.unwrap_or(limits.per_key_running).get() };
    let (own_waiting, waiting) = (model.count(Some(owner), false), model.count(None, false));
    let runs =
        own_waiting == 0 && model.count(None, true) < limits.running.get() && model.count(Some(owner), true) < limit;
    let expected = match (owner, runs) {
        (_, false) if waiting >= limits.waiting => Some(Why::Everyone),
        (1.., false) if own_waiting >= limits.per_key_waiting => Some(Why::Key),
        _ => None,
    };
    match line.enter(&key(OWNERS[owner]), own_limit) {
        Ok(number) => {
            assert_eq!(expected, None);
            assert!(model.guests.iter().all(|guest| guest.number < number));
            model.limits[owner] = limit;
            model.guests.push(Guest { owner, number, runs: false });
        }
        Err(why) => assert_eq!(expected, Some(why)),
    }
}

/// All whose turn it is run, and they are those whom the model names, in its order.
fn call_all(line: &mut Line, model: &mut Model, limits: &AdmitLimits, now: Instant) {
    while let Some(number) = line.call(now) {
        let at = model.first_in_turn(limits).unwrap();
        assert_eq!(model.guests[at].number, number);
        model.guests[at].runs = true;
    }
    assert_eq!(model.first_in_turn(limits), None);
    let load = Load { running: model.count(None, true), waiting: model.count(None, false) };
    assert_eq!(line.load(), load);
    let present: BTreeSet<usize> = model.guests.iter().map(|guest| guest.owner).collect();
    assert_eq!(line.owners.len(), present.len());
}

proptest! {
    #[test]
    fn whatever_comes_and_goes_limits_hold_turns_are_kept_and_nothing_is_left(limits in some_limits(), moves in moves()) {
        let now = Instant::now();
        let (mut line, mut model) = (Line::new(limits), Model::default());
        for step in moves {
            match step {
                Move::Enter { owner, own_limit } => enter(&mut line, &mut model, &limits, owner, own_limit),
                Move::Leave { .. } if model.guests.is_empty() => {}
                Move::Leave { at } => {
                    let gone = model.guests.remove(at % model.guests.len());
                    line.leave(&key(OWNERS[gone.owner]), gone.number, now);
                }
            }
            call_all(&mut line, &mut model, &limits, now);
            prop_assert!(line.load().running <= limits.running.get());
            prop_assert!(line.load().waiting <= limits.waiting);
        }
        // Nobody waits for ever: when only those who run leave, all have run in the end.
        while let Some(at) = model.guests.iter().position(|guest| guest.runs) {
            let gone = model.guests.remove(at);
            line.leave(&key(OWNERS[gone.owner]), gone.number, now);
            call_all(&mut line, &mut model, &limits, now);
        }
        prop_assert_eq!(&model.guests, &[]);
        prop_assert!(line.owners.is_empty());
    }
}
