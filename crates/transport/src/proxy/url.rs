//! The address of a proxy, as people write it.

use std::net::Ipv6Addr;

use super::{Credentials, Proxy, ProxyScheme};

/// A variable that names no usable proxy. Its value is not shown: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is not the address of a proxy: {error}")]
pub struct ProxyError {
    /// Which variable.
    pub variable: &'static str,
    /// What is wrong with it.
    #[source]
    pub error: ProxyUrlError,
}

/// What is wrong with the address of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyUrlError {
    /// SOCKS before version 5.
    #[error("SOCKS4 is not supported: use socks5:// or socks5h://")]
    Socks4,
    /// Anything else that is no proxy.
    #[error("its scheme is not known: use http://, https://, socks5:// or socks5h://")]
    Scheme,
    /// Nothing where the host should be, or something that cannot be one.
    #[error("it has no valid host: write it as http://host:port")]
    Host,
    /// An IPv6 address whose colons could be the port's.
    #[error("an IPv6 address needs brackets: write it as http://[address]:port")]
    Brackets,
    /// No port, or not a number from 1 to 65535.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// Longer than SOCKS5 can say.
    #[error("user name and password of a SOCKS5 proxy have at most 255 bytes each, and the name at least one")]
    Length,
    /// HTTP separates the user name from the password by a colon.
    #[error("the user name of an HTTP proxy cannot hold a colon")]
    Colon,
}

/// The longest user name or password of RFC 1929.
const MAX_SOCKS_FIELD: usize = 255;

/// The proxy that a variable names. A password may hold anything: the last `@` ends it.
pub(super) fn parse(variable: &'static str, value: &str) -> Result<Proxy, ProxyError> {
    read(variable, value).map_err(|error| ProxyError { variable, error })
}

fn read(variable: &'static str, value: &str) -> Result<Proxy, ProxyUrlError> {
    let (scheme, rest) = match value.split_once("://") {
        Some((name, rest)) => (scheme(name)?, rest),
        None => (ProxyScheme::Http, value),
    };
    let (credentials, place) = match rest.rsplit_once('@') {
        Some((credentials, place)) => (read_credentials(scheme, credentials)?, place),
        None => (None, rest),
    };
    let place = place.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = read_place(place)?;
    let port = port.map_or(Ok(scheme.default_port()), read_port)?;
    Ok(Proxy { scheme, host, port, credentials, variable })
}

fn scheme(name: &str) -> Result<ProxyScheme, ProxyUrlError> {
    let name = name.to_ascii_lowercase();
    match ProxyScheme::ALL.into_iter().find(|scheme| scheme.name() == name) {
        Some(scheme) => Ok(scheme),
        None if name.starts_with("socks4") => Err(ProxyUrlError::Socks4),
        None => Err(ProxyUrlError::Scheme),
    }
}

fn read_credentials(scheme: ProxyScheme, text: &str) -> Result<Option<Credentials>, ProxyUrlError> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let (user, password) = (percent_decoded(user), percent_decoded(password));
    if user.is_empty() && password.is_empty() {
        return Ok(None);
    }
    match scheme {
        ProxyScheme::Http | ProxyScheme::Https if user.contains(&b':') => return Err(ProxyUrlError::Colon),
        ProxyScheme::Socks5 | ProxyScheme::Socks5h
            if user.is_empty() || user.len().max(password.len()) > MAX_SOCKS_FIELD =>
        {
            return Err(ProxyUrlError::Length);
        }
        _ => {}
    }
    Ok(Some(Credentials { user: user.into(), password: password.into() }))
}

fn read_place(place: &str) -> Result<(Box<str>, Option<&str>), ProxyUrlError> {
    if let Some(inside) = place.strip_prefix('[') {
        let (host, rest) = inside.split_once(']').ok_or(ProxyUrlError::Host)?;
        let address: Ipv6Addr = host.parse().map_err(|_| ProxyUrlError::Host)?;
        let port = match rest {
            "" => None,
            rest => Some(rest.strip_prefix(':').ok_or(ProxyUrlError::Port)?),
        };
        return Ok((address.to_string().into(), port));
    }
    let (host, port) = match place.split_once(':') {
        Some((_, port)) if port.contains(':') => return Err(ProxyUrlError::Brackets),
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    };
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte) || !byte.is_ascii();
    if host.is_empty() || !host.bytes().all(valid) {
        return Err(ProxyUrlError::Host);
    }
    Ok((host.to_ascii_lowercase().into(), port))
}

fn read_port(text: &str) -> Result<u16, ProxyUrlError> {
    // `parse` would take a plus sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0).ok_or(ProxyUrlError::Port)
}

/// `%2F` is a slash. A percent sign without two digits stands for itself, as people do not always write `%25`.
fn percent_decoded(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut decoded = Vec::with_capacity(rest.len());
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = escaped(rest).unwrap_or((byte, after));
        decoded.push(byte);
        rest = after;
    }
    decoded
}

fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, after) = text.strip_prefix(b"%")?.split_at_checked(2)?;
    let byte = data_encoding::HEXLOWER_PERMISSIVE.decode(digits).ok()?;
    Some((*byte.first()?, after))
}
