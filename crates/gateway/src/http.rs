//! What is asked for over HTTP, and the answers.

mod body;
pub(crate) mod create;
pub(crate) mod front;
mod sse;
mod stored;

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use responses::error::ApiError;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::compacting;
use crate::engine::Engine;
use crate::keys::Holder;
use crate::metrics::Metrics;
use front::{Endpoint, endpoint};

pub(crate) type Reply = Response<UnsyncBoxBody<Bytes, Infallible>>;

pub(crate) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";
pub(crate) const JSON: &str = "application/json";

/// What becomes of a connection.
pub(crate) enum Next {
    /// It goes on.
    Stay,
    /// It becomes a socket of this holder.
    Socket(OnUpgrade, Holder),
}

/// Answers one request.
pub(crate) async fn reply(engine: &Arc<Engine>, mut request: Request<Incoming>) -> (Reply, Next) {
    let on_upgrade = wants_upgrade(request.headers()).then(|| hyper::upgrade::on(&mut request));
    let (head, body) = request.into_parts();
    let found = endpoint(&head.method, head.uri.path());
    let name = found.as_ref().map_or("unknown", Endpoint::name);
    let asked = head.uri.query().unwrap_or_default();
    let mut next = Next::Stay;
    let mut reply = match found.and_then(|found| Ok((engine.who(&found, &head.headers)?, found))) {
        Err(error) => refused(&error),
        Ok((holder, Endpoint::Socket)) => match upgraded(engine, &head.headers, on_upgrade) {
            Ok((reply, on_upgrade)) => {
                next = Next::Socket(on_upgrade, holder);
                reply
            }
            Err(error) => refused(&error),
        },
        Ok((holder, found)) if !found.takes_body() => serve(engine, &holder, found, (&head.headers, asked, "")).await,
        Ok((holder, found)) => match body::receive(&head.headers, body, engine.limits.body_bytes).await {
            Ok(text) => serve(engine, &holder, found, (&head.headers, asked, &text)).await,
            Err(error) => refused(&error),
        },
    };
    if reply.status() == StatusCode::UNAUTHORIZED {
        put(&mut reply, "www-authenticate", "Bearer");
    }
    engine.metrics.request(name, reply.status().as_u16());
    put(&mut reply, "x-request-id", &engine.fresh_id("req_"));
    if let Some(tag) = engine.models_tag() {
        put(&mut reply, "x-models-etag", &tag);
    }
    (reply, next)
}

async fn serve(engine: &Arc<Engine>, holder: &Holder, endpoint: Endpoint, asked: (&HeaderMap, &str, &str)) -> Reply {
    let (headers, query, body) = asked;
    match endpoint {
        Endpoint::Create => create::create(engine, holder, headers, body).await,
        Endpoint::Retrieve(id) => stored::retrieve(engine, holder, &id, query).await,
        Endpoint::Delete(id) => stored::delete(engine, holder, &id).await,
        Endpoint::Cancel(id) => stored::cancel(engine, holder, &id).await,
        Endpoint::InputItems(id) => stored::input_items(engine, holder, &id, query).await,
        Endpoint::InputTokens => told(compacting::input_tokens(engine, holder, body).await),
        Endpoint::Compact => told(compacting::compact(engine, holder, body).await),
        Endpoint::Models => models(engine, holder, headers, query),
        Endpoint::Model(name) => told(engine.model(holder, &name)),
        Endpoint::Metrics => answer(200, Metrics::CONTENT_TYPE, engine.counted()),
        Endpoint::Alive => answer(200, JSON, r#"{"status":"ok"}"#.to_owned()),
        Endpoint::Ready => ready(engine, headers),
        // It was dealt with before the body was read.
        Endpoint::Socket => refused(&no_upgrade()),
    }
}

fn told(told: Result<String, ApiError>) -> Reply {
    told.map_or_else(|error| refused(&error), |text| answer(200, JSON, text))
}

/// The list that everybody knows, or the catalogue that Codex asks for.
fn models(engine: &Engine, holder: &Holder, headers: &HeaderMap, query: &str) -> Reply {
    if front::query(query, "client_version").is_none() {
        return answer(200, JSON, engine.model_list(holder));
    }
    let (catalogue, tag) = engine.catalogue(holder);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut reply = if known { answer(304, JSON, String::new()) } else { answer(200, JSON, catalogue) };
    put(&mut reply, "etag", &tag);
    reply
}

fn ready(engine: &Engine, headers: &HeaderMap) -> Reply {
    let (ready, report) = engine.ready(headers);
    answer(if ready { 200 } else { 503 }, JSON, report)
}

fn wants_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

/// The answer that turns a connection into a socket.
fn upgraded(
    engine: &Engine,
    headers: &HeaderMap,
    on_upgrade: Option<OnUpgrade>,
) -> Result<(Reply, OnUpgrade), ApiError> {
    if !engine.limits.websockets {
        let message = "this gateway takes no websockets: use HTTP, or set gateway.websockets = true";
        return Err(ApiError::report(426, Some("websocket_not_supported"), None, message));
    }
    let on_upgrade = on_upgrade.ok_or_else(no_upgrade)?;
    if engine.is_draining() {
        return Err(crate::engine::going_away());
    }
    let version = headers.get(header::SEC_WEBSOCKET_VERSION).map(HeaderValue::as_bytes);
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| version == Some(b"13"));
    let key = key.ok_or_else(|| ApiError::report(400, None, None, "this is no handshake of websocket version 13"))?;
    let mut reply = answer(101, JSON, String::new());
    reply.headers_mut().remove(header::CONTENT_TYPE);
    put(&mut reply, "connection", "Upgrade");
    put(&mut reply, "upgrade", "websocket");
    put(&mut reply, "sec-websocket-accept", &derive_accept_key(key.as_bytes()));
    Ok((reply, on_upgrade))
}

fn no_upgrade() -> ApiError {
    let message = "GET /responses opens a websocket: send the headers of an upgrade, or POST to make a response";
    ApiError::report(400, None, None, message)
}

pub(crate) fn answer(status: u16, content_type: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body)).boxed_unsync());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// An error, as every client reads it.
pub(crate) fn refused(error: &ApiError) -> Reply {
    let status = error.status.filter(|status| (400..600).contains(status)).unwrap_or(error.meaning().status.max(400));
    let mut reply = answer(status, JSON, error.to_body());
    if let Some(wait) = error.wait {
        put(&mut reply, "retry-after", &wait.as_millis().div_ceil(1000).to_string());
        put(&mut reply, "retry-after-ms", &wait.as_millis().to_string());
    }
    reply
}

fn put(reply: &mut Reply, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(HeaderName::from_static(name), value);
    }
}
