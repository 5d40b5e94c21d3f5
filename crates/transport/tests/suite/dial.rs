//! One way out: every proxy, every protocol, over real sockets; and every way to fail.

mod failures;
mod network;
mod route;
mod target;
mod trust;

use std::net::SocketAddr;
use std::sync::Arc;

use network::Names;
use testkit::tls::Authority;
use transport::dial::{Dial, DialLimits, Origin};
use transport::proxy::Proxies;
use transport::tls::{ClientIdentity, Pem, Tls, TlsSettings};

/// The name of every target. The system does not know it.
pub(crate) const NAME: &str = "model.test";
pub(crate) const NAMES: [&str; 2] = [NAME, "127.0.0.1"];
const H1: &[u8] = b"http/1.1";
const H2: &[u8] = b"h2";

pub(crate) fn pem(name: &str, text: &str) -> Pem {
    Pem { name: name.into(), bytes: text.as_bytes().into() }
}

/// TLS that trusts this authority as well.
pub(crate) fn trusting(authority: &Authority) -> Tls {
    let extra_roots = vec![pem("company.pem", &authority.certificate_pem())];
    Tls::new(&TlsSettings { extra_roots, client: None }).unwrap()
}

/// The same, and the other end may ask who we are.
pub(crate) fn trusting_as(authority: &Authority, from: &Authority) -> Tls {
    let (certificate, key) = from.client_certificate("agent").unwrap();
    let client = ClientIdentity { certificate: pem("me.pem", &certificate), key: pem("me.key", &key) };
    let extra_roots = vec![pem("company.pem", &authority.certificate_pem())];
    Tls::new(&TlsSettings { extra_roots, client: Some(client) }).unwrap()
}

pub(crate) fn proxies(variables: &[(&str, &str)]) -> Proxies {
    Proxies::from_variables(variables.iter().copied()).unwrap()
}

pub(crate) fn dial(names: &Arc<Names>, proxies: Proxies, tls: Tls) -> Dial {
    Dial::new(Arc::clone(names) as _, proxies, tls)
}

/// The same, with other bounds.
pub(crate) fn bounded(names: &Arc<Names>, proxies: Proxies, tls: Tls, limits: DialLimits) -> Dial {
    Dial::with_limits(Arc::clone(names) as _, proxies, tls, limits)
}

/// The target by its name.
pub(crate) fn named(tls: bool, address: SocketAddr) -> Origin {
    Origin { tls, host: NAME.into(), port: address.port() }
}
