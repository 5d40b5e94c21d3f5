//! Where a URL leads.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use hyper::Uri;

/// A server, and whether it is spoken to over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// `https` and `wss`, in contrast to `http` and `ws`.
    pub tls: bool,
    /// A name in lower case, or an address without brackets.
    pub host: Box<str>,
    /// The port, also where the URL leaves it to the scheme.
    pub port: u16,
}

/// Why a URL leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It is a path, or a host without `https://`.
    #[error("the URL has no scheme: begin it with https://, http://, wss:// or ws://")]
    NoScheme,
    /// It is for something else.
    #[error("the scheme `{0}` is not for a model server: use https://, http://, wss:// or ws://")]
    Scheme(Box<str>),
    /// It has a scheme and no server.
    #[error("the URL has no host")]
    NoHost,
    /// In brackets there must be an address.
    #[error("`{0}` is not an IPv6 address")]
    Address(Box<str>),
}

impl Origin {
    /// Where this URL leads.
    pub fn of(uri: &Uri) -> Result<Self, OriginError> {
        let tls = match uri.scheme_str().ok_or(OriginError::NoScheme)? {
            "https" | "wss" => true,
            "http" | "ws" => false,
            other => return Err(OriginError::Scheme(other.into())),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(OriginError::NoHost)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inside) => {
                let address: Ipv6Addr = inside.parse().map_err(|_| OriginError::Address(inside.into()))?;
                address.to_string()
            }
            None => host.to_ascii_lowercase(),
        };
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { tls, host: host.into(), port })
    }

    /// The address, if the host is one and no name has to be resolved.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// Host and port, as they stand in a URL.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&authority(&self.host, self.port))
    }
}

/// Host and port; an IPv6 address gets brackets.
pub(crate) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Result<Origin, OriginError> {
        Origin::of(&url.parse().unwrap())
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_of_a_url() {
        let table = [
            ("https://api.openai.com/v1", true, "api.openai.com", 443, "api.openai.com:443"),
            ("http://localhost:8080/v1/responses", false, "localhost", 8080, "localhost:8080"),
            ("wss://api.openai.com/v1/responses?x=1", true, "api.openai.com", 443, "api.openai.com:443"),
            ("ws://host", false, "host", 80, "host:80"),
            ("HTTPS://API.OpenAI.com", true, "api.openai.com", 443, "api.openai.com:443"),
            ("https://10.1.2.3:8443", true, "10.1.2.3", 8443, "10.1.2.3:8443"),
            ("https://[::1]/v1", true, "::1", 443, "[::1]:443"),
            ("http://[2001:DB8:0:0:0:0:0:7]:81", false, "2001:db8::7", 81, "[2001:db8::7]:81"),
            ("https://user:secret@host/v1", true, "host", 443, "host:443"),
        ];
        for (url, tls, host, port, shown) in table {
            let origin = of(url).unwrap();
            assert_eq!(origin, Origin { tls, host: host.into(), port }, "{url}");
            assert_eq!(origin.to_string(), shown);
        }
    }

    #[test]
    fn a_url_that_leads_nowhere_is_refused() {
        assert_eq!(of("/v1/responses"), Err(OriginError::NoScheme));
        assert_eq!(of("api.openai.com"), Err(OriginError::NoScheme));
        assert_eq!(of("ftp://host/file"), Err(OriginError::Scheme("ftp".into())));
        assert_eq!(of("https://[fe80]/"), Err(OriginError::Address("fe80".into())));
    }

    #[test]
    fn an_address_is_known_as_one() {
        assert_eq!(of("https://[::1]").unwrap().address(), Some("::1".parse().unwrap()));
        assert_eq!(of("https://10.0.0.1").unwrap().address(), Some("10.0.0.1".parse().unwrap()));
        assert_eq!(of("https://ten.example").unwrap().address(), None);
    }
}
