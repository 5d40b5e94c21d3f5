//! What a seed means: who says what, and what goes wrong when.

use std::time::Duration;

use responses::chain::{Beat, Budget, Config, ConnectionLimits, Limits, Mode, Peer, Powers, RetryPolicy, RouteLimits};
use responses::fold::IncompleteReason;

use crate::{End, FakeModel, Fault, FaultPlan, On, Refusal, Turn};

/// Everything that is decided before the story begins.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    seed: u64,
    mode: Mode,
    pub(crate) store: bool,
    interrupts: bool,
    pub(crate) warm_up: bool,
    pub(crate) turns: u64,
    /// Which turns the user stops, and after how long.
    pub(crate) stops: Vec<(u64, Duration)>,
    /// How long the user thinks between turns.
    pub(crate) thinks: Duration,
    pub(crate) latency: (Duration, Duration),
    pause: Duration,
    faults: Vec<(On, Fault)>,
    /// What happens to the network, and when.
    pub(crate) troubles: Vec<(Duration, Trouble)>,
}

/// What can happen to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Everything in both directions is lost.
    Part,
    /// Everything towards the client is lost.
    PartTowardsClient,
    /// Everything in both directions waits.
    Hold,
    /// All is well again, and what waited arrives.
    Mend,
}

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    fn chance(&mut self, of_a_hundred: u64) -> bool {
        self.below(100) < of_a_hundred
    }

    fn size(&mut self, bound: u64) -> usize {
        usize::try_from(self.below(bound)).unwrap_or(0)
    }

    fn millis(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }
}

impl Scene {
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let mode = match dice.below(5) {
            0 => Mode::Http,
            1 => Mode::WebSocket,
            _ => Mode::Auto,
        };
        let turns = 2 + dice.below(4);
        let faults = (0..dice.below(4)).map(|_| fault(&mut dice)).collect();
        let mut troubles = Vec::new();
        if dice.chance(30) {
            let at = dice.millis(3000);
            let trouble = [Trouble::Part, Trouble::PartTowardsClient, Trouble::Hold].get(dice.size(3)).copied();
            troubles.push((at, trouble.unwrap_or(Trouble::Part)));
            troubles.push((at + dice.millis(8000), Trouble::Mend));
        }
        let stops = if dice.chance(25) { vec![(1 + dice.below(turns), dice.millis(400))] } else { Vec::new() };
        Self {
            seed,
            mode,
            store: dice.chance(30),
            interrupts: dice.chance(50),
            warm_up: dice.chance(50),
            turns,
            stops,
            thinks: dice.millis(200),
            latency: (Duration::from_millis(1), Duration::from_millis(2 + dice.below(60))),
            pause: dice.millis(20),
            faults,
            troubles,
        }
    }

    /// Patience as of a person in a hurry: minutes become seconds, so that a story stays short.
    pub(crate) fn config(&self) -> Config {
        let (second, ms) = (Duration::from_secs(1), Duration::from_millis(1));
        let budget = |tries, first: u32, longest: u32| Budget { tries, first: first * ms, longest: longest * ms };
        Config {
            mode: self.mode,
            route: RouteLimits { refused: 20 * second, failed: 3 * second, longest: 10 * second },
            limits: Limits {
                connect: 3 * second,
                race: 500 * ms,
                beat: Beat { every: 2 * second, within: second, misses: 2 },
                silence: 6 * second,
                silence_of_live_peer: 8 * second,
                silence_over_http: 8 * second,
                warm_up: 500 * ms,
                interrupt: 300 * ms,
                steer: second,
                settle: 100 * ms,
            },
            retry: RetryPolicy {
                lapse: budget(8, 0, 0),
                line: budget(3, 50, 500),
                silence: budget(2, 0, 0),
                server: budget(4, 50, 500),
                waiting: budget(100, 100, 1000),
                patience: 60 * second,
                resumptions: 20,
            },
            peer: Peer { interrupts: self.interrupts, line_age: 30 * second, ..Peer::default() },
            seed: self.seed,
            epoch: None,
        }
    }

    pub(crate) fn model(&self) -> FakeModel {
        let (seed, pause) = (self.seed, self.pause);
        let limits = ConnectionLimits {
            age: Duration::from_secs(30),
            drain: Duration::from_secs(5),
            ..ConnectionLimits::default()
        };
        let plan = self.faults.iter().fold(FaultPlan::default(), |plan, (on, fault)| plan.on(*on, fault.clone()));
        FakeModel::respond_with(move |seen| answer(seed ^ seen.number, seen.number, pause))
            .with_faults(plan)
            .with_limits(limits)
            .with_powers(Powers { interrupt: true, ..Powers::default() })
    }

    /// The scene as the beginning of a trace.
    pub(crate) fn describe(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{:?}, store {}, {} turns, warm-up {}", self.mode, self.store, self.turns, self.warm_up),
            format!("latency {:?} to {:?}, {:?} between events", self.latency.0, self.latency.1, self.pause),
        ];
        lines.extend(self.faults.iter().map(|(on, fault)| format!("planned: {fault:?} on {on:?}")));
        lines.extend(self.troubles.iter().map(|(at, trouble)| format!("planned: network {trouble:?} at {at:?}")));
        lines.extend(
            self.stops.iter().map(|(turn, after)| format!("planned: the user stops turn {turn} after {after:?}")),
        );
        lines
    }
}

