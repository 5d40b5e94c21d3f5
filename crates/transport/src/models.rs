//! What a server has: the list of its models.

use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use responses::json::{Json, Object};
use tokio::time::timeout;

use crate::link::Word;
use crate::model::ModelClient;
use crate::probe::Problem;

/// How much of a list is read. Those who sell the models of everybody have a megabyte.
const MAX_LIST_BYTES: usize = 8 << 20;

/// How many models of a list are looked at.
const MAX_LISTED: usize = 4096;

/// The names under which servers say how much a model can see.
const WINDOWS: [&str; 3] = ["context_window", "max_model_len", "context_length"];

/// A model, as its server lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedModel {
    /// Its name.
    pub id: Box<str>,
    /// Since when there is it, in seconds since 1970, where the server says so.
    pub created: Option<u64>,
    /// How many tokens it can see, where the server says so.
    pub window: Option<u64>,
}

impl ModelClient {
    /// The models that the server lists. Within this time, or it is a [`Problem::Broke`].
    pub async fn models(&self, within: Duration) -> Result<Vec<ListedModel>, Problem> {
        timeout(within, self.list()).await.unwrap_or(Err(Problem::Broke))
    }

    async fn list(&self) -> Result<Vec<ListedModel>, Problem> {
        let answer = match self.caller().list_of_models().await {
            Ok(answer) => answer,
            Err(Word::Refused(error)) => return Err(self.refused(error)),
            Err(Word::Unreachable(trouble)) => return Err(Problem::Unreachable(trouble)),
            Err(_) => return Err(Problem::Broke),
        };
        let body = Limited::new(answer.into_body(), MAX_LIST_BYTES).collect().await.map_err(|_| Problem::Broke)?;
        let listed = std::str::from_utf8(&body.to_bytes()).ok().and_then(read);
        listed.ok_or_else(|| Problem::Refused(Box::new(no_list())))
    }
}

fn no_list() -> responses::error::ApiError {
    let message = "what answers there does not list models: check base_url";
    responses::error::ApiError::report(502, Some("no_list"), None, message)
}

/// Reads a list in its usual form, or in that of Codex's catalogue.
fn read(text: &str) -> Option<Vec<ListedModel>> {
    let list = Object::parse(text).ok()?;
    let models: Vec<Json> = list.read("data").or_else(|_| list.read("models")).ok()?;
    Some(models.iter().take(MAX_LISTED).filter_map(|model| one(model.text())).collect())
}

fn one(text: &str) -> Option<ListedModel> {
    let model = Object::parse(text).ok()?;
    let id: Box<str> = model.read("id").or_else(|_| model.read("slug")).ok()?;
    let number = |key: &'static str| model.read::<u64>(key).ok();
    let window = WINDOWS.into_iter().find_map(number);
    (!id.is_empty()).then(|| ListedModel { id, created: number("created"), window })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_in_either_form_and_what_makes_no_sense_is_left_out() {
        let listed = |text: &str| {
            read(text).map(|models| {
                let model = |model: ListedModel| (model.id.into_string(), model.created, model.window);
                models.into_iter().map(model).collect::<Vec<_>>()
            })
        };
        let named = |id: &str, created, window| Some(vec![(id.to_owned(), created, window)]);
        for (text, expected) in [
            (
                r#"{"object":"list","data":[{"id":"m","object":"model","created":7,"owned_by":"x"}]}"#,
                named("m", Some(7), None),
            ),
            (r#"{"data":[{"id":"m","max_model_len":4096}]}"#, named("m", None, Some(4096))),
            (r#"{"data":[{"id":"m","context_length":9,"created":null}]}"#, named("m", None, Some(9))),
            (r#"{"models":[{"slug":"m","context_window":5}]}"#, named("m", None, Some(5))),
            (r#"{"data":[{"id":""},{"name":"x"},7,{"id":"m"}]}"#, named("m", None, None)),
            (r#"{"object":"list","data":[]}"#, Some(Vec::new())),
            (r#"{"error":"no"}"#, None),
            ("<html>", None),
            ("[]", None),
        ] {
            assert_eq!(listed(text), expected, "{text}");
        }
    }
}
