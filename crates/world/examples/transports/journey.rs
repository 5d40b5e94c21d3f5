//! One chain of tool turns, over one of the ways.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use responses::chain::Mode;
use responses::fold::Response;
use responses::item::Item;
use testkit::tls::Authority;
use testkit::{FakeModel, Relay, Seen, Turn};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::client::{Outcomes, Talk, client, prose, settings};
use crate::process::thread_cpu;

/// What there is to read before the first turn, settings aside.
const CONTEXT: usize = 180 << 10;

/// Together 20 KB.
const TOOLS: usize = 21;

/// What a tool says.
const OUTPUT: usize = 2 << 10;

/// How it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    WebSocket,
    Http1,
    Http2,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::WebSocket, Self::Http1, Self::Http2];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSocket",
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }

    /// The only protocol that its server speaks behind TLS, so that no other can be meant.
    fn protocol(self) -> &'static [u8] {
        if self == Self::Http2 { b"h2" } else { b"http/1.1" }
    }

    fn mode(self) -> Mode {
        if self == Self::WebSocket { Mode::WebSocket } else { Mode::Http }
    }
}

/// The line to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Far {
    pub(crate) round_trip: Duration,
    /// How long a byte keeps it busy.
    pub(crate) per_byte: Duration,
}

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) turns: u32,
    pub(crate) far: Far,
    /// What the server takes for a byte of context that it does not remember.
    pub(crate) rebuild: Duration,
    pub(crate) thinking: Duration,
}

/// What it took.
#[derive(Debug)]
pub(crate) struct Run {
    /// When each turn had ended, from before the first connection was made.
    pub(crate) ends: Vec<Duration>,
    /// The processor time of the client's thread.
    pub(crate) cpu: Duration,
    pub(crate) traffic: Traffic,
}

/// What passed the relay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    pub(crate) up: u64,
    pub(crate) down: u64,
    pub(crate) connections: u64,
    pub(crate) requests: usize,
}

/// Goes a way once. The server has a thread of its own.
pub(crate) fn travel(way: Way, case: &Case) -> Outcomes<Run> {
    let authority = Authority::new()?;
    let (port, ports) = sync_channel(1);
    let (stop, stopped) = oneshot::channel();
    std::thread::scope(|threads| {
        let server = threads.spawn(|| serve(way, case, &authority, &port, stopped));
        let port = ports.recv_timeout(Duration::from_secs(10))?;
        let gone = go(way, case, port, &authority.certificate_pem());
        // Where the server has gone meanwhile, it says why.
        let _ = stop.send(());
        let traffic = server.join().map_err(|_| "the server's thread broke")??;
        let (ends, cpu) = gone?;
        Ok(Run { ends, cpu, traffic })
    })
}

fn serve(
    way: Way,
    case: &Case,
    authority: &Authority,
    port: &SyncSender<u16>,
    stopped: oneshot::Receiver<()>,
) -> Outcomes<Traffic> {
    let thinking = case.thinking;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let config = authority.server_config(&["127.0.0.1"], &[way.protocol()])?;
        let model = FakeModel::respond_with(move |seen| answer(seen, thinking)).with_rebuild_cost(case.rebuild);
        let model = model.start_tls(config).await?;
        let relay = Relay::narrow(model.address(), case.far.round_trip / 2, case.far.per_byte).await?;
        port.send(relay.address().port())?;
        // Whoever is gone does not want it any more either.
        let _ = stopped.await;
        let traffic = Traffic {
            up: relay.bytes_up(),
            down: relay.bytes_down(),
            connections: relay.connections(),
            requests: model.log().seen().len(),
        };
        relay.stop().await;
        model.stop().await;
        Ok(traffic)
    })
}

/// The model calls one function, in fourteen events.
fn answer(seen: &Seen, thinking: Duration) -> Turn {
    let arguments = format!(r#"{{"path":"crates/room/src/part_{:04}.rs","limit":"2 KB"}}"#, seen.number);
    Turn::new().function_call("tool_7", arguments).pace(8, thinking)
}

fn go(way: Way, case: &Case, port: u16, certificate: &str) -> Outcomes<(Vec<Duration>, Duration)> {
    let settings = settings(TOOLS)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut next = Item::user(&prose(CONTEXT, 1));
    let outputs: Vec<String> = (0..case.turns as usize).map(|at| prose(OUTPUT, at)).collect();
    runtime.block_on(async {
        let client = client(&format!("https://127.0.0.1:{port}/v1"), certificate, false)?;
        let mut talk = Talk::new(&client, way.mode(), &settings);
        let (began, cpu) = (Instant::now(), thread_cpu());
        let mut ends = Vec::with_capacity(outputs.len());
        for output in &outputs {
            let response = talk.turn(next).await?;
            ends.push(began.elapsed());
            next = result(&response, output)?;
        }
        Ok((ends, thread_cpu().saturating_sub(cpu)))
    })
}

/// The client does what it was called for.
fn result(response: &Response, output: &str) -> Outcomes<Item> {
    let call = response.output().iter().find_map(Item::call).ok_or("the model called nothing")?;
    Ok(Item::function_output(&call, output))
}
