//! Retry as arithmetic: how often, after how long, by class of fault.
//!
//! Each class has a budget of its own, so that a forgetful server does not use up the patience for a weak line.
//! Progress (a whole item) gives all of them back. Every budget is finite: every turn ends.

use std::time::Duration;

/// What kind of fault it is, as far as asking again goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The server forgot, or the line was too old: foreseen, costs one full send and nothing else.
    Lapse,
    /// The line was lost.
    Line,
    /// The server said nothing for too long.
    Silence,
    /// The server failed.
    Server,
    /// The server asks to wait: rate limits, usage limits, overload.
    Limit,
    /// The server cannot be reached.
    Reach,
}

impl Class {
    const COUNT: usize = 6;
}

/// How often one class of fault is tried again without progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How often.
    pub tries: u32,
    /// The first pause; each next is twice as long.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

/// What a run allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// For a server that forgets again and again.
    pub lapse: Budget,
    /// For lost lines.
    pub line: Budget,
    /// How many sockets in a row are lost before a turn that may goes over HTTP.
    pub sockets: u32,
    /// For silence.
    pub silence: Budget,
    /// For servers that fail.
    pub server: Budget,
    /// Pauses where the server gives none, and while it cannot be reached; bounded by `patience` and by this.
    pub waiting: Budget,
    /// How long a turn may wait in all, for limits and for the network.
    pub patience: Duration,
    /// How often a turn goes on after a part of its answer was kept: that gives budgets back, but not for ever.
    pub resumptions: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let budget = |tries, first, longest| Budget {
            tries,
            first: Duration::from_millis(first),
            longest: Duration::from_secs(longest),
        };
        Self {
            lapse: budget(8, 0, 0),
            line: budget(8, 200, 15),
            sockets: 3,
            silence: budget(2, 0, 0),
            server: budget(8, 500, 30),
            waiting: budget(10_000, 1000, 60),
            patience: Duration::from_hours(24),
            resumptions: 3,
        }
    }
}

impl RetryPolicy {
    fn budget(&self, class: Class) -> Budget {
        match class {
            Class::Lapse => self.lapse,
            Class::Line => self.line,
            Class::Silence => self.silence,
            Class::Server => self.server,
            Class::Limit | Class::Reach => self.waiting,
        }
    }
}

/// What the arithmetic says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Again(Duration),
    GiveUp,
}

/// What a turn has used up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attempts {
    used: [u32; Class::COUNT],
    waited: Duration,
}

impl Attempts {
    /// Counts a fault, and says what follows. `told` is how long the server asks to wait; `seed` spreads the pauses.
    pub(crate) fn after(&mut self, class: Class, told: Option<Duration>, policy: &RetryPolicy, seed: u64) -> Verdict {
        let budget = policy.budget(class);
        let Some(used) = self.used.get_mut(class as usize) else { return Verdict::GiveUp };
        if *used >= budget.tries {
            return Verdict::GiveUp;
        }
        // A line that is lost once is nobody's fault, and costs no pause.
        let forgiven = class == Class::Line && *used == 0;
        let own = if forgiven { Duration::ZERO } else { spread(pause(budget, *used), seed, *used) };
        // The first time the server's word is enough; if it did not help, a longer pause of our own holds.
        let pause = told.map_or(own, |told| if *used == 0 { told } else { told.max(own) });
        if pause > policy.patience {
            return Verdict::GiveUp;
        }
        *used += 1;
        if matches!(class, Class::Limit | Class::Reach) {
            self.waited = self.waited.saturating_add(pause);
            if self.waited > policy.patience {
                return Verdict::GiveUp;
            }
        }
        Verdict::Again(pause)
    }

    /// How often this class was tried again.
    pub(crate) fn used(&self, class: Class) -> u32 {
        self.used.get(class as usize).copied().unwrap_or(u32::MAX)
    }

    /// Whether the next fault of this class would be one too many.
    pub(crate) fn is_used_up(&self, class: Class, policy: &RetryPolicy) -> bool {
        self.used.get(class as usize).is_none_or(|used| *used >= policy.budget(class).tries)
    }

    /// Something whole came: the faults before it are forgiven.
    pub(crate) fn progressed(&mut self) {
        *self = Self::default();
    }
}

