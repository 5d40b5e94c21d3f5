//! The kinds of items, by the name they have on the wire.

use std::borrow::Cow;

use crate::json::{Object, WireError};

macro_rules! kinds {
    ($( $Variant:ident = $text:literal ),* $(,)?) => {
        /// What kind of item this is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the names are those of the wire")]
        pub enum ItemKind {
            $( $Variant, )*
            /// A kind this version does not know, or an item that lacks the fields of its kind.
            Unknown,
        }

        impl ItemKind {
            /// Every kind there is a name for.
            pub const NAMED: &[Self] = &[$( Self::$Variant, )*];

            /// The value of `type`, where there is one.
            pub fn tag(self) -> Option<&'static str> {
                match self {
                    $( Self::$Variant => Some($text), )*
                    Self::Unknown => None,
                }
            }

            fn named(tag: &str) -> Self {
                match tag {
                    $( $text => Self::$Variant, )*
                    "compaction_summary" => Self::Compaction,
                    _ => Self::Unknown,
                }
            }
        }
    };
}

kinds! {
    Message = "message",
    Reasoning = "reasoning",
    FunctionCall = "function_call",
    FunctionCallOutput = "function_call_output",
    CustomToolCall = "custom_tool_call",
    CustomToolCallOutput = "custom_tool_call_output",
    LocalShellCall = "local_shell_call",
    LocalShellCallOutput = "local_shell_call_output",
    ShellCall = "shell_call",
    ShellCallOutput = "shell_call_output",
    ApplyPatchCall = "apply_patch_call",
    ApplyPatchCallOutput = "apply_patch_call_output",
    ToolSearchCall = "tool_search_call",
    ToolSearchOutput = "tool_search_output",
    AdditionalTools = "additional_tools",
    ConfigurationUpdate = "configuration_update",
    Compaction = "compaction",
    ContextCompaction = "context_compaction",
    CompactionTrigger = "compaction_trigger",
    ItemReference = "item_reference",
    Program = "program",
    ProgramOutput = "program_output",
    WebSearchCall = "web_search_call",
    FileSearchCall = "file_search_call",
    CodeInterpreterCall = "code_interpreter_call",
    ImageGenerationCall = "image_generation_call",
    ComputerCall = "computer_call",
    ComputerCallOutput = "computer_call_output",
    McpListTools = "mcp_list_tools",
    McpCall = "mcp_call",
    McpApprovalRequest = "mcp_approval_request",
    McpApprovalResponse = "mcp_approval_response",
    AgentMessage = "agent_message",
    MultiAgentCall = "multi_agent_call",
    MultiAgentCallOutput = "multi_agent_call_output",
}

impl ItemKind {
    /// Whether such an item comes from the client, whoever wrote it.
    pub(crate) fn is_only_said_to_the_model(self) -> bool {
        matches!(
            self,
            Self::AdditionalTools | Self::ConfigurationUpdate | Self::CompactionTrigger | Self::ItemReference
        )
    }

    /// Whether such an item neither calls nor answers: most of a conversation need not be looked into.
    pub(crate) fn is_speech(self) -> bool {
        matches!(self, Self::Message | Self::Reasoning)
    }

    /// The kind an object names. On input the name may be missing: then a role makes a message, an id a reference.
    pub(crate) fn of(object: &Object<'_>) -> Result<Self, WireError> {
        if let Some(tag) = object.read::<Option<Cow<'_, str>>>("type")? {
            return Ok(Self::named(&tag));
        }
        if object.get("role").is_some() {
            return Ok(Self::Message);
        }
        let only_an_id = object.get("id").is_some() && object.fields().all(|(key, _)| matches!(key, "id" | "type"));
        if only_an_id { Ok(Self::ItemReference) } else { Err(WireError::Missing { field: "type" }) }
    }
}
