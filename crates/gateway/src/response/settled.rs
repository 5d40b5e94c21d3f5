//! What a request had that the next one of its chain does not inherit.

use responses::json::{Json, Object};
use responses::request::Request;

/// Settings that are lost when a request that goes on from a response leaves them out, because each request has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    tools: bool,
    instructions: bool,
}

impl Settled {
    pub(crate) fn of_request(request: &Request) -> Self {
        let instructions = request.instructions().is_some_and(|instructions| !instructions.is_empty());
        Self { tools: !request.tools().is_empty(), instructions }
    }

    /// The same, from what the response said of itself.
    pub(crate) fn of_response(response: &Json) -> Self {
        let object = Object::parse(response.text()).unwrap_or_default();
        let has = |key, nothing: &[&str]| object.get(key).is_some_and(|value| !nothing.contains(&value));
        Self { tools: has("tools", &["[]", "null"]), instructions: has("instructions", &["null", r#""""#]) }
    }

    /// What of it the next request leaves out without a word. To say `null` or `[]` is a word.
    pub(crate) fn left_behind(self, next: &Request) -> Vec<&'static str> {
        let fields = [
            ("tools", self.tools && next.prompt.tools.is_none()),
            ("instructions", self.instructions && next.prompt.instructions.is_none()),
        ];
        fields.into_iter().filter(|(_, is_lost)| *is_lost).map(|(name, _)| name).collect()
    }
}

/// Whether a stored response can be gone on from.
pub(crate) fn past_is_stored(response: &Json) -> bool {
    Object::parse(response.text()).is_ok_and(|object| object.get("past_stored") != Some("false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_named_and_what_is_taken_away_on_purpose_is_not() {
        let request = |fields: &str| Request::parse(&format!(r#"{{"model":"m"{fields}}}"#)).unwrap();
        let all = Settled::of_request(&request(r#","tools":[{"type":"web_search"}],"instructions":"be brief""#));
        let table = [
            ("", vec!["tools", "instructions"]),
            (r#","tools":[]"#, vec!["instructions"]),
            (r#","tools":[{"type":"web_search"}],"instructions":null"#, vec![]),
        ];
        for (fields, expected) in table {
            assert_eq!(all.left_behind(&request(fields)), expected, "{fields}");
        }
        let none = Settled::of_request(&request(r#","tools":[],"instructions":"""#));
        assert_eq!(none.left_behind(&request("")), Vec::<&str>::new());
        let response = |text: &str| Settled::of_response(&Json::parse(text).unwrap());
        assert_eq!(response(r#"{"tools":[{"type":"web_search"}],"instructions":"x"}"#), all);
        assert_eq!(response(r#"{"tools":[],"instructions":null}"#), none);
    }
}
