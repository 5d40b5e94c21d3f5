//! What holds for any conversation.

use std::collections::HashSet;

use proptest::prelude::*;
use responses::id::CallId;
use responses::item::{Item, ItemKind, Role};
use responses::request::Request;

use super::super::checkpoint::gist;
use super::super::opened::{is_said, is_standing};
use super::support::{ID, Keys, call, output};
use crate::compaction::{Limits, Opened, Why, finish, plan};

/// A piece of a conversation.
#[derive(Debug, Clone)]
enum Piece {
    Said(usize),
    Told,
    Tools,
    Answered,
    Thought,
    Hosted,
    /// Calls made at once; of these, so many are answered, by custom tools or functions.
    Round {
        calls: usize,
        answers: usize,
        custom: bool,
    },
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let round = (1..4_usize, 0..4_usize, any::<bool>());
    let round = round.prop_map(|(calls, answers, custom)| Piece::Round { calls, answers: answers.min(calls), custom });
    let piece = prop_oneof![
        3 => (0..400_usize).prop_map(Piece::Said),
        1 => Just(Piece::Told),
        1 => Just(Piece::Tools),
        2 => Just(Piece::Answered),
        2 => Just(Piece::Thought),
        1 => Just(Piece::Hosted),
        4 => round,
    ];
    prop::collection::vec(piece, 1..14)
}

fn conversation(pieces: &[Piece]) -> Vec<Item> {
    named(pieces, "first")
}

