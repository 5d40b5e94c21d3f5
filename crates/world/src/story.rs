//! From a seed to what became of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

use crate::scene::{Scene, Trouble};
use crate::simulated::{self, CLIENT, MODEL};
use crate::user::User;

/// How long a story may take, in its own time.
const LONGEST: Duration = Duration::from_mins(30);

/// How finely time passes.
const TICK: Duration = Duration::from_millis(5);

/// What became of a seed.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What happened, a line for each thing, in order.
    pub trace: Vec<String>,
    /// What must not be, if it was.
    pub violation: Option<String>,
    /// How many turns the model answered.
    pub answered: usize,
    /// How many times an answer broke and was asked for again.
    pub dropped: usize,
    /// How many steers took effect.
    pub steered: usize,
    /// How long the story took, in its own time.
    pub lasted: Duration,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        for line in &self.trace {
            writeln!(f, "  {line}")?;
        }
        match &self.violation {
            Some(violation) => writeln!(f, "violated: {violation}"),
            None => writeln!(f, "nothing violated"),
        }
    }
}

/// What all who take part write down together.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    trace: Vec<String>,
    violation: Option<String>,
    pub(crate) answered: usize,
    pub(crate) dropped: usize,
    pub(crate) steered: usize,
}

impl Notes {
    pub(crate) fn note(&mut self, at: Duration, what: impl std::fmt::Display) {
        self.trace.push(format!("{:>9.3} s  {what}", at.as_secs_f64()));
    }

    pub(crate) fn violate(&mut self, what: String) {
        self.trace.push(format!("violated: {what}"));
        self.violation.get_or_insert(what);
    }

    pub(crate) fn is_violated(&self) -> bool {
        self.violation.is_some()
    }
}

/// Notes that are shared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Notes>>);

impl Shared {
    pub(crate) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Plays the story of a seed.
pub fn run(seed: u64) -> Report {
    let scene = Scene::of(seed);
    let shared = Shared::default();
    shared.notes().trace.extend(scene.describe());
    let mut network = turmoil::Builder::new();
    network.tick_duration(TICK).simulation_duration(LONGEST).rng_seed(seed);
    network.min_message_latency(scene.latency.0).max_message_latency(scene.latency.1);
    let mut sim = network.build();
    let model = scene.model();
    let log = model.log();
    simulated::host(&mut sim, model);
    let (roles, lanes, notes) = (scene.users.clone(), scene.lanes, shared.clone());
    sim.client(CLIENT, async move {
        let client = simulated::client(lanes)?;
        join_all(roles.into_iter().map(|role| User::new(role, &client, notes.clone(), log.clone()).live())).await;
        Ok(())
    });

    let ended = play(&mut sim, &scene, &shared);
    let lasted = sim.elapsed();
    drop(sim);
    let mut notes = std::mem::take(&mut *shared.notes());
    if let Err(error) = ended {
        notes.violate(format!("the story does not end: {error}"));
    }
    let Notes { trace, violation, answered, dropped, steered } = notes;
    Report { seed, trace, violation, answered, dropped, steered, lasted }
}

/// Lets time pass, and does to the network what the scene says.
fn play(sim: &mut turmoil::Sim<'_>, scene: &Scene, shared: &Shared) -> turmoil::Result {
    let mut troubles = scene.troubles.iter().peekable();
    loop {
        while let Some((_, trouble)) = troubles.next_if(|(at, _)| *at <= sim.elapsed()) {
            shared.notes().note(sim.elapsed(), format!("network: {trouble:?}"));
            match trouble {
                Trouble::Part => sim.partition(CLIENT, MODEL),
                Trouble::PartTowardsClient => sim.partition_oneway(MODEL, CLIENT),
                Trouble::Hold => sim.hold(CLIENT, MODEL),
                Trouble::Mend => {
                    sim.release(CLIENT, MODEL);
                    sim.repair(CLIENT, MODEL);
                }
            }
        }
        if sim.step()? || shared.notes().is_violated() {
            return Ok(());
        }
    }
}
