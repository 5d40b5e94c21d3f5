//! Each file beside its translation. `UPDATE_GOLDEN=1` writes the translations anew.

#![expect(clippy::disallowed_methods, reason = "the files are read by the tests, not by the crate")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chat::{ChatRequest, Decoder};
use responses::event::ServerEvent;
use responses::fold::Fold;
use responses::sse::{SseDecoder, SseEvent};

use crate::support::{ID, plain_request};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The names of the files that end so, without the end.
fn names(end: &str) -> BTreeSet<String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    files.filter_map(|file| Some(file.strip_suffix(end)?.to_owned())).collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(folder().join(file)).unwrap()
}

fn compare(file: &str, actual: &str) {
    let path = folder().join(file);
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        return fs::write(path, actual).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(actual, expected, "{file} differs: if that is meant, run the test with UPDATE_GOLDEN=1");
}

/// The exact body, then what was left out; or the refusal.
fn translated(request: &str) -> String {
    match chat::request(request) {
        Ok(chat) => {
            let left_out = chat.left_out.iter().map(|thing| format!("left out: {thing}\n"));
            std::iter::once(chat.body + "\n").chain(left_out).collect()
        }
        Err(error) => format!("refused: {error}\n"),
    }
}

/// The events of a stream, or of a completion that was not streamed.
fn events(request: &ChatRequest, recording: &str, is_stream: bool) -> Vec<String> {
    let (mut decoder, mut events) = (Decoder::new(request, ID, 1_700_000_000), Vec::new());
    if is_stream {
        let each = |event: SseEvent<'_>| decoder.push(event.data, |event| events.push(event));
        SseDecoder::default().push(recording.as_bytes(), each).unwrap();
    } else {
        decoder.push(recording, |event| events.push(event));
    }
    decoder.finish(|event| events.push(event));
    events
}

/// The request that a recording answers: its own, or that of all whose names begin so.
fn asked(name: &str) -> ChatRequest {
    let requests = names(".request.json");
    let name = name.strip_suffix(".whole").unwrap_or(name);
    let shared = name.split('_').next().unwrap_or_default();
    let file = [name, shared].into_iter().find(|name| requests.contains(*name));
    file.map_or_else(plain_request, |name| chat::request(&read(&format!("{name}.request.json"))).unwrap())
}

fn check_recording(name: &str, recording: &str, is_stream: bool) {
    let events = events(&asked(name), recording, is_stream);
    compare(&format!("{name}.events.txt"), &(events.join("\n") + "\n"));
    let mut fold = Fold::default();
    for event in &events {
        fold.push(&ServerEvent::parse(event).unwrap()).unwrap();
    }
    assert_eq!(fold.finish().is_err(), name.contains("cut"), "{name}");
}

#[test]
fn every_request_is_translated_as_its_file_says() {
    let names = names(".request.json");
    assert!(names.len() >= 5, "the files are gone");
    for name in names {
        compare(&format!("{name}.chat.txt"), &translated(&read(&format!("{name}.request.json"))));
    }
}

#[test]
fn every_recording_becomes_the_events_its_file_says() {
    let (streams, wholes) = (names(".stream.txt"), names(".whole.json"));
    assert!(streams.len() >= 30 && wholes.len() >= 2, "the files are gone");
    for name in streams {
        check_recording(&name, &read(&format!("{name}.stream.txt")), true);
    }
    for name in wholes {
        check_recording(&format!("{name}.whole"), &read(&format!("{name}.whole.json")), false);
    }
}

#[test]
fn no_translation_is_left_without_its_original() {
    let requests = names(".request.json");
    assert!(names(".chat.txt").is_subset(&requests));
    let wholes = names(".whole.json").into_iter().map(|name| name + ".whole");
    let recordings = names(".stream.txt").into_iter().chain(wholes).collect();
    assert!(names(".events.txt").is_subset(&recordings));
}
