//! Streams as the service makes them, from a script of items.

use serde_json::{Value, json};

/// What a script says of one item: what it is in the end, and what is said of it before.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    pub(crate) item: Value,
    /// Type and fields of the events between `added` and `done`.
    between: Vec<(&'static str, Value)>,
}

impl Scripted {
    fn new(item: Value, between: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        Self { item, between: between.into_iter().collect() }
    }

    /// All events of the item, in order.
    fn events(&self, index: usize) -> Vec<Value> {
        // What is added holds the fields of its kind with nothing in them yet, and a placeholder that is not the item.
        let mut added = self.item.clone();
        added["status"] = json!("in_progress");
        for (field, placeholder) in
            [("content", json!([])), ("arguments", json!("")), ("input", json!("")), ("encrypted_content", json!("??"))]
        {
            if added.get(field).is_some() {
                added[field] = placeholder;
            }
        }
        let mut events = vec![json!({"type": "response.output_item.added", "output_index": index, "item": added})];
        for (kind, fields) in &self.between {
            let mut event = fields.clone();
            event["type"] = json!(kind);
            event["output_index"] = json!(index);
            event["item_id"] = self.item["id"].clone();
            events.push(event);
        }
        events.push(json!({"type": "response.output_item.done", "output_index": index, "item": self.item}));
        events
    }
}

/// How a response ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    Incomplete,
    Failed,
}

/// What the last event says of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    All,
    Empty,
    Null,
    Absent,
}

/// The response as it is when it is whole.
pub(crate) fn response(items: &[Scripted], end: End, output: Output) -> Value {
    let mut response = json!({
        "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "model": "m", "error": null,
        "incomplete_details": null, "metadata": {"a": "b"},
        "usage": {"input_tokens": 5, "input_tokens_details": {"cached_tokens": 2}, "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 1}, "total_tokens": 8},
    });
    let (status, field, details) = match end {
        End::Completed => ("completed", "error", Value::Null),
        End::Incomplete => ("incomplete", "incomplete_details", json!({"reason": "max_output_tokens"})),
        End::Failed => ("failed", "error", json!({"code": "server_error", "message": "m"})),
    };
    response["status"] = json!(status);
    response[field] = details;
    match output {
        Output::All => response["output"] = items.iter().map(|scripted| scripted.item.clone()).collect(),
        Output::Empty => response["output"] = json!([]),
        Output::Null => response["output"] = Value::Null,
        Output::Absent => {}
    }
    response
}

/// The whole stream, item after item.
pub(crate) fn stream(items: &[Scripted], end: End, output: Output) -> Vec<Value> {
    let turns: Vec<usize> =
        (0..items.len()).flat_map(|at| std::iter::repeat_n(at, items[at].between.len() + 2)).collect();
    interleaved(items, &turns, end, output)
}

/// The whole stream, the items' events in the order of `turns`: each names the item that speaks next. What is left at
/// its end follows.
pub(crate) fn interleaved(items: &[Scripted], turns: &[usize], end: End, output: Output) -> Vec<Value> {
    let begun = json!({"id": "resp_1", "object": "response", "status": "in_progress", "output": [], "usage": null});
    let mut events = vec![
        json!({"type": "response.created", "response": begun}),
        json!({"type": "response.in_progress", "response": begun}),
    ];
    let mut queues: Vec<_> = (0..items.len()).map(|at| items[at].events(at).into_iter()).collect();
    events.extend(turns.iter().filter_map(|turn| queues.get_mut(*turn)?.next()));
    events.extend(queues.into_iter().flatten());
    let kind = match end {
        End::Completed => "response.completed",
        End::Incomplete => "response.incomplete",
        End::Failed => "response.failed",
    };
    events.push(json!({"type": kind, "response": response(items, end, output)}));
    number(&mut events);
    events
}

pub(crate) fn number(events: &mut [Value]) {
    for (at, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(at);
    }
}

/// One script for each row of the table "order per item kind" of the wire.
pub(crate) fn every_kind() -> Vec<Scripted> {
    let said = |text: &str| json!([{"type": "output_text", "text": text, "annotations": []}]);
    let summary = |at: u32, text: &str| {
        [
            ("response.reasoning_summary_part.added", json!({"summary_index": at, "part": {"type": "summary_text"}})),
            ("response.reasoning_summary_text.delta", json!({"summary_index": at, "delta": text})),
            ("response.reasoning_summary_text.done", json!({"summary_index": at, "text": text})),
            ("response.reasoning_summary_part.done", json!({"summary_index": at, "part": {"type": "summary_text"}})),
        ]
    };
    let part = |kind: &str, text: &str| json!({"content_index": 0, "part": {"type": kind, "text": text}});
    let mut scripts = vec![
        Scripted::new(
            json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary",
                "content": said("hello")}),
            [
                ("response.content_part.added", part("output_text", "")),
                ("response.output_text.delta", json!({"content_index": 0, "delta": "hel", "obfuscation": "xy"})),
                ("response.output_text.annotation.added", json!({"content_index": 0, "annotation_index": 0})),
                ("response.output_text.delta", json!({"content_index": 0, "delta": "lo"})),
                ("response.output_text.done", json!({"content_index": 0, "text": "hello"})),
                ("response.content_part.done", part("output_text", "hello")),
            ],
        ),
        Scripted::new(
            json!({"type": "message", "id": "msg_2", "role": "assistant", "status": "completed",
                "content": [{"type": "refusal", "refusal": "no"}]}),
            [
                ("response.content_part.added", part("refusal", "")),
                ("response.refusal.delta", json!({"content_index": 0, "delta": "no"})),
                ("response.refusal.done", json!({"content_index": 0, "refusal": "no"})),
                ("response.content_part.done", part("refusal", "no")),
            ],
        ),
        Scripted::new(
            json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "gA",
                "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]}),
            [summary(0, "a"), summary(1, "b")].concat(),
        ),
        Scripted::new(json!({"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gB"}), []),
        Scripted::new(
            json!({"type": "reasoning", "id": "rs_3", "summary": [],
                "content": [{"type": "reasoning_text", "text": "raw"}]}),
            [
                ("response.content_part.added", part("reasoning_text", "")),
                ("response.reasoning_text.delta", json!({"content_index": 0, "delta": "raw"})),
                ("response.reasoning_text.done", json!({"content_index": 0, "text": "raw"})),
                ("response.content_part.done", part("reasoning_text", "raw")),
            ],
        ),
    ];
    scripts.extend(calls());
    scripts.extend(hosted());
    scripts.extend(others());
    scripts
}

