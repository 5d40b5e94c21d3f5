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
    /// Everybody: it is about the socket.
    All,
    /// Everybody who has time for it: it is about the account.
    Whoever,
    /// One of these, and nobody knows which.
    Doubtful(Vec<LaneNo>),
    /// Nobody who is still there.
    Nobody,
}

/// The lanes of a socket.
#[derive(Debug)]
pub(crate) struct Lanes {
    most: usize,
    seats: Vec<Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    taken: bool,
    /// What was asked for on it last and has not ended.
    asking: Option<Asking>,
}

#[derive(Debug)]
struct Asking {
    bytes: usize,
    begun: bool,
    /// More was said while it ran, and a server that takes steers answers that with another response.
    goes_on: bool,
}

impl Lanes {
    /// A socket on which at most so many lanes are used.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, seats: Vec::new() }
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

    /// A message came. The one lane that it is for, while there is only one: then it need not be read.
    pub(crate) fn heard_alone(&mut self) -> Option<LaneNo> {
        let [only] = self.seats.as_mut_slice() else { return None };
        if let Some(asking) = &mut only.asking {
            asking.begun = true;
        }
        Some(LaneNo(0))
    }

    /// Whoever is on the lane says that its response has ended.
    pub(crate) fn settled(&mut self, lane: LaneNo) {
        if let Some(lane) = self.seats.get_mut(lane.0) {
            lane.asking = None;
        }
    }

    /// A message of so many bytes leaves on a lane.
    pub(crate) fn said(&mut self, lane: LaneNo, bytes: usize) {
        if let Some(lane) = self.seats.get_mut(lane.0) {
            lane.asking = Some(match lane.asking.take() {
                // A steer or an interrupt belongs to the response that runs.
                Some(asking) if asking.begun => Asking { goes_on: true, ..asking },
                _ => Asking { bytes, begun: false, goes_on: false },
            });
        }
    }

    /// What was said last on a lane did not leave.
    pub(crate) fn unsaid(&mut self, lane: LaneNo) {
        if let Some(lane) = self.seats.get_mut(lane.0) {
            lane.asking.take_if(|asking| !asking.begun);
        }
    }

    /// Who said most of what has no answer yet. A message that was too large was theirs.
    pub(crate) fn loudest(&self) -> Option<LaneNo> {
        let unanswered = |(at, lane): (usize, &Lane)| {
            let asking = lane.asking.as_ref().filter(|asking| !asking.begun)?;
            Some((asking.bytes, LaneNo(at)))
        };
        self.seats.iter().enumerate().filter_map(unanswered).max_by_key(|(bytes, _)| *bytes).map(|(_, lane)| lane)
    }

    /// A message came.
    pub(crate) fn heard(&mut self, event: &ServerEvent<'_>) -> To {
        let lane = match (&event.body, event.lane.as_deref()) {
            (Body::Error(error), _) if error.meaning().memory == Memory::AllLost => return To::All,
            (_, Some(name)) => self.named(name),
            (Body::Aside, None) if event.kind == "codex.rate_limits" => return To::Whoever,
            // A refusal need not name the lane that it is about: it is of who waits for a first word.
            (Body::Error(_), None) => match self.not_begun().as_slice() {
                [] => Some(LaneNo(0)),
                [only] => Some(*only),
                several => return To::Doubtful(several.to_vec()),
            },
            (_, None) => Some(LaneNo(0)),
        };
        let Some(at) = lane else { return To::Nobody };
        let Some(lane) = self.seats.get_mut(at.0) else { return To::Nobody };
        match (&event.body, &mut lane.asking) {
            (Body::Response(Stage::Created | Stage::Queued | Stage::InProgress, _), Some(asking)) => {
                asking.begun = true;
            }
            (Body::Response(Stage::Created, _), asking) => {
                // The server goes on by itself.
                *asking = Some(Asking { bytes: 0, begun: true, goes_on: false });
            }
            (Body::Response(..), Some(asking)) if asking.goes_on => asking.goes_on = false,
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

    /// The lanes whose requests wait for a first word.
    fn not_begun(&self) -> Vec<LaneNo> {
        let waits = |lane: &Lane| lane.asking.as_ref().is_some_and(|asking| !asking.begun);
        self.seats.iter().enumerate().filter(|(_, lane)| waits(lane)).map(|(at, _)| LaneNo(at)).collect()
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
            lanes.said(*lane, 9);
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
        lanes.said(second, 9);
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
        lanes.said(all[0], 9);
        assert_eq!(hear(&mut lanes, &on(all[0], CREATED)), To::One(all[0]));
        lanes.said(all[2], 9);
        assert_eq!(hear(&mut lanes, &format!("{{{ERROR}}}")), To::One(all[2]));
        assert_eq!(hear(&mut lanes, &format!("{{{ERROR}}}")), To::One(all[0]), "nobody waits: the default lane");
    }

    #[test]
    fn what_is_about_the_socket_or_the_account_is_for_all() {
        let mut lanes = Lanes::new(2);
        let _ = lanes.join();
        for (text, to) in [
            (
                r#"{"type":"error","status":400,"error":{"code":"websocket_connection_limit_reached","message":"old"}}"#,
                To::All,
            ),
            (r#"{"type":"codex.rate_limits","plan_type":"pro"}"#, To::Whoever),
            (r#"{"type":"response.metadata","headers":{}}"#, To::One(LaneNo(0))),
        ] {
            assert_eq!(hear(&mut lanes, text), to, "{text}");
        }
    }

    #[test]
    fn a_message_that_was_too_large_was_the_largest_without_an_answer() {
        let mut lanes = Lanes::new(3);
        let all: Vec<LaneNo> = std::iter::from_fn(|| lanes.join()).collect();
        assert_eq!(lanes.loudest(), None);
        lanes.said(all[2], 500);
        lanes.said(all[1], 20);
        assert_eq!(lanes.loudest(), Some(all[2]));
        assert_eq!(hear(&mut lanes, &on(all[2], CREATED)), To::One(all[2]));
        assert_eq!(lanes.loudest(), Some(all[1]), "what was read was not too large");
    }

    #[test]
    fn a_lane_on_which_more_was_said_is_busy_until_the_answer_to_that_has_ended_too() {
        let mut lanes = Lanes::new(2);
        let (_, second) = (lanes.join(), lanes.join().unwrap());
        lanes.said(second, 9);
        assert_eq!(hear(&mut lanes, &on(second, CREATED)), To::One(second));
        lanes.said(second, 9);
        lanes.leave(second);
        assert_eq!(hear(&mut lanes, &on(second, COMPLETED)), To::Nobody);
        assert_eq!(lanes.join(), None, "a successor may come");
        assert_eq!(hear(&mut lanes, &on(second, CREATED)), To::Nobody);
        assert_eq!(lanes.join(), None);
        assert_eq!(hear(&mut lanes, &on(second, COMPLETED)), To::Nobody);
        assert_eq!(lanes.join(), Some(second));
    }

    #[test]
    fn who_was_alone_when_its_answer_began_is_not_taken_for_one_who_waits() {
        let mut lanes = Lanes::new(2);
        let first = lanes.join().unwrap();
        lanes.said(first, 9);
        assert_eq!(lanes.heard_alone(), Some(first));
        let second = lanes.join().unwrap();
        assert_eq!(lanes.heard_alone(), None);
        lanes.said(second, 9);
        assert_eq!(hear(&mut lanes, &format!("{{{ERROR}}}")), To::One(second));
    }
}