/// The same, where calls have names of their own.
fn named(pieces: &[Piece], name: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Said(length) => items.push(Item::user(&format!("said {at} {}", "x".repeat(*length)))),
            Piece::Told => items.push(Item::message(&Role::Developer, &format!("told {at}"))),
            Piece::Tools => items.push(parse(&format!(
                r#"{{"type":"additional_tools","role":"developer","tools":[{{"type":"function","name":"f{at}"}}]}}"#
            ))),
            Piece::Answered => items.push(Item::message(&Role::Assistant, &format!("answered {at}"))),
            Piece::Thought => items.push(parse(&format!(r#"{{"type":"reasoning","id":"r{at}","summary":[]}}"#))),
            Piece::Hosted => {
                items.push(parse(&format!(r#"{{"type":"web_search_call","id":"w{at}","status":"completed"}}"#)));
            }
            Piece::Round { calls, answers, custom } => {
                let id = |n: usize| format!("{name}_{at}_{n}");
                items.extend((0..*calls).map(|n| if *custom { custom_call(&id(n)) } else { call(&id(n)) }));
                let answer =
                    |n| if *custom { Item::custom_output(&CallId::from(id(n)), "done") } else { output(&id(n)) };
                items.extend((0..*answers).map(answer));
            }
        }
    }
    items
}

fn parse(text: &str) -> Item {
    Item::parse(text).unwrap()
}

fn custom_call(id: &str) -> Item {
    parse(&format!(r#"{{"type":"custom_tool_call","call_id":"{id}","name":"exec","input":"x"}}"#))
}

fn why() -> impl Strategy<Value = Why> {
    prop_oneof![Just(Why::Asked), Just(Why::Trigger), (1..200_u64).prop_map(Why::Threshold)]
}

fn count(items: &[Item], of: &Item) -> usize {
    items.iter().filter(|item| gist(item) == gist(of)).count()
}

/// No answer before its call or without it, and no call without an answer but those that never had one.
fn check_pairs(shown: &[Item], waiting: &HashSet<CallId>) -> Result<(), TestCaseError> {
    let answered: HashSet<CallId> = shown.iter().filter_map(Item::answers).collect();
    let mut made = HashSet::new();
    for item in shown {
        if let Some(call) = item.call() {
            prop_assert!(answered.contains(&call) || waiting.contains(&call), "{call:?} lost its answer");
            prop_assert!(made.insert(call), "a call twice");
        }
        if let Some(call) = item.answers() {
            prop_assert!(made.contains(&call), "{call:?} lost its call");
        }
    }
    prop_assert!(waiting.iter().all(|call| made.contains(call)), "a call that waits is gone");
    Ok(())
}

/// The calls that nobody has answered.
fn waiting(items: &[Item]) -> HashSet<CallId> {
    let answered: HashSet<CallId> = items.iter().filter_map(Item::answers).collect();
    items.iter().filter_map(Item::call).filter(|call| !answered.contains(call)).collect()
}

proptest! {
    #[test]
    fn what_stays_is_there_once_and_every_pair_is_whole(pieces in pieces(), why in why(), room in 100..4000_usize) {
        let (keys, before) = (Keys::new(), conversation(&pieces));
        let limits = Limits { said_bytes: room, ..Limits::default() };
        let plan = plan(&keys.opened(before.clone()).unwrap(), &Request::default(), why, &limits).unwrap();
        let item = finish(&plan, "the summary", ID, &keys.seal, &keys.owner).unwrap();
        let waiting = waiting(&before);

        let in_place = [before.clone(), vec![item.clone()]].concat();
        let alone = vec![item.clone()];
        let kept_by_the_client = before.iter().filter(|item| is_said(item) || is_standing(item)).cloned();
        let composed: Vec<Item> = kept_by_the_client.chain([item.clone()]).collect();
        let from_compact = plan.said().iter().cloned().chain([item]).collect();
        for conversation in [in_place, alone, composed.clone(), from_compact] {
            let Opened { items: shown, .. } = keys.opened(conversation).unwrap();
            for stays in plan.retained() {
                prop_assert_eq!(count(&shown, stays), 1, "{:?} in {:?}", stays, shown);
            }
            prop_assert_eq!(shown.iter().filter(|item| item.text().contains("the summary")).count(), 1);
            check_pairs(&shown, &waiting)?;
        }
        // Where the client kept all there was, the item stands where it was made, and what it covers may go.
        let kept_by_the_client = composed.iter().filter(|_| composed.len() <= before.len());
        for own in kept_by_the_client.filter(|item| item.kind() != ItemKind::Compaction) {
            prop_assert_eq!(count(&keys.opened(composed.clone()).unwrap().items, own), 1);
        }
    }

    #[test]
    fn what_is_new_to_the_model_is_never_left_to_the_summary(pieces in pieces(), threshold in 1..200_u64) {
        let (keys, mut before) = (Keys::new(), conversation(&pieces));
        before.extend([Item::message(&Role::Assistant, "I call"), call("last")]);
        let new = [output("last"), Item::user("and look at this"), Item::message(&Role::Developer, "new rule")];
        before.extend(new.iter().cloned());
        before.push(keys.compacted(before.clone(), Why::Threshold(threshold)));
        let shown = keys.opened(before).unwrap().items;
        prop_assert!(shown.ends_with(&new), "{shown:?}");
    }

    #[test]
    fn a_model_is_asked_about_whole_pairs_within_the_limits(pieces in pieces(), room in 200..5000_usize) {
        let (keys, before) = (Keys::new(), conversation(&pieces));
        let limits = Limits { asked_bytes: room, item_bytes: 300, ..Limits::default() };
        let plan = plan(&keys.opened(before).unwrap(), &Request::default(), Why::Trigger, &limits).unwrap();
        check_pairs(&plan.items, &HashSet::new())?;
        let (prompt, asked) = plan.items.split_last().unwrap();
        prop_assert!(is_said(prompt));
        prop_assert!(asked.iter().all(|item| !matches!(item.kind(), ItemKind::Reasoning | ItemKind::AdditionalTools)));
        let note = 200;
        prop_assert!(asked.iter().map(|item| item.text().len()).sum::<usize>() <= room + note);
    }

    #[test]
    fn a_compaction_of_a_compaction_keeps_what_stays(first in pieces(), second in pieces(), whys in (why(), why())) {
        let (keys, mut before) = (Keys::new(), conversation(&first));
        let waiting_before = waiting(&before);
        before.push(keys.compacted(before.clone(), whys.0));
        before.extend(named(&second, "second"));
        let opened = keys.opened(before.clone()).unwrap();
        let plan = plan(&opened, &Request::default(), whys.1, &Limits::default()).unwrap();
        before.push(finish(&plan, "the second summary", ID, &keys.seal, &keys.owner).unwrap());
        let shown = keys.opened(before.clone()).unwrap().items;
        for stays in plan.retained() {
            prop_assert!(shown.contains(stays), "{stays:?}");
        }
        prop_assert!(shown.iter().all(|item| !item.text().contains("done so far")), "the first summary is still there");
        prop_assert!(plan.items.iter().any(|item| item.text().contains("done so far")), "the first summary is forgotten");
        let waiting = &waiting_before | &waiting(&before);
        check_pairs(&shown, &waiting)?;
    }

    #[test]
    fn no_content_of_an_item_is_a_panic(content in any::<String>(), native in any::<bool>()) {
        let keys = Keys::new();
        let sealed = keys.seal.seal(&keys.owner, content.as_bytes()).unwrap();
        for text in [&content, &sealed, &format!("cap1.{content}")] {
            let mut quoted = String::new();
            responses::json::quote(text, &mut quoted);
            let item = parse(&format!(r#"{{"type":"compaction","encrypted_content":{quoted}}}"#));
            let refused = crate::compaction::opened(vec![item], 1, &keys.seal, &keys.owner, native);
            prop_assert!(refused.is_err() || (native && !text.starts_with("cap1.")));
        }
    }
}
