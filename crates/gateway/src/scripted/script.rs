//! From a context to what is to be said next: a pure function.

use std::time::Duration;

use responses::error::ApiError;
use responses::item::{Item, ItemKind, ItemView, Role};
use responses::json::Read;
use responses::request::Request;
use responses::tool_spec::Tool;

use super::command::Command;
use super::flow::Flow;
use super::item::{Callee, Kind};
use super::meant;
use super::schema;

/// What one response is to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
    /// How many deltas it may have.
    pub(super) limit: Option<u64>,
}

/// One step of a response.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Item(Kind, Flow),
    Pause(Duration),
    Pace(Duration),
    /// The response fails, and says so.
    Fail {
        code: Box<str>,
        message: Box<str>,
    },
    /// The source breaks off.
    Break,
    /// Nothing is said at all.
    Reject(Box<ApiError>),
}

/// Works out the response to a context.
pub(super) fn script(items: &[Item], tools: &[Tool<'_>], request: &Request) -> Script {
    if let Some(summary) = summary(items) {
        return Script { steps: vec![Step::Item(Kind::Message, Flow::words(summary))], limit: None };
    }
    let limit = request.sampling.max_output_tokens.as_ref().and_then(|limit| u64::read(limit.text()).ok());
    let place = Place::of(items);
    let commands = Command::all(&place.message, |name| matches!(called(name, tools), Kind::Custom(_)));
    let lengths = commands.iter().filter_map(|command| if let Command::Length(n) = command { Some(*n) } else { None });
    let limit = limit.into_iter().chain(lengths).min();

    let form = schema::wanted(request);
    let mut writer =
        Writer { place: &place, tools, form, answered: place.answered, has_called: false, steps: Vec::new() };
    for command in &commands {
        if !writer.take(command) {
            break;
        }
    }
    let is_silent = !writer.steps.iter().any(Step::speaks);
    if let (true, Some(outputs)) = (is_silent, place.outputs()) {
        writer.say(Flow::words(format!("Tool said: {outputs}")));
    } else if let (true, Some((name, input))) = (commands.is_empty(), meant::tool(&place.message, tools, request)) {
        writer.call(&name, &input);
    } else if commands.is_empty() {
        writer.say(Flow::words(format!("You said: {}", place.message)));
    }
    let mut steps = writer.steps;
    if steps.iter().any(|step| matches!(step, Step::Reject(_))) {
        steps.retain(|step| matches!(step, Step::Reject(_) | Step::Pause(_)));
    }
    Script { steps, limit }
}

impl Step {
    fn speaks(&self) -> bool {
        !matches!(self, Self::Pause(_) | Self::Pace(_))
    }
}

/// What is to be summarised, if that is asked for: then the last word is a developer's.
fn summary(items: &[Item]) -> Option<String> {
    let (last, before) = items.split_last()?;
    said_by(&Role::Developer, last)?;
    Some(format!("Summary of {} items: {}", before.len(), user_messages(before).join(" | ")))
}

fn user_messages(items: &[Item]) -> Vec<String> {
    items.iter().filter_map(|item| said_by(&Role::User, item)).collect()
}

fn said_by(role: &Role, item: &Item) -> Option<String> {
    // Of a long context most is no message: that is not read.
    if item.kind() != ItemKind::Message {
        return None;
    }
    match item.view() {
        ItemView::Message(message) if message.role == *role => Some(message.content.to_text().into_owned()),
        _ => None,
    }
}

/// Where in the script of its last user message a context is.
struct Place<'a> {
    before: &'a [Item],
    message: String,
    after: &'a [Item],
    /// How many calls were answered since the message.
    answered: usize,
}

impl<'a> Place<'a> {
    fn of(items: &'a [Item]) -> Self {
        let found = items.iter().enumerate().rev().find_map(|(at, item)| Some((at, said_by(&Role::User, item)?)));
        let (before, message, after) = match found {
            Some((at, message)) => {
                let (before, rest) = items.split_at_checked(at).unwrap_or_default();
                (before, message, rest.split_first().map_or(rest, |(_, after)| after))
            }
            None => (items, String::new(), items),
        };
        Self { before, message, after, answered: after.iter().filter(|item| is_output(item)).count() }
    }

    /// What tools said last, if nothing was said after it.
    fn outputs(&self) -> Option<String> {
        let mut outputs: Vec<_> = self.after.iter().rev().take_while(|item| is_output(item)).map(output).collect();
        outputs.reverse();
        (!outputs.is_empty()).then(|| outputs.join(", "))
    }
}

