//! Items → messages.

use serde_json::{Value, json};

use crate::support::{body, messages};

fn refused(input: &Value) -> String {
    chat::request(&json!({"model": "m", "input": input}).to_string()).unwrap_err().to_string()
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"})
}

fn answer(id: &str, output: &Value) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": output})
}

fn roles(messages: &Value) -> Vec<&str> {
    messages.as_array().unwrap().iter().map(|message| message["role"].as_str().unwrap()).collect()
}

#[test]
fn what_the_operator_says_first_is_one_message_and_later_words_stay_in_their_place() {
    let body = body(&json!({"instructions": "one", "input": [
        {"role": "developer", "content": "two"}, {"role": "system", "content": "three"},
        {"role": "user", "content": "hi"}, {"role": "developer", "content": "four"},
    ]}));
    let expected = json!([
        {"role": "system", "content": "one\n\ntwo\n\nthree"}, {"role": "user", "content": "hi"},
        {"role": "system", "content": "four"},
    ]);
    assert_eq!(body["messages"], expected);
}

#[test]
fn a_string_is_what_the_user_says() {
    assert_eq!(messages(&json!("hi")), json!([{"role": "user", "content": "hi"}]));
}

#[test]
fn what_the_user_says_in_one_go_is_one_message() {
    let image = json!([{"type": "input_image", "image_url": "data:image/png;base64,AA"}]);
    let sent = messages(&json!([
        {"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d"}, {"role": "user", "content": image}, {"role": "system", "content": "e"},
        {"role": "user", "content": "f"},
    ]));
    assert_eq!(roles(&sent), ["user", "assistant", "user", "system", "user"]);
    assert_eq!(sent[0]["content"], "a\n\nb");
    assert_eq!(sent[2]["content"][0], json!({"type": "text", "text": "d"}));
    assert_eq!(sent[2]["content"][1]["type"], "image_url");
}

#[test]
fn calls_made_at_once_are_one_message_with_the_words_before_them_and_between_them() {
    let sent = messages(&json!([
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "a"}, call("1"), {"role": "assistant", "content": "b"}, call("2"),
        answer("1", &json!("x")), answer("2", &json!("y")),
    ]));
    assert_eq!(roles(&sent), ["user", "assistant", "tool", "tool"]);
    assert_eq!(sent[1]["content"], "a\n\nb");
    assert_eq!(sent[1]["tool_calls"].as_array().unwrap().len(), 2);
    assert_eq!((&sent[2]["tool_call_id"], &sent[3]["content"]), (&json!("1"), &json!("y")));
}

#[test]
fn calls_of_two_turns_are_two_messages() {
    let sent = messages(&json!([
        {"role": "user", "content": "go"}, call("1"), answer("1", &json!("x")), call("2"), answer("2", &json!("y")),
    ]));
    assert_eq!(roles(&sent), ["user", "assistant", "tool", "assistant", "tool"]);
    assert_eq!(sent[1]["content"], "");
}

#[test]
fn what_others_say_before_calls_are_answered_follows_the_answers() {
    let image = json!([{"type": "input_image", "image_url": "data:image/png;base64,AA"}]);
    for (role, content) in
        [("developer", json!("wait")), ("system", json!("wait")), ("user", json!("wait")), ("user", image)]
    {
        let words = json!({"role": role, "content": content});
        let said = if role == "user" { "user" } else { "system" };
        let (x, y) = (answer("1", &json!("x")), answer("2", &json!("y")));
        for items in [
            [call("1"), call("2"), words.clone(), x.clone(), y.clone()],
            [call("1"), call("2"), x.clone(), words.clone(), y.clone()],
        ] {
            let sent =
                messages(&Value::from([vec![json!({"role": "user", "content": "go"})], items.to_vec()].concat()));
            assert_eq!(roles(&sent), ["user", "assistant", "tool", "tool", said], "{role}");
            assert_eq!((&sent[2]["content"], &sent[3]["content"]), (&json!("x"), &json!("y")));
        }
    }
}

