//! Who sits on which lane of a socket, and whom a message is for. Knows no socket.

use responses::error::Memory;
use responses::event::{Body, ServerEvent, Stage};
use responses::id::LaneId;

/// One lane of one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneNo(usize);

impl LaneNo {
    /// The first lane is the default lane and has no name: a server without lanes never meets one.
    pub(crate) fn name(self) -> Option<LaneId> {
        (self.0 > 0).then(|| LaneId::parse(&format!("lane-{}", self.0)).ok()).flatten()
    }
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum To {
    /// One lane.
    One(LaneNo),
    /// Everybody: it is about the socket, or about the account.
    All,
    /// Nobody who is still there.
    Nobody,
}

/// The lanes of a socket.
#[derive(Debug)]
pub(crate) struct Lanes {
    most: usize,
    seats: Vec<Lane>,
    asked: u64,
}

#[derive(Debug, Default)]
struct Lane {
    taken: bool,
    /// What was asked for on it last and has not ended.
    asking: Option<Asking>,
}

#[derive(Debug)]
struct Asking {
    number: u64,
    begun: bool,
}

impl Lanes {
    /// A socket on which at most so many lanes are used.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, seats: Vec::new(), asked: 0 }
    }

    /// Takes a lane on which nothing is being said.
    pub(crate) fn join(&mut self) -> Option<LaneNo> {
        let free = self.seats.iter().position(|lane| !lane.taken && lane.asking.is_none());
        let at = free.or_else(|| (self.seats.len() < self.most).then_some(self.seats.len()))?;
        if at == self.seats.len() {
            self.seats.push(Lane::default());
        }
        self.seats.get_mut(at)?.taken = true;
        Some(LaneNo(at))
    }

    /// Gives a lane back. While its response is still coming, nobody else gets it.
    pub(crate) fn leave(&mut self, lane: LaneNo) {
        if let Some(lane) = self.seats.get_mut(lane.0) {
            lane.taken = false;
        }
    }

    /// Whether anybody is left.
    pub(crate) fn is_deserted(&self) -> bool {
        !self.seats.iter().any(|lane| lane.taken)
    }

    /// Whether a response is still coming, for somebody or for nobody.
    pub(crate) fn is_speaking(&self) -> bool {
        self.seats.iter().any(|lane| lane.asking.is_some())
    }

    /// Everybody who is there.
    pub(crate) fn taken(&self) -> impl Iterator<Item = LaneNo> {
        self.seats.iter().enumerate().filter(|(_, lane)| lane.taken).map(|(at, _)| LaneNo(at))
    }

    /// The one lane there is, while there is only one: then every message is for it, and none need be read.
    pub(crate) fn only(&self) -> Option<LaneNo> {
        (self.seats.len() == 1).then_some(LaneNo(0))
    }

    /// Whoever is on the lane says that its response has ended.
    pub(crate) fn settled(&mut self, lane: LaneNo) {
        if let Some(lane) = self.seats.get_mut(lane.0) {
            lane.asking = None;
        }
    }

    /// A message leaves on a lane.
    pub(crate) fn said(&mut self, lane: LaneNo) {
        self.asked += 1;
        let number = self.asked;
        if let Some(lane) = self.seats.get_mut(lane.0) {
            lane.asking = match lane.asking.take() {
                // A steer or an interrupt belongs to the response that runs.
                Some(asking) if asking.begun => Some(asking),
                _ => Some(Asking { number, begun: false }),
            };
        }
    }

    /// Who asked last. A message that was too large was theirs.
    pub(crate) fn last_to_speak(&self) -> Option<LaneNo> {
        let asking = |(at, lane): (usize, &Lane)| Some((lane.asking.as_ref()?.number, LaneNo(at)));
        self.seats.iter().enumerate().filter_map(asking).max_by_key(|(number, _)| *number).map(|(_, lane)| lane)
    }

    /// A message came.
    pub(crate) fn heard(&mut self, event: &ServerEvent<'_>) -> To {
        let lane = match (&event.body, event.lane.as_deref()) {
            (Body::Error(error), _) if error.meaning().memory == Memory::AllLost => return To::All,
            (_, Some(name)) => self.named(name),
            (Body::Aside | Body::Unknown, None) => return To::All,
            // A refusal need not name the lane that it is about.
            (Body::Error(_), None) => self.not_begun().or(Some(LaneNo(0))),
            (_, None) => Some(LaneNo(0)),
        };
        let Some(at) = lane else { return To::Nobody };
        let Some(lane) = self.seats.get_mut(at.0) else { return To::Nobody };
        match (&event.body, &mut lane.asking) {
            (Body::Response(Stage::Created | Stage::Queued | Stage::InProgress, _), Some(asking)) => {
                asking.begun = true;
            }
            (Body::Response(..), asking) => *asking = None,
            (Body::Error(_), asking) if asking.as_ref().is_some_and(|asking| !asking.begun) => *asking = None,
            _ => {}
        }
        if lane.taken { To::One(at) } else { To::Nobody }
    }

    fn named(&self, name: &str) -> Option<LaneNo> {
        let number = name.strip_prefix("lane-")?.parse().ok().filter(|number| *number > 0)?;
        (number < self.seats.len()).then_some(LaneNo(number))
    }

