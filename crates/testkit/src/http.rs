//! The routes.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Version};
use responses::chain::{Context, RunRequest, Transport};
use responses::request::{Input, Request as Ask};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::body::{self, Received};
use crate::delivery::Delivery;
use crate::fault::Fault;
use crate::record::{Happened, HttpRequest};
use crate::refusal::Refusal;
use crate::shared::{Answer, Line, What, page};
use crate::sse::Telling;

pub(crate) type Reply = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Where a connection that is to become a socket is left for its owner.
pub(crate) type Upgrading = Mutex<Option<OnUpgrade>>;

/// Answers one HTTP request.
pub(crate) async fn reply(line: &Line, upgrading: &Upgrading, mut request: Request<Incoming>) -> Reply {
    let key = upgrade_key(&request);
    let on_upgrade = key.is_some().then(|| hyper::upgrade::on(&mut request));
    let (head, body) = request.into_parts();
    let received = body::receive(&head.headers, body).await;
    let recorded = recorded(&head, &received);
    let http2 = recorded.http2;
    let stranger = (!line.shared.lock.lets_in(recorded.header("authorization"))).then(Refusal::stranger);
    line.shared.log.note(line.number, Happened::Request(recorded));
    // Over HTTP/2 other answers may be on their way, and their faults with them.
    if !http2 {
        line.control.begin_answer();
    }
    if let Some(refusal) = stranger.or(received.refusal) {
        return refused(line, &refusal);
    }
    let path = head.uri.path().trim_start_matches("/v1");
    match (&head.method, path, key, on_upgrade) {
        (&Method::GET, "/responses", Some(key), Some(on_upgrade)) => upgrade(line, upgrading, &key, on_upgrade).await,
        (&Method::POST, "/responses", ..) => post(line, &received.text).await,
        (&Method::GET, "/models", ..) => models(line, head.uri.query().unwrap_or_default()),
        (&Method::GET, path, ..) if path.starts_with("/responses/") => stored(line, path),
        (method, path, ..) => refused(line, &Refusal::not_found(format!("there is no {method} {path} here"))),
    }
}

/// A request as it goes into the record.
pub(crate) fn recorded(head: &Parts, received: &Received) -> HttpRequest {
    HttpRequest {
        method: head.method.to_string(),
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        http2: head.version == Version::HTTP_2,
        headers: headers(head),
        body: received.text.clone(),
        wire_bytes: received.wire_bytes,
    }
}

fn headers(head: &Parts) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let authority = head.uri.authority().map(|authority| (":authority".to_owned(), authority.to_string()));
    authority.into_iter().chain(head.headers.iter().map(|(key, value)| (key.to_string(), text(value)))).collect()
}

/// A header as it travels, if it can.
pub(crate) fn header((name, value): &(String, String)) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
}

/// The key of a request to become a socket.
fn upgrade_key(request: &Request<Incoming>) -> Option<HeaderValue> {
    let upgrade = request.headers().get(header::UPGRADE)?.to_str().ok()?;
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY)?;
    upgrade.eq_ignore_ascii_case("websocket").then(|| key.clone())
}

