//! Going on with a conversation: the time must not depend on its length.

#[path = "support/conversation.rs"]
mod conversation;

use std::cell::{Cell, RefCell};
use std::hint::black_box;

use conversation::Conversation;
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};

const LENGTHS: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

/// After so many turns the conversation is put back to its length.
const TURNS: u32 = 64;

/// One item is appended, the plan made and the frame rendered; the server's answer is not counted.
fn go_on(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("continue");
    for length in LENGTHS {
        let start = Conversation::new(length);
        let (conversation, turn) = (RefCell::new(start.clone()), Cell::new(0));
        let answer = || {
            let mut conversation = conversation.borrow_mut();
            if turn.replace(turn.get() + 1) % TURNS == 0 {
                // The first turn after a copy is not counted: it makes room for all the others.
                conversation.clone_from(&start);
                conversation.ask();
            }
            conversation.answer();
        };
        group.bench_function(BenchmarkId::from_parameter(length), |bencher| {
            bencher.iter_batched(answer, |()| conversation.borrow_mut().ask(), BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn plan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    for length in LENGTHS {
        let conversation = Conversation::new(length);
        group.bench_function(BenchmarkId::from_parameter(length), |bencher| {
            bencher.iter(|| black_box(&conversation.chain).plan(black_box(&conversation.settings)));
        });
    }
    group.finish();
}

criterion_group!(benches, go_on, plan);
criterion_main!(benches);