fn calls() -> [Scripted; 9] {
    [
        Scripted::new(
            json!({"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{\"a\":1}",
                "status": "completed"}),
            [
                ("response.function_call_arguments.delta", json!({"delta": "{\"a\":"})),
                ("response.function_call_arguments.delta", json!({"delta": "1}"})),
                ("response.function_call_arguments.done", json!({"arguments": "{\"a\":1}", "name": "f"})),
            ],
        ),
        Scripted::new(
            json!({"type": "custom_tool_call", "id": "ct_1", "call_id": "c2", "name": "g", "input": "xy",
                "status": "completed"}),
            [
                ("response.custom_tool_call_input.delta", json!({"delta": "x"})),
                ("response.custom_tool_call_input.delta", json!({"delta": "y"})),
            ],
        ),
        Scripted::new(
            json!({"type": "local_shell_call", "id": "lsh_1", "call_id": "c3", "status": "completed",
                "action": {"type": "exec", "command": ["ls"], "env": {}}}),
            [],
        ),
        Scripted::new(
            json!({"type": "shell_call", "id": "sh_1", "call_id": "c4", "status": "completed",
                "action": {"commands": ["ls", "pwd"]}, "environment": null}),
            ["ls", "pwd"].into_iter().enumerate().flat_map(|(at, command)| {
                [
                    ("response.shell_call_command.added", json!({"command_index": at, "command": ""})),
                    ("response.shell_call_command.delta", json!({"command_index": at, "delta": command})),
                    ("response.shell_call_command.done", json!({"command_index": at, "command": command})),
                ]
            }),
        ),
        Scripted::new(
            json!({"type": "shell_call_output", "id": "sho_1", "call_id": "c4", "status": "completed", "output": []}),
            [
                ("response.shell_call_output_content.delta", json!({"command_index": 0, "delta": {"stdout": "a"}})),
                ("response.shell_call_output_content.done", json!({"command_index": 0, "output": []})),
            ],
        ),
        Scripted::new(
            json!({"type": "apply_patch_call", "id": "apc_1", "call_id": "c5", "status": "completed",
                "operation": {"type": "update_file", "path": "a", "diff": "@@"}}),
            [
                ("response.apply_patch_call_operation_diff.delta", json!({"delta": "@@"})),
                ("response.apply_patch_call_operation_diff.done", json!({"diff": "@@"})),
            ],
        ),
        Scripted::new(
            json!({"type": "apply_patch_call", "id": "apc_2", "call_id": "c6", "status": "completed",
                "operation": {"type": "delete_file", "path": "a"}}),
            [],
        ),
        Scripted::new(
            json!({"type": "tool_search_call", "id": "tsc_1", "call_id": null, "execution": "server", "arguments": {},
                "status": "completed"}),
            [],
        ),
        Scripted::new(
            json!({"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "s", "name": "n", "arguments": "{}"}),
            [],
        ),
    ]
}

fn hosted() -> Vec<Scripted> {
    let none = || json!({});
    let phases = |kinds: &[&'static str]| kinds.iter().map(|kind| (*kind, none())).collect::<Vec<_>>();
    let plain = |item: Value, kinds: &[&'static str]| Scripted::new(item, phases(kinds));
    vec![
        plain(
            json!({"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "s", "tools": []}),
            &["response.mcp_list_tools.in_progress", "response.mcp_list_tools.completed"],
        ),
        Scripted::new(
            json!({"type": "mcp_call", "id": "mcp_1", "server_label": "s", "name": "n", "arguments": "{}", "output": "o"}),
            [
                ("response.mcp_call.in_progress", none()),
                ("response.mcp_call_arguments.delta", json!({"delta": "{}"})),
                ("response.mcp_call_arguments.done", json!({"arguments": "{}"})),
                ("response.mcp_call.completed", none()),
            ],
        ),
        plain(
            json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}),
            &[
                "response.web_search_call.in_progress",
                "response.web_search_call.searching",
                "response.web_search_call.completed",
            ],
        ),
        plain(
            json!({"type": "file_search_call", "id": "fs_1", "status": "completed", "queries": ["q"], "results": null}),
            &[
                "response.file_search_call.in_progress",
                "response.file_search_call.searching",
                "response.file_search_call.completed",
            ],
        ),
        Scripted::new(
            json!({"type": "code_interpreter_call", "id": "ci_1", "container_id": "c", "code": "1", "status": "completed"}),
            [
                ("response.code_interpreter_call.in_progress", none()),
                ("response.code_interpreter_call_code.delta", json!({"delta": "1"})),
                ("response.code_interpreter_call_code.done", json!({"code": "1"})),
                ("response.code_interpreter_call.interpreting", none()),
                ("response.code_interpreter_call.completed", none()),
            ],
        ),
        Scripted::new(
            json!({"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "aGk="}),
            [
                ("response.image_generation_call.in_progress", none()),
                ("response.image_generation_call.generating", none()),
                (
                    "response.image_generation_call.partial_image",
                    json!({"partial_image_index": 0, "partial_image_b64": "aA=="}),
                ),
                ("response.image_generation_call.completed", none()),
            ],
        ),
    ]
}

fn others() -> [Scripted; 5] {
    let begun = |item: Value, kind: &'static str| Scripted::new(item, [(kind, json!({}))]);
    let plain = |item: Value| Scripted::new(item, []);
    [
        plain(json!({"type": "tool_search_output", "id": "tso_1", "call_id": null, "execution": "server", "tools": [],
                "status": "completed"})),
        plain(json!({"type": "program", "id": "pr_1", "call_id": "c7", "code": "f()", "fingerprint": "x"})),
        // What a program calls may be done and still say that it is not.
        plain(json!({"type": "function_call", "id": "fc_2", "call_id": "c8", "name": "f", "arguments": "",
                "caller": {"type": "program", "caller_id": "c7"}, "status": "in_progress"})),
        begun(
            json!({"type": "compaction", "id": "cmp_1", "encrypted_content": "gC"}),
            "response.compaction.compacting",
        ),
        begun(json!({"type": "dream", "id": "dr_1", "seen": [1, 2]}), "response.dream.delta"),
    ]
}
