//! The marks that models write where servers have fields, and what each opens.

use super::body::Body;
use super::python::is_of_name;
use crate::request::Names;

/// How long a head between a mark and a body may be. What is longer is prose.
const MAX_HEAD: usize = 256;

/// A mark and what it means.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) mark: &'static str,
    pub(super) place: Place,
    pub(super) opens: Opens,
    /// What may follow a call and is part of it.
    pub(super) closers: &'static [&'static str],
}

/// Where a mark is one, and not something the model speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    /// Where a line begins.
    Line,
    /// Where a message begins.
    Message,
    /// Where the model has shown that it writes channels.
    Channels,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    /// Thoughts.
    Thought,
    /// Nothing: it closes what was not open.
    Nothing,
    /// Thoughts, an answer or a call: the head says which.
    Channel,
    /// JSON, or one of two other ways, which is told by how it begins.
    Call,
    /// `name>`, then parameters in tags.
    Function,
    /// A list of calls, or one name and its arguments.
    MistralCalls,
    /// A name between two more marks.
    Section(&'static Section),
    /// A block of code that holds JSON.
    Fence,
    /// The message itself.
    Json,
    Python,
}

/// The marks of a call that is written with marks of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    begin: &'static str,
    separator: &'static str,
}

/// Where thoughts end.
#[derive(Debug)]
pub(super) struct End {
    pub(super) mark: &'static str,
    /// Whether the mark opens what comes next.
    pub(super) is_kept: bool,
}

const fn end(mark: &'static str, is_kept: bool) -> End {
    End { mark, is_kept }
}

/// Where thoughts in tags end.
pub(super) const TAGS: &[End] =
    &[end("</think>", false), end("</thinking>", false), end("</seed:think>", false), end("[/THINK]", false)];

/// Where a thought of gpt-oss ends.
const CHANNEL_ENDS: &[End] = &[
    end("<|end|>", false),
    end("<|return|>", false),
    end("<|call|>", false),
    end("<|start|>", true),
    end("<|channel|>", true),
];

const KIMI: &Section = &Section { begin: "<|tool_call_begin|>", separator: "<|tool_call_argument_begin|>" };
const KIMI_CLOSERS: &[&str] = &["<|tool_call_end|>", "<|tool_calls_section_end|>"];
const DEEPSEEK: &Section = &Section { begin: "<｜tool▁call▁begin｜>", separator: "<｜tool▁sep｜>" };
const DEEPSEEK_CLOSERS: &[&str] = &["```", "<｜tool▁call▁end｜>", "<｜tool▁calls▁end｜>"];
const CHANNEL_CLOSERS: &[&str] = &["<|call|>", "<|end|>", "<|return|>"];

const FUNCTION: &str = "<function=";
const MESSAGE: &str = "<|message|>";
const FENCE: &str = "```";

