//! Where a server is: one address from the settings, and the addresses that follow from it.

use std::fmt::Write;

use hyper::Uri;

/// The address of a server, checked once: what follows from it cannot fail later. It never holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    responses: Uri,
    socket: Uri,
    chat_completions: Uri,
    models: Uri,
}

/// Why an address is not taken. It does not show the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Something else.
    #[error("this is no address of a server: write it like https://api.example.com/v1")]
    Shape,
    /// Neither `https` nor `http`.
    #[error("an address begins with https:// or http://; whether a socket is used is said by supports_websockets")]
    Scheme,
    /// A user or a password in it.
    #[error("an address with a user or password in it ends up in logs: leave it out, and set env_key or key_file")]
    Credentials,
    /// Something after `?` or `#`.
    #[error("an address ends before `?` and `#`: put api-version and the like into query_params")]
    Query,
    /// The address of one endpoint.
    #[error("this is the address of one endpoint: leave out {0}, it is added")]
    Endpoint(&'static str),
    /// A key among the query parameters.
    #[error("the query parameter {0} looks like a key, and addresses end up in logs: send it by env_http_headers")]
    Key(String),
}

/// What is added to the address of a server.
const RESPONSES: &str = "/responses";
const CHAT_COMPLETIONS: &str = "/chat/completions";
const MODELS: &str = "/models";

impl BaseUrl {
    /// Reads an address, and the query parameters that every request carries.
    pub fn new(text: &str, query: &[(String, String)]) -> Result<Self, BadUrl> {
        if text.contains(['?', '#']) {
            return Err(BadUrl::Query);
        }
        let uri: Uri = text.parse().map_err(|_| BadUrl::Shape)?;
        let authority = uri.authority().filter(|authority| !authority.host().is_empty()).ok_or(BadUrl::Shape)?;
        if authority.as_str().contains('@') {
            return Err(BadUrl::Credentials);
        }
        let socket = match uri.scheme_str() {
            Some("https") => "wss",
            Some("http") => "ws",
            _ => return Err(BadUrl::Scheme),
        };
        // A port that is none is part of the text, and nothing else tells of it.
        if authority.port().is_none() && authority.as_str() != authority.host() {
            return Err(BadUrl::Shape);
        }
        let path = uri.path().trim_end_matches('/');
        let mut endpoints = [RESPONSES, CHAT_COMPLETIONS, MODELS].into_iter();
        if let Some(endpoint) = endpoints.find(|endpoint| path.ends_with(endpoint)) {
            return Err(BadUrl::Endpoint(endpoint));
        }
        let query = encoded(query)?;
        let at = |scheme: &str, endpoint: &str| {
            let uri = Uri::builder().scheme(scheme).authority(authority.clone());
            uri.path_and_query(format!("{path}{endpoint}{query}")).build().map_err(|_| BadUrl::Shape)
        };
        let scheme = uri.scheme_str().unwrap_or_default();
        Ok(Self {
            responses: at(scheme, RESPONSES)?,
            socket: at(socket, RESPONSES)?,
            chat_completions: at(scheme, CHAT_COMPLETIONS)?,
            models: at(scheme, MODELS)?,
        })
    }

    /// Where a response is asked for over HTTP.
    pub fn responses(&self) -> &Uri {
        &self.responses
    }

    /// The same for a socket: `wss` or `ws`.
    pub fn socket(&self) -> &Uri {
        &self.socket
    }

    /// Where a chat completion is asked for.
    pub fn chat_completions(&self) -> &Uri {
        &self.chat_completions
    }

    /// Where the models are listed.
    pub fn models(&self) -> &Uri {
        &self.models
    }
}

/// The query parameters as they stand in an address, from `?` on.
fn encoded(query: &[(String, String)]) -> Result<String, BadUrl> {
    let mut text = String::new();
    for (name, value) in query {
        if looks_like_a_key(name) {
            return Err(BadUrl::Key(name.clone()));
        }
        text.push(if text.is_empty() { '?' } else { '&' });
        percent_encode(name, &mut text);
        text.push('=');
        percent_encode(value, &mut text);
    }
    Ok(text)
}

fn percent_encode(part: &str, text: &mut String) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

