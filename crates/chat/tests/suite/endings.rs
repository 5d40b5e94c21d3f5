//! How responses end, and what they cost.

use std::time::Duration;

use chat::{Decoder, MAX_RESPONSE_BYTES, MAX_RESPONSE_ITEMS};
use responses::event::Stage;
use responses::fold::IncompleteReason;
use responses::usage::Usage;
use serde_json::{Value, json};

use crate::support::{ID, chunk, events, finish, fold, kinds, output, plain_request, response, text};

fn last_kind(stream: &[String]) -> String {
    kinds(&events(&plain_request(), stream)).last().unwrap_or(&"").to_string()
}

fn done() -> String {
    "[DONE]".to_owned()
}

fn some_call(arguments: &str) -> String {
    chunk(&json!({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": arguments}}]}))
}

#[test]
fn the_reason_decides_how_a_response_ends() {
    for (reason, kind) in [
        ("stop", "completed"),
        ("tool_calls", "completed"),
        ("function_call", "completed"),
        ("a_word_of_tomorrow", "completed"),
        ("length", "incomplete"),
        ("content_filter", "incomplete"),
        ("error", "failed"),
        ("insufficient_system_resource", "failed"),
    ] {
        assert_eq!(last_kind(&[text("a"), finish(reason)]), format!("response.{kind}"), "{reason}");
    }
    let reason = |word: &str| response(&[text("a"), finish(word)]).incomplete_reason().cloned();
    assert_eq!(reason("length"), Some(IncompleteReason::MaxOutputTokens));
    assert_eq!(reason("content_filter"), Some(IncompleteReason::ContentFilter));
}

#[test]
fn a_stream_without_a_reason_and_without_a_mark_was_cut_and_has_no_end() {
    assert_eq!(last_kind(&[text("a")]), "response.output_text.delta");
    assert_eq!(last_kind(&[]), "");
}

#[test]
fn a_mark_ends_what_has_said_something() {
    assert_eq!(last_kind(&[text("a"), done()]), "response.completed");
    assert_eq!(last_kind(&[some_call("{}"), done()]), "response.completed");
    assert_eq!(last_kind(&[chunk(&json!({"role": "assistant"})), done()]), "response.in_progress");
    assert_eq!(last_kind(&[chunk(&json!({"reasoning": "hm"})), done()]), "response.reasoning_text.delta");
    assert_eq!(last_kind(&[done()]), "");
}

#[test]
fn an_answer_of_nothing_is_an_answer() {
    let response = response(&[finish("stop"), done()]);
    assert_eq!((response.stage(), response.output().len()), (Stage::Completed, 0));
}

#[test]
fn nothing_comes_after_the_end() {
    let stream = [text("a"), finish("stop"), done(), text("b"), finish("length"), done()];
    let events = events(&plain_request(), &stream);
    assert_eq!(kinds(&events).iter().filter(|kind| **kind == "response.completed").count(), 1);
    assert_eq!(output(&fold(&events))[0]["content"][0]["text"], "a");
}

#[test]
fn a_decoder_knows_that_it_has_ended() {
    let mut decoder = Decoder::new(&plain_request(), ID, 0);
    decoder.push(&text("a"), |_| {});
    assert!(!decoder.is_finished());
    decoder.push(&finish("stop"), |_| {});
    assert!(!decoder.is_finished());
    decoder.finish(|_| {});
    assert!(decoder.is_finished());
}

#[test]
fn what_a_limit_cut_off_is_marked() {
    let items = output(&response(&[text("a"), finish("length")]));
    assert_eq!(items[0]["status"], "incomplete");
    let whole = chunk(&json!({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}]}));
    let cut = chunk(&json!({"tool_calls": [{"index": 1, "id": "d", "function": {"name": "f", "arguments": "{}"}}]}));
    let items = output(&response(&[text("a"), whole, cut, finish("length")]));
    let status: Vec<_> = items.iter().map(|item| item["status"].clone()).collect();
    assert_eq!(status, ["completed", "completed", "incomplete"]);
}

#[test]
fn an_error_in_mid_stream_fails_the_response_with_what_the_server_said() {
    for (error, status, code) in [
        (json!({"error": {"message": "boom", "type": "t", "code": 500}}), Some(500), Some("server_error")),
        (json!({"error": {"message": "boom", "code": 429}}), Some(429), Some("rate_limit_exceeded")),
        (json!({"error": {"message": "boom", "code": "429"}}), Some(429), Some("rate_limit_exceeded")),
        (json!({"error": {"message": "boom", "code": "invalid_prompt"}}), None, Some("invalid_prompt")),
        (json!({"error": {"message": "boom", "code": 402}}), Some(402), Some("insufficient_quota")),
        (json!({"error": "boom"}), None, None),
        (json!({"object": "error", "message": "boom", "code": 400}), Some(400), None),
        (
            json!({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error", "error": {"message": "boom", "code": 502}}]}),
            Some(502),
            Some("server_error"),
        ),
        (
            json!({"error": {"message": "boom", "code": 503}, "choices": [{"delta": {}, "finish_reason": "error"}]}),
            Some(503),
            Some("server_is_overloaded"),
        ),
    ] {
        let response = response(&[text("a"), error.to_string(), done()]);
        assert_eq!(response.stage(), Stage::Failed);
        let seen = response.error().unwrap();
        assert_eq!((&*seen.message, seen.status, seen.code.as_deref()), ("boom", status, code), "{error}");
    }
}

#[test]
fn how_long_to_wait_is_kept_wherever_the_server_says_it() {
    let in_choice = |error: Value| json!({"choices": [{"index": 0, "delta": {}, "error": error}]});
    for (error, seconds) in [
        (json!({"error": {"message": "later", "code": 429, "resets_in_seconds": 7}}), Some(7.0)),
        (json!({"error": {"message": "later", "code": 429, "headers": {"retry-after": "2"}}}), Some(2.0)),
        (json!({"error": {"message": "later", "code": 429}, "headers": {"Retry-After": 0}}), Some(0.0)),
        // Whole seconds, never less than asked for.
        (json!({"error": {"message": "later", "code": 429}, "headers": {"retry-after-ms": "1500"}}), Some(2.0)),
        (json!({"object": "error", "message": "later", "code": 429, "resets_in_seconds": 7}), Some(7.0)),
        (in_choice(json!({"message": "later", "code": 429, "resets_in_seconds": 7})), Some(7.0)),
        (in_choice(json!({"message": "later", "code": 429, "headers": {"retry-after": "2"}})), Some(2.0)),
        (json!({"error": {"message": "try again in 1.5s", "code": 429}}), Some(1.5)),
        (json!({"error": "try again in 1.5s"}), Some(1.5)),
        (json!({"error": {"message": "try again in 1.5s"}, "headers": {"retry-after": "4"}}), Some(4.0)),
        (json!({"error": {"message": "later", "code": 429}}), None),
    ] {
        let seen = response(&[text("a"), error.to_string(), done()]).error().unwrap().wait;
        assert_eq!(seen, seconds.map(Duration::from_secs_f64), "{error}");
    }
}

#[test]
fn a_conversation_that_is_too_long_is_known_by_the_words_for_it() {
    for message in [
        "Reached context length of 4096 tokens",
        "the request exceeds the available context size",
        "This model's maximum context length is 8192 tokens",
        "Prompt exceeds the Context Window",
    ] {
        let error = json!({"error": {"message": message, "code": 400}}).to_string();
        assert_eq!(response(&[error]).error().unwrap().code.as_deref(), Some("context_length_exceeded"));
    }
}

#[test]
fn no_call_of_a_failed_response_can_be_run() {
    let error = json!({"error": {"message": "boom"}}).to_string();
    let items = output(&response(&[text("a"), some_call("{}"), error]));
    assert_eq!(items.iter().map(|item| item["type"].clone()).collect::<Vec<_>>(), ["message"]);
}

#[test]
fn an_error_may_be_the_first_that_comes() {
    let error = json!({"error": {"message": "boom"}}).to_string();
    let events = events(&plain_request(), &[error]);
    assert_eq!(kinds(&events), ["response.created", "response.in_progress", "response.failed"]);
}

#[test]
fn data_that_cannot_be_read_fails_the_response_and_blank_data_does_not() {
    for data in ["<html>", "{", "[]", r#"{"choices":[1]}"#] {
        assert_eq!(last_kind(&[text("a"), data.to_owned()]), "response.failed", "{data}");
    }
    assert_eq!(last_kind(&[text("a"), " ".to_owned(), finish("stop")]), "response.completed");
    assert_eq!(last_kind(&[text("a"), "{}".to_owned(), finish("stop")]), "response.completed");
}

fn usage(usages: &[Value]) -> Option<Usage> {
    let mut stream = vec![text("a"), finish("stop")];
    stream.extend(usages.iter().map(|usage| json!({"choices": [], "usage": usage}).to_string()));
    response(&stream).usage()
}

#[test]
fn usage_is_the_last_that_came_in_the_words_of_the_responses_api() {
    assert_eq!(usage(&[]), None);
    assert_eq!(usage(&[Value::Null]), None);
    let full = json!({
        "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2}, "completion_tokens_details": {"reasoning_tokens": 3},
    });
    let expected = Usage { input: 10, cached: 4, cache_written: 2, output: 5, reasoning: 3, total: 15 };
    assert_eq!(usage(&[json!({"prompt_tokens": 1}), full.clone(), Value::Null]), Some(expected));
    let odd = json!({"prompt_tokens": 10, "completion_tokens": "x", "prompt_tokens_details": null, "prompt_cache_hit_tokens": 4});
    assert_eq!(usage(&[odd]), Some(Usage { input: 10, cached: 4, total: 10, ..Usage::default() }));
}

#[test]
fn a_response_that_does_not_stop_fails_and_does_not_grow() {
    const PIECE: usize = 1 << 20;
    let piece = "x".repeat(PIECE);
    let call = |arguments: &str| chunk(&json!({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]}));
    for (piece, drop) in [(text(&piece), text("x")), (call(&piece), call("x"))] {
        let mut decoder = Decoder::new(&plain_request(), ID, 0);
        for _ in 0..MAX_RESPONSE_BYTES / PIECE {
            decoder.push(&piece, |_| {});
        }
        assert!(!decoder.is_finished());
        let mut last = String::new();
        decoder.push(&drop, |event| last = event);
        assert!(last.starts_with(r#"{"type":"response.failed""#));
        assert!(last.contains("over the limit") && last.len() < 1000);
    }
}

#[test]
fn a_response_of_too_many_items_fails() {
    let call = |at: usize| {
        chunk(
            &json!({"tool_calls": [{"index": at, "id": at.to_string(), "function": {"name": "f", "arguments": "{}"}}]}),
        )
    };
    let mut stream: Vec<_> = (0..MAX_RESPONSE_ITEMS).map(call).collect();
    assert_eq!(last_kind(&[stream.as_slice(), &[finish("stop")]].concat()), "response.completed");
    stream.push(call(MAX_RESPONSE_ITEMS));
    assert_eq!(last_kind(&stream), "response.failed");
    let nameless = |at: usize| chunk(&json!({"tool_calls": [{"index": at, "id": "x"}]}));
    assert_eq!(last_kind(&(0..=MAX_RESPONSE_ITEMS).map(nameless).collect::<Vec<_>>()), "response.failed");
    let mut turns = Vec::new();
    for _ in 0..=MAX_RESPONSE_ITEMS / 2 {
        turns.extend([chunk(&json!({"reasoning": "h"})), text("a")]);
    }
    assert_eq!(last_kind(&turns), "response.failed");
}
