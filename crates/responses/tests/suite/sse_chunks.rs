//! The decoder against one that is so simple that it can be seen to be right: it has all bytes before it begins.

use proptest::prelude::*;
use responses::json::WireError;
use responses::sse::{MAX_EVENT, SseDecoder};

type Decoded = (Vec<String>, Result<(), WireError>);

/// The rules for event streams, word for word, on the whole stream; fields other than `data` carry nothing here.
fn reference(stream: &[u8]) -> Decoded {
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let (mut events, mut data) = (Vec::new(), None::<Vec<u8>>);
    for line in whole_lines(stream) {
        if line.is_empty() {
            match data.take().map(String::from_utf8) {
                None => {}
                Some(Ok(event)) => events.push(event),
                Some(Err(error)) => return (events, Err(WireError::Utf8 { at: error.utf8_error().valid_up_to() })),
            }
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        if field == b"data" {
            data = Some(data.map_or(value.to_vec(), |before| [before, value.to_vec()].join(&b'\n')));
        }
    }
    (events, Ok(()))
}

/// Lines with their ends, `\r\n`, `\n` or `\r`, taken off; a last line without an end is not one.
fn whole_lines(stream: &[u8]) -> Vec<&[u8]> {
    let (mut lines, mut start, mut at) = (Vec::new(), 0, 0);
    while at < stream.len() {
        if stream[at] == b'\n' || stream[at] == b'\r' {
            lines.push(&stream[start..at]);
            at += usize::from(stream[at..].starts_with(b"\r\n"));
            start = at + 1;
        }
        at += 1;
    }
    lines
}

fn decode<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let (mut decoder, mut events) = (SseDecoder::with_limit(limit), Vec::new());
    for piece in pieces {
        if let Err(error) = decoder.push(piece, |event| events.push(event.data.to_owned())) {
            return (events, Err(error));
        }
    }
    (events, Ok(()))
}

fn line_end() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r")]
}

fn line() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        6 => Just("data"),
        1 => Just("event"),
        1 => Just("id"),
        1 => Just("retry"),
        1 => Just(""),
        1 => Just("Data"),
        1 => Just("data "),
        1 => Just("dat"),
    ];
    let between = prop_oneof![4 => Just(": "), 2 => Just(":"), 1 => Just(":  "), 1 => Just("")];
    let value = prop_oneof!["[a-z:{}\" ]{0,12}", "[é漢😀\u{feff}\u{2028}\u{85}]{0,4}", Just("[DONE]".to_owned())];
    prop_oneof![
        5 => (field, between, value).prop_map(|(field, between, value)| format!("{field}{between}{value}")),
        3 => Just(String::new()),
    ]
}

/// A stream as servers and proxies write it, ends of lines mixed.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let mark = prop_oneof![3 => Just(""), 1 => Just("\u{feff}"), 1 => Just("\u{feff}\u{feff}")];
    let lines = prop::collection::vec((line(), line_end()), 0..24);
    let rest = prop_oneof![2 => Just(String::new()), 1 => line()];
    (mark, lines, rest).prop_map(|(mark, lines, rest)| {
        let lines: String = lines.into_iter().flat_map(|(line, end)| [line, end.to_owned()]).collect();
        [mark, &lines, &rest].concat().into_bytes()
    })
}

/// Anything, as long as it has lines.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"\r\n\n\n:: data\xef\xbb\xbf".to_vec())];
    let piece = prop_oneof![Just(b"data: ".to_vec()), Just(b"\n\n".to_vec()), prop::collection::vec(byte, 0..12)];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

