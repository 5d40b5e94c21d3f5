//! Is the other end there? The first of the two clocks. (The second, silence, asks whether it still says anything.)

use super::limits::Beat;
use super::time::{Time, earliest};

/// Whether peers of this chain answer pings. Some proxies swallow them; then they prove nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Pings {
    #[default]
    Trusted,
    /// Words came while a ping stayed without answer: the peer lives and does not answer pings.
    Ignored,
}

/// What the clock asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulse {
    Nothing,
    Ping,
    Dead,
}

/// Pings, their answers, and what is missing.
#[derive(Debug, Clone)]
pub(crate) struct Liveness {
    ping_at: Time,
    /// When the answer to the last ping was, or is, due.
    answer_due: Option<Time>,
    misses: u32,
    answered_once: bool,
}

impl Liveness {
    pub(crate) fn new(now: Time, beat: Beat) -> Self {
        Self { ping_at: now.after(beat.every), answer_due: None, misses: 0, answered_once: false }
    }

    /// The answer to a ping came.
    pub(crate) fn answered(&mut self) {
        self.answered_once = true;
        self.alive();
    }

    /// Bytes moved. It proves nothing about pings.
    pub(crate) fn moved(&mut self) {
        self.alive();
    }

    /// Anything came. Says what that proves about pings.
    pub(crate) fn word(&mut self, now: Time, pings: Pings) -> Pings {
        let overdue = self.misses > 0 || self.answer_due.is_some_and(|due| due <= now);
        self.alive();
        if overdue && !self.answered_once { Pings::Ignored } else { pings }
    }

    fn alive(&mut self) {
        self.answer_due = None;
        self.misses = 0;
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        earliest([Some(self.ping_at), self.answer_due])
    }

    /// To be called at the deadline.
    pub(crate) fn tick(&mut self, now: Time, beat: Beat, pings: Pings) -> Pulse {
        if self.answer_due.is_some_and(|due| due <= now) {
            self.answer_due = None;
            self.misses += 1;
            if self.misses >= beat.misses && pings == Pings::Trusted {
                return Pulse::Dead;
            }
        }
        if self.ping_at > now {
            return Pulse::Nothing;
        }
        self.ping_at = now.after(beat.every);
        self.answer_due = Some(now.after(beat.within));
        Pulse::Ping
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::limits::Limits;
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::at(Duration::from_secs(seconds))
    }

    /// Runs the clock until `end`, answering pings while `answers` says so; gives the moment of death.
    fn run(end: u64, answers: impl Fn(u64) -> bool, words: impl Fn(u64) -> bool) -> (Option<u64>, Pings) {
        let beat = Limits::default().beat;
        let (mut clock, mut pings) = (Liveness::new(at(0), beat), Pings::Trusted);
        for second in 0..=end {
            if words(second) {
                pings = clock.word(at(second), pings);
            }
            while clock.deadline().is_some_and(|due| due <= at(second)) {
                match clock.tick(at(second), beat, pings) {
                    Pulse::Dead => return (Some(second), pings),
                    Pulse::Ping if answers(second) => clock.answered(),
                    Pulse::Ping | Pulse::Nothing => {}
                }
            }
        }
        (None, pings)
    }

    #[test]
    fn a_half_open_socket_is_noticed_within_35_seconds() {
        for last_answer in [0, 15, 30, 45] {
            let (dead, _) = run(200, |second| second <= last_answer, |_| false);
            assert!(dead.unwrap() - last_answer <= 35, "last answer at {last_answer}, dead at {dead:?}");
        }
    }

    #[test]
    fn a_peer_that_answers_is_alive_for_ever() {
        assert_eq!(run(10_000, |_| true, |_| false).0, None);
    }

    #[test]
    fn one_lost_answer_is_forgiven() {
        assert_eq!(run(200, |second| second != 30, |_| false).0, None);
    }

    #[test]
    fn a_peer_that_talks_but_never_answers_pings_is_not_called_dead() {
        let (dead, pings) = run(400, |_| false, |second| second < 100 && second % 9 == 0);
        assert_eq!((dead, pings), (None, Pings::Ignored));
    }

    #[test]
    fn a_word_before_the_answer_is_due_proves_nothing_about_pings() {
        let (dead, pings) = run(400, |_| false, |second| second == 16);
        assert_eq!((dead, pings), (Some(50), Pings::Trusted));
    }

    #[test]
    fn a_word_after_the_answer_was_due_proves_that_pings_are_ignored() {
        let (_, pings) = run(28, |_| false, |second| second == 21);
        assert_eq!(pings, Pings::Ignored);
    }

    #[test]
    fn a_peer_that_once_answered_and_stops_is_dead() {
        let (dead, _) = run(400, |second| second == 15, |second| second == 17);
        assert!(dead.is_some());
    }
}
