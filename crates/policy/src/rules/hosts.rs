//! Patterns of hosts.

use crate::effects::Reach;

use super::Match;
use super::words::is_like;

/// `crates.io`, `*.crates.io`, `github.com:443`, `[::1]:8080`, `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostPattern {
    host: String,
    port: Option<u16>,
}

impl HostPattern {
    /// The pattern of this text, or why there is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (host, port) = split(text);
        let odd = |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, '/' | '@' | '#');
        if host.is_empty() || text.contains(odd) {
            return Err("is no host: use a name like crates.io, *.crates.io or github.com:443".to_owned());
        }
        let is_port = |port: &u16| *port > 0;
        let port = match port {
            None => None,
            Some(port) => match port.parse().ok().filter(is_port) {
                Some(port) => Some(port),
                None => return Err(format!("has `{port}` where a port is: use 1 to 65535")),
            },
        };
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }

    /// The host and port that are meant, of a pattern without `*`.
    pub(crate) fn reach(&self) -> Reach {
        Reach { host: Some(self.host.clone()), port: self.port }
    }

    /// Whether it is reached, for a rule that forbids or asks.
    pub(crate) fn any(&self, reach: &Reach) -> Match {
        let host = match &reach.host {
            Some(host) if is_like(&self.host, host) => Match::Yes,
            Some(_) => Match::No,
            None if self.host == "*" => Match::Yes,
            None => Match::Maybe,
        };
        let port = match (self.port, reach.port) {
            (None, _) => Match::Yes,
            (Some(want), Some(have)) if want == have => Match::Yes,
            (Some(_), Some(_)) => Match::No,
            (Some(_), None) => Match::Maybe,
        };
        host.min(port)
    }

    /// Whether nothing else is reached, for a rule that allows.
    pub(crate) fn all(&self, reach: &Reach) -> bool {
        self.any(reach) == Match::Yes
    }
}

/// Host and port. An address with colons is in brackets if a port follows it.
fn split(text: &str) -> (&str, Option<&str>) {
    if let Some(rest) = text.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or(port))),
            None => ("", None),
        };
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, Some(port)),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_meant_by_name_and_port() {
        for (pattern, host, port, any, all) in [
            ("crates.io", Some("crates.io"), None, Match::Yes, true),
            ("Crates.IO", Some("crates.io"), Some(443), Match::Yes, true),
            ("crates.io", Some("evilcrates.io"), None, Match::No, false),
            ("*.crates.io", Some("static.crates.io"), None, Match::Yes, true),
            ("*.crates.io", Some("crates.io"), None, Match::No, false),
            ("*.crates.io", Some("crates.io.evil.com"), None, Match::No, false),
            ("a.b:443", Some("a.b"), Some(443), Match::Yes, true),
            ("a.b:443", Some("a.b"), Some(80), Match::No, false),
            ("a.b:443", Some("a.b"), None, Match::Maybe, false),
            ("a.b", None, None, Match::Maybe, false),
            ("*", None, None, Match::Yes, true),
            ("[::1]:80", Some("::1"), Some(80), Match::Yes, true),
            ("::1", Some("::1"), None, Match::Yes, true),
        ] {
            let reach = Reach { host: host.map(str::to_owned), port };
            let read = HostPattern::parse(pattern).unwrap();
            assert_eq!((read.any(&reach), read.all(&reach)), (any, all), "{pattern} {reach:?}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", "https://a.b", "a b", "a:0", "a:x", "a:99999", "[::1", "me@host", ":443"] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }
}
