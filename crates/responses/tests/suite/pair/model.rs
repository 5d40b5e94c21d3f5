//! A model that says predictable things, one event at a time.

use std::collections::VecDeque;

use responses::item::Item;

/// How a generation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Whole.
    Completed,
    /// Whole, and the last event brings no output.
    WithoutOutput,
    /// Whole, and only the last event brings output.
    OnlyInTheEnd,
    /// At its limit.
    Incomplete,
    /// `response.failed` after the items, with this code.
    Failed(&'static str),
    /// An `error` event instead of a response, with this status and code.
    Error(u16, &'static str),
    /// Nothing more after the items.
    Silence,
}

/// The model of a test.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) endings: VecDeque<Ending>,
    /// How every generation ends that has no ending of its own.
    pub(crate) always: Option<Ending>,
    generations: u64,
}

/// One generation.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    pub(crate) id: String,
    items: Vec<String>,
    ending: Ending,
    /// What the model saw.
    pub(crate) context: Vec<String>,
    at: usize,
    done: Vec<String>,
    sequence: u64,
    stop: Option<&'static str>,
    pub(crate) ended: bool,
    previous: Option<String>,
}

impl Model {
    /// A generation on this context. What it says depends on its number only.
    pub(crate) fn begin(&mut self, context: &[Item], generate: bool, previous: Option<String>) -> Generation {
        self.generations += 1;
        let number = self.generations;
        let ending = if generate {
            self.endings.pop_front().or(self.always).unwrap_or(Ending::Completed)
        } else {
            Ending::Completed
        };
        let items = if generate { items(number) } else { Vec::new() };
        Generation {
            id: format!("resp_{number}"),
            items,
            ending,
            context: context.iter().map(|item| item.text().to_owned()).collect(),
            at: 0,
            done: Vec::new(),
            sequence: 0,
            stop: None,
            ended: false,
            previous,
        }
    }
}

fn items(number: u64) -> Vec<String> {
    let thought = format!(r#"{{"type":"reasoning","id":"rs_{number}","summary":[],"encrypted_content":"e{number}"}}"#);
    let message = |nth: u64| {
        format!(
            r#"{{"type":"message","id":"msg_{number}_{nth}","role":"assistant","status":"completed","content":[{{"type":"output_text","text":"said {number}.{nth}","annotations":[]}}]}}"#
        )
    };
    let call = |nth: u64| {
        format!(
            r#"{{"type":"function_call","id":"fc_{number}_{nth}","call_id":"call_{number}_{nth}","name":"f","arguments":"{{}}","status":"completed"}}"#
        )
    };
    match number % 5 {
        0 => vec![message(0)],
        1 => vec![thought, message(0)],
        2 => vec![thought, call(0)],
        3 => vec![message(0), call(0), call(1)],
        _ => vec![message(0), thought, message(1)],
    }
}

impl Generation {
    /// The response stops before its next item, for this reason.
    pub(crate) fn stop(&mut self, reason: &'static str) {
        self.stop = Some(reason);
    }

    /// What the model has seen and said.
    pub(crate) fn full(&self) -> Vec<String> {
        let said = if self.ending == Ending::OnlyInTheEnd && self.stop.is_none() { &self.items } else { &self.done };
        self.context.iter().chain(said).cloned().collect()
    }

    /// The next event: created, in progress, an item begun, an item done, …, the end.
    pub(crate) fn next(&mut self) -> Option<String> {
        if self.ended {
            return None;
        }
        let step = self.at;
        self.at += 1;
        if let Ending::Error(status, code) = self.ending {
            self.ended = true;
            return Some(format!(
                r#"{{"type":"error","status":{status},"error":{{"type":"x","code":"{code}","message":"scripted"}}}}"#
            ));
        }
        match step {
            0 => Some(self.stage("created", "in_progress")),
            1 => Some(self.stage("in_progress", "in_progress")),
            _ => self.item_event(step - 2),
        }
    }

    fn item_event(&mut self, step: usize) -> Option<String> {
        let (index, done) = (step / 2, step % 2 == 1);
        let silent = self.ending == Ending::OnlyInTheEnd;
        let stops = self.stop.is_some() && !done;
        match self.items.get(index).cloned() {
            Some(item) if !silent && !stops => {
                let kind = if done { "done" } else { "added" };
                if done {
                    self.done.push(item.clone());
                }
                let number = self.number();
                Some(format!(
                    r#"{{"type":"response.output_item.{kind}","sequence_number":{number},"output_index":{index},"item":{item}}}"#
                ))
            }
            _ => self.end(),
        }
    }

    fn end(&mut self) -> Option<String> {
        if let Some(reason) = self.stop {
            self.ended = true;
            return Some(self.terminal(
                "incomplete",
                &format!(r#","incomplete_details":{{"reason":"{reason}"}}"#),
                true,
            ));
        }
        match self.ending {
            Ending::Silence => {
                self.at -= 1;
                None
            }
            Ending::Completed | Ending::Error(..) => Some(self.terminal("completed", "", true)),
            Ending::WithoutOutput => Some(self.terminal("completed", "", false)),
            Ending::OnlyInTheEnd => {
                self.done = self.items.clone();
                Some(self.terminal("completed", "", true))
            }
            Ending::Incomplete => {
                Some(self.terminal("incomplete", r#","incomplete_details":{"reason":"max_output_tokens"}"#, true))
            }
            Ending::Failed(code) => {
                Some(self.terminal("failed", &format!(r#","error":{{"code":"{code}","message":"scripted"}}"#), true))
            }
        }
    }

    fn terminal(&mut self, status: &str, more: &str, output: bool) -> String {
        self.ended = true;
        let output = if output { format!(r#","output":[{}]"#, self.done.join(",")) } else { String::new() };
        let (id, number) = (self.id.clone(), self.number());
        format!(
            r#"{{"type":"response.{status}","sequence_number":{number},"response":{{"id":"{id}","status":"{status}"{output}{more}}}}}"#
        )
    }

    fn stage(&mut self, kind: &str, status: &str) -> String {
        let (id, number) = (self.id.clone(), self.number());
        let previous = self.previous.as_ref().map_or("null".to_owned(), |id| format!("\"{id}\""));
        format!(
            r#"{{"type":"response.{kind}","sequence_number":{number},"response":{{"id":"{id}","status":"{status}","previous_response_id":{previous},"output":[]}}}}"#
        )
    }

    fn number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence - 1
    }
}
