//! The processor time of a turn.

use std::io::Write;
use std::time::{Duration, Instant};

use responses::chain::Mode;
use responses::item::Item;
use tokio::runtime::Builder;

use crate::client::{Outcomes, Talk, client, prose, settings};
use crate::process::thread_cpu;
use crate::server::{Scene, Server};

/// Turns that are not counted: buffers grow, caches warm.
const WARMING: usize = 50;

/// What is said to the model in each turn, in bytes.
const SAID: usize = 2 << 10;

/// Tools of 20 KB together.
const TOOLS: usize = 21;

/// What turns took, each.
pub(crate) struct Took {
    cpu: Duration,
    wall: Duration,
}

/// So many turns over one socket, the client being all that this thread does.
pub(crate) fn run(scene: Scene, times: usize) -> Outcomes<Took> {
    let server = Server::start(scene)?;
    let settings = settings(scene.tools)?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let client = client(&server.base_url, &server.certificate, scene.lanes)?;
        let mut talk = Talk::new(&client, Mode::WebSocket, &settings);
        let item = Item::user(&prose(SAID, 1));
        for _ in 0..WARMING {
            talk.turn(item.clone()).await?;
        }
        let (began, cpu) = (Instant::now(), thread_cpu());
        for _ in 0..times {
            talk.turn(item.clone()).await?;
        }
        let each = |all: Duration| Ok::<_, std::num::TryFromIntError>(all / u32::try_from(times.max(1))?);
        Ok(Took { cpu: each(thread_cpu().saturating_sub(cpu))?, wall: each(began.elapsed())? })
    })
}

pub(crate) fn table(out: &mut impl Write) -> Outcomes<()> {
    writeln!(
        out,
        "| events | apart, ms | tools, KB | over | turns | client CPU a turn, µs | wall a turn, µs |\n|--|--|--|--|--|--|--|"
    )?;
    for (events, apart, tools, tls, times) in [
        (20, 0, 0, false, 1000),
        (60, 0, 0, false, 1000),
        (200, 0, 0, false, 300),
        (60, 0, TOOLS, false, 1000),
        (60, 0, TOOLS, true, 1000),
        (20, 1, 0, false, 300),
        (60, 1, 0, false, 200),
        (60, 1, TOOLS, true, 200),
        (60, 10, 0, false, 20),
    ] {
        let took = run(Scene { events, tools, tls, pause: Duration::from_millis(apart), ..Scene::USUAL }, times)?;
        let (over, kilobytes) = (if tls { "TLS" } else { "TCP" }, tools * 20 / TOOLS);
        let (cpu, wall) = (took.cpu.as_micros(), took.wall.as_micros());
        writeln!(out, "| {events} | {apart} | {kilobytes} | {over} | {times} | {cpu} | {wall} |")?;
    }
    Ok(writeln!(out)?)
}
