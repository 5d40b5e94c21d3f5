//! Thoughts and calls that models write into their text.

use chat::ChatRequest;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::support::{check_order, chunk, events, finish, fold, kinds, output, text, translate};

/// A request that offers tools. The second takes free text, the third is in a group.
fn request() -> ChatRequest {
    request_with(&json!({}))
}

fn request_with(fields: &Value) -> ChatRequest {
    let weather = json!({"type": "object", "properties": {
        "city": {"type": "string"}, "days": {"type": "integer"}, "exact": {"type": "boolean"}, "tags": {"type": "array"},
    }});
    let mut request = json!({"model": "m", "input": "hi", "tools": [
        {"type": "function", "name": "get_weather", "parameters": weather},
        {"type": "custom", "name": "patch"},
        {"type": "namespace", "name": "web", "description": "d", "tools": [{"type": "function", "name": "open"}]},
    ]});
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    translate(&request)
}

/// What comes of text: each item in short.
fn read_by(request: &ChatRequest, pieces: &[&str], end: &str) -> Vec<String> {
    let stream: Vec<_> = pieces.iter().map(|piece| text(piece)).chain([finish(end)]).collect();
    let events = events(request, &stream);
    check_order(&events);
    output(&fold(&events)).iter().map(short).collect()
}

fn short(item: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let parts = || item["content"].as_array().unwrap().iter().map(|part| text(&part["text"])).collect::<String>();
    match item["type"].as_str().unwrap() {
        "message" => format!("say {}", parts()),
        "reasoning" => format!("think {}", parts()),
        "function_call" if item["namespace"].is_string() => {
            format!("call {}/{} {}", text(&item["namespace"]), text(&item["name"]), text(&item["arguments"]))
        }
        "function_call" => format!("call {} {}", text(&item["name"]), text(&item["arguments"])),
        "custom_tool_call" => format!("call {} {}", text(&item["name"]), text(&item["input"])),
        other => panic!("{other}"),
    }
}

fn read(text: &str) -> Vec<String> {
    read_by(&request(), &[text], "stop")
}

const CALL: &str = r#"call get_weather {"city":"Paris"}"#;

