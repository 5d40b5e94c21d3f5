//! The processor time of a turn: the client's, and that of who only reads.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use responses::chain::Mode;
use responses::item::Item;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::client::{Outcomes, Talk, client, prose, settings};
use crate::floor::Bare;
use crate::process::thread_cpu;
use crate::server::{Scene, Server};

/// Turns that are not counted: buffers grow, caches warm.
const WARMING: usize = 10;

/// How often a row is measured. An odd number: the median is one of them.
const ROUNDS: usize = 7;

/// What is said to the model in each turn, in bytes.
const SAID: usize = 2 << 10;

/// Tools of 20 KB together.
const TOOLS: usize = 21;

/// What turns took, each.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    cpu: Duration,
    wall: Duration,
}

/// Runs to its end as a task of a runtime that has this thread to itself, as an agent's loop does.
fn alone<T: Send + 'static>(task: impl Future<Output = Outcomes<T>> + Send + 'static) -> Outcomes<T> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut tasks = JoinSet::new();
        tasks.spawn(task);
        tasks.join_next().await.ok_or("no task")??
    })
}

/// A clock on the wall, and one that runs while this thread does.
struct Watch {
    began: Instant,
    cpu: Duration,
}

impl Watch {
    fn start() -> Self {
        Self { began: Instant::now(), cpu: thread_cpu() }
    }

    /// What each of so many turns took.
    fn took(&self, times: usize) -> Outcomes<Took> {
        let times = u32::try_from(times.max(1))?;
        Ok(Took { cpu: thread_cpu().saturating_sub(self.cpu) / times, wall: self.began.elapsed() / times })
    }
}

/// So many turns over one socket, the client being all that this thread does.
pub(crate) fn run(scene: Scene, times: usize) -> Outcomes<Took> {
    let server = Server::start(scene)?;
    let (base_url, certificate) = (server.base_url.clone(), server.certificate.clone());
    alone(async move {
        let client = client(&base_url, &certificate, scene.lanes)?;
        let mut talk = Talk::new(&client, Mode::WebSocket, &settings(scene.tools)?);
        let item = Item::user(&prose(SAID, 1));
        for _ in 0..WARMING {
            talk.turn(item.clone()).await?;
        }
        let watch = Watch::start();
        for _ in 0..times {
            talk.turn(item.clone()).await?;
        }
        watch.took(times)
    })
}

/// The same, of who only reads.
pub(crate) fn floor(scene: Scene, times: usize) -> Outcomes<Took> {
    let server = Server::start(scene)?;
    let base_url = server.base_url.clone();
    alone(async move {
        let (mut bare, said) = (Bare::connect(&base_url).await?, prose(SAID, 1));
        for _ in 0..WARMING {
            bare.turn(&said).await?;
        }
        let watch = Watch::start();
        for _ in 0..times {
            bare.turn(&said).await?;
        }
        watch.took(times)
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

/// The one in the middle.
fn median<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

pub(crate) fn table(out: &mut impl Write) -> Outcomes<()> {
    for apart in [1, 10].map(Duration::from_millis) {
        let took = wake(apart)?.as_nanos() / 100;
        writeln!(out, "To be woken each {apart:?} and read a byte, and nothing else: {}.{} µs.", took / 10, took % 10)?;
    }
    writeln!(
        out,
        "\n| events | apart, ms | tools, KB | over | turns | floor, µs | client, µs | its own, µs | wall, µs |"
    )?;
    writeln!(out, "|--|--|--|--|--|--|--|--|--|")?;
    for (events, apart, tools, tls, times) in [
        (20, 0, 0, false, 500),
        (60, 0, 0, false, 500),
        (200, 0, 0, false, 150),
        (60, 0, TOOLS, false, 300),
        (60, 0, TOOLS, true, 300),
        (20, 1, 0, false, 30),
        (60, 1, 0, false, 15),
        (60, 10, 0, false, 3),
    ] {
        row(out, Scene { events, tools, tls, pause: Duration::from_millis(apart), ..Scene::USUAL }, times)?;
    }
    Ok(writeln!(out)?)
}

/// Both in turns, so that what else the machine does is shared between them; of each the median. What is the client's
/// own is the median of the differences.
fn row(out: &mut impl Write, scene: Scene, times: usize) -> Outcomes<()> {
    let has_floor = !scene.tls && scene.tools == 0;
    let mut floors = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..ROUNDS {
        if has_floor {
            floors.push(floor(scene, times)?.cpu.as_micros());
        }
        clients.push(run(scene, times)?);
    }
    let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let cpu = clients.iter().map(|took| took.cpu.as_micros());
    let own = median(cpu.clone().zip(&floors).map(|(cpu, floor)| cpu.saturating_sub(*floor)));
    let floor = shown(median(floors.iter().copied()).map(|floor| floor.to_string()));
    let own = shown(own.map(|own| own.to_string()));
    let (cpu, wall) = median(cpu).zip(median(clients.iter().map(|took| took.wall.as_micros()))).ok_or("no rounds")?;
    let (over, kilobytes) = (if scene.tls { "TLS" } else { "TCP" }, scene.tools * 20 / TOOLS);
    let (events, apart) = (scene.events, scene.pause.as_millis());
    Ok(writeln!(out, "| {events} | {apart} | {kilobytes} | {over} | {times} | {floor} | {cpu} | {own} | {wall} |")?)
}
