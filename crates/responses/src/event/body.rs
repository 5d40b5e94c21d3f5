//! The kinds of events, by what they carry.

use std::borrow::Cow;

use crate::error::ApiError;
use crate::id::ResponseId;
use crate::json::{Object, Raw, WireError};

/// What an event says.
#[derive(Debug, Clone, PartialEq)]
pub enum Body<'a> {
    /// A response begins, moves on, or ends. Carries the response as it then is.
    Response(Stage, Raw<'a>),
    /// An item begins; what it holds is a placeholder. Some servers do not say where.
    ItemAdded(Option<u32>, Raw<'a>),
    /// An item is whole.
    ItemDone(Option<u32>, Raw<'a>),
    /// An item will not become whole, because the response was interrupted.
    ItemInterrupted(u32),
    /// A part of an item begins or is whole.
    Part {
        /// Where.
        at: At<'a>,
        /// The part.
        part: Raw<'a>,
        /// Whether it is whole.
        done: bool,
    },
    /// More text.
    Delta(Channel, At<'a>, Cow<'a, str>),
    /// All of the text.
    Done(Channel, At<'a>, Cow<'a, str>),
    /// A hosted tool moves on, an annotation or an image arrives: for those who watch.
    Progress(At<'a>),
    /// Something went wrong.
    Error(Box<ApiError>),
    /// A steer was queued; it counts once its successor is created.
    SteerAccepted {
        /// The response it steers.
        previous: ResponseId,
        /// The server's name for the steer.
        steer: Option<Cow<'a, str>>,
    },
    /// A steer waits for answers to calls.
    SteerPending {
        /// The response it steers.
        previous: ResponseId,
    },
    /// A steer was refused, and its input is ours again.
    SteerFailed {
        /// The response it was for.
        previous: ResponseId,
        /// The server's name for the steer, if it has one.
        steer: Option<Cow<'a, str>>,
        /// Why.
        error: Box<ApiError>,
    },
    /// An interrupt takes effect.
    InterruptAccepted,
    /// An interrupt was refused; the response goes on.
    InterruptFailed(Box<ApiError>),
    /// Known, of no consequence to the chain: limits, timings, metadata, keep-alives, answers to injections.
    Aside,
    /// A type this version does not know.
    Unknown,
}

/// How far a response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It has an id.
    Created,
    /// It waits.
    Queued,
    /// It runs.
    InProgress,
    /// It is whole.
    Completed,
    /// It ended early, for a reason it gives.
    Incomplete,
    /// It went wrong.
    Failed,
}

impl Stage {
    /// Whether nothing comes after it.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Incomplete | Self::Failed)
    }
}

/// Where in a response something happens. The index is the key: proxies rotate ids between events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct At<'a> {
    /// Which item.
    pub item: u32,
    /// Which part, summary paragraph, command or annotation of it.
    pub part: Option<u32>,
    /// The item's id, as this event has it.
    pub id: Option<Cow<'a, str>>,
}

impl<'a> At<'a> {
    fn read(object: &Object<'a>) -> Result<Self, WireError> {
        let mut part = None;
        for key in ["content_index", "summary_index", "command_index", "partial_image_index"] {
            part = part.or(object.read(key)?);
        }
        Ok(Self { item: object.read("output_index")?, part, id: object.read("item_id")? })
    }
}

