//! Patterns of hosts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::effects::{Reach, is_this_machine};

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
        Ok(Self { host: one_way(host), port })
    }

    /// The host and port that are meant, of a pattern without `*`.
    pub(crate) fn reach(&self) -> Reach {
        Reach { host: Some(self.host.clone()), port: self.port }
    }

    /// Whether it is reached, for a rule that forbids or asks.
    pub(crate) fn any(&self, reach: &Reach) -> Match {
        let host = match &reach.host {
            Some(host) if is_like(&self.host, &one_way(host)) => Match::Yes,
            // The machine itself has several names.
            Some(host) if is_this_machine(&self.host) && is_this_machine(&one_way(host)) => Match::Maybe,
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

/// A host in the one way in which it is compared: in lower case, without the dot at the end of a full name, and an address
/// as it is usually written (`127.0.0.1` for `127.1`, `2130706433` and `0x7f.1`).
fn one_way(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    let v6 = || host.parse::<Ipv6Addr>().ok().map(|address| IpAddr::V6(address).to_canonical());
    match numeric(host).map(IpAddr::V4).or_else(v6) {
        Some(address) => address.to_string(),
        None => host.to_owned(),
    }
}

/// An address of one to four numbers, of which the last fills what is left: as every resolver reads it.
fn numeric(host: &str) -> Option<Ipv4Addr> {
    let mut numbers: Vec<u32> = host.split('.').map(number).collect::<Option<_>>()?;
    let last = numbers.pop()?;
    let left = 4_u32.checked_sub(u32::try_from(numbers.len()).ok()?).filter(|left| *left > 0)?;
    if u64::from(last) >= 1 << (8 * left) {
        return None;
    }
    let before = numbers.iter().zip([24, 16, 8]);
    let mut address = last;
    for (number, shift) in before {
        address |= u32::from(u8::try_from(*number).ok()?) << shift;
    }
    Some(Ipv4Addr::from_bits(address))
}

/// A decimal, `0x` hexadecimal or `0` octal number.
fn number(text: &str) -> Option<u32> {
    let digits = |text: &str, radix| text.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(radix);
    match (text.strip_prefix("0x"), text.strip_prefix('0')) {
        (Some(hex), _) => u32::from_str_radix(hex, digits(hex, 16)?).ok(),
        (None, Some(octal)) if !octal.is_empty() => u32::from_str_radix(octal, digits(octal, 8)?).ok(),
        _ => u32::from_str_radix(text, digits(text, 10)?).ok(),
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
            ("[::1]", Some("0:0:0:0:0:0:0:1"), None, Match::Yes, true),
            ("evil.example", Some("evil.example."), None, Match::Yes, true),
            ("evil.example.", Some("evil.example"), None, Match::Yes, true),
            ("127.0.0.1", Some("127.1"), None, Match::Yes, true),
            ("127.0.0.1", Some("2130706433"), None, Match::Yes, true),
            ("127.0.0.1", Some("0x7f.0.1"), None, Match::Yes, true),
            ("127.0.0.1", Some("0177.0.0.01"), None, Match::Yes, true),
            ("127.0.0.1", Some("::ffff:127.0.0.1"), None, Match::Yes, true),
            ("127.0.0.1", Some("127.0.0.1.evil.example"), None, Match::No, false),
            ("10.0.0.1", Some("10.0.256.1"), None, Match::No, false),
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
