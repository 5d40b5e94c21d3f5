//! The values of a script file that have their own syntax.

use responses::fold::IncompleteReason;
use responses::item::{Item, Phase};
use responses::json::Json;
use responses::usage::Usage;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

pub(super) fn phase<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Phase>, D::Error> {
    let text = String::deserialize(from)?;
    Ok(Some(Phase::from(text.as_str())))
}

pub(super) fn reason<'de, D: Deserializer<'de>>(from: D) -> Result<IncompleteReason, D::Error> {
    let text = String::deserialize(from)?;
    Ok(IncompleteReason::from(text.as_str()))
}

pub(super) fn json<'de, D: Deserializer<'de>>(from: D) -> Result<Json, D::Error> {
    Json::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

pub(super) fn item<'de, D: Deserializer<'de>>(from: D) -> Result<Item, D::Error> {
    Item::keep(&String::deserialize(from)?).map_err(D::Error::custom)
}

pub(super) fn usage<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Usage>, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tokens {
        input: u64,
        output: u64,
        #[serde(default)]
        cached: u64,
        #[serde(default)]
        reasoning: u64,
    }
    let Tokens { input, output, cached, reasoning } = Tokens::deserialize(from)?;
    Ok(Some(Usage { input, cached, cache_written: 0, output, reasoning, total: input + output }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fault::{Fault, FaultPlan, On};
    use crate::refusal::Refusal;
    use crate::script::{End, Script, Turn};

    fn turn(text: &str) -> Turn {
        let mut script = Script::parse(&format!("[[turn]]\n{text}")).unwrap();
        script.turns.remove(0)
    }

    #[test]
    fn a_file_says_what_the_builder_says() {
        let read = turn(
            r#"
            pace = { delta = 3, pause_ms = 20 }
            usage = { input = 10, output = 5, cached = 4 }
            end = { incomplete = "max_output_tokens" }
            output = [
                { type = "reasoning", summary = ["hm"], encrypted_content = "sealed" },
                { type = "message", text = "hello", phase = "commentary" },
                { type = "function_call", name = "sh", arguments = "{}" },
                { type = "custom_tool_call", name = "patch", input = "text" },
                { type = "compaction", encrypted_content = "all" },
                { type = "item", json = '{"type":"web_search_call","id":"ws_1","status":"completed"}' },
                { type = "event", json = '{"type":"codex.rate_limits"}' },
            ]"#,
        );
        let usage = Usage { input: 10, cached: 4, cache_written: 0, output: 5, reasoning: 0, total: 15 };
        let built = Turn::new()
            .reasoning("hm", "sealed")
            .message_in(Phase::Commentary, "hello")
            .function_call("sh", "{}")
            .custom_tool_call("patch", "text")
            .compaction("all")
            .item(Item::parse(r#"{"type":"web_search_call","id":"ws_1","status":"completed"}"#).unwrap())
            .event(Json::parse(r#"{"type":"codex.rate_limits"}"#).unwrap())
            .usage(usage)
            .pace(3, Duration::from_millis(20))
            .incomplete(IncompleteReason::MaxOutputTokens);
        assert_eq!(read, built);
    }

    #[test]
    fn every_way_to_end_has_its_words() {
        assert_eq!(turn("").end, End::Completed);
        assert_eq!(turn("end = 'silence'").end, End::Silence);
        let failed = End::Failed { code: "server_error".into(), message: "no".into() };
        assert_eq!(turn("end = { failed = { code = 'server_error', message = 'no' } }").end, failed);
        let error = "end = { error = { status = 429, code = 'slow_down', message = 'later', retry_after = 2 } }";
        assert_eq!(turn(error).end, End::Error(Refusal::new(429, "slow_down", "later").retry_after(2)));
    }

    #[test]
    fn faults_are_placed_by_name() {
        let script = Script::parse(
            r#"
            [[fault]]
            on = { connection = 1 }
            fault = { cut_after_frames = 3 }
            [[fault]]
            on = "every_connection"
            fault = "pings_unanswered"
            [[fault]]
            on = { request = 2 }
            fault = { refuse = { status = 503, code = "server_is_overloaded", message = "full" } }
            [[fault]]
            on = "every_connection"
            fault = { age_limit_ms = 50 }"#,
        )
        .unwrap();
        let expected = FaultPlan::default()
            .on(On::Connection(1), Fault::CutAfterFrames(3))
            .on(On::EveryConnection, Fault::PingsUnanswered)
            .on(On::Request(2), Fault::Refuse(Refusal::new(503, "server_is_overloaded", "full")))
            .on(On::EveryConnection, Fault::AgeLimit(Duration::from_millis(50)));
        assert_eq!(script.faults, expected);
    }

    #[test]
    fn a_mistake_in_a_file_is_pointed_at() {
        for (text, needle) in [
            ("[[turn]]\nend = 'finished'", "finished"),
            ("[[turn]]\ntempo = 3", "tempo"),
            ("[[turn]]\noutput = [{ type = 'item', json = '{' }]", "not valid JSON"),
            ("[[fault]]\non = { request = 1 }\nfault = 'hang_upgrade'", "only on connections"),
        ] {
            let error = Script::parse(text).unwrap_err().to_string();
            assert!(error.contains(needle), "{error}");
        }
    }
}
