//! Typed readings of items: the fields the agent or the gateway acts on.

use std::borrow::Cow;

use super::content::Content;
use super::kind::ItemKind;
use crate::id::CallId;
use crate::json::{Json, Object, Raw, WireError};
use crate::macros::{open_enum, reading};
use crate::tool_spec::Tool;

open_enum! {
    /// Who speaks.
    pub enum Role {
        /// The user.
        User = "user",
        /// The model.
        Assistant = "assistant",
        /// The operator, old name.
        System = "system",
        /// The operator.
        Developer = "developer",
    }
}

open_enum! {
    /// How far an item is.
    pub enum Status {
        /// Still being made.
        InProgress = "in_progress",
        /// Whole.
        Completed = "completed",
        /// Ended before it was whole.
        Incomplete = "incomplete",
        /// Went wrong.
        Failed = "failed",
    }
}

open_enum! {
    /// Whether a message is said on the way or is the answer.
    pub enum Phase {
        /// On the way.
        Commentary = "commentary",
        /// The answer.
        FinalAnswer = "final_answer",
    }
}

reading! {
    /// Something said.
    pub struct Message<'a> as "message" {
        /// The server's name for it.
        id: Option<Cow<'a, str>> = "id",
        /// Who says it.
        role: Role = "role",
        /// What is said.
        content: Content<'a> = "content",
        /// Whether it is the answer.
        phase: Option<Phase> = "phase",
        /// How far it is.
        status: Option<Status> = "status",
    }
}

reading! {
    /// One paragraph of a reasoning summary.
    pub struct SummaryPart<'a> as "summary_text" {
        /// The text.
        text: Cow<'a, str> = "text",
    }
}

reading! {
    /// What the model thought: a summary to show, sealed content to send back.
    pub struct Reasoning<'a> as "reasoning" {
        /// The server's name for it.
        id: Option<Cow<'a, str>> = "id",
        /// What may be shown.
        summary: Option<Vec<SummaryPart<'a>>> = "summary",
        /// The thoughts themselves, from models that show them.
        content: Option<Content<'a>> = "content",
        /// The thoughts themselves, sealed for their issuer.
        encrypted_content: Option<Cow<'a, str>> = "encrypted_content",
        /// How far it is.
        status: Option<Status> = "status",
    }
}

reading! {
    /// The model calls a function.
    pub struct FunctionCall<'a> as "function_call" {
        /// The server's name for the item.
        id: Option<Cow<'a, str>> = "id",
        /// What the answer must name.
        call_id: CallId = "call_id",
        /// Which function.
        name: Cow<'a, str> = "name",
        /// The arguments: JSON in a string, written by a model.
        arguments: Cow<'a, str> = "arguments",
        /// The group the function is in.
        namespace: Option<Cow<'a, str>> = "namespace",
        /// Whether the model goes on without the answer.
        is_async: Option<bool> = "async",
        /// How far it is.
        status: Option<Status> = "status",
    }
}

reading! {
    /// The answer to a function or custom tool call.
    pub struct CallOutput<'a> {
        /// Which of the two.
        kind: Cow<'a, str> = "type",
        /// An id of its own.
        id: Option<Cow<'a, str>> = "id",
        /// The call that is answered; an asynchronous function may be named instead.
        call_id: Option<CallId> = "call_id",
        /// The answer.
        output: Content<'a> = "output",
        /// How far it is.
        status: Option<Status> = "status",
    }
}

reading! {
    /// The model calls a tool with free text.
    pub struct CustomToolCall<'a> as "custom_tool_call" {
        /// The server's name for the item.
        id: Option<Cow<'a, str>> = "id",
        /// What the answer must name.
        call_id: CallId = "call_id",
        /// Which tool.
        name: Cow<'a, str> = "name",
        /// The text.
        input: Cow<'a, str> = "input",
        /// The group the tool is in.
        namespace: Option<Cow<'a, str>> = "namespace",
        /// Whether the model goes on without the answer.
        is_async: Option<bool> = "async",
        /// How far it is.
        status: Option<Status> = "status",
    }
}

reading! {
    /// A command for the local shell, first form.
    pub struct LocalShellCall<'a> as "local_shell_call" {
        /// The server's name for the item.
        id: Option<Cow<'a, str>> = "id",
        /// What the answer must name.
        call_id: CallId = "call_id",
        /// The command, its folder, its environment, its limits.
        action: Raw<'a> = "action",
        /// How far it is.
        status: Option<Status> = "status",
    }
}

