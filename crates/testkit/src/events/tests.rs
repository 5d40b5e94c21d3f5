//! Every stream folds into what was scripted, whatever is done to it.

use std::time::Duration;

use responses::event::{Body, ServerEvent, Stage};
use responses::fold::{Fold, Response};
use responses::item::{ItemKind, ItemView, Phase, Status as ItemStatus};
use responses::json::{Object, Write as _};
use responses::request::Request;

use super::*;
use crate::fault::Fault;
use crate::play::Play;

fn head() -> Head {
    Head { number: 7, request: Request::parse(r#"{"model":"m"}"#).unwrap().into(), previous: None }
}

fn rich() -> Turn {
    Turn::new()
        .reasoning("Let me think about it.", "c2VhbGVk")
        .message_in(Phase::Commentary, "Schöne Grüße: I look around.")
        .function_call("shell", r#"{"command":["ls","-l"]}"#)
        .custom_tool_call("apply_patch", "*** Begin Patch\n\"quoted\"\n*** End Patch")
        .compaction("everything before")
        .item(Item::parse(r#"{"type":"web_search_call","id":"ws_1","status":"completed","action":{}}"#).unwrap())
        .message("")
        .event(Json::parse(r#"{"type":"codex.rate_limits","sequence_number":99,"plan_type":"pro"}"#).unwrap())
        .pace(5, Duration::ZERO)
}

fn told(mut play: Play) -> Vec<String> {
    std::iter::from_fn(|| play.next()).map(|told| told.text).collect()
}

fn play(turn: &Turn, faults: &[Fault]) -> Play {
    let head = head();
    Play::new(head.clone(), estimate(100, 50), events(turn, &head, estimate(100, 50)), faults.to_vec())
}

fn folded(texts: &[String]) -> Response {
    let mut fold = Fold::default();
    for text in texts {
        fold.push(&ServerEvent::parse(text).unwrap()).unwrap();
    }
    fold.finish().unwrap()
}

fn kinds(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| ServerEvent::parse(text).unwrap().kind.into_owned()).collect()
}

/// What must hold of any stream of ours.
fn check_order(texts: &[String]) {
    let events: Vec<_> = texts.iter().map(|text| ServerEvent::parse(text).unwrap()).collect();
    let numbers: Vec<_> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (0..texts.len() as u64).map(Some).collect::<Vec<_>>());
    assert!(matches!(events[0].body, Body::Response(Stage::Created, _)));
    assert!(matches!(events[1].body, Body::Response(Stage::InProgress, _)));
    let ends = |event: &ServerEvent<'_>| matches!(event.body, Body::Response(stage, _) if stage.is_terminal());
    assert_eq!(events.iter().filter(|event| ends(event)).count(), 1);
    assert!(ends(events.last().unwrap()));
    let mut done = Vec::new();
    for event in &events {
        if let Body::ItemAdded(index, _) = event.body {
            assert_eq!(index.unwrap() as usize, done.len(), "items come one after the other");
            done.push(false);
        }
        if let Body::ItemDone(index, _) = event.body {
            assert!(!std::mem::replace(&mut done[index.unwrap() as usize], true));
        }
    }
    assert!(done.into_iter().all(|done| done));
}

#[test]
fn a_turn_folds_into_exactly_its_items() {
    let texts = told(play(&rich(), &[]));
    check_order(&texts);
    let response = folded(&texts);
    assert_eq!((response.stage(), response.id().as_str()), (Stage::Completed, "resp_000000000000000000000007"));
    let kinds: Vec<_> = response.output().iter().map(Item::kind).collect();
    let expected = [
        ItemKind::Reasoning,
        ItemKind::Message,
        ItemKind::FunctionCall,
        ItemKind::CustomToolCall,
        ItemKind::Compaction,
        ItemKind::WebSearchCall,
        ItemKind::Message,
    ];
    assert_eq!(kinds, expected);
    let views: Vec<_> = response.output().iter().map(Item::view).collect();
    let ItemView::Reasoning(reasoning) = &views[0] else { panic!("{:?}", views[0]) };
    assert_eq!(reasoning.encrypted_content.as_deref(), Some("c2VhbGVk"));
    assert_eq!(reasoning.summary.as_ref().unwrap()[0].text, "Let me think about it.");
    let ItemView::Message(message) = &views[1] else { panic!("{:?}", views[1]) };
    assert_eq!(message.content.to_text(), "Schöne Grüße: I look around.");
    assert_eq!(message.phase, Some(Phase::Commentary));
    assert!(message.id.as_ref().unwrap().starts_with("msg_"));
    let ItemView::FunctionCall(call) = &views[2] else { panic!("{:?}", views[2]) };
    assert_eq!((&*call.name, &*call.arguments), ("shell", r#"{"command":["ls","-l"]}"#));
    assert!(call.call_id.as_str().starts_with("call_") && call.id.as_ref().unwrap().starts_with("fc_"));
    let ItemView::CustomToolCall(call) = &views[3] else { panic!("{:?}", views[3]) };
    assert_eq!(call.input, "*** Begin Patch\n\"quoted\"\n*** End Patch");
}

#[test]
fn deltas_add_up_to_the_text_that_ends_them() {
    let mut sums = std::collections::HashMap::new();
    let mut ends = 0;
    for text in told(play(&rich(), &[])) {
        match ServerEvent::parse(&text).unwrap().body {
            Body::Delta(channel, at, delta) => {
                assert!(delta.chars().count() <= 5);
                *sums.entry((channel, at.item, at.part)).or_insert_with(String::new) += &delta;
            }
            Body::Done(channel, at, whole) => {
                assert_eq!(sums.remove(&(channel, at.item, at.part)).unwrap_or_default(), whole);
                ends += 1;
            }
            _ => {}
        }
    }
    assert_eq!((sums.len(), ends), (0, 5));
}

#[test]
fn each_kind_of_item_has_the_order_of_the_service() {
    let between = |turn: Turn| {
        let kinds = kinds(&told(play(&turn, &[])));
        let inner: Vec<_> = kinds[2..kinds.len() - 1].iter().map(|kind| kind.replacen("response.", "", 1)).collect();
        inner.join(" ")
    };
    assert_eq!(
        between(Turn::new().message("hello")),
        "output_item.added content_part.added output_text.delta output_text.done content_part.done output_item.done"
    );
    assert_eq!(
        between(Turn::new().reasoning("a", "b")),
        "output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done \
         reasoning_summary_part.done output_item.done"
    );
    assert_eq!(
        between(Turn::new().function_call("f", "{}")),
        "output_item.added function_call_arguments.delta function_call_arguments.done output_item.done"
    );
    assert_eq!(
        between(Turn::new().custom_tool_call("f", "x")),
        "output_item.added custom_tool_call_input.delta custom_tool_call_input.done output_item.done"
    );
    assert_eq!(between(Turn::new().compaction("x")), "output_item.added output_item.done");
}

#[test]
fn every_way_to_end_is_told_as_the_service_tells_it() {
    let said = || Turn::new().message("hello");
    let response = folded(&told(play(&said().incomplete(IncompleteReason::MaxOutputTokens), &[])));
    assert_eq!(response.incomplete_reason(), Some(&IncompleteReason::MaxOutputTokens));
    let ItemView::Message(message) = response.output()[0].view() else { panic!() };
    assert_eq!(message.status, Some(ItemStatus::Incomplete));

    let response = folded(&told(play(&said().failed("server_error", "oops"), &[])));
    assert_eq!(response.error().unwrap().code.as_deref(), Some("server_error"));

    let texts = told(play(&said().error(Refusal::new(500, "server_error", "oops")), &[]));
    assert_eq!(kinds(&texts)[texts.len() - 2..], ["error", "response.failed"]);
    assert_eq!(folded(&texts).stage(), Stage::Failed);

    let texts = told(play(&said().silence(), &[]));
    assert_eq!(kinds(&texts).last().unwrap(), "response.output_item.done");
}

#[test]
fn faults_of_the_telling_leave_the_items_as_they_are() {
    let plain = folded(&told(play(&rich(), &[])));
    for fault in [Fault::TerminalWithoutOutput, Fault::ItemsOnlyDone] {
        let texts = told(play(&rich(), std::slice::from_ref(&fault)));
        assert_eq!(folded(&texts).output(), plain.output(), "{fault:?}");
    }
    let bare = told(play(&rich(), &[Fault::TerminalWithoutOutput]));
    let object = Object::parse(bare.last().unwrap()).unwrap();
    assert_eq!(Object::parse(object.get("response").unwrap()).unwrap().get("output"), None);
    let few = kinds(&told(play(&rich(), &[Fault::ItemsOnlyDone])));
    assert!(few.iter().all(|kind| !kind.contains("delta") && !kind.contains("added")), "{few:?}");
}

#[test]
fn rotated_ids_are_all_different() {
    let texts = told(play(&Turn::new().message("hello"), &[Fault::RotatedIds]));
    let id = |text: &String| {
        let object = Object::parse(text).unwrap();
        let item = object.get("item").map(|item| Object::parse(item).unwrap());
        object.get("item_id").or(item.and_then(|item| item.get("id"))).map(str::to_owned)
    };
    let ids: Vec<_> = texts.iter().filter_map(id).collect();
    let different: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), different.len()), (6, 6));
}

#[test]
fn flat_errors_have_their_message_at_the_top() {
    let turn = Turn::new().message("a").error(Refusal::new(500, "server_error", "oops"));
    let texts = told(play(&turn, &[Fault::FlatErrors]));
    let object = Object::parse(&texts[texts.len() - 2]).unwrap();
    assert_eq!((object.get("message"), object.get("error")), (Some(r#""oops""#), None));
}

/// Tells so many events, then does something to the response, then tells the rest.
fn stopped_after(count: usize, stop: impl FnOnce(&mut Play)) -> Vec<String> {
    let mut play = play(&rich(), &[]);
    let mut texts: Vec<_> = (0..count).map(|_| play.next().unwrap().text).collect();
    stop(&mut play);
    texts.extend(std::iter::from_fn(|| play.next()).map(|told| told.text));
    texts
}

#[test]
fn an_early_end_at_any_point_leaves_whole_items() {
    let all = folded(&told(play(&rich(), &[])));
    for count in 1..told(play(&rich(), &[])).len() {
        let texts = stopped_after(count, Play::end_early);
        check_order(&texts);
        let response = folded(&texts);
        assert_eq!(response.incomplete_reason(), Some(&IncompleteReason::Steered));
        assert_eq!(response.output(), &all.output()[..response.output().len()], "after {count}");
    }
}

#[test]
fn an_interrupt_at_any_point_keeps_what_is_whole_and_names_what_is_not() {
    let all = folded(&told(play(&rich(), &[])));
    for count in 1..told(play(&rich(), &[])).len() {
        let texts = stopped_after(count, Play::interrupt);
        let begun = kinds(&texts).iter().filter(|kind| *kind == "response.output_item.added").count();
        let given_up = kinds(&texts).iter().filter(|kind| *kind == "response.output_item.interrupted").count();
        let response = folded(&texts);
        assert_eq!(response.incomplete_reason(), Some(&IncompleteReason::Interrupted));
        assert_eq!(response.output(), &all.output()[..begun - given_up], "after {count}");
    }
}

#[test]
fn the_finished_response_is_the_fold_of_its_events() {
    let head = head();
    let events = events(&rich(), &head, estimate(1, 1));
    let Effect::End(ending) = &events.last().unwrap().effect else { panic!() };
    let mut play = Play::new(head, estimate(1, 1), events.clone(), Vec::new());
    let texts: Vec<_> = std::iter::from_fn(|| play.next()).map(|told| told.text).collect();
    let mut folded_text = String::new();
    folded(&texts).write(&mut folded_text);
    assert_eq!(ending.response, folded_text);
}

#[test]
fn padding_is_left_out_where_it_is_not_wanted() {
    let request = Request::parse(r#"{"stream_options":{"include_obfuscation":false}}"#).unwrap();
    let quiet = Head { request: request.into(), ..head() };
    let deltas = |head: &Head| {
        let turn = Turn::new().message("hello").pace(2, Duration::ZERO);
        let texts = events(&turn, head, estimate(1, 1)).iter().map(|event| event.text(0)).collect::<Vec<_>>();
        texts.into_iter().filter(|text| text.contains("obfuscation")).count()
    };
    assert_eq!((deltas(&quiet), deltas(&head())), (0, 3));
}
