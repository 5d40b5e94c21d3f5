//! The memory of a line.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use responses::chain::Mode;
use responses::item::Item;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use transport::Told;

use crate::client::{Outcomes, Talk, client, prose, settings};
use crate::server::{Scene, Server};

/// What is said to the model, in bytes.
const SAID: usize = 2 << 10;

/// How many events of a stream have come before it is looked at.
const HEARD: usize = 60;

/// A stream that does not end while it is looked at.
const LONG: Scene = Scene { events: 4000, pause: Duration::from_millis(50), ..Scene::USUAL };

/// How much memory this process has, in kilobytes, once it has so many lines.
pub(crate) fn resident(scene: Scene, count: u32, streaming: bool) -> Outcomes<u32> {
    let server = Server::start(scene)?;
    let settings = settings(scene.tools)?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let client = client(&server.base_url, &server.certificate, scene.lanes)?;
        let item = Item::user(&prose(SAID, 1));
        let mut talks = Vec::new();
        for _ in 0..count {
            let mut talk = Talk::new(&client, Mode::WebSocket, &settings);
            if streaming {
                talk.submit(item.clone()).await?;
            } else {
                talk.turn(item.clone()).await?;
            }
            talks.push(talk);
        }
        if !streaming {
            return resident_kilobytes();
        }
        let (heard, mut hearing) = mpsc::channel(1);
        let mut listeners = JoinSet::new();
        for talk in talks {
            listeners.spawn(listen(talk, heard.clone()));
        }
        for _ in 0..count {
            hearing.recv().await.ok_or("a stream ended early")?;
        }
        resident_kilobytes()
    })
}

/// What of this process is in memory. Linux only.
fn resident_kilobytes() -> Outcomes<u32> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:")).ok_or("no Rss is told")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Hears a stream, says when enough of it was heard, and goes on.
async fn listen(mut talk: Talk, heard: mpsc::Sender<()>) -> Outcomes<()> {
    let mut events = 0;
    loop {
        if let Told::Event(_) = talk.next().await? {
            events += 1;
            if events == HEARD {
                heard.send(()).await?;
            }
        }
    }
}

pub(crate) fn table(out: &mut impl Write) -> Outcomes<()> {
    writeln!(out, "| lines | on a socket | over | few, KB | with 160 more, KB | a line, KB |\n|--|--|--|--|--|--|")?;
    for tls in [false, true] {
        for lanes in [false, true] {
            for (state, scene) in [("idle", Scene::USUAL), ("streaming", LONG)] {
                let few = if lanes { LANES } else { 1 };
                let scene = Scene { tls, lanes, ..scene };
                let (before, after) = (another(scene, few, state)?, another(scene, few + MORE, state)?);
                let each = f64::from(after.saturating_sub(before)) / f64::from(MORE);
                let (sharing, over) = (if lanes { LANES } else { 1 }, if tls { "TLS" } else { "TCP" });
                writeln!(out, "| {state} | {sharing} | {over} | {before} | {after} | {each:.1} |")?;
            }
        }
    }
    Ok(writeln!(out)?)
}

/// How many lines make the difference.
const MORE: u32 = 160;

/// How many share a socket.
const LANES: u32 = 16;

/// The memory of a process that has only this to do.
fn another(scene: Scene, count: u32, state: &str) -> Outcomes<u32> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.arg(state).arg(count.to_string()).args(scene.words()).output()?;
    let said = String::from_utf8(output.stdout)?;
    Ok(said.trim().parse().map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?)
}
