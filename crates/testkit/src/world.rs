//! A client, a server and everything between them, from one seed.
//!
//! A real [`Chain`](responses::chain::Chain) talks to a real [`FakeModel`] over a simulated network that delays, holds
//! and loses what it is given, while the model misbehaves as its plan says. Time is simulated too: minutes of waiting
//! take milliseconds. The same seed gives the same story, told in the trace of the [`Report`].

mod client;
mod links;
mod scene;
mod witness;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream;
use tokio_util::sync::CancellationToken;
use turmoil::net::TcpListener;

use crate::FakeModel;
use client::Client;
use scene::{Scene, Trouble};
use witness::Witness;

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

/// What client and checks write down together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Witness>>);

impl Shared {
    pub(crate) fn witness(&self) -> MutexGuard<'_, Witness> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Plays the story of a seed.
pub fn run(seed: u64) -> Report {
    let scene = Scene::of(seed);
    let shared = Shared::default();
    shared.witness().trace.extend(scene.describe());
    let mut network = turmoil::Builder::new();
    network.tick_duration(TICK).simulation_duration(LONGEST).rng_seed(seed);
    network.min_message_latency(scene.latency.0).max_message_latency(scene.latency.1);
    let mut sim = network.build();

    let model = scene.model();
    let log = model.log();
    let model = Arc::new(Mutex::new(Some(model)));
    sim.host("model", move || {
        let model = model.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move { serve(model).await }
    });
    let client = Client::new(&scene, shared.clone(), log);
    sim.client("client", async move {
        client.live().await;
        Ok(())
    });

    let ended = play(&mut sim, &scene, &shared);
    let lasted = sim.elapsed();
    drop(sim);
    let mut witness = shared.witness();
    if let Err(error) = ended {
        witness.violate(format!("the story does not end: {error}"));
    }
    let (trace, violation) = (std::mem::take(&mut witness.trace), witness.violation.take());
    Report { seed, trace, violation, answered: witness.answered, dropped: witness.dropped, lasted }
}

async fn serve(model: Option<FakeModel>) -> turmoil::Result {
    let Some(model) = model else { return Ok(()) };
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    let incoming = stream::unfold(listener, |listener| async {
        let accepted = listener.accept().await.map(|(io, _)| io);
        Some((accepted, listener))
    });
    Ok(model.serve(incoming, CancellationToken::new()).await?)
}

/// Lets time pass, and does to the network what the scene says.
fn play(sim: &mut turmoil::Sim<'_>, scene: &Scene, shared: &Shared) -> turmoil::Result {
    let mut troubles = scene.troubles.iter().peekable();
    loop {
        while let Some((_, trouble)) = troubles.next_if(|(at, _)| *at <= sim.elapsed()) {
            shared.witness().note(sim.elapsed(), format!("network: {trouble:?}"));
            match trouble {
                Trouble::Part => sim.partition("client", "model"),
                Trouble::PartTowardsClient => sim.partition_oneway("model", "client"),
                Trouble::Hold => sim.hold("client", "model"),
                Trouble::Mend => {
                    sim.release("client", "model");
                    sim.repair("client", "model");
                }
            }
        }
        if sim.step()? || shared.witness().violation.is_some() {
            return Ok(());
        }
    }
}