fn pause(budget: Budget, used: u32) -> Duration {
    const MOST_DOUBLINGS: u32 = 30;
    budget.first.saturating_mul(1 << used.min(MOST_DOUBLINGS)).min(budget.longest)
}

/// Lengthens a pause by up to an eighth, so that many chains do not come back at once. The same for the same seed.
fn spread(pause: Duration, seed: u64, used: u32) -> Duration {
    let mixed = (seed ^ u64::from(used).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let eighth = pause / 8;
    pause + eighth.mul_f64(f64::from((mixed >> 40) as u32) / f64::from(1 << 24))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [Class; Class::COUNT] =
        [Class::Lapse, Class::Line, Class::Silence, Class::Server, Class::Limit, Class::Reach];

    fn pauses(class: Class, told: Option<Duration>, policy: &RetryPolicy) -> Vec<Duration> {
        let mut attempts = Attempts::default();
        std::iter::from_fn(|| match attempts.after(class, told, policy, 7) {
            Verdict::Again(pause) => Some(pause),
            Verdict::GiveUp => None,
        })
        .collect()
    }

    #[test]
    fn every_class_gives_up_in_the_end() {
        let policy = RetryPolicy::default();
        for class in CLASSES {
            let tries = pauses(class, None, &policy).len();
            assert!(tries > 0 && tries <= policy.budget(class).tries as usize, "{class:?}: {tries}");
        }
    }

    #[test]
    fn a_class_does_not_use_up_the_budget_of_another() {
        let policy = RetryPolicy::default();
        for class in CLASSES {
            let mut attempts = Attempts::default();
            while attempts.after(class, None, &policy, 0) != Verdict::GiveUp {}
            for other in CLASSES.into_iter().filter(|other| *other != class) {
                if matches!((class, other), (Class::Limit, Class::Reach) | (Class::Reach, Class::Limit)) {
                    continue; // One patience for all waiting.
                }
                assert_ne!(attempts.after(other, None, &policy, 0), Verdict::GiveUp, "{class:?} ate {other:?}");
            }
        }
    }

    #[test]
    fn pauses_double_up_to_their_bound_and_spread_by_at_most_an_eighth() {
        let policy = RetryPolicy::default();
        let server = pauses(Class::Server, None, &policy);
        for (at, pause) in server.iter().enumerate() {
            let plain = policy.server.first.saturating_mul(1 << at).min(policy.server.longest);
            assert!(*pause >= plain && *pause <= plain + plain / 8, "{at}: {pause:?}");
        }
    }

    #[test]
    fn many_chains_do_not_come_back_at_once() {
        let policy = RetryPolicy::default();
        let first = |seed| match Attempts::default().after(Class::Server, None, &policy, seed) {
            Verdict::Again(pause) => pause.saturating_sub(policy.server.first).as_micros(),
            Verdict::GiveUp => panic!("gives up at once"),
        };
        let widest = (policy.server.first / 8).as_micros();
        let mut pauses: Vec<u128> = (0..200).map(first).collect();
        pauses.sort_unstable();
        assert!(pauses[50] > widest / 8 && pauses[150] < widest * 7 / 8, "{pauses:?}");
        pauses.dedup();
        assert!(pauses.len() > 190, "{}", pauses.len());
    }

    #[test]
    fn a_wait_the_server_asks_for_is_kept_to_and_patience_ends_it() {
        let policy = RetryPolicy { patience: Duration::from_secs(100), ..RetryPolicy::default() };
        assert_eq!(pauses(Class::Limit, Some(Duration::from_secs(30)), &policy), [Duration::from_secs(30); 3]);
        assert_eq!(pauses(Class::Limit, Some(Duration::from_secs(25)), &policy), [Duration::from_secs(25); 4]);
        assert_eq!(pauses(Class::Limit, Some(Duration::from_secs(101)), &policy), []);
    }

    #[test]
    fn progress_gives_every_budget_back() {
        let policy = RetryPolicy::default();
        let mut attempts = Attempts::default();
        while attempts.after(Class::Line, None, &policy, 0) != Verdict::GiveUp {}
        attempts.progressed();
        assert_eq!(attempts, Attempts::default());
    }
}
