//! Every event that the protocol names.

use responses::event::{Body, Channel, ServerEvent, Stage};

/// Stand for what an event needs in order to be read.
const RESPONSE: &str = r#""response":{"id":"resp_1"}"#;
const ITEM: &str = r#""output_index":3,"item":{"type":"message"}"#;
const AT: &str = r#""item_id":"i","output_index":3"#;
const PART: &str = r#""item_id":"i","output_index":3,"content_index":2,"part":{"type":"output_text","text":""}"#;
const SUMMARY: &str = r#""item_id":"i","output_index":3,"summary_index":2,"part":{"type":"summary_text","text":""}"#;
const STEER: &str = r#""steer":{"id":"steer_1","previous_response_id":"resp_1"}"#;
const ERROR: &str = r#""error":{"type":"invalid_request_error","code":"c","message":"m"}"#;

/// What an event is read as.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Stage(Stage),
    Added,
    Done,
    Interrupted,
    Part(bool),
    Delta(Channel),
    Whole(Channel),
    Progress,
    Error,
    SteerAccepted,
    SteerPending,
    SteerFailed,
    InterruptAccepted,
    InterruptFailed,
    Aside,
    Unknown,
}

fn kind_of(body: &Body<'_>) -> Kind {
    match body {
        Body::Response(stage, _) => Kind::Stage(*stage),
        Body::ItemAdded(Some(3), _) => Kind::Added,
        Body::ItemDone(Some(3), _) => Kind::Done,
        Body::ItemInterrupted(3) => Kind::Interrupted,
        Body::Part { at, done, .. } if (at.item, at.part) == (3, Some(2)) => Kind::Part(*done),
        Body::Delta(channel, at, text) if (at.item, &**text) == (3, "x") => Kind::Delta(*channel),
        Body::Done(channel, at, text) if (at.item, &**text) == (3, "x") => Kind::Whole(*channel),
        Body::Progress(at) if at.item == 3 => Kind::Progress,
        Body::Error(error) if &*error.message == "m" => Kind::Error,
        Body::SteerAccepted { previous, .. } if previous.as_str() == "resp_1" => Kind::SteerAccepted,
        Body::SteerPending { previous } if previous.as_str() == "resp_1" => Kind::SteerPending,
        Body::SteerFailed { error, .. } if error.code.as_deref() == Some("c") => Kind::SteerFailed,
        Body::InterruptAccepted => Kind::InterruptAccepted,
        Body::InterruptFailed(error) if error.code.as_deref() == Some("c") => Kind::InterruptFailed,
        Body::Aside => Kind::Aside,
        _ => Kind::Unknown,
    }
}

