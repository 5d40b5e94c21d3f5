//! Certificates: whom a client that trusts the authority lets in, and whom not.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, Error, RootCertStore, ServerConfig};
use testkit::tls::Authority;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::support::soon;

/// A client that trusts this authority alone.
pub(crate) fn client(authority: &Authority, alpn: &[&[u8]]) -> Arc<ClientConfig> {
    client_as(authority, alpn, None)
}

fn client_as(authority: &Authority, alpn: &[&[u8]], identity: Option<(String, String)>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

pub(crate) fn name(name: &str) -> ServerName<'static> {
    ServerName::try_from(name.to_owned()).unwrap()
}

/// A word there and back: what the client thinks of the server, and the server of the client.
async fn greet(
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    host: &str,
) -> (Result<TlsStream<DuplexStream>, Error>, Result<(), Error>) {
    let (near, far) = duplex(1 << 16);
    let answering = Box::pin(async {
        let mut io = TlsAcceptor::from(server).accept(far).await.map_err(error)?;
        let word = io.read_u8().await.map_err(error)?;
        io.write_all(&[word]).await.map_err(error)?;
        io.flush().await.map_err(error)
    });
    let asking = Box::pin(async {
        let mut io = TlsConnector::from(client).connect(name(host), near).await.map_err(error)?;
        io.write_all(b"?").await.map_err(error)?;
        io.read_u8().await.map_err(error)?;
        Ok(io)
    });
    soon(async { tokio::join!(asking, answering) }).await
}

fn error(error: std::io::Error) -> Error {
    error.downcast().unwrap_or_else(|error| Error::General(error.to_string()))
}

#[tokio::test]
async fn a_server_of_the_authority_is_trusted_by_each_of_its_names_and_no_other() {
    let authority = Authority::new().unwrap();
    let server = authority.server_config(&["localhost", "127.0.0.1"], &[b"h2", b"http/1.1"]).unwrap();
    let trusting = client(&authority, &[b"http/1.1"]);
    for host in ["localhost", "127.0.0.1"] {
        let (io, heard) = greet(Arc::clone(&server), Arc::clone(&trusting), host).await;
        assert_eq!(io.unwrap().get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert_eq!(heard, Ok(()));
    }
    let refused = greet(server, trusting, "model.test").await.0.unwrap_err();
    assert!(matches!(refused, Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })), "{refused}");
}

#[tokio::test]
async fn a_stranger_and_an_expired_server_are_not_trusted() {
    let (authority, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let stranger = other.server_config(&["localhost"], &[]).unwrap();
    let refused = greet(stranger, client(&authority, &[]), "localhost").await.0.unwrap_err();
    assert_eq!(refused, Error::InvalidCertificate(CertificateError::UnknownIssuer));
    let expired = authority.expired_server_config(&["localhost"], &[]).unwrap();
    let refused = greet(expired, client(&authority, &[]), "localhost").await.0.unwrap_err();
    assert!(matches!(refused, Error::InvalidCertificate(CertificateError::ExpiredContext { .. })), "{refused}");
}

#[tokio::test]
async fn a_server_that_demands_clients_lets_in_those_of_its_authority() {
    let (authority, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let server = authority.server_config_with_clients(&["localhost"], &[]).unwrap();
    let known = client_as(&authority, &[], Some(authority.client_certificate("agent").unwrap()));
    let (io, heard) = greet(Arc::clone(&server), known, "localhost").await;
    assert!(io.is_ok() && heard.is_ok(), "{heard:?}");
    let nameless = client(&authority, &[]);
    let stranger = client_as(&authority, &[], Some(other.client_certificate("agent").unwrap()));
    for unknown in [nameless, stranger] {
        let (io, heard) = greet(Arc::clone(&server), unknown, "localhost").await;
        assert!(io.is_err() && heard.is_err(), "{heard:?}");
    }
}
