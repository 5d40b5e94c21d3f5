//! What a seed means: who says what, and what goes wrong when.

use std::time::Duration;

use responses::chain::{Beat, Budget, Config, ConnectionLimits, Limits, Mode, Peer, Powers, RetryPolicy, RouteLimits};
use responses::fold::IncompleteReason;
use testkit::{End, FakeModel, Fault, FaultPlan, On, Refusal, Turn};

use crate::dice::Dice;

/// The most users there are at once.
const MOST_USERS: u64 = 4;

/// Everything that is decided before the story begins.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    seed: u64,
    pub(crate) users: Vec<Role>,
    /// Whether the model has lanes, so that users share a socket.
    pub(crate) lanes: bool,
    steers: bool,
    pub(crate) latency: (Duration, Duration),
    pause: Duration,
    faults: Vec<(On, Fault)>,
    /// What happens to the network, and when.
    pub(crate) troubles: Vec<(Duration, Trouble)>,
}

/// What one user does.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is decided on its own")]
pub(crate) struct Role {
    /// Counted from 1.
    pub(crate) number: u64,
    seed: u64,
    mode: Mode,
    pub(crate) store: bool,
    interrupts: bool,
    steers: bool,
    pub(crate) warm_up: bool,
    pub(crate) turns: u64,
    /// In which turns the user does not wait for the end.
    pub(crate) deeds: Vec<Deed>,
    /// How long the user thinks between turns.
    pub(crate) thinks: Duration,
}

/// Something done in the middle of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deed {
    pub(crate) turn: u64,
    pub(crate) after: Duration,
    pub(crate) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The user stops the turn.
    Stop,
    /// The user says something more.
    Steer,
}

/// What can happen to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Everything in both directions is lost.
    Part,
    /// Everything towards the clients is lost.
    PartTowardsClient,
    /// Everything in both directions waits.
    Hold,
    /// All is well again, and what waited arrives.
    Mend,
}

impl Scene {
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed);
        let users = if dice.chance(50) { 1 } else { 2 + dice.below(MOST_USERS - 1) };
        let lanes = dice.chance(33);
        let users: Vec<Role> = (1..=users).map(|number| Role::of(number, &mut dice)).collect();
        let places = users.len() as u64;
        let faults = (0..dice.below(3 + places)).map(|_| fault(&mut dice, places, lanes)).collect();
        let mut troubles = Vec::new();
        if dice.chance(30) {
            let at = dice.millis(3000);
            let trouble = dice.one_of(&[Trouble::Part, Trouble::PartTowardsClient, Trouble::Hold]);
            troubles.push((at, trouble.unwrap_or(Trouble::Part)));
            troubles.push((at + dice.millis(8000), Trouble::Mend));
        }
        Self {
            seed,
            users,
            lanes,
            steers: dice.chance(80),
            latency: (Duration::from_millis(1), Duration::from_millis(2 + dice.below(60))),
            pause: dice.millis(20),
            faults,
            troubles,
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
            .with_powers(Powers { interrupt: true, steer: self.steers, ..Powers::default() })
    }

    /// The scene as the beginning of a trace.
    pub(crate) fn describe(&self) -> Vec<String> {
        let mut lines = vec![
            format!("{} users, lanes {}, the model takes steers {}", self.users.len(), self.lanes, self.steers),
            format!("latency {:?} to {:?}, {:?} between events", self.latency.0, self.latency.1, self.pause),
        ];
        for user in &self.users {
            let Role { number, mode, store, turns, warm_up, interrupts, steers, .. } = user;
            lines.push(format!(
                "user {number}: {mode:?}, store {store}, {turns} turns, warm-up {warm_up}, interrupts {interrupts}, \
                 steers {steers}"
            ));
            let deeds = user.deeds.iter();
            lines.extend(deeds.map(|Deed { turn, after, what }| {
                format!("planned: user {number} does {what:?} in turn {turn} after {after:?}")
            }));
        }
        lines.extend(self.faults.iter().map(|(on, fault)| format!("planned: {fault:?} on {on:?}")));
        lines.extend(self.troubles.iter().map(|(at, trouble)| format!("planned: network {trouble:?} at {at:?}")));
        lines
    }
}

