//! How long reaching a server may take.

use std::time::Duration;

/// The bounds of a dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialLimits {
    /// All of it together, whatever the steps are allowed.
    pub total: Duration,
    /// Until a name is resolved.
    pub resolve: Duration,
    /// Until an address takes a connection.
    pub tcp: Duration,
    /// Until the next address is tried beside one that says nothing.
    pub stagger: Duration,
    /// How many addresses of a name are tried.
    pub addresses: usize,
    /// Until a proxy has opened the way. It has to connect as well, so it gets longer than an address.
    pub proxy: Duration,
    /// Until a TLS handshake is done.
    pub tls: Duration,
}

impl Default for DialLimits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(15),
            resolve: Duration::from_secs(5),
            tcp: Duration::from_secs(5),
            stagger: Duration::from_millis(250),
            addresses: 8,
            proxy: Duration::from_secs(10),
            tls: Duration::from_secs(10),
        }
    }
}