/// Whether a name says that its value is secret: `key`, `api-key`, `subscriptionKey`, `access_token`, `sig`.
fn looks_like_a_key(name: &str) -> bool {
    const TELLING: [&str; 13] = [
        "apikey",
        "auth",
        "authorization",
        "bearer",
        "credential",
        "credentials",
        "key",
        "password",
        "pwd",
        "secret",
        "sig",
        "signature",
        "token",
    ];
    let mut words = String::new();
    let mut lower = false;
    for c in name.chars() {
        if lower && c.is_ascii_uppercase() {
            words.push(' ');
        }
        lower = c.is_ascii_lowercase();
        words.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' });
    }
    words.split(' ').any(|word| TELLING.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_addresses_of_all_endpoints_follow_from_one() {
        for text in ["https://api.example.com/v1", "https://api.example.com/v1/", "https://api.example.com/v1//"] {
            let url = BaseUrl::new(text, &[]).unwrap();
            assert_eq!(url.responses(), "https://api.example.com/v1/responses");
            assert_eq!(url.socket(), "wss://api.example.com/v1/responses");
            assert_eq!(url.chat_completions(), "https://api.example.com/v1/chat/completions");
            assert_eq!(url.models(), "https://api.example.com/v1/models");
        }
        for (text, socket) in [
            ("http://127.0.0.1:11434/v1", "ws://127.0.0.1:11434/v1/responses"),
            ("http://[::1]:8080", "ws://[::1]:8080/responses"),
            ("HTTPS://example.com", "wss://example.com/responses"),
        ] {
            assert_eq!(BaseUrl::new(text, &[]).unwrap().socket(), socket, "{text}");
        }
    }

    #[test]
    fn query_parameters_are_part_of_every_address_and_encoded() {
        let parameters = query(&[("api-version", "2025-04-01-preview"), ("a b", "ö&=?#/%+")]);
        let url = BaseUrl::new("https://my.openai.azure.com/openai", &parameters).unwrap();
        let end = "?api-version=2025-04-01-preview&a%20b=%C3%B6%26%3D%3F%23%2F%25%2B";
        assert_eq!(url.responses().to_string(), format!("https://my.openai.azure.com/openai/responses{end}"));
        assert_eq!(url.socket().to_string(), format!("wss://my.openai.azure.com/openai/responses{end}"));
        assert_eq!(url.models().to_string(), format!("https://my.openai.azure.com/openai/models{end}"));
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_shown() {
        let cases = [
            ("", BadUrl::Shape),
            ("planted", BadUrl::Scheme),
            ("planted:8000", BadUrl::Scheme),
            ("/planted", BadUrl::Shape),
            ("https://", BadUrl::Shape),
            ("https://planted:99999/v1", BadUrl::Shape),
            ("https://planted:x/v1", BadUrl::Shape),
            ("https://planted /v1", BadUrl::Shape),
            ("wss://planted/v1", BadUrl::Scheme),
            ("file://planted/v1", BadUrl::Scheme),
            ("https://planted:password@example.com/v1", BadUrl::Credentials),
            ("https://planted@example.com/v1", BadUrl::Credentials),
            ("https://example.com/v1?api-version=planted", BadUrl::Query),
            ("https://example.com/v1#planted", BadUrl::Query),
            ("https://example.com/v1/responses", BadUrl::Endpoint("/responses")),
            ("https://example.com/v1/responses/", BadUrl::Endpoint("/responses")),
            ("https://example.com/v1/chat/completions", BadUrl::Endpoint("/chat/completions")),
        ];
        for (text, expected) in cases {
            let error = BaseUrl::new(text, &[]).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
        }
    }

    #[test]
    fn a_key_is_not_taken_as_a_query_parameter() {
        for name in ["key", "api_key", "api-key", "apiKey", "apikey", "KEY", "subscription-key", "sig", "access_token"]
        {
            let error = BaseUrl::new("https://example.com", &query(&[(name, "planted")])).unwrap_err();
            assert_eq!(error, BadUrl::Key(name.to_owned()));
            assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
        }
        for name in ["api-version", "keyboard", "monkey", "max_tokens", "author", "signed"] {
            assert!(BaseUrl::new("https://example.com", &query(&[(name, "1")])).is_ok(), "{name}");
        }
    }
}
