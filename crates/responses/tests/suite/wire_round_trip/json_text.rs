//! JSON as text, in all the spellings that the grammar allows and that a tree of values would lose.

use proptest::prelude::*;

/// What may stand between two tokens.
pub(crate) fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(""), 2 => Just(" "), 1 => Just("\n\t"), 1 => Just("\r\n  ")]
}

pub(crate) fn number() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "-0",
        "-0.0",
        "1e5",
        "1E+5",
        "1.0",
        "0.10",
        "1e-999",
        "1e999",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        "123456789012345678901234567890.123456789012345678901234567890",
    ]);
    prop_oneof![odd.prop_map(str::to_owned), r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?"]
}

/// A string with its quotes, escaped here and there without need.
pub(crate) fn string() -> impl Strategy<Value = String> {
    let escaped = prop::sample::select(vec![
        r#"\""#,
        r"\\",
        r"\/",
        "/",
        r"\b",
        r"\f",
        r"\n",
        r"\r",
        r"\t",
        r"\u0000",
        r"\u00e9",
        r"\u00E9",
        "é",
        r"\u0061",
        r"\ud83d\ude00",
        "😀",
        r"\ud83d",
        r"\ude00",
        r"\uD83D\u0041",
        "\u{7f}",
        "\u{2028}",
        "\u{feff}",
    ]);
    let piece = prop_oneof![escaped.prop_map(str::to_owned), "[a-zA-Z0-9 .:{}\\[\\],]{0,8}", "[^\"\\\\\\p{Cc}]{0,3}"];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// A key with its quotes, of those that can be read: no half characters.
pub(crate) fn key() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![r#""""#, r#"" ""#, r#""\u00e9""#, r#""\"""#, r#""\ud83d\ude00""#, r#""a\nb""#]);
    prop_oneof![odd.prop_map(str::to_owned), "\"[a-zA-Z_é]{0,6}\""]
}

/// Any value. Objects may say the same key twice: nobody looks into them.
pub(crate) fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        1 => prop::sample::select(vec!["null", "true", "false", "[]", "{}", "[ ]", "{\n}"]).prop_map(str::to_owned),
        2 => number(),
        3 => string(),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        let padded = (space(), inner, space()).prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        let padded = padded.boxed();
        let field = (space(), string(), space(), padded.clone())
            .prop_map(|(before, key, after, value)| format!("{before}{key}{after}:{value}"));
        prop_oneof![
            prop::collection::vec(padded, 1..6).prop_map(|elements| format!("[{}]", elements.join(","))),
            prop::collection::vec(field, 1..6).prop_map(|fields| format!("{{{}}}", fields.join(","))),
        ]
    })
}

/// Fields that no part of the protocol has: the key as it is written, and the value.
pub(crate) fn unknown_fields(most: usize) -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((key(), value()), 0..most).prop_map(|fields| {
        let numbered = fields.into_iter().enumerate();
        numbered.map(|(at, (key, value))| (format!("\"zz{at}{}", &key[1..]), value)).collect()
    })
}

/// An object of these fields, spaced at will.
pub(crate) fn object(fields: Vec<(String, String)>) -> impl Strategy<Value = String> {
    let count = fields.len();
    let spaces = prop::collection::vec([space(), space(), space(), space()], count);
    (spaces, space(), space()).prop_map(move |(spaces, before, after)| {
        let fields: Vec<String> = fields
            .iter()
            .zip(&spaces)
            .map(|((key, value), [a, b, c, d])| format!("{a}{key}{b}:{c}{value}{d}"))
            .collect();
        format!("{before}{{{}}}{after}", fields.join(","))
    })
}

/// The fields, in any order.
pub(crate) fn shuffled(fields: impl Strategy<Value = Vec<(String, String)>>) -> impl Strategy<Value = String> {
    fields.prop_shuffle().prop_flat_map(object)
}

/// A field as the test knows it: plain key, any text for a value.
pub(crate) fn field(key: &str, value: impl Into<String>) -> (String, String) {
    (format!("\"{key}\""), value.into())
}
