//! What no honest user writes: an error, in bounded time and memory.

use config::{Layers, MAX_BYTES, MAX_DEPTH};

use crate::{PATH, file};

/// Almost the limit.
const MANY: usize = MAX_BYTES - 100;

#[test]
fn a_megabyte_of_settings_is_read() {
    let line = |n: usize| format!("key_number_{n} = 'value'\n");
    let text: String = (0..)
        .map(line)
        .scan(0, |size, line| {
            *size += line.len();
            (*size <= MANY).then_some(line)
        })
        .collect();
    let settings = file(&text);
    let entries = settings.entries();
    assert_eq!(entries.len(), text.lines().count());
    assert!(entries.iter().all(|entry| entry.origin.position().is_some()));
}

#[test]
fn a_megabyte_on_one_line_is_quoted_in_part() {
    let mut settings = file(&format!("a = '{}'", "x".repeat(MANY)));
    let error = settings.read::<u64>("a").unwrap_err().to_string();
    assert!(error.len() < 500, "{}", error.len());
    let error = file(&format!("{} = 1", "x".repeat(MANY))).finish().unwrap_err().to_string();
    assert!(error.len() < 500, "{}", error.len());
    let error = Layers::new().argument(&"x".repeat(MANY)).unwrap_err().to_string();
    assert!(error.len() < 500, "{}", error.len());
}

#[test]
fn more_than_the_limit_is_not_read() {
    let text = "#".repeat(MAX_BYTES);
    assert!(file(&text).is_empty());
    let error = Layers::new().file(PATH, &(text + "#")).unwrap_err().to_string();
    assert_eq!(error, "~/.capstan/config.toml: 1048577 bytes of settings, and at most 1048576 are read: use less");
}

#[test]
fn nesting_ends_at_a_named_depth() {
    let lists = |depth: usize| format!("a = {}1{}", "[".repeat(depth), "]".repeat(depth));
    let tables = |depth: usize| format!("{}b = 1{}", "a = { ".repeat(depth), " }".repeat(depth));
    let dotted = |depth: usize| format!("{}b = 1", "a.".repeat(depth));
    let header = |depth: usize| format!("[{}a]\nb = 1", "a.".repeat(depth - 1));
    // One level is the key itself.
    for make in [&lists as &dyn Fn(usize) -> String, &tables, &dotted, &header] {
        assert_eq!(file(&make(MAX_DEPTH - 1)).entries().len(), 1);
        for depth in [MAX_DEPTH, MAX_DEPTH + 1, 79, 80, 81, 200, 10_000] {
            let error = Layers::new().file(PATH, &make(depth)).unwrap_err().to_string();
            let expected = "tables and lists stand in one another more than 32 deep: use fewer levels";
            assert!(error.contains(expected), "{depth}: {error}");
        }
    }
}

#[test]
fn nesting_by_dots_within_brackets_ends_at_the_same_depth() {
    let level = format!("{}a = {{ ", "a.".repeat(78));
    let text = format!("[{}a]\n{}{}", "a.".repeat(78), level.repeat(79), "}".repeat(79));
    assert!(Layers::new().file(PATH, &text).unwrap_err().to_string().contains("more than 32 deep"));
}

#[test]
fn arguments_nest_to_the_same_depth() {
    let nested = |depth: usize| format!("{}b=1", "a.".repeat(depth - 1));
    assert!(Layers::new().argument(&nested(MAX_DEPTH)).is_ok());
    let lists = |depth: usize| format!("a={}1{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(Layers::new().argument(&lists(MAX_DEPTH)).is_ok());
    for text in [nested(MAX_DEPTH + 1), nested(MAX_DEPTH + 1).replace("=1", "=x y"), lists(MAX_DEPTH + 1), lists(1000)]
    {
        let error = Layers::new().argument(&text).unwrap_err().to_string();
        assert!(error.contains("more than 32 deep"), "{error}");
    }
}

#[test]
fn a_header_repeated_without_end_is_an_error_or_a_list() {
    let mut settings = file(&"[[a.b]]\n".repeat(10_000));
    let a = settings.table("a").unwrap();
    assert_eq!(a.entries().len(), 1);
}
