//! What a process knows of sockets, by place: a chain need not learn again what another has learned.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use responses::chain::RouteLimits;
use tokio::time::Instant;

/// Where a socket goes, and from where: in another network, or by another proxy, it may work.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The server's name.
    pub host: Box<str>,
    /// Its port.
    pub port: u16,
    /// The proxy on the way, without its password.
    pub via: Option<Box<str>>,
    /// Our own address on the way there.
    pub network: Option<IpAddr>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)?;
        self.via.iter().try_for_each(|proxy| write!(f, " via {proxy}"))?;
        self.network.iter().try_for_each(|address| write!(f, " from {address}"))
    }
}

/// Whether sockets are worth a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing speaks against it.
    Open,
    /// It failed, and whoever was told this tries whether it works again; the others wait.
    Probing,
    /// Not before the moment given.
    Closed,
}

/// What was decided about a place, for the one who asked and for those who watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Where.
    pub place: Place,
    /// What holds there now.
    pub state: State,
    /// Until when.
    pub until: Option<Instant>,
    /// What happened there last; empty if nothing did.
    pub reason: Box<str>,
}

/// The memory. Whoever owns it lends it to all chains of the process.
#[derive(Debug, Clone, Default)]
pub struct Breakers {
    limits: RouteLimits,
    /// Places where something failed; the one changed last stands last.
    places: VecDeque<(Place, Trouble)>,
}

#[derive(Debug, Clone)]
struct Trouble {
    closed_until: Instant,
    failures: u32,
    probing: bool,
    reason: Box<str>,
}

impl Breakers {
    /// How many places are remembered; the one changed longest ago is forgotten first.
    pub const MAX_PLACES: usize = 64;

    /// How long others wait for the one that probes. If it says nothing by then, the next may try.
    pub const PROBE: Duration = Duration::from_secs(30);

    /// How much of a reason is kept.
    const MAX_REASON: usize = 200;

    /// A memory that leaves places alone for so long.
    pub fn new(limits: RouteLimits) -> Self {
        Self { limits, places: VecDeque::new() }
    }

    /// May a socket be opened there? When its pause is over, one asker is told to probe, and the others to wait for it.
    pub fn ask(&mut self, place: &Place, now: Instant) -> Decision {
        let Some((_, trouble)) = self.places.iter_mut().find(|(known, _)| known == place) else {
            return Decision { place: place.clone(), state: State::Open, until: None, reason: Box::default() };
        };
        if now < trouble.closed_until {
            return trouble.decision(place, State::Closed);
        }
        trouble.probing = true;
        trouble.closed_until = now + Self::PROBE;
        trouble.decision(place, State::Probing)
    }

    /// Whether nothing is held against any place.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The server said that it has no WebSocket: until then, if it said so, else for as long as the limits say.
    pub fn refused(&mut self, place: &Place, now: Instant, until: Option<Instant>, reason: &str) -> Decision {
        let until = until.unwrap_or(now + self.limits.refused);
        match self.forget(place) {
            // What is known for an hour is not forgotten for what holds for a minute.
            Some(trouble) if trouble.closed_until > until && !trouble.probing => {
                self.close(place, trouble.closed_until, trouble.failures, &trouble.reason)
            }
            before => self.close(place, until, before.map_or(0, |trouble| trouble.failures), reason),
        }
    }

    /// A socket failed there, or did not open. Each pause is twice as long as the one before.
    pub fn failed(&mut self, place: &Place, now: Instant, reason: &str) -> Decision {
        const MOST_DOUBLINGS: u32 = 20;
        let before = self.forget(place);
        // Sockets that were opened together fail together: that is one failure.
        if let Some(trouble) = before.as_ref().filter(|trouble| now < trouble.closed_until && !trouble.probing) {
            return self.close(place, trouble.closed_until, trouble.failures, reason);
        }
        let failures = before.map_or(0, |trouble| trouble.failures);
        let pause = self.limits.failed.saturating_mul(1 << failures.min(MOST_DOUBLINGS)).min(self.limits.longest);
        self.close(place, now + pause, failures.saturating_add(1), reason)
    }

    /// A response came whole over a socket there: what was before is forgiven.
    pub fn worked(&mut self, place: &Place) -> Decision {
        self.forget(place);
        Decision { place: place.clone(), state: State::Open, until: None, reason: Box::default() }
    }

    fn forget(&mut self, place: &Place) -> Option<Trouble> {
        let at = self.places.iter().position(|(known, _)| known == place)?;
        self.places.remove(at).map(|(_, trouble)| trouble)
    }

    fn close(&mut self, place: &Place, closed_until: Instant, failures: u32, reason: &str) -> Decision {
        let reason = reason.chars().take(Self::MAX_REASON).collect::<String>().into();
        let trouble = Trouble { closed_until, failures, probing: false, reason };
        let decision = trouble.decision(place, State::Closed);
        while self.places.len() >= Self::MAX_PLACES {
            self.places.pop_front();
        }
        self.places.push_back((place.clone(), trouble));
        decision
    }
}

