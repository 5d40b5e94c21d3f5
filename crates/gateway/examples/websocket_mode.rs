//! Prints WebSocket mode as the gateway speaks it. `cargo xtask generate` writes it to docs/websocket-mode.md.
//!
//! The words are in `websocket_mode/page.md.in`; the transcripts and the table of errors are what a gateway with the
//! scripted model said to a client on loopback a moment ago. What is not said as the page says it is, is an error here.

#[path = "websocket_mode/cases.rs"]
mod cases;
#[path = "websocket_mode/chains.rs"]
mod chains;
#[path = "websocket_mode/errors.rs"]
mod errors;
#[path = "websocket_mode/lanes.rs"]
mod lanes;
#[path = "websocket_mode/limits.rs"]
mod limits;
#[path = "websocket_mode/refusals.rs"]
mod refusals;
#[path = "websocket_mode/returns.rs"]
mod returns;
#[path = "websocket_mode/scene.rs"]
mod scene;
#[path = "websocket_mode/server.rs"]
mod server;
#[path = "websocket_mode/stage.rs"]
mod stage;
#[path = "websocket_mode/transcript.rs"]
mod transcript;
#[path = "websocket_mode/words.rs"]
mod words;

use std::io::{self, Write as _};

use stage::{Outcomes, Stage};

const PAGE: &str = include_str!("websocket_mode/page.md.in");

#[tokio::main]
async fn main() -> Outcomes<()> {
    let mut page = PAGE.to_owned();
    for (name, text) in parts().await? {
        let place = format!("{{{{{name}}}}}");
        if page.matches(&place).count() != 1 {
            return Err(format!("the page has not one place for {name}").into());
        }
        page = page.replace(&place, &text);
    }
    if let Some((_, rest)) = page.split_once("{{") {
        return Err(format!("nothing was played for {}", rest.chars().take(20).collect::<String>()).into());
    }
    Ok(io::stdout().lock().write_all(page.as_bytes())?)
}

/// What goes into the page, by the name of its place.
async fn parts() -> Outcomes<Vec<(&'static str, String)>> {
    let stage = Stage::with("")?;
    let small = Stage::with("gateway.limits.frame_bytes = 65536")?;
    let without = Stage::with("gateway.websockets = false")?;
    let (locked, _) = errors::locked(&[])?;
    let parts = vec![
        ("handshake", returns::handshake(&stage, &locked, &without).await?),
        ("first", chains::first(&stage).await?),
        ("continuation", chains::continuation(&stage).await?),
        ("settings", chains::settings(&stage).await?),
        ("warm_up", chains::warm_up(&stage).await?),
        ("stored", chains::stored(&stage).await?),
        ("eviction", chains::eviction(&stage).await?),
        ("failures", chains::failures(&stage).await?),
        ("two_lanes", lanes::two(&stage).await?),
        ("in_turn", lanes::in_turn(&stage).await?),
        ("sixteen", lanes::sixteen(&stage).await?),
        ("fork", lanes::fork(&stage).await?),
        ("steered", words::steered(&stage).await?),
        ("pending", words::pending(&stage).await?),
        ("interrupted", words::interrupted(&stage).await?),
        ("injected", words::injected(&stage).await?),
        ("cancelled", words::cancelled(&stage).await?),
        ("resumed", returns::resumed(&stage).await?),
        ("over_http", returns::over_http(&stage).await?),
        ("once", returns::once(&stage).await?),
        ("compacted", returns::compacted(&stage).await?),
        ("too_large", returns::too_large(&small).await?),
        ("drained", returns::drained(Stage::with("")?).await?),
        ("limits", limits::table()?),
        ("refusals", refusals::table(&stage).await?),
        ("errors", errors::table().await?),
    ];
    for stage in [stage, small, without, locked] {
        stage.end().await?;
    }
    Ok(parts)
}
