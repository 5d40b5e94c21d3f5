//! Dialogues in which a client speaks while a response runs.

use crate::chains::expect_field;
use crate::lanes::{begun, cancel};
use crate::scene::{Scene, text_of};
use crate::stage::{Outcomes, Stage};

const LONG: &str = r#""store":false,"input":"say thinking\npause 60000\nsay done""#;

fn steer(id: &str, input: &str) -> String {
    format!(r#"{{"type":"response.steer","previous_response_id":"{id}","input":{input}}}"#)
}

/// A steer ends the response, and a successor follows by itself.
pub(crate) async fn steered(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, LONG).await?;
    let id = begun(&mut scene, &mut socket).await?;
    scene.say(&mut socket, &steer(&id, r#""say as you wish""#)).await?;
    let last = scene.until(&mut socket, "response.incomplete").await?;
    expect_field(&last, "response.incomplete_details.reason", "steered")?;
    let successor = scene.past(&mut socket, "response.completed").await?;
    expect_field(&successor, "response.previous_response_id", &id)?;
    Ok(scene.end())
}

/// A steer waits for the answer to a call.
pub(crate) async fn pending(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, r#""store":false,"input":"call ls {}""#).await?;
    let made = scene.past(&mut socket, "response.completed").await?;
    let (id, call) = (text_of(&made, "response.id")?, text_of(&made, "response.output.0.call_id")?);
    scene.say(&mut socket, &steer(&id, r#""say the steer was heard""#)).await?;
    scene.until(&mut socket, "response.steer.pending").await?;
    scene.note("one request with the answers; what the steer said is added by the gateway");
    let answer = format!(r#"[{{"type":"function_call_output","call_id":"{call}","output":"src"}}]"#);
    scene.create(&mut socket, &format!(r#""store":false,"previous_response_id":"{id}","input":{answer}"#)).await?;
    scene.past(&mut socket, "response.completed").await?;
    Ok(scene.end())
}

/// Stopped at once; what is whole stays.
pub(crate) async fn interrupted(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    let input = r#""store":false,"input":"say whole\npace 60000\nsay never said""#;
    scene.create(&mut socket, input).await?;
    let created = scene.hear(&mut socket).await?;
    let id = text_of(&created, "response.id")?;
    scene.past(&mut socket, "response.output_item.done").await?;
    scene.note("the second message has begun");
    scene.until(&mut socket, "response.content_part.added").await?;
    let interrupt = format!(r#"{{"type":"response.interrupt","response_id":"{id}","mode":"discard_partial_items"}}"#);
    scene.say(&mut socket, &interrupt).await?;
    let last = scene.until(&mut socket, "response.incomplete").await?;
    expect_field(&last, "response.incomplete_details.reason", "interrupted")?;
    scene.say(&mut socket, &interrupt).await?;
    let refused = scene.until(&mut socket, "response.interrupt.failed").await?;
    expect_field(&refused, "error.code", "response_already_completed")?;
    scene.create(&mut socket, &format!(r#""store":false,"previous_response_id":"{id}","input":"say on""#)).await?;
    scene.past(&mut socket, "response.completed").await?;
    Ok(scene.end())
}

/// No answers are taken while a response runs.
pub(crate) async fn injected(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, LONG).await?;
    let id = begun(&mut scene, &mut socket).await?;
    let items = r#"[{"type":"function_call_output","call_id":"c","output":"o"}]"#;
    scene.say(&mut socket, &format!(r#"{{"type":"response.inject","response_id":"{id}","input":{items}}}"#)).await?;
    let refused = scene.until(&mut socket, "response.inject.failed").await?;
    expect_field(&refused, "error.code", "inject_not_supported")?;
    Ok(scene.end())
}

/// One lane is stopped; the others do not notice.
pub(crate) async fn cancelled(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, &format!(r#""stream_id":"a",{LONG}"#)).await?;
    let id = begun(&mut scene, &mut socket).await?;
    scene.say(&mut socket, &cancel(&id)).await?;
    let last = scene.until(&mut socket, "response.incomplete").await?;
    expect_field(&last, "response.status", "cancelled")?;
    scene.note("it does not run any more");
    scene.say(&mut socket, &cancel(&id)).await?;
    scene.until(&mut socket, "error").await?;
    Ok(scene.end())
}
