//! What stands behind a mark: calls, in one of a few ways to write them.

use std::borrow::Cow;

use responses::json::{Json, Object, ObjectWriter, elements, quote};

use super::python;
use super::scan::{Found, Scan, Tongue, find_from};
use crate::request::{Names, wrapped};

/// A call that a model wrote as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::decode) struct Written {
    pub(in crate::decode) name: Box<str>,
    /// A JSON object.
    pub(in crate::decode) arguments: String,
}

/// How calls are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// JSON with a name and arguments, or a list of such.
    Calls,
    /// JSON arguments, of a function that was named before.
    Arguments(Box<str>),
    /// `<parameter=…>…</parameter>` to `</function>`.
    Parameters(Box<str>),
    /// `<arg_key>…</arg_key><arg_value>…</arg_value>` to `</tool_call>`.
    Pairs(Box<str>),
    /// JSON calls and nothing else to the end of the message.
    OnlyCalls,
    /// A Python list of calls and nothing else to the end of the message.
    OnlyPython,
}

/// How far reading has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    More,
    Not,
    /// Where the calls end, and what they are.
    Calls(usize, Vec<Written>),
}

/// Reads a body that grows.
#[derive(Debug, Clone)]
pub(super) struct BodyReader {
    body: Body,
    from: usize,
    scan: Scan,
    searched: usize,
    calls: Vec<Written>,
}

impl BodyReader {
    pub(super) fn new(body: Body, from: usize) -> Self {
        let tongue = if body == Body::OnlyPython { Tongue::Python } else { Tongue::Json };
        Self { body, from, scan: Scan::new(tongue, from), searched: from, calls: Vec::new() }
    }

    /// Looks at `text`, of which the beginning is what it was.
    pub(super) fn read(&mut self, text: &str, names: &Names, is_end: bool) -> Read {
        match self.body.clone() {
            Body::Calls => self.value(text, |text| calls_in(text, names, true)),
            Body::Arguments(name) => self.value(text, |text| Some(vec![checked(name, text.to_owned())?])),
            Body::Parameters(name) => self.parameters(text, &name, names),
            Body::Pairs(name) => match find_from(text, PAIRS_END, &mut self.searched) {
                None => Read::More,
                Some(end) => done(end + PAIRS_END.len(), pairs(part(text, self.from, end), &name, names)),
            },
            Body::OnlyCalls => self.up_to_the_end(text, is_end, |text| calls_in(text, names, false)),
            Body::OnlyPython => self.list_up_to_the_end(text, names, is_end),
        }
    }

    fn value(&mut self, text: &str, read: impl FnOnce(&str) -> Option<Vec<Written>>) -> Read {
        match self.scan.next(text) {
            Found::More => Read::More,
            Found::Broken => Read::Not,
            Found::Value(from, end) => done(end, read(part(text, from, end))),
        }
    }

    /// Reads values to the end of the message: where anything else is, they are not calls.
    fn up_to_the_end(&mut self, text: &str, is_end: bool, read: impl Fn(&str) -> Option<Vec<Written>>) -> Read {
        loop {
            match self.scan.next(text) {
                Found::Broken => return Read::Not,
                Found::Value(from, end) => match read(part(text, from, end)) {
                    Some(calls) => self.calls.extend(calls),
                    None => return Read::Not,
                },
                Found::More if is_end && self.scan.is_between() => {
                    return Read::Calls(text.len(), std::mem::take(&mut self.calls));
                }
                Found::More => return Read::More,
            }
        }
    }

    /// Reads one list, and waits for the end of the message.
    fn list_up_to_the_end(&mut self, text: &str, names: &Names, is_end: bool) -> Read {
        if self.calls.is_empty() {
            match self.scan.next(text) {
                Found::More => return Read::More,
                Found::Broken => return Read::Not,
                Found::Value(from, end) => {
                    let calls = python::calls(part(text, from, end), |name| names.contains_key(name));
                    let Some(calls) = calls else { return Read::Not };
                    (self.calls, self.searched) = (calls, end);
                }
            }
        }
        match part(text, self.searched, text.len()).trim() {
            "" if is_end => Read::Calls(text.len(), std::mem::take(&mut self.calls)),
            "" => Read::More,
            _ => Read::Not,
        }
    }

    /// The end mark may stand inside a value: it is the end only behind the end of one, or where there is none.
    fn parameters(&mut self, text: &str, name: &str, names: &Names) -> Read {
        while let Some(end) = find_from(text, PARAMETERS_END, &mut self.searched) {
            let inner = part(text, self.from, end).trim();
            self.searched = end + PARAMETERS_END.len();
            if inner.is_empty() || inner.ends_with(PARAMETER_END) {
                return done(self.searched, parameters(inner, name, names));
            }
        }
        Read::More
    }
}

