//! Certificates for tests, made in memory: an authority, and the servers and clients it vouches for.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{WebPkiClientVerifier, danger::ClientCertVerifier};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a client has for its part of a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A certificate authority that nobody trusts, besides clients that are told to.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// An authority with a key of its own. No two are the same.
    pub fn new() -> io::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        // Two authorities of one name would be taken for one with a wrong signature.
        let name = format!("testkit authority {}", HEXLOWER.encode(&params.key_identifier(&key)));
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        Ok(Self { issuer })
    }

    /// What a client is given to trust it.
    pub fn certificate_pem(&self) -> String {
        self.issuer.pem()
    }

    /// A server of these DNS names and IP addresses, which speaks these protocols.
    pub fn server_config(&self, names: &[&str], alpn: &[&[u8]]) -> io::Result<Arc<ServerConfig>> {
        self.server(names, alpn, Validity::Now, WebPkiClientVerifier::no_client_auth())
    }

    /// The same with a certificate that was valid once.
    pub fn expired_server_config(&self, names: &[&str], alpn: &[&[u8]]) -> io::Result<Arc<ServerConfig>> {
        self.server(names, alpn, Validity::Past, WebPkiClientVerifier::no_client_auth())
    }

    /// The same, and only clients with a certificate of this authority are let in.
    pub fn server_config_with_clients(&self, names: &[&str], alpn: &[&[u8]]) -> io::Result<Arc<ServerConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).map_err(io::Error::other)?;
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
        self.server(names, alpn, Validity::Now, clients.build().map_err(io::Error::other)?)
    }

    /// The certificate of a client and its key, both PEM.
    pub fn client_certificate(&self, name: &str) -> io::Result<(String, String)> {
        let leaf = self.leaf(&[name], Validity::Now, ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok((leaf.certificate.pem(), leaf.key.serialize_pem()))
    }

    fn server(
        &self,
        names: &[&str],
        alpn: &[&[u8]],
        validity: Validity,
        clients: Arc<dyn ClientCertVerifier>,
    ) -> io::Result<Arc<ServerConfig>> {
        let leaf = self.leaf(names, validity, ExtendedKeyUsagePurpose::ServerAuth)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.key.serialize_der()));
        let builder = ServerConfig::builder_with_provider(provider());
        let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
        let builder = builder.with_client_cert_verifier(clients);
        let mut config =
            builder.with_single_cert(vec![leaf.certificate.der().clone()], key).map_err(io::Error::other)?;
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }

    fn leaf(&self, names: &[&str], validity: Validity, usage: ExtendedKeyUsagePurpose) -> io::Result<Leaf> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, "testkit leaf");
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        if let Validity::Past = validity {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        Ok(Leaf { certificate, key })
    }
}

#[derive(Clone, Copy)]
enum Validity {
    Now,
    Past,
}

struct Leaf {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The server's part of a handshake.
pub(crate) async fn accept<S>(config: Arc<ServerConfig>, io: S) -> io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    tokio::time::timeout(HANDSHAKE, TlsAcceptor::from(config).accept(io)).await?
}
