//! Whom to trust, and who we are: TLS.

mod explain;
mod pem;

use std::sync::Arc;

pub(crate) use explain::{explain, explain_io, within};
pub use pem::{ClientIdentity, Pem, TlsError};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{ClientConfig, ConfigBuilder, WantsVerifier};
use rustls_platform_verifier::Verifier;

use crate::dial::Alpn;

/// What TLS is given beside the authorities of the system.
#[derive(Debug, Clone, Default)]
pub struct TlsSettings {
    /// Authorities to trust as well, as those of a company.
    pub extra_roots: Vec<Pem>,
    /// What is shown to servers that ask who we are.
    pub client: Option<ClientIdentity>,
}

/// TLS as it is spoken with servers and with proxies. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tls {
    // Without authorities all but TLS works, so this is an error only when TLS is asked for.
    configs: Result<Configs, TlsError>,
}

#[derive(Debug, Clone)]
struct Configs {
    http1: Arc<ClientConfig>,
    http2_or_http1: Arc<ClientConfig>,
    proxy: Arc<ClientConfig>,
}

const HTTP1: &[u8] = b"http/1.1";
pub(crate) const HTTP2: &[u8] = b"h2";

impl Tls {
    /// Trusts what the system trusts, and the extra roots. Reads the system's authorities from disk, on Linux those of
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` in their place where these are set.
    pub fn new(settings: &TlsSettings) -> Result<Self, TlsError> {
        let mut roots = Vec::new();
        for source in &settings.extra_roots {
            roots.extend(pem::roots(source)?);
        }
        let client = settings.client.as_ref().map(pem::client).transpose()?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match Verifier::new_with_extra_roots(roots, Arc::clone(&provider)) {
            Ok(verifier) => Arc::new(verifier),
            Err(error) => return Ok(Self { configs: Err(TlsError::NoAuthorities(error.to_string().into())) }),
        };
        let config = |protocols: &[&[u8]], client: Option<&pem::Client>| {
            let builder = builder(&provider)?.dangerous().with_custom_certificate_verifier(Arc::clone(&verifier));
            let mut config = match client {
                Some(client) => client.give(builder)?,
                None => builder.with_no_client_auth(),
            };
            config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
            Ok(Arc::new(config))
        };
        let configs = Configs {
            http1: config(&[HTTP1], client.as_ref())?,
            http2_or_http1: config(&[HTTP2, HTTP1], client.as_ref())?,
            // Who we are is the server's business.
            proxy: config(&[HTTP1], None)?,
        };
        Ok(Self { configs: Ok(configs) })
    }

    pub(crate) fn for_server(&self, alpn: Alpn) -> Result<Arc<ClientConfig>, TlsError> {
        let configs = self.configs.as_ref().map_err(Clone::clone)?;
        Ok(Arc::clone(match alpn {
            Alpn::Http1 => &configs.http1,
            Alpn::Http2OrHttp1 => &configs.http2_or_http1,
        }))
    }

    pub(crate) fn for_proxy(&self) -> Result<Arc<ClientConfig>, TlsError> {
        self.configs.as_ref().map(|configs| Arc::clone(&configs.proxy)).map_err(Clone::clone)
    }
}

fn builder(provider: &Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TlsError> {
    ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Provider(error.to_string().into()))
}

#[cfg(test)]
mod tests;
