use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use config::{ConfigError, Layers};
use proptest::prelude::*;

use super::*;

fn tokens(tokens: u64) -> Spent {
    Spent { tokens, ..Spent::default() }
}

fn limit(tokens: u64) -> Budget {
    Budget { tokens: Some(tokens), ..Budget::default() }
}

fn read<T>(text: &str, how: impl FnOnce(&mut Table) -> Result<T, ConfigError>) -> Result<T, String> {
    let mut settings = Layers::new().file("capstan.toml", text).unwrap().merge();
    how(&mut settings).map_err(|error| error.to_string())
}

#[test]
fn what_is_set_aside_is_not_there_for_others() {
    let account = Account::root("session s1", limit(10));
    let first = account.reserve(&tokens(7)).unwrap();
    assert_eq!(account.left(), limit(3));
    assert!(account.reserve(&tokens(4)).is_err());
    first.settle(&tokens(2));
    assert_eq!((account.spent(), account.reserved(), account.left()), (tokens(2), tokens(0), limit(8)));
    let second = account.reserve(&tokens(8)).unwrap();
    assert_eq!(second.amounts(), tokens(8));
    drop(second);
    assert_eq!((account.spent(), account.left()), (tokens(2), limit(8)));
}

#[test]
fn each_kind_has_a_limit_of_its_own() {
    let second = Duration::from_secs(1);
    let budget = Budget {
        tokens: Some(1),
        money: Some(Money(1)),
        time: Some(second),
        calls: Some(1),
        bytes_written: Some(1),
        bytes_deleted: Some(1),
    };
    let more: [(Kind, Spent); Kind::COUNT] = [
        (Kind::Tokens, Spent { tokens: 2, ..Spent::default() }),
        (Kind::Money, Spent { money: Money(2), ..Spent::default() }),
        (Kind::Time, Spent { time: second * 2, ..Spent::default() }),
        (Kind::Calls, Spent { calls: 2, ..Spent::default() }),
        (Kind::BytesWritten, Spent { bytes_written: 2, ..Spent::default() }),
        (Kind::BytesDeleted, Spent { bytes_deleted: 2, ..Spent::default() }),
    ];
    assert_eq!(more.map(|(kind, _)| kind), Kind::ALL);
    for (kind, wanted) in more {
        assert_eq!(Account::root("a", budget).reserve(&wanted).unwrap_err().what, kind);
        drop(Account::root("a", Budget::default()).reserve(&wanted).unwrap());
    }
    let all = Spent { tokens: 1, money: Money(1), time: second, calls: 1, bytes_written: 1, bytes_deleted: 1 };
    let account = Account::root("a", budget);
    drop(account.reserve(&all).unwrap());
    account.charge(&all);
    assert_eq!(account.spent(), all);
    assert_eq!(account.left().amounts(), [0; Kind::COUNT]);
}

#[test]
fn what_a_child_spends_its_parents_spend() {
    let root = Account::root("session", limit(100));
    let agent = root.child("agent", limit(50)).unwrap();
    let subagent = agent.child("subagent", Budget::default()).unwrap();
    subagent.reserve(&tokens(20)).unwrap().settle(&tokens(15));
    agent.reserve(&tokens(5)).unwrap().settle(&tokens(5));
    assert_eq!([&root, &agent, &subagent].map(|account| account.spent().tokens), [20, 20, 15]);
    assert_eq!([&root, &agent, &subagent].map(|account| account.left().tokens), [Some(80), Some(30), Some(30)]);
}

#[test]
fn a_child_gets_no_more_than_its_parent_has_left() {
    let root = Account::root("session", limit(100));
    let set_aside = root.reserve(&tokens(30)).unwrap();
    root.charge(&tokens(10));
    for (asked, got) in [(limit(200), 60), (limit(60), 60), (limit(5), 5), (Budget::default(), 60)] {
        assert_eq!(root.child("agent", asked).unwrap().limits(), limit(got));
    }
    drop(set_aside);
}

