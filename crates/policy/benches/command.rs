//! What reading a command line costs, from the text to its effects.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use policy::command::effects;
use policy::place::{Path, Surroundings};

/// A command with a few words.
const SHORT: &str = "cargo test -p policy";

/// What an agent writes in between.
const TYPICAL: &str = "cd crates/policy && grep -rn 'fn effects' src --include '*.rs' | head -20 && \
    sed -n '1,80p' src/command.rs > /tmp/head.txt 2>&1; find . -name '*.orig' -exec rm {} \\; || echo \"none in $(pwd)\"";

/// How often the typical line stands in the long one.
const TIMES: usize = 200;

fn around() -> Surroundings {
    let folder = Path::absolute("/work/project");
    Surroundings {
        cwd: folder.clone(),
        home: Path::absolute("/home/u"),
        workspace: vec![folder],
        protected: Vec::new(),
        temporary: vec![Path::absolute("/tmp")],
        confined: false,
    }
}

fn read(criterion: &mut Criterion) {
    let around = around();
    // Each by itself, so that the folder stays known.
    let long = vec![format!("({TYPICAL})"); TIMES].join("\n");
    let mut group = criterion.benchmark_group("command");
    for (name, line) in [("short", SHORT), ("typical", TYPICAL), ("long", &long)] {
        group.throughput(Throughput::Bytes(line.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| effects(black_box(line), black_box(&around)));
        });
    }
    group.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
