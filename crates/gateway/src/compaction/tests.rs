//! Tables here; files and any conversation at all beside it.

mod golden;
mod properties;
mod support;

use responses::event::{Body, ServerEvent};
use responses::item::{Item, ItemKind, ItemView, Role};
use responses::json::{Object, Raw};
use responses::request::Request;
use responses::usage::Usage;

use super::checkpoint::{Checkpoint, Covers, gist};
use super::shorten::{cut, shortened};
use super::*;
use crate::Owner;
use support::{ID, Keys, call, items, output, request, said};

fn opened_by(keys: &Keys, text: &str) -> Opened {
    keys.opened(items(text)).unwrap()
}

/// A turn with a call that was just answered, and an answer before it.
const IN_A_TURN: &str = r#"[
    {"role":"developer","content":"be brief"},
    {"role":"user","content":"list the files"},
    {"type":"message","role":"assistant","content":[{"type":"output_text","text":"I look","annotations":[]}]},
    {"type":"function_call","call_id":"c1","name":"ls","arguments":"{}"},
    {"type":"function_call_output","call_id":"c1","output":"a b"}]"#;

#[test]
fn a_conversation_without_compaction_is_left_as_it_is() {
    let (keys, before) = (Keys::new(), items(IN_A_TURN));
    let opened = opened(before.clone(), 1, &keys.seal, &keys.owner, false).unwrap();
    assert_eq!((opened.items, opened.new_items), (before, 1));
}

