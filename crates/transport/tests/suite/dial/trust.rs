//! Authorities of the system, and a machine that has none.

use std::process::Command;

use responses::chain::TroubleKind;
use testkit::tls::Authority;
use transport::proxy::Proxies;
use transport::tls::{Tls, TlsSettings};

use super::network::Names;
use super::target::{Speaks, Target, exchange};
use super::{H1, NAME, NAMES, dial, named, trusting};

/// Runs a test of this file in a process of its own, where the system's authorities are to come from this file.
fn alone_with_authorities_from(file: &str, test: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .env("SSL_CERT_FILE", file)
        .env_remove("SSL_CERT_DIR")
        .args(["--ignored", "--exact", &format!("dial::trust::{test}")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_authorities_reaches_whom_it_is_told_to_trust() {
    alone_with_authorities_from("/nowhere/roots.pem", "the_extra_root_is_enough");
}

#[tokio::test]
#[ignore = "needs a machine without authorities: the test above makes one"]
async fn the_extra_root_is_enough() {
    let authority = Authority::new().unwrap();
    let config = authority.server_config(&NAMES, &[H1]).unwrap();
    let target = Target::start(Some(config), Speaks::Http1).await;
    let dial = dial(&Names::of(NAME, &[target.address]), Proxies::none(), trusting(&authority));
    let dialed = dial.dial(&named(true, target.address), Speaks::Http1.alpn()).await.unwrap();
    assert_eq!(exchange(dialed, Speaks::Http1).await.unwrap(), "HTTP/1.1 /word");
}

#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_any_authority_can_do_all_but_tls() {
    alone_with_authorities_from("/nowhere/roots.pem", "tls_alone_fails");
}

#[tokio::test]
#[ignore = "needs a machine without authorities: the test above makes one"]
async fn tls_alone_fails() {
    let target = Target::start(None, Speaks::Http1).await;
    let tls = Tls::new(&TlsSettings::default()).unwrap();
    let dial = dial(&Names::of(NAME, &[target.address]), Proxies::none(), tls);
    let dialed = dial.dial(&named(false, target.address), Speaks::Http1.alpn()).await.unwrap();
    assert_eq!(exchange(dialed, Speaks::Http1).await.unwrap(), "HTTP/1.1 /word");
    let error = dial.dial(&named(true, target.address), Speaks::Http1.alpn()).await.unwrap_err();
    assert_eq!(error.kind(), TroubleKind::Tls);
    for part in ["this machine knows no certificate authority", "CAPSTAN_CA_CERTIFICATE", "SSL_CERT_FILE"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}
