//! The numbers events carry: which came twice, which have not come.

/// How many missing numbers are remembered. More than that is not reordering but another way of counting.
const MAX_MISSING: usize = 64;

/// Whether a number was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Now,
    Before,
}

/// Follows the numbers of one response. Servers that do not count, or count oddly, are not held to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequence {
    next: Option<u64>,
    missing: Vec<u64>,
    /// At least one number followed the one before: this server counts.
    counts: bool,
    /// Numbers made no sense: this server does not count as we do.
    odd: bool,
}

impl Sequence {
    pub(super) fn note(&mut self, number: Option<u64>) -> Seen {
        let Some(number) = number.filter(|_| !self.odd) else { return Seen::Now };
        let next = self.next.unwrap_or(number);
        if number >= next {
            self.counts |= self.next == Some(number);
            self.skip(next, number);
            self.next = Some(number.saturating_add(1));
            return Seen::Now;
        }
        if let Some(at) = self.missing.iter().position(|missing| *missing == number) {
            self.missing.swap_remove(at);
            return Seen::Now;
        }
        if self.counts {
            return Seen::Before;
        }
        // The first number again: the first event came twice, or they all have the same. The next will tell.
        if number.saturating_add(1) != next {
            *self = Self { odd: true, ..Self::default() };
        }
        Seen::Now
    }

    /// Whether a number is missing below one that came.
    pub(super) fn has_gap(&self) -> bool {
        !self.missing.is_empty()
    }

    fn skip(&mut self, next: u64, number: u64) {
        let room = (MAX_MISSING - self.missing.len()) as u64;
        if number - next > room {
            *self = Self { odd: true, ..Self::default() };
        } else {
            self.missing.extend(next..number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(numbers: &[u64]) -> (Vec<Seen>, bool) {
        let mut sequence = Sequence::default();
        let seen = numbers.iter().map(|number| sequence.note(Some(*number))).collect();
        (seen, sequence.has_gap())
    }

    #[test]
    fn a_number_that_comes_twice_is_seen() {
        use Seen::{Before, Now};
        assert_eq!(notes(&[0, 1, 1, 2, 0]), (vec![Now, Now, Before, Now, Before], false));
        assert_eq!(notes(&[0, 0, 1, 1]), (vec![Now, Now, Now, Before], false));
    }

    #[test]
    fn an_overtaken_number_leaves_a_gap_until_it_comes() {
        assert!(notes(&[0, 1, 3]).1);
        assert_eq!(notes(&[0, 1, 3, 2]), (vec![Seen::Now; 4], false));
    }

    #[test]
    fn a_server_that_does_not_count_is_not_held_to_it() {
        assert_eq!(notes(&[0, 0, 0, 0]), (vec![Seen::Now; 4], false));
        assert_eq!(notes(&[5, 1_000_000, 3]), (vec![Seen::Now; 3], false));
        assert!(!notes(&[u64::MAX, u64::MAX]).1);
    }
}
