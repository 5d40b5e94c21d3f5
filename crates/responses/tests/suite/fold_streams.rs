//! Streams in all the shapes that servers and networks give them, and the one response that each of them is.

mod script;

use proptest::prelude::*;
use responses::event::{ServerEvent, Stage};
use responses::fold::{self, Fold, FoldError, Folded, IncompleteReason, MAX_OUTPUT_ITEMS, Response};
use responses::json::WireError;
use responses::usage::Usage;
use script::{End, Output, Scripted, every_kind, interleaved, number, response, stream};
use serde_json::{Value, json};

const ENDS: [End; 3] = [End::Completed, End::Incomplete, End::Failed];
const OUTPUTS: [Output; 4] = [Output::All, Output::Empty, Output::Null, Output::Absent];

/// Everything that comes, whether the response has ended or not.
fn fold(events: &[Value]) -> Result<Response, FoldError> {
    let mut fold = Fold::default();
    for event in events {
        fold.push(&ServerEvent::parse(&event.to_string())?)?;
    }
    fold.finish()
}

/// As a reader does it who stops at the end.
fn fold_to_the_end(events: &[Value]) -> Result<Response, FoldError> {
    let mut fold = Fold::default();
    for event in events {
        if fold.push(&ServerEvent::parse(&event.to_string())?)? == Folded::Ended {
            break;
        }
    }
    fold.finish()
}

fn values(response: &Response) -> Vec<Value> {
    response.output().iter().map(|item| serde_json::from_str(item.text()).unwrap()).collect()
}

fn scripted(items: &[Scripted]) -> Vec<Value> {
    items.iter().map(|scripted| scripted.item.clone()).collect()
}

fn whole(items: &[Scripted], end: End) -> Response {
    fold::whole(&response(items, end, Output::All).to_string()).unwrap()
}

fn some_items() -> impl Strategy<Value = Vec<Scripted>> {
    prop::collection::vec(prop::sample::select(every_kind()), 0..5)
}

fn some_end() -> impl Strategy<Value = End> {
    prop::sample::select(ENDS.to_vec())
}

