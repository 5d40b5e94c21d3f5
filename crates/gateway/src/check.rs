//! Whether a request makes sense: found before anything is begun, and told by the name of the field.

use std::borrow::Cow;
use std::collections::HashMap;

use responses::chain::RunRequest;
use responses::error::ApiError;
use responses::id::CallId;
use responses::item::{Item, ItemKind};
use responses::json::{Json, Object, Read};
use responses::request::{IDEMPOTENCY_KEY, Request};

/// How many of the newest items, besides the new ones, are looked through for calls before all are.
const RECENT: usize = 128;

const METADATA_PAIRS: usize = 16;
const METADATA_KEY: usize = 64;
const METADATA_VALUE: usize = 512;

/// Checks a request and the conversation that it goes on.
pub(crate) fn check(run: &RunRequest) -> Result<(), ApiError> {
    if run.request.background() && !run.request.store() {
        return Err(invalid("background", "a response in the background has to be stored: leave out `store: false`"));
    }
    if let Some((_, key)) = run.request.extra.iter().find(|(key, _)| &**key == IDEMPOTENCY_KEY)
        && !key.read::<Cow<'_, str>>().is_ok_and(|key| !key.is_empty())
    {
        return Err(invalid(IDEMPOTENCY_KEY, "`idempotency_key` is a string with something in it"));
    }
    if run.context.newest(run.new_items).iter().any(|item| item.kind() == ItemKind::ItemReference) {
        let message = "items are not kept by their ids here: send the item itself, or go on from its response";
        return Err(invalid("input", message));
    }
    fields(&run.request)?;
    calls(run)
}

fn fields(request: &Request) -> Result<(), ApiError> {
    let Request { prompt, sampling, service, delivery, .. } = request;
    number(sampling.temperature.as_ref(), "temperature", 0.0, 2.0)?;
    number(sampling.top_p.as_ref(), "top_p", 0.0, 1.0)?;
    count(sampling.top_logprobs.as_ref(), "top_logprobs", 0..=20)?;
    count(sampling.max_output_tokens.as_ref(), "max_output_tokens", 1..=u64::MAX)?;
    count(prompt.max_tool_calls.as_ref(), "max_tool_calls", 0..=u64::MAX)?;
    of::<bool>(prompt.parallel_tool_calls.as_ref(), "parallel_tool_calls", "true or false")?;
    of::<Vec<Cow<'_, str>>>(prompt.include.as_ref(), "include", "a list of strings")?;
    for (field, name) in
        [(&prompt.reasoning, "reasoning"), (&prompt.text, "text"), (&delivery.stream_options, "stream_options")]
    {
        object(field.as_ref(), name)?;
    }
    for (field, name) in [
        (&service.service_tier, "service_tier"),
        (&service.prompt_cache_key, "prompt_cache_key"),
        (&service.safety_identifier, "safety_identifier"),
        (&service.user, "user"),
    ] {
        of::<Cow<'_, str>>(field.as_ref(), name, "a string")?;
    }
    one_of(prompt.truncation.as_ref(), "truncation", &["auto", "disabled"])?;
    tool_choice(prompt.tool_choice.as_ref())?;
    format(prompt.text.as_ref())?;
    metadata(service.metadata.as_ref())
}

fn given(field: Option<&Json>) -> Option<&Json> {
    field.filter(|field| !field.is_null())
}

fn of<'a, T: Read<'a>>(field: Option<&'a Json>, name: &str, wanted: &str) -> Result<Option<T>, ApiError> {
    let read = given(field).map(Json::read::<T>).transpose();
    read.map_err(|_| invalid(name, &format!("`{name}` is not {wanted}")))
}

fn object<'a>(field: Option<&'a Json>, name: &str) -> Result<Option<Object<'a>>, ApiError> {
    let read = given(field).map(|field| Object::parse(field.text())).transpose();
    read.map_err(|_| invalid(name, &format!("`{name}` is not an object")))
}

fn number(field: Option<&Json>, name: &str, least: f64, most: f64) -> Result<(), ApiError> {
    let Some(field) = given(field) else { return Ok(()) };
    let number = field.text().parse::<f64>().ok().filter(|number| (least..=most).contains(number));
    number.map(drop).ok_or_else(|| invalid(name, &format!("`{name}` is not a number from {least} to {most}")))
}

