//! Dialogues about several responses at once.

use std::collections::VecDeque;

use crate::chains::expect_field;
use crate::scene::{Scene, create, text_of};
use crate::stage::{Outcomes, Socket, Stage};

/// Says something and then nothing for a minute, which no page waits for.
const LONG: &str = r#""input":"say thinking\npause 60000\nsay done""#;

/// One lane thinks while another one answers.
pub(crate) async fn two(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, &format!(r#""stream_id":"slow","store":false,{LONG}"#)).await?;
    let id = begun(&mut scene, &mut socket).await?;
    scene.create(&mut socket, r#""stream_id":"quick","store":false,"input":"say quick""#).await?;
    let last = scene.past(&mut socket, "response.completed").await?;
    expect_field(&last, "stream_id", "quick")?;
    scene.note("the lane `slow` is stopped here, so that the page need not wait for it");
    scene.say(&mut socket, &cancel(&id)).await?;
    scene.until(&mut socket, "response.incomplete").await?;
    Ok(scene.end())
}

/// On one lane, one after the other.
pub(crate) async fn in_turn(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, &format!(r#""store":false,{LONG}"#)).await?;
    let id = begun(&mut scene, &mut socket).await?;
    scene.note("this one waits");
    scene.create(&mut socket, r#""store":false,"input":"say second""#).await?;
    scene.say(&mut socket, &cancel(&id)).await?;
    scene.until(&mut socket, "response.incomplete").await?;
    scene.past(&mut socket, "response.completed").await?;
    Ok(scene.end())
}

/// Two ways on from one response.
pub(crate) async fn fork(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, r#""store":false,"input":"remember 7""#).await?;
    let made = scene.past(&mut socket, "response.completed").await?;
    let parent = format!(r#""store":false,"previous_response_id":"{}""#, text_of(&made, "response.id")?);
    let input = r#""input":"recall\npause 60000\nsay done""#;
    scene.create(&mut socket, &format!(r#""stream_id":"side",{parent},{input}"#)).await?;
    scene.until(&mut socket, "response.in_progress").await?;
    scene.note("the fork has its parent: only now may the lane that it came from go on");
    let fork = scene.past(&mut socket, "response.output_item.done").await?;
    expect_field(&fork, "item.content.0.text", "remember 7")?;
    scene.create(&mut socket, &format!(r#"{parent},"input":"say on""#)).await?;
    scene.past(&mut socket, "response.completed").await?;
    Ok(scene.end())
}

/// Sixteen run, the seventeenth waits.
pub(crate) async fn sixteen(stage: &Stage) -> Outcomes<String> {
    const RUN_AT_ONCE: usize = 16;
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    let mut ids = VecDeque::new();
    let request = |lane: usize| format!(r#""stream_id":"lane-{lane}","store":false,{LONG}"#);
    for lane in 1..=RUN_AT_ONCE {
        if lane == 1 || lane == RUN_AT_ONCE {
            scene.create(&mut socket, &request(lane)).await?;
            ids.push_back(begun(&mut scene, &mut socket).await?);
        } else {
            socket.say(&create(&request(lane))).await?;
            ids.push_back(unseen(&mut socket).await?);
        }
        if lane == 1 {
            scene.note("and so on to lane-15");
        }
    }
    scene.create(&mut socket, &request(RUN_AT_ONCE + 1)).await?;
    scene.note("nothing is said on lane-17, until another lane is free");
    scene.say(&mut socket, &cancel(&ids.pop_front().unwrap_or_default())).await?;
    let ended = scene.until(&mut socket, "response.incomplete").await?;
    expect_field(&ended, "stream_id", "lane-1")?;
    let begun = scene.until(&mut socket, "response.in_progress").await?;
    expect_field(&begun, "stream_id", "lane-17")?;
    Ok(scene.end())
}

/// A request to stop it.
pub(crate) fn cancel(id: &str) -> String {
    format!(r#"{{"type":"response.cancel","response_id":"{id}"}}"#)
}

/// Hears all that is said before the long silence.
pub(crate) async fn begun(scene: &mut Scene<'_>, socket: &mut Socket) -> Outcomes<String> {
    let created = scene.hear(socket).await?;
    scene.past(socket, "response.output_item.done").await?;
    text_of(&created, "response.id")
}

/// The same, and nothing of it is shown.
async fn unseen(socket: &mut Socket) -> Outcomes<String> {
    let created = socket.text().await?;
    while text_of(&socket.text().await?, "type")? != "response.output_item.done" {}
    text_of(&created, "response.id")
}
