//! `POST /responses`: a response is begun, and listened to.

use std::sync::Arc;

use http_body_util::{BodyExt, StreamBody};
use hyper::HeaderMap;
use responses::chain::{Context, RunRequest};
use responses::error::ApiError;
use responses::json::{Json, WireError};
use responses::request::{Input, Request};

use super::{EVENT_STREAM, JSON, Reply, answer, refused, sse};
use crate::engine::{Engine, Job};
use crate::keys::Holder;
use crate::response::log::{Heard, Live, Watch};
use crate::response::runs::Idempotency;

/// The header by which a client names a request.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

pub(crate) async fn create(engine: &Arc<Engine>, holder: &Holder, headers: &HeaderMap, body: &str) -> Reply {
    match begin(engine, holder, headers, body).await {
        Ok((live, streams)) => tell(live.watch(0), streams).await,
        Err(error) => refused(&error),
    }
}

async fn begin(
    engine: &Arc<Engine>,
    holder: &Holder,
    headers: &HeaderMap,
    body: &str,
) -> Result<(Arc<Live>, bool), ApiError> {
    let request = read(body)?;
    let header = headers.get(IDEMPOTENCY_KEY).and_then(|value| value.to_str().ok());
    let new = || request.input.clone().map(Input::into_items).unwrap_or_default();
    let asked = Idempotency::of(&request, header, new);
    if let Some(asked) = &asked
        && let Some(live) = engine.runs.asked(&holder.owner, asked)?
    {
        return Ok((live, request.stream()));
    }
    let streams = request.stream();
    let job = Job { run: whole(engine, holder, request).await?, asked };
    Ok((engine.begin(holder, job)?, streams))
}

/// Reads a request.
pub(crate) fn read(body: &str) -> Result<Request, ApiError> {
    let mut request = Request::parse(body).map_err(|error| unreadable(&error))?;
    // Lanes are of sockets.
    request.delivery.stream_id = None;
    Ok(request)
}

pub(crate) fn unreadable(error: &WireError) -> ApiError {
    ApiError::report(400, Some("invalid_value"), error.path().as_deref(), error.to_string())
}

/// The request, with all that the model is to see.
pub(crate) async fn whole(engine: &Engine, holder: &Holder, mut request: Request) -> Result<RunRequest, ApiError> {
    let previous = request.previous_response_id();
    let before = match &previous {
        None => Context::default(),
        Some(id) => engine.recall(&holder.owner, id).await?.ok_or_else(|| not_found(id.as_str()))?,
    };
    let new = request.input.take().map(Input::into_items).unwrap_or_default();
    let new_items = new.len();
    Ok(RunRequest { request: Arc::new(request), previous, context: before.with(new), new_items, parent: None })
}

fn not_found(id: &str) -> ApiError {
    let shown: String = id.chars().take(80).collect();
    let message = format!("previous response `{shown}` is not known here: send the whole conversation");
    ApiError::report(400, Some("previous_response_not_found"), Some("previous_response_id"), message)
}

/// Tells a response: event by event, whole at its end, or as it is now, if it runs in the background.
async fn tell(mut watch: Watch, streams: bool) -> Reply {
    let live = Arc::clone(watch.live());
    if streams {
        return stream(watch).await;
    }
    loop {
        let heard = watch.next().await;
        match heard {
            Heard::Refused(error) => return refused(&error),
            Heard::Ended(outcome) => return answer(200, JSON, outcome.response.text().to_owned()),
            Heard::Events(_) if live.background => return now(&live),
            Heard::Events(_) => {}
        }
    }
}

/// A response as it is.
pub(crate) fn now(live: &Live) -> Reply {
    match live.now() {
        Ok(now) => answer(200, JSON, now.as_ref().map_or("null", Json::text).to_owned()),
        Err(error) => refused(&error),
    }
}

/// A response that is refused before its first event is no stream.
pub(crate) async fn stream(mut watch: Watch) -> Reply {
    let first = watch.next().await;
    if let Heard::Refused(error) = first {
        return refused(&error);
    }
    let mut reply = answer(200, EVENT_STREAM, String::new());
    *reply.body_mut() = StreamBody::new(sse::events(Some(first), watch)).boxed_unsync();
    reply
}