const fn form(mark: &'static str, place: Place, opens: Opens, closers: &'static [&'static str]) -> Form {
    Form { mark, place, opens, closers }
}

/// Every mark. Where two fit, the first is tried first.
pub(super) static FORMS: &[Form] = &[
    form("<think>", Place::Line, Opens::Thought, &[]),
    form("<thinking>", Place::Line, Opens::Thought, &[]),
    form("<seed:think>", Place::Line, Opens::Thought, &[]),
    form("[THINK]", Place::Line, Opens::Thought, &[]),
    form("</think>", Place::Message, Opens::Nothing, &[]),
    form("</thinking>", Place::Message, Opens::Nothing, &[]),
    form("<|channel|>", Place::Anywhere, Opens::Channel, CHANNEL_CLOSERS),
    form("<|start|>", Place::Anywhere, Opens::Channel, CHANNEL_CLOSERS),
    form("<|end|>", Place::Channels, Opens::Nothing, &[]),
    form("<|return|>", Place::Channels, Opens::Nothing, &[]),
    form("<tool_call>", Place::Anywhere, Opens::Call, &["</tool_call>"]),
    form("<function_call>", Place::Anywhere, Opens::Call, &["</function_call>"]),
    form("<|tool_call|>", Place::Anywhere, Opens::Call, &["<|/tool_call|>", "</|tool_call|>"]),
    form("<|python_tag|>", Place::Anywhere, Opens::Call, &["<|eom_id|>", "<|eot_id|>"]),
    form(FUNCTION, Place::Anywhere, Opens::Function, &["</tool_call>"]),
    form("[TOOL_CALLS]", Place::Anywhere, Opens::MistralCalls, &["[/TOOL_CALLS]"]),
    form("<|tool_calls_section_begin|>", Place::Anywhere, Opens::Section(KIMI), KIMI_CLOSERS),
    form(KIMI.begin, Place::Anywhere, Opens::Section(KIMI), KIMI_CLOSERS),
    form("<｜tool▁calls▁begin｜>", Place::Anywhere, Opens::Section(DEEPSEEK), DEEPSEEK_CLOSERS),
    form(DEEPSEEK.begin, Place::Anywhere, Opens::Section(DEEPSEEK), DEEPSEEK_CLOSERS),
    form(FENCE, Place::Line, Opens::Fence, &[FENCE]),
    form("{", Place::Message, Opens::Json, &[]),
    form("[", Place::Message, Opens::Json, &[]),
    form("[", Place::Message, Opens::Python, &[]),
];

impl Opens {
    /// Whether it stands for a call in a message that is meant to be read by nobody else.
    pub(super) fn needs_bare_calls(self) -> bool {
        matches!(self, Self::Fence | Self::Json | Self::Python)
    }

    /// Whether it is about calls.
    pub(super) fn is_for_calls(self) -> bool {
        !matches!(self, Self::Thought | Self::Nothing | Self::Channel)
    }

    /// Whether more calls may follow one under the same mark.
    pub(super) fn repeats(self) -> bool {
        matches!(self, Self::Call | Self::Fence)
    }
}

/// What stands between a mark and its body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    More,
    Not,
    /// Calls, from there on.
    Calls(usize, Body),
    /// Thoughts.
    Thought(usize, Ends),
    /// The beginning of prose.
    Speech(usize),
    /// It is prose itself, up to there.
    Prose(usize),
    /// Nothing.
    Nothing(usize),
}

/// Which marks end a thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Tags,
    Channel,
}

impl Ends {
    pub(super) fn marks(self) -> &'static [End] {
        match self {
            Self::Tags => TAGS,
            Self::Channel => CHANNEL_ENDS,
        }
    }
}

impl Form {
    /// Reads the head of `text`, which begins with the mark. `names` is empty where no call is expected.
    pub(super) fn head(&self, text: &str, names: &Names) -> Head {
        let from = self.mark.len();
        match self.opens {
            Opens::Thought => Head::Thought(from, Ends::Tags),
            Opens::Nothing => Head::Nothing(from),
            Opens::Channel => channel(text, names),
            Opens::Call => call(text, from, names),
            Opens::Function => function(text, 0, names),
            Opens::MistralCalls => mistral(text, from, names),
            Opens::Section(section) => section.head(text, names),
            Opens::Fence => fence(text, names),
            Opens::Json => may_be_call(text, names, 0, Body::OnlyCalls),
            Opens::Python => python(text, names),
        }
    }
}

fn rest(text: &str, from: usize) -> &str {
    text.get(from..).unwrap_or_default()
}

/// The text from its first word on, and where that is.
fn word_at(text: &str, from: usize) -> (&str, usize) {
    let word = rest(text, from).trim_start();
    (word, text.len() - word.len())
}

/// Looks for a mark that may not be far, and no further.
fn find_near(text: &str, mark: &str) -> Result<usize, Head> {
    let near = text.get(..text.floor_char_boundary(MAX_HEAD)).unwrap_or_default();
    match near.find(mark) {
        Some(at) => Ok(at),
        None if near.len() == text.len() => Err(Head::More),
        None => Err(Head::Not),
    }
}

