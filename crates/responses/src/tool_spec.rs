//! Tools as they are offered to a model.

use std::borrow::Cow;

use crate::json::{Object, Raw, Read, WireError, Write};
use crate::macros::reading;

reading! {
    /// A function with a JSON schema for its arguments.
    pub struct FunctionTool<'a> as "function" {
        /// Its name.
        name: Cow<'a, str> = "name",
        /// What it is for.
        description: Option<Cow<'a, str>> = "description",
        /// The schema of its arguments.
        parameters: Option<Raw<'a>> = "parameters",
        /// Whether the model must keep to the schema; the service takes an absent value as true.
        strict: Option<bool> = "strict",
        /// Whether it is shown to the model only when it is looked for.
        defer_loading: Option<bool> = "defer_loading",
    }
}

reading! {
    /// A tool that takes free text, perhaps in a grammar.
    pub struct CustomTool<'a> as "custom" {
        /// Its name.
        name: Cow<'a, str> = "name",
        /// What it is for.
        description: Option<Cow<'a, str>> = "description",
        /// `text`, or a grammar with its syntax and definition.
        format: Option<Raw<'a>> = "format",
    }
}

reading! {
    /// Tools under one name.
    pub struct NamespaceTool<'a> as "namespace" {
        /// The name, given back with each call.
        name: Cow<'a, str> = "name",
        /// What they are for.
        description: Option<Cow<'a, str>> = "description",
        /// Functions and custom tools.
        tools: Vec<Tool<'a>> = "tools",
    }
}

/// One entry of a tool list.
#[derive(Debug, Clone, PartialEq)]
pub enum Tool<'a> {
    /// A function.
    Function(FunctionTool<'a>, Raw<'a>),
    /// A tool that takes free text.
    Custom(CustomTool<'a>, Raw<'a>),
    /// A group.
    Namespace(NamespaceTool<'a>, Raw<'a>),
    /// A tool of the server's (`web_search`, `file_search`, `code_interpreter`, `image_generation`, `mcp`, `computer`,
    /// `shell`, `local_shell`, `apply_patch`, `tool_search`, `programmatic_tool_calling`) or one we do not know.
    Hosted {
        /// Its type.
        kind: Cow<'a, str>,
        /// All of it.
        raw: Raw<'a>,
    },
}

impl<'a> Tool<'a> {
    /// The exact text it was read from.
    pub fn raw(&self) -> Raw<'a> {
        match self {
            Self::Function(_, raw) | Self::Custom(_, raw) | Self::Namespace(_, raw) | Self::Hosted { raw, .. } => *raw,
        }
    }
}

impl<'a> Read<'a> for Tool<'a> {
    fn read(text: &'a str) -> Result<Self, WireError> {
        let kind: Cow<'a, str> = Object::split(text)?.read("type")?;
        let raw = Raw(text);
        Ok(match &*kind {
            "function" => Self::Function(Read::read(text)?, raw),
            "custom" => Self::Custom(Read::read(text)?, raw),
            "namespace" => Self::Namespace(Read::read(text)?, raw),
            _ => Self::Hosted { kind, raw },
        })
    }
}

impl Write for Tool<'_> {
    fn write(&self, out: &mut String) {
        self.raw().write(out);
    }
}