/// Type, fields, reading.
const EVENTS: &[(&str, &str, Kind)] = &[
    ("response.created", RESPONSE, Kind::Stage(Stage::Created)),
    ("response.queued", RESPONSE, Kind::Stage(Stage::Queued)),
    ("response.in_progress", RESPONSE, Kind::Stage(Stage::InProgress)),
    ("response.completed", RESPONSE, Kind::Stage(Stage::Completed)),
    ("response.failed", RESPONSE, Kind::Stage(Stage::Failed)),
    ("response.incomplete", RESPONSE, Kind::Stage(Stage::Incomplete)),
    ("response.done", RESPONSE, Kind::Stage(Stage::Completed)),
    ("response.output_item.added", ITEM, Kind::Added),
    ("response.output_item.done", ITEM, Kind::Done),
    ("response.output_item.interrupted", AT, Kind::Interrupted),
    ("response.content_part.added", PART, Kind::Part(false)),
    ("response.content_part.done", PART, Kind::Part(true)),
    ("response.reasoning_summary_part.added", SUMMARY, Kind::Part(false)),
    ("response.reasoning_summary_part.done", SUMMARY, Kind::Part(true)),
    ("response.output_text.annotation.added", AT, Kind::Progress),
    ("response.shell_call_command.added", r#""output_index":3,"command_index":0,"command":"""#, Kind::Progress),
    ("response.shell_call_output_content.delta", r#""output_index":3,"delta":{"stdout":"x"}"#, Kind::Progress),
    ("response.shell_call_output_content.done", r#""output_index":3,"output":[]"#, Kind::Progress),
    ("response.web_search_call.in_progress", AT, Kind::Progress),
    ("response.web_search_call.searching", AT, Kind::Progress),
    ("response.web_search_call.completed", AT, Kind::Progress),
    ("response.file_search_call.in_progress", AT, Kind::Progress),
    ("response.file_search_call.searching", AT, Kind::Progress),
    ("response.file_search_call.completed", AT, Kind::Progress),
    ("response.code_interpreter_call.in_progress", AT, Kind::Progress),
    ("response.code_interpreter_call.interpreting", AT, Kind::Progress),
    ("response.code_interpreter_call.completed", AT, Kind::Progress),
    ("response.image_generation_call.in_progress", AT, Kind::Progress),
    ("response.image_generation_call.generating", AT, Kind::Progress),
    ("response.image_generation_call.completed", AT, Kind::Progress),
    ("response.image_generation_call.partial_image", AT, Kind::Progress),
    ("response.mcp_list_tools.in_progress", AT, Kind::Progress),
    ("response.mcp_list_tools.completed", AT, Kind::Progress),
    ("response.mcp_list_tools.failed", AT, Kind::Progress),
    ("response.mcp_call.in_progress", AT, Kind::Progress),
    ("response.mcp_call.completed", AT, Kind::Progress),
    ("response.mcp_call.failed", AT, Kind::Progress),
    ("response.compaction.compacting", AT, Kind::Progress),
    ("response.audio.delta", r#""delta":"aGk=""#, Kind::Aside),
    ("response.audio.done", "", Kind::Aside),
    ("response.audio.transcript.delta", r#""delta":"a""#, Kind::Aside),
    ("response.audio.transcript.done", "", Kind::Aside),
    ("error", ERROR, Kind::Error),
    ("error", r#""code":"c","message":"m","param":null"#, Kind::Error),
    ("response.steer.accepted", STEER, Kind::SteerAccepted),
    ("response.steer.pending", STEER, Kind::SteerPending),
    (
        "response.steer.failed",
        r#""steer":{"previous_response_id":"resp_1","input":"x"},"error":{"code":"c","message":"m"}"#,
        Kind::SteerFailed,
    ),
    ("response.interrupt.accepted", r#""response_id":"resp_1""#, Kind::InterruptAccepted),
    ("response.interrupt.failed", ERROR, Kind::InterruptFailed),
    ("response.inject.created", r#""response_id":"resp_1""#, Kind::Aside),
    ("response.inject.failed", ERROR, Kind::Aside),
    ("keepalive", "", Kind::Aside),
    ("codex.rate_limits", r#""plan_type":"plus""#, Kind::Aside),
    ("codex.response.metadata", "", Kind::Aside),
    ("response.metadata", r#""headers":{"openai-model":"m"}"#, Kind::Aside),
    ("responsesapi.websocket_timing", "", Kind::Aside),
    ("response.dreamt", "", Kind::Unknown),
];

/// Stem of the event types, the field that holds all of the text, the channel.
const CHANNELS: &[(&str, &str, Channel)] = &[
    ("response.output_text", "text", Channel::OutputText),
    ("response.refusal", "refusal", Channel::Refusal),
    ("response.reasoning_text", "text", Channel::ReasoningText),
    ("response.reasoning", "text", Channel::Reasoning),
    ("response.reasoning_summary_text", "text", Channel::ReasoningSummary),
    ("response.function_call_arguments", "arguments", Channel::Arguments),
    ("response.custom_tool_call_input", "input", Channel::CustomInput),
    ("response.mcp_call_arguments", "arguments", Channel::McpArguments),
    ("response.code_interpreter_call_code", "code", Channel::Code),
    ("response.apply_patch_call_operation_diff", "diff", Channel::Diff),
    ("response.shell_call_command", "command", Channel::Command),
];

fn check(kind: &str, fields: &str, expected: Kind) {
    let comma = if fields.is_empty() { "" } else { "," };
    let text =
        format!(r#"{{"type":"{kind}","sequence_number":5{comma}{fields},"stream_id":"lane","obfuscation":"q"}}"#);
    let event = ServerEvent::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(kind_of(&event.body), expected, "{text}");
    assert_eq!((&*event.kind, event.lane.as_deref(), event.sequence), (kind, Some("lane"), Some(5)));
    assert_eq!(event.text(), text);
}

#[test]
fn every_named_event_is_read_as_what_it_is() {
    for (kind, fields, expected) in EVENTS {
        check(kind, fields, *expected);
    }
}

#[test]
fn every_channel_has_its_deltas_and_its_whole() {
    for (stem, whole, channel) in CHANNELS {
        check(&format!("{stem}.delta"), &format!(r#"{AT},"delta":"x""#), Kind::Delta(*channel));
        check(&format!("{stem}.done"), &format!(r#"{AT},"{whole}":"x""#), Kind::Whole(*channel));
        assert_eq!(channel.delta_kind(), format!("{stem}.delta"));
        assert_eq!(channel.done_kind(), (&*format!("{stem}.done"), *whole));
    }
    let sampled: Vec<Channel> = CHANNELS.iter().map(|(.., channel)| *channel).collect();
    assert_eq!(sampled, Channel::ALL);
}

#[test]
fn an_event_that_a_response_is_built_from_must_have_its_fields_and_one_that_is_only_shown_need_not() {
    for text in [
        r#"{"type":"response.completed"}"#,
        r#"{"type":"response.output_item.done","output_index":0}"#,
        r#"{"type":"response.output_item.added","output_index":-1,"item":{}}"#,
        r#"{"type":"response.steer.accepted"}"#,
        r#"{"sequence_number":1}"#,
        r#"{"type":7}"#,
        "[]",
    ] {
        assert!(ServerEvent::parse(text).is_err(), "{text}");
    }
    for text in [
        r#"{"type":"response.output_text.delta"}"#,
        r#"{"type":"response.output_text.delta","output_index":0,"delta":5}"#,
        r#"{"type":"response.content_part.added","output_index":0}"#,
        r#"{"type":"response.web_search_call.searching"}"#,
    ] {
        assert_eq!(ServerEvent::parse(text).unwrap().body, Body::Unknown, "{text}");
    }
}