impl Trouble {
    fn decision(&self, place: &Place, state: State) -> Decision {
        Decision { place: place.clone(), state, until: Some(self.closed_until), reason: self.reason.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Until when a place is left alone, and why. Asking changes nothing.
    fn closed_until<'a>(breakers: &'a Breakers, place: &Place, now: Instant) -> Option<(Instant, &'a str)> {
        let (_, trouble) = breakers.places.iter().find(|(known, _)| known == place)?;
        (now < trouble.closed_until).then_some((trouble.closed_until, &*trouble.reason))
    }

    fn place(host: &str) -> Place {
        Place { host: host.into(), port: 443, via: None, network: None }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_place_nobody_has_been_to_is_open() {
        let mut breakers = Breakers::default();
        let decision = breakers.ask(&place("a"), Instant::now());
        assert_eq!((decision.state, decision.until, &*decision.reason), (State::Open, None, ""));
        assert!(breakers.is_empty(), "asking is not remembered");
        breakers.failed(&place("a"), Instant::now(), "reset");
        assert!(!breakers.is_empty());
        assert_eq!(breakers.ask(&place("b"), Instant::now()).state, State::Open);
    }

    #[test]
    fn a_refusal_is_remembered_for_an_hour_for_every_chain() {
        let (mut breakers, now) = (Breakers::default(), Instant::now());
        let decision = breakers.refused(&place("a"), now, None, "426 upgrade required");
        assert_eq!((decision.state, decision.until), (State::Closed, Some(now + seconds(3600))));
        assert_eq!(breakers.ask(&place("a"), now + seconds(3599)), decision);
        let closed = closed_until(&breakers, &place("a"), now + seconds(3599));
        assert_eq!(closed, Some((now + seconds(3600), "426 upgrade required")));
        assert_eq!(breakers.ask(&place("a"), now + seconds(3600)).state, State::Probing);
    }

    #[test]
    fn a_refusal_with_a_time_of_its_own_is_kept_to() {
        let (mut breakers, now) = (Breakers::default(), Instant::now());
        breakers.refused(&place("a"), now, Some(now + seconds(5)), "busy");
        assert_eq!(breakers.ask(&place("a"), now + seconds(4)).state, State::Closed);
        assert_eq!(breakers.ask(&place("a"), now + seconds(5)).state, State::Probing);
    }

    #[test]
    fn pauses_grow_from_probe_to_probe_until_something_works() {
        let (mut breakers, mut now) = (Breakers::default(), Instant::now());
        for expected in [30, 60, 120, 240, 480, 600, 600] {
            let decision = breakers.failed(&place("a"), now, "reset");
            assert_eq!(decision.until, Some(now + seconds(expected)));
            now += seconds(expected);
            assert_eq!(breakers.ask(&place("a"), now).state, State::Probing);
        }
        assert_eq!(breakers.worked(&place("a")).state, State::Open);
        assert_eq!(closed_until(&breakers, &place("a"), now), None);
        assert_eq!(breakers.failed(&place("a"), now, "reset").until, Some(now + seconds(30)));
    }

    #[test]
    fn one_probes_and_the_others_wait_for_it() {
        let (mut breakers, now) = (Breakers::default(), Instant::now());
        breakers.failed(&place("a"), now, "reset");
        let later = now + seconds(30);
        assert_eq!(breakers.ask(&place("a"), later).state, State::Probing);
        assert_eq!(breakers.ask(&place("a"), later).state, State::Closed);
        assert_eq!(
            breakers.ask(&place("a"), later + Breakers::PROBE).state,
            State::Probing,
            "the first never came back"
        );
    }

    #[test]
    fn sockets_that_fail_together_count_once() {
        let (mut breakers, now) = (Breakers::default(), Instant::now());
        for _ in 0..5 {
            assert_eq!(breakers.failed(&place("a"), now, "reset").until, Some(now + seconds(30)));
        }
    }

    #[test]
    fn another_proxy_or_network_is_another_place() {
        let (mut breakers, now) = (Breakers::default(), Instant::now());
        let office = Place { via: Some("http://proxy:3128".into()), ..place("a") };
        let home = Place { network: Some(IpAddr::from([192, 0, 2, 7])), ..place("a") };
        breakers.refused(&office, now, None, "407");
        assert_eq!(breakers.ask(&home, now).state, State::Open);
        assert_eq!(breakers.ask(&place("a"), now).state, State::Open);
        assert_eq!(breakers.ask(&office, now).state, State::Closed);
        assert_eq!(office.to_string(), "a:443 via http://proxy:3128");
        assert_eq!(home.to_string(), "a:443 from 192.0.2.7");
    }

    #[test]
    fn only_so_many_places_are_remembered_and_the_oldest_goes_first() {
        let (mut breakers, now) = (Breakers::default(), Instant::now());
        for at in 0..=Breakers::MAX_PLACES {
            breakers.refused(&place(&at.to_string()), now, None, &"x".repeat(1000));
        }
        assert_eq!(breakers.places.len(), Breakers::MAX_PLACES);
        assert_eq!(closed_until(&breakers, &place("0"), now), None);
        let (_, reason) = closed_until(&breakers, &place("1"), now).unwrap();
        assert_eq!(reason.len(), Breakers::MAX_REASON);
    }
}
