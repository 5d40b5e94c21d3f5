//! The codes of steers, interrupts and injections that fail, each brought about.

use std::fmt::Write as _;

use crate::chains::expect_field;
use crate::lanes::begun;
use crate::scene::{Scene, create, text_of};
use crate::stage::{Outcomes, Socket, Stage};

/// The rows of the table.
pub(crate) async fn table(stage: &Stage) -> Outcomes<String> {
    let mut out = String::new();
    let mut row =
        |kind: &str, code: &str, when: &str| writeln!(out, "| `response.{kind}.failed` | `{code}` | {when} |");

    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    for (kind, when) in
        [("steer", "the response is not known on this connection"), ("interrupt", "the same"), ("inject", "the same")]
    {
        refused(&mut socket, &asked(kind, "resp_no"), kind, "response_not_found").await?;
        row(kind, "response_not_found", when)?;
    }

    let ended = made(&mut socket, r#""store":false,"input":"say a""#).await?;
    for (kind, when) in [("interrupt", "it has ended"), ("inject", "it has ended")] {
        refused(&mut socket, &asked(kind, &ended), kind, "response_already_completed").await?;
        row(kind, "response_already_completed", when)?;
    }
    scene.create(&mut socket, r#""store":false,"input":"say a\npause 60000\nsay b""#).await?;
    let running = begun(&mut scene, &mut socket).await?;
    refused(&mut socket, &asked("steer", &ended), "steer", "response_already_completed").await?;
    row("steer", "response_already_completed", "its lane has moved on to another response")?;
    refused(&mut socket, &asked("inject", &running), "inject", "inject_not_supported").await?;
    row("inject", "inject_not_supported", "always, while it runs: no backend here takes answers then")?;
    let system = format!(
        r#"{{"type":"response.steer","previous_response_id":"{running}","input":[{{"role":"system","content":"x"}}]}}"#
    );
    refused(&mut socket, &system, "steer", "invalid_input").await?;
    row("steer", "invalid_input", "the input is empty, or has other than user messages and function outputs")?;
    drop(socket);

    let mut socket = scene.open().await?;
    let called = made(&mut socket, r#""store":false,"input":"call ls {}""#).await?;
    for _ in 0..8 {
        socket.say(&asked("steer", &called)).await?;
        for kind in ["response.steer.accepted", "response.steer.pending"] {
            expect_field(&socket.text().await?, "type", kind)?;
        }
    }
    refused(&mut socket, &asked("steer", &called), "steer", "too_many_pending_steers").await?;
    row("steer", "too_many_pending_steers", "eight wait already")?;
    socket.say(&create(r#""store":false,"input":"say elsewhere""#)).await?;
    let failed = socket.text().await?;
    expect_field(&failed, "error.code", "response_not_active")?;
    row("steer", "response_not_active", "its lane went on without it: the steer that waited is given back")?;
    Ok(out)
}

fn asked(kind: &str, id: &str) -> String {
    match kind {
        "steer" => format!(r#"{{"type":"response.steer","previous_response_id":"{id}","input":"x"}}"#),
        "inject" => format!(r#"{{"type":"response.inject","response_id":"{id}","input":[]}}"#),
        _ => format!(r#"{{"type":"response.interrupt","response_id":"{id}"}}"#),
    }
}

async fn refused(socket: &mut Socket, said: &str, kind: &str, code: &str) -> Outcomes<()> {
    socket.say(said).await?;
    let answer = socket.text().await?;
    expect_field(&answer, "type", &format!("response.{kind}.failed"))?;
    expect_field(&answer, "error.code", code)
}

/// A response that ends well.
async fn made(socket: &mut Socket, fields: &str) -> Outcomes<String> {
    socket.say(&create(fields)).await?;
    loop {
        let text = socket.text().await?;
        if text_of(&text, "type")? == "response.completed" {
            return text_of(&text, "response.id");
        }
    }
}
