//! Every error that can be brought about at will, brought about: the table says what was seen.

use std::fmt::Write as _;

use futures_util::future::try_join_all;
use gateway::keys::{Keys, Models, NewKey};
use responses::json::Json;
use tempfile::TempDir;

use crate::cases::{CASES, Case, Way};
use crate::scene::{create, of};
use crate::server::BadServer;
use crate::stage::{Came, Outcomes, Reply, Stage};

/// The rows of the table.
pub(crate) async fn table() -> Outcomes<String> {
    let rows = try_join_all(CASES.iter().map(row)).await?;
    Ok(rows.concat())
}

async fn row(case: &Case) -> Outcomes<String> {
    let error = provoke(case).await.map_err(|error| format!("{}: {error}", case.when))?;
    let Case { code, status, when, next, .. } = case;
    let found: Option<Box<str>> = of(&error.text, "error.code")?;
    if found.as_deref().unwrap_or("null") != *code || error.status.is_some_and(|found| found != *status) {
        return Err(format!("{when}: {:?} is not {code} with {status}: {}", error.status, error.text).into());
    }
    let status = error.status.map_or_else(|| "`response.failed`".to_owned(), |status| status.to_string());
    let param: Option<Box<str>> = of(&error.text, "error.param")?;
    let param = param.map(|param| format!("`{param}`")).unwrap_or_default();
    let mut out = String::new();
    writeln!(out, "| `{code}` | {status} | {param} | {when} | {next} |")?;
    Ok(out)
}

/// An error as it was told.
struct Seen {
    /// None where it was told of a response that failed.
    status: Option<u64>,
    text: String,
}

impl Seen {
    fn answer(reply: Reply) -> Self {
        Self { status: Some(reply.status.into()), text: reply.body }
    }
}

async fn provoke(case: &Case) -> Outcomes<Seen> {
    match case.way {
        Way::Say(settings, frames) => {
            let frames: Vec<String> = frames.iter().map(|frame| (*frame).to_owned()).collect();
            told(&Stage::with(settings)?, &[], &frames).await
        }
        Way::ManyLanes => {
            let lane =
                |lane| create(&format!(r#""store":false,"generate":false,"stream_id":"lane-{lane}","input":[]"#));
            told(&Stage::with("")?, &[], &(1..=33).map(lane).collect::<Vec<_>>()).await
        }
        Way::ManyRequests => {
            let one = create(r#""store":false,"input":"say a\npause 60000""#);
            told(&Stage::with("")?, &[], &vec![one; 130]).await
        }
        Way::Ask(settings, asked, headers, body) => {
            Ok(Seen::answer(Stage::with(settings)?.ask(asked, headers, body).await?))
        }
        Way::WithKey { models, frame } => {
            let (stage, key) = locked(models)?;
            told(&stage, &[("authorization", &format!("Bearer {key}"))], &[frame.to_owned()]).await
        }
        Way::WithoutKey(asked, headers) => {
            let (stage, _) = locked(&[])?;
            Ok(Seen::answer(stage.ask(asked, headers, "").await?))
        }
        Way::LargeBody => {
            let body = format!(r#"{{"model":"scripted","input":"{}"}}"#, "x".repeat(1 << 16));
            let stage = Stage::with("gateway.limits.body_bytes = 65536")?;
            Ok(Seen::answer(stage.ask("POST /v1/responses", &[], &body).await?))
        }
        Way::Backend(answer) => {
            let server = BadServer::start(answer).await?;
            let stage = Stage::with(&format!(
                "[model_providers.upstream]\nname = \"Upstream\"\nbase_url = \"http://{}/v1\"\n",
                server.address
            ))?;
            let frame = r#"{"type":"response.create","model":"upstream/m","store":false,"input":"x"}"#;
            told(&stage, &[], &[frame.to_owned()]).await
        }
    }
}

/// Says all of it on one socket; gives the first error.
async fn told(stage: &Stage, headers: &[(&'static str, &str)], frames: &[String]) -> Outcomes<Seen> {
    let mut socket = stage.socket(headers).await?;
    for frame in frames {
        socket.say(frame).await?;
    }
    loop {
        match socket.hear().await? {
            Came::Text(text) if text.contains(r#""type":"error""#) => {
                return Ok(Seen { status: Some(of(&text, "status")?), text });
            }
            Came::Text(text) if text.contains(r#""type":"response.failed""#) => {
                let error: Json = of(&text, "response.error")?;
                return Ok(Seen { status: None, text: format!(r#"{{"error":{}}}"#, error.text()) });
            }
            Came::Text(_) => {}
            Came::Closed(why) => return Err(format!("the socket was closed: {why:?}").into()),
        }
    }
}

/// A gateway that asks for keys, and one.
pub(crate) fn locked(models: &[&str]) -> Outcomes<(Stage, String)> {
    let folder = TempDir::new()?;
    let mut keys = Keys::open(folder.path().join("keys.toml"))?;
    let models = Models::new(models.iter().map(|model| (*model).to_owned()).collect::<Vec<_>>())?;
    let (_, key) =
        keys.create(NewKey { name: "page".into(), models, ..NewKey::default() }, std::time::SystemTime::now())?;
    Ok((Stage::in_folder("gateway.keys = \"required\"\n", folder)?, key.expose().to_owned()))
}
