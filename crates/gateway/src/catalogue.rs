//! The list of models, as the public API has it and as Codex reads it.

use data_encoding::HEXLOWER;
use responses::json::ObjectWriter;
use sha2::{Digest, Sha256};

use crate::backend::Offered;

/// What a model is taken to see that does not say how much it can.
const WINDOW: u64 = 128_000;

/// How much of a tool's output Codex passes on.
const OUTPUT_TOKENS: u64 = 10_000;

/// Codex takes the instructions of its model from the list. Without any it would send none.
const INSTRUCTIONS: &str = include_str!("catalogue/instructions.md");

/// The list of the public API.
pub(crate) fn public(models: &[Offered]) -> String {
    let mut text = String::new();
    let mut list = ObjectWriter::begin(&mut text);
    list.field("object", "list");
    elements(list.open("data"), models, |out, _, model| put_public(out, model));
    list.end();
    text
}

/// One model of the public API.
pub(crate) fn public_one(model: &Offered) -> String {
    let mut text = String::new();
    put_public(&mut text, model);
    text
}

/// The catalogue that Codex asks for.
pub(crate) fn codex(models: &[Offered]) -> String {
    let mut text = String::new();
    let mut list = ObjectWriter::begin(&mut text);
    elements(list.open("models"), models, put_codex);
    list.end();
    text
}

/// A name for this text and no other, as the header `ETag` has it. The same in every process.
pub(crate) fn etag(text: &str) -> String {
    const LETTERS: usize = 32;
    let mut tag = HEXLOWER.encode(&Sha256::digest(text));
    tag.truncate(LETTERS);
    format!("\"{tag}\"")
}

fn elements(out: &mut String, models: &[Offered], put: impl Fn(&mut String, u64, &Offered)) {
    out.push('[');
    for (at, model) in (0..).zip(models) {
        if at > 0 {
            out.push(',');
        }
        put(out, at, model);
    }
    out.push(']');
}

fn put_public(out: &mut String, model: &Offered) {
    let mut object = ObjectWriter::begin(out);
    object.field("id", &model.id).field("object", "model");
    object.field("created", &model.created).field("owned_by", &model.owner);
    object.end();
}

/// What Codex must know of a model. Where we do not know it, it is what Codex takes for granted of models that it does
/// not know either.
fn put_codex(out: &mut String, at: u64, model: &Offered) {
    let window = model.window.unwrap_or(WINDOW);
    let mut object = ObjectWriter::begin(out);
    object.field("slug", &model.id).field("display_name", &model.id);
    object.field("description", &format!("{} by {}", model.id, model.owner));
    object.raw("supported_reasoning_levels", "[]").field("shell_type", "shell_command");
    object.field("visibility", "list").field("supported_in_api", &true).field("priority", &at);
    object.raw("availability_nux", "null").raw("upgrade", "null");
    // Versions before the template had a name of its own for the same thing.
    object.field("base_instructions", INSTRUCTIONS);
    let mut messages = ObjectWriter::begin(object.open("model_messages"));
    messages.field("instructions_template", INSTRUCTIONS);
    messages.end();
    object.field("supports_reasoning_summaries", &false).field("supports_reasoning_summary_parameter", &false);
    object.field("support_verbosity", &false).raw("default_verbosity", "null").raw("apply_patch_tool_type", "null");
    let mut truncation = ObjectWriter::begin(object.open("truncation_policy"));
    truncation.field("mode", "tokens").field("limit", &OUTPUT_TOKENS);
    truncation.end();
    object.field("supports_parallel_tool_calls", &true);
    object.field("context_window", &window).field("max_context_window", &window);
    object.raw("experimental_supported_tools", "[]").raw("input_modalities", r#"["text","image"]"#);
    object.end();
}

#[cfg(test)]
mod tests {
    use responses::json::{Json, Object};

    use super::*;

    fn models() -> Vec<Offered> {
        let offered =
            |id: &str, owner: &str, created, window| Offered { id: id.into(), owner: owner.into(), created, window };
        vec![offered("qwen3", "vllm", 1_700_000_000, Some(40_960)), offered("scripted", "capstan", 0, None)]
    }

    #[test]
    fn the_public_list_has_the_public_shape() {
        let expected = concat!(
            r#"{"object":"list","data":["#,
            r#"{"id":"qwen3","object":"model","created":1700000000,"owned_by":"vllm"},"#,
            r#"{"id":"scripted","object":"model","created":0,"owned_by":"capstan"}]}"#,
        );
        assert_eq!(public(&models()), expected);
        assert_eq!(public(&[]), r#"{"object":"list","data":[]}"#);
        let one = r#"{"id":"qwen3","object":"model","created":1700000000,"owned_by":"vllm"}"#;
        assert_eq!(public_one(&models()[0]), one);
    }

    #[test]
    fn codex_finds_every_field_that_it_insists_on() {
        let text = codex(&models());
        let list: Vec<Json> = Object::parse(&text).unwrap().read("models").unwrap();
        assert_eq!(list.len(), 2);
        for (at, model) in list.iter().enumerate() {
            let model = Object::parse(model.text()).unwrap();
            for field in [
                "slug",
                "display_name",
                "description",
                "supported_reasoning_levels",
                "shell_type",
                "visibility",
                "supported_in_api",
                "priority",
                "availability_nux",
                "upgrade",
                "base_instructions",
                "support_verbosity",
                "default_verbosity",
                "apply_patch_tool_type",
                "truncation_policy",
                "supports_parallel_tool_calls",
                "experimental_supported_tools",
            ] {
                assert!(model.get(field).is_some(), "{field}");
            }
            assert_eq!(model.read::<u64>("priority"), Ok(at as u64));
            let template = Object::parse(model.get("model_messages").unwrap()).unwrap();
            assert!(template.read::<Box<str>>("instructions_template").is_ok_and(|text| text.len() > 100));
        }
        let windows = |at: usize| Object::parse(list[at].text()).unwrap().read::<u64>("context_window");
        assert_eq!((windows(0), windows(1)), (Ok(40_960), Ok(WINDOW)));
        assert_eq!(codex(&[]), r#"{"models":[]}"#);
    }

    #[test]
    fn the_tag_follows_from_the_content_and_from_nothing_else() {
        let all = codex(&models());
        assert_eq!(etag(&all), etag(&codex(&models())));
        assert_ne!(etag(&all), etag(&codex(&models()[..1])));
        assert_eq!(etag(""), "\"e3b0c44298fc1c149afbf4c8996fb924\"");
    }
}