#[test]
fn triggers_are_not_for_the_model() {
    let (keys, trigger) = (Keys::new(), r#"{"type":"compaction_trigger"}"#);
    let text = format!(r#"[{trigger},{{"role":"user","content":"x"}},{trigger}]"#);
    let opened = opened(items(&text), 2, &keys.seal, &keys.owner, false).unwrap();
    assert_eq!((opened.items, opened.new_items), (vec![items(&text)[1].clone()], 1));
}

#[test]
fn a_trigger_compacts_only_at_the_end_and_only_what_is_run() {
    let (keys, trigger) = (Keys::new(), r#"{"type":"compaction_trigger","id":"x"}"#);
    let user = r#"{"role":"user","content":"x"}"#;
    let wants = |text: &str, request: &str| {
        wants(&opened_by(&keys, text), &self::request(request), None, &Limits::default()).unwrap()
    };
    assert_eq!(wants(&format!("[{user},{trigger}]"), "{}"), Some(Why::Trigger));
    assert_eq!(wants(&format!("[{trigger}]"), "{}"), Some(Why::Trigger));
    assert_eq!(wants(&format!("[{trigger},{user}]"), "{}"), None);
    assert_eq!(wants(&format!("[{user}]"), "{}"), None);
    assert_eq!(wants(&format!("[{user},{trigger}]"), r#"{"generate":false}"#), None);
}

/// The question of a conversation whose past could go, at this threshold.
fn at_threshold(threshold: u64, known: Option<u64>, new_items: usize) -> Option<Why> {
    let keys = Keys::new();
    let mut conversation = vec![Item::user("go on")];
    conversation.push(Item::message(&Role::Assistant, &"x".repeat(40_000)));
    conversation.push(Item::user("and now?"));
    let opened = opened(conversation, new_items, &keys.seal, &keys.owner, false).unwrap();
    let settings = format!(r#"{{"context_management":[{{"type":"compaction","compact_threshold":{threshold}}}]}}"#);
    let known = known.map(|total| Usage { total, ..Usage::default() });
    wants(&opened, &request(&settings), known, &Limits::default()).unwrap()
}

#[test]
fn a_threshold_is_met_by_what_was_counted_and_else_by_an_estimate() {
    let why = |threshold| Some(Why::Threshold(threshold));
    assert_eq!(at_threshold(10_000, None, 3), why(10_000));
    assert_eq!(at_threshold(11_000, None, 3), None);
    assert_eq!(at_threshold(11_000, Some(10_990), 1), why(11_000));
    assert_eq!(at_threshold(11_000, Some(10_900), 1), None);
    // What was counted is of another conversation, if all of this one is new.
    assert_eq!(at_threshold(11_000, Some(99_000), 3), None);
}

#[test]
fn a_threshold_that_nothing_could_bring_about_is_let_be() {
    assert_eq!(at_threshold(70_000, Some(80_000), 1), Some(Why::Threshold(70_000)));
    assert_eq!(at_threshold(90_000, Some(100_000), 1), None, "an eighth of the threshold is not there to be gained");
    let keys = Keys::new();
    let small = request(r#"{"context_management":[{"type":"compaction","compact_threshold":1}]}"#);
    let fresh = keys.opened(vec![Item::user(&"x".repeat(1000))]).unwrap();
    assert_eq!(wants(&fresh, &small, None, &Limits::default()).unwrap(), None, "the new input is never compacted");
}

#[test]
fn a_threshold_has_a_default_and_may_be_null() {
    let keys = Keys::new();
    let mut conversation = vec![Item::message(&Role::Assistant, &"x".repeat(8000))];
    conversation.push(Item::user("?"));
    let opened = keys.opened(conversation).unwrap();
    let limits = Limits { threshold: 2000, ..Limits::default() };
    for (field, why) in [
        (r#"[{"type":"compaction"}]"#, Some(Why::Threshold(2000))),
        (r#"[{"type":"compaction","compact_threshold":null}]"#, Some(Why::Threshold(2000))),
        ("[]", None),
        ("null", None),
    ] {
        let request = request(&format!(r#"{{"context_management":{field}}}"#));
        assert_eq!(wants(&opened, &request, None, &limits).unwrap(), why, "{field}");
    }
}

#[test]
fn a_threshold_that_cannot_be_read_is_refused() {
    let (keys, limits) = (Keys::new(), Limits::default());
    let opened = keys.opened(vec![Item::user("x")]).unwrap();
    for (field, said) in [
        (r#"{"type":"compaction"}"#, "expected an array"),
        (r#"[{"type":"trim"}]"#, "expected the type `compaction`, found trim"),
        (r#"[{"compact_threshold":1}]"#, "`type` is missing"),
        (r#"[{"type":"compaction","compact_threshold":-1}]"#, "expected a whole number"),
        (r#"[{"type":"compaction","compact_threshold":"many"}]"#, "expected a whole number"),
    ] {
        let request = request(&format!(r#"{{"context_management":{field}}}"#));
        let error = wants(&opened, &request, None, &limits).unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (Some(400), Some("context_management")));
        assert!(error.message.contains(said), "{}", error.message);
    }
}

#[test]
fn nothing_cannot_be_compacted() {
    let keys = Keys::new();
    let opened = opened_by(&keys, r#"[{"type":"compaction_trigger"}]"#);
    let error = plan(&opened, &Request::default(), Why::Trigger, &Limits::default()).unwrap_err();
    assert_eq!(error.status, Some(400));
}

#[test]
fn the_request_for_a_summary_has_the_model_and_its_instructions_and_no_tools() {
    let keys = Keys::new();
    let full = request(
        r#"{"model":"m","instructions":"be brief","previous_response_id":"resp_1","conversation":"conv_1","store":true,
        "tools":[{"type":"function","name":"f"}],"tool_choice":"required","parallel_tool_calls":true,"max_tool_calls":3,
        "text":{"format":{"type":"json_object"}},"include":["reasoning.encrypted_content"],"truncation":"auto",
        "context_management":[{"type":"compaction"}],"reasoning":{"effort":"low"},"temperature":0.5,"top_logprobs":2,
        "max_output_tokens":16,"prompt_cache_options":{"prewarm":true},"prompt_cache_key":"k","metadata":{"a":"b"},
        "stream":true,"background":true,"stream_id":"lane","vendor":{"x":1}}"#,
    );
    let plan = plan(&opened_by(&keys, IN_A_TURN), &full, Why::Asked, &Limits::default()).unwrap();
    let asked = request(
        r#"{"model":"m","instructions":"be brief","store":false,"reasoning":{"effort":"low"},"temperature":0.5,
        "max_output_tokens":16384,"prompt_cache_key":"k","vendor":{"x":1}}"#,
    );
    assert_eq!(plan.ask, asked);
}

#[test]
fn an_empty_summary_is_an_error_and_never_an_item() {
    let keys = Keys::new();
    let plan = plan(&opened_by(&keys, IN_A_TURN), &Request::default(), Why::Asked, &Limits::default()).unwrap();
    for text in ["", " \n"] {
        let error = finish(&plan, text, ID, &keys.seal, &keys.owner).unwrap_err();
        assert_eq!((error.status, error.code.as_deref()), (Some(500), Some("server_error")));
    }
}

#[test]
fn a_summary_is_what_the_model_said_and_not_what_it_thought_or_called() {
    let text = summary(&items(
        r#"[{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"hm"}]},
        {"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"a","annotations":[]}]},
        {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
        {"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"b","annotations":[]}]}]"#,
    ));
    assert_eq!(text.unwrap(), "ab");
    assert_eq!(summary(&[]).unwrap(), "");
    let refused = summary(&items(
        r#"[{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"refusal","refusal":"no"}]}]"#,
    ));
    assert!(refused.unwrap_err().message.contains("declined"));
}

#[test]
fn a_summary_without_end_loses_its_middle() {
    let keys = Keys::new();
    let limits = Limits { summary_bytes: 1000, ..Limits::default() };
    let plan = plan(&opened_by(&keys, IN_A_TURN), &Request::default(), Why::Asked, &limits).unwrap();
    let item = finish(&plan, &("a".repeat(5000) + "end"), ID, &keys.seal, &keys.owner).unwrap();
    let shown = keys.opened(vec![item]).unwrap();
    let longest = shown.items.iter().map(|item| item.text().len()).max().unwrap();
    assert!(longest < 2000 && shown.items.iter().any(|item| item.text().ends_with("end\"}")), "{longest}");
}

#[test]
fn an_item_of_another_service_goes_to_a_backend_that_knows_it_and_else_nowhere() {
    let keys = Keys::new();
    for kind in ["compaction", "compaction_summary", "context_compaction"] {
        let foreign =
            items(&format!(r#"[{{"role":"user","content":"x"}},{{"type":"{kind}","encrypted_content":"gAAAAAB"}}]"#));
        let native = opened(foreign.clone(), 1, &keys.seal, &keys.owner, true).unwrap();
        assert_eq!((native.items, native.new_items), (foreign.clone(), 1));
        let error = keys.opened(foreign).unwrap_err();
        assert_eq!((error.status, error.code.as_deref()), (Some(400), Some("invalid_compaction")));
        assert!(error.message.contains("sealed by another service"), "{}", error.message);
    }
}

#[test]
fn an_item_of_ours_that_does_not_open_is_refused_by_every_backend() {
    let (keys, others) = (Keys::new(), Keys::new());
    let stranger = Keys { seal: others.seal, owner: keys.owner.clone() };
    let of_another = Keys { seal: Keys::new().seal, owner: Owner::of_key("somebody") };
    for keys_of_item in [&stranger, &of_another] {
        let item = keys_of_item.compacted(items(IN_A_TURN), Why::Trigger);
        for native in [true, false] {
            let error = opened(vec![item.clone()], 1, &keys.seal, &keys.owner, native).unwrap_err();
            assert_eq!((error.code.as_deref(), error.param.as_deref()), (Some("invalid_compaction"), Some("input")));
            assert!(error.message.contains("send the conversation as it was"), "{}", error.message);
        }
    }
}

#[test]
fn what_was_sealed_in_another_form_is_refused_and_not_guessed_at() {
    let keys = Keys::new();
    for content in [&b"not json"[..], br#"{"form":2,"summary":"s"}"#, br#"{"form":1}"#, b"\xff"] {
        let sealed = keys.seal.seal(&keys.owner, content).unwrap();
        let item = Item::parse(&format!(r#"{{"type":"compaction","encrypted_content":"{sealed}"}}"#)).unwrap();
        assert_eq!(keys.opened(vec![item]).unwrap_err().code.as_deref(), Some("invalid_compaction"));
    }
}

#[test]
fn an_item_opens_under_all_its_names() {
    let keys = Keys::new();
    let item = keys.compacted(items(IN_A_TURN), Why::Trigger);
    let shown = keys.opened(vec![item.clone()]).unwrap();
    for kind in ["compaction_summary", "context_compaction"] {
        let renamed = Item::parse(&item.text().replace("compaction\"", &format!("{kind}\""))).unwrap();
        assert_eq!(keys.opened(vec![renamed]).unwrap().items, shown.items, "{kind}");
    }
}

#[test]
fn all_is_new_when_the_past_was_rewritten_by_what_is_new() {
    let keys = Keys::new();
    let mut conversation = items(IN_A_TURN);
    conversation.push(keys.compacted(conversation.clone(), Why::Threshold(1)));
    let shown =
        |conversation: &[Item], new| opened(conversation.to_vec(), new, &keys.seal, &keys.owner, false).unwrap();
    let first = shown(&conversation, 2);
    assert_eq!(first.new_items, first.items.len());
    conversation.extend([Item::message(&Role::Assistant, "there are two"), Item::user("thanks")]);
    let second = shown(&conversation, 1);
    assert_eq!(second.new_items, 1);
    assert!(second.items.starts_with(&first.items), "the chain shows the model another prefix");
}

#[test]
fn thoughts_that_led_to_the_calls_of_the_turn_stay_and_others_go() {
    let keys = Keys::new();
    let thought = |name: &str| items(&format!(r#"[{{"type":"reasoning","id":"{name}","summary":[]}}]"#)).remove(0);
    let conversation = vec![
        Item::user("x"),
        thought("r1"),
        Item::message(&Role::Assistant, "y"),
        thought("r2"),
        call("c1"),
        output("c1"),
        thought("r3"),
        call("c2"),
        call("c3"),
        output("c2"),
        output("c3"),
    ];
    let opened = keys.opened(conversation.clone()).unwrap();
    let plan = plan(&opened, &Request::default(), Why::Trigger, &Limits::default()).unwrap();
    let turn: Vec<_> = plan.retained().skip(1).cloned().collect();
    assert_eq!(turn, conversation[6..]);
    assert!(plan.items.iter().all(|item| item.kind() != ItemKind::Reasoning));
}

#[test]
fn what_is_new_in_a_chain_stays_whoever_made_it() {
    let keys = Keys::new();
    let example = Item::message(&Role::Assistant, "as in this answer of another model");
    let newer = Item::parse(r#"{"type":"new_kind","x":1}"#).unwrap();
    let mut conversation = items(IN_A_TURN);
    conversation.extend([
        Item::message(&Role::Assistant, "two"),
        Item::user("unanswered"),
        newer.clone(),
        example.clone(),
    ]);
    let opened = opened(conversation, 2, &keys.seal, &keys.owner, false).unwrap();
    let plan = plan(&opened, &Request::default(), Why::Threshold(1000), &Limits::default()).unwrap();
    let stays: Vec<_> = plan.retained().cloned().collect();
    assert_eq!(said(&stays)[..3], ["be brief", "list the files", "unanswered"]);
    assert_eq!(stays[3..], [newer, example]);
}

#[test]
fn events_announce_the_item_and_bring_it() {
    let keys = Keys::new();
    let item = keys.compacted(items(IN_A_TURN), Why::Trigger);
    let (added, compacting, done) = (added(ID, 0), compacting(ID, 0), done(&item, 0));
    let Body::ItemAdded(Some(0), Raw(placeholder)) = ServerEvent::parse(&added).unwrap().body else {
        panic!("{added}")
    };
    let placeholder = Item::parse(placeholder).unwrap();
    let ItemView::Compaction(view) = placeholder.view() else { panic!("{added}") };
    assert_eq!((view.id.as_deref(), &*view.encrypted_content), (Some(ID), ""));
    let event = ServerEvent::parse(&compacting).unwrap();
    assert!(matches!(&event.body, Body::Progress(at) if at.item == 0 && at.id.as_deref() == Some(ID)), "{compacting}");
    assert_eq!(event.kind, "response.compaction.compacting");
    assert_eq!(ServerEvent::parse(&done).unwrap().body, Body::ItemDone(Some(0), Raw(item.text())));
}

#[test]
fn compact_answers_with_the_users_messages_and_then_the_item() {
    let keys = Keys::new();
    let opened = opened_by(&keys, IN_A_TURN);
    let plan = plan(&opened, &Request::default(), Why::Asked, &Limits::default()).unwrap();
    let item = finish(&plan, "s", ID, &keys.seal, &keys.owner).unwrap();
    let usage = Usage { input: 3, output: 2, total: 5, ..Usage::default() };
    let body = compact_response("resp_1", 7, &plan, &item, usage);
    let object = Object::parse(&body).unwrap();
    assert_eq!(object.get("object"), Some(r#""response.compaction""#));
    assert_eq!((object.get("id"), object.get("created_at")), (Some(r#""resp_1""#), Some("7")));
    assert_eq!(object.read::<Usage>("usage").unwrap(), usage);
    let output: Vec<Item> = object.read("output").unwrap();
    let message = r#"{"role":"user","content":[{"type":"input_text","text":"list the files"}],"id":"msg_1_0","type":"message","status":"completed"}"#;
    assert_eq!(output.iter().map(Item::text).collect::<Vec<_>>(), [message, item.text()]);
    // What it gave is the beginning of the next input, and says nothing twice.
    let shown = keys.opened(output).unwrap();
    assert_eq!(said(&shown.items), ["be brief", "SUMMARY", "list the files", "ls", "a b"]);
}

#[test]
fn a_checkpoint_keeps_every_byte_of_its_items() {
    let odd = [
        Item::parse(" {\"type\" : \"message\",\n\"role\":\"user\", \"content\":\"\\u00e4 \\ud83d\", \"x\":1e400}")
            .unwrap(),
        Item::keep(r#"{"type":"function_call","name":"no id"}"#).unwrap(),
        Item::parse(&format!(r#"{{"type":"new","deep":{}{}}}"#, "[".repeat(127), "]".repeat(127))).unwrap(),
    ];
    let checkpoint = Checkpoint {
        summary: "s\n\"".into(),
        standing: odd.to_vec(),
        said: Vec::new(),
        turn: odd[1..].to_vec(),
        covers: Some(Covers::of(&odd)),
    };
    assert_eq!(Checkpoint::read(&checkpoint.to_text()).unwrap(), checkpoint);
}

#[test]
fn the_gist_of_an_item_is_what_it_says_and_not_how_it_is_spelled() {
    let gist_of = |text: &str| gist(&Item::parse(text).unwrap());
    let short = gist_of(r#"{"role":"user","content":"x"}"#);
    let long = r#"{"type":"message","id":"m","role":"user","status":"completed","content":[{"type":"input_text","text":"x"}]}"#;
    assert_eq!(short, gist_of(long));
    for other in [
        r#"{"role":"developer","content":"x"}"#,
        r#"{"role":"user","content":"y"}"#,
        r#"{"role":"user","content":[{"type":"input_text","text":"x"},{"type":"input_image","image_url":"a"}]}"#,
        r#"{"role":"user","content":[{"type":"input_text","text":"x"},{"type":"input_image","image_url":"b"}]}"#,
    ] {
        assert_ne!(short, gist_of(other), "{other}");
    }
    let images = ["a", "b"]
        .map(|url| gist_of(&format!(r#"{{"role":"user","content":[{{"type":"input_image","image_url":"{url}"}}]}}"#)));
    assert_ne!(images[0], images[1]);
    assert_ne!(gist(&call("c")), gist(&output("c")));
}

#[test]
fn a_cut_text_keeps_its_ends_and_fits_however_it_is_written() {
    assert_eq!(cut("short", 5), "short");
    assert_eq!(cut("aaaaaaaaazzzzzz", 9), "aaaaaa\n[6 bytes are left out here]\nzzz");
    for text in ["\u{1}".repeat(4000), "\"".repeat(4000), "ä€🦀".repeat(1000), "a".repeat(3000) + &"\n".repeat(3000)]
    {
        let mut written = String::new();
        responses::json::quote(&cut(&text, 600), &mut written);
        assert!((500..700).contains(&written.len()), "{}", written.len());
    }
}

#[test]
fn long_items_lose_their_middle_and_stay_what_they_are() {
    let long = "\\\"line\\n".repeat(2000);
    for text in [
        format!(r#"{{"type":"function_call","call_id":"c","name":"f","arguments":"{long}"}}"#),
        format!(r#"{{"type":"custom_tool_call","call_id":"c","name":"f","input":"{long}"}}"#),
        format!(
            r#"{{"type":"function_call_output","call_id":"c","output":[{{"type":"input_text","text":"{long}"}}]}}"#
        ),
        format!(r#"{{"type":"custom_tool_call_output","call_id":"c","output":"{long}"}}"#),
        format!(r#"{{"type":"local_shell_call_output","id":"c","output":"{long}"}}"#),
        format!(r#"{{"type":"apply_patch_call_output","call_id":"c","status":"completed","output":"{long}"}}"#),
        format!(r#"{{"role":"user","content":"{long}"}}"#),
    ] {
        let item = Item::parse(&text).unwrap();
        let short = shortened(&item, 1500);
        assert!(short.text().len() <= 1500, "{}", short.text());
        assert!(short.text().contains("bytes are left out here"), "{}", short.text());
        assert_eq!((short.kind(), short.call(), short.answers()), (item.kind(), item.call(), item.answers()));
        if let ItemView::FunctionCall(call) = short.view() {
            Object::parse(&call.arguments).unwrap();
        }
    }
}

#[test]
fn an_estimate_counts_text_tools_and_images() {
    let none = Request::default();
    let text = vec![Item::user(&"x".repeat(4000))];
    let with_text = estimate_tokens(&text, &none);
    assert!((1000..1020).contains(&with_text), "{with_text}");
    let told = request(&format!(r#"{{"instructions":"{}","tools":[],"metadata":{{"a":"b"}}}}"#, "x".repeat(4000)));
    let more = estimate_tokens(&text, &told) - with_text;
    assert!((1000..1010).contains(&more), "{more}");
    let image = |url: &str| {
        let part = format!(r#"[{{"type":"input_image","image_url":"{url}"}}]"#);
        let shown = format!(
            r#"[{{"role":"user","content":{part}}},{{"type":"function_call_output","call_id":"c","output":{part}}}]"#
        );
        estimate_tokens(&items(&shown), &none)
    };
    assert_eq!(image("data:image/png;base64,AA"), image(&format!("data:image/png;base64,{}", "A".repeat(1 << 20))));
    assert!((3000..3100).contains(&image("a")), "{}", image("a"));
}