fn is_output(item: &Item) -> bool {
    matches!(
        item.kind(),
        ItemKind::FunctionCallOutput
            | ItemKind::CustomToolCallOutput
            | ItemKind::LocalShellCallOutput
            | ItemKind::ShellCallOutput
            | ItemKind::ApplyPatchCallOutput
            | ItemKind::ToolSearchOutput
    )
}

fn output(item: &Item) -> String {
    match item.view() {
        ItemView::FunctionCallOutput(output) | ItemView::CustomToolCallOutput(output) => {
            output.output.to_text().into_owned()
        }
        _ => item.text().to_owned(),
    }
}

/// A tool as it is called. One that was not declared is called nevertheless: models do that.
fn called(name: &str, tools: &[Tool<'_>]) -> Kind {
    fn find(name: &str, namespace: Option<&str>, tools: &[Tool<'_>]) -> Option<Kind> {
        let callee = || Callee { name: name.into(), namespace: namespace.map(Into::into) };
        tools.iter().find_map(|tool| match tool {
            Tool::Function(tool, _) if tool.name == name => Some(Kind::Function(callee())),
            Tool::Custom(tool, _) if tool.name == name => Some(Kind::Custom(callee())),
            Tool::Namespace(group, _) => find(name, Some(&group.name), &group.tools),
            _ => None,
        })
    }
    find(name, None, tools).unwrap_or_else(|| Kind::Function(Callee { name: name.into(), namespace: None }))
}

/// From commands to the steps of one response.
struct Writer<'a> {
    place: &'a Place<'a>,
    tools: &'a [Tool<'a>],
    /// What is said in place of any text.
    form: Option<String>,
    /// How many of the calls to come were answered before.
    answered: usize,
    has_called: bool,
    steps: Vec<Step>,
}

impl Writer<'_> {
    /// Takes the next command. Gives whether the response goes on.
    fn take(&mut self, command: &Command<'_>) -> bool {
        match command {
            Command::Call { name, input } => {
                if self.answered > 0 {
                    self.answered -= 1;
                    self.forget();
                } else {
                    self.call(name, input);
                }
            }
            _ if self.has_called => return false,
            Command::Rounds { count, name } => return self.take_rounds(*count, name),
            Command::Length(_) => {}
            Command::Pause(time) => self.steps.push(Step::Pause(*time)),
            Command::Pace(time) => self.steps.push(Step::Pace(*time)),
            Command::Say(text) => self.say(Flow::words(*text)),
            Command::Count(to) => self.say(Flow::count(*to)),
            Command::Bytes(count) => self.say(Flow::bytes(*count)),
            Command::Recall => self.say(Flow::words(user_messages(self.place.before).join("\n"))),
            Command::Json(json) => self.steps.push(Step::Item(Kind::Message, Flow::pieces(*json))),
            Command::Think(text) => self.steps.push(Step::Item(Kind::Reasoning, Flow::words(*text))),
            Command::Refuse(text) => self.steps.push(Step::Item(Kind::Refusal, Flow::words(*text))),
            Command::Fail { code, message } => {
                self.steps.push(Step::Fail { code: (*code).into(), message: (*message).into() });
            }
            Command::Reject { status, code, message } => {
                let error = ApiError::report(*status, Some(code), None, *message);
                self.steps.push(Step::Reject(Box::new(error)));
            }
            Command::Die => self.steps.push(Step::Break),
        }
        true
    }

    fn take_rounds(&mut self, count: usize, name: &str) -> bool {
        let done = self.answered.min(count);
        self.answered -= done;
        if done > 0 {
            self.forget();
        }
        if done < count {
            self.call(name, &format!(r#"{{"round":{}}}"#, done + 1));
            return false;
        }
        self.say(Flow::words(format!("done after {count} rounds")));
        true
    }

    /// All so far was said before the call that was answered. How fast to speak still holds.
    fn forget(&mut self) {
        self.steps.retain(|step| matches!(step, Step::Pace(_)));
    }

    fn say(&mut self, flow: Flow) {
        let flow = self.form.as_ref().map_or(flow, Flow::pieces);
        self.steps.push(Step::Item(Kind::Message, flow));
    }

    fn call(&mut self, name: &str, input: &str) {
        self.has_called = true;
        self.steps.push(Step::Item(called(name, self.tools), Flow::pieces(input)));
    }
}
