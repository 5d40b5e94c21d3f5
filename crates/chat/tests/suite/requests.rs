//! The fields beside the messages.

use chat::{LeftOut, NotChat};
use serde_json::{Value, json};

use crate::support::{body, translate};

fn with(fields: &Value) -> Value {
    let mut request = json!({"model": "m", "input": "hi"});
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request
}

fn function(name: &str) -> Value {
    json!({"type": "function", "name": name, "parameters": {"type": "object"}})
}

fn names(body: &Value) -> Vec<&str> {
    body["tools"].as_array().unwrap().iter().map(|tool| tool["function"]["name"].as_str().unwrap()).collect()
}

#[test]
fn a_request_that_asks_for_nothing_special_has_only_the_fields_every_server_knows() {
    let expected = json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}],
        "stream": true, "stream_options": {"include_usage": true},
    });
    let usual = json!({
        "store": false, "stream": true, "background": false, "generate": true, "metadata": {}, "include": [],
        "truncation": "disabled", "temperature": null, "tools": [], "tool_choice": "auto",
        "parallel_tool_calls": true, "text": {"format": {"type": "text"}}, "reasoning": {"effort": null}, "top_logprobs": 0,
    });
    for fields in [json!({}), usual] {
        assert_eq!(body(&with(&fields)), expected);
        assert_eq!(translate(&with(&fields)).left_out, []);
    }
}

#[test]
fn what_chat_completions_has_a_field_for_is_carried() {
    let sent = body(&with(&json!({
        "temperature": 0.25, "top_p": 0.5, "max_output_tokens": 100, "service_tier": "flex", "user": "u",
        "safety_identifier": "s", "prompt_cache_key": "k", "reasoning": {"effort": "low"},
        "text": {"verbosity": "high", "format": {"type": "json_object"}},
    })));
    for (field, value) in [
        ("temperature", json!(0.25)),
        ("top_p", json!(0.5)),
        ("max_tokens", json!(100)),
        ("service_tier", json!("flex")),
        ("user", json!("u")),
        ("safety_identifier", json!("s")),
        ("prompt_cache_key", json!("k")),
        ("reasoning_effort", json!("low")),
        ("verbosity", json!("high")),
        ("response_format", json!({"type": "json_object"})),
    ] {
        assert_eq!(sent[field], value, "{field}");
    }
}

#[test]
fn a_schema_for_the_answer_keeps_all_its_fields() {
    let format =
        json!({"type": "json_schema", "name": "n", "strict": true, "description": null, "schema": {"type": "object"}});
    let sent = body(&with(&json!({"text": {"format": format}})));
    let inner = json!({"name": "n", "strict": true, "schema": {"type": "object"}});
    assert_eq!(sent["response_format"], json!({"type": "json_schema", "json_schema": inner}));
}

#[test]
fn what_is_left_out_is_named_once_and_is_not_sent() {
    for (fields, named) in [
        (json!({"store": true}), "store"),
        (json!({"background": true}), "background"),
        (json!({"metadata": {"a": "b"}}), "metadata"),
        (json!({"include": ["x"]}), "include"),
        (json!({"truncation": "auto"}), "truncation"),
        (json!({"max_tool_calls": 3}), "max_tool_calls"),
        (json!({"context_management": []}), "context_management"),
        (json!({"top_logprobs": 2}), "top_logprobs"),
        (json!({"prompt_cache_retention": "24h"}), "prompt_cache_retention"),
        (json!({"prompt_cache_options": {}}), "prompt_cache_options"),
        (json!({"client_metadata": {}}), "client_metadata"),
        (json!({"moderation": {}}), "moderation"),
        (json!({"image": {}}), "image"),
        (json!({"stream_id": "a"}), "stream_id"),
        (json!({"access_programs": {}}), "access_programs"),
        (json!({"reasoning": {"summary": "auto"}}), "reasoning.summary"),
        (json!({"text": {"format": {"type": "of_tomorrow"}}}), "text.format"),
        (json!({"of_tomorrow": 1}), "of_tomorrow"),
        (json!({"tool_choice": {"type": "web_search"}}), "tool_choice"),
    ] {
        let chat = translate(&with(&fields));
        assert_eq!(chat.left_out, [LeftOut::Field(named.into())]);
        assert_eq!(serde_json::from_str::<Value>(&chat.body).unwrap(), body(&with(&json!({}))), "{named}");
    }
}

#[test]
fn hosted_tools_are_left_out_and_named() {
    let chat = translate(&with(
        &json!({"tools": [{"type": "web_search"}, {"type": "mcp", "server_label": "x"}, function("f")]}),
    ));
    assert_eq!(chat.left_out, [LeftOut::Tool("web_search".into()), LeftOut::Tool("mcp".into())]);
    assert_eq!(chat.left_out[0].to_string(), "the tool `web_search`");
    assert_eq!(names(&serde_json::from_str(&chat.body).unwrap()), ["f"]);
}