/// What the model says to its n-th request.
fn answer(seed: u64, number: u64, pause: Duration) -> Turn {
    let mut dice = Dice::of(seed);
    let mut turn = Turn::new().pace(4 + dice.size(20), pause);
    if dice.chance(40) {
        turn = turn.reasoning(format!("thinking about {number}"), format!("sealed {number}"));
    }
    if dice.chance(70) {
        turn = turn.message(format!("answer {number} in a few words"));
    }
    for call in 0..dice.below(3) {
        turn = turn.function_call("do", format!(r#"{{"number":{number},"call":{call}}}"#));
    }
    if dice.chance(10) { turn.incomplete(IncompleteReason::MaxOutputTokens) } else { turn.end(End::Completed) }
}

/// One fault in one of the first places where it can happen.
fn fault(dice: &mut Dice) -> (On, Fault) {
    let (connection, request) = (On::Connection(1 + dice.below(3)), On::Request(1 + dice.below(5)));
    let either = if dice.chance(50) { connection } else { request };
    let frames = dice.size(14);
    match dice.below(22) {
        0 => {
            let status = [400, 401, 404, 426, 429, 500, 503].get(dice.size(7)).copied().unwrap_or(426);
            (connection, Fault::RefuseUpgrade { status, retry_after: dice.chance(50).then_some(1) })
        }
        1 => (connection, Fault::HangUpgrade),
        2 => (connection, Fault::LargestMessage(200 + dice.size(600))),
        3 => (connection, Fault::AgeLimit(Duration::from_millis(200 + dice.below(3000)))),
        4 => (either, Fault::SilentAfter(frames)),
        5 => (either, Fault::HalfOpenAfter(frames)),
        6 | 7 => (either, Fault::CutAfterFrames(frames)),
        8 => (either, Fault::CutInFrame(frames)),
        9 | 10 => (either, Fault::CutAfterBytes(dice.below(6000))),
        11 => {
            let code = [1000, 1001, 1006, 1009, 1011, 1012].get(dice.size(6)).copied().unwrap_or(1011);
            (either, Fault::CloseAfter { frames, code })
        }
        12 => {
            (either, Fault::SlowReader { bytes: 16 + dice.size(200), pause: Duration::from_millis(5 + dice.below(20)) })
        }
        13 => (either, Fault::PingsUnanswered),
        14 => (either, Fault::Duplicate(1 + frames)),
        15 => (either, Fault::Swap(1 + frames)),
        16 => (request, Fault::ForgetPrevious),
        17 => {
            let (status, code) = [(429, "rate_limit_exceeded"), (500, "server_error"), (503, "server_is_overloaded")]
                .get(dice.size(3))
                .copied()
                .unwrap_or((500, "server_error"));
            (request, Fault::Refuse(Refusal::new(status, code, "scripted")))
        }
        18 => (request, Fault::HtmlError(502)),
        19 => (request, Fault::EmptyStream),
        20 => (either, Fault::TerminalWithoutOutput),
        _ => (either, if dice.chance(50) { Fault::ItemsOnlyDone } else { Fault::RotatedIds }),
    }
}