/// A name that goes on.
fn more_of_name(name: &str, names: &Names) -> Head {
    if names.keys().any(|known| known.starts_with(name)) { Head::More } else { Head::Not }
}

fn call(text: &str, from: usize, names: &Names) -> Head {
    let (body, at) = word_at(text, from);
    match body.chars().next() {
        None => Head::More,
        Some('{' | '[') => Head::Calls(at, Body::Calls),
        Some('<') if body.starts_with(FUNCTION) => function(body, at, names),
        Some('<') if FUNCTION.starts_with(body) => Head::More,
        Some(_) => match body.find(|sign: char| !is_of_name(sign)) {
            None => more_of_name(body, names),
            Some(end) => named(rest_before(body, end), names, |name| Head::Calls(at + end, Body::Pairs(name))),
        },
    }
}

fn rest_before(text: &str, end: usize) -> &str {
    text.get(..end).unwrap_or_default()
}

fn named(name: &str, names: &Names, then: impl FnOnce(Box<str>) -> Head) -> Head {
    if names.contains_key(name) { then(name.into()) } else { Head::Not }
}

/// `text` begins with the mark, at `at` of the whole.
fn function(text: &str, at: usize, names: &Names) -> Head {
    let tail = rest(text, FUNCTION.len());
    match find_near(tail, ">") {
        Err(Head::More) => more_of_name(tail, names),
        Err(head) => head,
        Ok(end) => named(rest_before(tail, end), names, |name| {
            Head::Calls(at + FUNCTION.len() + end + 1, Body::Parameters(name))
        }),
    }
}

/// `[{…}]`, or `name{…}`, or `name[CALL_ID]…[ARGS]{…}`.
fn mistral(text: &str, from: usize, names: &Names) -> Head {
    const ARGUMENTS: &str = "[ARGS]";
    let (body, at) = word_at(text, from);
    match body.find(['[', '{']) {
        Some(0) => Head::Calls(at, Body::Calls),
        None => more_of_name(body, names),
        Some(end) => named(rest_before(body, end).trim_end(), names, |name| {
            let tail = rest(body, end);
            if tail.starts_with('{') {
                return Head::Calls(at + end, Body::Arguments(name));
            }
            match find_near(tail, ARGUMENTS) {
                Ok(mark) => Head::Calls(at + end + mark + ARGUMENTS.len(), Body::Arguments(name)),
                Err(head) => head,
            }
        }),
    }
}

impl Section {
    fn head(&self, text: &str, names: &Names) -> Head {
        let begin = match find_near(text, self.begin) {
            Ok(begin) => begin,
            Err(head) => return head,
        };
        // Nothing but white space is between the mark of all calls and that of one.
        let before = rest_before(text, begin).trim_end();
        if !before.is_empty() && !["begin|>", "begin｜>"].iter().any(|end| before.ends_with(end)) {
            return Head::Not;
        }
        let name_at = begin + self.begin.len();
        let end = match find_near(rest(text, name_at), self.separator) {
            Ok(end) => name_at + end,
            Err(head) => return head,
        };
        let name = text.get(name_at..end).unwrap_or_default().trim();
        let after = end + self.separator.len();
        if name == "function" {
            return fenced_arguments(text, after, names);
        }
        // Kimi's names are numbered: `functions.name:0`.
        let name = name.strip_prefix("functions.").unwrap_or(name);
        let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
        named(name, names, |name| Head::Calls(after, Body::Arguments(name)))
    }
}

/// A name in a line of its own and arguments in a block of code, as old models write them.
fn fenced_arguments(text: &str, from: usize, names: &Names) -> Head {
    const OPEN: &str = "```json";
    let Some((name, tail)) = rest(text, from).split_once('\n') else {
        return more_of_name(rest(text, from).trim(), names);
    };
    let open = tail.trim_start();
    if !open.starts_with(OPEN) {
        return if OPEN.starts_with(open) { Head::More } else { Head::Not };
    }
    let at = text.len() - open.len() + OPEN.len();
    named(name.trim(), names, |name| Head::Calls(at, Body::Arguments(name)))
}

