//! Short lines that would make many words are not gone through to the end.

use policy::rules::Rules;
use policy::verdict::Verdict;

use super::support::judged;

#[test]
fn no_short_line_makes_many_words() {
    let names = |count: usize, stem: &str| (0..count).map(|at| format!("{stem}{at}")).collect::<Vec<_>>().join(" ");
    for line in [
        format!("find {} -exec x {} +", "a ".repeat(10_000), "{} ".repeat(10_000)),
        format!("tar cf x {} {}", names(4000, "-C a"), names(4000, "b")),
        format!("cp {} $X", names(9000, "a")),
        format!("f() {{ echo {{1..255}}{}; }};{}", "x".repeat(30_000), "f;".repeat(10_000)),
        format!("f() {{ rm {}; }};{}", names(5000, "a"), "f;".repeat(10_000)),
        format!("{}ls", "eval ".repeat(10_000)),
    ] {
        assert_ne!(judged(&Rules::default(), &line).verdict, Verdict::Allow);
    }
}

#[test]
fn a_pattern_of_many_parts_is_compared_in_no_time() {
    for part in ["*/", "**/", "**/*/", "?*a/", ".*a/"] {
        let line = format!("cat ~/x/{}b*", part.repeat(60_000 / part.len()));
        judged(&Rules::default(), &line);
    }
    let line = (0..5000).fold("cat".to_owned(), |line, at| format!("{line} x*y*{at}"));
    assert_eq!(judged(&Rules::default(), &line).verdict, Verdict::Deny);
}
