//! What a connection costs on which nothing is said.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::case::{Case, Wire, start_capstan};
use crate::child::{start, used};
use crate::client::{Heard, Line};
use crate::table::{mention, print};
use crate::{Failure, Options, Outcome};

/// How many connections there are, if the command line does not say.
pub(crate) const CONNECTIONS: usize = 10_000;

/// How long they are held in seconds, if the command line does not say: longer than servers wait between two pings.
pub(crate) const HELD: u64 = 90;

/// How many of them do something at once.
const AT_ONCE: usize = 64;

/// How many come from one address.
const FROM_ONE_ADDRESS: usize = 5000;

struct Plan {
    case: Case,
    /// Whether a turn is taken before it is idle, and whether one is to be had afterwards.
    turn_before: bool,
    turn_after: bool,
    held: Duration,
}

pub(crate) async fn measure(options: &Options) -> Outcome<()> {
    let mut rows = Vec::new();
    let mut take = async |case: Case, turn_before, turn_after| {
        if case.name.starts_with(&options.only) {
            let plan = Plan { case, turn_before, turn_after, held: Duration::from_secs(options.held) };
            rows.push(hold(&plan, options.connections).await?);
        }
        Outcome::Ok(())
    };
    let sockets = start(&["sockets"]).await?;
    take(Case::new("bare", sockets.address, Wire::Socket, "", Some(sockets.pid)), false, false).await?;
    drop(sockets);

    let upstream = start(&["upstream", "1", "0"]).await?;
    let floor = start(&["floor", &upstream.address.to_string()]).await?;
    // Its turn would take a connection to the upstream for each of ours: that is another measurement.
    take(Case::new("bare proxy", floor.address, Wire::Chat, "m", Some(floor.pid)), false, true).await?;
    if let Some(other) = &options.other {
        take(other.case(Wire::Chat)?, true, true).await?;
    }
    for (wire, turn_before) in [(Wire::Socket, false), (Wire::Socket, true), (Wire::Responses, true)] {
        let Some(program) = &options.capstan else { break };
        let (capstan, _folder) = start_capstan(program).await?;
        take(Case::new("capstan", capstan.address, wire, "to-chat", Some(capstan.pid)), turn_before, true).await?;
    }
    let title = format!("{} idle connections, held for {} s", options.connections, options.held);
    let head = ["way", "turn before", "KiB each", "held", "answered after", "CPU while idle, %", "opened a second"];
    print(&title, &head, &rows)
}

async fn hold(plan: &Plan, connections: usize) -> Outcome<Vec<String>> {
    let pid = plan.case.pid.ok_or("no process")?;
    mention(&format!("{}: opening {connections}", plan.case.name))?;
    let (before, begun) = (used(pid)?, Instant::now());
    let (gate, end) = (Arc::new(Semaphore::new(AT_ONCE)), CancellationToken::new());
    let mut tasks = JoinSet::new();
    let opened = Arc::new(Semaphore::new(0));
    for at in 0..connections {
        let (case, gate, end, opened) = (plan.case.clone(), Arc::clone(&gate), end.clone(), Arc::clone(&opened));
        let (turn_before, turn_after) = (plan.turn_before, plan.turn_after);
        tasks.spawn(async move {
            let from = [127, 0, 0, u8::try_from(2 + at / FROM_ONE_ADDRESS)?];
            let mut line = {
                let _leave = gate.acquire().await?;
                let mut line = Line::connect_from(&case, from).await?;
                if turn_before {
                    line.ask(&case, case.request(), &mut Heard::default()).await?;
                }
                opened.add_permits(1);
                line
            };
            idle(&mut line, &end).await?;
            if turn_after {
                let _leave = gate.acquire().await?;
                line.ask(&case, case.request(), &mut Heard::default()).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    let all = opened.acquire_many(u32::try_from(connections)?);
    tokio::select! {
        all = all => drop(all?),
        Some(broken) = tasks.join_next() => broken??,
    }
    let rate = per_second(connections, begun.elapsed());
    sleep(Duration::from_secs(5)).await;
    let settled = used(pid)?;
    sleep(plan.held).await;
    let after = used(pid)?;
    let held = tasks.len();
    end.cancel();
    let mut answered = 0;
    while let Some(result) = tasks.join_next().await {
        match result? {
            Ok(()) => answered += 1,
            Err(error) => mention(&format!("{}: {error}", plan.case.name))?,
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "bytes of one process")]
    let each = settled.memory.saturating_sub(before.memory) as f64 / 1024.0 / f64::from(u32::try_from(connections)?);
    let busy = after.seconds_since(settled) / plan.held.as_secs_f64() * 100.0;
    let answered = if plan.turn_after { answered.to_string() } else { "-".to_owned() };
    let turn = if plan.turn_before { "yes" } else { "no" };
    Ok(vec![
        plan.case.name.clone(),
        turn.to_owned(),
        format!("{each:.1}"),
        held.to_string(),
        answered,
        format!("{busy:.1}"),
        rate,
    ])
}

/// Nothing is said; pings are answered.
async fn idle(line: &mut Line, end: &CancellationToken) -> Outcome<()> {
    match line {
        Line::Socket(socket) => loop {
            tokio::select! {
                () = end.cancelled() => return Ok(()),
                message = socket.next() => drop(message.ok_or("the socket was closed")??),
            }
        },
        Line::Http(_, task) => tokio::select! {
            () = end.cancelled() => Ok(()),
            _ = task.join_next() => Err("the connection was closed".into()),
        },
    }
}

fn per_second(count: usize, time: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a count of connections")]
    let rate = count as f64 / time.as_secs_f64();
    format!("{rate:.0}")
}
