//! Chunks and requests that make no sense: nothing panics, and every event is one.

use proptest::prelude::*;
use proptest::sample::select;
use responses::event::ServerEvent;
use responses::fold::Fold;
use serde_json::{Value, json};

use crate::support::{check_order, events, plain_request};

/// Values where others are expected.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
        select(vec!["f", "{}", "{", "stop", "error"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = select(vec![
            "index",
            "id",
            "function",
            "name",
            "arguments",
            "content",
            "reasoning",
            "text",
            "type",
            "message",
            "error",
            "code",
            "delta",
            "tool_calls",
            "thinking",
            "usage",
            "prompt_tokens",
            "finish_reason",
            "refusal",
            "role",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// A value of the right kind more often than not.
fn or_any(usual: Value) -> impl Strategy<Value = Value> {
    prop_oneof![3 => Just(usual), 1 => any_value()]
}

fn some_call() -> impl Strategy<Value = Value> {
    let function = (or_any(json!("f")), or_any(json!("{}")))
        .prop_map(|(name, arguments)| json!({"name": name, "arguments": arguments}));
    (or_any(json!(0)), or_any(json!("c")), prop_oneof![3 => function, 1 => any_value()])
        .prop_map(|(index, id, function)| json!({"index": index, "id": id, "function": function}))
}

fn some_chunk() -> impl Strategy<Value = String> {
    let calls = prop_oneof![3 => prop::collection::vec(some_call(), 0..3).prop_map(Value::from), 1 => any_value()];
    let delta = (or_any(json!("a")), or_any(json!("b")), or_any(Value::Null), calls).prop_map(
        |(content, reasoning, refusal, calls)| {
            json!({"content": content, "reasoning": reasoning, "refusal": refusal, "tool_calls": calls})
        },
    );
    let choice = (or_any(json!(0)), prop_oneof![5 => delta, 1 => any_value()], or_any(Value::Null))
        .prop_map(|(index, delta, finish)| json!({"index": index, "delta": delta, "finish_reason": finish}));
    let chunk = (prop_oneof![5 => choice, 1 => any_value()], or_any(Value::Null), or_any(json!("m")))
        .prop_map(|(choice, usage, model)| json!({"choices": [choice], "usage": usage, "model": model}).to_string());
    prop_oneof![8 => chunk, 1 => any_value().prop_map(|value| value.to_string()), 1 => ".{0,10}", 1 => Just("[DONE]".to_owned())]
}

fn some_item() -> impl Strategy<Value = Value> {
    let kind = select(vec![
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "additional_tools",
        "web_search_call",
        "of_tomorrow",
    ]);
    let content = prop_oneof![Just(json!("a")), Just(json!([{"type": "input_text", "text": "a"}])), any_value()];
    (kind, content, or_any(json!("c")), or_any(json!("{}"))).prop_map(|(kind, content, id, arguments)| {
        json!({
            "type": kind, "role": "user", "content": content, "output": content, "call_id": id, "name": "f",
            "arguments": arguments, "input": arguments, "tools": [], "summary": [],
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_server_sends_every_event_is_read_and_folds(stream in prop::collection::vec(some_chunk(), 0..10)) {
        let events = events(&plain_request(), &stream);
        check_order(&events);
        let mut fold = Fold::default();
        for event in &events {
            let text = event.to_string();
            fold.push(&ServerEvent::parse(&text).unwrap()).unwrap();
        }
        let has_ended = fold.ended().is_some();
        prop_assert_eq!(fold.finish().is_ok(), has_ended);
    }

    #[test]
    fn whatever_a_client_asks_for_becomes_json_or_a_refusal(items in prop::collection::vec(some_item(), 0..6), field in any_value()) {
        for key in ["text", "reasoning", "tool_choice", "max_output_tokens"] {
            let request = json!({"model": "m", "input": items, key: field});
            if let Ok(chat) = chat::request(&request.to_string()) {
                let body: Value = serde_json::from_str(&chat.body).unwrap();
                prop_assert!(!body["messages"].as_array().unwrap().is_empty());
            }
        }
    }
}
