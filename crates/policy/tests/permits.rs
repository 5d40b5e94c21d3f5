//! What a gate promises: nothing runs without a permit, and what has begun ends once.

#[cfg(test)]
mod permits {
    mod answers;
    mod ends;
    mod log;
    mod property;
}

#[test]
fn what_must_not_be_done_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
