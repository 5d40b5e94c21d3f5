//! What the text of the answer may hold besides text.

use std::borrow::Cow;

use responses::json::{Json, Object};
use responses::request::Request;

use super::given;

/// What to look for in the text of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Calls.
    pub(crate) calls: bool,
    /// Calls without a mark of their own. Where an answer in JSON was asked for, they could be that.
    pub(crate) bare_calls: bool,
    /// The text begins inside thoughts.
    pub(crate) begins_in_thought: bool,
}

/// Words in the names of models whose templates open their thoughts for them, so that only the closing tag is seen.
const THINKERS: &[&str] = &["r1", "qwq", "think", "thinking"];

impl Reading {
    /// What to look for in the answer to a request. Without tools, and where none may be called, nothing is a call.
    pub(super) fn of(request: &Request, has_tools: bool, choice: Option<&str>) -> Self {
        let calls = has_tools && choice != Some(r#""none""#);
        let format = inner(request.prompt.text.as_ref(), "format");
        let is_text = format.is_none_or(|format| word(Some(&format), "type").is_none_or(|kind| kind == "text"));
        let thinks = request.model().is_some_and(|model| is_thinker(&model));
        let is_told_not_to = word(request.prompt.reasoning.as_ref(), "effort").is_some_and(|effort| effort == "none");
        Self { calls, bare_calls: calls && is_text, begins_in_thought: thinks && !is_told_not_to }
    }
}

/// Names are words with signs between them.
fn is_thinker(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    model.split(|sign: char| !sign.is_ascii_alphanumeric()).any(|word| THINKERS.contains(&word))
}

fn inner(json: Option<&Json>, key: &str) -> Option<Json> {
    let object = Object::parse(given(json)?.text()).ok()?;
    Json::parse(object.get(key)?).ok().filter(|json| !json.is_null())
}

fn word(json: Option<&Json>, key: &'static str) -> Option<String> {
    let object = Object::parse(given(json)?.text()).ok()?;
    object.read::<Cow<'_, str>>(key).ok().map(Cow::into_owned)
}
