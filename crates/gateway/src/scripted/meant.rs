//! Which tool a message means that commands nothing.

use std::borrow::Cow;

use responses::json::{Object, Read};
use responses::request::Request;
use responses::tool_spec::{FunctionTool, Tool};

use super::schema;

/// Shorter words mean nothing: "get", "the", "in".
const A_WORD: usize = 4;

/// The function that is meant, and the smallest arguments it takes: the one that the request insists on, else one whose
/// name has a word of the message in it.
pub(super) fn tool(message: &str, tools: &[Tool<'_>], request: &Request) -> Option<(String, String)> {
    let functions = tools.iter().filter_map(|tool| match tool {
        Tool::Function(function, _) => Some(function),
        _ => None,
    });
    let choice = request.prompt.tool_choice.as_ref().filter(|choice| !choice.is_null());
    let word = choice.and_then(|choice| <Cow<'_, str>>::read(choice.text()).ok());
    let named = choice.and_then(|choice| Object::parse(choice.text()).ok()?.read::<Cow<'_, str>>("name").ok());
    let means = |function: &&FunctionTool<'_>| match (word.as_deref(), named.as_deref()) {
        (Some("none"), _) => false,
        (Some("required"), _) => true,
        (_, Some(name)) => function.name == name,
        _ => shares_a_word(message, &function.name),
    };
    let mut functions = functions;
    let function = functions.find(means)?;
    let parameters = function.parameters.map_or("{}", |parameters| parameters.0);
    Some((function.name.clone().into_owned(), schema::smallest(parameters)))
}

fn shares_a_word(message: &str, name: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|char: char| !char.is_alphanumeric()).filter(|word| word.len() >= A_WORD);
        words.map(str::to_lowercase).collect()
    };
    let said = words(message);
    words(name).iter().any(|word| said.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_means_the_tool_that_it_has_a_word_of_or_that_is_insisted_on() {
        const WEATHER: &str = r#"{"type":"function","name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}"#;
        const LOOK: &str = r#"{"type":"function","name":"look_up"}"#;
        let asked = |message: &str, choice: &str| {
            let body = format!(r#"{{"model":"m","tools":[{LOOK},{WEATHER}],"tool_choice":{choice}}}"#);
            let request = Request::parse(&body).unwrap();
            tool(message, &request.tools(), &request).map(|(name, input)| format!("{name} {input}"))
        };
        let weather = Some(r#"get_weather {"city":""}"#.to_owned());
        assert_eq!(asked("What's the Weather like?", "null"), weather);
        assert_eq!(asked("What do you get?", "\"auto\""), None);
        assert_eq!(asked("What's the weather like?", "\"none\""), None);
        assert_eq!(asked("hello", "\"required\""), Some("look_up {}".to_owned()));
        assert_eq!(asked("hello", r#"{"type":"function","name":"get_weather"}"#), weather);
    }
}
