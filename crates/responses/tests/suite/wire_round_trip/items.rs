//! Every kind of item that the protocol names.

use proptest::prelude::*;
use responses::item::{Item, ItemKind, ItemView};

use super::json_text::string;

/// One item of each kind, with every field that the kind has on the wire.
const SAMPLES: &[(ItemKind, &str)] = &[
    (
        ItemKind::Message,
        r#"{"type":"message","id":"msg_1","role":"assistant","status":"completed","phase":"final_answer","content":[
            {"type":"output_text","text":"a","annotations":[{"type":"file_path","file_id":"f","index":0}],"logprobs":[]},
            {"type":"refusal","refusal":"b"}]}"#,
    ),
    (ItemKind::Message, r#"{"role":"user","content":"the easy form"}"#),
    (
        ItemKind::Message,
        r#"{"type":"message","role":"developer","content":[{"type":"input_text","text":"a"}],"status":"in_progress"}"#,
    ),
    (
        ItemKind::Reasoning,
        r#"{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a"}],
            "content":[{"type":"reasoning_text","text":"b"}],"encrypted_content":"gA","status":"completed"}"#,
    ),
    (ItemKind::Reasoning, r#"{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":null}"#),
    (
        ItemKind::FunctionCall,
        r#"{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"{\"a\":1}","namespace":"n",
            "caller":{"type":"program","caller_id":"p"},"async":true,"status":"completed"}"#,
    ),
    (
        ItemKind::FunctionCallOutput,
        r#"{"type":"function_call_output","id":"fco_1","call_id":"call_1","output":"a","name":"f","namespace":"n",
            "caller":{"type":"direct"},"status":"completed"}"#,
    ),
    (
        ItemKind::FunctionCallOutput,
        r#"{"type":"function_call_output","name":"f","output":[{"type":"input_image","file_id":"f","detail":"low"}]}"#,
    ),
    (
        ItemKind::CustomToolCall,
        r#"{"type":"custom_tool_call","id":"ct_1","call_id":"call_1","name":"f","input":"a\nb","namespace":"n",
            "caller":null,"async":false,"status":"completed"}"#,
    ),
    (
        ItemKind::CustomToolCallOutput,
        r#"{"type":"custom_tool_call_output","call_id":"call_1","output":[{"type":"input_text","text":"a"}]}"#,
    ),
    (
        ItemKind::LocalShellCall,
        r#"{"type":"local_shell_call","id":"lsh_1","call_id":"call_1","status":"completed","action":{"type":"exec",
            "command":["ls"],"env":{"A":"b"},"working_directory":"/","timeout_ms":5,"user":null}}"#,
    ),
    (
        ItemKind::LocalShellCallOutput,
        r#"{"type":"local_shell_call_output","id":"call_1","output":"{\"exit_code\":0}","status":null}"#,
    ),
    (
        ItemKind::ShellCall,
        r#"{"type":"shell_call","id":"sh_1","call_id":"call_1","status":"completed","caller":{"type":"direct"},
            "action":{"commands":["ls"],"max_output_length":9,"timeout_ms":5},"environment":{"type":"local"}}"#,
    ),
    (
        ItemKind::ShellCallOutput,
        r#"{"type":"shell_call_output","id":"sho_1","call_id":"call_1","status":"completed","max_output_length":9,
            "output":[{"stdout":"a","stderr":"","outcome":{"type":"exit","exit_code":0}}]}"#,
    ),
    (
        ItemKind::ApplyPatchCall,
        r#"{"type":"apply_patch_call","id":"apc_1","call_id":"call_1","status":"in_progress",
            "operation":{"type":"update_file","path":"a","diff":"@@"}}"#,
    ),
    (
        ItemKind::ApplyPatchCallOutput,
        r#"{"type":"apply_patch_call_output","call_id":"call_1","status":"failed","output":"no such file"}"#,
    ),
    (
        ItemKind::ToolSearchCall,
        r#"{"type":"tool_search_call","id":"tsc_1","call_id":null,"execution":"server","arguments":{"q":"a"},
            "status":"completed"}"#,
    ),
    (
        ItemKind::ToolSearchOutput,
        r#"{"type":"tool_search_output","id":"tso_1","call_id":"call_1","execution":"client","status":"completed",
            "tools":[{"type":"function","name":"f"}]}"#,
    ),
    (
        ItemKind::AdditionalTools,
        r#"{"type":"additional_tools","id":"at_1","role":"developer","tools":[{"type":"namespace","name":"functions",
            "description":"d","tools":[{"type":"custom","name":"exec"}]}]}"#,
    ),
    (
        ItemKind::ConfigurationUpdate,
        r#"{"type":"configuration_update","id":"cu_1","reasoning":{"effort":"high"},"text":{"format":{"type":"text"}}}"#,
    ),
    (ItemKind::Compaction, r#"{"type":"compaction","id":"cmp_1","encrypted_content":"gA","created_by":"a"}"#),
    (ItemKind::Compaction, r#"{"type":"compaction_summary","encrypted_content":"gA"}"#),
    (ItemKind::ContextCompaction, r#"{"type":"context_compaction","id":"cc_1","encrypted_content":"gA"}"#),
    (ItemKind::CompactionTrigger, r#"{"type":"compaction_trigger"}"#),
    (ItemKind::ItemReference, r#"{"type":"item_reference","id":"msg_1"}"#),
    (ItemKind::ItemReference, r#"{"id":"msg_1"}"#),
    (ItemKind::Program, r#"{"type":"program","id":"pr_1","call_id":"call_1","code":"f()","fingerprint":"x"}"#),
    (
        ItemKind::ProgramOutput,
        r#"{"type":"program_output","id":"po_1","call_id":"call_1","result":"a","status":"completed"}"#,
    ),
    (
        ItemKind::WebSearchCall,
        r#"{"type":"web_search_call","id":"ws_1","status":"searching","action":{"type":"search","query":"q"}}"#,
    ),
    (
        ItemKind::FileSearchCall,
        r#"{"type":"file_search_call","id":"fs_1","status":"completed","queries":["q"],"results":[{"file_id":"f",
            "filename":"n","score":0.5,"text":"t","attributes":{"a":1.0}}]}"#,
    ),
    (
        ItemKind::CodeInterpreterCall,
        r#"{"type":"code_interpreter_call","id":"ci_1","container_id":"c","code":"1","status":"interpreting",
            "outputs":[{"type":"logs","logs":"1"},{"type":"image","url":"u"}]}"#,
    ),
    (
        ItemKind::ImageGenerationCall,
        r#"{"type":"image_generation_call","id":"ig_1","status":"generating","result":null,"size":"1x1"}"#,
    ),
    (
        ItemKind::ComputerCall,
        r#"{"type":"computer_call","id":"cu_1","call_id":"call_1","status":"completed","pending_safety_checks":[],
            "actions":[{"type":"click","button":"left","x":1,"y":2}]}"#,
    ),
    (
        ItemKind::ComputerCallOutput,
        r#"{"type":"computer_call_output","id":"co_1","call_id":"call_1","status":"completed",
            "output":{"type":"computer_screenshot","image_url":"u"},"acknowledged_safety_checks":[]}"#,
    ),
    (
        ItemKind::McpListTools,
        r#"{"type":"mcp_list_tools","id":"mcpl_1","server_label":"s","tools":[{"name":"n","input_schema":{}}]}"#,
    ),
    (
        ItemKind::McpCall,
        r#"{"type":"mcp_call","id":"mcp_1","server_label":"s","name":"n","arguments":"{}","output":null,
            "error":{"type":"http_error","code":500,"message":"m"},"approval_request_id":"mcpr_1","status":"calling"}"#,
    ),
    (
        ItemKind::McpApprovalRequest,
        r#"{"type":"mcp_approval_request","id":"mcpr_1","server_label":"s","name":"n","arguments":"{}"}"#,
    ),
    (
        ItemKind::McpApprovalResponse,
        r#"{"type":"mcp_approval_response","approval_request_id":"mcpr_1","approve":false,"reason":"no"}"#,
    ),
    (
        ItemKind::AgentMessage,
        r#"{"type":"agent_message","id":"am_1","author":"/root","recipient":"/root/kid","content":[
            {"type":"input_text","text":"a"},{"type":"encrypted_content","encrypted_content":"gA"}]}"#,
    ),
    (
        ItemKind::MultiAgentCall,
        r#"{"type":"multi_agent_call","id":"ma_1","call_id":"call_1","action":"spawn_agent","arguments":"{}"}"#,
    ),
    (
        ItemKind::MultiAgentCallOutput,
        r#"{"type":"multi_agent_call_output","id":"mo_1","call_id":"call_1","action":"wait_agent","output":[]}"#,
    ),
];