    /// The lane whose request waits for its first word, if there is just one.
    fn not_begun(&self) -> Option<LaneNo> {
        let waits = |lane: &Lane| lane.asking.as_ref().is_some_and(|asking| !asking.begun);
        let mut waiting = self.seats.iter().enumerate().filter(|(_, lane)| waits(lane));
        match (waiting.next(), waiting.next()) {
            (Some((at, _)), None) => Some(LaneNo(at)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(lanes: &mut Lanes, text: &str) -> To {
        lanes.heard(&ServerEvent::parse(text).unwrap())
    }

    fn on(lane: LaneNo, fields: &str) -> String {
        match lane.name() {
            Some(name) => format!(r#"{{"stream_id":"{name}",{fields}}}"#),
            None => format!("{{{fields}}}"),
        }
    }

    const CREATED: &str = r#""type":"response.created","response":{"id":"r"}"#;
    const COMPLETED: &str = r#""type":"response.completed","response":{"id":"r"}"#;
    const DELTA: &str = r#""type":"response.output_text.delta","output_index":0,"delta":"x""#;
    const ERROR: &str = r#""type":"error","status":400,"error":{"message":"no"}"#;

    #[test]
    fn the_first_lane_has_no_name_and_no_more_are_given_than_there_are() {
        let mut lanes = Lanes::new(3);
        let names: Vec<_> =
            std::iter::from_fn(|| lanes.join()).map(|lane| lane.name().map(|name| name.to_string())).collect();
        assert_eq!(names, [None, Some("lane-1".to_owned()), Some("lane-2".to_owned())]);
        lanes.leave(LaneNo(1));
        assert_eq!(lanes.join(), Some(LaneNo(1)), "a lane that is free is used again, for names are never given back");
    }

    #[test]
    fn each_hears_its_own_words() {
        let mut lanes = Lanes::new(3);
        let all: Vec<LaneNo> = std::iter::from_fn(|| lanes.join()).collect();
        for lane in &all {
            lanes.said(*lane);
            for fields in [CREATED, DELTA, COMPLETED] {
                assert_eq!(hear(&mut lanes, &on(*lane, fields)), To::One(*lane));
            }
        }
        assert_eq!(hear(&mut lanes, &format!(r#"{{"stream_id":"lane-9",{DELTA}}}"#)), To::Nobody);
        assert_eq!(hear(&mut lanes, &format!(r#"{{"stream_id":"x",{DELTA}}}"#)), To::Nobody);
    }

    #[test]
    fn a_lane_left_in_the_middle_of_a_response_is_given_to_nobody_until_it_ends() {
        let mut lanes = Lanes::new(2);
        let (first, second) = (lanes.join().unwrap(), lanes.join().unwrap());
        lanes.said(second);
        assert_eq!(hear(&mut lanes, &on(second, CREATED)), To::One(second));
        lanes.leave(second);
        assert_eq!(lanes.join(), None);
        assert_eq!(hear(&mut lanes, &on(second, DELTA)), To::Nobody);
        assert!(lanes.is_speaking());
        assert_eq!(hear(&mut lanes, &on(second, COMPLETED)), To::Nobody);
        assert_eq!(lanes.join(), Some(second));
        lanes.leave(first);
        lanes.leave(second);
        assert!(lanes.is_deserted() && !lanes.is_speaking());
    }

    #[test]
    fn a_refusal_without_a_lane_is_for_who_waits_for_a_first_word() {
        let mut lanes = Lanes::new(3);
        let all: Vec<LaneNo> = std::iter::from_fn(|| lanes.join()).collect();
        lanes.said(all[0]);
        assert_eq!(hear(&mut lanes, &on(all[0], CREATED)), To::One(all[0]));
        lanes.said(all[2]);
        assert_eq!(hear(&mut lanes, &format!("{{{ERROR}}}")), To::One(all[2]));
        assert_eq!(hear(&mut lanes, &format!("{{{ERROR}}}")), To::One(all[0]), "nobody waits: the default lane");
    }

    #[test]
    fn what_is_about_the_socket_or_the_account_is_for_all() {
        let mut lanes = Lanes::new(2);
        let _ = lanes.join();
        for text in [
            r#"{"type":"error","status":400,"error":{"code":"websocket_connection_limit_reached","message":"old"}}"#,
            r#"{"type":"codex.rate_limits","plan_type":"pro"}"#,
        ] {
            assert_eq!(hear(&mut lanes, text), To::All);
        }
    }

    #[test]
    fn a_message_that_was_too_large_was_the_last_one() {
        let mut lanes = Lanes::new(3);
        let all: Vec<LaneNo> = std::iter::from_fn(|| lanes.join()).collect();
        assert_eq!(lanes.last_to_speak(), None);
        lanes.said(all[2]);
        lanes.said(all[1]);
        assert_eq!(lanes.last_to_speak(), Some(all[1]));
        assert_eq!(hear(&mut lanes, &on(all[1], CREATED)), To::One(all[1]));
        lanes.said(all[1]);
        assert_eq!(hear(&mut lanes, &on(all[1], COMPLETED)), To::One(all[1]));
        assert_eq!(lanes.last_to_speak(), Some(all[2]));
    }
}
