//! The smallest JSON that satisfies a schema, as far as a model that cannot think may find it.

use std::borrow::Cow;

use responses::json::{Object, ObjectWriter, Read, Write, elements};
use responses::request::Request;

/// How deep a schema is followed: what refers to itself is cut off with `null`.
const MAX_DEPTH: usize = 32;

/// How many schemas are looked at for one answer.
const MAX_STEPS: usize = 4096;

/// How long a text or a list is made where the schema wants it to have a length.
const MAX_LENGTH: usize = 64;

/// The JSON that a request wants in place of text, if it wants JSON.
pub(super) fn wanted(request: &Request) -> Option<String> {
    let text = Object::parse(request.prompt.text.as_ref()?.text()).ok()?;
    let format = Object::parse(text.get("format")?).ok()?;
    match &*format.read::<Cow<'_, str>>("type").ok()? {
        "json_object" => Some("{}".to_owned()),
        "json_schema" => Some(smallest(format.get("schema").unwrap_or("{}"))),
        _ => None,
    }
}

/// The smallest JSON that satisfies a schema.
pub(super) fn smallest(schema: &str) -> String {
    let mut out = String::new();
    Walk { root: schema, steps: 0 }.put(schema, 0, &mut out);
    out
}

struct Walk<'a> {
    root: &'a str,
    steps: usize,
}

impl<'a> Walk<'a> {
    fn put(&mut self, schema: &'a str, depth: usize, out: &mut String) {
        self.steps += 1;
        let known = Object::parse(schema).ok().filter(|_| depth < MAX_DEPTH && self.steps < MAX_STEPS);
        let Some(known) = known else { return out.push_str("null") };
        if let Some(value) = known.get("const").or_else(|| first(known.get("enum")?)) {
            return out.push_str(value);
        }
        let other = known.get("$ref").and_then(|target| self.find(target));
        let options = ["anyOf", "oneOf", "allOf"].iter().find_map(|key| known.get(key));
        if let Some(other) = other.or_else(|| choose(options?)) {
            return self.put(other, depth + 1, out);
        }
        match kind(&known).as_deref() {
            Some("string") => "x".repeat(at_least(&known, "minLength")).write(out),
            Some("integer" | "number") => out.push_str(number(&known)),
            Some("boolean") => out.push_str("false"),
            Some("array") => self.put_array(&known, depth, out),
            Some("null") => out.push_str("null"),
            _ => self.put_object(&known, depth, out),
        }
    }

    fn put_array(&mut self, schema: &Object<'a>, depth: usize, out: &mut String) {
        out.push('[');
        for at in 0..at_least(schema, "minItems") {
            if at > 0 {
                out.push(',');
            }
            self.put(schema.get("items").unwrap_or("{}"), depth + 1, out);
        }
        out.push(']');
    }

    /// All properties: some servers ask for each, others leave out which are required.
    fn put_object(&mut self, schema: &Object<'a>, depth: usize, out: &mut String) {
        let properties = schema.get("properties").and_then(|text| Object::parse(text).ok()).unwrap_or_default();
        let mut object = ObjectWriter::begin(out);
        for (key, property) in properties.fields() {
            self.put(property, depth + 1, object.open(key));
        }
        object.end();
    }

    /// What a pointer into the schema itself points at.
    fn find(&self, pointer: &str) -> Option<&'a str> {
        let pointer: Cow<'_, str> = Read::read(pointer).ok()?;
        let mut found = self.root;
        for key in pointer.strip_prefix('#')?.split('/').skip(1) {
            found = Object::parse(found).ok()?.get(&key.replace("~1", "/").replace("~0", "~"))?;
        }
        Some(found)
    }
}

fn first(list: &str) -> Option<&str> {
    elements(list).ok()?.first().copied()
}

/// One of several schemas: the one for nothing, where there is one, so that what refers to itself comes to an end.
fn choose(options: &str) -> Option<&str> {
    let options = elements(options).ok()?;
    let is_null = |schema: &&&str| Object::parse(schema).is_ok_and(|schema| schema.get("type") == Some("\"null\""));
    options.iter().find(is_null).or(options.first()).copied()
}

/// The type, or the first of several.
fn kind<'a>(schema: &Object<'a>) -> Option<Cow<'a, str>> {
    let text = schema.get("type")?;
    Read::read(first(text).unwrap_or(text)).ok()
}

fn at_least(schema: &Object<'_>, key: &str) -> usize {
    schema.get(key).and_then(|text| text.parse().ok()).unwrap_or(0).min(MAX_LENGTH)
}

/// Zero, or the bound that keeps away from it.
fn number<'a>(schema: &Object<'a>) -> &'a str {
    let bound =
        |key, excludes_zero: fn(f64) -> bool| schema.get(key).filter(|text| f64::read(text).is_ok_and(excludes_zero));
    bound("minimum", |low| low > 0.0).or_else(|| bound("maximum", |high| high < 0.0)).unwrap_or("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_json_that_a_schema_allows() {
        for (schema, expected) in [
            (r#"{"type":"string"}"#, r#""""#),
            (r#"{"type":"string","minLength":2}"#, r#""xx""#),
            (r#"{"type":"string","enum":["b","a"]}"#, r#""b""#),
            (r#"{"const":{"a":1}}"#, r#"{"a":1}"#),
            (r#"{"type":"integer"}"#, "0"),
            (r#"{"type":"number","minimum":1.5}"#, "1.5"),
            (r#"{"type":"integer","minimum":-3,"maximum":-2}"#, "-2"),
            (r#"{"type":"boolean"}"#, "false"),
            (r#"{"type":["string","null"]}"#, r#""""#),
            (r#"{"type":"array","items":{"type":"integer"}}"#, "[]"),
            (r#"{"type":"array","minItems":2,"items":{"type":"boolean"}}"#, "[false,false]"),
            (r#"{"anyOf":[{"type":"string"},{"type":"null"}]}"#, "null"),
            (r#"{"oneOf":[{"type":"integer"},{"type":"string"}]}"#, "0"),
            ("{}", "{}"),
            ("true", "null"),
            (
                r#"{"type":"object","properties":{"a\"b":{"type":"string"},"n":{"type":"number"}},"required":["n"]}"#,
                r#"{"a\"b":"","n":0}"#,
            ),
            (
                r##"{"properties":{"p":{"$ref":"#/$defs/point"}},"$defs":{"point":{"properties":{"x":{"type":"integer"}}}}}"##,
                r#"{"p":{"x":0}}"#,
            ),
        ] {
            assert_eq!(smallest(schema), expected, "{schema}");
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_comes_to_an_end() {
        let list = r##"{"properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}}}"##;
        assert_eq!(smallest(list), r#"{"next":null}"#);
        assert!(smallest(r##"{"properties":{"next":{"$ref":"#"}}}"##).contains("null"));
        let twice = r##"{"properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}}}"##;
        assert!(smallest(twice).len() < 100_000);
    }
}