impl Role {
    fn of(number: u64, dice: &mut Dice) -> Self {
        let mode = match dice.below(5) {
            0 => Mode::Http,
            1 => Mode::WebSocket,
            _ => Mode::Auto,
        };
        let turns = 2 + dice.below(4);
        let mut deeds = Vec::new();
        for (what, of_a_hundred) in [(What::Stop, 25), (What::Steer, 30)] {
            if dice.chance(of_a_hundred) {
                deeds.push(Deed { turn: 1 + dice.below(turns), after: dice.millis(400), what });
            }
        }
        deeds.sort_by_key(|deed| deed.after);
        Self {
            number,
            seed: dice.roll(),
            mode,
            store: dice.chance(30),
            interrupts: dice.chance(50),
            steers: dice.chance(60),
            warm_up: dice.chance(50),
            turns,
            deeds,
            thinks: dice.millis(200),
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
                sockets: 3,
                silence: budget(2, 0, 0),
                server: budget(4, 50, 500),
                waiting: budget(100, 100, 1000),
                patience: 60 * second,
                resumptions: 20,
            },
            peer: Peer { interrupts: self.interrupts, steers: self.steers, line_age: 30 * second, ..Peer::default() },
            seed: self.seed,
            epoch: None,
        }
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
fn fault(dice: &mut Dice, users: u64, lanes: bool) -> (On, Fault) {
    let (connection, request) = (On::Connection(1 + dice.below(2 + users)), On::Request(1 + dice.below(5 * users)));
    let either = if dice.chance(50) { connection } else { request };
    let frames = dice.size(14);
    match dice.below(22) {
        0 => {
            let status = dice.one_of(&[400, 401, 404, 426, 429, 500, 503]).unwrap_or(426);
            (connection, Fault::RefuseUpgrade { status, retry_after: dice.chance(50).then_some(1) })
        }
        1 => (connection, Fault::HangUpgrade),
        2 => (connection, Fault::LargestMessage(200 + dice.size(600))),
        3 => (connection, Fault::AgeLimit(Duration::from_millis(200 + dice.below(3000)))),
        // With its request the silence ends: on a shared socket, others would have lost messages and hear the next ones.
        4 => (if lanes { connection } else { either }, Fault::SilentAfter(frames)),
        5 => (either, Fault::HalfOpenAfter(frames)),
        6 | 7 => (either, Fault::CutAfterFrames(frames)),
        8 => (either, Fault::CutInFrame(frames)),
        9 | 10 => (either, Fault::CutAfterBytes(dice.below(6000))),
        11 => {
            let code = dice.one_of(&[1000, 1001, 1006, 1009, 1011, 1012]).unwrap_or(1011);
            (either, Fault::CloseAfter { frames, code })
        }
        12 => {
            (either, Fault::SlowReader { bytes: 16 + dice.size(200), pause: Duration::from_millis(5 + dice.below(20)) })
        }
        13 => (either, Fault::PingsUnanswered),
        14 => (either, Fault::Duplicate(1 + frames)),
        15 => (either, Fault::Swap(1 + frames)),
        16 => (request, Fault::ForgetPrevious),
        17 => (request, Fault::Refuse(refusal(dice))),
        18 => (request, Fault::HtmlError(502)),
        19 => (request, Fault::EmptyStream),
        20 => (either, Fault::TerminalWithoutOutput),
        _ => (
            either,
            dice.one_of(&[Fault::ItemsOnlyDone, Fault::RotatedIds, Fault::FlatErrors]).unwrap_or(Fault::ItemsOnlyDone),
        ),
    }
}

fn refusal(dice: &mut Dice) -> Refusal {
    let kinds = [(429, "rate_limit_exceeded"), (500, "server_error"), (503, "server_is_overloaded")];
    let (status, code) = dice.one_of(&kinds).unwrap_or((500, "server_error"));
    let refusal = Refusal::new(status, code, "scripted");
    if dice.chance(30) { refusal.retry_after(1 + dice.below(3)) } else { refusal }
}