macro_rules! channels {
    ($( $(#[$doc:meta])* $Variant:ident = $stem:literal, $whole:literal );* $(;)?) => {
        /// Which of an item's texts a delta belongs to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Channel { $( $(#[$doc])* $Variant, )* }

        impl Channel {
            /// Every channel.
            pub const ALL: &[Self] = &[$( Self::$Variant, )*];

            /// The type of its deltas.
            pub fn delta_kind(self) -> &'static str {
                match self { $( Self::$Variant => concat!($stem, ".delta"), )* }
            }

            /// The type of the event that ends it, and the field that holds all of its text.
            pub fn done_kind(self) -> (&'static str, &'static str) {
                match self { $( Self::$Variant => (concat!($stem, ".done"), $whole), )* }
            }

            fn of_delta(kind: &str) -> Option<Self> {
                match kind { $( concat!($stem, ".delta") => Some(Self::$Variant), )* _ => None }
            }

            fn of_done(kind: &str) -> Option<(Self, &'static str)> {
                match kind { $( concat!($stem, ".done") => Some((Self::$Variant, $whole)), )* _ => None }
            }
        }
    };
}

channels! {
    /// What the model says.
    OutputText = "response.output_text", "text";
    /// That it declines.
    Refusal = "response.refusal", "refusal";
    /// What it thinks, where it shows that.
    ReasoningText = "response.reasoning_text", "text";
    /// The same, as Open Responses names it.
    Reasoning = "response.reasoning", "text";
    /// A summary of what it thinks.
    ReasoningSummary = "response.reasoning_summary_text", "text";
    /// The arguments of a function call.
    Arguments = "response.function_call_arguments", "arguments";
    /// The text of a custom tool call.
    CustomInput = "response.custom_tool_call_input", "input";
    /// The arguments of a hosted MCP call.
    McpArguments = "response.mcp_call_arguments", "arguments";
    /// The code a hosted interpreter runs.
    Code = "response.code_interpreter_call_code", "code";
    /// The diff of an edit.
    Diff = "response.apply_patch_call_operation_diff", "diff";
    /// A command of a shell call.
    Command = "response.shell_call_command", "command";
}

impl<'a> Body<'a> {
    pub(super) fn read(kind: &str, object: &Object<'a>) -> Result<Self, WireError> {
        if let Some(shown) = Self::shown(kind, object) {
            // Nothing is built from these: one that lacks a field is passed over, not a reason to drop the line.
            return Ok(shown.unwrap_or(Self::Unknown));
        }
        if let Some(stage) = stage(kind) {
            return Ok(Self::Response(stage, object.read("response")?));
        }
        let index = || object.read::<Option<u32>>("output_index");
        Ok(match kind {
            "response.output_item.added" => Self::ItemAdded(index()?, object.read("item")?),
            "response.output_item.done" => Self::ItemDone(index()?, object.read("item")?),
            "response.output_item.interrupted" => Self::ItemInterrupted(object.read("output_index")?),
            "error" => Self::Error(Box::new(ApiError::from_event(object)?)),
            "response.steer.accepted" => {
                let (previous, steer) = steered(object)?;
                Self::SteerAccepted { previous, steer }
            }
            "response.steer.pending" => Self::SteerPending { previous: steered(object)?.0 },
            "response.steer.failed" => {
                let ((previous, steer), error) = (steered(object)?, inner_error(object)?);
                Self::SteerFailed { previous, steer, error: Box::new(error) }
            }
            "response.interrupt.accepted" => Self::InterruptAccepted,
            "response.interrupt.failed" => Self::InterruptFailed(Box::new(inner_error(object)?)),
            _ if ASIDES.contains(&kind) => Self::Aside,
            _ => Self::Unknown,
        })
    }
}

impl<'a> Body<'a> {
    /// Events for those who watch a response being made.
    fn shown(kind: &str, object: &Object<'a>) -> Option<Result<Self, WireError>> {
        let at = || At::read(object);
        if let Some(channel) = Channel::of_delta(kind) {
            return Some(at().and_then(|at| Ok(Self::Delta(channel, at, object.read("delta")?))));
        }
        if let Some((channel, whole)) = Channel::of_done(kind) {
            return Some(at().and_then(|at| Ok(Self::Done(channel, at, object.read(whole)?))));
        }
        let part = |done| at().and_then(|at| Ok(Self::Part { at, part: object.read("part")?, done }));
        match kind {
            "response.content_part.added" | "response.reasoning_summary_part.added" => Some(part(false)),
            "response.content_part.done" | "response.reasoning_summary_part.done" => Some(part(true)),
            _ if PROGRESS.contains(&kind) => Some(at().map(Self::Progress)),
            _ => None,
        }
    }
}

fn stage(kind: &str) -> Option<Stage> {
    Some(match kind {
        "response.created" => Stage::Created,
        "response.queued" => Stage::Queued,
        "response.in_progress" => Stage::InProgress,
        // An old name that proxies have been seen to send.
        "response.completed" | "response.done" => Stage::Completed,
        "response.incomplete" => Stage::Incomplete,
        "response.failed" => Stage::Failed,
        _ => return None,
    })
}

/// The response a steer is about, and the server's name for the steer.
fn steered<'a>(object: &Object<'a>) -> Result<(ResponseId, Option<Cow<'a, str>>), WireError> {
    let steer = Object::split(object.read::<Raw<'_>>("steer")?.0).map_err(|error| error.in_field("steer"))?;
    Ok((steer.read("previous_response_id")?, steer.read("id")?))
}

fn inner_error(object: &Object<'_>) -> Result<ApiError, WireError> {
    match object.get("error") {
        Some(text) => ApiError::from_object(text).map_err(|error| error.in_field("error")),
        None => Ok(ApiError::default()),
    }
}

const PROGRESS: &[&str] = &[
    "response.output_text.annotation.added",
    "response.shell_call_command.added",
    "response.shell_call_output_content.delta",
    "response.shell_call_output_content.done",
    "response.web_search_call.in_progress",
    "response.web_search_call.searching",
    "response.web_search_call.completed",
    "response.file_search_call.in_progress",
    "response.file_search_call.searching",
    "response.file_search_call.completed",
    "response.code_interpreter_call.in_progress",
    "response.code_interpreter_call.interpreting",
    "response.code_interpreter_call.completed",
    "response.image_generation_call.in_progress",
    "response.image_generation_call.generating",
    "response.image_generation_call.completed",
    "response.image_generation_call.partial_image",
    "response.mcp_list_tools.in_progress",
    "response.mcp_list_tools.completed",
    "response.mcp_list_tools.failed",
    "response.mcp_call.in_progress",
    "response.mcp_call.completed",
    "response.mcp_call.failed",
    "response.compaction.compacting",
];

const ASIDES: &[&str] = &[
    "keepalive",
    "codex.rate_limits",
    "codex.response.metadata",
    "response.metadata",
    "responsesapi.websocket_timing",
    "response.inject.created",
    "response.inject.failed",
    "response.audio.delta",
    "response.audio.done",
    "response.audio.transcript.delta",
    "response.audio.transcript.done",
];