const PARAMETERS_END: &str = "</function>";
const PARAMETER: &str = "<parameter=";
const PARAMETER_END: &str = "</parameter>";
const PAIRS_END: &str = "</tool_call>";

fn done(end: usize, calls: Option<Vec<Written>>) -> Read {
    calls.filter(|calls| !calls.is_empty()).map_or(Read::Not, |calls| Read::Calls(end, calls))
}

fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or_default()
}

/// One call or a list of them.
fn calls_in(text: &str, names: &Names, is_marked: bool) -> Option<Vec<Written>> {
    if text.starts_with('[') {
        Json::parse(text).ok()?;
        return elements(text).ok()?.into_iter().map(|call| call_in(call, names, is_marked)).collect();
    }
    Some(vec![call_in(text, names, is_marked)?])
}

/// A call as JSON: a name and arguments, perhaps inside `function`. Behind a mark a call may have no arguments;
/// without one it is not a call but an object that has a name.
fn call_in(text: &str, names: &Names, is_marked: bool) -> Option<Written> {
    let object = Object::parse(text).ok()?;
    let object = match object.get("function") {
        Some(inner) if inner.starts_with('{') => Object::parse(inner).ok()?,
        _ => object,
    };
    let name = ["name", "function"].into_iter().find_map(|key| string(object.get(key)?))?;
    let declared = names.get(&*name)?;
    let arguments = match ["arguments", "parameters"].into_iter().find_map(|key| object.get(key)) {
        None | Some("null") => is_marked.then(|| "{}".to_owned())?,
        // Some write the arguments as a server would: as text that holds them.
        Some(quoted) if quoted.starts_with('"') => {
            let text = string(quoted)?;
            if declared.callee.is_custom && Object::parse(&text).is_err() { wrapped(&text) } else { text.into_owned() }
        }
        Some(json) => json.to_owned(),
    };
    checked(name.as_ref().into(), arguments)
}

fn string(json: &str) -> Option<Cow<'_, str>> {
    responses::json::Read::read(json).ok()
}

fn checked(name: Box<str>, arguments: String) -> Option<Written> {
    Object::parse(&arguments).ok()?;
    Some(Written { name, arguments })
}

/// Parameters in tags. What is between the tags is the value, a line break at each side aside.
fn parameters(mut inner: &str, name: &str, names: &Names) -> Option<Vec<Written>> {
    let mut values = Vec::new();
    while let Some(rest) = inner.trim_start().strip_prefix(PARAMETER) {
        let (key, rest) = rest.split_once('>')?;
        let is_end = |rest: &str| rest.trim_start().is_empty() || rest.trim_start().starts_with(PARAMETER);
        let ends = rest.match_indices(PARAMETER_END).map(|(at, mark)| (at, at + mark.len()));
        let (end, after) = ends.into_iter().find(|(_, after)| is_end(part(rest, *after, rest.len())))?;
        let value = part(rest, 0, end);
        let value = value.strip_prefix('\n').unwrap_or(value);
        values.push((key, value.strip_suffix('\n').unwrap_or(value)));
        inner = part(rest, after, rest.len());
    }
    inner.trim().is_empty().then_some(())?;
    arguments_of(&values, name, names)
}

fn pairs(mut inner: &str, name: &str, names: &Names) -> Option<Vec<Written>> {
    let mut values = Vec::new();
    while let Some(rest) = inner.trim_start().strip_prefix("<arg_key>") {
        let (key, rest) = rest.split_once("</arg_key>")?;
        let (value, rest) = rest.trim_start().strip_prefix("<arg_value>")?.split_once("</arg_value>")?;
        values.push((key.trim(), value));
        inner = rest;
    }
    inner.trim().is_empty().then_some(())?;
    arguments_of(&values, name, names)
}

fn arguments_of(values: &[(&str, &str)], name: &str, names: &Names) -> Option<Vec<Written>> {
    let schema = names.get(name).and_then(|declared| Object::parse(&declared.parameters).ok());
    let properties = schema.and_then(|schema| Object::parse(schema.get("properties")?).ok()).unwrap_or_default();
    let mut out = String::new();
    let mut object = ObjectWriter::begin(&mut out);
    for (key, value) in values {
        object.raw(key, &typed(properties.get(key), value));
    }
    object.end();
    Some(vec![checked(name.into(), out)?])
}

/// What was written without quotes is what the schema of the tool says that it is: text, where it does not say.
fn typed(schema: Option<&str>, value: &str) -> String {
    let mut text = String::new();
    let Some(schema) = schema.and_then(|schema| Object::parse(schema).ok()) else {
        quote(value, &mut text);
        return text;
    };
    let is_text = schema.get("type").is_some_and(|kind| kind.contains(r#""string""#));
    let json = match value.trim() {
        "True" => "true",
        "False" => "false",
        "None" => "null",
        json => json,
    };
    if is_text || Json::parse(json).is_err() {
        quote(value, &mut text);
        return text;
    }
    json.to_owned()
}