async fn upgrade(line: &Line, upgrading: &Upgrading, key: &HeaderValue, on_upgrade: OnUpgrade) -> Reply {
    for fault in line.faults.iter() {
        match fault {
            Fault::RefuseUpgrade { status, retry_after } => {
                let refusal = Refusal { code: None, ..Refusal::new(*status, "", "sockets are refused here") };
                return refused(line, &Refusal { retry_after: *retry_after, ..refusal });
            }
            Fault::HangUpgrade => return std::future::pending().await,
            _ => {}
        }
    }
    *upgrading.lock().unwrap_or_else(PoisonError::into_inner) = Some(on_upgrade);
    let mut reply = answer(line, StatusCode::SWITCHING_PROTOCOLS, "", String::new());
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
    reply.headers_mut().remove(header::CONTENT_TYPE);
    reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    reply.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = accept {
        reply.headers_mut().insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    line.control.upgrade();
    reply
}

async fn post(line: &Line, body: &str) -> Reply {
    let request = match read(line, body) {
        Ok(request) => request,
        Err(refusal) => return refused(line, &refusal),
    };
    let streams = request.request.stream();
    let Answer { number, what, faults } = line.answer(&request, Transport::Http);
    let play = match what {
        What::Refused(refusal) => return refused(line, &refusal),
        What::Page(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            return answer(line, status, "text/html", page(status.as_u16()));
        }
        What::Empty => return answer(line, StatusCode::OK, EVENT_STREAM, String::new()),
        What::Play(play) => *play,
    };
    let mut delivery = Delivery::default();
    delivery.arm(None, &line.faults);
    delivery.arm(number, &faults);
    let telling = Telling { line: line.clone(), play, context: request.context, delivery };
    if !streams {
        return answer(line, StatusCode::OK, JSON, telling.whole().await);
    }
    let mut reply = answer(line, StatusCode::OK, EVENT_STREAM, String::new());
    *reply.body_mut() = StreamBody::new(telling.events()).boxed_unsync();
    reply
}

pub(crate) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";
pub(crate) const JSON: &str = "application/json";

/// The request, and everything the model is to see.
fn read(line: &Line, body: &str) -> Result<RunRequest, Refusal> {
    let mut request = Ask::parse(body).map_err(|error| {
        let refusal = Refusal::invalid(error.to_string());
        match error.path() {
            Some(path) => refusal.about(&path),
            None => refusal,
        }
    })?;
    if request.background() {
        return Err(Refusal::invalid("a scripted model does not answer in the background").about("background"));
    }
    let previous = request.previous_response_id();
    let before = match &previous {
        None => Context::default(),
        Some(id) => {
            let stored = line.shared.memory().get(id).filter(|stored| stored.well);
            stored.ok_or_else(|| Refusal::forgotten(id.as_str()))?.context
        }
    };
    let new = request.input.take().map(Input::into_items).unwrap_or_default();
    let new_items = new.len();
    Ok(RunRequest { request: request.into(), previous, context: before.with(new), new_items, parent: None })
}

fn stored(line: &Line, path: &str) -> Reply {
    let id = path.trim_start_matches("/responses/");
    let stored = line.shared.memory().get(&id.into());
    match stored {
        Some(stored) => answer(line, StatusCode::OK, JSON, stored.response),
        None => refused(line, &Refusal::not_found(format!("response `{id}` is not stored here"))),
    }
}

/// The public list, or the catalogue that Codex reads.
fn models(line: &Line, query: &str) -> Reply {
    const PUBLIC: &str =
        r#"{"object":"list","data":[{"id":"scripted","object":"model","created":1790000000,"owned_by":"testkit"}]}"#;
    const CATALOGUE: &str = concat!(
        r#"{"models":[{"slug":"scripted","display_name":"Scripted","description":"Says what its script says","#,
        r#""default_reasoning_level":"low","supported_reasoning_levels":[{"effort":"low","description":"none"}],"#,
        r#""shell_type":"shell_command","visibility":"list","supported_in_api":true,"priority":1,"#,
        r#""availability_nux":null,"upgrade":null,"support_verbosity":false,"default_verbosity":null,"#,
        r#""apply_patch_tool_type":"freeform","truncation_policy":{"mode":"tokens","limit":10000},"#,
        r#""supports_parallel_tool_calls":true,"experimental_supported_tools":[],"context_window":200000}]}"#,
    );
    let for_codex = query.split('&').any(|pair| pair.starts_with("client_version="));
    let mut reply =
        answer(line, StatusCode::OK, JSON, if for_codex { CATALOGUE.to_owned() } else { PUBLIC.to_owned() });
    if for_codex {
        reply.headers_mut().insert(header::ETAG, HeaderValue::from_static("W/\"scripted-1\""));
    }
    reply
}

fn refused(line: &Line, refusal: &Refusal) -> Reply {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = answer(line, status, JSON, refusal.body());
    if let Some(seconds) = refusal.retry_after {
        reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    reply
}

fn answer(line: &Line, status: StatusCode, content_type: &'static str, body: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body)).boxed_unsync());
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let id = format!("req_{:016x}", line.shared.next_reply());
    if let Ok(id) = HeaderValue::try_from(id) {
        reply.headers_mut().insert("x-request-id", id);
    }
    for (name, value) in line.shared.headers.iter().filter_map(header) {
        reply.headers_mut().insert(name, value);
    }
    reply
}
