//! What was said, as the page shows it: ids by their order, times fixed, and what does not matter left out.

use std::collections::HashMap;
use std::fmt::Write as _;

use responses::json::{Json, Object, elements};

use crate::stage::Outcomes;

/// Stands for what is left out.
const LEFT_OUT: &str = "…";

/// The fields of a response that are always shown; others where a scene says so.
const SHOWN: [&str; 7] = ["id", "status", "previous_response_id", "incomplete_details", "error", "output", "usage"];

/// A time, in the place of all times.
const TIME: &str = "1800000000";

/// How a scene is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Nothing is left out.
    Whole,
    /// Of a response only what matters, and these fields besides.
    With(&'static [&'static str]),
}

/// A message as it is shown.
pub(crate) fn shown(text: &str, detail: Detail) -> Outcomes<String> {
    let Ok(object) = Object::parse(text) else { return Ok(text.to_owned()) };
    let mut out = Vec::new();
    if object.get("object") == Some("\"response\"") {
        return response(&object, detail);
    }
    for (key, value) in object.fields() {
        let value = match (key, value.starts_with('{')) {
            ("response", true) => response(&Object::parse(value)?, detail)?,
            ("item", true) => item(value)?,
            _ => value.to_owned(),
        };
        out.push(pair(key, &value));
    }
    Ok(format!("{{{}}}", out.join(",")))
}

fn pair(key: &str, value: &str) -> String {
    format!("{}:{value}", Json::of(&key).text())
}

fn response(object: &Object<'_>, detail: Detail) -> Outcomes<String> {
    let mut out = Vec::new();
    for (key, value) in object.fields() {
        let value = if key.ends_with("_at") && value != "null" { TIME } else { value };
        let is_wanted = match detail {
            Detail::Whole => true,
            Detail::With(more) => more.contains(&key),
        };
        match key {
            _ if is_wanted => out.push(pair(key, value)),
            _ if !SHOWN.contains(&key) || value == "null" => {}
            "usage" => out.push(pair(key, &format!("{{{LEFT_OUT}}}"))),
            "output" => {
                let items: Vec<String> = elements(value)?.into_iter().map(named).collect::<Outcomes<_>>()?;
                out.push(pair(key, &format!("[{}]", items.join(","))));
            }
            _ => out.push(pair(key, value)),
        }
    }
    if detail != Detail::Whole {
        out.push(LEFT_OUT.to_owned());
    }
    Ok(format!("{{{}}}", out.join(",")))
}

/// An item that was shown before.
fn named(text: &str) -> Outcomes<String> {
    let item = Object::parse(text)?;
    let mut fields: Vec<String> = Vec::new();
    for key in ["type", "id"] {
        fields.extend(item.get(key).map(|value| pair(key, value)));
    }
    fields.push(LEFT_OUT.to_owned());
    Ok(format!("{{{}}}", fields.join(",")))
}

/// An item: what is sealed is shown by its beginning.
fn item(text: &str) -> Outcomes<String> {
    const BEGINNING: usize = 6;
    let mut out = Vec::new();
    for (key, value) in Object::parse(text)?.fields() {
        let sealed = key == "encrypted_content" && value.len() > 2 * BEGINNING;
        let beginning: String = value.chars().take(BEGINNING).collect();
        out.push(if sealed { pair(key, &format!("{beginning}{LEFT_OUT}\"")) } else { pair(key, value) });
    }
    Ok(format!("{{{}}}", out.join(",")))
}

/// The beginnings of ids that differ from run to run.
const IDS: [&str; 9] = ["resp_", "msg_", "rs_", "fc_", "ctc_", "call_", "cmp_", "steer_", "item_"];

/// The shortest id: shorter ones are those that a scene made up.
const SHORTEST: usize = 8;

/// The same text with each id by its kind and its place in the order of first mention.
pub(crate) fn with_stable_ids(text: &str) -> String {
    let mut known: HashMap<&str, String> = HashMap::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.len() - rest.trim_start_matches(is_of_a_word).len();
        let (word, after) = rest.split_at(word);
        let prefix = IDS.into_iter().find(|prefix| word.strip_prefix(prefix).is_some_and(is_id));
        match prefix {
            Some(prefix) => {
                let name = known.entry(word).or_insert_with(|| {
                    let count = counts.entry(prefix).or_default();
                    *count += 1;
                    format!("{prefix}{count}")
                });
                out.push_str(name);
            }
            None => out.push_str(word),
        }
        let between = after.len() - after.trim_start_matches(|letter| !is_of_a_word(letter)).len();
        let (between, next) = after.split_at(between);
        out.push_str(between);
        rest = next;
    }
    out
}

fn is_of_a_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '-'
}

fn is_id(rest: &str) -> bool {
    rest.len() >= SHORTEST && rest.bytes().any(|byte| byte.is_ascii_digit())
}

/// Lines as a block of the page.
pub(crate) fn block(lines: &[String]) -> String {
    let mut out = String::from("```text\n");
    for line in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{line}");
    }
    out.push_str("```");
    with_stable_ids(&out)
}
