//! The fields beside the messages and the tools.

use std::borrow::Cow;

use responses::json::{Json, Object, ObjectWriter};
use responses::request::{Delivery, Prompt, Request, Retention, Sampling, Service};

use super::given;
use super::left_out::LeftOuts;

/// Writes what chat completions has a field for and names what it has not. Servers refuse fields they do not know, so
/// nothing is written that was not asked for. Each group is taken apart in full: a new field has to be decided about.
pub(super) fn put(request: &Request, has_tools: bool, object: &mut ObjectWriter<'_>, left_out: &mut LeftOuts) {
    // Refused, or written by the caller.
    let Request { model: _, input: _, previous_response_id: _, retention, prompt, sampling, service, delivery, extra } =
        request;
    prompt_fields(prompt, has_tools, object, left_out);
    sampling_fields(sampling, object, left_out);
    service_fields(service, object, left_out);

    let Retention { conversation: _, store } = retention;
    let Delivery { stream: _, stream_options: _, background, generate: _, stream_id } = delivery;
    // Without them chat completions does what `false` asks for.
    unless(store.as_ref(), "false", "store", left_out);
    unless(background.as_ref(), "false", "background", left_out);
    name("stream_id", stream_id.as_ref(), left_out);
    for (key, value) in extra {
        name(key, Some(value), left_out);
    }
}

fn prompt_fields(prompt: &Prompt, has_tools: bool, object: &mut ObjectWriter<'_>, left_out: &mut LeftOuts) {
    let Prompt {
        instructions: _,
        prompt: _,
        tools: _,
        tool_choice: _,
        parallel_tool_calls,
        max_tool_calls,
        reasoning,
        text,
        include,
        context_management,
        truncation,
        image,
    } = prompt;
    if has_tools {
        object.field("parallel_tool_calls", &given(parallel_tool_calls.as_ref()));
    }
    inner("reasoning", reasoning.as_ref(), left_out, |key, value| match key {
        "effort" => put_raw(object, "reasoning_effort", value),
        _ => false,
    });
    inner("text", text.as_ref(), left_out, |key, value| match key {
        "format" => put_format(object, value),
        "verbosity" => put_raw(object, "verbosity", value),
        _ => false,
    });
    unless(include.as_ref(), "[]", "include", left_out);
    // What it asks for is what a server of chat completions does.
    unless(truncation.as_ref(), r#""disabled""#, "truncation", left_out);
    name("max_tool_calls", max_tool_calls.as_ref(), left_out);
    name("context_management", context_management.as_ref(), left_out);
    name("image", image.as_ref(), left_out);
}

fn sampling_fields(sampling: &Sampling, object: &mut ObjectWriter<'_>, left_out: &mut LeftOuts) {
    let Sampling { temperature, top_p, top_logprobs, max_output_tokens } = sampling;
    object.field("temperature", &given(temperature.as_ref())).field("top_p", &given(top_p.as_ref()));
    // The old name: local servers know no other, and the models that insist on the new one speak Responses.
    object.field("max_tokens", &given(max_output_tokens.as_ref()));
    unless(top_logprobs.as_ref(), "0", "top_logprobs", left_out);
}

fn service_fields(service: &Service, object: &mut ObjectWriter<'_>, left_out: &mut LeftOuts) {
    let Service {
        service_tier,
        prompt_cache_key,
        prompt_cache_options,
        prompt_cache_retention,
        safety_identifier,
        user,
        metadata,
        moderation,
        access_programs,
        client_metadata,
    } = service;
    object.field("service_tier", &given(service_tier.as_ref()));
    object.field("prompt_cache_key", &given(prompt_cache_key.as_ref()));
    object.field("safety_identifier", &given(safety_identifier.as_ref())).field("user", &given(user.as_ref()));
    name("prompt_cache_options", prompt_cache_options.as_ref(), left_out);
    name("prompt_cache_retention", prompt_cache_retention.as_ref(), left_out);
    // Chat completions takes labels only for what it stores.
    unless(metadata.as_ref(), "{}", "metadata", left_out);
    name("moderation", moderation.as_ref(), left_out);
    name("access_programs", access_programs.as_ref(), left_out);
    name("client_metadata", client_metadata.as_ref(), left_out);
}

fn name(field: &str, value: Option<&Json>, left_out: &mut LeftOuts) {
    if given(value).is_some() {
        left_out.field(field);
    }
}

/// Names a field unless it asks for what happens without it.
fn unless(value: Option<&Json>, usual: &str, field: &str, left_out: &mut LeftOuts) {
    name(field, value.filter(|value| value.text() != usual), left_out);
}

/// Looks at each field of a group that is an object of its own; what `put` does not take is named.
fn inner(group: &str, json: Option<&Json>, left_out: &mut LeftOuts, mut put: impl FnMut(&str, &str) -> bool) {
    let Some(json) = given(json) else { return };
    let Ok(object) = Object::parse(json.text()) else { return left_out.field(group) };
    for (key, value) in object.fields().filter(|(_, value)| *value != "null") {
        if !put(key, value) {
            left_out.field(&format!("{group}.{key}"));
        }
    }
}

fn put_raw(object: &mut ObjectWriter<'_>, key: &str, value: &str) -> bool {
    object.raw(key, value);
    true
}

fn put_format(object: &mut ObjectWriter<'_>, value: &str) -> bool {
    let Ok(format) = Object::parse(value) else { return false };
    match format.read::<Cow<'_, str>>("type").as_deref() {
        Ok("text") => {}
        Ok("json_object") => {
            object.raw("response_format", r#"{"type":"json_object"}"#);
        }
        Ok("json_schema") => {
            let mut outer = ObjectWriter::begin(object.open("response_format"));
            outer.field("type", "json_schema");
            let mut inner = ObjectWriter::begin(outer.open("json_schema"));
            for (key, value) in format.fields().filter(|(key, value)| *key != "type" && *value != "null") {
                inner.raw(key, value);
            }
            inner.end();
            outer.end();
        }
        _ => return false,
    }
    true
}