#[test]
fn only_answers_change_their_place_and_images_in_them_come_before_what_was_held_back() {
    let image = json!([{"type": "input_image", "image_url": "data:image/png;base64,AA"}]);
    let words = |role: &str, content: &str| json!({"role": role, "content": content});
    let sent = messages(&json!([
        words("user", "go"),
        call("1"),
        call("2"),
        words("developer", "a"),
        answer("2", &image),
        words("user", "b"),
        call("3"),
        words("assistant", "c"),
        answer("1", &json!("x")),
        words("developer", "d"),
        answer("3", &json!("z")),
    ]));
    let expected = ["user", "assistant", "tool", "tool", "user", "system", "user", "assistant", "tool", "system"];
    assert_eq!(roles(&sent), expected);
    assert_eq!((&sent[2]["tool_call_id"], &sent[3]["tool_call_id"]), (&json!("2"), &json!("1")));
    assert_eq!(sent[4]["content"][1]["type"], "image_url");
    let said = [5, 6, 7, 9].map(|at: usize| sent[at]["content"].as_str().unwrap());
    assert_eq!((said, &sent[8]["tool_call_id"]), (["a", "b", "c", "d"], &json!("3")));
}

#[test]
fn a_call_that_is_never_answered_holds_nothing_back() {
    let words = |role: &str, content: &str| json!({"role": role, "content": content});
    let sent = messages(&json!([
        words("user", "go"),
        call("1"),
        words("user", "stop"),
        words("assistant", "so"),
        words("user", "on"),
        call("1"),
        answer("1", &json!("x")),
        answer("of no call", &json!("y")),
        words("user", "and"),
    ]));
    let expected = ["user", "assistant", "user", "assistant", "user", "assistant", "tool", "tool", "user"];
    assert_eq!(roles(&sent), expected);
}

#[test]
fn images_in_outputs_follow_the_last_output_and_say_whose_they_are() {
    let image = json!([{"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": "data:image/png;base64,AA"}]);
    let sent = messages(&json!([
        {"role": "user", "content": "go"}, call("1"), call("2"), answer("1", &image), answer("2", &json!("y")),
        {"role": "assistant", "content": "nice"},
    ]));
    assert_eq!(roles(&sent), ["user", "assistant", "tool", "tool", "user", "assistant"]);
    assert_eq!(sent[2]["content"], "see");
    assert!(sent[4]["content"][0]["text"].as_str().unwrap().contains("call 1"));
    assert_eq!(sent[4]["content"][1]["image_url"]["url"], "data:image/png;base64,AA");
}

#[test]
fn the_tool_message_of_a_mere_image_is_not_empty() {
    let image = json!([{"type": "input_image", "image_url": "data:image/png;base64,AA"}]);
    let sent = messages(&json!([{"role": "user", "content": "go"}, call("1"), answer("1", &image)]));
    assert!(!sent[2]["content"].as_str().unwrap().is_empty());
}

#[test]
fn text_alone_is_a_string_and_text_beside_an_image_is_a_part() {
    let texts = json!([{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]);
    assert_eq!(messages(&json!([{"role": "user", "content": texts}]))[0]["content"], "a\n\nb");
    let both = json!([{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "https://x/y.png"}]);
    let expected =
        json!([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]);
    assert_eq!(messages(&json!([{"role": "user", "content": both}]))[0]["content"], expected);
}

fn thought(extra: &Value) -> Value {
    let mut item = json!({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]});
    item.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    item
}

#[test]
fn thoughts_go_back_with_the_calls_they_led_to_under_the_name_they_came_under() {
    for (extra, field) in [(json!({}), "reasoning_content"), (json!({"chat_field": "reasoning"}), "reasoning")] {
        let sent = messages(&json!([
            {"role": "user", "content": "go"}, thought(&extra), call("1"), answer("1", &json!("x")),
        ]));
        assert_eq!(sent[1][field], "hm");
        assert_eq!(sent[1].as_object().unwrap().keys().filter(|key| key.starts_with("reasoning")).count(), 1);
    }
}

#[test]
fn the_name_under_which_thoughts_go_back_is_one_of_two_whatever_an_item_says() {
    let item = thought(&json!({"chat_field": "content"}));
    let sent = messages(&json!([{"role": "user", "content": "go"}, item, call("1"), answer("1", &json!("x"))]));
    assert_eq!((&sent[1]["reasoning_content"], &sent[1]["content"]), (&json!("hm"), &json!("")));
}

