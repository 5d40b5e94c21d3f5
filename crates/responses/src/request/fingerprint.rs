//! What must be equal for "only the new items" to mean the same as "everything".

use std::fmt;

use sha2::{Digest, Sha256};

use super::{Delivery, Prompt, Request, Retention, Sampling, Service};
use crate::json::Json;

/// A hash of every field of a request that is not its input, nor only about how the answer travels.
///
/// A delta leaves out what the server already has. It is allowed only where the server has it under the same
/// settings: another tool list or other instructions, and the whole request goes out.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Hashes a request. Every field is named here: a new one does not compile until it is decided about.
    pub fn of(request: &Request) -> Self {
        // What a request goes on from is what the fingerprint helps to decide.
        let Request { model, input: _, previous_response_id: _, retention, prompt, sampling, service, delivery, extra } =
            request;
        let mut hash = Hash(Sha256::new());
        hash.field("model", model);

        let Retention { conversation, store } = retention;
        hash.field("conversation", conversation).field("store", store);

        let Prompt {
            instructions,
            prompt,
            tools,
            tool_choice,
            parallel_tool_calls,
            max_tool_calls,
            reasoning,
            text,
            include,
            context_management,
            truncation,
            image,
        } = prompt;
        hash.field("instructions", instructions).field("prompt", prompt).field("tools", tools);
        hash.field("tool_choice", tool_choice).field("parallel_tool_calls", parallel_tool_calls);
        hash.field("max_tool_calls", max_tool_calls).field("reasoning", reasoning).field("text", text);
        hash.field("include", include).field("context_management", context_management);
        hash.field("truncation", truncation).field("image", image);

        let Sampling { temperature, top_p, top_logprobs, max_output_tokens } = sampling;
        hash.field("temperature", temperature).field("top_p", top_p);
        hash.field("top_logprobs", top_logprobs).field("max_output_tokens", max_output_tokens);

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
            // Changes with every request, says nothing to the model.
            client_metadata: _,
        } = service;
        hash.field("service_tier", service_tier).field("prompt_cache_key", prompt_cache_key);
        hash.field("prompt_cache_options", prompt_cache_options);
        hash.field("prompt_cache_retention", prompt_cache_retention);
        hash.field("safety_identifier", safety_identifier).field("user", user).field("metadata", metadata);
        hash.field("moderation", moderation).field("access_programs", access_programs);

        // How the answer travels changes nothing the server remembers.
        let Delivery { stream: _, stream_options: _, background: _, generate: _, stream_id: _ } = delivery;

        for (key, value) in extra {
            hash.text(key, value.text());
        }
        Self(hash.0.finalize().into())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 6;
        self.0.iter().take(SHOWN).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

struct Hash(Sha256);

impl Hash {
    #[expect(clippy::ref_option, reason = "fields are passed on as they come out of the request")]
    fn field(&mut self, key: &str, value: &Option<Json>) -> &mut Self {
        // `null` and absent mean the same.
        if let Some(value) = value.as_ref().filter(|value| !value.is_null()) {
            self.text(key, value.text());
        }
        self
    }

    fn text(&mut self, key: &str, value: &str) {
        for part in [key, value] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Fingerprint {
        Fingerprint::of(&Request::parse(text).unwrap())
    }

    #[test]
    fn each_field_that_the_model_or_the_service_acts_on_changes_it() {
        let fields = [
            "model",
            "conversation",
            "instructions",
            "prompt",
            "tool_choice",
            "parallel_tool_calls",
            "max_tool_calls",
            "reasoning",
            "text",
            "include",
            "context_management",
            "truncation",
            "image",
            "temperature",
            "top_p",
            "top_logprobs",
            "max_output_tokens",
            "service_tier",
            "prompt_cache_key",
            "prompt_cache_options",
            "prompt_cache_retention",
            "safety_identifier",
            "user",
            "metadata",
            "moderation",
            "access_programs",
            "a_field_of_next_year",
        ];
        let empty = of("{}");
        let mut seen = vec![empty];
        for field in fields {
            let changed = of(&format!(r#"{{"{field}":"x"}}"#));
            assert!(!seen.contains(&changed), "{field} does not count");
            seen.push(changed);
        }
        assert!(!seen.contains(&of(r#"{"store":false}"#)));
        assert!(!seen.contains(&of(r#"{"tools":[{"type":"function","name":"f"}]}"#)));
    }

    #[test]
    fn the_input_and_the_way_the_answer_travels_do_not_change_it() {
        let empty = of("{}");
        for same in [
            r#"{"input":"hello"}"#,
            r#"{"previous_response_id":"resp_1"}"#,
            r#"{"stream":true,"stream_options":{"include_obfuscation":false}}"#,
            r#"{"generate":false,"stream_id":"a"}"#,
            r#"{"background":true}"#,
            r#"{"client_metadata":{"turn_id":"7"}}"#,
            r#"{"instructions":null,"tools":null}"#,
        ] {
            assert_eq!(of(same), empty, "{same}");
        }
    }

    #[test]
    fn a_value_cannot_slide_from_one_field_into_the_next() {
        assert_ne!(of(r#"{"user":"ab","model":"c"}"#), of(r#"{"user":"a","model":"bc"}"#));
    }
}
