//! `NO_PROXY`: what goes directly although there is a proxy.

use std::net::IpAddr;

use crate::dial::Origin;

/// The entries of `NO_PROXY`. One that makes no sense covers nothing: other programs read the same variable, and understand
/// other things.
#[derive(Debug, Clone, Default)]
pub(super) struct Bypass {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone)]
enum Host {
    Any,
    /// A domain and all below it.
    Domain(Box<str>),
    /// Addresses with the same first bits. A name is not resolved to find out.
    Net(IpAddr, u8),
}

impl Bypass {
    pub(super) fn parse(text: &str) -> Self {
        let words = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
        Self { entries: words.filter_map(Entry::parse).collect() }
    }

    pub(super) fn covers(&self, to: &Origin) -> bool {
        self.entries.iter().any(|entry| entry.port.is_none_or(|port| port == to.port) && entry.host.covers(to))
    }
}

impl Entry {
    fn parse(word: &str) -> Option<Self> {
        if let Some(host) = Host::parse(word) {
            return Some(Self { host, port: None });
        }
        let (host, port) = word.rsplit_once(':')?;
        Some(Self { host: Host::parse(host)?, port: Some(port.parse().ok()?) })
    }
}

impl Host {
    fn parse(word: &str) -> Option<Self> {
        let address = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
        if let Ok(address) = address.parse::<IpAddr>() {
            return Some(Self::Net(address.to_canonical(), width(address.to_canonical())));
        }
        if let Some((net, bits)) = word.split_once('/') {
            let net: IpAddr = net.parse().ok()?;
            let bits = bits.parse().ok().filter(|bits| *bits <= width(net))?;
            return Some(Self::Net(net, bits));
        }
        let domain = word.strip_prefix("*.").unwrap_or(word).trim_matches('.');
        match word {
            "*" => Some(Self::Any),
            _ if domain.is_empty() || word.contains(':') => None,
            _ => Some(Self::Domain(domain.to_ascii_lowercase().into())),
        }
    }

    fn covers(&self, to: &Origin) -> bool {
        match (self, to.address()) {
            (Self::Any, _) => true,
            (Self::Net(net, bits), Some(address)) => same_net(*net, address.to_canonical(), *bits),
            (Self::Domain(domain), None) => {
                let host = to.host.trim_end_matches('.');
                host.strip_suffix(&**domain).is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            (Self::Net(..), None) | (Self::Domain(_), Some(_)) => false,
        }
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn same_net(net: IpAddr, address: IpAddr, bits: u8) -> bool {
    // A shift by the whole width is no shift at all for the machine: zero bits are equal in any case.
    let first = |value: u128, width: u8| value.checked_shr(u32::from(width - bits)).unwrap_or(0);
    match (net, address) {
        (IpAddr::V4(net), IpAddr::V4(address)) => {
            first(u128::from(net.to_bits()), 32) == first(u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(net), IpAddr::V6(address)) => first(net.to_bits(), 128) == first(address.to_bits(), 128),
        _ => false,
    }
}
