//! Which proxy for which server.
//!
//! Everything goes through a proxy in one way: a tunnel. An `http://` server is reached by CONNECT as well, because a
//! WebSocket needs a tunnel, and two ways would be two sets of faults.

mod bypass;
pub(crate) mod connect;
pub(crate) mod socks;
mod url;

use std::fmt;

use bypass::Bypass;
pub use url::{ProxyError, ProxyUrlError};

use crate::dial::{Origin, authority};

/// What is spoken with a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProxyScheme {
    /// HTTP CONNECT.
    Http,
    /// HTTP CONNECT, over TLS.
    Https,
    /// SOCKS5; names are resolved here.
    Socks5,
    /// SOCKS5; names are resolved by the proxy.
    Socks5h,
}

impl ProxyScheme {
    const ALL: [Self; 4] = [Self::Http, Self::Https, Self::Socks5, Self::Socks5h];

    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks5 | Self::Socks5h => 1080,
        }
    }
}

/// A user name and a password. They are bytes, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(crate) user: Box<[u8]>,
    pub(crate) password: Box<[u8]>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}

/// A proxy. Shown as a URL without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// What it speaks.
    pub scheme: ProxyScheme,
    /// Its name or address, without brackets.
    pub host: Box<str>,
    /// Its port.
    pub port: u16,
    /// What it is told of who asks.
    pub credentials: Option<Credentials>,
    /// The variable that named it.
    pub variable: &'static str,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), authority(&self.host, self.port))
    }
}

/// The proxies of an environment.
///
/// As curl has it: lower case wins over upper case, what is empty is not set, and `localhost` goes through the proxy
/// like all else unless `NO_PROXY` names it. `wss` counts as `https`, and `ws` as `http`.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    tls: Option<Proxy>,
    plain: Option<Proxy>,
    bypass: Bypass,
}

const FOR_TLS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const FOR_PLAIN: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const FOR_NONE: [&str; 2] = ["no_proxy", "NO_PROXY"];

impl Proxies {
    /// Everything goes directly.
    pub fn none() -> Self {
        Self::default()
    }

    /// What these variables say. Those of other names are skipped.
    pub fn from_variables<N: AsRef<str>, V: AsRef<str>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ProxyError> {
        let variables: Vec<_> = variables.into_iter().collect();
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let (_, value) = variables.iter().find(|(known, _)| known.as_ref() == *name)?;
                let value = value.as_ref().trim();
                (!value.is_empty()).then_some((*name, value))
            })
        };
        let proxy = |names| first(names).map(|(name, value)| url::parse(name, value)).transpose();
        Ok(Self {
            tls: proxy(&FOR_TLS)?,
            plain: proxy(&FOR_PLAIN)?,
            bypass: first(&FOR_NONE).map(|(_, value)| Bypass::parse(value)).unwrap_or_default(),
        })
    }

    /// Which proxy leads to this server. None is the direct way.
    pub fn proxy_for(&self, to: &Origin) -> Option<&Proxy> {
        let proxy = if to.tls { &self.tls } else { &self.plain };
        proxy.as_ref().filter(|_| !self.bypass.covers(to))
    }
}

#[cfg(test)]
mod tests;
