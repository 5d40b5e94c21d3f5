//! Dialogues about what a response goes on from.

use crate::scene::{Scene, raw_of, text_of};
use crate::stage::{Outcomes, Stage};
use crate::transcript::Detail;

/// One response, with nothing left out.
pub(crate) async fn first(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.show(Detail::Whole);
    scene.create(&mut socket, r#""store":false,"input":"say hello there""#).await?;
    scene.until(&mut socket, "response.completed").await?;
    Ok(scene.end())
}

/// A tool is called, and its answer is sent alone.
pub(crate) async fn continuation(stage: &Stage) -> Outcomes<String> {
    const SETTINGS: &str = r#""store":false,"tools":[{"type":"function","name":"ls","parameters":{"type":"object"}}]"#;
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, &format!(r#"{SETTINGS},"input":"call ls {{\"path\":\".\"}}""#)).await?;
    let made = scene.until(&mut socket, "response.completed").await?;
    let (id, call) = (text_of(&made, "response.id")?, text_of(&made, "response.output.0.call_id")?);
    let answer = format!(r#"[{{"type":"function_call_output","call_id":"{call}","output":"Cargo.toml src"}}]"#);
    scene.create(&mut socket, &format!(r#"{SETTINGS},"previous_response_id":"{id}","input":{answer}"#)).await?;
    scene.past(&mut socket, "response.completed").await?;
    Ok(scene.end())
}

/// What was set for one response is not set for the next.
pub(crate) async fn settings(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.show(Detail::With(&["instructions", "tools", "left_behind"]));
    let settings = r#""instructions":"Be brief.","tools":[{"type":"function","name":"ls"}]"#;
    scene.create(&mut socket, &format!(r#""store":false,{settings},"input":"remember 7""#)).await?;
    let made = scene.past(&mut socket, "response.completed").await?;
    let id = text_of(&made, "response.id")?;
    let next = format!(r#""store":false,"previous_response_id":"{id}","input":"recall""#);
    scene.create(&mut socket, &next).await?;
    let made = scene.past(&mut socket, "response.completed").await?;
    for (field, expected) in [("instructions", "null"), ("tools", "[]"), ("left_behind", r#"["tools","instructions"]"#)]
    {
        if raw_of(&made, &format!("response.{field}"))? != expected {
            return Err(format!("{field} is not {expected}: {made}").into());
        }
    }
    Ok(scene.end())
}

/// State without a model's word.
pub(crate) async fn warm_up(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    let said = r#"[{"role":"developer","content":"You list files."}]"#;
    scene.create(&mut socket, &format!(r#""store":false,"generate":false,"input":{said}"#)).await?;
    let made = scene.until(&mut socket, "response.completed").await?;
    let id = text_of(&made, "response.id")?;
    scene.create(&mut socket, &format!(r#""store":false,"previous_response_id":"{id}","input":"say ready""#)).await?;
    scene.past(&mut socket, "response.completed").await?;
    Ok(scene.end())
}

/// A continuation that fails takes its parent along; a fork that fails does not.
pub(crate) async fn eviction(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.create(&mut socket, r#""store":false,"input":"say one""#).await?;
    let made = scene.past(&mut socket, "response.completed").await?;
    let parent = format!(r#""store":false,"previous_response_id":"{}""#, text_of(&made, "response.id")?);
    scene.note("a fork fails: the parent stays");
    let fails = r#""input":"reject 429 slow_down try again in 2s""#;
    scene.create(&mut socket, &format!(r#""stream_id":"fork",{parent},{fails}"#)).await?;
    scene.until_failure(&mut socket).await?;
    scene.note("a continuation on the lane of its parent fails: the parent is forgotten");
    scene.create(&mut socket, &format!("{parent},{fails}")).await?;
    scene.until_failure(&mut socket).await?;
    scene.create(&mut socket, &format!(r#"{parent},"input":"say two""#)).await?;
    let error = scene.until(&mut socket, "error").await?;
    expect(&error, "previous_response_not_found")?;
    Ok(scene.end())
}

/// What outlives its socket, and what does not.
pub(crate) async fn stored(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    scene.show(Detail::With(&["past_stored"]));
    let mut ids = Vec::new();
    let mut socket = scene.open().await?;
    for store in [true, false] {
        scene.create(&mut socket, &format!(r#""store":{store},"input":"remember {store}""#)).await?;
        let made = scene.past(&mut socket, "response.completed").await?;
        ids.push(text_of(&made, "response.id")?);
    }
    let parent = ids.last().map_or("", String::as_str);
    scene.create(&mut socket, &format!(r#""store":true,"previous_response_id":"{parent}","input":"say on""#)).await?;
    let made = scene.past(&mut socket, "response.completed").await?;
    if raw_of(&made, "response.past_stored")? != "false" {
        return Err(format!("its past is stored: {made}").into());
    }
    scene.note("another socket");
    let mut socket = scene.open().await?;
    for (id, last) in ids.iter().zip(["response.completed", "error"]) {
        let fields = format!(r#""store":false,"previous_response_id":"{id}","input":"recall""#);
        scene.create(&mut socket, &fields).await?;
        scene.past(&mut socket, last).await?;
    }
    Ok(scene.end())
}

/// A response that a backend refuses to make, and one that it breaks off.
pub(crate) async fn failures(stage: &Stage) -> Outcomes<String> {
    let mut scene = Scene::new(stage);
    let mut socket = scene.open().await?;
    scene.note("the backend refuses");
    scene.create(&mut socket, r#""store":false,"input":"reject 503 server_is_overloaded try again in 3s""#).await?;
    scene.until_failure(&mut socket).await?;
    scene.note("it fails in the middle: what was whole was told before");
    scene.create(&mut socket, r#""store":false,"input":"say whole\nfail server_error it broke""#).await?;
    let last = scene.past(&mut socket, "response.failed").await?;
    expect_field(&last, "response.status", "failed")?;
    Ok(scene.end())
}

/// The code of an error that must be this.
pub(crate) fn expect(error: &str, code: &str) -> Outcomes<()> {
    expect_field(error, "error.code", code)
}

/// A field that must be this.
pub(crate) fn expect_field(text: &str, path: &str, expected: &str) -> Outcomes<()> {
    let found = text_of(text, path)?;
    if found == expected { Ok(()) } else { Err(format!("{path} is {found}, not {expected}: {text}").into()) }
}