reading! {
    /// The answer to a local shell call; its `id` is the id of the call.
    pub struct LocalShellCallOutput<'a> as "local_shell_call_output" {
        /// The call that is answered.
        id: CallId = "id",
        /// The answer, JSON in a string.
        output: Cow<'a, str> = "output",
    }
}

reading! {
    /// Commands for a shell, second form.
    pub struct ShellCall<'a> as "shell_call" {
        /// The server's name for the item.
        id: Option<Cow<'a, str>> = "id",
        /// What the answer must name.
        call_id: CallId = "call_id",
        /// The commands and their limits.
        action: Raw<'a> = "action",
        /// Where they run: `local`, or a container of the server.
        environment: Option<Raw<'a>> = "environment",
        /// How far it is.
        status: Option<Status> = "status",
    }
}

impl ShellCall<'_> {
    /// Whether the server runs the commands itself, in a container of its own.
    pub fn runs_at_the_server(&self) -> bool {
        let kind = |raw: Raw<'_>| Some(Object::split(raw.0).ok()?.get("type")?.to_owned());
        self.environment.and_then(kind).is_some_and(|kind| kind == "\"container_reference\"")
    }
}

reading! {
    /// The answer to a shell call.
    pub struct ShellCallOutput<'a> as "shell_call_output" {
        /// The call that is answered.
        call_id: CallId = "call_id",
        /// One entry for each command.
        output: Raw<'a> = "output",
    }
}

reading! {
    /// The model edits one file.
    pub struct ApplyPatchCall<'a> as "apply_patch_call" {
        /// The server's name for the item.
        id: Option<Cow<'a, str>> = "id",
        /// What the answer must name.
        call_id: CallId = "call_id",
        /// What to do to which file.
        operation: Raw<'a> = "operation",
        /// How far it is.
        status: Option<Status> = "status",
    }
}

reading! {
    /// The answer to an edit.
    pub struct ApplyPatchCallOutput<'a> as "apply_patch_call_output" {
        /// The call that is answered.
        call_id: CallId = "call_id",
        /// Whether it worked.
        status: Status = "status",
        /// What to tell the model.
        output: Option<Cow<'a, str>> = "output",
    }
}

reading! {
    /// The model looks for tools.
    pub struct ToolSearchCall<'a> as "tool_search_call" {
        /// What the answer must name, where the client answers.
        call_id: Option<CallId> = "call_id",
        /// `server` or `client`.
        execution: Option<Cow<'a, str>> = "execution",
        /// What it looks for.
        arguments: Raw<'a> = "arguments",
    }
}

impl ToolSearchCall<'_> {
    /// Whether the client has to answer.
    pub fn is_for_the_client(&self) -> bool {
        self.execution.as_deref() == Some("client")
    }
}

reading! {
    /// The tools that were found.
    pub struct ToolSearchOutput<'a> as "tool_search_output" {
        /// The call that is answered.
        call_id: Option<CallId> = "call_id",
        /// `server` or `client`.
        execution: Option<Cow<'a, str>> = "execution",
        /// What was found.
        tools: Vec<Tool<'a>> = "tools",
    }
}

reading! {
    /// Tools that are there from this point of the conversation on.
    pub struct AdditionalTools<'a> as "additional_tools" {
        /// Who adds them.
        role: Role = "role",
        /// The tools.
        tools: Vec<Tool<'a>> = "tools",
    }
}

reading! {
    /// Settings that change in mid-conversation.
    pub struct ConfigurationUpdate<'a> as "configuration_update" {
        /// How hard to think from here on.
        reasoning: Option<Raw<'a>> = "reasoning",
        /// How to format from here on.
        text: Option<Raw<'a>> = "text",
    }
}

reading! {
    /// Everything before, sealed by the server that compacted it.
    pub struct Compaction<'a> as "compaction" {
        /// The server's name for it.
        id: Option<Cow<'a, str>> = "id",
        /// The sealed content.
        encrypted_content: Cow<'a, str> = "encrypted_content",
    }
}

reading! {
    /// An item the server has, by its id.
    pub struct ItemReference<'a> as "item_reference" {
        /// Which.
        id: Cow<'a, str> = "id",
    }
}

