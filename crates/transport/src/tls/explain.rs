//! What a failed handshake means, and what to do about it.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// What a handshake with this server or proxy failed of.
pub(crate) fn explain_io(error: &io::Error, who: &str) -> String {
    match within(error) {
        Some(error) => explain(error, who),
        None => {
            let words = crate::dial::words(error);
            format!(
                "{words} during the TLS handshake with {who}: something on the way may forbid it, or it speaks no TLS there"
            )
        }
    }
}

/// The error of TLS that others are made of.
pub(crate) fn within<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found);
        }
        // What an I/O error holds is not its source, but itself.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

pub(crate) fn explain(error: &Error, who: &str) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error, who),
        Error::AlertReceived(alert) => refused(*alert, who),
        Error::InvalidMessage(_) => {
            format!("{who} answers, but not with TLS: check the port, and whether the URL begins with http:// there")
        }
        Error::PeerIncompatible(_) => {
            format!("{who} speaks no TLS that is spoken here, which is 1.2 and 1.3 ({error})")
        }
        _ => format!("the TLS handshake with {who} failed: {error}"),
    }
}

fn certificate(error: &CertificateError, who: &str) -> String {
    match error {
        CertificateError::UnknownIssuer => format!(
            "the certificate of {who} is from an issuer that is not known here: set CAPSTAN_CA_CERTIFICATE to the PEM file of \
             your company's root (SSL_CERT_FILE and SSL_CERT_DIR, where set, replace the system's roots)"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!(
                "the certificate of {who} has expired: check the clock of this machine, or have the certificate renewed"
            )
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the certificate of {who} is not valid yet: check the clock of this machine")
        }
        CertificateError::NotValidForName => {
            format!("the certificate of {who} is for another name: check the host in the URL")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<_> = presented.iter().take(MAX_NAMES).map(String::as_str).collect();
            let more = if presented.len() > MAX_NAMES { ", …" } else { "" };
            format!(
                "the certificate of {who} is for other names ({}{more}): check the host in the URL",
                names.join(", ")
            )
        }
        CertificateError::Revoked => format!("the certificate of {who} was revoked: do not trust it"),
        _ => format!("the certificate of {who} is not accepted: {error}"),
    }
}

/// How many names of a certificate are shown.
const MAX_NAMES: usize = 5;

/// What the other end says when it wants no more of it.
fn refused(alert: AlertDescription, who: &str) -> String {
    use AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired | Alert::NoCertificate => {
            format!("{who} wants a client certificate: set one, with its key, in the settings of this provider")
        }
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::DecryptError
        | Alert::AccessDenied => {
            format!(
                "{who} does not accept the client certificate ({alert:?}): check which one it is and how long it is valid"
            )
        }
        Alert::HandshakeFailure => {
            format!(
                "{who} ends the TLS handshake: it may want a client certificate, or ciphers that are not spoken here"
            )
        }
        Alert::ProtocolVersion => format!("{who} speaks no TLS that is spoken here, which is 1.2 and 1.3"),
        Alert::NoApplicationProtocol => format!("{who} speaks none of the offered HTTP versions over TLS"),
        Alert::UnrecognisedName => format!("{who} does not know its own name: check the host in the URL"),
        _ => format!("{who} ends the TLS handshake with the alert {alert:?}"),
    }
}