#[test]
fn brothers_share_what_their_parent_has() {
    let root = Account::root("session", limit(10));
    let [one, other] = ["one", "other"].map(|name| root.child(name, limit(10)).unwrap());
    one.charge(&tokens(8));
    let refused = other.reserve(&tokens(3)).unwrap_err();
    assert_eq!((refused.whose.as_str(), refused.used), ("session", 8));
    assert_eq!(other.reserved(), tokens(0), "nothing is set aside below what refused");
}

#[test]
fn what_happened_counts_even_over_the_limit() {
    let account = Account::root("session", limit(10));
    account.reserve(&tokens(9)).unwrap().settle(&tokens(12));
    assert_eq!((account.spent(), account.left()), (tokens(12), limit(0)));
    assert!(account.reserve(&tokens(1)).is_err());
    let call = Spent { calls: 1, ..Spent::default() };
    assert!(account.reserve(&call).is_ok(), "what is not wanted does not run out");
}

#[test]
fn sums_do_not_overflow() {
    let account = Account::root("session", Budget::default());
    account.charge(&tokens(u64::MAX - 1));
    assert!(account.reserve(&tokens(2)).is_err());
    account.charge(&tokens(u64::MAX));
    let long = Spent { time: Duration::MAX, ..Spent::default() };
    account.charge(&long.and(long));
    assert_eq!(account.spent().tokens, u64::MAX);
    assert_eq!(account.spent().time, Duration::from_nanos(u64::MAX));
}

#[test]
fn accounts_stand_at_most_so_deep() {
    let mut account = Account::root("a", Budget::default());
    for _ in 0..MAX_DEPTH {
        account = account.child("a", Budget::default()).unwrap();
    }
    assert_eq!(account.child("a", Budget::default()).unwrap_err(), TooDeep);
    account.reserve(&tokens(3)).unwrap().settle(&tokens(3));
    assert_eq!(account.spent(), tokens(3));
}

