//! Certificates and keys as people keep them: PEM files.

use std::fmt;

use rustls::client::WantsClientCert;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, Error, RootCertStore};

/// The contents of a PEM file. Only its name is shown: it may hold a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    /// Where it is from: a path, and the variable or setting that names it.
    pub name: Box<str>,
    /// What is in it.
    pub bytes: Box<[u8]>,
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pem").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A certificate that says who we are, and its key. Both may be in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate, followed by those that lead to an authority.
    pub certificate: Pem,
    /// Its private key.
    pub key: Pem,
}

/// Why TLS cannot be had with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The file has another format.
    #[error("{name} is not a PEM file: it needs a line -----BEGIN {wanted}-----")]
    NotPem {
        /// Which file.
        name: Box<str>,
        /// What should be in it.
        wanted: &'static str,
    },
    /// The file has other things in it.
    #[error("{name} holds no {wanted}: it needs a line -----BEGIN {wanted}-----")]
    Nothing {
        /// Which file.
        name: Box<str>,
        /// What should be in it.
        wanted: &'static str,
    },
    /// The key is behind a pass phrase.
    #[error(
        "the key in {name} is encrypted: remove its pass phrase, for example with `openssl pkey -in FILE -out FILE`"
    )]
    Encrypted {
        /// Which file.
        name: Box<str>,
    },
    /// Something in the file is broken.
    #[error("{name} is damaged: {why}")]
    Damaged {
        /// Which file.
        name: Box<str>,
        /// What the reader said.
        why: Box<str>,
    },
    /// Key and certificate are not a pair.
    #[error("the key in {key} does not belong to the first certificate in {certificate}")]
    NotAPair {
        /// Where the certificate is from.
        certificate: Box<str>,
        /// Where the key is from.
        key: Box<str>,
    },
    /// Nobody can be trusted.
    #[error(
        "this machine knows no certificate authority ({0}): install ca-certificates, or set CAPSTAN_CA_CERTIFICATE to a \
         PEM file of authorities; SSL_CERT_FILE and SSL_CERT_DIR replace those of the system, so check them if they are set"
    )]
    NoAuthorities(Box<str>),
    /// The cryptography of this build is not complete.
    #[error("TLS is not available in this build: {0}")]
    Provider(Box<str>),
}

const CERTIFICATE: &str = "CERTIFICATE";
const KEY: &str = "PRIVATE KEY";

/// The authorities in a file.
pub(super) fn roots(source: &Pem) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let roots = certificates(source)?;
    let mut store = RootCertStore::empty();
    for root in &roots {
        store.add(root.clone()).map_err(|_| damaged(source, "a certificate in it cannot be read"))?;
    }
    Ok(roots)
}

/// Who we are, as it is shown.
pub(super) struct Client {
    names: [Box<str>; 2],
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

pub(super) fn client(identity: &ClientIdentity) -> Result<Client, TlsError> {
    let ClientIdentity { certificate, key: source } = identity;
    let chain = certificates(certificate)?;
    let key = match PrivateKeyDer::from_pem_slice(&source.bytes) {
        Ok(key) => key,
        Err(_) if contains(&source.bytes, b"ENCRYPTED") => {
            return Err(TlsError::Encrypted { name: source.name.clone() });
        }
        Err(pem::Error::NoItemsFound) => return Err(nothing(source, KEY)),
        Err(error) => return Err(damaged(source, words(&error))),
    };
    Ok(Client { names: [certificate.name.clone(), source.name.clone()], chain, key })
}

impl Client {
    pub(super) fn give(&self, builder: ConfigBuilder<ClientConfig, WantsClientCert>) -> Result<ClientConfig, TlsError> {
        let [certificate, key] = self.names.clone();
        builder.with_client_auth_cert(self.chain.clone(), self.key.clone_key()).map_err(|error| match error {
            Error::InconsistentKeys(_) => TlsError::NotAPair { certificate, key },
            Error::InvalidCertificate(_) => {
                TlsError::Damaged { name: certificate, why: "a certificate in it cannot be read".into() }
            }
            _ => TlsError::Damaged { name: key, why: "its key is of no kind that is known here".into() },
        })
    }
}

fn certificates(source: &Pem) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&source.bytes).collect();
    let found = found.map_err(|error| damaged(source, words(&error)))?;
    if found.is_empty() { Err(nothing(source, CERTIFICATE)) } else { Ok(found) }
}

fn nothing(source: &Pem, wanted: &'static str) -> TlsError {
    let name = source.name.clone();
    if contains(&source.bytes, b"-----BEGIN ") {
        TlsError::Nothing { name, wanted }
    } else {
        TlsError::NotPem { name, wanted }
    }
}

fn damaged(source: &Pem, why: &str) -> TlsError {
    TlsError::Damaged { name: source.name.clone(), why: why.into() }
}

/// What is wrong with a file, without any of it.
fn words(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no END line",
        pem::Error::IllegalSectionStart { .. } => "a BEGIN line is malformed",
        pem::Error::Base64Decode(_) => "what is between BEGIN and END is not base64",
        _ => "it cannot be read",
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
