//! What a response cost.

use crate::json::{Object, ObjectWriter, Read, WireError, Write};

/// Token counts of one response. Servers leave parts out; what is absent counts as zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input: u64,
    /// Of those, read from the prompt cache.
    pub cached: u64,
    /// Of those, written to the prompt cache.
    pub cache_written: u64,
    /// Tokens generated, reasoning included.
    pub output: u64,
    /// Of those, reasoning.
    pub reasoning: u64,
    /// The server's own total.
    pub total: u64,
}

impl<'a> Read<'a> for Usage {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let object = Object::split(text)?;
        let details = |key| object.get(key).filter(|text| *text != "null").map(Object::split).transpose();
        let input_details = details("input_tokens_details")?.unwrap_or_default();
        let output_details = details("output_tokens_details")?.unwrap_or_default();
        let count = |object: &Object<'a>, key| Ok::<u64, WireError>(object.read::<Option<u64>>(key)?.unwrap_or(0));
        let (input, output) = (count(&object, "input_tokens")?, count(&object, "output_tokens")?);
        Ok(Self {
            input,
            cached: count(&input_details, "cached_tokens")?,
            cache_written: count(&input_details, "cache_write_tokens")?,
            output,
            reasoning: count(&output_details, "reasoning_tokens")?,
            total: object.read::<Option<u64>>("total_tokens")?.unwrap_or(input.saturating_add(output)),
        })
    }
}

impl Write for Usage {
    fn write(&self, out: &mut String) {
        let mut object = ObjectWriter::begin(out);
        object.field("input_tokens", &self.input);
        let mut details = ObjectWriter::begin(object.open("input_tokens_details"));
        details.field("cached_tokens", &self.cached).field("cache_write_tokens", &self.cache_written);
        details.end();
        object.field("output_tokens", &self.output);
        let mut details = ObjectWriter::begin(object.open("output_tokens_details"));
        details.field("reasoning_tokens", &self.reasoning);
        details.end();
        object.field("total_tokens", &self.total);
        object.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    #[test]
    fn usage_survives_a_round_trip() {
        let usage = Usage { input: 10, cached: 4, cache_written: 2, output: 7, reasoning: 3, total: 17 };
        assert_eq!(Json::of(&usage).read(), Ok(usage));
    }

    #[test]
    fn parts_a_server_leaves_out_count_as_zero() {
        let read: Usage = Read::read(r#"{"input_tokens":3,"output_tokens":2,"input_tokens_details":null}"#).unwrap();
        assert_eq!(read, Usage { input: 3, output: 2, total: 5, ..Usage::default() });
    }
}
