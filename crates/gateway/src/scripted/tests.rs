use std::sync::Arc;
use std::time::Duration;

use responses::error::ApiError;
use responses::event::{ServerEvent, Stage};
use responses::fold::{Fold, IncompleteReason, Response};
use responses::id::{CallId, ResponseId};
use responses::item::{Item, ItemView, Role};
use responses::request::Request;
use responses::usage::Usage;

use super::Scripted;
use super::teller::{Teller, Told};
use crate::backend::{Ask, Said};

fn ask_with(items: Vec<Item>, request: &str) -> Ask {
    let new_items = items.len();
    let request = Arc::new(Request::parse(request).unwrap());
    Ask { model: "scripted".into(), request, previous: None, items, new_items }
}

fn ask(message: &str) -> Ask {
    ask_with(vec![Item::user(message)], r#"{"tools":[{"type":"custom","name":"patch"}]}"#)
}

/// All events, silence passed over; and the error, if it ends with one.
fn told(ask: &Ask) -> (Vec<String>, Option<Box<ApiError>>) {
    rest(&mut Teller::new(ask))
}

fn rest(teller: &mut Teller) -> (Vec<String>, Option<Box<ApiError>>) {
    let mut events = Vec::new();
    loop {
        match teller.next() {
            Told::Event(event) => events.push(event),
            Told::Silence(_) => {}
            Told::Failed(error) => return (events, Some(error)),
            Told::Ended => return (events, None),
        }
    }
}

fn folded(events: &[String]) -> Response {
    let mut fold = Fold::default();
    for (at, event) in events.iter().enumerate() {
        let event = ServerEvent::parse(event).unwrap();
        assert_eq!(event.sequence, Some(at as u64));
        fold.push(&event).unwrap();
    }
    fold.finish().unwrap()
}

fn response(ask: &Ask) -> Response {
    let (events, error) = told(ask);
    assert_eq!(error, None);
    folded(&events)
}

/// What a response says, item by item: one word for its kind, then its text.
fn outline(output: &[Item]) -> Vec<String> {
    let line = |item: &Item| match item.view() {
        ItemView::Message(message) => {
            let kind = if item.text().contains(r#""type":"refusal""#) { "refuses" } else { "says" };
            format!("{kind} {}", message.content.to_text())
        }
        ItemView::Reasoning(thought) => format!("thinks {}", thought.summary.unwrap()[0].text),
        ItemView::FunctionCall(call) => format!("calls {} {}", call.name, call.arguments),
        ItemView::CustomToolCall(call) => format!("asks {} {}", call.name, call.input),
        _ => panic!("{item:?}"),
    };
    output.iter().map(line).collect()
}

fn answer(ask: &Ask) -> Vec<String> {
    outline(response(ask).output())
}

/// The conversation after its calls were answered, each with its number.
fn answered(mut items: Vec<Item>, response: &Response) -> Vec<Item> {
    items.extend(response.output().iter().cloned());
    let calls: Vec<_> = response.output().iter().filter_map(Item::call).collect();
    for (number, call) in calls.iter().enumerate() {
        items.push(Item::function_output(call, &format!("r{number}")));
    }
    items
}

#[test]
fn each_kind_of_item_is_told_by_the_events_and_in_the_order_of_the_service() {
    for (message, golden) in [
        ("say hi you", include_str!("golden/message.jsonl")),
        ("think so so", include_str!("golden/reasoning.jsonl")),
        (r#"call add {"numbers":[17,4]}"#, include_str!("golden/function_call.jsonl")),
        ("call patch *** Begin Patch ***", include_str!("golden/custom_tool_call.jsonl")),
        ("refuse not this", include_str!("golden/refusal.jsonl")),
        ("say hi\nfail slow_down not now", include_str!("golden/failed.jsonl")),
        ("length 2\ncount 3", include_str!("golden/incomplete.jsonl")),
    ] {
        let (events, _) = told(&ask(message));
        let golden: Vec<_> = golden.lines().collect();
        assert_eq!(events, golden, "{message}");
    }
}

#[test]
fn a_message_is_a_script_with_one_step_on_each_line() {
    for (message, expected) in [
        ("hello  there", vec!["says You said: hello  there"]),
        ("say one two\nsay three", vec!["says one two", "says three"]),
        ("please\nsay yes\nthank you", vec!["says yes"]),
        ("count 4", vec!["says 1 2 3 4"]),
        ("bytes 3", vec!["says abc"]),
        ("think hm\nsay x", vec!["thinks hm", "says x"]),
        ("refuse no", vec!["refuses no"]),
        (r#"json {"a": [1, 2]}"#, vec![r#"says {"a": [1, 2]}"#]),
        ("call a {}\ncall patch b c\nsay later", vec!["calls a {}", "asks patch b c"]),
        ("say on it\ncall a {}\nthink later", vec!["says on it", "calls a {}"]),
        ("rounds 2 add\nsay later", vec![r#"calls add {"round":1}"#]),
        ("pause 5\npace 3", vec![]),
        ("", vec!["says You said: "]),
    ] {
        assert_eq!(answer(&ask(message)), expected, "{message}");
    }
}

#[test]
fn a_delta_is_a_word_and_all_deltas_are_counted() {
    let usage = response(&ask("think a b\ncount 5")).usage().unwrap();
    assert_eq!((usage.output, usage.reasoning), (7, 2));
    let deltas = |message| told(&ask(message)).0.iter().filter(|event| event.contains(".delta\"")).count();
    assert_eq!((deltas("count 200"), deltas("bytes 10240"), deltas("say a b  c")), (200, 10, 3));
}

#[test]
fn what_went_before_counts_as_cached() {
    let (old, new) = (Item::user("an old message"), Item::user("say x"));
    let tokens = |bytes: usize| (bytes / 4) as u64;
    let expected = (tokens(old.text().len() + new.text().len()), tokens(old.text().len()));
    let ask = Ask { new_items: 1, ..ask_with(vec![old, new], "{}") };
    let usage = response(&ask).usage().unwrap();
    assert_eq!((usage.input, usage.cached), expected);
    assert_eq!(usage, Usage { output: 1, total: expected.0 + 1, ..usage });
}

#[test]
fn the_script_goes_on_behind_the_calls_that_were_answered() {
    let mut items = vec![Item::user("say a\ncall f {}\ncall g {}\nsay b\nrounds 2 h\nsay c\ncall f {}")];
    let mut seen = Vec::new();
    for _ in 0..5 {
        let response = response(&ask_with(items.clone(), "{}"));
        seen.push(outline(response.output()).join("; "));
        items = answered(items, &response);
    }
    let expected = [
        "says a; calls f {}; calls g {}",
        r#"says b; calls h {"round":1}"#,
        r#"calls h {"round":2}"#,
        "says done after 2 rounds; says c; calls f {}",
        "says Tool said: r0",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn outputs_that_nothing_follows_are_repeated() {
    let output = |name: &str, text| Item::function_output(&CallId::from(name), text);
    let items = vec![Item::user("what is it?"), output("1", "old"), Item::message(&Role::Assistant, "and?")];
    let items = [items, vec![output("2", "rain"), output("3", "wind")]].concat();
    assert_eq!(answer(&ask_with(items, "{}")), ["says Tool said: rain, wind"]);
}

#[test]
fn rounds_are_over_when_all_were_answered() {
    let mut items = vec![Item::user("rounds 30 add")];
    for round in 1..=30 {
        let response = response(&ask_with(items.clone(), "{}"));
        assert_eq!(outline(response.output()), [format!(r#"calls add {{"round":{round}}}"#)]);
        items = answered(items, &response);
    }
    assert_eq!(answer(&ask_with(items, "{}")), ["says done after 30 rounds"]);
}

#[test]
fn calls_of_different_responses_have_different_ids() {
    let first = ask(r"call a {}");
    let second = Ask { previous: Some(ResponseId::from("resp_1")), ..first.clone() };
    let id = |ask| response(ask).output()[0].call().unwrap();
    assert_eq!(id(&first), id(&first));
    assert_ne!(id(&first), id(&second));
    assert_ne!(id(&first), id(&ask(r"call b {}")));
    let two = response(&ask("call a {}\ncall a {}"));
    assert_ne!(two.output()[0].call(), two.output()[1].call());
}

#[test]
fn a_tool_of_a_group_is_called_with_the_name_of_its_group() {
    let tools = r#"{"tools":[{"type":"namespace","name":"files","tools":[{"type":"custom","name":"edit"}]}]}"#;
    let response = response(&ask_with(vec![Item::user("call edit a b")], tools));
    let ItemView::CustomToolCall(call) = response.output()[0].view() else { panic!() };
    assert_eq!((call.namespace.as_deref(), &*call.input), (Some("files"), "a b"));
}

#[test]
fn earlier_user_messages_are_recalled() {
    let items = vec![
        Item::message(&Role::Developer, "be brief"),
        Item::user("my name is Ada"),
        Item::message(&Role::Assistant, "noted"),
        Item::user("I like tea"),
        Item::user("recall"),
    ];
    assert_eq!(answer(&ask_with(items, "{}")), ["says my name is Ada\nI like tea"]);
}

#[test]
fn a_context_that_ends_with_a_developers_message_is_summarised() {
    let items = vec![
        Item::user("my name is Ada"),
        Item::message(&Role::Assistant, "noted"),
        Item::user("say a b"),
        Item::message(&Role::Developer, "write a summary\nsay no"),
    ];
    let request = r#"{"max_output_tokens":16}"#;
    assert_eq!(answer(&ask_with(items, request)), ["says Summary of 3 items: my name is Ada | say a b"]);
}

#[test]
fn a_schema_is_satisfied_in_place_of_any_text_but_json() {
    let request = r#"{"text":{"format":{"type":"json_schema","name":"p","schema":{"type":"object",
        "properties":{"name":{"type":"string"},"age":{"type":"integer"}}}}}}"#;
    for (message, expected) in [
        ("who?", vec![r#"says {"name":"","age":0}"#]),
        ("think hm\nsay hello", vec!["thinks hm", r#"says {"name":"","age":0}"#]),
        (r#"json {"name":"Ada"}"#, vec![r#"says {"name":"Ada"}"#]),
        ("call a {}", vec!["calls a {}"]),
        ("refuse no", vec!["refuses no"]),
    ] {
        assert_eq!(answer(&ask_with(vec![Item::user(message)], request)), expected, "{message}");
    }
    let request = r#"{"text":{"format":{"type":"json_object"}}}"#;
    assert_eq!(answer(&ask_with(vec![Item::user("who?")], request)), ["says {}"]);
    let request = r#"{"text":{"format":{"type":"text"}}}"#;
    assert_eq!(answer(&ask_with(vec![Item::user("who?")], request)), ["says You said: who?"]);
}

#[test]
fn an_answer_ends_at_its_limit_wherever_that_is() {
    for (message, request, expected) in [
        ("length 2\nsay a b c", "{}", vec!["says a b"]),
        ("say a b c\nlength 2", "{}", vec!["says a b"]),
        ("length 2\nsay a b\nsay c", "{}", vec!["says a b"]),
        ("length 0\nsay a", "{}", vec![]),
        ("count 100", r#"{"max_output_tokens":16}"#, vec!["says 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"]),
        ("length 3\ncount 100", r#"{"max_output_tokens":16}"#, vec!["says 1 2 3"]),
    ] {
        let response = response(&ask_with(vec![Item::user(message)], request));
        assert_eq!(outline(response.output()), expected, "{message}");
        assert_eq!(response.incomplete_reason(), Some(&IncompleteReason::MaxOutputTokens), "{message}");
    }
    assert_eq!(response(&ask("length 2\nsay a b")).stage(), Stage::Completed);
}

#[test]
fn a_failed_response_says_why() {
    let response = response(&ask("say a\nfail rate_limit_exceeded try again in 2s\nsay b"));
    let error = response.error().unwrap();
    assert_eq!((response.stage(), error.code.as_deref()), (Stage::Failed, Some("rate_limit_exceeded")));
    assert_eq!((&*error.message, error.wait), ("try again in 2s", Some(Duration::from_secs(2))));
    assert_eq!(outline(response.output()), ["says a"]);
}

#[test]
fn a_rejection_comes_before_anything_is_said() {
    let (events, error) = told(&ask("think hm\nsay a\nreject 429 slow_down not so fast"));
    let error = error.unwrap();
    assert!(events.is_empty());
    assert_eq!((error.status, error.code.as_deref(), &*error.message), (Some(429), Some("slow_down"), "not so fast"));
}

#[test]
fn a_source_that_dies_does_not_end_its_response() {
    let (events, error) = told(&ask("say a b\ndie\nsay c"));
    assert_eq!(error.unwrap().status, Some(502));
    assert!(events.last().unwrap().contains("response.output_item.done"));
    let mut fold = Fold::default();
    for event in &events {
        fold.push(&ServerEvent::parse(event).unwrap()).unwrap();
    }
    assert!(fold.finish().is_err());
}

/// Tells so many events, then steers, and gives the response.
fn steered_after(events: usize, message: &str) -> Response {
    let mut teller = Teller::new(&ask(message));
    let mut seen = Vec::new();
    while seen.len() < events {
        let Told::Event(event) = teller.next() else { panic!("silence, or the end") };
        seen.push(event);
    }
    assert!(teller.end_early());
    seen.extend(rest(&mut teller).0);
    folded(&seen)
}

#[test]
fn a_steered_answer_closes_its_item_before_the_next_delta() {
    // Two events of the response, two that open the item, then its deltas.
    let response = steered_after(6, "count 100\nsay more");
    assert_eq!(outline(response.output()), ["says 1 2"]);
    assert!(!response.output()[0].is_whole());
    assert_eq!(response.incomplete_reason(), Some(&IncompleteReason::Steered));
}

#[test]
fn a_steer_ends_any_script_at_any_event_and_never_breaks_its_stream() {
    let message = "think a b\nsay c d\npause 5\npace 1\ncall patch one two three four five\nfail x y";
    for events in 0..15 {
        let response = steered_after(events, message);
        assert_eq!(response.incomplete_reason(), Some(&IncompleteReason::Steered), "after {events}");
    }
}

#[test]
fn a_steer_that_finds_all_said_changes_nothing() {
    let mut teller = Teller::new(&ask("say a"));
    let Told::Event(created) = teller.next() else { panic!() };
    let (events, _) = rest(&mut teller);
    assert!(!teller.end_early());
    assert_eq!(folded(&[vec![created], events].concat()).stage(), Stage::Completed);
    // All words were said, the item is still open: it is whole, and so is the response.
    let response = steered_after(5, "say a");
    assert_eq!((response.stage(), response.output()[0].is_whole()), (Stage::Completed, true));
}

async fn collect(scripted: &mut Scripted) -> (usize, Option<Box<ApiError>>) {
    let mut events = 0;
    loop {
        match scripted.next().await {
            Said::Event(_) => events += 1,
            Said::Failed(error) => return (events, Some(error)),
            Said::Steered | Said::Ended => return (events, None),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn silence_takes_its_time_and_nothing_else_does() {
    for (message, expected) in
        [("say a b\nsay c", 0), ("pause 70\nsay a", 70), ("pace 10\ncount 5\npause 3\nsay a", 63)]
    {
        let begun = tokio::time::Instant::now();
        let (_, error) = collect(&mut Scripted::new(&ask(message))).await;
        assert_eq!((begun.elapsed(), error), (Duration::from_millis(expected), None), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_dropped_is_taken_up_again() {
    let begun = tokio::time::Instant::now();
    let mut scripted = Scripted::new(&ask("pace 10\ncount 5"));
    let mut events = 0;
    loop {
        match tokio::time::timeout(Duration::from_millis(1), scripted.next()).await {
            Ok(Said::Event(_)) => events += 1,
            Ok(end) => break assert!(matches!(end, Said::Ended)),
            Err(_) => {}
        }
    }
    assert_eq!((events, begun.elapsed()), (2 + 2 + 5 + 3 + 1, Duration::from_millis(50)));
}

#[tokio::test(start_paused = true)]
async fn a_steer_ends_the_silence() {
    let begun = tokio::time::Instant::now();
    let mut scripted = Scripted::new(&ask("pause 60000\nsay a"));
    let _ = tokio::time::timeout(Duration::from_millis(5), collect(&mut scripted)).await;
    assert!(scripted.end_early());
    let (events, _) = collect(&mut scripted).await;
    assert_eq!((events, begun.elapsed()), (1, Duration::from_millis(5)));
}