#[test]
fn threads_together_get_exactly_what_there_is() {
    const LIMIT: u64 = 1000;
    let root = Account::root("session", limit(LIMIT));
    let spend = |child: Account| {
        let one = |_: &u64| child.reserve(&tokens(1)).map(|got| got.settle(&tokens(1))).is_ok();
        (0..LIMIT).filter(one).count()
    };
    let got: usize = std::thread::scope(|scope| {
        let child = |number: usize| root.child(format!("agent {number}"), Budget::default()).unwrap();
        let threads: Vec<_> = (0..4)
            .map(|number| {
                scope.spawn({
                    let child = child(number);
                    move || spend(child)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((got, root.spent()), (1000, tokens(LIMIT)));
}

#[test]
fn what_is_there_once_is_never_had_by_two() {
    let root = Account::root("session", Budget::default());
    let child = root.child("agent", limit(1)).unwrap();
    let holders = AtomicUsize::new(0);
    let hold = || {
        let Ok(held) = child.reserve(&tokens(1)) else { return };
        assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
        holders.fetch_sub(1, Ordering::SeqCst);
        drop(held);
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(|| (0..5000).for_each(|_| hold())))));
}

#[test]
fn a_refusal_above_is_not_felt_by_others_below() {
    let root = Account::root("session", limit(5));
    let child = root.child("agent", Budget::default()).unwrap();
    let child = child.child("subagent", limit(8)).unwrap();
    std::thread::scope(|scope| {
        // The child has room for six, the root has not; six and four are more than the child has.
        let too_much = scope.spawn(|| (0..2000).all(|_| child.reserve(&tokens(6)).is_err()));
        let fits = scope.spawn(|| (0..2000).all(|_| child.reserve(&tokens(4)).is_ok()));
        assert!(too_much.join().unwrap() && fits.join().unwrap());
    });
}

#[test]
fn over_budget_says_what_ran_out_and_what_to_set() {
    let account = |budget| {
        let account = Account::root("session s1", budget);
        account.charge(&Spent { money: Money(900_000), time: Duration::from_mins(1), ..tokens(900) });
        account
    };
    let table: [(Budget, Spent, &str); 3] = [
        (
            limit(1000),
            tokens(200),
            "session s1 has 100 tokens left of 1000 tokens, and 200 tokens more would be needed: set `tokens` in [budget] \
             higher, or ask for less",
        ),
        (
            Budget { money: Some(Money(1_000_000)), ..Budget::default() },
            Spent { money: Money(125_000), ..Spent::default() },
            "session s1 has $0.10 left of $1.00, and $0.125 more would be needed: set `dollars` in [budget] higher, or ask \
             for less",
        ),
        (
            Budget { time: Some(Duration::from_mins(1)), ..Budget::default() },
            Spent { time: Duration::from_millis(1500), ..Spent::default() },
            "session s1 has 0ns left of 60s, and 1.5s more would be needed: set `seconds` in [budget] higher, or ask for less",
        ),
    ];
    for (budget, wanted, message) in table {
        assert_eq!(account(budget).reserve(&wanted).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_budget_is_read_from_settings() {
    let text = "[budget]\ntokens = 5\ndollars = 2.5\nseconds = 60\ncalls = 7\nbytes_written = 8\nbytes_deleted = 9";
    let budget = Budget {
        tokens: Some(5),
        money: Some(Money(2_500_000)),
        time: Some(Duration::from_mins(1)),
        calls: Some(7),
        bytes_written: Some(8),
        bytes_deleted: Some(9),
    };
    assert_eq!(read(text, Budget::read).unwrap(), budget);
    assert_eq!(read("", Budget::read).unwrap(), Budget::default());
    let mistyped = read("[budget]\ntoken = 5", Budget::read).unwrap_err();
    assert!(mistyped.contains("capstan.toml:2") && mistyped.contains("did you mean `tokens`?"), "{mistyped}");
}

#[test]
fn dollars_are_read_as_they_are_written() {
    let table = [
        ("1.25", Some(1_250_000)),
        ("10", Some(10_000_000)),
        ("0", Some(0)),
        ("0.1", Some(100_000)),
        ("0.000001", Some(1)),
        ("123456.789012", Some(123_456_789_012)),
        ("0.0000001", None),
        ("-1.0", None),
        ("1e300", None),
        ("\"1\"", None),
    ];
    for (dollars, micros) in table {
        let budget = read(&format!("budget.dollars = {dollars}"), Budget::read);
        assert_eq!(
            budget.as_ref().ok().map(|budget| budget.money),
            micros.map(|micros| Some(Money(micros))),
            "{dollars}"
        );
    }
    let message = read("budget.dollars = -1.0", Budget::read).unwrap_err();
    assert!(message.contains("expected dollars, not negative, with at most six decimals: 1.25"), "{message}");
}

#[test]
fn money_is_written_in_dollars() {
    let table = [(0, "$0.00"), (1, "$0.000001"), (1_250_000, "$1.25"), (12_500_000, "$12.50"), (1_234_500, "$1.2345")];
    for (micros, text) in table {
        assert_eq!(Money(micros).to_string(), text);
    }
}

const PRICES: &str = "
[prices.\"gpt-5.3-codex\"]
input = 1.25
cached_input = 0.125
output = 10.0

[prices.local]
input = 0
output = 0.000001
";

#[test]
fn a_cost_is_exact_and_rounded_up_once() {
    let prices = read(PRICES, Prices::read).unwrap();
    let table = [
        ("gpt-5.3-codex", 1_000_000, 0, 0, 1_250_000),
        ("gpt-5.3-codex", 1_000_000, 1_000_000, 0, 125_000),
        ("gpt-5.3-codex", 1_000_000, 400_000, 100_000, 750_000 + 50_000 + 1_000_000),
        ("gpt-5.3-codex", 1, 0, 0, 2),
        // 1.25 + 0.125 + 10 = 11.375 millionths: up once, not thrice.
        ("gpt-5.3-codex", 2, 1, 1, 12),
        ("gpt-5.3-codex", 1, 5, 0, 1),
        ("local", 5_000_000, 0, 0, 0),
        ("local", 0, 0, 1, 1),
        ("gpt-5.3-codex", u64::MAX, 0, u64::MAX, u64::MAX),
    ];
    for (model, input, cached, output, micros) in table {
        let tokens = Tokens { input, cached, output };
        assert_eq!(prices.cost(model, tokens).unwrap(), Money(micros), "{model} {tokens:?}");
    }
}

#[test]
fn a_model_without_a_price_says_what_to_set() {
    let prices = read(PRICES, Prices::read).unwrap();
    assert_eq!(
        prices.cost("gpt-9", Tokens::default()).unwrap_err().to_string(),
        "no price is known for the model \"gpt-9\": set `input` and `output` in [prices.\"gpt-9\"], in dollars for a \
         million tokens"
    );
}

#[test]
fn a_price_that_is_not_whole_points_at_its_line() {
    let table = [
        ("[prices.a]\ninput = 1", "capstan.toml:1", "`output` is not set: dollars for a million tokens"),
        ("[prices.a]\noutput = 1", "capstan.toml:1", "`input` is not set"),
        ("[prices.a]\ninput = 1\noutput = -1", "capstan.toml:3", "not negative"),
        ("[prices.a]\ninput = 1\noutput = 1\ncached = 1", "capstan.toml:4", "unknown key `cached`"),
    ];
    for (text, place, message) in table {
        let error = read(text, Prices::read).unwrap_err();
        assert!(error.contains(place) && error.contains(message), "{error}");
    }
}

#[test]
fn without_a_price_of_their_own_cached_tokens_cost_what_others_do() {
    let prices = read("[prices.a]\ninput = 2\noutput = 1", Prices::read).unwrap();
    let cost = prices.cost("a", Tokens { input: 1_000_000, cached: 1_000_000, output: 0 });
    assert_eq!(cost, Ok(Money(2_000_000)));
}

#[derive(Debug, Clone)]
enum Step {
    Child(usize, Option<u64>, Option<u64>),
    Reserve(usize, u64, u64),
    Settle(usize, u64, u64),
    Release(usize),
    Charge(usize, u64),
}

fn step() -> impl Strategy<Value = Step> {
    let at = 0_usize..20;
    let limit = || prop::option::of(0_u64..60);
    prop_oneof![
        (at.clone(), limit(), limit()).prop_map(|(at, tokens, calls)| Step::Child(at, tokens, calls)),
        (at.clone(), 0_u64..20, 0_u64..5).prop_map(|(at, tokens, calls)| Step::Reserve(at, tokens, calls)),
        (at.clone(), 0_u64..24, 0_u64..5).prop_map(|(at, tokens, calls)| Step::Settle(at, tokens, calls)),
        at.clone().prop_map(Step::Release),
        (at, 0_u64..4).prop_map(|(at, tokens)| Step::Charge(at, tokens)),
    ]
}

/// The same sums by the simplest means: every account adds up all that is known of itself and of those below.
struct Plain {
    parents: Vec<Option<usize>>,
    limits: Vec<[u64; 2]>,
    /// Spent for good: where, and how much.
    spent: Vec<(usize, [u64; 2])>,
    /// What was spent without having been set aside.
    unforeseen: Vec<(usize, [u64; 2])>,
    held: Vec<(usize, [u64; 2], Reservation)>,
}

impl Plain {
    fn is_in(&self, at: usize, above: usize) -> bool {
        at == above || self.parents[at].is_some_and(|parent| self.is_in(parent, above))
    }

    fn sum<'a>(&self, of: impl Iterator<Item = (&'a usize, &'a [u64; 2])>, above: usize) -> [u64; 2] {
        let within = of.filter(|(at, _)| self.is_in(**at, above));
        within.fold([0, 0], |[a, b], (_, [c, d])| [a + c, b + d])
    }

    fn spent(&self, above: usize) -> [u64; 2] {
        self.sum(self.spent.iter().map(|(at, amounts)| (at, amounts)), above)
    }

    fn reserved(&self, above: usize) -> [u64; 2] {
        self.sum(self.held.iter().map(|(at, amounts, _)| (at, amounts)), above)
    }

    fn unforeseen(&self, above: usize) -> [u64; 2] {
        self.sum(self.unforeseen.iter().map(|(at, amounts)| (at, amounts)), above)
    }

    fn fits(&self, at: usize, wanted: [u64; 2]) -> bool {
        let above = (0..self.parents.len()).filter(|above| self.is_in(at, *above));
        above.into_iter().all(|above| {
            let (spent, reserved) = (self.spent(above), self.reserved(above));
            (0..2).all(|kind| {
                wanted[kind] == 0 || spent[kind] + reserved[kind] + wanted[kind] <= self.limits[above][kind]
            })
        })
    }
}

fn pair(spent: Spent) -> [u64; 2] {
    [spent.tokens, spent.calls]
}

fn of_pair([tokens, calls]: [u64; 2]) -> Spent {
    Spent { tokens, calls, ..Spent::default() }
}

fn walk(steps: Vec<Step>) {
    let root = Budget { tokens: Some(100), calls: Some(20), ..Budget::default() };
    let mut accounts = vec![Account::root("root", root)];
    let mut plain = Plain {
        parents: vec![None],
        limits: vec![[100, 20]],
        spent: Vec::new(),
        unforeseen: Vec::new(),
        held: Vec::new(),
    };
    for step in steps {
        match step {
            Step::Child(at, tokens, calls) => {
                let at = at % accounts.len();
                let left = accounts[at].left();
                let child = accounts[at].child("child", Budget { tokens, calls, ..Budget::default() }).unwrap();
                let limits = [child.limits().tokens.unwrap(), child.limits().calls.unwrap()];
                assert!(limits[0] <= left.tokens.unwrap() && limits[1] <= left.calls.unwrap());
                plain.parents.push(Some(at));
                plain.limits.push(limits);
                accounts.push(child);
            }
            Step::Reserve(at, tokens, calls) => {
                let at = at % accounts.len();
                let wanted = [tokens, calls];
                let fits = plain.fits(at, wanted);
                let reserved = accounts[at].reserve(&of_pair(wanted));
                assert_eq!(reserved.is_ok(), fits, "{reserved:?}");
                plain.held.extend(reserved.ok().map(|reservation| (at, wanted, reservation)));
            }
            Step::Settle(at, tokens, calls) if !plain.held.is_empty() => {
                let (at, [set_tokens, set_calls], reservation) = plain.held.swap_remove(at % plain.held.len());
                reservation.settle(&of_pair([tokens, calls]));
                plain.spent.push((at, [tokens, calls]));
                plain.unforeseen.push((at, [tokens.saturating_sub(set_tokens), calls.saturating_sub(set_calls)]));
            }
            Step::Release(at) if !plain.held.is_empty() => {
                drop(plain.held.swap_remove(at % plain.held.len()));
            }
            Step::Charge(at, tokens) => {
                let at = at % accounts.len();
                accounts[at].charge(&of_pair([tokens, 0]));
                plain.spent.push((at, [tokens, 0]));
                plain.unforeseen.push((at, [tokens, 0]));
            }
            Step::Settle(..) | Step::Release(_) => {}
        }
        check(&accounts, &plain);
    }
    plain.held.clear();
    assert!(accounts.iter().all(|account| account.reserved() == Spent::default()));
}

fn check(accounts: &[Account], plain: &Plain) {
    for (at, account) in accounts.iter().enumerate() {
        let (spent, reserved) = (pair(account.spent()), pair(account.reserved()));
        assert_eq!((spent, reserved), (plain.spent(at), plain.reserved(at)));
        let unforeseen = plain.unforeseen(at);
        assert!((0..2).all(|kind| spent[kind] + reserved[kind] <= plain.limits[at][kind] + unforeseen[kind]));
        let children = (0..accounts.len()).filter(|child| plain.parents[*child] == Some(at));
        let below = children.fold([0, 0], |[a, b], child| {
            let [c, d] = pair(accounts[child].spent());
            [a + c, b + d]
        });
        assert!(spent[0] >= below[0] && spent[1] >= below[1]);
    }
}

proptest! {
    #[test]
    fn whatever_is_done_in_a_tree_its_sums_hold(steps in prop::collection::vec(step(), 0..60)) {
        walk(steps);
    }
}