fn count(field: Option<&Json>, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<(), ApiError> {
    let wanted = match (range.start(), range.end()) {
        (least, &u64::MAX) => format!("a whole number, {least} or more"),
        (least, most) => format!("a whole number from {least} to {most}"),
    };
    match of::<u64>(field, name, &wanted)? {
        Some(number) if !range.contains(&number) => Err(invalid(name, &format!("`{name}` is not {wanted}"))),
        _ => Ok(()),
    }
}

fn one_of(field: Option<&Json>, name: &str, values: &[&str]) -> Result<(), ApiError> {
    let wanted = values.join(" or ");
    match of::<Cow<'_, str>>(field, name, &wanted)? {
        Some(value) if !values.contains(&&*value) => Err(invalid(name, &format!("`{name}` is not {wanted}"))),
        _ => Ok(()),
    }
}

fn tool_choice(field: Option<&Json>) -> Result<(), ApiError> {
    match given(field) {
        Some(choice) if choice.text().starts_with('{') => Ok(()),
        choice => one_of(choice, "tool_choice", &["none", "auto", "required"]),
    }
}

fn format(text: Option<&Json>) -> Result<(), ApiError> {
    let Some(text) = object(text, "text")? else { return Ok(()) };
    let Some(format) = text.get("format").filter(|format| *format != "null") else { return Ok(()) };
    let wrong = |what: &str| invalid("text.format", &format!("`text.format` {what}"));
    let format = Object::parse(format).map_err(|_| wrong("is not an object"))?;
    let kind: Cow<'_, str> = format.read("type").map_err(|_| wrong("has no type"))?;
    match &*kind {
        "json_schema" => {
            let has = |key| format.get(key).is_some_and(|value| value != "null");
            if !has("name") || !format.get("schema").is_some_and(|schema| schema.starts_with('{')) {
                return Err(wrong("of type json_schema needs a `name` and a `schema`"));
            }
            Ok(())
        }
        "text" | "json_object" | "grammar" => Ok(()),
        _ => Err(wrong("is of a type that is not known: use text, json_object or json_schema")),
    }
}

fn metadata(field: Option<&Json>) -> Result<(), ApiError> {
    let Some(object) = object(field, "metadata")? else { return Ok(()) };
    let wrong = |what: &str| Err(invalid("metadata", &format!("`metadata` {what}")));
    if object.fields().count() > METADATA_PAIRS {
        return wrong(&format!("has more than {METADATA_PAIRS} pairs"));
    }
    for (key, value) in object.fields() {
        let Ok(value) = <Cow<'_, str>>::read(value) else { return wrong("is not an object of strings") };
        if key.chars().count() > METADATA_KEY || value.chars().count() > METADATA_VALUE {
            return wrong(&format!("has a key over {METADATA_KEY} or a value over {METADATA_VALUE} characters"));
        }
    }
    Ok(())
}

/// Every answer has its call, and every call its answer: models are confused by less.
fn calls(run: &RunRequest) -> Result<(), ApiError> {
    let recent = run.context.newest(run.new_items.saturating_add(RECENT));
    if recent.len() == run.context.len() || pairs(&recent).is_ok() {
        return pairs(&recent);
    }
    pairs(&run.context.to_vec())
}

fn pairs(items: &[Item]) -> Result<(), ApiError> {
    let mut made: Vec<CallId> = Vec::new();
    let mut open: HashMap<CallId, bool> = HashMap::new();
    // What a compaction holds, or a reference names, is not seen here.
    let mut hidden = false;
    for item in items {
        hidden |= matches!(item.kind(), ItemKind::Compaction | ItemKind::ItemReference | ItemKind::Unknown);
        if let Some(call) = item.answers() {
            match open.get_mut(&call) {
                Some(waits) => *waits = false,
                None if hidden => {}
                None => {
                    return Err(invalid("input", &format!("there is no call `{call}` that this output could be of")));
                }
            }
        } else if let Some(call) = item.call() {
            made.push(call.clone());
            open.insert(call, true);
        }
    }
    match made.iter().find(|call| open.get(call).is_some_and(|waits| *waits)) {
        Some(call) => Err(invalid("input", &format!("the call `{call}` has no output: add one to the input"))),
        None => Ok(()),
    }
}

