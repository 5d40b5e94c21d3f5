//! What holds for every stream and every conversation.

use proptest::prelude::*;
use responses::fold::Response;
use serde_json::{Value, json};

use crate::support::{check_order, chunk, events, finish, fold, messages, output, plain_request};

/// What one chunk brings. Servers put anything beside anything.
#[derive(Debug, Clone)]
struct Bits {
    thought: String,
    text: String,
    refusal: String,
    calls: Vec<(usize, String)>,
}

/// How a server writes calls.
#[derive(Debug, Clone, Copy)]
struct Habits {
    repeats_names: bool,
    gives_ids: bool,
    ends_with_mark: bool,
}

fn some_bits() -> impl Strategy<Value = Bits> {
    // White space alone is not a message.
    let text = || prop_oneof![2 => Just(String::new()), 3 => "\\s{0,2}\\S.{0,5}"];
    let calls = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec((0_usize..4, "[^{}]{0,5}"), 1..4)];
    (text(), text(), prop_oneof![4 => Just(String::new()), 1 => ".{1,4}"], calls)
        .prop_map(|(thought, text, refusal, calls)| Bits { thought, text, refusal, calls })
}

fn some_habits() -> impl Strategy<Value = Habits> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(repeats_names, gives_ids, ends_with_mark)| Habits {
        repeats_names,
        gives_ids,
        ends_with_mark,
    })
}

fn stream(all: &[Bits], habits: Habits) -> Vec<String> {
    let mut begun = [false; 4];
    let mut stream = Vec::new();
    for bits in all {
        let mut calls = Vec::new();
        for (at, arguments) in &bits.calls {
            let mut call = json!({"index": at, "function": {"arguments": arguments}});
            if !begun[*at] || habits.repeats_names {
                call["function"]["name"] = json!(format!("f{at}"));
                call["id"] = if habits.gives_ids { json!(format!("c{at}")) } else { Value::Null };
            }
            begun[*at] = true;
            calls.push(call);
        }
        stream.push(chunk(&json!({
            "reasoning_content": bits.thought, "content": bits.text, "refusal": bits.refusal, "tool_calls": calls,
        })));
    }
    stream.push(finish("stop"));
    stream.extend(habits.ends_with_mark.then(|| "[DONE]".to_owned()));
    stream
}

/// All that items of a type say in a field of their parts.
fn said(response: &Response, item: &str, field: &str) -> String {
    let items = output(response).into_iter().filter(|each| each["type"] == item);
    let parts = items.flat_map(|item| item["content"].as_array().unwrap().clone());
    parts.filter_map(|part| Some(part[field].as_str()?.to_owned())).collect()
}

