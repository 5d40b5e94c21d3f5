//! What the model says, turn by turn: a few lines of Rust, or a small file.

mod file;

use std::time::Duration;

use responses::fold::IncompleteReason;
use responses::item::{Item, Phase};
use responses::json::Json;
use responses::usage::Usage;
use serde::Deserialize;

use crate::fault::{ConnectionsOnly, FaultPlan};
use crate::refusal::Refusal;

/// What a model says: the n-th generation takes the n-th turn. Warm-ups take none.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The turns in order.
    #[serde(default, rename = "turn")]
    pub turns: Vec<Turn>,
    /// Whether the last turn is taken again and again; otherwise a model without turns left refuses.
    #[serde(default)]
    pub repeat_last: bool,
    /// How it misbehaves on the way.
    #[serde(default, rename = "fault")]
    pub faults: FaultPlan,
}

/// Why a script cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file says something we do not understand; the message points at the line.
    #[error("{0}")]
    File(#[from] toml::de::Error),
    /// A fault is asked for where it cannot happen.
    #[error(transparent)]
    Fault(#[from] ConnectionsOnly),
}

impl Script {
    /// These turns, each once.
    pub fn new(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self { turns: turns.into_iter().collect(), ..Self::default() }
    }

    /// The same, the last turn repeated for ever.
    #[must_use]
    pub fn repeating_last(self) -> Self {
        Self { repeat_last: true, ..self }
    }

    /// Reads a script file.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let script: Self = toml::from_str(text)?;
        script.faults.check()?;
        Ok(script)
    }
}

/// One answer of the model.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// What it consists of, in order.
    #[serde(default, rename = "output")]
    pub outputs: Vec<Output>,
    /// What it costs; without it, tokens are estimated from what was read and said.
    #[serde(default, deserialize_with = "file::usage")]
    pub usage: Option<Usage>,
    /// How fast it comes.
    #[serde(default)]
    pub pace: Pace,
    /// How it ends.
    #[serde(default)]
    pub end: End,
}

/// One part of an answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Output {
    /// The model says something.
    Message {
        /// What.
        text: String,
        /// Whether it is the answer or a remark on the way.
        #[serde(default, deserialize_with = "file::phase")]
        phase: Option<Phase>,
    },
    /// It thinks.
    Reasoning {
        /// What is shown of it, by paragraph.
        #[serde(default)]
        summary: Vec<String>,
        /// The thought itself, sealed.
        encrypted_content: Option<String>,
    },
    /// It calls a function.
    FunctionCall {
        /// Which.
        name: String,
        /// With what: JSON in a string.
        arguments: String,
        /// What the answer must name; without it, a name is made.
        call_id: Option<String>,
    },
    /// It calls a tool with free text.
    CustomToolCall {
        /// Which.
        name: String,
        /// The text.
        input: String,
        /// What the answer must name; without it, a name is made.
        call_id: Option<String>,
    },
    /// It seals everything before.
    Compaction {
        /// The seal.
        encrypted_content: String,
    },
    /// Any other item, as it is; added and done, with nothing in between.
    Item {
        /// The item.
        #[serde(deserialize_with = "file::item")]
        json: Item,
    },
    /// Any event at this point; it gets a place in the order, and is otherwise as it is.
    Event {
        /// The event.
        #[serde(deserialize_with = "file::json")]
        json: Json,
    },
}

/// How fast an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// Characters in a delta.
    pub delta: usize,
    /// The wait before each event.
    #[serde(rename = "pause_ms", deserialize_with = "crate::millis::millis")]
    pub pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { delta: 8, pause: Duration::ZERO }
    }
}

/// How an answer ends.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum End {
    /// As it should.
    #[default]
    Completed,
    /// Early; a message or a function call that comes last is incomplete too.
    Incomplete(#[serde(deserialize_with = "file::reason")] IncompleteReason),
    /// With a failed response.
    Failed {
        /// The code.
        code: String,
        /// The sentence.
        message: String,
    },
    /// With an error: instead of a response if there is no output, else in the middle of it.
    Error(Refusal),
    /// Not at all.
    Silence,
}

impl Turn {
    /// A turn that says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds anything.
    #[must_use]
    pub fn output(mut self, output: Output) -> Self {
        self.outputs.push(output);
        self
    }

    /// Says something.
    #[must_use]
    pub fn message(self, text: impl Into<String>) -> Self {
        self.output(Output::Message { text: text.into(), phase: None })
    }

    /// Says something, and what it is.
    #[must_use]
    pub fn message_in(self, phase: Phase, text: impl Into<String>) -> Self {
        self.output(Output::Message { text: text.into(), phase: Some(phase) })
    }

    /// Thinks: one paragraph to show, and the sealed thought.
    #[must_use]
    pub fn reasoning(self, summary: impl Into<String>, encrypted: impl Into<String>) -> Self {
        let encrypted_content = Some(encrypted.into());
        self.output(Output::Reasoning { summary: vec![summary.into()], encrypted_content })
    }

    /// Calls a function.
    #[must_use]
    pub fn function_call(self, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        self.output(Output::FunctionCall { name: name.into(), arguments: arguments.into(), call_id: None })
    }

    /// Calls a tool with free text.
    #[must_use]
    pub fn custom_tool_call(self, name: impl Into<String>, input: impl Into<String>) -> Self {
        self.output(Output::CustomToolCall { name: name.into(), input: input.into(), call_id: None })
    }

    /// Seals everything before.
    #[must_use]
    pub fn compaction(self, encrypted: impl Into<String>) -> Self {
        self.output(Output::Compaction { encrypted_content: encrypted.into() })
    }

    /// Adds an item as it is.
    #[must_use]
    pub fn item(self, item: Item) -> Self {
        self.output(Output::Item { json: item })
    }

    /// Adds an event as it is.
    #[must_use]
    pub fn event(self, event: Json) -> Self {
        self.output(Output::Event { json: event })
    }

    /// Costs this.
    #[must_use]
    pub fn usage(self, usage: Usage) -> Self {
        Self { usage: Some(usage), ..self }
    }

    /// Comes so many characters at a time, with a pause before each event.
    #[must_use]
    pub fn pace(self, delta: usize, pause: Duration) -> Self {
        Self { pace: Pace { delta, pause }, ..self }
    }

    /// Ends like this.
    #[must_use]
    pub fn end(self, end: End) -> Self {
        Self { end, ..self }
    }

    /// Ends early.
    #[must_use]
    pub fn incomplete(self, reason: IncompleteReason) -> Self {
        self.end(End::Incomplete(reason))
    }

    /// Ends as a failure.
    #[must_use]
    pub fn failed(self, code: impl Into<String>, message: impl Into<String>) -> Self {
        self.end(End::Failed { code: code.into(), message: message.into() })
    }

    /// Ends with an error.
    #[must_use]
    pub fn error(self, refusal: Refusal) -> Self {
        self.end(End::Error(refusal))
    }

    /// Never ends.
    #[must_use]
    pub fn silence(self) -> Self {
        self.end(End::Silence)
    }
}

impl Output {
    /// Its size, to estimate what it costs.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Message { text, .. } => text.len(),
            Self::Reasoning { summary, encrypted_content } => {
                summary.iter().map(String::len).sum::<usize>() + encrypted_content.as_ref().map_or(0, String::len)
            }
            Self::FunctionCall { name, arguments: text, .. } | Self::CustomToolCall { name, input: text, .. } => {
                name.len() + text.len()
            }
            Self::Compaction { encrypted_content } => encrypted_content.len(),
            Self::Item { json } => json.text().len(),
            Self::Event { .. } => 0,
        }
    }
}