#[test]
fn thoughts_that_led_to_no_call_and_sealed_ones_stay_here() {
    let sent = messages(&json!([
        {"role": "user", "content": "go"}, thought(&json!({})), {"role": "assistant", "content": "so"},
        {"role": "user", "content": "on"}, thought(&json!({})),
    ]));
    assert_eq!(roles(&sent), ["user", "assistant", "user"]);
    assert_eq!(sent[1], json!({"role": "assistant", "content": "so"}));
    let sealed =
        json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "x"});
    let request = json!({"input": [{"role": "user", "content": "go"}, sealed]});
    let chat = chat::request(&request.to_string()).unwrap();
    assert_eq!(chat.left_out, [chat::LeftOut::Item("reasoning".into())]);
    assert!(!chat.body.contains("summary"));
}

#[test]
fn arguments_that_a_server_could_not_read_are_shown_as_what_they_are() {
    for (arguments, sent) in [
        ("", "{}"),
        ("  ", "{}"),
        (r#"{"a":1}"#, r#"{"a":1}"#),
        (r#"{"a":"#, r#"{"invalid_arguments":"{\"a\":"}"#),
        ("[1]", r#"{"invalid_arguments":"[1]"}"#),
    ] {
        let call = json!({"type": "function_call", "call_id": "1", "name": "f", "arguments": arguments});
        let messages = messages(&json!([{"role": "user", "content": "go"}, call, answer("1", &json!("x"))]));
        assert_eq!(messages[1]["tool_calls"][0]["function"]["arguments"], sent);
    }
}

#[test]
fn a_custom_call_is_a_call_with_its_text_as_the_one_argument() {
    let call = json!({"type": "custom_tool_call", "call_id": "1", "name": "patch", "input": "a\"b"});
    let answer = json!({"type": "custom_tool_call_output", "call_id": "1", "output": "ok"});
    let sent = messages(&json!([{"role": "user", "content": "go"}, call, answer]));
    assert_eq!(sent[1]["tool_calls"][0]["function"], json!({"name": "patch", "arguments": r#"{"input":"a\"b"}"#}));
    assert_eq!(sent[2], json!({"role": "tool", "tool_call_id": "1", "content": "ok"}));
}

#[test]
fn what_cannot_be_said_is_refused_by_its_name() {
    for (item, word) in [
        (json!({"type": "compaction", "encrypted_content": "x"}), "`compaction`"),
        (json!({"type": "item_reference", "id": "x"}), "`item_reference`"),
        (json!({"type": "local_shell_call", "call_id": "x", "action": {}}), "`local_shell_call`"),
        (json!({"type": "of_tomorrow"}), "`of_tomorrow`"),
        (json!({"type": "function_call_output", "output": "x"}), "call_id"),
        (json!({"role": "tool", "content": "x"}), "`tool`"),
        (json!({"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}), "without image_url"),
        (json!({"role": "user", "content": [{"type": "input_file", "file_url": "https://x"}]}), "without file_data"),
        (json!({"role": "user", "content": [{"type": "input_audio", "audio_url": "x"}]}), "`input_audio`"),
        (json!({"role": "developer", "content": [{"type": "input_image", "image_url": "x"}]}), "a system message"),
    ] {
        let message = refused(&json!([{"role": "user", "content": "hi"}, item]));
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn work_of_the_server_that_was_told_of_in_text_is_left_out_and_named() {
    let request = json!({"input": [
        {"role": "user", "content": "go"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "web_search_call", "id": "ws_2", "status": "completed"},
    ]});
    let chat = chat::request(&request.to_string()).unwrap();
    assert_eq!(chat.left_out, [chat::LeftOut::Item("web_search_call".into())]);
}

#[test]
fn nothing_to_say_is_refused() {
    for input in [json!([]), Value::Null] {
        assert!(matches!(chat::request(&json!({"input": input}).to_string()), Err(chat::NotChat::Empty)));
    }
}
