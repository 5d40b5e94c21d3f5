//! Whether a backend is worth a try: what follows from how it answered before. Time is an argument.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// How a backend stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing speaks against it.
    Well,
    /// It failed, and somebody should try whether it works again.
    Due,
    /// It failed, and is asked only where there is nobody else.
    Ill,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Well => "well",
            Self::Due => "due",
            Self::Ill => "ill",
        })
    }
}

/// What is known of one backend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    /// Failures since it last worked.
    failures: u32,
    /// Until when it is left alone, once it failed too often.
    open_until: Option<Instant>,
}

impl Breaker {
    /// How many failures in a row are taken for chance.
    pub(super) const FORGIVEN: u32 = 2;

    /// The first pause. Each next is twice as long.
    pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(5);

    /// The longest pause.
    pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(2);

    /// How long others wait for the one that tries whether it works again.
    pub(super) const TRIAL: Duration = Duration::from_secs(10);

    /// How it stands now.
    pub(super) fn standing(&self, now: Instant) -> Standing {
        match self.open_until {
            None => Standing::Well,
            Some(until) if now < until => Standing::Ill,
            Some(_) => Standing::Due,
        }
    }

    /// Somebody asks it. Where that is a trial, the others wait for what comes of it.
    pub(super) fn asked(&mut self, now: Instant) {
        if self.standing(now) == Standing::Due {
            self.open_until = Some(now + Self::TRIAL);
        }
    }

    /// It answered: what was before is forgiven.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// It could not be reached, or failed.
    pub(super) fn failed(&mut self, now: Instant) {
        const MOST_DOUBLINGS: u32 = 16;
        self.failures = self.failures.saturating_add(1);
        if let Some(too_many) = self.failures.checked_sub(Self::FORGIVEN + 1) {
            let pause = Self::FIRST_PAUSE.saturating_mul(1 << too_many.min(MOST_DOUBLINGS)).min(Self::LONGEST_PAUSE);
            self.open_until = Some(now + pause);
        }
    }

    /// Failures since it last worked.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(times: u32, now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        (0..times).for_each(|_| breaker.failed(now));
        breaker
    }

    #[test]
    fn few_failures_are_chance_and_one_more_is_not() {
        let now = Instant::now();
        assert_eq!(Breaker::default().standing(now), Standing::Well);
        assert_eq!(failed(Breaker::FORGIVEN, now).standing(now), Standing::Well);
        assert_eq!(failed(Breaker::FORGIVEN + 1, now).standing(now), Standing::Ill);
    }

    #[test]
    fn a_success_between_failures_forgives_them() {
        let now = Instant::now();
        let mut breaker = failed(Breaker::FORGIVEN, now);
        breaker.succeeded();
        breaker.failed(now);
        assert_eq!((breaker.standing(now), breaker.failures()), (Standing::Well, 1));
    }

    #[test]
    fn after_its_pause_one_tries_and_the_others_wait_for_it() {
        let now = Instant::now();
        let mut breaker = failed(Breaker::FORGIVEN + 1, now);
        let later = now + Breaker::FIRST_PAUSE;
        assert_eq!(breaker.standing(later), Standing::Due);
        breaker.asked(later);
        assert_eq!(breaker.standing(later), Standing::Ill, "somebody tries already");
        assert_eq!(breaker.standing(later + Breaker::TRIAL), Standing::Due, "who tried never came back");
        breaker.succeeded();
        assert_eq!(breaker.standing(later), Standing::Well);
    }

    #[test]
    fn to_ask_one_that_is_well_or_ill_changes_nothing() {
        let now = Instant::now();
        for mut breaker in [Breaker::default(), failed(9, now)] {
            let before = breaker.clone();
            breaker.asked(now);
            assert_eq!(breaker, before);
        }
    }

    #[test]
    fn pauses_double_up_to_their_bound() {
        let mut now = Instant::now();
        let mut breaker = failed(Breaker::FORGIVEN, now);
        for seconds in [5, 10, 20, 40, 80, 120, 120] {
            breaker.failed(now);
            now += Duration::from_secs(seconds);
            assert_eq!(breaker.standing(now - Duration::from_millis(1)), Standing::Ill, "{seconds}");
            assert_eq!(breaker.standing(now), Standing::Due, "{seconds}");
        }
    }
}
