//! The work of the benches, done so many times and not timed: for counting instructions.
//!
//! `valgrind --tool=callgrind target/release/examples/workload continue-10 1000`. Two counts of repetitions let one
//! subtract what happens once.

#[path = "../benches/support/conversation.rs"]
mod conversation;
#[path = "../benches/support/recording.rs"]
mod recording;

use std::hint::black_box;

use conversation::Conversation;
use recording::{EVENTS, as_sse, recording};
use responses::event::ServerEvent;
use responses::fold::Fold;
use responses::sse::SseDecoder;

const PIECE: usize = 16 << 10;

fn main() -> Result<(), String> {
    let usage = "workload continue-10|continue-100000|plan|decode-sse|decode-frames|decode-value N";
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, times] = arguments.as_slice() else { return Err(usage.to_owned()) };
    let times: usize = times.parse().map_err(|_| usage)?;
    match name.as_str() {
        "continue-10" => go_on(10, times),
        "continue-100000" => go_on(100_000, times),
        "plan" => plan(times),
        "decode-sse" => decode_sse(times),
        "decode-frames" => decode_frames(times),
        "decode-value" => decode_value(times),
        _ => return Err(usage.to_owned()),
    }
    Ok(())
}

/// Whole turns: the question goes out, the answer comes in.
fn go_on(length: usize, times: usize) {
    let mut conversation = Conversation::new(length);
    for _ in 0..times {
        black_box(conversation.ask());
        conversation.answer();
    }
}

fn plan(times: usize) {
    let conversation = Conversation::new(EVENTS);
    for _ in 0..times {
        black_box(black_box(&conversation.chain).plan(black_box(&conversation.settings)));
    }
}

fn decode_sse(times: usize) {
    let stream = as_sse(&recording());
    for _ in 0..times {
        let (mut decoder, mut fold) = (SseDecoder::default(), Fold::default());
        for piece in stream.chunks(PIECE) {
            let _ = decoder.push(piece, |event| {
                let _ = ServerEvent::parse(event.data).map(|event| fold.push(&event));
            });
        }
        assert!(fold.finish().is_ok(), "the stream has no end");
    }
}

fn decode_frames(times: usize) {
    let events = recording();
    for event in events.iter().cycle().take(times * EVENTS) {
        let _ = black_box(ServerEvent::parse(event));
    }
}

fn decode_value(times: usize) {
    let events = recording();
    for event in events.iter().cycle().take(times * EVENTS) {
        let _ = black_box(serde_json::from_str::<serde_json::Value>(event));
    }
}
