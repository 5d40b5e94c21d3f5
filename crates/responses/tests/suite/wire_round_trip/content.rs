//! Every part of content and every tool that the protocol names.

use responses::item::{Content, Part};
use responses::json::{Json, Read};
use responses::tool_spec::Tool;

const PARTS: &[&str] = &[
    r#"{"type":"input_text","text":"a","prompt_cache_breakpoint":{"mode":"explicit","ttl":"30m"}}"#,
    r#"{"type":"input_image","image_url":"data:image/png;base64,aGk=","detail":"original"}"#,
    r#"{"type":"input_image","file_id":"f","detail":"auto"}"#,
    r#"{"type":"input_file","file_id":"f"}"#,
    r#"{"type":"input_file","file_url":"https://example.org/a","detail":"low"}"#,
    r#"{"type":"input_file","file_data":"data:text/plain;base64,aGk=","filename":"a.txt"}"#,
    r#"{"type":"output_text","text":"a","annotations":[],"logprobs":[]}"#,
    r#"{"type":"output_text","text":"a"}"#,
    r#"{"type":"refusal","refusal":"no"}"#,
    r#"{"type":"reasoning_text","text":"a"}"#,
    r#"{"type":"summary_text","text":"a"}"#,
];

const ANNOTATIONS: &[&str] = &[
    r#"{"type":"url_citation","url":"u","title":"t","start_index":0,"end_index":1}"#,
    r#"{"type":"file_citation","file_id":"f","filename":"n","index":0}"#,
    r#"{"type":"container_file_citation","container_id":"c","file_id":"f","filename":"n","start_index":0,"end_index":1}"#,
    r#"{"type":"file_path","file_id":"f","index":0}"#,
    r#"{"type":"citation_of_next_year","page":1e1}"#,
];

/// Each with the name it is read by; none for a tool of the server's.
const TOOLS: &[(&str, Option<&str>)] = &[
    (
        r#"{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":false,
            "defer_loading":true,"async":true,"allowed_callers":["direct"],"output_schema":{}}"#,
        Some("f"),
    ),
    (r#"{"type":"function","name":"f","parameters":null,"strict":null}"#, Some("f")),
    (r#"{"type":"custom","name":"c","description":"d","format":{"type":"text"}}"#, Some("c")),
    (
        r#"{"type":"custom","name":"c","format":{"type":"grammar","syntax":"lark","definition":"start: \"a\""}}"#,
        Some("c"),
    ),
    (
        r#"{"type":"namespace","name":"n","description":"d","tools":[{"type":"function","name":"f"},
            {"type":"custom","name":"c"}]}"#,
        Some("n"),
    ),
    (r#"{"type":"tool_search","execution":"client","description":"d","parameters":{}}"#, None),
    (r#"{"type":"web_search","filters":{"allowed_domains":["example.org"]},"external_web_access":false}"#, None),
    (r#"{"type":"web_search_2025_08_26","search_context_size":"low"}"#, None),
    (r#"{"type":"web_search_preview","search_content_types":["text","image"]}"#, None),
    (r#"{"type":"web_search_preview_2025_03_11","user_location":{"type":"approximate"}}"#, None),
    (r#"{"type":"file_search","vector_store_ids":["v"],"max_num_results":3}"#, None),
    (r#"{"type":"code_interpreter","container":{"type":"auto","memory_limit":"1g"}}"#, None),
    (r#"{"type":"image_generation","model":"m","partial_images":2}"#, None),
    (r#"{"type":"local_shell"}"#, None),
    (r#"{"type":"shell","environment":{"type":"container_auto"}}"#, None),
    (r#"{"type":"apply_patch","allowed_callers":["programmatic"]}"#, None),
    (r#"{"type":"mcp","server_label":"s","server_url":"https://example.org","require_approval":"never"}"#, None),
    (r#"{"type":"computer"}"#, None),
    (r#"{"type":"computer_use_preview","display_width":1,"display_height":1,"environment":"linux"}"#, None),
    (r#"{"type":"programmatic_tool_calling"}"#, None),
    (r#"{"type":"tool_of_next_year","name":5}"#, None),
];

#[test]
fn every_named_part_is_read_and_its_reading_survives() {
    for text in PARTS {
        let part = Part::read(text).unwrap();
        assert!(!matches!(part, Part::Unknown(_)), "{text}");
        assert_eq!(Json::of(&part).read(), Ok(part), "{text}");
    }
    for text in [r#"{"type":"input_audio","audio_url":"u"}"#, r#"{"type":"encrypted_content","encrypted_content":"g"}"#]
    {
        let part = Part::read(text).unwrap();
        assert!(matches!(part, Part::Unknown(_)), "{text}");
        assert_eq!(Json::of(&part).text(), text);
    }
}

#[test]
fn every_annotation_is_named_and_carried_as_it_came() {
    for text in ANNOTATIONS {
        let content = format!(r#"[{{"type":"output_text","text":"a","annotations":[{text}]}}]"#);
        let Ok(Content::Parts(parts)) = Content::read(&content) else { panic!("{content}") };
        let [Part::OutputText(part)] = &parts[..] else { panic!("{parts:?}") };
        assert!(text.contains(&*part.annotations[0].kind));
        assert_eq!(part.annotations[0].raw.0, *text);
        assert_eq!(Json::of(&Content::Parts(parts.clone())).text(), content);
    }
}

#[test]
fn all_text_of_content_is_one_text_without_its_images() {
    let text = r#"[{"type":"input_text","text":"a\u00e9"},{"type":"input_image","file_id":"f"},
        {"type":"output_text","text":"b"},{"type":"refusal","refusal":"c"}]"#;
    assert_eq!(Content::read(text).unwrap().to_text(), "aébc");
    assert_eq!(Content::read(r#""d\n""#).unwrap().to_text(), "d\n");
    assert!(Content::read("5").is_err());
}

#[test]
fn every_named_tool_is_read_by_its_type_and_keeps_its_text() {
    for (text, name) in TOOLS {
        let tool = Tool::read(text).unwrap();
        let read = match &tool {
            Tool::Function(function, _) => Some(&*function.name),
            Tool::Custom(custom, _) => Some(&*custom.name),
            Tool::Namespace(namespace, _) => Some(&*namespace.name),
            Tool::Hosted { kind, .. } => {
                assert!(text.contains(&format!(r#""type":"{kind}""#)), "{kind}");
                None
            }
        };
        assert_eq!(read, *name, "{text}");
        assert_eq!((tool.raw().0, Json::of(&tool).text()), (*text, *text));
    }
    let Ok(Tool::Namespace(namespace, _)) = Tool::read(TOOLS[4].0) else { panic!("not a namespace") };
    assert!(matches!(&namespace.tools[..], [Tool::Function(..), Tool::Custom(..)]));
}
