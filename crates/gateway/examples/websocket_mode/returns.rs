//! Dialogues about lines that are lost, and about ends.

use crate::chains::{expect, expect_field};
use crate::scene::{Scene, create, text_of};
use crate::stage::{Outcomes, Stage};

/// A socket is cut, and another one goes on from there.
pub(crate) async fn resumed(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, r#""store":false,"input":"count 3""#).await?;
    let created = scene.hear(&mut socket).await?;
    for _ in 1..=4 {
        scene.hear(&mut socket).await?;
    }
    let id = text_of(&created, "response.id")?;
    drop(socket);
    scene.note("the socket is cut; another one is opened");
    let mut socket = scene.open().await?;
    let resume = format!(r#"{{"type":"response.resume","response_id":"{id}","starting_after":4,"stream_id":"back"}}"#);
    scene.say(&mut socket, &resume).await?;
    scene.until(&mut socket, "response.completed").await?;
    scene.note("the lane remembers it, as if it had been asked for here");
    let next = format!(r#""stream_id":"back","store":false,"previous_response_id":"{id}","input":"recall""#);
    scene.create(&mut socket, &next).await?;
    let last = scene.past(&mut socket, "response.completed").await?;
    expect_field(&last, "response.output.0.content.0.text", "count 3")?;
    scene.note("there is no event after this one");
    scene
        .say(&mut socket, &format!(r#"{{"type":"response.resume","response_id":"{id}","starting_after":10}}"#))
        .await?;
    let error = scene.until(&mut socket, "error").await?;
    expect(&error, "response_already_completed")?;
    Ok(scene.end())
}

/// The rest of a response that is not stored, as a stream over HTTP.
pub(crate) async fn over_http(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, r#""store":false,"input":"say hello""#).await?;
    let made = scene.past(&mut socket, "response.completed").await?;
    let id = text_of(&made, "response.id")?;
    drop(socket);
    scene.ask(&format!("GET /v1/responses/{id}?stream=true&starting_after=5"), &[], "").await?;
    scene.note("it is not stored: that is all that can be had of it");
    scene.ask(&format!("GET /v1/responses/{id}"), &[], "").await?;
    Ok(scene.end())
}

/// Asked twice, made once.
pub(crate) async fn once(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    let request = r#""store":false,"idempotency_key":"turn-12","input":"say once""#;
    scene.create(&mut socket, request).await?;
    let made = scene.past(&mut socket, "response.completed").await?;
    drop(socket);
    scene.note("the client does not know whether it was heard, and asks again: another socket, another lane");
    let mut socket = scene.open().await?;
    scene.create(&mut socket, &format!(r#""stream_id":"again",{request}"#)).await?;
    let again = scene.past(&mut socket, "response.completed").await?;
    if text_of(&made, "response.id")? != text_of(&again, "response.id")? {
        return Err("two responses were made".into());
    }
    scene.note("the same key for something else");
    scene.create(&mut socket, r#""store":false,"idempotency_key":"turn-12","input":"say twice""#).await?;
    let refused = scene.until(&mut socket, "error").await?;
    expect(&refused, "idempotency_key_reused")?;
    Ok(scene.end())
}

/// What runs may end; then it is said that this is the end.
pub(crate) async fn drained(mut stage: Stage) -> Outcomes<String> {
    // The socket must be there before the gateway is asked to stop, which borrows it.
    let mut socket = stage.socket(&[]).await?;
    let asked = create(r#""store":false,"input":"say working\npause 60000\nsay done""#);
    socket.say(&asked).await?;
    let mut heard = vec![socket.text().await?];
    while text_of(heard.last().map_or("", String::as_str), "type")? != "response.output_item.done" {
        heard.push(socket.text().await?);
    }
    let id = text_of(heard.first().map_or("", String::as_str), "response.id")?;
    stage.ask_to_stop();
    let mut scene = Scene::new(&stage);
    scene.line(format!("C {asked}"));
    scene.line(format!("S … {} messages", heard.len()));
    scene.note("the gateway is told to end; nothing new is begun, what runs goes on");
    // Whether it has heard that is seen by what it refuses.
    loop {
        socket.say(&create(r#""store":false,"stream_id":"new","input":"say new""#)).await?;
        let answer = socket.text().await?;
        if text_of(&answer, "type")? == "error" {
            // It was heard a moment too early: the gateway begins nothing, and the connection does not know yet.
            if text_of(&answer, "error.code")? == "going_away" {
                continue;
            }
            scene.line(format!("C {}", create(r#""store":false,"stream_id":"new","input":"say new""#)));
            scene.line(format!("S {answer}"));
            expect(&answer, "websocket_connection_limit_reached")?;
            break;
        }
        while text_of(&socket.text().await?, "type")? != "response.completed" {}
    }
    scene.note("the client stops what runs, so that the page need not wait for it");
    scene.say(&mut socket, &format!(r#"{{"type":"response.interrupt","response_id":"{id}"}}"#)).await?;
    scene.until(&mut socket, "response.incomplete").await?;
    let notice = scene.until(&mut socket, "error").await?;
    expect(&notice, "websocket_connection_limit_reached")?;
    scene.closed(&mut socket).await?;
    let shown = scene.end();
    stage.end().await?;
    Ok(shown)
}

/// More than a socket takes.
pub(crate) async fn too_large(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    let large = create(&format!(r#""store":false,"input":"{}""#, "x".repeat(1 << 16)));
    scene.say_unshown(&mut socket, "a message of more than `frame_bytes`", large).await?;
    scene.closed(&mut socket).await?;
    Ok(scene.end())
}

/// A summary in the place of a long past.
pub(crate) async fn compacted(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, r#""store":false,"input":"remember 7""#).await?;
    let made = scene.past(&mut socket, "response.completed").await?;
    let id = text_of(&made, "response.id")?;
    let input = r#"[{"type":"compaction_trigger"}]"#;
    scene.create(&mut socket, &format!(r#""store":false,"previous_response_id":"{id}","input":{input}"#)).await?;
    let made = scene.until(&mut socket, "response.completed").await?;
    let id = text_of(&made, "response.id")?;
    scene.note("the chain goes on: what the model sees is the summary, and what the user said last");
    scene.create(&mut socket, &format!(r#""store":false,"previous_response_id":"{id}","input":"recall""#)).await?;
    scene.past(&mut socket, "response.completed").await?;
    Ok(scene.end())
}

/// The handshake, and how it is refused.
pub(crate) async fn handshake(stage: &Stage, locked: &Stage, without: &Stage) -> Outcomes<String> {
    const UPGRADE: [(&str, &str); 5] = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-extensions", "permessage-deflate"),
    ];
    const SHOWN: [&str; 5] =
        ["connection", "upgrade", "sec-websocket-accept", "sec-websocket-extensions", "www-authenticate"];
    let mut scene = Scene::new(stage);
    for (stage, what) in [(stage, None), (locked, Some("keys are asked for")), (without, Some("`websockets = false`"))]
    {
        if let Some(what) = what {
            scene.note(what);
        } else {
            scene.line("C GET /v1/responses HTTP/1.1");
            for (name, value) in UPGRADE {
                scene.line(format!("C {name}: {value}"));
            }
        }
        let reply = stage.ask("GET /v1/responses", &UPGRADE, "").await?;
        scene.line(format!("S {}", reply.status));
        for name in SHOWN {
            if let Some(value) = reply.header(name) {
                scene.line(format!("S {name}: {value}"));
            }
        }
        if !reply.body.is_empty() {
            scene.line(format!("S {}", reply.body));
        }
    }
    Ok(scene.end())
}
