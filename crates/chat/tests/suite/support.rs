//! What every test needs: a request, a decoder, the response that its events fold to.

use std::collections::{BTreeMap, BTreeSet};

use chat::{ChatRequest, Decoder};
use responses::event::ServerEvent;
use responses::fold::{Fold, Response};
use serde_json::{Value, json};

pub(crate) const ID: &str = "resp_1";

pub(crate) fn translate(request: &Value) -> ChatRequest {
    chat::request(&request.to_string()).unwrap()
}

/// The body that is sent for a request.
pub(crate) fn body(request: &Value) -> Value {
    serde_json::from_str(&translate(request).body).unwrap()
}

/// The messages that are sent for items.
pub(crate) fn messages(input: &Value) -> Value {
    body(&json!({"model": "m", "input": input}))["messages"].clone()
}

pub(crate) fn plain_request() -> ChatRequest {
    translate(&json!({"model": "m", "input": "hi"}))
}

/// A chunk with one choice.
pub(crate) fn chunk(delta: &Value) -> String {
    json!({"id": "c", "object": "chat.completion.chunk", "model": "m1", "choices": [{"index": 0, "delta": delta}]})
        .to_string()
}

pub(crate) fn text(text: &str) -> String {
    chunk(&json!({"content": text}))
}

pub(crate) fn finish(reason: &str) -> String {
    json!({"model": "m1", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}).to_string()
}

/// All events of a stream: its data, then the end of the body.
pub(crate) fn events(request: &ChatRequest, stream: &[String]) -> Vec<Value> {
    let mut decoder = Decoder::new(request, ID, 7);
    let mut events = Vec::new();
    for data in stream {
        decoder.push(data, |event| events.push(event));
    }
    decoder.finish(|event| events.push(event));
    events.iter().map(|event| serde_json::from_str(event).unwrap()).collect()
}

pub(crate) fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// Folds events as a client does.
pub(crate) fn fold(events: &[Value]) -> Response {
    let mut fold = Fold::default();
    for event in events {
        let text = event.to_string();
        fold.push(&ServerEvent::parse(&text).unwrap()).unwrap();
    }
    fold.finish().unwrap()
}

/// The response that a stream becomes.
pub(crate) fn response(stream: &[String]) -> Response {
    fold(&events(&plain_request(), stream))
}

pub(crate) fn output(response: &Response) -> Vec<Value> {
    response.output().iter().map(|item| serde_json::from_str(item.text()).unwrap()).collect()
}

/// What the Responses API promises of every stream: numbers without gaps; each item added once, in the order of its
/// index, and done once at most; deltas that add up to the whole; nothing after the end.
pub(crate) fn check_order(events: &[Value]) {
    let (mut added, mut done, mut ended) = (0_u64, BTreeSet::new(), false);
    let mut deltas: BTreeMap<(u64, u64, String), String> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        assert!(!ended, "after the end: {event}");
        assert_eq!(event["sequence_number"], at);
        let kind = event["type"].as_str().unwrap();
        let index = event["output_index"].as_u64();
        let key = |stem: &str| (index.unwrap(), event["content_index"].as_u64().unwrap_or(0), stem.to_owned());
        match kind {
            "response.created" | "response.in_progress" => assert_eq!(kind == "response.created", at == 0),
            "response.completed" | "response.incomplete" | "response.failed" => ended = true,
            "response.output_item.added" => {
                assert_eq!(index, Some(added), "{event}");
                added += 1;
            }
            "response.output_item.done" => assert!(done.insert(index.unwrap()), "{event}"),
            "response.content_part.added" | "response.content_part.done" => {}
            _ => {
                assert!(index.unwrap() < added && !done.contains(&index.unwrap()), "{event}");
                if let Some(stem) = kind.strip_suffix(".delta") {
                    deltas.entry(key(stem)).or_default().push_str(event["delta"].as_str().unwrap());
                } else {
                    let whole =
                        ["text", "refusal", "arguments", "input"].iter().find_map(|field| event[field].as_str());
                    let told = deltas.remove(&key(kind.strip_suffix(".done").unwrap())).unwrap_or_default();
                    assert_eq!(whole, Some(told.as_str()), "{event}");
                }
            }
        }
    }
    if events.last().is_some_and(|event| event["type"] != "response.failed") && ended {
        assert_eq!(done.len() as u64, added);
    }
}
