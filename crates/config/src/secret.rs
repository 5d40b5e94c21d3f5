//! What must not be shown.

/// How the names of settings end whose values are secret. A variable's name in `env_key` is among them: keys get pasted
/// there by mistake. `bearer` is the word before a token in a header.
const ENDINGS: [&str; 7] = ["key", "token", "password", "secret", "headers", "authorization", "bearer"];

/// Shown in place of a secret.
pub(crate) const HIDDEN: &str = "…";

/// Whether the value under this key is secret.
pub(crate) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| key.ends_with(ending))
}

/// Whether a word of the text is the name of a secret.
pub(crate) fn names_secret(text: &str) -> bool {
    text.split(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | '-')).any(is_secret)
}

/// Whether the text has an address with a user or a password before its host.
pub(crate) fn has_user(text: &str) -> bool {
    let to_end = |rest: &str| rest.split([' ', '"', '\'']).next().is_some_and(|address| address.contains('@'));
    text.split("://").skip(1).any(to_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_the_end_of_their_name() {
        for name in
            ["api_key", "x-api-key", "OPENAI_API_KEY", "bearer_token", "password", "client-Secret", "http_headers"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["", "model", "tool_output_token_limit", "max_tokens", "keymap", "secretary"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_user_in_an_address_is_seen() {
        assert!(has_user("proxy = 'http://me:pass@host:80/'"));
        assert!(has_user("a = 'http://x', b = 'http://me:pa/ss@host'"));
        assert!(!has_user("proxy = 'http://host' # ask me@host"));
        assert!(!has_user("me@host"));
    }
}