reading! {
    /// A hosted tool wants leave.
    pub struct McpApprovalRequest<'a> as "mcp_approval_request" {
        /// What the answer must name.
        id: CallId = "id",
        /// Whose tool.
        server_label: Cow<'a, str> = "server_label",
        /// Which tool.
        name: Cow<'a, str> = "name",
        /// With what.
        arguments: Cow<'a, str> = "arguments",
    }
}

reading! {
    /// Leave, or not.
    pub struct McpApprovalResponse<'a> as "mcp_approval_response" {
        /// Which request.
        approval_request_id: CallId = "approval_request_id",
        /// Yes or no.
        approve: bool = "approve",
        /// Why.
        reason: Option<Cow<'a, str>> = "reason",
    }
}

reading! {
    /// One agent writes to another.
    pub struct AgentMessage<'a> as "agent_message" {
        /// From, as a path such as `/root/kid`.
        author: Cow<'a, str> = "author",
        /// To.
        recipient: Cow<'a, str> = "recipient",
        /// What.
        content: Content<'a> = "content",
    }
}

reading! {
    /// Work the server does itself, or a step we only carry: named, not looked into.
    pub struct Hosted<'a> {
        /// The server's name for it.
        id: Option<Cow<'a, str>> = "id",
        /// What ties its parts together, where it has parts.
        call_id: Option<CallId> = "call_id",
        /// How far it is.
        status: Option<Status> = "status",
    }
}

macro_rules! views {
    ($( $Variant:ident($Type:ident) ),* $(,)? ; carried: $( $Carried:ident )|* ; empty: $( $Empty:ident ),*) => {
        /// A reading of an item, by kind.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "each variant holds the documented type of its name")]
        #[non_exhaustive]
        pub enum ItemView<'a> {
            $( $Variant($Type<'a>), )*
            $( $Empty, )*
            /// Work of the server, or a step we only carry.
            Hosted(Hosted<'a>),
            /// A kind this version does not know.
            Unknown,
        }

        impl<'a> ItemView<'a> {
            pub(super) fn of(kind: ItemKind, object: &Object<'a>) -> Result<Self, WireError> {
                Ok(match kind {
                    $( ItemKind::$Variant => Self::$Variant($Type::of(object)?), )*
                    $( ItemKind::$Empty => Self::$Empty, )*
                    $( ItemKind::$Carried )|* => Self::Hosted(Hosted::of(object)?),
                    ItemKind::Unknown => Self::Unknown,
                })
            }

            pub(super) fn render(&self) -> Option<(ItemKind, String)> {
                match self {
                    $( Self::$Variant(view) => Some((ItemKind::$Variant, Json::of(view).text().to_owned())), )*
                    $( Self::$Empty => {
                        let kind = ItemKind::$Empty;
                        Some((kind, format!(r#"{{"type":"{}"}}"#, kind.tag()?)))
                    } )*
                    Self::Hosted(_) | Self::Unknown => None,
                }
            }
        }
    };
}

views! {
    Message(Message),
    Reasoning(Reasoning),
    FunctionCall(FunctionCall),
    FunctionCallOutput(CallOutput),
    CustomToolCall(CustomToolCall),
    CustomToolCallOutput(CallOutput),
    LocalShellCall(LocalShellCall),
    LocalShellCallOutput(LocalShellCallOutput),
    ShellCall(ShellCall),
    ShellCallOutput(ShellCallOutput),
    ApplyPatchCall(ApplyPatchCall),
    ApplyPatchCallOutput(ApplyPatchCallOutput),
    ToolSearchCall(ToolSearchCall),
    ToolSearchOutput(ToolSearchOutput),
    AdditionalTools(AdditionalTools),
    ConfigurationUpdate(ConfigurationUpdate),
    Compaction(Compaction),
    ItemReference(ItemReference),
    McpApprovalRequest(McpApprovalRequest),
    McpApprovalResponse(McpApprovalResponse),
    AgentMessage(AgentMessage);
    carried: ContextCompaction | Program | ProgramOutput | WebSearchCall | FileSearchCall | CodeInterpreterCall
        | ImageGenerationCall | ComputerCall | ComputerCallOutput | McpListTools | McpCall | MultiAgentCall
        | MultiAgentCallOutput;
    empty: CompactionTrigger
}