#[test]
fn without_tools_nothing_is_said_of_them() {
    let sent = body(&with(
        &json!({"tools": [{"type": "web_search"}], "tool_choice": "required", "parallel_tool_calls": false}),
    ));
    for field in ["tools", "tool_choice", "parallel_tool_calls"] {
        assert_eq!(sent.get(field), None, "{field}");
    }
}

#[test]
fn strictness_is_sent_only_where_it_is_asked_for() {
    let tools = json!([
        {"type": "function", "name": "a", "strict": true}, {"type": "function", "name": "b", "strict": false},
    ]);
    let sent = body(&with(&json!({"tools": tools})));
    assert_eq!(sent["tools"][0]["function"]["strict"], true);
    assert_eq!(sent["tools"][1]["function"].get("strict"), None);
    assert_eq!(sent["tools"][1]["function"]["parameters"], json!({"type": "object", "properties": {}}));
}

#[test]
fn a_grammar_is_told_to_the_model() {
    let format = json!({"type": "grammar", "syntax": "regex", "definition": "a+"});
    let tool = json!({"type": "custom", "name": "t", "description": "d", "format": format});
    let sent = body(&with(&json!({"tools": [tool]})));
    assert_eq!(sent["tools"][0]["function"]["description"], "d\n\nThe input must follow this regex grammar:\na+");
    assert_eq!(sent["tools"][0]["function"]["parameters"]["required"], json!(["input"]));
}

#[test]
fn tools_that_come_in_later_are_in_the_one_list() {
    let added = json!({"type": "additional_tools", "role": "developer", "tools": [function("b"), function("a")]});
    let request = json!({"input": [added, {"role": "user", "content": "hi"}], "tools": [function("a")]});
    assert_eq!(names(&body(&request)), ["a", "b"]);
}

#[test]
fn a_choice_of_one_tool_names_its_function() {
    let group = json!({"type": "namespace", "name": "n", "description": "d", "tools": [function("g")]});
    for (choice, sent) in [
        (json!("required"), json!("required")),
        (json!({"type": "function", "name": "f"}), json!({"type": "function", "function": {"name": "f"}})),
        (
            json!({"type": "function", "name": "g", "namespace": "n"}),
            json!({"type": "function", "function": {"name": "n__g"}}),
        ),
        (json!({"type": "function", "name": "not_there"}), Value::Null),
    ] {
        let request = with(&json!({"tools": [function("f"), group], "tool_choice": choice}));
        assert_eq!(body(&request)["tool_choice"], sent);
        assert_eq!(translate(&request).left_out.is_empty(), !sent.is_null());
    }
}

#[test]
fn a_choice_among_some_tools_offers_only_those() {
    let choice = json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "b"}]});
    let sent = body(&with(&json!({"tools": [function("a"), function("b")], "tool_choice": choice})));
    assert_eq!((names(&sent), &sent["tool_choice"]), (vec!["b"], &json!("required")));
}

#[test]
fn two_tools_that_would_have_one_name_are_refused() {
    let group = json!({"type": "namespace", "name": "n", "description": "d", "tools": [function("f")]});
    let request = with(&json!({"tools": [function("n__f"), group]}));
    assert_eq!(chat::request(&request.to_string()), Err(NotChat::SameName("n__f".into())));
}

#[test]
fn what_only_a_server_remembers_is_refused_with_the_next_step() {
    for (fields, field) in [
        (json!({"previous_response_id": "resp_0"}), "previous_response_id"),
        (json!({"conversation": "conv_1"}), "conversation"),
        (json!({"conversation": {"id": "conv_1"}}), "conversation"),
        (json!({"prompt": {"id": "p"}}), "prompt"),
    ] {
        let error = chat::request(&with(&fields).to_string()).unwrap_err();
        assert_eq!(error, NotChat::Remembered(field));
        assert!(error.to_string().contains("send the whole conversation"), "{error}");
    }
    let none = json!({"previous_response_id": null, "conversation": null, "prompt": null});
    assert!(chat::request(&with(&none).to_string()).is_ok());
}

#[test]
fn a_warm_up_and_a_broken_request_are_refused() {
    assert_eq!(chat::request(&with(&json!({"generate": false})).to_string()), Err(NotChat::Field("generate")));
    assert!(matches!(chat::request("{"), Err(NotChat::Wire(_))));
    assert!(matches!(chat::request(r#"{"input":[{"type":"function_call"}]}"#), Err(NotChat::Wire(_))));
}
