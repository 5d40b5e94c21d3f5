//! Faults of the order and number of messages, on their way out of a socket or a stream.

use crate::fault::Fault;

/// Counts messages and applies what is to happen to the n-th.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    passed: usize,
    armed: Vec<Armed>,
    held: Option<String>,
}

/// A fault, and the count from which its own begins.
#[derive(Debug)]
struct Armed {
    from: usize,
    /// The request it belongs to, if not to the connection.
    request: Option<u64>,
    fault: Fault,
}

impl Delivery {
    /// From now on these faults happen as well: on a request, or on all of the connection.
    pub(crate) fn arm(&mut self, request: Option<u64>, faults: &[Fault]) {
        let from = self.passed;
        self.armed.extend(faults.iter().cloned().map(|fault| Armed { from, request, fault }));
    }

    /// A request is over, and its faults with it.
    pub(crate) fn disarm(&mut self, request: u64) {
        self.armed.retain(|armed| armed.request != Some(request));
    }

    /// A message is to leave: what leaves instead.
    pub(crate) fn pass(&mut self, text: String) -> Vec<String> {
        if self.is_silent() {
            return Vec::new();
        }
        self.passed += 1;
        let is_now = |wanted: fn(&Fault) -> Option<usize>| {
            self.armed.iter().any(|armed| wanted(&armed.fault).is_some_and(|n| armed.from + n == self.passed))
        };
        let twice = is_now(|fault| if let Fault::Duplicate(n) = fault { Some(*n) } else { None });
        let hold = is_now(|fault| if let Fault::Swap(n) = fault { Some(*n) } else { None });
        let earlier = self.held.take();
        let mut leaving = Vec::new();
        if hold {
            self.held = Some(text);
        } else {
            leaving.extend(twice.then(|| text.clone()));
            leaving.push(text);
        }
        leaving.extend(earlier);
        leaving
    }

    /// Nothing follows: what was held back for its successor leaves alone.
    pub(crate) fn flush(&mut self) -> Option<String> {
        self.held.take()
    }

    /// Whether nothing more is said.
    pub(crate) fn is_silent(&self) -> bool {
        self.armed.iter().any(|armed| matches!(armed.fault, Fault::SilentAfter(n) if self.passed >= armed.from + n))
    }

    /// The code to close with, if it is time.
    pub(crate) fn close_code(&self) -> Option<u16> {
        self.armed.iter().find_map(|armed| match armed.fault {
            Fault::CloseAfter { frames, code } if self.passed >= armed.from + frames => Some(code),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(faults: &[Fault]) -> String {
        let mut delivery = Delivery::default();
        delivery.arm(None, faults);
        let mut all: Vec<String> = "abcd".chars().flat_map(|text| delivery.pass(text.to_string())).collect();
        all.extend(delivery.flush());
        all.concat()
    }

    #[test]
    fn the_nth_message_comes_twice_late_or_not_at_all() {
        assert_eq!(delivered(&[]), "abcd");
        assert_eq!(delivered(&[Fault::Duplicate(2)]), "abbcd");
        assert_eq!(delivered(&[Fault::Swap(2)]), "acbd");
        assert_eq!(delivered(&[Fault::Swap(4)]), "abcd");
        assert_eq!(delivered(&[Fault::SilentAfter(3)]), "abc");
        assert_eq!(delivered(&[Fault::SilentAfter(0)]), "");
    }

    #[test]
    fn a_fault_of_a_request_counts_from_its_beginning_and_ends_with_it() {
        let mut delivery = Delivery::default();
        assert_eq!(delivery.pass("a".into()), ["a"]);
        delivery.arm(Some(7), &[Fault::Duplicate(1), Fault::CloseAfter { frames: 1, code: 1012 }]);
        assert_eq!(delivery.close_code(), None);
        assert_eq!(delivery.pass("b".into()), ["b", "b"]);
        assert_eq!(delivery.close_code(), Some(1012));
        delivery.disarm(7);
        assert_eq!(delivery.close_code(), None);
    }
}