/// What gpt-oss writes before each message: who speaks, on which channel, to whom.
fn channel(text: &str, names: &Names) -> Head {
    let end = match find_near(text, MESSAGE) {
        Ok(end) => end,
        Err(head) => return head,
    };
    let (head, from) = (rest_before(text, end), end + MESSAGE.len());
    let is_end = |sign: char| sign.is_whitespace() || sign == '<';
    let value = |mark: &str| head.split_once(mark).and_then(|(_, tail)| tail.trim_start().split(is_end).next());
    let recipient = value("to=").map(|name| name.strip_prefix("functions.").unwrap_or(name));
    match (value("<|channel|>"), recipient) {
        _ if head.strip_prefix("<|start|>").is_some_and(|role| !role.starts_with("assistant")) => Head::Prose(from),
        (_, Some(name)) if names.contains_key(name) => Head::Calls(from, Body::Arguments(name.into())),
        (Some("analysis"), None) => Head::Thought(from, Ends::Channel),
        (Some("final" | "commentary"), None) => Head::Speech(from),
        _ => Head::Prose(from),
    }
}

fn fence(text: &str, names: &Names) -> Head {
    const LANGUAGES: &[&str] = &["", "json", "tool_call", "tool_calls"];
    match rest(text, FENCE.len()).split_once('\n') {
        None => {
            let language = rest(text, FENCE.len()).trim_end();
            let is_known = LANGUAGES.iter().any(|known| known.starts_with(language));
            if is_known { Head::More } else { Head::Not }
        }
        Some((language, _)) if LANGUAGES.contains(&language.trim()) => {
            may_be_call(text, names, FENCE.len() + language.len() + 1, Body::Calls)
        }
        Some(_) => Head::Not,
    }
}

/// Whether JSON without a mark begins as a call does, so that other JSON is not held back.
fn may_be_call(text: &str, names: &Names, from: usize, body: Body) -> Head {
    let (json, at) = word_at(text, from);
    let (object, _) = word_at(json, usize::from(json.starts_with('[')));
    if object.is_empty() {
        return Head::More;
    }
    let Some(inner) = object.strip_prefix('{').map(str::trim_start) else { return Head::Not };
    let Some(key) = inner.strip_prefix('"') else {
        return if inner.is_empty() { Head::More } else { Head::Not };
    };
    let keys = ["name", "type", "function", "arguments", "parameters"];
    let Some((key, tail)) = key.split_once('"') else {
        return if keys.iter().any(|known| known.starts_with(key)) { Head::More } else { Head::Not };
    };
    if !keys.contains(&key) {
        return Head::Not;
    }
    let tail = tail.trim_start();
    let value = tail.strip_prefix(':').map(str::trim_start);
    let (Some(value), false) = (value, value == Some("")) else {
        return if tail.is_empty() || value.is_some() { Head::More } else { Head::Not };
    };
    let known: Vec<&str> = match key {
        "function" | "arguments" | "parameters" if value.starts_with('{') => return Head::Calls(at, body),
        "name" | "function" => names.keys().map(|name| &**name).collect(),
        "type" => vec!["function"],
        _ => Vec::new(),
    };
    let Some(word) = value.strip_prefix('"') else { return Head::Not };
    match word.split_once('"') {
        Some((word, _)) if known.contains(&word) => Head::Calls(at, body),
        None if known.iter().any(|known| known.starts_with(word)) => Head::More,
        _ => Head::Not,
    }
}

fn python(text: &str, names: &Names) -> Head {
    let (call, _) = word_at(text, 1);
    match call.find(|sign: char| !is_of_name(sign)) {
        None => more_of_name(call, names),
        Some(end) => {
            let tail = rest(call, end).trim_start();
            match tail.chars().next() {
                None => Head::More,
                Some('(') => named(rest_before(call, end), names, |_| Head::Calls(0, Body::OnlyPython)),
                Some(_) => Head::Not,
            }
        }
    }
}
