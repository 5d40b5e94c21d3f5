//! Settings of TLS that cannot be used, and what is said of them.

use testkit::tls::Authority;

use super::*;

fn pem(name: &str, text: &str) -> Pem {
    Pem { name: name.into(), bytes: text.as_bytes().into() }
}

fn with_root(text: &str) -> Result<Tls, TlsError> {
    Tls::new(&TlsSettings { extra_roots: vec![pem("company.pem", text)], client: None })
}

fn with_client(certificate: &str, key: &str) -> Result<Tls, TlsError> {
    let client = ClientIdentity { certificate: pem("me.pem", certificate), key: pem("me.key", key) };
    Tls::new(&TlsSettings { extra_roots: Vec::new(), client: Some(client) })
}

#[test]
fn a_file_of_authorities_may_hold_many_and_other_things() {
    let (one, two) = (Authority::new().unwrap(), Authority::new().unwrap());
    let (_, key) = one.client_certificate("agent").unwrap();
    let text = format!("# ours\n{}\n{key}\n{}", one.certificate_pem(), two.certificate_pem());
    assert!(with_root(&text).is_ok());
    let roots = pem::roots(&pem("company.pem", &text)).unwrap();
    assert_eq!(roots.len(), 2);
}

#[test]
fn a_file_without_authorities_is_named() {
    let authority = Authority::new().unwrap();
    let (_, key) = authority.client_certificate("agent").unwrap();
    let whole = authority.certificate_pem();
    let (cut, _) = whole.split_once("-----END").unwrap();
    let table = [
        ("", "company.pem is not a PEM file: it needs a line -----BEGIN CERTIFICATE-----"),
        ("\u{30}\u{82}\u{1}", "company.pem is not a PEM file"),
        (&key, "company.pem holds no CERTIFICATE"),
        (cut, "company.pem is damaged: a section has no END line"),
        (
            "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
            "company.pem is damaged: what is between BEGIN and END is not base64",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "company.pem is damaged: a certificate in it cannot be read",
        ),
    ];
    for (text, expected) in table {
        let error = with_root(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_certificate_and_its_key_belong_together() {
    let authority = Authority::new().unwrap();
    let (certificate, key) = authority.client_certificate("agent").unwrap();
    let (other, other_key) = authority.client_certificate("other").unwrap();
    let both = format!("{certificate}{key}");
    assert!(with_client(&certificate, &key).is_ok());
    assert!(with_client(&both, &both).is_ok());
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let table = [
        (&*certificate, &*other_key, "the key in me.key does not belong to the first certificate in me.pem"),
        (&other, &key, "the key in me.key does not belong to the first certificate in me.pem"),
        (&certificate, &certificate, "me.key holds no PRIVATE KEY"),
        (&certificate, "secret", "me.key is not a PEM file: it needs a line -----BEGIN PRIVATE KEY-----"),
        (&certificate, &encrypted, "the key in me.key is encrypted: remove its pass phrase"),
        (&certificate, garbage, "me.key is damaged: its key is of no kind that is known here"),
        (&key, &key, "me.pem holds no CERTIFICATE"),
        (broken, &key, "me.pem is damaged: a certificate in it cannot be read"),
    ];
    for (certificate, key, expected) in table {
        let error = with_client(certificate, key).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn who_we_are_is_shown_to_servers_and_not_to_proxies() {
    let (certificate, key) = Authority::new().unwrap().client_certificate("agent").unwrap();
    let tls = with_client(&certificate, &key).unwrap();
    for alpn in [Alpn::Http1, Alpn::Http2OrHttp1] {
        assert!(tls.for_server(alpn).unwrap().client_auth_cert_resolver.has_certs());
    }
    assert!(!tls.for_proxy().unwrap().client_auth_cert_resolver.has_certs());
}

#[test]
fn what_is_in_a_file_is_not_shown() {
    let shown = format!("{:?}", pem("me.key", "secret"));
    assert_eq!(shown, r#"Pem { name: "me.key", .. }"#);
}
