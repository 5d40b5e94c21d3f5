//! Moves that the types forbid. Each file says in its name what cannot be done; the compiler says why.

#[test]
fn what_must_not_be_done_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
