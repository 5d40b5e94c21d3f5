//! What a connection may do and have, as the code has it.

use std::fmt::Write as _;
use std::time::Duration;

use gateway::settings::Limits;
use responses::chain::ConnectionLimits;

use crate::stage::Outcomes;

/// The rows of the table.
pub(crate) fn table() -> Outcomes<String> {
    let ConnectionLimits {
        active,
        named_lanes,
        queued,
        queued_bytes,
        recall,
        pending_steers,
        frame_bytes: _,
        remembered_bytes,
        age: _,
        drain,
        beat,
    } = ConnectionLimits::default();
    let Limits { frame_bytes, grace, replay, socket_age, .. } = Limits::default();
    let rows = [
        ("the largest message of a client", format!("{frame_bytes} bytes"), "`frame_bytes`", "close 1009"),
        ("responses in flight on a connection", active.to_string(), "", "more wait"),
        ("names of lanes on a connection", named_lanes.to_string(), "", "`websocket_stream_limit_reached`"),
        ("requests that wait on a connection", queued.to_string(), "", "`rate_limit_exceeded`"),
        ("bytes of requests that wait", bytes(queued_bytes), "", "`rate_limit_exceeded`"),
        ("steers of one response that wait", pending_steers.to_string(), "", "`too_many_pending_steers`"),
        ("what all lanes of a connection remember", bytes(remembered_bytes), "", "the oldest is forgotten"),
        ("a response is looked for in the store", time(recall), "", "`previous_response_not_found`"),
        ("age of a connection", time(socket_age), "`socket_age_minutes`", "drain, then close 1001"),
        ("what runs may go on in a drain", time(drain), "", "close 1001"),
        ("a ping after", time(beat.every), "", ""),
        ("a pong within", time(beat.within), "", &format!("after {} without one: close 1011", beat.misses)),
        ("a response runs on unheard", time(grace), "`grace_seconds`", "it is cancelled"),
        (
            "events of an ended response are kept",
            time(replay),
            "`replay_minutes`",
            "`response_not_found`, unless stored",
        ),
    ];
    let mut out = String::new();
    for (what, limit, key, then) in rows {
        writeln!(out, "| {what} | {limit} | {key} | {then} |")?;
    }
    Ok(out)
}

fn bytes(count: usize) -> String {
    format!("{} MiB", count >> 20)
}

fn time(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds > 60 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