fn some_output() -> impl Strategy<Value = Output> {
    prop::sample::select(OUTPUTS.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn not_streaming_is_the_fold_of_streaming(items in some_items(), end in some_end(), output in some_output()) {
        let folded = fold_to_the_end(&stream(&items, end, output)).unwrap();
        prop_assert_eq!(values(&folded), scripted(&items));
        prop_assert_eq!(&fold::whole(folded.json().text()).unwrap(), &folded);
        let mut expected = whole(&items, end);
        if output == Output::Absent {
            // The field was not there to say where it belongs: it comes last.
            let json: Value = serde_json::from_str(folded.json().text()).unwrap();
            prop_assert_eq!(json, response(&items, end, Output::All));
            expected = fold::whole(folded.json().text()).unwrap();
        }
        prop_assert_eq!(folded, expected);
    }

    #[test]
    fn items_that_overlap_come_out_in_the_order_of_their_indexes(
        items in some_items(), turns in prop::collection::vec(0_usize..5, 0..60), output in some_output(),
    ) {
        let folded = fold_to_the_end(&interleaved(&items, &turns, End::Completed, output)).unwrap();
        prop_assert_eq!(values(&folded), scripted(&items));
    }

    #[test]
    fn two_neighbours_that_change_places_change_nothing(
        items in some_items(), end in some_end(), at in any::<prop::sample::Index>(),
    ) {
        let mut events = stream(&items, end, Output::All);
        let expected = fold(&events).unwrap();
        let at = at.index(events.len() - 1);
        events.swap(at, at + 1);
        prop_assert_eq!(fold(&events), Ok(expected.clone()));
        // Even for a reader who stops at the end: the last event brings everything.
        prop_assert_eq!(fold_to_the_end(&events), Ok(expected));
    }

    #[test]
    fn an_event_that_comes_again_changes_nothing(
        items in some_items(), end in some_end(), output in some_output(),
        from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
    ) {
        let mut events = stream(&items, end, output);
        let expected = fold(&events).unwrap();
        let from = from.index(events.len());
        let again = events[from].clone();
        events.insert(from + 1 + to.index(events.len() - from), again);
        prop_assert_eq!(fold(&events), Ok(expected));
    }

    #[test]
    fn an_item_is_told_once_however_often_it_comes(items in some_items()) {
        let events: Vec<Value> = stream(&items, End::Completed, Output::Absent).into_iter().flat_map(|e| [e.clone(), e]).collect();
        let (mut fold, mut told, mut repeats) = (Fold::default(), Vec::new(), 0);
        for event in &events {
            match fold.push(&ServerEvent::parse(&event.to_string()).unwrap()).unwrap() {
                Folded::Item(index, item) => told.push((index, serde_json::from_str::<Value>(item.text()).unwrap())),
                Folded::Repeat => repeats += 1,
                Folded::More | Folded::Ended => {}
            }
        }
        prop_assert_eq!(told, (0..).zip(scripted(&items)).collect::<Vec<(u32, Value)>>());
        let deltas = events.iter().filter(|event| event["delta"].is_string() && event["type"] != "response.dream.delta");
        // Each delta, each item and the last event come a second time.
        prop_assert_eq!(repeats, deltas.count() / 2 + items.len() + 1);
    }

    #[test]
    fn ids_that_change_from_event_to_event_change_nothing_else(items in some_items(), output in some_output()) {
        let mut events = stream(&items, End::Completed, output);
        let last = events.len() - 1;
        for (at, event) in events.iter_mut().enumerate().filter(|(at, _)| *at < last) {
            let id = json!(format!("rotated_{at}"));
            if event.get("item_id").is_some() {
                event["item_id"] = id;
            } else if event.get("item").is_some() {
                event["item"]["id"] = id;
            }
        }
        let folded = fold_to_the_end(&events).unwrap();
        let without_ids = |mut items: Vec<Value>| {
            for item in &mut items {
                item["id"] = Value::Null;
            }
            items
        };
        prop_assert_eq!(without_ids(values(&folded)), without_ids(scripted(&items)));
        if output == Output::All {
            prop_assert_eq!(values(&folded), scripted(&items), "the last event wins");
        }
    }
}

#[test]
fn every_kind_of_item_comes_out_of_its_events_as_it_was_scripted() {
    for item in every_kind() {
        for (end, output) in ENDS.into_iter().flat_map(|end| OUTPUTS.map(|output| (end, output))) {
            let items = std::slice::from_ref(&item);
            let folded = fold_to_the_end(&stream(items, end, output)).unwrap();
            assert_eq!(values(&folded), scripted(items), "{end:?} {output:?}");
        }
    }
}

#[test]
fn a_response_says_how_it_ended_what_it_cost_and_what_else_the_server_wrote() {
    let of = |end| fold(&stream(&every_kind(), end, Output::All)).unwrap();
    let completed = of(End::Completed);
    assert_eq!((completed.id().as_str(), completed.stage()), ("resp_1", Stage::Completed));
    let usage = Usage { input: 5, cached: 2, cache_written: 0, output: 3, reasoning: 1, total: 8 };
    assert_eq!(completed.usage(), Some(usage));
    assert_eq!((completed.error(), completed.incomplete_reason()), (None, None));
    assert_eq!(completed.field::<Box<str>>("model"), Ok(Some("m".into())));
    let incomplete = of(End::Incomplete);
    assert_eq!(incomplete.stage(), Stage::Incomplete);
    assert_eq!(incomplete.incomplete_reason(), Some(&IncompleteReason::MaxOutputTokens));
    let failed = of(End::Failed);
    assert_eq!((failed.stage(), failed.error().unwrap().code.as_deref()), (Stage::Failed, Some("server_error")));
}

#[test]
fn items_may_come_only_when_they_are_whole() {
    let items = every_kind();
    for output in OUTPUTS {
        let mut events = stream(&items, End::Completed, output);
        events.retain(|event| event.get("output_index").is_none() || event["type"] == "response.output_item.done");
        number(&mut events);
        assert_eq!(values(&fold_to_the_end(&events).unwrap()), scripted(&items), "{output:?}");
    }
}

#[test]
fn items_may_come_only_in_the_end() {
    let items = every_kind();
    let mut events = stream(&items, End::Completed, Output::All);
    events.retain(|event| event.get("output_index").is_none());
    assert_eq!(values(&fold_to_the_end(&events).unwrap()), scripted(&items));
}

#[test]
fn the_last_event_wins_over_the_events_before_it_unless_it_has_fewer_items() {
    let items = every_kind()[..3].to_vec();
    let mut events = stream(&items, End::Completed, Output::All);
    let last = events.len() - 1;
    events[last]["response"]["output"][0]["id"] = json!("another");
    assert_eq!(values(&fold(&events).unwrap())[0]["id"], "another");
    events[last]["response"]["output"].as_array_mut().unwrap().pop();
    assert_eq!(values(&fold(&events).unwrap()), scripted(&items));
}

#[test]
fn a_response_that_claims_to_be_whole_and_lacks_an_item_is_no_response() {
    let items = every_kind()[..3].to_vec();
    for output in [Output::Empty, Output::Null, Output::Absent] {
        let mut events = stream(&items, End::Completed, output);
        events.retain(|event| !(event["type"] == "response.output_item.done" && event["output_index"] == 1));
        assert_eq!(fold(&events), Err(FoldError::MissingItem { index: 1 }), "{output:?}");
    }
}

#[test]
fn a_response_that_is_incomplete_or_failed_has_the_items_that_became_whole() {
    let items = every_kind()[..3].to_vec();
    for end in [End::Incomplete, End::Failed] {
        let mut events = stream(&items, end, Output::Absent);
        events.retain(|event| !(event["type"] == "response.output_item.done" && event["output_index"] == 1));
        let expected = [items[0].item.clone(), items[2].item.clone()];
        assert_eq!(values(&fold(&events).unwrap()), expected, "{end:?}");
    }
}

#[test]
fn an_item_that_was_interrupted_is_not_missed() {
    let items = every_kind()[..2].to_vec();
    let mut events = stream(&items, End::Incomplete, Output::Absent);
    let done = |event: &Value| event["type"] == "response.output_item.done" && event["output_index"] == 1;
    let at = events.iter().position(done).unwrap();
    events[at] = json!({"type": "response.output_item.interrupted", "response_id": "resp_1", "output_index": 1});
    number(&mut events);
    let last = events.len() - 1;
    events[last]["response"]["incomplete_details"]["reason"] = json!("interrupted");
    let folded = fold(&events).unwrap();
    assert_eq!(values(&folded), [items[0].item.clone()]);
    assert_eq!(folded.incomplete_reason(), Some(&IncompleteReason::Interrupted));
}

#[test]
fn events_that_stop_before_the_end_are_no_response() {
    let events = stream(&every_kind(), End::Completed, Output::All);
    for end in 0..events.len() {
        assert_eq!(fold(&events[..end]), Err(FoldError::Unfinished), "after {end} events");
    }
}

#[test]
fn the_last_event_may_overtake_the_one_before_it_and_is_waited_for() {
    let items = every_kind()[..2].to_vec();
    for output in [Output::Empty, Output::Null, Output::Absent] {
        let mut events = stream(&items, End::Completed, output);
        let last = events.len() - 1;
        events.swap(last - 1, last);
        let mut fold = Fold::default();
        for event in &events[..last] {
            fold.push(&ServerEvent::parse(&event.to_string()).unwrap()).unwrap();
        }
        assert_eq!(fold.ended(), Some(Stage::Completed));
        assert!(fold.may_lack_items(), "{output:?}: number {} has not come", last - 1);
        assert_eq!(fold.clone().finish(), Err(FoldError::MissingItem { index: 1 }));
        let late = events[last].to_string();
        assert!(matches!(fold.push(&ServerEvent::parse(&late).unwrap()), Ok(Folded::Item(1, _))));
        assert!(!fold.may_lack_items());
        assert_eq!(values(&fold.finish().unwrap()), scripted(&items));
    }
}

/// An error as the service sends it, and as its schema has it.
fn errors() -> [Value; 2] {
    [
        json!({"type": "error", "error": {"type": "server_error", "code": "server_error", "message": "m", "param": "p"}}),
        json!({"type": "error", "code": "server_error", "message": "m", "param": "p"}),
    ]
}

#[test]
fn an_error_before_there_is_a_response_is_a_refusal() {
    for error in errors() {
        let Err(FoldError::Refused(refused)) = fold(std::slice::from_ref(&error)) else { panic!("{error}") };
        let said = (refused.code.as_deref(), &*refused.message, refused.param.as_deref());
        assert_eq!(said, (Some("server_error"), "m", Some("p")));
    }
}

#[test]
fn an_error_in_the_middle_ends_the_response_and_keeps_what_was_whole() {
    let items = every_kind()[..2].to_vec();
    for error in errors() {
        let mut events = stream(&items, End::Completed, Output::Absent);
        let last = events.len() - 1;
        events[last] = error;
        number(&mut events);
        let folded = fold_to_the_end(&events).unwrap();
        assert_eq!((folded.stage(), folded.error().unwrap().code.as_deref()), (Stage::Failed, Some("server_error")));
        assert_eq!(values(&folded), scripted(&items));
        // Whoever reads the response without its events is told the same.
        let again = fold::whole(folded.json().text()).unwrap();
        assert_eq!((again.stage(), again.output()), (folded.stage(), folded.output()));
        assert_eq!(again.error().unwrap().to_string(), folded.error().unwrap().to_string());
        assert_eq!(folded.field::<Box<str>>("status"), Ok(Some("failed".into())));
    }
}

#[test]
fn an_error_and_the_failure_after_it_are_one_failure() {
    for error in errors() {
        let mut events = stream(&[], End::Failed, Output::Empty);
        events.insert(2, error);
        number(&mut events);
        for response in [fold(&events), fold_to_the_end(&events)] {
            let response = response.unwrap();
            assert_eq!((response.id().as_str(), response.stage()), ("resp_1", Stage::Failed));
            assert_eq!(response.error().unwrap().code.as_deref(), Some("server_error"));
        }
    }
}

#[test]
fn the_last_event_says_how_a_response_ended_whatever_the_response_says() {
    for (kind, stage, status) in [
        ("response.completed", Stage::Completed, "completed"),
        ("response.incomplete", Stage::Incomplete, "incomplete"),
        ("response.failed", Stage::Failed, "failed"),
    ] {
        let event = json!({"type": kind, "response": {"id": "resp_1", "status": "in_progress", "output": []}});
        let folded = fold(&[event]).unwrap();
        assert_eq!((folded.stage(), folded.field::<Box<str>>("status")), (stage, Ok(Some(status.into()))));
    }
    // Words that mean the same are kept.
    for (kind, status) in [("response.incomplete", "cancelled"), ("response.completed", "a word of next year")] {
        let event = json!({"type": kind, "response": {"id": "resp_1", "status": status, "output": []}});
        assert_eq!(fold(&[event]).unwrap().field::<Box<str>>("status"), Ok(Some(status.into())));
    }
}

#[test]
fn a_response_that_arrives_before_it_has_ended_is_unfinished() {
    for status in ["queued", "in_progress"] {
        let text = json!({"id": "resp_1", "status": status, "output": []}).to_string();
        assert_eq!(fold::whole(&text), Err(FoldError::Unfinished));
    }
    assert_eq!(fold::whole(r#"{"status":"completed","output":[]}"#), Err(FoldError::Unfinished), "it has no id");
    assert!(matches!(fold::whole("[]"), Err(FoldError::Wire(WireError::Shape { .. }))));
}

#[test]
fn no_response_has_more_items_than_the_limit() {
    let too_many =
        FoldError::Wire(WireError::Limit { what: "the number of items in a response", limit: MAX_OUTPUT_ITEMS });
    let item =
        |index: usize| json!({"type": "response.output_item.done", "output_index": index, "item": {"type": "x"}});
    let mut fold = Fold::default();
    for index in 0..MAX_OUTPUT_ITEMS {
        fold.push(&ServerEvent::parse(&item(index).to_string()).unwrap()).unwrap();
    }
    // What is there may come again; what is not has no room, begun or whole.
    assert_eq!(fold.push(&ServerEvent::parse(&item(7).to_string()).unwrap()), Ok(Folded::Repeat));
    let one_more = item(MAX_OUTPUT_ITEMS);
    assert_eq!(fold.push(&ServerEvent::parse(&one_more.to_string()).unwrap()), Err(too_many.clone()));
    let mut begun = one_more;
    begun["type"] = json!("response.output_item.added");
    assert_eq!(fold.push(&ServerEvent::parse(&begun.to_string()).unwrap()), Err(too_many.clone()));
    // The same for a response that comes in one piece.
    let of = |count: usize| json!({"id": "resp_1", "output": vec![json!({"type": "x"}); count]}).to_string();
    assert_eq!(fold::whole(&of(MAX_OUTPUT_ITEMS)).unwrap().output().len(), MAX_OUTPUT_ITEMS);
    assert_eq!(fold::whole(&of(MAX_OUTPUT_ITEMS + 1)), Err(too_many));
}

#[test]
fn an_output_that_cannot_be_read_is_an_error_and_not_an_empty_output() {
    let text = r#"{"id":"resp_1","status":"completed","output":[{"type":"message"},5]}"#;
    let Err(FoldError::Wire(error)) = fold::whole(text) else { panic!("{text}") };
    assert_eq!(error.path().as_deref(), Some("output"));
}
