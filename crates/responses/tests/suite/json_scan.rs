//! What is split without the JSON library is split as the library splits it, and what the library refuses is refused.

use std::fmt;

use proptest::prelude::*;
use responses::json::{Json, MAX_DEPTH, Object, WireError, elements, quote};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::wire_round_trip::json_text::{object, space, string, value};

/// The fields of an object as the library gives them, keys that come twice included.
struct Fields<'a>(Vec<(String, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    fields.push((key, value.get()));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// What the library has against a text, in our words.
fn refused(error: &serde_json::Error) -> WireError {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap().to_owned();
    WireError::Syntax { line: error.line(), column: error.column(), what }
}

/// Compares all ways to take a text apart with what the library makes of it.
fn agrees_with_the_library(text: &str) {
    let whole: Result<&RawValue, _> = serde_json::from_str(text);
    match &whole {
        Ok(raw) => assert_eq!(Json::parse(text).as_ref().map(Json::text), Ok(raw.get()), "{text:?}"),
        Err(error) => assert_eq!(Json::parse(text), Err(refused(error)), "{text:?}"),
    }
    match (serde_json::from_str::<Fields<'_>>(text), Object::parse(text)) {
        (Ok(Fields(fields)), split) => {
            let twice = (1..fields.len()).find(|at| fields[..*at].iter().any(|(key, _)| *key == fields[*at].0));
            match (twice, split) {
                (Some(_), Err(WireError::Duplicate { .. })) => {}
                (None, Ok(split)) => {
                    let split: Vec<_> = split.fields().map(|(key, value)| (key.to_owned(), value)).collect();
                    assert_eq!(split, fields, "{text:?}");
                }
                (_, other) => panic!("{other:?} from {text:?}"),
            }
        }
        (Err(error), split) if text.trim_start().starts_with('{') => {
            assert_eq!(split, Err(refused(&error)), "{text:?}");
        }
        (Err(_), split) => match whole {
            Ok(_) => assert!(matches!(split, Err(WireError::Shape { .. })), "{split:?} from {text:?}"),
            Err(error) => assert_eq!(split, Err(refused(&error)), "{text:?}"),
        },
    }
    match (serde_json::from_str::<Vec<&RawValue>>(text), elements(text)) {
        (Ok(raw), split) => {
            assert_eq!(split, Ok(raw.into_iter().map(RawValue::get).collect()), "{text:?}");
        }
        (Err(_), split) => assert!(split.is_err(), "{split:?} from {text:?}"),
    }
}

/// Any text that is JSON, often an object at its top.
fn json() -> impl Strategy<Value = String> {
    let fields = prop::collection::vec((string(), value()), 0..8).prop_flat_map(object);
    let list = (space(), prop::collection::vec(value(), 0..8), space())
        .prop_map(|(before, values, after)| format!("{before}[{}]{after}", values.join(",")));
    prop_oneof![4 => fields, 1 => list, 1 => value()]
}

/// One change of a text: where, how many characters go, and what comes in their place.
fn change() -> impl Strategy<Value = (prop::sample::Index, usize, String)> {
    const COMMON: &[&str] = &[
        "", "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "\\ud83d", "0", "00", "1", "-", "+", ".", "e", "E", "t",
        "true", "nul", " ", "\n", "\t", "\r", "\u{b}", "\0", "\u{1f}", "\u{7f}", "\u{a0}", "\u{feff}", "é", "😀", "a",
        "/",
    ];
    (any::<prop::sample::Index>(), 0..3_usize, prop::sample::select(COMMON).prop_map(str::to_owned))
}

fn changed(text: &str, changes: Vec<(prop::sample::Index, usize, String)>) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, gone, new) in changes {
        let at = at.index(chars.len() + 1);
        let end = (at + gone).min(chars.len());
        chars.splice(at..end, new.chars());
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn json_is_taken_apart_as_the_library_does(text in json()) {
        agrees_with_the_library(&text);
    }

    #[test]
    fn what_is_nearly_json_is_refused_exactly_where_the_library_refuses_it(
        text in json(),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        agrees_with_the_library(&changed(&text, changes));
    }

    #[test]
    fn any_cut_of_json_is_taken_as_the_library_does(text in json(), cut in any::<prop::sample::Index>()) {
        let chars: Vec<char> = text.chars().collect();
        let (head, tail) = chars.split_at(cut.index(chars.len() + 1));
        agrees_with_the_library(&head.iter().collect::<String>());
        agrees_with_the_library(&tail.iter().collect::<String>());
    }

    #[test]
    fn noise_is_no_json_to_either(text in "[{}\\[\\]:,\"\\\\u0-9eE.+ \n\ta-f-]{0,24}") {
        agrees_with_the_library(&text);
    }

    #[test]
    fn any_text_is_quoted_as_the_library_quotes_it(text in "[\\x00-\\x7f\u{e9}\u{2028}\u{1f600}]{0,40}") {
        let mut quoted = String::new();
        quote(&text, &mut quoted);
        let read: String = serde_json::from_str(&quoted).unwrap();
        prop_assert_eq!(&read, &text);
        // The library writes two control characters shorter than we do.
        let plain = text.replace(['\u{8}', '\u{c}'], "");
        let mut quoted = String::new();
        quote(&plain, &mut quoted);
        prop_assert_eq!(quoted, serde_json::to_string(&plain).unwrap());
    }
}

#[test]
fn a_special_character_is_seen_wherever_in_a_string_it_stands() {
    for before in 0..20 {
        for special in ["\"", "\\", "\\n", "\\u00e9", "\\ud83d", "\u{1f}", "\0", "\u{7f}", "\u{80}", "\u{ff}", "😀"] {
            for after in 0..10 {
                let text = format!("{{\"k\":\"{}{special}{}\"}}", "a".repeat(before), "z".repeat(after));
                agrees_with_the_library(&text);
                let text = format!("{{\"{}{special}{}\":1}}", "a".repeat(before), "z".repeat(after));
                agrees_with_the_library(&text);
            }
        }
    }
}

#[test]
fn as_many_levels_as_allowed_are_taken_and_one_more_is_not() {
    let nested = |open: &str, close: &str, levels: usize| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        for levels in [MAX_DEPTH - 1, MAX_DEPTH] {
            let text = nested(open, close, levels);
            assert_eq!(Json::parse(&text).unwrap().text(), text);
        }
        assert_eq!(Json::parse(&nested(open, close, MAX_DEPTH + 1)), Err(WireError::Depth));
    }
    let object = |levels| format!(r#"{{"a":{}}}"#, nested("[", "]", levels));
    assert!(Object::parse(&object(MAX_DEPTH - 1)).is_ok());
    assert_eq!(Object::parse(&object(MAX_DEPTH)), Err(WireError::Depth));
}

#[test]
fn keys_that_are_nearly_the_same_are_not_taken_for_one_and_the_same_key_is_found_in_any_spelling() {
    // More than there are marks, so that some keys share theirs.
    let keys: Vec<String> = (0..200).map(|at| format!("k{at}")).collect();
    let fields: Vec<String> = keys.iter().map(|key| format!("\"{key}\":0")).collect();
    let object = format!("{{{}}}", fields.join(","));
    assert_eq!(Object::parse(&object).unwrap().fields().count(), keys.len());
    for key in &keys {
        let twice = format!("{{{},\"\\u006b{}\":1}}", fields.join(","), &key[1..]);
        assert_eq!(Object::parse(&twice), Err(WireError::Duplicate { field: key.clone() }));
    }
}
