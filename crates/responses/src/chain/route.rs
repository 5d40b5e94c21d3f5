//! Which way a turn goes: over a socket, or over HTTP until the socket is worth another try.

use std::time::Duration;

use super::time::Time;

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// The socket where it works, HTTP where it does not.
    #[default]
    Auto,
    /// The socket or nothing.
    WebSocket,
    /// HTTP, always.
    Http,
}

/// How long a way that failed is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteLimits {
    /// After the server said that it has no WebSocket.
    pub refused: Duration,
    /// After the first failure; each next is twice as long.
    pub failed: Duration,
    /// At most.
    pub longest: Duration,
}

impl Default for RouteLimits {
    fn default() -> Self {
        Self { refused: Duration::from_hours(1), failed: Duration::from_secs(30), longest: Duration::from_mins(10) }
    }
}

/// What the route says at a turn boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Line,
    Http,
    /// Over HTTP, unless the line is up already; meanwhile see whether it opens.
    HttpAndProbe,
}

/// A breaker with the socket behind it.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    mode: Mode,
    limits: RouteLimits,
    closed_until: Option<Time>,
    failures: u32,
}

impl Route {
    pub(crate) fn new(mode: Mode, limits: RouteLimits) -> Self {
        Self { mode, limits, closed_until: None, failures: 0 }
    }

    pub(crate) fn way(&self, now: Time) -> Way {
        match (self.mode, self.closed_until) {
            (Mode::Http, _) => Way::Http,
            (Mode::WebSocket, _) | (Mode::Auto, None) => Way::Line,
            (Mode::Auto, Some(until)) if now < until => Way::Http,
            (Mode::Auto, Some(_)) => Way::HttpAndProbe,
        }
    }

    /// When the socket is next worth a try, if it is left alone.
    pub(crate) fn closed_until(&self) -> Option<Time> {
        self.closed_until
    }

    /// The server has no WebSocket.
    pub(crate) fn refused(&mut self, now: Time) {
        self.closed_until = Some(now.after(self.limits.refused));
    }

    /// The socket failed, or did not open.
    pub(crate) fn failed(&mut self, now: Time) {
        const MOST_DOUBLINGS: u32 = 20;
        let pause = self.limits.failed.saturating_mul(1 << self.failures.min(MOST_DOUBLINGS));
        self.failures += 1;
        self.closed_until = Some(now.after(pause.min(self.limits.longest)));
    }

    /// Somebody else found out.
    pub(crate) fn avoid(&mut self, until: Time) {
        self.closed_until = self.closed_until.max(Some(until));
    }

    /// A line opened: it may be used again.
    pub(crate) fn opened(&mut self) {
        self.closed_until = None;
    }

    /// A response came whole over a line: what failed before is forgiven.
    pub(crate) fn worked(&mut self) {
        self.failures = 0;
        self.closed_until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::at(Duration::from_secs(seconds))
    }

    #[test]
    fn a_refusal_is_remembered_for_an_hour_and_then_probed_beside_http() {
        let mut route = Route::new(Mode::Auto, RouteLimits::default());
        route.refused(at(0));
        assert_eq!(route.way(at(3599)), Way::Http);
        assert_eq!(route.way(at(3600)), Way::HttpAndProbe);
        route.opened();
        assert_eq!(route.way(at(3601)), Way::Line);
    }

    #[test]
    fn pauses_between_probes_grow_until_a_response_comes_whole() {
        let mut route = Route::new(Mode::Auto, RouteLimits::default());
        for expected in [30, 60, 120, 240, 480, 600, 600] {
            route.failed(at(0));
            assert_eq!(route.closed_until(), Some(at(expected)));
            route.opened();
        }
        route.worked();
        route.failed(at(0));
        assert_eq!(route.closed_until(), Some(at(30)));
    }

    #[test]
    fn what_the_user_wants_is_kept_to() {
        let mut route = Route::new(Mode::WebSocket, RouteLimits::default());
        route.refused(at(0));
        assert_eq!(route.way(at(1)), Way::Line);
        assert_eq!(Route::new(Mode::Http, RouteLimits::default()).way(at(1)), Way::Http);
    }
}
