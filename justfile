# The index of commands: each is one line, and what it does is written where it is done.

# show this index
@default:
    just --list --unsorted

# build everything
build:
    cargo build --workspace --all-targets

# run every test (cargo-nextest; `cargo test --workspace` does without it)
test:
    cargo nextest run --workspace && cargo test --doc --workspace

# check the house rules of tidy.toml
tidy:
    cargo xtask tidy

# run clippy
lint:
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# format the code
fmt:
    cargo fmt --all

# build the documentation of the crates
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# everything that must hold before a change is taken
ci:
    .ci/run

# fuzz one target until stopped (cargo-fuzz, nightly)
fuzz TARGET:
    cargo +nightly fuzz run --fuzz-dir fuzz {{TARGET}}

# which changes to the code no test notices (cargo-mutants)
mutants:
    cargo mutants --workspace

# measure
bench:
    cargo bench --workspace
