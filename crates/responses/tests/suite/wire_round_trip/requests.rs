//! Every field of a request that the protocol names.

use responses::frame::ClientFrame;
use responses::json::{Json, Object};
use responses::request::{Input, Request};

const FIELDS: &[(&str, &str)] = &[
    ("model", r#""m""#),
    ("input", r#"[{"role":"user","content":"a"}]"#),
    ("instructions", r#""be kind""#),
    ("previous_response_id", r#""resp_1""#),
    ("conversation", r#"{"id":"conv_1"}"#),
    ("store", "false"),
    ("stream", "true"),
    ("stream_options", r#"{"include_obfuscation":false}"#),
    ("background", "false"),
    ("include", r#"["reasoning.encrypted_content"]"#),
    ("tools", r#"[{"type":"function","name":"f"}]"#),
    ("tool_choice", r#"{"type":"allowed_tools","mode":"auto","tools":[]}"#),
    ("parallel_tool_calls", "true"),
    ("max_output_tokens", "16"),
    ("max_tool_calls", "null"),
    ("metadata", r#"{"a":"b"}"#),
    ("reasoning", r#"{"effort":"high","summary":"auto"}"#),
    ("text", r#"{"verbosity":"low"}"#),
    ("temperature", "1.0"),
    ("top_p", "1e0"),
    ("top_logprobs", "0"),
    ("truncation", r#""auto""#),
    ("service_tier", r#""flex""#),
    ("prompt", r#"{"id":"p"}"#),
    ("prompt_cache_key", r#""k""#),
    ("prompt_cache_options", r#"{"mode":"explicit"}"#),
    ("prompt_cache_retention", r#""24h""#),
    ("safety_identifier", r#""s""#),
    ("user", r#""u""#),
    ("moderation", r#"{"model":"m"}"#),
    ("context_management", r#"[{"type":"compaction","compact_threshold":9}]"#),
    ("access_programs", r#"{"cyber":"standard"}"#),
    ("image", r#"{"context_compression":"auto"}"#),
    ("generate", "true"),
    ("stream_id", r#""lane""#),
    ("client_metadata", r#"{"session_id":"s"}"#),
];

fn with_all_fields() -> String {
    let fields: Vec<String> = FIELDS.iter().map(|(key, value)| format!(r#""{key}":{value}"#)).collect();
    format!("{{{}}}", fields.join(","))
}

#[test]
fn every_named_field_has_a_place_and_none_is_left_over() {
    for (key, value) in FIELDS {
        let request = Request::parse(&format!(r#"{{"{key}":{value}}}"#)).unwrap();
        assert_eq!(request.extra, [], "{key} is not known");
        assert_ne!(request, Request::default(), "{key} is lost");
        assert_eq!(Json::of(&request).text(), format!(r#"{{"{key}":{value}}}"#));
    }
    let request = Request::parse(&with_all_fields()).unwrap();
    assert_eq!(request.extra, []);
    let written = Json::of(&request);
    let object = Object::parse(written.text()).unwrap();
    assert_eq!(object.fields().count(), FIELDS.len());
    for (key, value) in FIELDS {
        assert_eq!(object.get(key), Some(*value), "{key}");
    }
}

#[test]
fn a_create_frame_is_the_request_flat_beside_its_type() {
    let text = with_all_fields();
    let frame = ClientFrame::parse(&text.replacen('{', r#"{"type":"response.create","#, 1)).unwrap();
    let ClientFrame::Create(request) = &frame else { panic!("{frame:?}") };
    assert_eq!(**request, Request::parse(&text).unwrap());
    let written = Json::of(&frame);
    let object = Object::parse(written.text()).unwrap();
    assert_eq!((object.get("type"), object.fields().count()), (Some(r#""response.create""#), FIELDS.len() + 1));
    assert_eq!(ClientFrame::parse(written.text()), Ok(frame));
}

#[test]
fn every_other_frame_of_a_client_survives_a_round_trip() {
    for text in [
        r#"{"type":"response.steer","previous_response_id":"resp_1","input":"left"}"#,
        r#"{"type":"response.steer","previous_response_id":"resp_1","input":[{"role":"user","content":"left"}]}"#,
        r#"{"type":"response.inject","response_id":"resp_1","input":[{"type":"function_call_output","output":"a"}]}"#,
        r#"{"type":"response.interrupt","response_id":"resp_1","mode":"discard_partial_items"}"#,
        r#"{"type":"response.processed","response_id":"resp_1"}"#,
    ] {
        assert_eq!(Json::of(&ClientFrame::parse(text).unwrap()).text(), text);
    }
}

#[test]
fn what_is_absent_and_what_is_null_have_the_same_meaning() {
    let nulls: Vec<String> = FIELDS.iter().map(|(key, _)| format!(r#""{key}":null"#)).collect();
    for text in ["{}".to_owned(), format!("{{{}}}", nulls.join(","))] {
        let request = Request::parse(&text).unwrap();
        assert_eq!((request.model(), request.instructions(), request.previous_response_id()), (None, None, None));
        assert_eq!((request.store(), request.generate()), (true, true));
        assert_eq!((request.stream(), request.background()), (false, false));
        assert_eq!(request.tools(), []);
        assert_eq!(request.input, None);
    }
}

#[test]
fn the_short_input_is_kept_as_it_was_written_and_means_one_message() {
    let request = Request::parse(r#"{"input":"a\u00e9\/"}"#).unwrap();
    assert_eq!(Json::of(&request).text(), r#"{"input":"a\u00e9\/"}"#);
    let items = request.input.map(Input::into_items).unwrap();
    assert_eq!(items, [responses::item::Item::user("aé/")]);
}

#[test]
fn a_field_of_the_wrong_type_is_refused_by_its_path() {
    for (text, path) in [
        (r#"{"model":5}"#, "model"),
        (r#"{"store":"yes"}"#, "store"),
        (r#"{"input":5}"#, "input"),
        (r#"{"input":[{"type":"function_call"}]}"#, "input.0.call_id"),
        (r#"{"tools":[{"type":"function"}]}"#, "tools.0.name"),
        (r#"{"tools":{}}"#, "tools"),
        (r#"{"a":1,"a":2}"#, "a"),
    ] {
        assert_eq!(Request::parse(text).unwrap_err().path().as_deref(), Some(path), "{text}");
    }
}
