//! The way to a provider as `capstan probe` shows it: proxies, certificates.

use testkit::proxy::{Proxy, RunningProxy};
use testkit::tls::Authority;

use crate::support::{Room, model, running, secure, without_times};

fn through(proxy: &RunningProxy, room: Room) -> Room {
    room.with("HTTP_PROXY", &format!("http://alice:planted-password@{}", proxy.address()))
}

#[tokio::test]
async fn a_proxy_is_on_the_route_without_its_credentials() {
    let model = running().await;
    let proxy = Proxy::http().with_credentials("alice", "planted-password").start_loopback().await.unwrap();
    let room = through(&proxy, Room::new().at(&model));
    let ran = room.run(&["probe"]).await;
    let expected =
        format!("           through http://{0} to {0}: name T ms, connection T ms, proxy T ms\n", proxy.address());
    assert_eq!(without_times(&ran.stdout).matches(&expected).count(), 2, "{}", ran.stdout);
    assert!(!ran.stdout.contains("alice"), "{}", ran.stdout);
    assert_eq!((ran.code, ran.conclusion()), (Some(0), "works: turns go over the WebSocket"));
    assert!(proxy.asked().iter().all(|asked| asked.authenticated) && !proxy.asked().is_empty());
}

#[tokio::test]
async fn a_server_named_in_no_proxy_is_reached_directly() {
    let model = running().await;
    let proxy = Proxy::http().refusing(403).start_loopback().await.unwrap();
    let room = through(&proxy, Room::new().at(&model)).with("NO_PROXY", "127.0.0.1");
    let ran = room.run(&["probe"]).await;
    assert!(ran.stdout.contains("           direct to "), "{}", ran.stdout);
    assert_eq!((ran.code, proxy.asked()), (Some(0), vec![]));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_with_what_to_do() {
    let model = running().await;
    let proxy = Proxy::http().refusing(403).start_loopback().await.unwrap();
    let ran = through(&proxy, Room::new().at(&model)).run(&["probe"]).await;
    let expected = format!("does not work: the proxy refuses: the proxy http://{} of HTTP_PROXY: ", proxy.address());
    assert!(ran.conclusion().starts_with(&expected), "{}", ran.stdout);
    assert!(ran.conclusion().contains("NO_PROXY"), "{}", ran.stdout);
    assert_eq!(ran.code, Some(4));
}

#[tokio::test]
async fn a_variable_that_names_no_proxy_is_named_without_its_value() {
    let room = Room::new().with("HTTPS_PROXY", "socks4://alice:planted@proxy");
    let expected =
        "error: HTTPS_PROXY is not the address of a proxy: SOCKS4 is not supported: use socks5:// or socks5h://\n";
    assert_eq!(room.run(&["probe"]).await.refusal(), expected);
}

#[tokio::test]
async fn an_authority_that_is_not_known_is_a_matter_of_a_variable() {
    let authority = Authority::new().unwrap();
    let model = secure(&authority).await;
    let room = Room::new().at(&model);
    // The authorities of this machine, whichever it is, have no part in it.
    let others = room.file("others.pem", &Authority::new().unwrap().certificate_pem());
    let room = room.with("SSL_CERT_FILE", &others.to_string_lossy());
    let ran = room.run(&["probe"]).await;
    assert_eq!(ran.code, Some(4));
    assert!(ran.conclusion().starts_with("does not work: the TLS handshake failed: "), "{}", ran.stdout);
    assert!(ran.conclusion().contains("set CAPSTAN_CA_CERTIFICATE"), "{}", ran.stdout);

    let ours = room.file("ours.pem", &authority.certificate_pem());
    let room = room.with("CAPSTAN_CA_CERTIFICATE", &ours.to_string_lossy());
    let ran = room.run(&["probe"]).await;
    assert_eq!((ran.code, ran.conclusion()), (Some(0), "works: turns go over the WebSocket"));
    let shown = without_times(&room.named(&ran.stdout, &model));
    assert!(shown.contains(", TLS T ms (TLSv1_3)\nhttp       answers in T ms over HTTP/2\n"), "{shown}");
}

#[tokio::test]
async fn a_provider_may_have_an_authority_of_its_own() {
    let authority = Authority::new().unwrap();
    let model = secure(&authority).await;
    let room = Room::new().at(&model);
    let ours = room.file("ours.pem", &authority.certificate_pem());
    let setting = format!("model_providers.openai.ca_certificate={}", ours.display());
    let ran = room.run(&["probe", "-c", &setting]).await;
    assert_eq!((ran.code, ran.conclusion()), (Some(0), "works: turns go over the WebSocket"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_server_that_asks() {
    let authority = Authority::new().unwrap();
    let config = authority.server_config_with_clients(&["localhost"], &[b"h2", b"http/1.1"]).unwrap();
    let model = model().start_tls(config).await.unwrap();
    let room = Room::new().at(&model);
    let ours = room.file("ours.pem", &authority.certificate_pem());
    let room = room.with("CAPSTAN_CA_CERTIFICATE", &ours.to_string_lossy());
    let ran = room.run(&["probe"]).await;
    assert_eq!(ran.code, Some(4), "{}", ran.stdout);

    let (certificate, key) = authority.client_certificate("somebody").unwrap();
    let both = room.file("both.pem", &format!("{certificate}{key}"));
    let setting = format!("model_providers.openai.client_certificate={}", both.display());
    let ran = room.run(&["probe", "-c", &setting]).await;
    assert_eq!((ran.code, ran.conclusion()), (Some(0), "works: turns go over the WebSocket"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_file_of_certificates_that_cannot_be_used_is_named() {
    let room = Room::new();
    let (missing, text) = (room.file("a", "").with_file_name("missing.pem"), room.file("text.pem", "hello"));
    for (path, expected) in [
        (missing, "cannot be read: there is no such file"),
        (text, "is not a PEM file: it needs a line -----BEGIN CERTIFICATE-----"),
    ] {
        let room = Room::new().with("CAPSTAN_CA_CERTIFICATE", &path.to_string_lossy());
        let expected = format!("error: {} of CAPSTAN_CA_CERTIFICATE {expected}\n", path.display());
        assert_eq!(room.run(&["probe"]).await.refusal(), expected);
    }
}
