//! What a request asks for, by its method and its path.

use std::borrow::Cow;

use hyper::Method;
use responses::error::ApiError;
use responses::id::ResponseId;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Make a response.
    Create,
    /// A socket, if the request is one to become it.
    Socket,
    Retrieve(ResponseId),
    Delete(ResponseId),
    Cancel(ResponseId),
    InputItems(ResponseId),
    InputTokens,
    Compact,
    Models,
    Model(Box<str>),
    /// Whether the process is there.
    Alive,
    /// Whether it takes work.
    Ready,
    Metrics,
}

impl Endpoint {
    /// A name for what is counted: few, and without ids.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Socket => "socket",
            Self::Retrieve(_) => "retrieve",
            Self::Delete(_) => "delete",
            Self::Cancel(_) => "cancel",
            Self::InputItems(_) => "input_items",
            Self::InputTokens => "input_tokens",
            Self::Compact => "compact",
            Self::Models => "models",
            Self::Model(_) => "model",
            Self::Alive => "healthz",
            Self::Ready => "readyz",
            Self::Metrics => "metrics",
        }
    }

    /// Whether what is sent with it matters.
    pub(crate) fn takes_body(&self) -> bool {
        matches!(self, Self::Create | Self::InputTokens | Self::Compact)
    }

    /// Whether anybody may ask, with a key or without.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Alive | Self::Ready)
    }
}

/// Finds what a path means. It may begin with `/v1` or not, as the client's base URL has it.
pub(crate) fn endpoint(method: &Method, path: &str) -> Result<Endpoint, ApiError> {
    let bare = path.trim_end_matches('/');
    let bare = bare.strip_prefix("/v1").filter(|rest| rest.starts_with('/')).unwrap_or(bare);
    let parts: Vec<Cow<'_, str>> = bare.split('/').skip(1).map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    let id = |id: &str| ResponseId::from(id);
    let found: &[(Method, Endpoint)] = &match parts.as_slice() {
        ["responses"] => vec![(Method::POST, Endpoint::Create), (Method::GET, Endpoint::Socket)],
        ["responses", "input_tokens"] => vec![(Method::POST, Endpoint::InputTokens)],
        ["responses", "compact"] => vec![(Method::POST, Endpoint::Compact)],
        ["responses", of] => {
            vec![(Method::GET, Endpoint::Retrieve(id(of))), (Method::DELETE, Endpoint::Delete(id(of)))]
        }
        ["responses", of, "cancel"] => vec![(Method::POST, Endpoint::Cancel(id(of)))],
        ["responses", of, "input_items"] => vec![(Method::GET, Endpoint::InputItems(id(of)))],
        ["models"] => vec![(Method::GET, Endpoint::Models)],
        // Names of models may have slashes in them.
        ["models", rest @ ..] => vec![(Method::GET, Endpoint::Model(rest.join("/").into()))],
        ["healthz"] => vec![(Method::GET, Endpoint::Alive)],
        ["readyz"] => vec![(Method::GET, Endpoint::Ready)],
        ["metrics"] => vec![(Method::GET, Endpoint::Metrics)],
        _ => return Err(unknown(path)),
    };
    let asked = if method == Method::HEAD { &Method::GET } else { method };
    let endpoint = found.iter().find(|(method, _)| method == asked).map(|(_, endpoint)| endpoint.clone());
    endpoint.ok_or_else(|| wrong_method(method, path, found.iter().map(|(method, _)| method.as_str())))
}

fn unknown(path: &str) -> ApiError {
    let shown: String = path.chars().take(80).collect();
    let message =
        format!("there is nothing at `{shown}`: the Responses API is at /v1/responses, the models at /v1/models");
    ApiError::report(404, Some("unknown_url"), None, message)
}

fn wrong_method<'a>(method: &Method, path: &str, right: impl Iterator<Item = &'a str>) -> ApiError {
    let right = right.collect::<Vec<_>>().join(" or ");
    let message = format!("`{path}` takes {right}, not {method}");
    ApiError::report(405, Some("method_not_allowed"), None, message)
}

/// A field of a query, decoded; the last one counts.
pub(crate) fn query<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('=').or(Some((pair, ""))));
    pairs.rfind(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value))
}

/// Text of a URL without its percent signs. What is no escape stays as it is.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &Method, path: &str) -> Result<Endpoint, (u16, String)> {
        endpoint(method, path).map_err(|error| (error.status.unwrap(), error.message.into()))
    }

    #[test]
    fn a_path_is_the_same_with_and_without_its_version() {
        let id = || ResponseId::from("resp_1");
        let table = [
            (Method::POST, "responses", Endpoint::Create),
            (Method::GET, "responses", Endpoint::Socket),
            (Method::GET, "responses/resp_1", Endpoint::Retrieve(id())),
            (Method::DELETE, "responses/resp_1", Endpoint::Delete(id())),
            (Method::POST, "responses/resp_1/cancel", Endpoint::Cancel(id())),
            (Method::GET, "responses/resp_1/input_items", Endpoint::InputItems(id())),
            (Method::POST, "responses/input_tokens", Endpoint::InputTokens),
            (Method::POST, "responses/compact", Endpoint::Compact),
            (Method::GET, "models", Endpoint::Models),
            (Method::GET, "models/qwen%2Fqwen3", Endpoint::Model("qwen/qwen3".into())),
            (Method::GET, "models/qwen/qwen3", Endpoint::Model("qwen/qwen3".into())),
            (Method::HEAD, "healthz", Endpoint::Alive),
            (Method::GET, "readyz", Endpoint::Ready),
            (Method::GET, "metrics", Endpoint::Metrics),
        ];
        for (method, path, expected) in table {
            for prefix in ["/", "/v1/"] {
                assert_eq!(of(&method, &format!("{prefix}{path}")), Ok(expected.clone()), "{prefix}{path}");
                assert_eq!(of(&method, &format!("{prefix}{path}/")), Ok(expected.clone()), "{prefix}{path}/");
            }
        }
    }

    #[test]
    fn what_is_not_there_and_what_is_asked_for_wrongly_are_told_apart() {
        for path in ["/", "/v1", "/v2/responses", "/v1/chat/completions", "/v1/responses/a/b", "/v1responses"] {
            assert_eq!(of(&Method::GET, path).unwrap_err().0, 404, "{path}");
        }
        let (status, message) = of(&Method::PUT, "/v1/responses").unwrap_err();
        assert_eq!((status, message.as_str()), (405, "`/v1/responses` takes POST or GET, not PUT"));
    }

    #[test]
    fn queries_are_decoded_and_the_last_of_a_name_counts() {
        let asked = "stream=true&starting_after=1&starting_after=%31%32&include%5B%5D=a%2Gb&bare";
        let table = [
            ("stream", Some("true")),
            ("starting_after", Some("12")),
            ("include[]", Some("a%2Gb")),
            ("bare", Some("")),
            ("no", None),
        ];
        for (name, expected) in table {
            assert_eq!(query(asked, name).as_deref(), expected, "{name}");
        }
    }
}