/// Cuts a stream into pieces of these lengths, over and over; some may be empty.
fn pieces<'a>(mut stream: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let (piece, rest) = stream.split_at((*length).min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    (prop::collection::vec(0_usize..9, 0..8), 1_usize..20).prop_map(|(mut lengths, last)| {
        lengths.push(last);
        lengths
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_way_of_cutting_gives_the_events_of_the_rules(stream in stream(), lengths in lengths()) {
        let expected = reference(&stream);
        prop_assert_eq!(&decode(MAX_EVENT, [&*stream]), &expected, "in one piece");
        prop_assert_eq!(&decode(MAX_EVENT, stream.chunks(1)), &expected, "byte by byte");
        prop_assert_eq!(&decode(MAX_EVENT, pieces(&stream, &lengths)), &expected, "in pieces of {:?}", lengths);
    }

    #[test]
    fn bytes_that_are_no_stream_give_the_same_events_and_the_same_error_however_they_are_cut(
        stream in noise(), lengths in lengths(),
    ) {
        let expected = reference(&stream);
        prop_assert_eq!(&decode(MAX_EVENT, [&*stream]), &expected, "in one piece");
        prop_assert_eq!(&decode(MAX_EVENT, pieces(&stream, &lengths)), &expected, "in pieces of {:?}", lengths);
    }

    #[test]
    fn a_limit_stops_a_stream_at_the_same_event_however_it_is_cut(
        stream in stream(), lengths in lengths(), limit in 0_usize..40,
    ) {
        let whole = decode(limit, [&*stream]);
        prop_assert_eq!(&decode(limit, stream.chunks(1)), &whole, "byte by byte");
        prop_assert_eq!(&decode(limit, pieces(&stream, &lengths)), &whole, "in pieces of {:?}", lengths);
        let (expected, _) = reference(&stream);
        prop_assert!(expected.starts_with(&whole.0), "{:?} are not the first of {expected:?}", whole.0);
        prop_assert!(whole.0.iter().all(|event| event.len() <= limit));
        if whole.1.is_ok() {
            prop_assert_eq!(whole.0, expected);
        }
    }
}

#[test]
fn the_reference_knows_the_examples_of_the_standard() {
    let events = |stream: &str| reference(stream.as_bytes()).0;
    assert_eq!(events("data: YHOO\ndata: +2\ndata: 10\n\n"), ["YHOO\n+2\n10"]);
    assert_eq!(
        events(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
        ["first event", "second event", " third event"]
    );
    assert_eq!(events("data\n\ndata\ndata\n\ndata:"), ["", "\n"]);
    assert_eq!(events("data:test\n\ndata: test\n\n"), ["test", "test"]);
}

#[test]
fn every_cut_of_a_stream_in_two_gives_the_same_events() {
    let stream = "\u{feff}: hi\r\n\r\nevent: x\r\ndata: é漢😀\r\ndata:\r\n\r\rdata: 2\n\rdata: 3\r\n\r\n".as_bytes();
    let expected = reference(stream);
    assert_eq!(expected.0, ["é漢😀\n", "2", "3"]);
    for cut in 0..=stream.len() {
        let (head, tail) = stream.split_at(cut);
        assert_eq!(decode(MAX_EVENT, [head, tail]), expected, "cut at {cut}");
        assert_eq!(decode(MAX_EVENT, [head, &[], tail]), expected, "cut at {cut}, with nothing between");
    }
}

#[test]
fn an_event_may_be_as_large_as_the_limit_and_no_larger() {
    let of = |size: usize| format!("data:{}\n\n", "x".repeat(size - "data:".len()));
    let limit = 1_000;
    assert_eq!(decode(limit, [of(limit).as_bytes()]).0.len(), 1);
    let too_large = WireError::Limit { what: "the size of one server-sent event", limit };
    assert_eq!(decode(limit, [of(limit + 1).as_bytes()]), (vec![], Err(too_large.clone())));
    // Many lines, each of them small.
    let lines = "data: 0123456789\n".repeat(100);
    assert_eq!(decode(limit, [lines.as_bytes()]), (vec![], Err(too_large)));
}

#[test]
fn an_error_stays_and_nothing_comes_after_it() {
    let broken: [(&[u8], WireError); 2] = [
        (b"data: \xff\n\n", WireError::Utf8 { at: 0 }),
        (&[b'x'; 65], WireError::Limit { what: "the size of one server-sent event", limit: 64 }),
    ];
    for (bytes, expected) in broken {
        let mut decoder = SseDecoder::with_limit(64);
        let mut events = 0;
        assert_eq!(decoder.push(b"data: 1\n\n", |_| events += 1), Ok(()));
        assert_eq!(decoder.push(bytes, |_| events += 1), Err(expected.clone()));
        for _ in 0..3 {
            assert_eq!(decoder.push(b"\n\ndata: 2\n\n", |_| events += 1), Err(expected.clone()));
        }
        assert_eq!(events, 1);
    }
}

#[test]
fn the_end_mark_is_known_and_is_not_an_end() {
    let mut ends = Vec::new();
    let mut decoder = SseDecoder::default();
    decoder.push(b"data: [DONE]\n\ndata: {}\n\ndata:[DONE]\n\n", |event| ends.push(event.is_done())).unwrap();
    assert_eq!(ends, [true, false, true]);
}
