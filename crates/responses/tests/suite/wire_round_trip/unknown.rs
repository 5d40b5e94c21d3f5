//! Unknown items, events, frames, fields and values: byte for byte where the text is kept, value by value elsewhere.

use proptest::prelude::*;
use responses::event::{Body, ServerEvent};
use responses::fold::IncompleteReason;
use responses::frame::ClientFrame;
use responses::item::{ImageDetail, Item, ItemKind, ItemView, Phase, Role, Status};
use responses::json::{Json, MAX_DEPTH, Object, Read, WireError, Write, quote};
use responses::request::{Input, Request};

use super::json_text::{field, key, object, shuffled, space, string, unknown_fields, value};

type Fields = Vec<(String, String)>;

/// An object of this type, among fields nobody knows.
fn named(kind: &'static str, more: &[(&str, &str)]) -> impl Strategy<Value = String> {
    let mut known: Fields = more.iter().map(|(key, value)| field(key, *value)).collect();
    known.push(field("type", format!("\"{kind}\"")));
    shuffled(unknown_fields(6).prop_map(move |fields| [known.clone(), fields].concat()))
}

/// The fields of an object: keys as they are meant, values as they are written.
fn fields_of(text: &str) -> Vec<(String, String)> {
    let object = Object::parse(text).unwrap();
    object.fields().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn written(value: &impl Write) -> String {
    Json::of(value).text().to_owned()
}

/// Settings with values that are legal for them, `null` among them, and fields nobody knows.
fn request_fields() -> impl Strategy<Value = Fields> {
    let text = || prop_oneof![3 => string(), 1 => Just("null".to_owned())];
    let flag = || prop::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned);
    let tools =
        prop::sample::select(vec![r#"[{"type":"function","name":"\u0066"}, {"type":"next_year"}]"#, "[ ]", "null"]);
    let optional = |key: &'static str, value: BoxedStrategy<String>| {
        prop::option::of(value).prop_map(move |value| value.map(|value| field(key, value)))
    };
    let known = [
        optional("model", text().boxed()),
        optional("instructions", text().boxed()),
        optional("previous_response_id", text().boxed()),
        optional("store", flag().boxed()),
        optional("stream", flag().boxed()),
        optional("background", flag().boxed()),
        optional("generate", flag().boxed()),
        optional("tools", tools.prop_map(str::to_owned).boxed()),
        optional("metadata", value().boxed()),
        optional("temperature", value().boxed()),
        optional("prompt_cache_options", value().boxed()),
        optional("stream_id", value().boxed()),
        optional("conversation", value().boxed()),
    ];
    (known, unknown_fields(6)).prop_map(|(known, unknown)| known.into_iter().flatten().chain(unknown).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_kept_as_it_was_written(before in space(), value in value(), after in space()) {
        let json = Json::parse(&format!("{before}{value}{after}"));
        prop_assert_eq!(json.as_ref().map(Json::text), Ok(&*value));
        prop_assert_eq!(written(&json.unwrap()), value);
    }

    #[test]
    fn an_item_of_an_unknown_kind_comes_back_byte_for_byte(text in named("dream", &[])) {
        let item = Item::parse(&text).unwrap();
        prop_assert_eq!((item.kind(), item.view()), (ItemKind::Unknown, ItemView::Unknown));
        prop_assert_eq!(item.text(), text.trim());
        prop_assert_eq!(written(&item), text.trim());
        prop_assert_eq!(Item::parse(item.text()), Ok(item));
    }

    #[test]
    fn fields_nobody_knows_stay_on_an_item_of_a_known_kind(
        text in named("function_call", &[("call_id", r#""c""#), ("name", r#""f""#), ("arguments", r#""\u007b}""#)]),
    ) {
        let item = Item::parse(&text).unwrap();
        prop_assert_eq!(item.text(), text.trim());
        let ItemView::FunctionCall(call) = item.view() else { panic!("{text}") };
        prop_assert_eq!((call.call_id.as_str(), &*call.name, &*call.arguments), ("c", "f", "{}"));
    }

    #[test]
    fn items_in_a_request_come_back_byte_for_byte(
        items in prop::collection::vec((space(), named("dream", &[]), space()), 0..5),
    ) {
        let padded: Vec<String> = items.iter().map(|(before, item, after)| format!("{before}{item}{after}")).collect();
        let request = Request::parse(&format!(r#"{{"input": [{}]}}"#, padded.join(","))).unwrap();
        let Some(Input::Items(read)) = &request.input else { panic!("no items") };
        let expected: Vec<&str> = items.iter().map(|(_, item, _)| item.trim()).collect();
        prop_assert_eq!(read.iter().map(Item::text).collect::<Vec<_>>(), expected.clone());
        prop_assert_eq!(written(&request), format!(r#"{{"input":[{}]}}"#, expected.join(",")));
    }

    #[test]
    fn one_field_of_an_item_is_set_and_every_other_stays(text in named("dream", &[("id", r#""a""#)]), id in string()) {
        let item = Item::parse(&text).unwrap();
        let value = Json::parse(&id).unwrap();
        for key in ["id", "a_new_one"] {
            let mut expected = fields_of(&text);
            match expected.iter_mut().find(|(name, _)| name == key) {
                Some(field) => field.1.clone_from(&id),
                None => expected.push((key.to_owned(), id.clone())),
            }
            let changed = item.with(key, &value).unwrap();
            prop_assert_eq!(fields_of(changed.text()), expected);
            prop_assert_eq!(changed.kind(), item.kind());
        }
    }

    #[test]
    fn an_event_of_an_unknown_type_comes_back_byte_for_byte(
        text in named("response.dreamt", &[("sequence_number", "7"), ("stream_id", r#""a""#)]),
    ) {
        let event = ServerEvent::parse(&text).unwrap();
        prop_assert_eq!((&event.body, &*event.kind), (&Body::Unknown, "response.dreamt"));
        prop_assert_eq!((event.sequence, event.lane.as_deref()), (Some(7), Some("a")));
        prop_assert_eq!(event.text(), &*text);
    }

    #[test]
    fn fields_nobody_knows_stay_on_an_event_of_a_known_type(
        text in named("response.output_text.delta", &[("output_index", "2"), ("delta", r#""\u00e9""#)]),
    ) {
        let event = ServerEvent::parse(&text).unwrap();
        prop_assert!(matches!(&event.body, Body::Delta(_, at, delta) if at.item == 2 && delta == "é"), "{event:?}");
        prop_assert_eq!(event.text(), &*text);
    }

    #[test]
    fn a_frame_of_an_unknown_type_comes_back_byte_for_byte(text in named("session.update", &[])) {
        let frame = ClientFrame::parse(&text).unwrap();
        prop_assert!(matches!(&frame, ClientFrame::Unknown { kind, .. } if &**kind == "session.update"), "{frame:?}");
        prop_assert_eq!(written(&frame), text.trim());
    }

    #[test]
    fn no_field_of_a_request_is_lost_or_added_and_every_value_is_as_it_was_written(
        (fields, text) in request_fields().prop_shuffle().prop_flat_map(|f| (Just(f.clone()), object(f))),
    ) {
        let request = Request::parse(&text).unwrap();
        let (came, goes) = (fields_of(&text), fields_of(&written(&request)));
        prop_assert_eq!(came.len(), fields.len());
        let sorted = |mut fields: Vec<(String, String)>| { fields.sort(); fields };
        prop_assert_eq!(sorted(goes.clone()), sorted(came.clone()));
        let unknown = |fields: Vec<(String, String)>| -> Vec<_> {
            fields.into_iter().filter(|(key, _)| key.starts_with("zz")).collect()
        };
        prop_assert_eq!(unknown(goes), unknown(came), "their order");
        prop_assert_eq!(Request::parse(&written(&request)), Ok(request));
    }

    #[test]
    fn a_key_that_comes_twice_is_refused_by_name(
        fields in unknown_fields(4), key in key(), first in value(), second in value(), at in any::<prop::sample::Index>(),
    ) {
        let mut fields = [vec![field("type", r#""response.create""#), (key.clone(), first)], fields].concat();
        let at = 2 + at.index(fields.len() - 1);
        fields.insert(at, (key.clone(), second));
        let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        let text = format!("{{{}}}", fields.join(","));
        let name = Json::parse(&key).unwrap().read::<Box<str>>().unwrap();
        let twice = WireError::Duplicate { field: name.to_string() };
        prop_assert_eq!(Item::parse(&text), Err(twice.clone()));
        prop_assert_eq!(ServerEvent::parse(&text), Err(twice.clone()));
        prop_assert_eq!(ClientFrame::parse(&text), Err(twice.clone()));
        prop_assert_eq!(Request::parse(&text), Err(twice));
    }

    #[test]
    fn a_string_is_read_as_its_characters_and_written_so_that_it_reads_the_same(text in string(), plain in any::<String>()) {
        let read = |text: &str| Json::parse(text).unwrap().read::<Box<str>>().unwrap();
        let value = read(&text);
        // The library reads all but half characters; where it does, it must read the same.
        if let Ok(expected) = serde_json::from_str::<String>(&text) {
            prop_assert_eq!(&*value, expected);
        }
        for value in [&*value, &plain] {
            let mut quoted = String::new();
            quote(value, &mut quoted);
            prop_assert_eq!(&*read(&quoted), value);
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), value);
        }
    }

    #[test]
    fn an_unknown_value_of_an_enumeration_survives(text in any::<String>()) {
        let mut quoted = String::new();
        quote(&text, &mut quoted);
        macro_rules! survives { ($($Name:ident),*) => { $(
            let read = $Name::read(&quoted).unwrap();
            prop_assert_eq!(read.as_str(), &*text);
            prop_assert_eq!(written(&read), quoted.clone());
        )* } }
        survives!(Role, Status, Phase, ImageDetail, IncompleteReason);
    }
}

#[test]
fn the_odd_spellings_of_the_house_come_back_as_they_came() {
    let values = [
        "9007199254740993",
        "18446744073709551616",
        "1e5",
        "1.0",
        "-0.0",
        r#""\u00e9""#,
        r#""é""#,
        r#""\/""#,
        r#""\ud83d""#,
        r#"{ "a" : [ 1 , 2 ] , "" : {} }"#,
        r#"{"same":1,"same":2}"#,
        r#"{"\ud83d":1}"#,
    ];
    for value in values {
        let text = format!(r#"{{"type":"dream","x":{value}}}"#);
        assert_eq!(Item::parse(&text).unwrap().text(), text);
        assert_eq!(ServerEvent::parse(&text).unwrap().text(), text);
        assert_eq!(written(&ClientFrame::parse(&text).unwrap()), text);
        assert_eq!(written(&Request::parse(&format!(r#"{{"x":{value}}}"#)).unwrap()), format!(r#"{{"x":{value}}}"#));
    }
}

#[test]
fn an_empty_key_is_a_key() {
    let text = r#"{"":1,"type":"dream"}"#;
    assert_eq!(Item::parse(text).unwrap().text(), text);
    assert_eq!(written(&Request::parse(r#"{"":1}"#).unwrap()), r#"{"":1}"#);
}

#[test]
fn nesting_is_kept_up_to_the_limit_and_refused_beyond() {
    // The object around it is the first level.
    let nested = |depth: usize| format!(r#"{{"type":"dream","x":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1));
    let (legal, too_deep) = (nested(MAX_DEPTH), nested(MAX_DEPTH + 1));
    assert_eq!(Item::parse(&legal).unwrap().text(), legal);
    assert_eq!(ServerEvent::parse(&legal).unwrap().text(), legal);
    assert_eq!(Item::parse(&too_deep), Err(WireError::Depth));
    assert_eq!(ServerEvent::parse(&too_deep), Err(WireError::Depth));
    assert_eq!(ClientFrame::parse(&too_deep), Err(WireError::Depth));
    assert_eq!(Request::parse(&too_deep), Err(WireError::Depth));
}

#[test]
fn half_a_character_is_shown_as_one_that_is_missing() {
    let read = |text: &str| Json::parse(text).unwrap().read::<Box<str>>().unwrap();
    assert_eq!(&*read(r#""a\ud83d""#), "a\u{fffd}");
    assert_eq!(&*read(r#""\ud83d\ud83d\u0041\ude00""#), "\u{fffd}\u{fffd}A\u{fffd}");
    assert_eq!(&*read(r#""\ud83d\ude00""#), "😀");
}
