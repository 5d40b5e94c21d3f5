//! What no honest peer sends: an error that says what it is, and no more memory than a bound with a name.

use allocation_counter::measure;
use responses::chain::{Connection, ConnectionEffect, ConnectionLimits, Powers, Time};
use responses::error::ApiError;
use responses::event::ServerEvent;
use responses::fold::{self, Fold, FoldError};
use responses::frame::ClientFrame;
use responses::item::Item;
use responses::json::{Json, MAX_ELEMENTS, MAX_FIELDS, Object, WireError, utf8};
use responses::request::Request;
use responses::sse::SseDecoder;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const MILLION: usize = 1_000_000;

/// Every reader of the crate on one text.
fn every_reader(text: &str) -> [(&'static str, Result<(), WireError>); 6] {
    let of_fold = |error| match error {
        FoldError::Wire(error) => error,
        other => panic!("{other}"),
    };
    [
        ("event", ServerEvent::parse(text).map(drop)),
        ("frame", ClientFrame::parse(text).map(drop)),
        ("item", Item::parse(text).map(drop)),
        ("kept item", Item::keep(text).map(drop)),
        ("request", Request::parse(text).map(drop)),
        ("whole response", fold::whole(text).map(drop).map_err(of_fold)),
    ]
}

/// The most that is live at once while `run` runs.
fn peak(run: impl FnOnce()) -> u64 {
    measure(run).bytes_max
}

/// Every reader refuses the text with such an error, within so much memory.
fn all_refuse(text: &str, within: u64, such: impl Fn(&WireError) -> bool) {
    let used = peak(|| {
        for (reader, outcome) in every_reader(text) {
            let error = outcome.expect_err(reader);
            assert!(such(&error), "{reader}: {error:?}");
        }
    });
    assert!(used <= within, "{used} bytes for {} bytes of input", text.len());
}

#[test]
fn text_that_is_not_json_is_a_syntax_error_with_a_place() {
    let object = r#"{"type":"x","a":"#;
    let broken = [
        "",
        " ",
        "{",
        "{}{}",
        "{}x",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r"{'a':1}",
        r"{a:1}",
        r#"{"type":"x"} // comment"#,
        "\u{feff}{}",
        "nul",
        "NaN",
        "+1",
        "\0",
        "{\"type\":\"x\0\"}",
        "{\"type\":\"x\",\"a\":\"\n\"}",
        r#"{"type":"x","a":"\x"}"#,
        r#"{"type":"x","a":"\u12"}"#,
        r#"{"type":"x","\ud83d":1}"#,
    ];
    let endings =
        ["01}", "1.}", ".5}", "1e}", "-}", "--1}", "0x1}", "1_000}", "Infinity}", "tru}", "[1,]}", "[1 2]}", "\"}"];
    let broken = broken.map(str::to_owned).into_iter().chain(endings.map(|ending| format!("{object}{ending}")));
    for text in broken {
        all_refuse(&text, 8 * KIB, |error| matches!(error, WireError::Syntax { line: 1.., .. }));
    }
    assert_eq!(
        Json::parse("{\n  \"a\": tru }").unwrap_err(),
        WireError::Syntax { line: 2, column: 11, what: "expected ident".to_owned() }
    );
}

#[test]
fn a_value_that_is_not_an_object_is_said_to_be_none() {
    for text in ["null", "true", "5", "\"x\"", "[]", "[{}]"] {
        all_refuse(text, 8 * KIB, |error| matches!(error, WireError::Shape { expected: "an object", .. }));
    }
}

#[test]
fn a_million_brackets_are_too_deep_and_cost_nothing() {
    let unclosed = "[".repeat(MILLION);
    let closed = format!(r#"{{"type":"x","a":{}{}}}"#, "[".repeat(MILLION), "]".repeat(MILLION));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(MILLION), "}".repeat(MILLION));
    for text in [&unclosed, &closed, &objects] {
        all_refuse(text, 8 * KIB, |error| *error == WireError::Depth);
    }
    // Brackets in a string are letters.
    let text = format!(r#"{{"type":"x","a":"{}\"{}"}}"#, "[{".repeat(MILLION), "]".repeat(7));
    assert_eq!(ServerEvent::parse(&text).unwrap().text(), text);
    let wide = format!(r#"{{"type":"x","a":[{}[]]}}"#, "[],".repeat(MILLION));
    assert_eq!(ServerEvent::parse(&wide).unwrap().text(), wide);
}

#[test]
fn a_million_keys_are_too_many_and_cost_no_more_than_the_limit() {
    let fields: Vec<String> = (0..MILLION).map(|at| format!(r#""k{at}":{at}"#)).collect();
    let text = format!("{{{}}}", fields.join(","));
    all_refuse(&text, 64 * KIB, |error| matches!(error, WireError::Limit { limit: MAX_FIELDS, .. }));
    // In an object that nobody looks into they are only text.
    let inner = format!(r#"{{"type":"x","a":{text}}}"#);
    assert!(peak(|| assert!(ServerEvent::parse(&inner).is_ok())) < 8 * KIB);
}

#[test]
fn a_million_elements_are_too_many_and_cost_no_more_than_the_limit() {
    let array = format!("[{}1]", "1,".repeat(MILLION - 1));
    let too_many = |error: &WireError| match error {
        WireError::In { source, .. } => matches!(**source, WireError::Limit { limit: MAX_ELEMENTS, .. }),
        other => panic!("{other:?}"),
    };
    let list = 16 * MAX_ELEMENTS as u64;
    // The list doubles, so that for a moment there are the old one and the new one.
    let within = 2 * list;
    let request = format!(r#"{{"input":{array}}}"#);
    assert!(peak(|| assert!(too_many(&Request::parse(&request).unwrap_err()))) <= within);
    let frame = format!(r#"{{"type":"response.create","tools":{array}}}"#);
    assert!(peak(|| assert!(too_many(&ClientFrame::parse(&frame).unwrap_err()))) <= within);
    let item = format!(r#"{{"type":"message","role":"user","content":{array}}}"#);
    assert!(peak(|| assert!(too_many(&Item::parse(&item).unwrap_err()))) <= within);
    let unknown = format!(r#"{{"type":"x","a":{array}}}"#);
    assert!(peak(|| assert!(ServerEvent::parse(&unknown).is_ok())) < 8 * KIB);
}

#[test]
fn a_number_of_any_length_is_text_until_it_is_needed_and_a_place_that_cannot_be_read_is_none() {
    let digits = "9".repeat(MILLION);
    for number in [&*digits, "1e999999999", "-1", "1.5", "18446744073709551616", "\"7\""] {
        let needed = format!(r#"{{"type":"x","sequence_number":{number}}}"#);
        assert_eq!(ServerEvent::parse(&needed).unwrap().sequence, None);
        let needed = format!(r#"{{"type":"response.output_item.done","output_index":{number},"item":{{}}}}"#);
        let Err(WireError::In { field, source }) = ServerEvent::parse(&needed) else { panic!("{number:.20}") };
        let WireError::Shape { found, .. } = *source else { panic!("{source:?}") };
        assert_eq!(field, "output_index");
        assert!(found.len() < 64, "{found}");
        let carried = format!(r#"{{"type":"x","a":{number}}}"#);
        assert_eq!(ServerEvent::parse(&carried).unwrap().text(), carried);
    }
}

#[test]
fn bytes_that_are_not_text_are_refused_with_their_place() {
    assert_eq!(utf8(b"{\"type\":\"\xff\"}"), Err(WireError::Utf8 { at: 9 }));
    assert_eq!(utf8(b"\xed\xa0\x80"), Err(WireError::Utf8 { at: 0 }));
    assert_eq!(utf8(b"ab\xf0\x9f\x98"), Err(WireError::Utf8 { at: 2 }));
    // A body that is an error already is read as well as it can be.
    assert_eq!(&*ApiError::from_http(502, std::iter::empty(), b"bad \xff").message, "bad \u{fffd}");
}

#[test]
fn the_message_of_an_error_is_short_however_long_the_value_is() {
    let long = "x".repeat(MILLION);
    let text = format!(r#"{{"model":{{"a":"{long}"}}}}"#);
    let error = Request::parse(&text).unwrap_err().to_string();
    assert!(error.len() < 200, "{} bytes", error.len());
    let huge = ApiError::from_http(500, std::iter::empty(), long.as_bytes());
    assert!(huge.message.len() < 400);
}

/// Pushes `total` bytes of a repeated piece through a decoder; gives the peak, the events and the outcome.
fn pushed(limit: usize, piece: &[u8], total: usize) -> (u64, usize, Result<(), WireError>) {
    let (mut events, mut outcome) = (0, Ok(()));
    let used = peak(|| {
        let mut decoder = SseDecoder::with_limit(limit);
        for _ in 0..total / piece.len() {
            outcome = decoder.push(piece, |_| events += 1);
        }
    });
    (used, events, outcome)
}

#[test]
fn a_hundred_megabytes_without_an_end_are_refused_at_the_limit() {
    const LIMIT: usize = 1 << 20;
    const TOTAL: usize = 100_000_000;
    let too_large = Err(WireError::Limit { what: "the size of one server-sent event", limit: LIMIT });
    let of = |unit: &[u8]| unit.repeat((64 << 10) / unit.len());
    // One line; one event of many lines; one comment; one field nobody knows.
    for unit in [b"x".as_slice(), b"data: 0123456789\n", b":", b"y: "] {
        let (used, events, outcome) = pushed(LIMIT, &of(unit), TOTAL);
        assert_eq!((events, &outcome), (0, &too_large), "{unit:?}");
        assert!(used <= 4 * MIB, "{used} bytes live for {unit:?}");
    }
}

#[test]
fn a_hundred_megabytes_of_events_need_no_more_memory_than_one() {
    const LIMIT: usize = 1 << 20;
    const TOTAL: usize = 100_000_000;
    // 65 532 bytes: the cuts fall everywhere.
    let event = b"event: x\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"hello\"}\r\n\r\n: comment\n\n";
    let piece: Vec<u8> = event.iter().copied().cycle().take(65_532).collect();
    let (used, events, outcome) = pushed(LIMIT, &piece, TOTAL);
    assert_eq!(outcome, Ok(()));
    assert!(events >= TOTAL / event.len() / 2, "{events} events");
    assert!(used <= 4 * KIB, "{used} bytes live");
    for unit in [b"\n".as_slice(), b"\r", b"\r\n", b":\n", b"data\n\n", b"id: 1\n"] {
        let (used, _, outcome) = pushed(LIMIT, &unit.repeat(10_000), TOTAL / 10);
        assert_eq!(outcome, Ok(()), "{unit:?}");
        assert!(used <= KIB, "{used} bytes live for {unit:?}");
    }
}

#[test]
fn a_fold_refuses_what_is_no_item_and_no_response() {
    for (text, field) in [
        (r#"{"type":"response.completed","response":[]}"#, "response"),
        (r#"{"type":"response.completed","response":{"id":5}}"#, "id"),
        (r#"{"type":"response.failed","response":{"id":"r","error":5}}"#, "error"),
        (r#"{"type":"response.output_item.done","output_index":0,"item":5}"#, "item"),
        (r#"{"type":"response.output_item.done","output_index":0,"item":{"a":1,"a":2}}"#, "item.a"),
    ] {
        let event = ServerEvent::parse(text).unwrap();
        let Err(FoldError::Wire(error)) = Fold::default().push(&event) else { panic!("{text}") };
        assert_eq!(error.path().as_deref(), Some(field), "{text}");
    }
}

#[test]
fn a_connection_answers_garbage_with_status_400_and_stays_open() {
    let deep = "[".repeat(MILLION);
    let keys: Vec<String> = (0..=MAX_FIELDS).map(|at| format!(r#""k{at}":0"#)).collect();
    let keys = format!("{{{}}}", keys.join(","));
    let garbage = [
        "",
        "hello",
        "\0",
        "{}",
        "null",
        r#"{"type":5}"#,
        r#"{"type":"response.create","input":5}"#,
        r#"{"type":"response.create","a":1,"a":2}"#,
        r#"{"type":"session.update"}"#,
        r#"{"type":"response.steer"}"#,
        &deep,
        &keys,
    ];
    let now = Time::default();
    let mut connection = Connection::new(now, ConnectionLimits::default(), Powers::default());
    for text in garbage {
        connection.handle_frame(now, text);
        let Some(ConnectionEffect::Send(answer)) = connection.poll_effect() else { panic!("no answer to {text:.40}") };
        let event = Object::parse(&answer).unwrap();
        assert_eq!((event.get("type"), event.get("status")), (Some(r#""error""#), Some("400")), "{answer}");
        let error = ApiError::from_event(&event).unwrap();
        assert_eq!(error.kind.as_deref(), Some("invalid_request_error"));
        assert!(!error.message.is_empty() && answer.len() < 600, "{answer}");
        assert!(connection.poll_effect().is_none(), "{text:.40}");
    }
    connection.handle_frame(now, r#"{"type":"response.create","input":"hello"}"#);
    assert!(matches!(connection.poll_effect(), Some(ConnectionEffect::Begin(..))), "it does not listen any more");
}