fn invalid(param: &str, message: &str) -> ApiError {
    ApiError::report(400, Some("invalid_value"), Some(param), message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn run(body: &str) -> RunRequest {
        let mut request = Request::parse(body).unwrap();
        let items = request.input.take().map(responses::request::Input::into_items).unwrap_or_default();
        let new_items = items.len();
        RunRequest {
            request: Arc::new(request),
            previous: None,
            context: items.into_iter().collect(),
            new_items,
            parent: None,
        }
    }

    fn refused(fields: &str) -> Option<(String, String)> {
        let error = check(&run(&format!(r#"{{"model":"m","input":"hi"{fields}}}"#))).err()?;
        assert_eq!((error.status, error.kind.as_deref()), (Some(400), Some("invalid_request_error")));
        Some((error.param.unwrap().into(), error.message.into()))
    }

    #[test]
    fn values_that_make_no_sense_are_refused_by_their_name() {
        let table = [
            (r#","temperature":"hot""#, "temperature", "`temperature` is not a number from 0 to 2"),
            (r#","temperature":2.1"#, "temperature", "`temperature` is not a number from 0 to 2"),
            (r#","top_p":-1"#, "top_p", "`top_p` is not a number from 0 to 1"),
            (
                r#","max_output_tokens":"many""#,
                "max_output_tokens",
                "`max_output_tokens` is not a whole number, 1 or more",
            ),
            (r#","max_output_tokens":0"#, "max_output_tokens", "`max_output_tokens` is not a whole number, 1 or more"),
            (r#","top_logprobs":21"#, "top_logprobs", "`top_logprobs` is not a whole number from 0 to 20"),
            (r#","truncation":"some""#, "truncation", "`truncation` is not auto or disabled"),
            (r#","tool_choice":"maybe""#, "tool_choice", "`tool_choice` is not none or auto or required"),
            (r#","metadata":{"a":1}"#, "metadata", "`metadata` is not an object of strings"),
            (r#","reasoning":"much""#, "reasoning", "`reasoning` is not an object"),
            (
                r#","text":{"format":{"type":"json_schema"}}"#,
                "text.format",
                "`text.format` of type json_schema needs a `name` and a `schema`",
            ),
            (
                r#","text":{"format":{"type":"poem"}}"#,
                "text.format",
                "`text.format` is of a type that is not known: use text, json_object or json_schema",
            ),
        ];
        for (fields, param, message) in table {
            assert_eq!(refused(fields), Some((param.into(), message.into())), "{fields}");
        }
    }

    #[test]
    fn values_that_make_sense_and_nulls_are_taken() {
        for fields in [
            "",
            r#","temperature":null,"top_p":0.5,"metadata":{"a":"b"},"truncation":"auto","tool_choice":{"type":"function","name":"f"}"#,
            r#","text":{"format":{"type":"json_schema","name":"n","schema":{}},"verbosity":"low"},"max_output_tokens":16"#,
            r#","include":["reasoning.encrypted_content"],"reasoning":{"effort":"low"},"parallel_tool_calls":false"#,
        ] {
            assert_eq!(refused(fields), None, "{fields}");
        }
    }

    const CALL: &str = r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#;
    const OUTPUT: &str = r#"{"type":"function_call_output","call_id":"c","output":"o"}"#;

    #[test]
    fn calls_and_outputs_come_in_pairs() {
        let checked = |items: &str| {
            check(&run(&format!(r#"{{"model":"m","input":[{items}]}}"#))).map_err(|e| e.message.to_string())
        };
        assert_eq!(checked(&format!("{CALL},{OUTPUT}")), Ok(()));
        assert_eq!(checked(OUTPUT).unwrap_err(), "there is no call `c` that this output could be of");
        assert_eq!(checked(CALL).unwrap_err(), "the call `c` has no output: add one to the input");
        let sealed = r#"{"type":"compaction","encrypted_content":"x"}"#;
        assert_eq!(checked(&format!("{sealed},{OUTPUT}")), Ok(()), "its call may be sealed");
        let many = "{\"role\":\"user\",\"content\":\"x\"},".repeat(RECENT + 10);
        assert_eq!(checked(&format!("{CALL},{many}{OUTPUT}")), Ok(()), "a call of long ago is found");
    }
}
