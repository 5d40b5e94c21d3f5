//! Calls, as servers write them.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    check_order, chunk, events, finish, fold, kinds, output, plain_request, response, text, translate,
};

fn delta(call: &Value) -> String {
    chunk(&json!({"tool_calls": [call]}))
}

/// Call id, name and arguments of each call.
fn calls(stream: &[String]) -> Vec<(String, String, String)> {
    let field = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    let items = output(&response(stream)).into_iter().filter(|item| item["type"] == "function_call");
    items.map(|item| (field(&item, "call_id"), field(&item, "name"), field(&item, "arguments"))).collect()
}

fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
    (id.to_owned(), name.to_owned(), arguments.to_owned())
}

#[test]
fn a_call_has_the_events_of_the_responses_api_in_their_order() {
    let stream = [
        text("Now."),
        delta(&json!({"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}})),
        delta(&json!({"index": 0, "function": {"arguments": "{\"a\""}})),
        delta(&json!({"index": 0, "function": {"arguments": ":1}"}})),
        finish("tool_calls"),
    ];
    let events = events(&plain_request(), &stream);
    let expected = [
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(kinds(&events)[7..], expected);
    assert_eq!(events[8]["item"]["arguments"], "");
    assert_eq!(events[11]["arguments"], "{\"a\":1}");
    assert_eq!(events[12]["item"]["status"], "completed");
}

#[test]
fn calls_that_are_interleaved_are_told_apart_by_their_numbers() {
    let stream = [
        delta(&json!({"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{\"a\""}})),
        delta(&json!({"index": 1, "id": "c2", "function": {"name": "g", "arguments": "{\"b\""}})),
        delta(&json!({"index": 0, "function": {"arguments": ":1}"}})),
        delta(&json!({"index": 1, "function": {"arguments": ":2}"}})),
        finish("tool_calls"),
    ];
    assert_eq!(calls(&stream), [call("c1", "f", "{\"a\":1}"), call("c2", "g", "{\"b\":2}")]);
}

#[test]
fn a_server_that_gives_every_call_the_number_zero_is_understood() {
    for ids in [[json!("c1"), json!("c2")], [Value::Null, Value::Null]] {
        let one = |id: &Value, arguments: &str| {
            delta(&json!({"index": 0, "id": id, "function": {"name": "f", "arguments": arguments}}))
        };
        let calls = calls(&[one(&ids[0], "{\"a\":1}"), one(&ids[1], "{\"a\":2}"), finish("stop")]);
        assert_eq!(calls.iter().map(|call| call.2.as_str()).collect::<Vec<_>>(), ["{\"a\":1}", "{\"a\":2}"]);
    }
}

#[test]
fn a_server_that_does_not_count_is_understood() {
    let together = chunk(&json!({"tool_calls": [
        {"function": {"name": "f", "arguments": "{}"}}, {"function": {"name": "f", "arguments": "{}"}},
    ]}));
    let expected = [call("call_0_resp_1", "f", "{}"), call("call_1_resp_1", "f", "{}")];
    assert_eq!(calls(&[together, finish("stop")]), expected);
    let stream = [
        delta(&json!({"id": "c1", "function": {"name": "f", "arguments": "{\"a\""}})),
        delta(&json!({"function": {"arguments": ":1}"}})),
        delta(&json!({"id": "c2", "function": {"name": "g", "arguments": "{}"}})),
        finish("stop"),
    ];
    assert_eq!(calls(&stream), [call("c1", "f", "{\"a\":1}"), call("c2", "g", "{}")]);
}

#[test]
fn calls_without_numbers_are_told_apart_by_their_ids_or_by_their_places() {
    let stream = [
        delta(&json!({"id": "c1", "function": {"name": "f", "arguments": "{\"a\""}})),
        delta(&json!({"id": "c2", "function": {"name": "f", "arguments": "{\"b\""}})),
        delta(&json!({"id": "c1", "function": {"arguments": ":1}"}})),
        delta(&json!({"id": "c2", "function": {"arguments": ":2}"}})),
        finish("stop"),
    ];
    assert_eq!(calls(&stream), [call("c1", "f", "{\"a\":1}"), call("c2", "f", "{\"b\":2}")]);
    let both = |first: &str, second: &str, name: &Value| {
        let one = |arguments: &str| json!({"function": {"name": name, "arguments": arguments}});
        chunk(&json!({"tool_calls": [one(first), one(second)]}))
    };
    let stream = [both("{\"a\"", "{\"b\"", &json!("f")), both(":1}", ":2}", &Value::Null), finish("stop")];
    let expected = [call("call_0_resp_1", "f", "{\"a\":1}"), call("call_1_resp_1", "f", "{\"b\":2}")];
    assert_eq!(calls(&stream), expected);
    let alone = delta(&json!({"function": {"arguments": ":2}"}}));
    let stream = [both("{\"a\":1}", "{\"b\"", &json!("f")), alone, finish("stop")];
    assert_eq!(calls(&stream), expected);
}

#[test]
fn a_name_that_is_repeated_is_one_name() {
    let piece = |id: &Value, arguments: &str| {
        delta(&json!({"index": 0, "id": id, "function": {"name": "f", "arguments": arguments}}))
    };
    for id in [json!("c1"), Value::Null, json!("")] {
        let calls = calls(&[piece(&id, ""), piece(&id, "{\"a\""), piece(&id, ":{}"), piece(&id, "}"), finish("stop")]);
        assert_eq!(calls.len(), 1);
        assert_eq!((calls[0].1.as_str(), calls[0].2.as_str()), ("f", "{\"a\":{}}"));
    }
}

#[test]
fn an_id_that_changes_with_every_chunk_is_still_one_call() {
    let stream = [
        delta(&json!({"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{"}})),
        delta(&json!({"index": 0, "id": "c2", "function": {"arguments": "}"}})),
        finish("stop"),
    ];
    assert_eq!(calls(&stream), [call("c1", "f", "{}")]);
}

#[test]
fn two_calls_never_have_one_id() {
    let one = |index: u32| delta(&json!({"index": index, "id": "f", "function": {"name": "f", "arguments": "{}"}}));
    assert_eq!(calls(&[one(0), one(1), finish("stop")]), [call("f", "f", "{}"), call("call_1_resp_1", "f", "{}")]);
}

#[test]
fn arguments_may_be_an_object_or_broken_or_missing() {
    for (arguments, expected) in [(json!({"a": 1}), "{\"a\":1}"), (json!("{\"a\":"), "{\"a\":"), (Value::Null, "")] {
        let stream =
            [delta(&json!({"index": 0, "id": "c", "function": {"name": "f", "arguments": arguments}})), finish("stop")];
        assert_eq!(calls(&stream), [call("c", "f", expected)]);
    }
}

#[test]
fn a_name_that_comes_late_or_never_loses_no_arguments() {
    let stream = [
        delta(&json!({"index": 0, "id": "c", "function": {"arguments": "{"}})),
        delta(&json!({"index": 0, "function": {"name": "f"}})),
        delta(&json!({"index": 0, "function": {"arguments": "}"}})),
        finish("stop"),
    ];
    assert_eq!(calls(&stream), [call("c", "f", "{}")]);
    assert_eq!(calls(&[stream[0].clone(), finish("stop")]), [call("c", "", "{")]);
}

#[test]
fn the_old_form_of_one_call_is_read() {
    let stream = [
        chunk(&json!({"function_call": {"name": "f", "arguments": "{"}})),
        chunk(&json!({"function_call": {"arguments": "}"}})),
        finish("function_call"),
    ];
    assert_eq!(calls(&stream), [call("call_0_resp_1", "f", "{}")]);
}

#[test]
fn a_call_in_the_old_form_and_in_the_new_is_one_call() {
    let function = |arguments: &str| json!({"name": "f", "arguments": arguments});
    let both = |arguments: &str| {
        let call = json!({"index": 0, "id": "c", "function": function(arguments)});
        chunk(&json!({"function_call": function(arguments), "tool_calls": [call]}))
    };
    assert_eq!(calls(&[both("{"), both("}"), finish("tool_calls")]), [call("c", "f", "{}")]);
}

fn custom_output(arguments: &[&str]) -> (Vec<Value>, Value) {
    let tool = json!({"type": "custom", "name": "patch"});
    let request = translate(&json!({"model": "m", "input": "hi", "tools": [tool]}));
    let mut stream = vec![delta(&json!({"index": 0, "id": "c", "function": {"name": "patch", "arguments": ""}}))];
    stream.extend(arguments.iter().map(|piece| delta(&json!({"index": 0, "function": {"arguments": piece}}))));
    stream.push(finish("tool_calls"));
    let events = events(&request, &stream);
    let item = output(&fold(&events)).remove(0);
    (events, item)
}

#[test]
fn a_call_of_a_custom_tool_comes_back_as_one_with_its_text_unwrapped() {
    let (events, item) = custom_output(&["{\"inp", "ut\":\"a\\", "nb", "\"}"]);
    let expected = [
        "response.output_item.added",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(kinds(&events)[2..], expected);
    assert_eq!((&events[3]["delta"], &events[4]["delta"]), (&json!("a"), &json!("\nb")));
    assert_eq!(events[5]["input"], "a\nb");
    assert_eq!(
        (&item["type"], &item["input"], &item["call_id"]),
        (&json!("custom_tool_call"), &json!("a\nb"), &json!("c"))
    );
}

#[test]
fn a_model_that_did_not_wrap_its_text_is_taken_at_its_word() {
    for arguments in ["*** Begin Patch", "{\"patch\":\"x\"}", "{\"input\":1}", "{\"inp"] {
        assert_eq!(custom_output(&[arguments]).1["input"], arguments);
    }
}

#[test]
fn text_of_which_the_end_is_missing_is_marked() {
    let (events, item) = custom_output(&["{\"input\":\"a\\u00"]);
    assert_eq!((&item["input"], &item["status"]), (&json!("a"), &json!("incomplete")));
    check_order(&events);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn free_text_is_told_as_it_comes_wherever_it_is_cut(text in any::<String>(), is_ascii: bool, size in 1_usize..9) {
        let mut wrapped = json!({"input": text}).to_string();
        if is_ascii {
            let escape = |unit| char::from_u32(u32::from(unit)).filter(char::is_ascii).map_or_else(|| format!("\\u{unit:04X}"), String::from);
            wrapped = wrapped.encode_utf16().map(escape).collect::<Vec<_>>().concat();
        }
        let signs: Vec<_> = wrapped.chars().collect();
        let pieces: Vec<String> = signs.chunks(size).map(|piece| piece.iter().collect()).collect();
        let (events, item) = custom_output(&pieces.iter().map(String::as_str).collect::<Vec<_>>());
        check_order(&events);
        prop_assert_eq!(&item["input"], &text);
        prop_assert_eq!(&item["status"], "completed");
    }
}

#[test]
fn a_call_of_a_tool_in_a_group_finds_its_group() {
    let function = json!({"type": "function", "name": "f"});
    let group = json!({"type": "namespace", "name": "n", "description": "d", "tools": [function]});
    let request = translate(&json!({"model": "m", "input": "hi", "tools": [group]}));
    let stream =
        [delta(&json!({"index": 0, "id": "c", "function": {"name": "n__f", "arguments": "{}"}})), finish("stop")];
    let item = output(&fold(&events(&request, &stream))).remove(0);
    assert_eq!((&item["namespace"], &item["name"]), (&json!("n"), &json!("f")));
}

#[test]
fn what_comes_back_can_be_sent_again() {
    let (_, item) = custom_output(&["{\"input\":\"x\"}"]);
    let answer = json!({"type": "custom_tool_call_output", "call_id": "c", "output": "ok"});
    let sent = crate::support::messages(&json!([{"role": "user", "content": "hi"}, item, answer]));
    assert_eq!(sent[1]["tool_calls"][0]["function"], json!({"name": "patch", "arguments": "{\"input\":\"x\"}"}));
}