/// A turn of a conversation, whole.
fn some_turn() -> impl Strategy<Value = Vec<Value>> {
    let step = (0_usize..4, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(calls, thinks, talks, shows)| {
        let mut items = Vec::new();
        if thinks {
            let content = json!([{"type": "reasoning_text", "text": "hm"}]);
            items.push(json!({"type": "reasoning", "summary": [], "content": content}));
        }
        if talks {
            items.push(json!({"role": "assistant", "content": "so"}));
        }
        let output = || {
            let image = json!([{"type": "input_image", "image_url": "data:image/png;base64,AA"}]);
            if shows { image } else { json!("done") }
        };
        let call = |at| json!({"type": "function_call", "call_id": format!("c{at}"), "name": "f", "arguments": "{}"});
        let answer = |at| json!({"type": "function_call_output", "call_id": format!("c{at}"), "output": output()});
        items.extend((0..calls).map(call));
        items.extend((0..calls).map(answer));
        items
    });
    let words = prop_oneof![
        Just(json!({"role": "user", "content": "go"})),
        Just(json!({"role": "developer", "content": "the folder changed"})),
    ];
    let interruption = (any::<prop::sample::Index>(), words.clone());
    let interruptions = prop::collection::vec(interruption, 0..3);
    (prop::collection::vec(step, 0..4), interruptions, words).prop_map(|(steps, interruptions, words)| {
        let mut items = steps.concat();
        for (at, words) in interruptions {
            items.insert(at.index(items.len() + 1), words);
        }
        items.push(words);
        items
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_stream_folds_to_all_that_was_said(bits in prop::collection::vec(some_bits(), 0..12), habits in some_habits()) {
        let events = events(&plain_request(), &stream(&bits, habits));
        check_order(&events);
        let response = fold(&events);
        let expected = |part: fn(&Bits) -> &str| bits.iter().map(part).collect::<String>();
        prop_assert_eq!(said(&response, "message", "text"), expected(|bits| &bits.text));
        prop_assert_eq!(said(&response, "message", "refusal"), expected(|bits| &bits.refusal));
        prop_assert_eq!(said(&response, "reasoning", "text"), expected(|bits| &bits.thought));

        let pieces = || bits.iter().flat_map(|bits| &bits.calls);
        let calls: Vec<_> = output(&response).into_iter().filter(|item| item["type"] == "function_call").collect();
        for at in 0..4 {
            let expected: String = pieces().filter(|(of, _)| *of == at).map(|(_, piece)| piece.as_str()).collect();
            let name = format!("f{at}");
            let seen: Vec<_> = calls.iter().filter(|call| call["name"] == *name).collect();
            prop_assert_eq!(seen.len(), usize::from(pieces().any(|(of, _)| *of == at)));
            prop_assert!(seen.iter().all(|call| call["arguments"] == *expected));
        }
        let ids: std::collections::BTreeSet<_> = calls.iter().map(|call| call["call_id"].to_string()).collect();
        prop_assert_eq!(ids.len(), calls.len());
    }

    #[test]
    fn a_stream_that_is_cut_anywhere_has_no_end_and_its_events_are_the_beginning_of_the_whole(
        bits in prop::collection::vec(some_bits(), 1..8), habits in some_habits(), at in any::<prop::sample::Index>(),
    ) {
        let whole = stream(&bits, habits);
        let at = at.index(bits.len());
        let cut = events(&plain_request(), &whole[..at]);
        let all = events(&plain_request(), &whole);
        prop_assert_eq!(&all[..cut.len()], cut.as_slice());
        prop_assert!(!cut.iter().any(|event| event["type"] == "response.completed"));
    }

    #[test]
    fn the_messages_of_a_longer_conversation_begin_with_those_of_the_shorter(
        turns in prop::collection::vec(some_turn(), 1..6), at in any::<prop::sample::Index>(),
    ) {
        let opening = json!([{"role": "developer", "content": "rules"}, {"role": "user", "content": "go"}]);
        let all = |turns: &[Vec<Value>]| Value::from([opening.as_array().unwrap().clone(), turns.concat()].concat());
        let shorter = messages(&all(&turns[..at.index(turns.len())]));
        let longer = messages(&all(&turns));
        let (last, shorter) = shorter.as_array().unwrap().split_last().unwrap();
        let (same, rest) = longer.as_array().unwrap().split_at(shorter.len());
        prop_assert_eq!(same, shorter);
        // The user may go on speaking.
        let goes_on = match (&last["content"], &rest[0]["content"]) {
            (Value::String(shorter), Value::String(longer)) => longer.starts_with(shorter),
            (Value::Array(shorter), Value::Array(longer)) => longer.starts_with(shorter),
            _ => false,
        };
        prop_assert!(&rest[0] == last || (last["role"] == "user" && goes_on), "{} {}", last, rest[0]);
    }

    #[test]
    fn the_answers_to_calls_follow_them_at_once(turns in prop::collection::vec(some_turn(), 1..6)) {
        let items = turns.concat();
        let sent = messages(&Value::from(items.clone()));
        let mut rest = sent.as_array().unwrap().as_slice();
        while let [first, after @ ..] = rest {
            let calls = first["tool_calls"].as_array().map_or(&[][..], Vec::as_slice);
            let (answers, next) = after.split_at(calls.len());
            prop_assert!(first["role"] != "tool", "{}", first);
            for call in calls {
                prop_assert_eq!(answers.iter().filter(|answer| answer["tool_call_id"] == call["id"]).count(), 1);
            }
            rest = next;
        }
        let answers = items.iter().filter(|item| item["type"] == "function_call_output").count();
        prop_assert_eq!(sent.as_array().unwrap().iter().filter(|message| message["role"] == "tool").count(), answers);
    }

    #[test]
    fn what_a_server_said_is_sent_back_to_it_word_for_word(bits in prop::collection::vec(some_bits(), 0..6), habits in some_habits()) {
        let response = fold(&events(&plain_request(), &stream(&bits, habits)));
        let mut input = vec![json!({"role": "user", "content": "hi"})];
        input.extend(output(&response));
        let ids = output(&response).into_iter().filter_map(|item| Some(item["call_id"].as_str()?.to_owned()));
        let ids: Vec<_> = ids.collect();
        input.extend(ids.iter().map(|id| json!({"type": "function_call_output", "call_id": id, "output": "done"})));
        input.push(json!({"role": "user", "content": "on"}));
        let sent = messages(&json!(input));
        let calls = |message: &Value| message["tool_calls"].as_array().map_or(0, Vec::len);
        prop_assert_eq!(sent.as_array().unwrap().iter().map(calls).sum::<usize>(), ids.len());
        let own: Vec<_> = sent.as_array().unwrap().iter().filter(|message| message["role"] == "assistant").collect();
        prop_assert!(own.len() <= 1);
        let strip = |text: &str| text.replace("\n\n", "");
        let expected: String = output(&response).iter().filter(|item| item["type"] == "message")
            .flat_map(|item| item["content"].as_array().unwrap().clone())
            .map(|part| part["text"].as_str().or(part["refusal"].as_str()).unwrap().to_owned()).collect();
        let seen = own.first().and_then(|message| message["content"].as_str()).unwrap_or_default();
        prop_assert_eq!(strip(seen), strip(&expected));
    }
}
