//! A response without a backend and without a network: what is said of it, and to whom.

use std::sync::Arc;
use std::time::Duration;

use responses::chain::{Context, RunRequest};
use responses::error::ApiError;
use responses::event::{ServerEvent, Stage};
use responses::fold::Response;
use responses::id::ResponseId;
use responses::item::Item;
use responses::json::{Object, Read};
use responses::request::Request;
use tokio::time::timeout;

use super::account::Told;
use super::log::{Event, Heard, Live, Order, Outcome};
use super::runs::{Idempotency, Replay, Runs};
use super::shape::{Ending, Shape, Taken};
use crate::owner::Owner;

fn shape() -> Shape {
    let request =
        Request::parse(r#"{"model":"m","tools":[{"type":"function","name":"f"}],"reasoning":{"effort":"low"}}"#);
    let (request, previous) = (Arc::new(request.unwrap()), Some(ResponseId::from("resp_0")));
    let run = RunRequest { request, previous, context: Context::default(), new_items: 0, parent: None };
    Shape::new(&ResponseId::from("resp_1"), 100, &run, &Told { left_behind: &[], past_stored: true })
}

const ITEM: &str = r#"{"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[]}"#;

fn added(index: u32) -> String {
    format!(
        r#"{{"type":"response.output_item.added","output_index":{index},"item":{{"id":"msg_1","type":"message"}}}}"#
    )
}

fn done(index: u32) -> String {
    format!(r#"{{"type":"response.output_item.done","output_index":{index},"item":{ITEM}}}"#)
}

fn delta(number: u64) -> String {
    format!(
        r#"{{"type":"response.output_text.delta","sequence_number":{number},"output_index":0,"content_index":0,"item_id":"msg_1","delta":"x"}}"#
    )
}

fn ended(shape: Shape, ending: &Ending) -> (Response, Vec<Event>) {
    let mut out = Vec::new();
    let response = shape.end(ending, 200, &mut out).unwrap();
    (response, out)
}

fn field<T: for<'a> Read<'a>>(response: &Response, key: &'static str) -> Option<T> {
    response.field(key).unwrap()
}

#[test]
fn a_response_has_our_id_and_our_numbers_whatever_the_backend_says() {
    let (mut shape, mut out) = (shape(), Vec::new());
    shape.begin(&mut out);
    for text in [
        r#"{"type":"response.created","sequence_number":7,"response":{"id":"theirs"}}"#,
        &added(0),
        &delta(3),
        &delta(99),
        &done(0),
    ] {
        assert_eq!(shape.take(text, &mut out), Taken::More, "{text}");
    }
    let last = r#"{"type":"response.completed","response":{"id":"theirs","status":"completed","model":"their-model","usage":{"input_tokens":3,"output_tokens":2}}}"#;
    assert_eq!(shape.take(last, &mut out), Taken::Last);
    let (response, end) = ended(shape, &Ending::Told);
    out.extend(end);
    let kinds: Vec<&str> = out.iter().map(|event| &*event.kind).collect();
    let delta = "response.output_text.delta";
    let item = ["response.output_item.added", delta, delta, "response.output_item.done"];
    assert_eq!(kinds[..2], ["response.created", "response.in_progress"]);
    assert_eq!((&kinds[2..6], kinds[6..].to_vec()), (&item[..], vec!["response.completed"]));
    for (number, event) in (0..).zip(&out) {
        assert_eq!(ServerEvent::parse(&event.text).unwrap().sequence, Some(number), "{}", event.text);
        assert!(!event.text.contains("theirs"), "{}", event.text);
    }
    assert_eq!((response.id().as_str(), response.stage(), response.output().len()), ("resp_1", Stage::Completed, 1));
    assert_eq!(field::<Box<str>>(&response, "model").as_deref(), Some("m"));
    assert_eq!(response.usage().map(|usage| (usage.input, usage.output, usage.total)), Some((3, 2, 5)));
    assert_eq!(field::<u64>(&response, "completed_at"), Some(200));
}

#[test]
fn a_response_tells_every_field_that_clients_expect() {
    let shape = shape();
    let now = shape.now(Stage::InProgress);
    let object = Object::parse(now.text()).unwrap();
    for key in [
        "id",
        "object",
        "created_at",
        "status",
        "background",
        "completed_at",
        "error",
        "incomplete_details",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "output",
        "parallel_tool_calls",
        "presence_penalty",
        "frequency_penalty",
        "previous_response_id",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "service_tier",
        "store",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "usage",
        "user",
    ] {
        assert!(object.get(key).is_some(), "{key}");
    }
    assert_eq!(object.get("reasoning"), Some(r#"{"effort":"low","summary":null}"#));
    assert_eq!(
        object.get("tools"),
        Some(r#"[{"type":"function","name":"f","description":null,"parameters":null,"strict":null}]"#)
    );
    assert_eq!(object.get("previous_response_id"), Some(r#""resp_0""#));
}

#[test]
fn items_that_a_backend_names_only_at_the_end_are_told_before_it() {
    let (mut shape, mut out) = (shape(), Vec::new());
    shape.begin(&mut out);
    let last =
        format!(r#"{{"type":"response.completed","response":{{"id":"x","status":"completed","output":[{ITEM}]}}}}"#);
    assert_eq!(shape.take(&last, &mut out), Taken::Last);
    let (response, end) = ended(shape, &Ending::Told);
    let kinds: Vec<&str> = end.iter().map(|event| &*event.kind).collect();
    assert_eq!(kinds, ["response.output_item.added", "response.output_item.done", "response.completed"]);
    assert_eq!(response.output(), [Item::parse(ITEM).unwrap()]);
}

#[test]
fn items_without_ids_are_all_told_and_none_twice() {
    let (mut shape, mut out) = (shape(), Vec::new());
    let item = |text: &str| {
        format!(r#"{{"type":"message","role":"assistant","content":[{{"type":"output_text","text":"{text}"}}]}}"#)
    };
    let (a, b, c) = (item("a"), item("b"), item("c"));
    shape.take(&format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{a}}}"#), &mut out);
    let last = format!(
        r#"{{"type":"response.completed","response":{{"id":"x","status":"completed","output":[{a},{b},{c}]}}}}"#
    );
    shape.take(&last, &mut out);
    let (response, _) = ended(shape, &Ending::Told);
    assert_eq!(response.output().iter().map(Item::text).collect::<Vec<_>>(), [&a, &b, &c]);
}

#[test]
fn an_interrupt_gives_up_what_is_not_whole_and_keeps_what_is() {
    let (mut shape, mut out) = (shape(), Vec::new());
    shape.begin(&mut out);
    for text in [added(0), done(0), added(1)] {
        shape.take(&text, &mut out);
    }
    let (response, end) = ended(shape, &Ending::Early("interrupted"));
    let kinds: Vec<&str> = end.iter().map(|event| &*event.kind).collect();
    assert_eq!(kinds, ["response.output_item.interrupted", "response.incomplete"]);
    assert_eq!((response.stage(), response.output().len()), (Stage::Incomplete, 1));
    assert_eq!(response.incomplete_reason().map(|reason| reason.as_str().to_owned()).as_deref(), Some("interrupted"));
}

#[test]
fn a_cancelled_response_says_so_and_a_failed_one_says_why() {
    let (response, end) = ended(shape(), &Ending::Cancelled);
    assert_eq!(field::<Box<str>>(&response, "status").as_deref(), Some("cancelled"));
    assert_eq!(&*end.last().unwrap().kind, "response.incomplete");
    let error = ApiError::report(502, Some("server_error"), None, "it broke off");
    let (response, end) = ended(shape(), &Ending::Failed(error));
    assert_eq!(response.error().map(|error| &*error.message), Some("it broke off"));
    assert_eq!(&*end.last().unwrap().kind, "response.failed");
}

#[test]
fn a_failure_before_any_item_is_the_backends_and_after_one_the_responses() {
    let failed = r#"{"type":"response.failed","response":{"id":"x","status":"failed","error":{"code":"server_error","message":"m"}}}"#;
    let (mut early, mut out) = (shape(), Vec::new());
    assert_eq!(early.take(failed, &mut out), Taken::Last);
    assert_eq!(early.early_failure().map(|error| error.message.to_string()).as_deref(), Some("m"));
    let mut late = shape();
    late.take(&added(0), &mut out);
    assert_eq!(late.take(failed, &mut out), Taken::Last);
    assert_eq!(late.early_failure(), None);
    let (response, _) = ended(late, &Ending::Told);
    assert_eq!(
        (response.stage(), response.error().and_then(|error| error.code.as_deref())),
        (Stage::Failed, Some("server_error"))
    );
}

#[test]
fn items_of_ours_come_first_and_move_those_of_the_backend() {
    let (mut shape, mut out) = (shape(), Vec::new());
    shape.begin(&mut out);
    let own = r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"cmp_1","type":"compaction","encrypted_content":"x"}}"#;
    shape.take(own, &mut out);
    shape.after_own_item();
    assert!(!shape.has_items(), "another backend may still make the rest");
    shape.take(&added(0), &mut out);
    shape.take(&done(0), &mut out);
    assert!(shape.has_items());
    shape.take(r#"{"type":"response.completed","response":{"id":"x","status":"completed","output":[]}}"#, &mut out);
    let (response, _) = ended(shape, &Ending::Told);
    let kinds: Vec<_> = response.output().iter().map(|item| item.id().unwrap().into_owned()).collect();
    assert_eq!(kinds, ["cmp_1", "msg_1"]);
    let index = |event: &Event| Object::parse(&event.text).unwrap().read::<Option<u32>>("output_index").unwrap();
    assert_eq!(out.iter().filter_map(index).collect::<Vec<_>>(), [0, 1, 1]);
}

fn live(owner: &str) -> Arc<Live> {
    let run =
        RunRequest { request: Arc::default(), previous: None, context: Context::default(), new_items: 0, parent: None };
    Arc::new(Live::new(ResponseId::from(format!("resp_{owner}")), Owner::of_key(owner), run, false).0)
}

fn events(count: usize, size: usize) -> Vec<Event> {
    (0..count).map(|_| Event { kind: "k".into(), text: "x".repeat(size).into() }).collect()
}

fn end(live: &Live) {
    let (response, mut out) = ended(shape(), &Ending::Cancelled);
    let outcome = Outcome { stage: response.stage(), response: response.json().clone(), context: Context::default() };
    live.end(&mut out, outcome);
}

async fn all(mut watch: super::log::Watch) -> usize {
    let mut count = 0;
    loop {
        match watch.next().await {
            Heard::Events(events) => count += events.len(),
            Heard::Ended(_) | Heard::Refused(_) => return count,
        }
    }
}

#[tokio::test]
async fn everybody_who_listens_hears_each_event_once_from_where_they_began() {
    let live = live("a");
    live.say(&mut events(100, 10));
    let (first, late) = (live.watch(0), live.watch(40));
    live.say(&mut events(100, 10));
    end(&live);
    let last = live.count() - 200;
    assert_eq!((all(first).await, all(late).await, all(live.watch(0)).await), (200 + last, 160 + last, 200 + last));
}

#[tokio::test(start_paused = true)]
async fn a_response_waits_for_a_listener_that_reads_slowly_and_not_for_one_that_left() {
    let live = live("a");
    let waits = async |live: &Live| timeout(Duration::from_secs(1), live.room()).await.is_err();
    live.say(&mut events(64, 16 << 10));
    assert!(!waits(&live).await, "nobody listens");
    let mut slow = live.watch(0);
    assert!(waits(&live).await, "somebody listens, and has heard nothing");
    slow.next().await;
    assert!(!waits(&live).await, "all was heard");
    live.say(&mut events(64, 16 << 10));
    assert!(waits(&live).await);
    let mut quick = live.watch(64);
    quick.next().await;
    assert!(!waits(&live).await, "whoever is ahead counts");
    live.say(&mut events(64, 16 << 10));
    assert!(waits(&live).await);
    drop((slow, quick));
    assert!(!waits(&live).await, "everybody left");
}

#[tokio::test(start_paused = true)]
async fn a_response_is_deserted_when_nobody_came_back_for_the_whole_grace() {
    let (live, grace) = (live("a"), Duration::from_mins(1));
    let deserted = live.deserted(grace);
    tokio::pin!(deserted);
    let within = |time| Duration::from_secs(time);
    assert!(timeout(within(50), deserted.as_mut()).await.is_err());
    drop(live.watch(0));
    assert!(timeout(within(50), deserted.as_mut()).await.is_err(), "somebody was there ten seconds ago");
    let watch = live.watch(0);
    assert!(timeout(within(1000), deserted.as_mut()).await.is_err(), "somebody is there");
    drop(watch);
    assert!(timeout(within(130), deserted.as_mut()).await.is_ok());
}

#[tokio::test]
async fn a_response_exists_for_its_owner_and_for_nobody_else() {
    let runs = Runs::new(Replay { age: Duration::from_mins(1), bytes: 1 << 20 });
    let live = live("a");
    runs.insert(Arc::clone(&live), None).unwrap();
    let (a, b) = (Owner::of_key("a"), Owner::of_key("b"));
    assert!(runs.find(&a, &live.id).is_some() && runs.find(&b, &live.id).is_none());
    assert!(runs.forget(&b, &live.id).is_none() && runs.find(&a, &live.id).is_some());
    assert!(runs.forget(&a, &live.id).is_some() && runs.find(&a, &live.id).is_none());
}

#[tokio::test(start_paused = true)]
async fn what_ended_is_forgotten_by_age_and_by_size_and_what_runs_is_not() {
    let runs = Runs::new(Replay { age: Duration::from_mins(1), bytes: 3000 });
    let all: Vec<_> = ["a", "b", "c", "running"].map(live).into();
    for live in &all {
        runs.insert(Arc::clone(live), None).unwrap();
    }
    for live in &all[..3] {
        live.say(&mut events(1, 1000));
        tokio::time::advance(Duration::from_secs(1)).await;
        live.refuse(ApiError::default());
    }
    let there = || all.iter().map(|live| runs.find(&live.owner, &live.id).is_some()).collect::<Vec<_>>();
    runs.sweep(tokio::time::Instant::now());
    assert_eq!(there(), [true, true, true, true]);
    all[2].say(&mut events(1, 1));
    runs.sweep(tokio::time::Instant::now());
    assert_eq!(there(), [false, true, true, true], "too much: the oldest goes");
    tokio::time::advance(Duration::from_secs(61)).await;
    runs.sweep(tokio::time::Instant::now());
    assert_eq!(there(), [false, false, false, true], "too old");
}

#[tokio::test]
async fn the_same_key_is_the_same_response_and_the_same_key_for_something_else_is_a_mistake() {
    let runs = Runs::new(Replay { age: Duration::from_mins(1), bytes: 1 << 20 });
    let asked = |digest| Idempotency { key: "k".into(), digest: [digest; 32] };
    let (first, again) = (live("a"), live("a"));
    assert!(runs.insert(Arc::clone(&first), Some(&asked(1))).unwrap().is_none());
    let before = runs.insert(again, Some(&asked(1))).unwrap().unwrap();
    assert!(Arc::ptr_eq(&before, &first));
    assert_eq!(runs.insert(live("a"), Some(&asked(2))).unwrap_err().status, Some(422));
    assert!(runs.insert(live("b"), Some(&asked(2))).unwrap().is_none(), "another owner has keys of its own");
    runs.forget(&first.owner, &first.id);
    assert!(runs.asked(&first.owner, &asked(2)).unwrap().is_none(), "a response that is gone was never asked for");
}

#[tokio::test]
async fn orders_beyond_what_anybody_waits_for_are_dropped_and_block_nobody() {
    let run =
        RunRequest { request: Arc::default(), previous: None, context: Context::default(), new_items: 0, parent: None };
    let (live, mut orders) = Live::new("resp_1".into(), Owner::nobody(), run, false);
    for _ in 0..100 {
        live.order(Order::Cancel);
    }
    let mut taken = 0;
    while orders.try_recv().is_ok() {
        taken += 1;
    }
    assert_eq!(taken, super::log::MAX_ORDERS);
}

/// The stream of a server that speaks the Responses API, with all that it adds, and what our client hears of it.
#[test]
fn the_words_of_a_responses_backend_become_the_events_of_our_response() {
    let (mut shape, mut out) = (shape(), Vec::new());
    for line in include_str!("golden/responses.upstream.jsonl").lines() {
        let taken = shape.take(line, &mut out);
        assert_eq!(taken == Taken::Last, line.contains("response.completed"), "{line}");
    }
    let (_, end) = ended(shape, &Ending::Told);
    out.extend(end);
    let told: Vec<&str> = out.iter().map(|event| &*event.text).collect();
    let expected: Vec<&str> = include_str!("golden/responses.told.jsonl").lines().collect();
    assert_eq!(told.join("\n"), expected.join("\n"));
}