/// Every form of the same call.
const FORMS: &[&str] = &[
    "<tool_call>\n{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Paris\"}}\n</tool_call>",
    r#"<tool_call>{"name":"get_weather","arguments":{"city":"Paris"}}"#,
    r#"<tool_call>[{"name":"get_weather","arguments":{"city":"Paris"}}]</tool_call>"#,
    r#"<tool_call>{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}</tool_call>"#,
    r#"<function_call>{"name":"get_weather","parameters":{"city":"Paris"}}</function_call>"#,
    r#"<|tool_call|>[{"name":"get_weather","arguments":{"city":"Paris"}}]<|/tool_call|>"#,
    "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>\n</tool_call>",
    "<function=get_weather><parameter=city>Paris</parameter></function>",
    "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n</tool_call>",
    r#"<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{"city":"Paris"}<|tool_call_end|><|tool_calls_section_end|>"#,
    r#"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city":"Paris"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"#,
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{\"city\":\"Paris\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    r#"[TOOL_CALLS][{"name":"get_weather","arguments":{"city":"Paris"}}]"#,
    r#"[TOOL_CALLS]get_weather{"city":"Paris"}"#,
    r#"[TOOL_CALLS]get_weather[CALL_ID]a1b2c3d4e[ARGS]{"city":"Paris"}"#,
    r#"<|python_tag|>{"name":"get_weather","parameters":{"city":"Paris"}}<|eom_id|>"#,
    r#"<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city":"Paris"}<|call|>"#,
    r#"<|start|>assistant to=functions.get_weather<|channel|>commentary json<|message|>{"city":"Paris"}<|call|>"#,
    "```json\n{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Paris\"}}\n```",
    "```\n{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Paris\"}}\n```",
    r#"{"name":"get_weather","parameters":{"city":"Paris"}}"#,
    r#"{"type": "function", "name": "get_weather", "parameters": {"city":"Paris"}}"#,
    r#"{"type": "function", "function": {"name": "get_weather", "arguments": {"city":"Paris"}}}"#,
    r#"[{"name":"get_weather","parameters":{"city":"Paris"}}]"#,
    "[get_weather(city=\"Paris\")]",
    "[get_weather(city='Paris',)]",
];

/// Those which need no marks: alone in their message only.
fn is_bare(form: &str) -> bool {
    form.starts_with('{') || form.starts_with("[{") || form.starts_with("[get")
}

#[test]
fn every_form_of_a_call_is_a_call() {
    for form in FORMS {
        assert_eq!(read(form), [CALL], "{form}");
        assert_eq!(read(&format!("\n\n{form}\n")), [CALL], "{form}");
    }
}

#[test]
fn the_same_cut_off_anywhere_is_never_a_call_that_it_was_not() {
    for form in FORMS {
        for (at, _) in form.char_indices().skip(1) {
            let items = read(&form[..at]);
            assert!(items == [CALL] || items.iter().all(|item| item.starts_with("say ")), "{items:?}");
        }
    }
}

#[test]
fn prose_around_a_marked_call_stays_prose_and_an_unmarked_one_needs_a_message_of_its_own() {
    for form in FORMS {
        let items = read(&format!("Let me see.\n{form}\nDone."));
        if is_bare(form) {
            assert_eq!(items, [format!("say Let me see.\n{form}\nDone.")]);
            assert_eq!(read(&format!("{form}\nDone.")), [format!("say {form}\nDone.")]);
        } else {
            assert_eq!(items, ["say Let me see.\n", CALL, "say Done."], "{form}");
        }
    }
}

#[test]
fn a_tool_that_is_not_offered_is_prose_byte_for_byte() {
    for form in FORMS {
        let form = form.replace("get_weather", "get_stocks");
        assert_eq!(read(&form).concat(), format!("say {form}"));
    }
}

#[test]
fn without_tools_and_where_none_may_be_called_nothing_is_a_call() {
    let none = translate(&json!({"model": "m", "input": "hi"}));
    for request in [none, request_with(&json!({"tool_choice": "none"}))] {
        for form in FORMS {
            assert_eq!(read_by(&request, &[form], "stop").concat(), format!("say {form}"));
        }
    }
}

#[test]
fn json_that_was_asked_for_is_no_call() {
    let request = request_with(&json!({"text": {"format": {"type": "json_object"}}}));
    for form in FORMS {
        let is_call = !is_bare(form) && !form.starts_with("```");
        assert_eq!(read_by(&request, &[form], "stop") == [CALL], is_call, "{form}");
    }
}

#[test]
fn several_calls_are_several_calls() {
    let other = r#"call get_weather {"city":"Rome"}"#;
    for text in [
        "<tool_call>{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Paris\"}}</tool_call>\n<tool_call>{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Rome\"}}</tool_call>",
        "<tool_call>\n{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Paris\"}}\n{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Rome\"}}\n</tool_call>",
        r#"[TOOL_CALLS][{"name":"get_weather","arguments":{"city":"Paris"}},{"name":"get_weather","arguments":{"city":"Rome"}}]"#,
        r#"[TOOL_CALLS]get_weather[ARGS]{"city":"Paris"}[TOOL_CALLS]get_weather[ARGS]{"city":"Rome"}"#,
        r#"<|python_tag|>{"name":"get_weather","parameters":{"city":"Paris"}}; {"name":"get_weather","parameters":{"city":"Rome"}}"#,
        "{\"name\":\"get_weather\",\"parameters\":{\"city\":\"Paris\"}}\n{\"name\":\"get_weather\",\"parameters\":{\"city\":\"Rome\"}}",
        r#"[get_weather(city="Paris"), get_weather(city="Rome")]"#,
        r#"<|channel|>commentary to=functions.get_weather<|message|>{"city":"Paris"}<|call|><|start|>assistant<|channel|>commentary to=functions.get_weather<|message|>{"city":"Rome"}<|call|>"#,
    ] {
        assert_eq!(read(text), [CALL, other], "{text}");
    }
}

#[test]
fn a_tool_with_free_text_and_one_in_a_group_come_back_as_what_they_are() {
    assert_eq!(read(r#"<tool_call>{"name":"patch","arguments":{"input":"a\nb"}}</tool_call>"#), ["call patch a\nb"]);
    assert_eq!(read(r#"<tool_call>{"name":"patch","arguments":"a\nb"}</tool_call>"#), ["call patch a\nb"]);
    let text = "<function=patch><parameter=input>\nif a < b:\n  </function>\n\n</parameter></function>";
    assert_eq!(read(text), ["call patch if a < b:\n  </function>\n"]);
    assert_eq!(read(r#"<tool_call>{"name":"web__open"}</tool_call>"#), ["call web/open {}"]);
}

#[test]
fn values_without_quotes_are_what_the_schema_says() {
    let tag = |key: &str, value: &str| format!("<parameter={key}>\n{value}\n</parameter>\n");
    let values = [("city", "75001"), ("days", "2"), ("exact", "True"), ("tags", "[\"a\"]"), ("unknown", "3")];
    let tags: String = values.iter().map(|(key, value)| tag(key, value)).collect();
    let expected = r#"call get_weather {"city":"75001","days":2,"exact":true,"tags":["a"],"unknown":"3"}"#;
    assert_eq!(read(&format!("<function=get_weather>\n{tags}</function>")), [expected]);
    let days = read("<function=get_weather><parameter=days>many</parameter></function>");
    assert_eq!(days, [r#"call get_weather {"days":"many"}"#]);
}

#[test]
fn python_values_become_json() {
    let text = r#"[get_weather(city='it\'s "x"\n', days=-2, exact=True, tags=["a", (1, 2.5)], more={"k": None})]"#;
    let expected =
        r#"call get_weather {"city":"it's \"x\"\n","days":-2,"exact":true,"tags":["a",[1,2.5]],"more":{"k":null}}"#;
    assert_eq!(read(text), [expected]);
    for text in
        ["[get_weather(\"Paris\")]", "[get_weather(city=Paris)]", "[get_weather(a=1, a=2)]", "[get_weather(a=1e)]"]
    {
        assert_eq!(read(text), [format!("say {text}")]);
    }
}

#[test]
fn arguments_that_are_no_object_make_no_call() {
    for arguments in ["[1]", "1", "\"x\"", "true", "{\"a\":1,\"a\":2}", "{\"a\":}", "{'a':1}"] {
        let text = format!("<tool_call>{{\"name\":\"get_weather\",\"arguments\":{arguments}}}</tool_call>");
        assert_eq!(read(&text), [format!("say {text}")]);
    }
}

#[test]
fn a_call_after_a_broken_one_is_found() {
    let broken = "<tool_call>{\"name\": get_weather}</tool_call>";
    assert_eq!(read(&format!("{broken}\n{}", FORMS[0])), [&format!("say {broken}\n"), CALL]);
}

#[test]
fn json_and_lists_that_are_answers_are_not_held_back() {
    for text in
        ["{\"city\": \"Paris\", ", "[1, 2", "[x](y)", "{ }", "```json\n{\"a\"", "```rust\nfn", "`<tool_call>` is"]
    {
        let stream = [chunk(&json!({"content": text}))];
        let events = events(&request(), &stream);
        let told: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
        assert_eq!(told, text);
    }
}

#[test]
fn only_what_may_become_a_mark_is_held_back() {
    let told = |pieces: &[&str]| {
        let stream: Vec<_> = pieces.iter().map(|piece| text(piece)).collect();
        let events = events(&request(), &stream);
        events.iter().filter_map(|event| event["delta"].as_str()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told(&["a <", "b"]), ["a ", "<b"]);
    assert_eq!(told(&["a <tool", "box> b"]), ["a ", "<toolbox> b"]);
    assert_eq!(told(&["one ", "two\n", "three"]), ["one ", "two\n", "three"]);
    assert_eq!(told(&["Look: <tool_call>{\"na"]), ["Look: "]);
}

#[test]
fn thoughts_in_tags_are_thoughts() {
    for (open, close) in [
        ("<think>", "</think>"),
        ("<thinking>", "</thinking>"),
        ("[THINK]", "[/THINK]"),
        ("<seed:think>", "</seed:think>"),
    ] {
        assert_eq!(read(&format!("{open}\nhm\n{close}\n\nSo.")), ["think hm\n", "say So."]);
        assert_eq!(read(&format!("{open}\n\n{close}\n\nSo.")), ["say So."]);
        assert_eq!(read(&format!("{open}hm")), ["think hm"]);
        assert_eq!(read(&format!("{open}hm{close}{}", FORMS[0])), ["think hm", CALL]);
    }
    assert_eq!(read("</think>\n\nSo."), ["say So."]);
    assert_eq!(read("Well.\n<think>hm</think>So."), ["say Well.\n", "think hm", "say So."]);
}

#[test]
fn a_model_that_speaks_of_the_tags_is_not_thinking() {
    for text in ["The tag `<think>` opens.", "Use <think> here", "```\n<think>\n```\n", "a</think>b"] {
        assert_eq!(read(text), [format!("say {text}")]);
    }
}

#[test]
fn a_call_inside_thoughts_is_a_thought() {
    for form in FORMS.iter().filter(|form| !form.contains("<|start|>") && !form.contains("<|c")) {
        assert_eq!(read(&format!("<think>{form}</think>No.")), [format!("think {form}"), "say No.".to_owned()]);
    }
    let text = format!("<|channel|>analysis<|message|>{}<|end|>", FORMS[0]);
    assert_eq!(read(&text), [format!("think {}", FORMS[0])]);
}

#[test]
fn channels_are_thoughts_answers_and_calls() {
    let text = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>So.<|return|>";
    assert_eq!(read(text), ["think hm", "say So."]);
    let text = "<|channel|>commentary<|message|>Now.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather<|message|>{\"city\":\"Paris\"}<|call|>";
    assert_eq!(read(text), ["say Now.", CALL]);
    for text in ["the <|channel|> mark", "<|start|>user<|message|>x", "<|end|>", "<|channel|>other<|message|>x"] {
        assert_eq!(read(text), [format!("say {text}")]);
    }
}

#[test]
fn a_model_whose_template_opens_its_thoughts_begins_inside_them() {
    let request = |fields: &Value| request_with(fields);
    let thinker = request(&json!({"model": "Qwen/Qwen3-4B-Thinking-2507"}));
    assert_eq!(read_by(&thinker, &["hm", "\n</th", "ink>\nSo."], "stop"), ["think hm\n", "say So."]);
    assert_eq!(read_by(&thinker, &["hm</think>", FORMS[0]], "stop"), ["think hm", CALL]);
    assert_eq!(read_by(&thinker, &["<think>hm</think>So."], "stop"), ["think hm", "say So."]);
    assert_eq!(read_by(&thinker, &["hm"], "length"), ["think hm"]);
    // It was the answer.
    assert_eq!(read_by(&thinker, &["So."], "stop"), ["think So.", "say So."]);
    assert_eq!(read_by(&thinker, &[FORMS[20]], "stop"), [&format!("think {}", FORMS[20]), CALL]);
    for fields in [json!({"model": "smart1"}), json!({"model": "deepseek-r1", "reasoning": {"effort": "none"}})] {
        assert_eq!(read_by(&request(&fields), &["So."], "stop"), ["say So."]);
    }
    assert_eq!(read_by(&request(&json!({"model": "deepseek-r1:7b"})), &["hm</think>So."], "stop")[0], "think hm");
}

#[test]
fn a_server_with_fields_for_thoughts_and_calls_leaves_none_in_the_text() {
    let thinker = request_with(&json!({"model": "deepseek-r1"}));
    let stream = [chunk(&json!({"reasoning_content": "hm"})), text("So."), finish("stop")];
    assert_eq!(
        output(&fold(&events(&thinker, &stream))).iter().map(short).collect::<Vec<_>>(),
        ["think hm", "say So."]
    );
    let call = json!({"index": 0, "id": "c", "function": {"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}});
    let stream = [text(FORMS[20]), chunk(&json!({"tool_calls": [call]})), text(FORMS[0]), finish("tool_calls")];
    let items: Vec<_> = output(&fold(&events(&request(), &stream))).iter().map(short).collect();
    assert_eq!(items, [&format!("say {}", FORMS[20]), CALL, &format!("say {}", FORMS[0])]);
}

#[test]
fn a_written_call_is_told_of_whole_and_at_once() {
    let stream = [text(FORMS[0]), text("And")];
    let events = events(&request(), &stream);
    let expected = [
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
    ];
    assert_eq!(kinds(&events)[2..], expected);
    assert_eq!(events[5]["item"]["call_id"], "call_0_resp_1");
}

#[test]
fn calls_alone_that_only_a_mark_ends_are_calls() {
    let stream = [text(FORMS[20]), "[DONE]".to_owned()];
    assert_eq!(output(&fold(&events(&request(), &stream))).iter().map(short).collect::<Vec<_>>(), [CALL]);
}

#[test]
fn a_long_call_is_read_in_short_pieces() {
    let city = "Paris, ".repeat(6_000);
    for form in FORMS.iter().filter(|form| form.contains("Paris")) {
        let text = form.replace("Paris", &city);
        let pieces: Vec<_> =
            text.as_bytes().chunks(7).map(|piece| std::str::from_utf8(piece).unwrap_or_default()).collect();
        if pieces.concat() == text {
            assert_eq!(read_by(&request(), &pieces, "stop"), [CALL.replace("Paris", &city)]);
        }
    }
}

#[test]
fn what_has_no_end_is_prose_to_the_end_however_often_it_begins() {
    for text in [
        "<tool_call>{\"name\":\"",
        "<function=get_weather>",
        "<|channel|>",
        "<function=",
        "[TOOL_CALLS]",
        "<think",
        "</",
    ] {
        let text = format!("so {}", text.repeat(20_000));
        assert_eq!(read(&text), [format!("say {text}")]);
    }
}

/// Texts of marks, pieces of marks, and words.
fn some_text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "<think>",
        "</think>",
        "<thinking>",
        "[THINK]",
        "<tool_call>",
        "</tool_call>",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\n",
        "```",
        "```json\n",
        " ",
        "<|channel|>",
        "analysis",
        "final",
        "<|message|>",
        "<|end|>",
        "<|start|>assistant",
        "[TOOL_CALLS]",
        "[ARGS]",
        "<function=get_weather>",
        "<parameter=city>",
        "</parameter>",
        "</function>",
        "get_weather",
        "(city=1)",
        ";",
        ",",
        "<",
        "\"name\":\"get_weather\",",
        "\"parameters\":{}",
        "é",
        "so",
        "<|call|>",
        " to=functions.get_weather",
        "<|tool_call_begin|>",
        "<|tool_call_argument_begin|>",
        "<｜tool▁sep｜>",
        "</",
    ];
    let whole: Vec<_> = FORMS.to_vec();
    let piece = prop_oneof![4 => select(pieces), 1 => select(whole)];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn where_a_text_is_cut_into_chunks_does_not_matter(
        (text, cuts) in some_text().prop_flat_map(|text| {
            let places: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
            let count = places.len();
            (Just(text), subsequence(places, 0..=count))
        }),
        model in select(vec!["m", "deepseek-r1"]), end in select(vec!["stop", "length"]),
    ) {
        let request = request_with(&json!({"model": model}));
        let ends = cuts.iter().skip(1).copied().chain([text.len()]);
        let mut pieces: Vec<_> = cuts.iter().copied().zip(ends).map(|(from, to)| &text[from..to]).collect();
        if let Some(first) = cuts.first() {
            pieces.insert(0, &text[..*first]);
        } else {
            pieces.push(&text);
        }
        prop_assert_eq!(read_by(&request, &pieces, end), read_by(&request, &[&text], end));
    }

    #[test]
    fn text_without_a_call_of_an_offered_tool_and_without_thoughts_is_prose_byte_for_byte(text in some_text()) {
        let text = text.replace("get_weather", "get_stocks").replace("think", "thank").replace("[THINK]", "")
            .replace("<|message|>", "<|massage|>");
        let expected = if text.trim().is_empty() { Vec::new() } else { vec![format!("say {text}")] };
        prop_assert_eq!(read(&text), expected);
    }
}
