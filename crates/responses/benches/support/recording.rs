//! A stream like one that was recorded: what a reasoning model says in a turn with some text and two calls.

use responses::json::quote;

/// How many events it has.
pub(crate) const EVENTS: usize = 2_000;

/// The data of each event, in order.
pub(crate) fn recording() -> Vec<String> {
    let mut recording = Recording::default();
    let response = |status: &str, output: &str, usage: &str| {
        let tools = r#"{"type":"function","name":"shell","description":"runs a command","parameters":{"type":"object","properties":{"command":{"type":"string"}}},"strict":false}"#;
        format!(
            r#""response":{{"id":"resp_0123456789abcdef0123456789abcdef0123456789abcdef","object":"response","created_at":1790000000,"status":"{status}","background":false,"error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"model":"gpt-6-sol-2026-09-01","output":{output},"parallel_tool_calls":true,"previous_response_id":null,"prompt_cache_key":"0199","reasoning":{{"effort":"medium","summary":"auto"}},"safety_identifier":null,"service_tier":"default","store":false,"temperature":1.0,"text":{{"format":{{"type":"text"}},"verbosity":"medium"}},"tool_choice":"auto","tools":[{tools}],"top_logprobs":0,"top_p":1.0,"truncation":"disabled","usage":{usage},"user":null,"metadata":{{}}}}"#
        )
    };
    recording.event("response.created", &response("in_progress", "[]", "null"));
    recording.event("response.in_progress", &response("in_progress", "[]", "null"));
    recording.reasoning(380);
    recording.message(1_480);
    recording.call(2, 60);
    // The two last ones are the second call's `done` and the end.
    let left = EVENTS - recording.events.len() - 4;
    recording.call(3, left);
    let output = format!("[{}]", recording.items.join(","));
    let usage = r#"{"input_tokens":51234,"input_tokens_details":{"cached_tokens":50000},"output_tokens":2100,"output_tokens_details":{"reasoning_tokens":400},"total_tokens":53334}"#;
    recording.event("response.completed", &response("completed", &output, usage));
    recording.events
}

/// The same as server-sent events.
pub(crate) fn as_sse(events: &[String]) -> Vec<u8> {
    let kind = |event: &str| event.split('"').nth(3).unwrap_or_default().to_owned();
    events.iter().flat_map(|event| format!("event: {}\ndata: {event}\n\n", kind(event)).into_bytes()).collect()
}

const WORDS: [&str; 12] =
    [" the", " file", " it", " returns", "\n\n", " `Vec`", " naïve", " \"quoted\"", " an", " error", ".", " because"];
const PADDING: [&str; 5] = ["aB3", "xYz01Qw", "k", "pQ8rT2uVw9", "Zz7m5"];

#[derive(Default)]
struct Recording {
    events: Vec<String>,
    items: Vec<String>,
}

impl Recording {
    fn event(&mut self, kind: &str, fields: &str) {
        let number = self.events.len();
        self.events.push(format!(r#"{{"type":"{kind}","sequence_number":{number},{fields}}}"#));
    }

    fn deltas(&mut self, kind: &str, at: &str, count: usize) -> String {
        let mut text = String::new();
        for n in 0..count {
            let word = WORDS.get((n * 7) % WORDS.len()).copied().unwrap_or_default();
            let padding = PADDING.get(n % PADDING.len()).copied().unwrap_or_default();
            text.push_str(word);
            let mut quoted = String::new();
            quote(word, &mut quoted);
            self.event(kind, &format!(r#"{at},"delta":{quoted},"logprobs":[],"obfuscation":"{padding}""#));
        }
        let mut quoted = String::new();
        quote(&text, &mut quoted);
        quoted
    }

    fn item(&mut self, index: usize, added: &str, done: impl FnOnce(&mut Self) -> String) {
        self.event("response.output_item.added", &format!(r#""output_index":{index},"item":{added}"#));
        let item = done(self);
        self.event("response.output_item.done", &format!(r#""output_index":{index},"item":{item}"#));
        self.items.push(item);
    }

    fn reasoning(&mut self, deltas: usize) {
        let sealed = "gAAAAABk".repeat(200);
        let at = r#""item_id":"rs_0123456789abcdef0123456789abcdef","output_index":0,"summary_index":0"#;
        let item = |summary: &str| {
            format!(
                r#"{{"id":"rs_0123456789abcdef0123456789abcdef","type":"reasoning","encrypted_content":"{sealed}","summary":[{summary}]}}"#
            )
        };
        self.item(0, &item(""), |this| {
            let part = r#""part":{"type":"summary_text","text":""}"#;
            this.event("response.reasoning_summary_part.added", &format!("{at},{part}"));
            let text = this.deltas("response.reasoning_summary_text.delta", at, deltas);
            this.event("response.reasoning_summary_text.done", &format!(r#"{at},"text":{text}"#));
            let part = format!(r#"{{"type":"summary_text","text":{text}}}"#);
            this.event("response.reasoning_summary_part.done", &format!(r#"{at},"part":{part}"#));
            item(&part)
        });
    }

    fn message(&mut self, deltas: usize) {
        let at = r#""item_id":"msg_0123456789abcdef0123456789abcdef","output_index":1,"content_index":0"#;
        let item = |status: &str, content: &str| {
            format!(
                r#"{{"id":"msg_0123456789abcdef0123456789abcdef","type":"message","status":"{status}","content":[{content}],"role":"assistant"}}"#
            )
        };
        let part = |text: &str| format!(r#"{{"type":"output_text","annotations":[],"logprobs":[],"text":{text}}}"#);
        self.item(1, &item("in_progress", ""), |this| {
            this.event("response.content_part.added", &format!(r#"{at},"part":{}"#, part("\"\"")));
            let text = this.deltas("response.output_text.delta", at, deltas);
            this.event("response.output_text.done", &format!(r#"{at},"text":{text},"logprobs":[]"#));
            this.event("response.content_part.done", &format!(r#"{at},"part":{}"#, part(&text)));
            item("completed", &part(&text))
        });
    }

    fn call(&mut self, index: usize, deltas: usize) {
        let at = format!(r#""item_id":"fc_{index}123456789abcdef0123456789abcdef","output_index":{index}"#);
        let item = |status: &str, arguments: &str| {
            format!(
                r#"{{"id":"fc_{index}123456789abcdef0123456789abcdef","type":"function_call","status":"{status}","arguments":{arguments},"call_id":"call_{index}","name":"shell"}}"#
            )
        };
        self.item(index, &item("in_progress", "\"\""), |this| {
            let text = this.deltas("response.function_call_arguments.delta", &at, deltas);
            this.event("response.function_call_arguments.done", &format!(r#"{at},"arguments":{text}"#));
            item("completed", &text)
        });
    }
}
