//! A scripted upstream: whatever is asked, it says so many words, one after the other at its pace. Each word is the time
//! at which it was said, so that whoever hears it knows how long it was on its way.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::Outcome;
use crate::child::announce;
use crate::client::now;

/// Where it listens: another proxy is started by hand before it.
pub(crate) const PORT: u16 = 18430;

type Body = UnsyncBoxBody<Bytes, Infallible>;

#[derive(Clone, Copy)]
struct Speech {
    words: usize,
    pace: Duration,
}

#[derive(Clone, Copy)]
enum Wire {
    Chat,
    Responses,
}

pub(crate) async fn serve(words: usize, pace: Duration) -> Outcome<()> {
    let listener = TcpListener::bind(("127.0.0.1", PORT)).await?;
    announce(listener.local_addr()?)?;
    let mut tasks = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let service = service_fn(move |request| answer(request, Speech { words, pace }));
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = connection.await;
        });
    }
}

async fn answer(request: Request<Incoming>, speech: Speech) -> Outcome<Response<Body>> {
    let wire = match request.uri().path() {
        "/v1/chat/completions" => Wire::Chat,
        "/v1/responses" => Wire::Responses,
        "/v1/models" => {
            let models = r#"{"object":"list","data":[{"id":"m","object":"model","created":0,"owned_by":"load"}]}"#;
            return Ok(Response::new(Full::new(models.into()).boxed_unsync()));
        }
        _ => {
            let mut response = Response::new(Full::default().boxed_unsync());
            *response.status_mut() = hyper::StatusCode::NOT_FOUND;
            return Ok(response);
        }
    };
    request.into_body().collect().await?;
    let mut response = Response::new(StreamBody::new(events(wire, speech)).boxed_unsync());
    response.headers_mut().insert("content-type", "text/event-stream".parse()?);
    Ok(response)
}

/// The beginning, the words, the end: each its own frame.
fn events(wire: Wire, speech: Speech) -> impl stream::Stream<Item = Result<Frame<Bytes>, Infallible>> {
    let state = (0, String::new(), Instant::now());
    stream::unfold(state, move |(at, mut said, due)| async move {
        let event = match at {
            0 => wire.opening(),
            at if at <= speech.words => {
                if !speech.pace.is_zero() {
                    sleep_until(due).await;
                }
                let word = format!("@{}@ ", now());
                let event = wire.word(&word, at);
                said.push_str(&word);
                event
            }
            at if at == speech.words + 1 => wire.closing(&said, at),
            _ => return None,
        };
        Some((Ok(Frame::data(event.into())), (at + 1, said, due + speech.pace)))
    })
}

impl Wire {
    fn opening(self) -> String {
        match self {
            Self::Chat => chunk(r#"{"role":"assistant","content":""}"#, "null"),
            Self::Responses => {
                let response =
                    r#"{"id":"resp_load","object":"response","status":"in_progress","model":"m","output":[]}"#;
                let item = r#"{"id":"msg_1","type":"message","role":"assistant","status":"in_progress","content":[]}"#;
                let part = r#"{"type":"output_text","text":"","annotations":[],"logprobs":[]}"#;
                [
                    event("response.created", 0, &format!(r#""response":{response}"#)),
                    event("response.in_progress", 1, &format!(r#""response":{response}"#)),
                    event("response.output_item.added", 2, &format!(r#""output_index":0,"item":{item}"#)),
                    event("response.content_part.added", 3, &format!(r#"{AT},"part":{part}"#)),
                ]
                .concat()
            }
        }
    }

    fn word(self, word: &str, at: usize) -> String {
        match self {
            Self::Chat => chunk(&format!(r#"{{"content":"{word}"}}"#), "null"),
            Self::Responses => {
                event("response.output_text.delta", at + 3, &format!(r#"{AT},"delta":"{word}","logprobs":[]"#))
            }
        }
    }

    fn closing(self, said: &str, at: usize) -> String {
        const USAGE: &str = r#"{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}"#;
        match self {
            Self::Chat => {
                let usage = chunk("{}", r#""stop""#).replacen('{', &format!(r#"{{"usage":{USAGE},"#), 1);
                format!("{usage}data: [DONE]\n\n")
            }
            Self::Responses => {
                let part = format!(r#"{{"type":"output_text","text":"{said}","annotations":[],"logprobs":[]}}"#);
                let item = format!(
                    r#"{{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[{part}]}}"#
                );
                let usage = r#"{"input_tokens":1,"output_tokens":1,"total_tokens":2}"#;
                let response = format!(
                    r#"{{"id":"resp_load","object":"response","status":"completed","model":"m","output":[{item}],"usage":{usage}}}"#
                );
                [
                    event("response.output_text.done", at + 3, &format!(r#"{AT},"text":"{said}","logprobs":[]"#)),
                    event("response.content_part.done", at + 4, &format!(r#"{AT},"part":{part}"#)),
                    event("response.output_item.done", at + 5, &format!(r#""output_index":0,"item":{item}"#)),
                    event("response.completed", at + 6, &format!(r#""response":{response}"#)),
                ]
                .concat()
            }
        }
    }
}

const AT: &str = r#""item_id":"msg_1","output_index":0,"content_index":0"#;

fn chunk(delta: &str, finish: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
         \"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
    )
}

fn event(kind: &str, number: usize, fields: &str) -> String {
    format!("event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{number},{fields}}}\n\n")
}
