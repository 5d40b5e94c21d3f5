//! Text, thoughts and refusals.

use serde_json::{Value, json};

use crate::support::{ID, chunk, events, finish, fold, kinds, output, plain_request, response, text};

#[test]
fn a_message_has_the_events_of_the_responses_api_in_their_order() {
    let stream = [chunk(&json!({"role": "assistant", "content": ""})), text("a"), text("b"), finish("stop")];
    let events = events(&plain_request(), &stream);
    let expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(kinds(&events), expected);
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], at);
    }
    let response = &events[9]["response"];
    assert_eq!((&response["id"], &response["created_at"], &response["model"]), (&json!(ID), &json!(7), &json!("m1")));
    assert_eq!(response["output"], json!([events[8]["item"]]));
    assert_eq!(events[8]["item"]["content"][0]["text"], "ab");
}

#[test]
fn thoughts_are_an_item_of_their_own_closed_before_the_text_begins() {
    let stream = [
        chunk(&json!({"reasoning_content": "h"})),
        chunk(&json!({"reasoning_content": "m"})),
        text("so"),
        finish("stop"),
    ];
    let events = events(&plain_request(), &stream);
    let kinds = kinds(&events);
    let at = |kind| kinds.iter().position(|other| *other == kind).unwrap();
    assert!(at("response.reasoning_text.done") < at("response.output_text.delta"));
    let items = output(&fold(&events));
    assert_eq!(
        (&items[0]["type"], &items[0]["content"]),
        (&json!("reasoning"), &json!([{"type": "reasoning_text", "text": "hm"}]))
    );
    assert_eq!(items[0].get("chat_field"), None);
    assert_eq!(items[1]["content"][0]["text"], "so");
}

#[test]
fn thoughts_under_the_other_name_are_remembered_as_such_and_both_names_are_one_text() {
    let items = output(&response(&[chunk(&json!({"reasoning": "hm"})), text("so"), finish("stop")]));
    assert_eq!(items[0]["chat_field"], "reasoning");
    let items = output(&response(&[chunk(&json!({"reasoning": "hm", "reasoning_content": "hm"})), finish("stop")]));
    assert_eq!((items.len(), &items[0]["content"][0]["text"]), (1, &json!("hm")));
}

#[test]
fn thoughts_in_details_are_thoughts_where_they_come_alone() {
    let details = json!([
        {"type": "reasoning.summary", "summary": "h"}, {"type": "reasoning.text", "text": "m"},
        {"type": "reasoning.encrypted", "data": "x"},
    ]);
    for reasoning in [Value::Null, json!("hm")] {
        let delta = json!({"reasoning": reasoning, "reasoning_details": details});
        let items = output(&response(&[chunk(&delta), text("so"), finish("stop")]));
        assert_eq!((items.len(), &items[0]["content"][0]["text"]), (2, &json!("hm")));
    }
}

#[test]
fn white_space_that_no_word_follows_is_no_message() {
    let items = output(&response(&[chunk(&json!({"reasoning": "hm"})), text("\n\n"), finish("stop")]));
    assert_eq!(items.len(), 1);
    let items = output(&response(&[text("\n"), text(" so"), text("\n"), finish("stop")]));
    assert_eq!(items[0]["content"][0]["text"], "\n so\n");
}

#[test]
fn a_refusal_is_a_part_of_the_message_after_its_text() {
    let items = output(&response(&[
        text("Well."),
        chunk(&json!({"refusal": "N"})),
        chunk(&json!({"refusal": "o."})),
        finish("stop"),
    ]));
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["content"][0]["text"], "Well.");
    assert_eq!(items[0]["content"][1], json!({"type": "refusal", "refusal": "No."}));
}

#[test]
fn content_in_parts_is_text_and_thoughts() {
    let parts =
        json!([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "so"}]);
    let items = output(&response(&[chunk(&json!({"content": parts})), finish("stop")]));
    assert_eq!(items[0]["content"][0]["text"], "hm");
    assert_eq!(items[1]["content"][0]["text"], "so");
}

#[test]
fn a_completion_that_was_not_streamed_is_one_chunk() {
    let whole = json!({
        "object": "chat.completion", "model": "m1", "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": "so", "reasoning_content": "hm", "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "2", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ],
        }}],
    });
    let response = response(&[whole.to_string()]);
    let kinds: Vec<_> = output(&response).iter().map(|item| item["type"].clone()).collect();
    assert_eq!(kinds, ["reasoning", "message", "function_call", "function_call"]);
    assert_eq!(response.usage().map(|usage| usage.total), Some(3));
}

#[test]
fn other_choices_than_the_first_are_not_read() {
    let second = json!({"choices": [{"index": 1, "delta": {"content": "no"}, "finish_reason": "length"}]}).to_string();
    let response = response(&[text("yes"), second, finish("stop")]);
    assert_eq!(output(&response)[0]["content"][0]["text"], "yes");
    assert_eq!(response.incomplete_reason(), None);
}

#[test]
fn the_model_that_answers_is_told_or_else_the_one_that_was_asked() {
    let nameless = json!({"choices": [{"index": 0, "delta": {"content": "a"}}]}).to_string();
    for (first, model) in [(text("a"), "m1"), (nameless, "m")] {
        let events = events(&plain_request(), &[first, text("b"), finish("stop")]);
        assert!(events.iter().filter_map(|event| event.get("response")).all(|response| response["model"] == model));
    }
}
