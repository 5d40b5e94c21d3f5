//! Tools: every one becomes a function, and a call of it finds back to what it was.

use std::borrow::Cow;
use std::collections::BTreeMap;

use responses::item::{Item, ItemKind, ItemView};
use responses::json::{Json, Object, ObjectWriter, Raw, WireError};
use responses::request::Request;
use responses::tool_spec::{CustomTool, FunctionTool, Tool};

use super::left_out::LeftOuts;
use super::{BETWEEN, NotChat, given};

/// The one argument of a function that stands for a tool which takes free text.
pub(crate) const INPUT: &str = "input";

/// Not every server takes a function without a schema.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

const CUSTOM_PARAMETERS: &str = concat!(
    r#"{"type":"object","properties":{"input":{"type":"string","description":"The input of the tool, as free text."}},"#,
    r#""required":["input"],"additionalProperties":false}"#
);

/// The tools that are offered, by the names the model calls them.
pub(crate) type Names = BTreeMap<Box<str>, Declared>;

/// A tool that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) callee: Callee,
    /// The schema of its arguments.
    pub(crate) parameters: Box<str>,
}

/// What a call is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Callee {
    /// The group the tool is in.
    pub(crate) namespace: Option<Box<str>>,
    /// Its name there.
    pub(crate) name: Box<str>,
    /// Whether it takes free text.
    pub(crate) is_custom: bool,
}

/// The tools of a request as chat completions writes them.
#[derive(Debug, Default)]
pub(super) struct Tools {
    offers: Vec<Offer>,
}

#[derive(Debug)]
struct Offer {
    name: String,
    text: String,
    tool: Declared,
}

impl Offer {
    fn function(namespace: Option<&str>, function: &FunctionTool<'_>) -> Self {
        let callee = Callee::new(namespace, &function.name, false);
        let parameters = function.parameters.map_or(NO_PARAMETERS, |raw| raw.0);
        // To chat completions an absent value means no, and every server knows that.
        let fields = fields(function.description.as_deref(), parameters, function.strict == Some(true));
        Self::new(callee, parameters, &fields)
    }

    fn custom(namespace: Option<&str>, custom: &CustomTool<'_>) -> Self {
        let description = custom_description(custom);
        let description = Some(description.as_str()).filter(|text| !text.is_empty());
        let fields = fields(description, CUSTOM_PARAMETERS, false);
        Self::new(Callee::new(namespace, &custom.name, true), CUSTOM_PARAMETERS, &fields)
    }

    fn new(callee: Callee, parameters: &str, fields: &str) -> Self {
        let name = flat_name(callee.namespace.as_deref(), &callee.name);
        Self { text: rendered(&name, fields), name, tool: Declared { callee, parameters: parameters.into() } }
    }
}

impl Callee {
    fn new(namespace: Option<&str>, name: &str, is_custom: bool) -> Self {
        Self { namespace: namespace.map(Into::into), name: name.into(), is_custom }
    }
}

/// The name of a tool of a group: chat completions has no groups.
pub(super) fn flat_name(namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{namespace}__{name}"),
        None => name.to_owned(),
    }
}

impl Tools {
    /// Takes the tools of the request and those which its items add: chat completions has one list.
    pub(super) fn collect(request: &Request, items: &[Item], left_out: &mut LeftOuts) -> Result<Self, NotChat> {
        let mut tools = Self::default();
        for tool in request.tools() {
            tools.add(None, &tool, left_out)?;
        }
        for item in items.iter().filter(|item| item.kind() == ItemKind::AdditionalTools) {
            if let ItemView::AdditionalTools(added) = item.view() {
                for tool in &added.tools {
                    tools.add(None, tool, left_out)?;
                }
            }
        }
        Ok(tools)
    }

    fn add(&mut self, namespace: Option<&str>, tool: &Tool<'_>, left_out: &mut LeftOuts) -> Result<(), NotChat> {
        match tool {
            Tool::Function(tool, _) => self.offer(Offer::function(namespace, tool)),
            Tool::Custom(tool, _) => self.offer(Offer::custom(namespace, tool)),
            Tool::Namespace(group, _) => {
                let name = flat_name(namespace, &group.name);
                group.tools.iter().try_for_each(|tool| self.add(Some(&name), tool, left_out))
            }
            Tool::Hosted { kind, .. } => {
                left_out.tool(kind);
                Ok(())
            }
        }
    }