/// The calls whose answer the client owes, and the field that names them.
const ANSWERED_BY_THE_CLIENT: &[ItemKind] = &[
    ItemKind::CustomToolCall,
    ItemKind::LocalShellCall,
    ItemKind::ShellCall,
    ItemKind::ApplyPatchCall,
    ItemKind::ComputerCall,
    ItemKind::McpApprovalRequest,
];

#[test]
fn every_named_kind_has_a_sample_that_is_read_as_its_kind() {
    for (kind, text) in SAMPLES {
        let item = Item::parse(text).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        assert_eq!(item.kind(), *kind, "{text}");
        assert_ne!(item.view(), ItemView::Unknown, "{text}");
        assert_eq!(item.text(), *text);
        assert_eq!(Item::keep(text), Ok(item));
    }
    for kind in ItemKind::NAMED {
        assert!(SAMPLES.iter().any(|(sampled, _)| sampled == kind), "no sample of {kind:?}");
        let tag = kind.tag().unwrap();
        let named = |text: &str| text.contains(&format!(r#""type":"{tag}""#));
        assert!(SAMPLES.iter().any(|(sampled, text)| sampled == kind && named(text)), "no sample says {tag}");
    }
}

#[test]
fn a_view_that_is_written_reads_as_the_same_view() {
    let carried = |view: &ItemView<'_>| matches!(view, ItemView::Hosted(_));
    for (kind, text) in SAMPLES {
        let item = Item::parse(text).unwrap();
        let view = item.view();
        match Item::from_view(&view) {
            Some(written) => {
                assert_eq!((written.kind(), &written.view()), (*kind, &view), "{text}");
                assert_eq!(Item::parse(written.text()), Ok(written));
            }
            None => assert!(carried(&view), "{text} cannot be written"),
        }
    }
    assert_eq!(Item::from_view(&ItemView::Unknown), None);
}

#[test]
fn the_calls_that_the_client_answers_are_known_by_their_ids() {
    for (kind, text) in SAMPLES {
        let item = Item::parse(text).unwrap();
        let call = item.call();
        assert_eq!(call.is_some(), ANSWERED_BY_THE_CLIENT.contains(kind), "{text}");
        if let Some(call) = call {
            assert!(["call_1", "mcpr_1"].contains(&call.as_str()), "{call}");
        }
    }
    let call = |fields: &str| Item::parse(&format!("{{{fields}}}")).unwrap().call().map(|call| call.to_string());
    let function = r#""type":"function_call","call_id":"c","name":"f","arguments":"""#;
    assert_eq!(call(function).as_deref(), Some("c"));
    assert_eq!(call(&format!(r#"{function},"async":false"#)).as_deref(), Some("c"));
    assert_eq!(call(&format!(r#"{function},"async":true"#)), None);
    let shell = r#""type":"shell_call","call_id":"c","action":{}"#;
    assert_eq!(call(shell).as_deref(), Some("c"));
    assert_eq!(call(&format!(r#"{shell},"environment":{{"type":"container_reference","container_id":"x"}}"#)), None);
    let search = r#""type":"tool_search_call","call_id":"c","arguments":{}"#;
    assert_eq!(call(search), None);
    assert_eq!(call(&format!(r#"{search},"execution":"client""#)).as_deref(), Some("c"));
}

#[test]
fn an_answer_names_the_call_it_answers() {
    let answers: Vec<(ItemKind, String)> = SAMPLES
        .iter()
        .filter_map(|(kind, text)| Some((*kind, Item::parse(text).unwrap().answers()?.to_string())))
        .collect();
    let expected = [
        (ItemKind::FunctionCallOutput, "call_1"),
        (ItemKind::CustomToolCallOutput, "call_1"),
        (ItemKind::LocalShellCallOutput, "call_1"),
        (ItemKind::ShellCallOutput, "call_1"),
        (ItemKind::ApplyPatchCallOutput, "call_1"),
        (ItemKind::ToolSearchOutput, "call_1"),
        (ItemKind::ComputerCallOutput, "call_1"),
        (ItemKind::McpApprovalResponse, "mcpr_1"),
    ];
    assert_eq!(answers, expected.map(|(kind, call)| (kind, call.to_owned())));
}

#[test]
fn an_item_that_lacks_the_fields_of_its_kind_is_refused_from_a_client_and_kept_from_a_server() {
    for text in [
        r#"{"type":"message","role":"user"}"#,
        r#"{"type":"function_call","call_id":"c","name":"f"}"#,
        r#"{"type":"function_call","call_id":7,"name":"f","arguments":""}"#,
        r#"{"type":"mcp_approval_response","approval_request_id":"a","approve":"yes"}"#,
    ] {
        assert!(Item::parse(text).is_err(), "{text}");
        let kept = Item::keep(text).unwrap();
        assert_eq!((kept.kind(), kept.text()), (ItemKind::Unknown, text));
    }
    assert!(Item::keep("[]").is_err());
    assert!(Item::keep(r#"{"type":"x","a":1,"a":2}"#).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_call_says_its_view_is_written_and_read_again(
        id in string(), name in string(), arguments in string(), namespace in string(),
    ) {
        let text = format!(
            r#"{{"type":"function_call","call_id":{id},"name":{name},"arguments":{arguments},"namespace":{namespace}}}"#
        );
        let item = Item::parse(&text).unwrap();
        let written = Item::from_view(&item.view()).unwrap();
        prop_assert_eq!(written.view(), item.view());
    }
}
