//! The processor time of a turn.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
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

/// What it costs a thread that does nothing else to be woken by bytes that come so far apart.
fn wake(apart: Duration) -> Outcomes<Duration> {
    const TIMES: u32 = 500;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let writer = thread::spawn(move || -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        (0..TIMES).try_for_each(|_| {
            thread::sleep(apart);
            stream.write_all(b"x")
        })
    });
    let (mut stream, _) = listener.accept()?;
    let (mut byte, cpu) = ([0], thread_cpu());
    while stream.read(&mut byte)? > 0 {}
    let took = thread_cpu().saturating_sub(cpu) / TIMES;
    writer.join().map_err(|_| "the other end broke")??;
    Ok(took)
}

pub(crate) fn table(out: &mut impl Write) -> Outcomes<()> {
    for apart in [1, 10].map(Duration::from_millis) {
        let took = wake(apart)?.as_nanos() / 100;
        writeln!(out, "To be woken each {apart:?} and read a byte, and nothing else: {}.{} µs.", took / 10, took % 10)?;
    }
    writeln!(out)?;
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
