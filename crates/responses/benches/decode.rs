//! Reading what a server sends, beside a plain parse of the same bytes into a tree.

#[path = "support/recording.rs"]
mod recording;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use recording::{EVENTS, as_sse, recording};
use responses::event::ServerEvent;
use responses::fold::Fold;
use responses::sse::SseDecoder;

/// As much as a socket gives at once.
const PIECE: usize = 16 << 10;

fn frames(criterion: &mut Criterion) {
    let events = recording();
    let mut group = criterion.benchmark_group("frames");
    group.throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("events", |bencher| {
        bencher.iter(|| {
            for event in &events {
                let _ = black_box(ServerEvent::parse(black_box(event)));
            }
        });
    });
    group.bench_function("events and fold", |bencher| {
        bencher.iter(|| {
            let mut fold = Fold::default();
            for event in &events {
                let _ = ServerEvent::parse(black_box(event)).map(|event| fold.push(&event));
            }
            black_box(fold.finish())
        });
    });
    group.bench_function("tree", |bencher| {
        bencher.iter(|| {
            for event in &events {
                let _ = black_box(serde_json::from_str::<serde_json::Value>(black_box(event)));
            }
        });
    });
    group.finish();
}

fn sse(criterion: &mut Criterion) {
    let stream = as_sse(&recording());
    let mut group = criterion.benchmark_group("sse");
    group.throughput(Throughput::Elements(EVENTS as u64));
    let decode = |each: &mut dyn FnMut(&str)| {
        let mut decoder = SseDecoder::default();
        for piece in black_box(&stream).chunks(PIECE) {
            let _ = decoder.push(piece, |event| each(event.data));
        }
    };
    group.bench_function("events", |bencher| {
        bencher.iter(|| decode(&mut |data| drop(black_box(ServerEvent::parse(data)))));
    });
    group.bench_function("events and fold", |bencher| {
        bencher.iter(|| {
            let mut fold = Fold::default();
            decode(&mut |data| drop(ServerEvent::parse(data).map(|event| fold.push(&event))));
            black_box(fold.finish())
        });
    });
    group.bench_function("tree", |bencher| {
        bencher.iter(|| decode(&mut |data| drop(black_box(serde_json::from_str::<serde_json::Value>(data)))));
    });
    group.finish();
}

criterion_group!(benches, frames, sse);
criterion_main!(benches);