    /// The same tool said again replaces what was said of it before.
    fn offer(&mut self, offer: Offer) -> Result<(), NotChat> {
        match self.offers.iter_mut().find(|known| known.name == offer.name) {
            None => self.offers.push(offer),
            Some(known) if known.tool.callee == offer.tool.callee => *known = offer,
            Some(_) => return Err(NotChat::SameName(offer.name.into())),
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    pub(super) fn into_names(self) -> Names {
        self.offers.into_iter().map(|offer| (offer.name.into(), offer.tool)).collect()
    }

    /// What the model may or must call. A choice among some tools is made here, by offering only those: few servers
    /// know that form.
    pub(super) fn choose(&mut self, choice: Option<&Json>, left_out: &mut LeftOuts) -> Option<String> {
        let choice = given(choice)?;
        let chosen = self.read_choice(choice.text()).unwrap_or_default();
        if chosen.is_none() {
            left_out.field("tool_choice");
        }
        chosen
    }

    fn read_choice(&mut self, text: &str) -> Result<Option<String>, WireError> {
        if text.starts_with('"') {
            return Ok(Some(text.to_owned()));
        }
        let object = Object::parse(text)?;
        if object.read::<Cow<'_, str>>("type")? != "allowed_tools" {
            let named = named(&object)?.filter(|name| self.offers.iter().any(|offer| offer.name == *name));
            return Ok(named.map(|name| rendered(&name, "")));
        }
        let allowed = object.read::<Vec<Raw<'_>>>("tools")?;
        let allowed: Result<Vec<_>, _> = allowed.iter().map(|raw| named(&Object::parse(raw.0)?)).collect();
        let allowed = allowed?;
        let mode: Cow<'_, str> = object.read("mode")?;
        self.offers.retain(|offer| allowed.iter().flatten().any(|name| *name == offer.name));
        Ok(Some(Json::of(&mode).text().to_owned()))
    }

    /// Writes the list and the choice. Without tools there is no choice: servers refuse one.
    pub(super) fn put(&self, choice: Option<String>, object: &mut ObjectWriter<'_>) {
        if self.offers.is_empty() {
            return;
        }
        let list: Vec<_> = self.offers.iter().map(|offer| Raw(&offer.text)).collect();
        object.field("tools", &list);
        if let Some(choice) = choice {
            object.raw("tool_choice", &choice);
        }
    }
}

/// The flat name of the one function or custom tool that an object names.
fn named(object: &Object<'_>) -> Result<Option<String>, WireError> {
    let kind: Cow<'_, str> = object.read("type")?;
    if !matches!(&*kind, "function" | "custom") {
        return Ok(None);
    }
    let (namespace, name): (Option<Cow<'_, str>>, Cow<'_, str>) = (object.read("namespace")?, object.read("name")?);
    Ok(Some(flat_name(namespace.as_deref(), &name)))
}

fn rendered(name: &str, fields: &str) -> String {
    let mut out = String::new();
    let mut tool = ObjectWriter::begin(&mut out);
    tool.field("type", "function");
    let mut function = ObjectWriter::begin(tool.open("function"));
    function.field("name", name).spliced(fields);
    function.end();
    tool.end();
    out
}

/// Fields without their braces.
fn fields(description: Option<&str>, parameters: &str, strict: bool) -> String {
    let mut out = String::new();
    let mut object = ObjectWriter::begin(&mut out);
    object.field("description", &description).raw("parameters", parameters);
    if strict {
        object.field("strict", &true);
    }
    out.split_off(1)
}

/// A grammar cannot be enforced, so the model is told of it.
fn custom_description(custom: &CustomTool<'_>) -> String {
    let mut description = custom.description.as_deref().unwrap_or_default().to_owned();
    if let Some((syntax, definition)) = custom.format.and_then(|format| grammar(format.0)) {
        if !description.is_empty() {
            description.push_str(BETWEEN);
        }
        description.push_str("The input must follow this ");
        description.extend([&*syntax, " grammar:\n", &*definition]);
    }
    description
}

fn grammar(format: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let format = Object::parse(format).ok()?;
    Some((format.read("syntax").ok()?, format.read("definition").ok()?))
}

/// The arguments of the function that stands for a tool which takes free text.
pub(crate) fn wrapped(input: &str) -> String {
    let mut out = String::new();
    let mut object = ObjectWriter::begin(&mut out);
    object.field(INPUT, input);
    object.end();
    out
}

/// Arguments that every server takes. Some read them, and refuse the whole conversation over one call in it that a
/// model did not write well: that one is shown to the model as what it wrote.
pub(super) fn readable(arguments: &str) -> Cow<'_, str> {
    match arguments.trim() {
        "" => Cow::Borrowed("{}"),
        text if text.starts_with('{') && Json::parse(text).is_ok() => Cow::Borrowed(arguments),
        _ => {
            let mut out = String::new();
            let mut object = ObjectWriter::begin(&mut out);
            object.field("invalid_arguments", arguments);
            object.end();
            Cow::Owned(out)
        }
    }
}
