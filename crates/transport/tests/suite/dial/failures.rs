//! Every way to fail, and what is said of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use responses::chain::TroubleKind;
use testkit::proxy::{Proxy, RunningProxy};
use testkit::tls::Authority;
use tokio::net::TcpListener;
use transport::dial::{DialError, DialLimits};
use transport::proxy::Proxies;
use transport::tls::Tls;

use super::network::Names;
use super::target::{Speaks, Target, exchange};
use super::{H1, NAME, NAMES, bounded, dial, named, proxies, trusting, trusting_as};

/// Checks in which part of the way it was, and each of these in what is said.
fn says(error: &DialError, kind: TroubleKind, parts: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    for part in parts {
        assert!(error.to_string().contains(part), "`{part}` is not in: {error}");
    }
    for secret in ["secret", "wrong"] {
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
}

fn nobody() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Why the target is not reached through a proxy that is written like this.
async fn through(scheme: &str, login: &str, proxy: SocketAddr, tls: Tls) -> DialError {
    through_within(DialLimits::default(), scheme, login, proxy, tls).await
}

async fn through_within(limits: DialLimits, scheme: &str, login: &str, proxy: SocketAddr, tls: Tls) -> DialError {
    let variable = proxies(&[("HTTPS_PROXY", &format!("{scheme}://{login}{proxy}"))]);
    let dial = bounded(&Names::none(), variable, tls, limits);
    dial.dial(&named(true, nobody()), Speaks::Http1.alpn()).await.unwrap_err()
}

/// For those who never answer.
const SHORT: Duration = Duration::from_millis(200);

fn any_tls() -> Tls {
    trusting(&Authority::new().unwrap())
}

async fn start(proxy: Proxy) -> RunningProxy {
    proxy.start_loopback().await.unwrap()
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_says_where_to_put_them() {
    for (scheme, proxy) in [("http", Proxy::http()), ("socks5h", Proxy::socks5())] {
        let proxy = start(proxy.with_credentials("agent", "secret")).await;
        let error = through(scheme, "", proxy.address(), any_tls()).await;
        let put = format!("put them in HTTPS_PROXY as {scheme}://user:password@{}", proxy.address());
        says(
            &error,
            TroubleKind::Proxy,
            &[&format!("the proxy {scheme}://{} of HTTPS_PROXY: ", proxy.address()), &put],
        );
        let error = through(scheme, "agent:wrong@", proxy.address(), any_tls()).await;
        says(&error, TroubleKind::Proxy, &["it does not accept the credentials in HTTPS_PROXY", "correct them"]);
        assert!(proxy.asked().iter().all(|asked| !asked.authenticated));
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_quoted() {
    let proxy = start(Proxy::http().refusing(403)).await;
    let error = through("http", "", proxy.address(), any_tls()).await;
    says(&error, TroubleKind::Proxy, &["it refuses to connect to model.test:", "(403", "NO_PROXY"]);
    let proxy = start(Proxy::http().refusing(503)).await;
    let error = through("http", "", proxy.address(), any_tls()).await;
    says(&error, TroubleKind::Proxy, &["it could not reach model.test:", "(503"]);
    let proxy = start(Proxy::socks5().refusing(2)).await;
    let error = through("socks5h", "", proxy.address(), any_tls()).await;
    says(&error, TroubleKind::Proxy, &["it does not connect to model.test:", "its rules do not allow it"]);
}

#[tokio::test]
async fn a_name_that_the_proxy_does_not_know_is_its_fault() {
    let proxy = start(Proxy::socks5()).await;
    let error = through("socks5h", "", proxy.address(), any_tls()).await;
    says(&error, TroubleKind::Proxy, &["the host cannot be reached, or its name is not known"]);
    let proxy = start(Proxy::http()).await;
    let error = through("http", "", proxy.address(), any_tls()).await;
    says(&error, TroubleKind::Proxy, &["it could not reach model.test:"]);
}

#[tokio::test]
async fn a_proxy_that_hangs_is_waited_for_so_long_and_no_longer() {
    let authority = Authority::new().unwrap();
    let all = [("http", Proxy::http()), ("https", Proxy::https(&authority).unwrap()), ("socks5h", Proxy::socks5())];
    for (scheme, proxy) in all {
        let proxy = start(proxy.hanging()).await;
        let limits = DialLimits { proxy: SHORT, ..DialLimits::default() };
        let error = through_within(limits, scheme, "", proxy.address(), trusting(&authority)).await;
        let expected = format!("the answer of the proxy {scheme}://{} took longer than 0.2 s", proxy.address());
        says(&error, TroubleKind::Timeout, &[&expected]);
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_in_the_handshake_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = DialLimits { tls: SHORT, ..DialLimits::default() };
    let error = through_within(limits, "https", "", address, any_tls()).await;
    let expected = format!("the proxy https://{address} of HTTPS_PROXY: the TLS handshake with 127.0.0.1 took longer");
    says(&error, TroubleKind::Timeout, &[&expected]);
}

#[tokio::test]
async fn a_proxy_that_closes_is_its_fault() {
    for (scheme, proxy) in [("http", Proxy::http()), ("socks5h", Proxy::socks5())] {
        let proxy = start(proxy.closing()).await;
        let error = through(scheme, "", proxy.address(), any_tls()).await;
        says(&error, TroubleKind::Proxy, &["of HTTPS_PROXY: connection ", " in place of an answer: check scheme"]);
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let error = through("http", "", nobody(), any_tls()).await;
    says(
        &error,
        TroubleKind::Proxy,
        &["the proxy http://127.0.0.1:", "of HTTPS_PROXY: ", "connection refused at 127.0.0.1:"],
    );
}

#[tokio::test]
async fn a_proxy_of_another_kind_is_recognised() {
    let https = start(Proxy::https(&Authority::new().unwrap()).unwrap()).await;
    let error = through("http", "", https.address(), any_tls()).await;
    says(&error, TroubleKind::Proxy, &["its answer is not HTTP: check its scheme and port"]);
}

#[tokio::test]
async fn all_of_it_together_takes_so_long_and_no_longer() {
    let proxy = start(Proxy::http().hanging()).await;
    let limits = DialLimits { total: SHORT, ..DialLimits::default() };
    let error = through_within(limits, "http", "", proxy.address(), any_tls()).await;
    says(&error, TroubleKind::Timeout, &["the answer of the proxy"]);
    assert!(!error.to_string().contains("10 s"), "{error}");
}

#[tokio::test]
async fn tls_that_fails_with_the_proxy_is_the_proxys() {
    let proxy = start(Proxy::https(&Authority::new().unwrap()).unwrap()).await;
    let error = through("https", "", proxy.address(), any_tls()).await;
    let expected = "of HTTPS_PROXY: the certificate of 127.0.0.1 is from an issuer that is not known here";
    says(&error, TroubleKind::Proxy, &[expected, "set CAPSTAN_CA_CERTIFICATE"]);
    assert!(proxy.asked().is_empty());
}

/// Why a server with this TLS is not reached, directly and through a proxy.
async fn untrusted(config: Arc<rustls::ServerConfig>, tls: Tls, host: &str) -> [DialError; 2] {
    let target = Target::start(Some(config), Speaks::Http1).await;
    let mut to = named(true, target.address);
    to.host = host.into();
    let proxy = start(Proxy::http().resolving(NAME, target.address)).await;
    let through = proxies(&[("HTTPS_PROXY", &proxy.address().to_string())]);
    let direct = dial(&Names::of(NAME, &[target.address]), Proxies::none(), tls.clone());
    let tunnel = dial(&Names::none(), through, tls);
    let errors = [&direct, &tunnel].map(|dial| dial.dial(&to, Speaks::Http1.alpn()));
    let [direct, tunnel] = errors;
    [direct.await.unwrap_err(), tunnel.await.unwrap_err()]
}

#[tokio::test]
async fn a_server_of_an_unknown_issuer_is_not_trusted() {
    let config = Authority::new().unwrap().server_config(&NAMES, &[H1]).unwrap();
    for error in untrusted(config, any_tls(), NAME).await {
        let expected =
            "the certificate of model.test is from an issuer that is not known here: set CAPSTAN_CA_CERTIFICATE";
        says(&error, TroubleKind::Tls, &[expected]);
    }
}

#[tokio::test]
async fn a_server_whose_certificate_has_expired_is_not_trusted() {
    let authority = Authority::new().unwrap();
    let config = authority.expired_server_config(&NAMES, &[H1]).unwrap();
    for error in untrusted(config, trusting(&authority), NAME).await {
        says(&error, TroubleKind::Tls, &["the certificate of model.test has expired: check the clock"]);
    }
}

#[tokio::test]
async fn a_server_of_another_name_is_not_trusted() {
    let authority = Authority::new().unwrap();
    let config = authority.server_config(&["other.test", "third.test"], &[H1]).unwrap();
    for error in untrusted(config, trusting(&authority), NAME).await {
        let names = "the certificate of model.test is for other names (";
        says(&error, TroubleKind::Tls, &[names, "other.test", "third.test", "check the host in the URL"]);
    }
}

#[tokio::test]
async fn a_server_without_tls_is_recognised() {
    let target = Target::start(None, Speaks::Http1).await;
    let dial = dial(&Names::of(NAME, &[target.address]), Proxies::none(), any_tls());
    let error = dial.dial(&named(true, target.address), Speaks::Http1.alpn()).await.unwrap_err();
    says(&error, TroubleKind::Tls, &["model.test answers, but not with TLS", "http://"]);
}

#[tokio::test]
async fn a_server_that_hangs_in_the_handshake_is_waited_for_so_long_and_no_longer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = DialLimits { tls: SHORT, ..DialLimits::default() };
    let dial = bounded(&Names::of(NAME, &[address]), Proxies::none(), any_tls(), limits);
    let error = dial.dial(&named(true, address), Speaks::Http1.alpn()).await.unwrap_err();
    says(&error, TroubleKind::Timeout, &["the TLS handshake with model.test took longer than 0.2 s"]);
}

#[tokio::test]
async fn a_server_that_demands_a_client_certificate_is_shown_it_and_no_other() {
    let (authority, stranger) = (Authority::new().unwrap(), Authority::new().unwrap());
    let config = authority.server_config_with_clients(&NAMES, &[H1]).unwrap();
    let target = Target::start(Some(config), Speaks::Http1).await;
    let names = Names::of(NAME, &[target.address]);
    let to = named(true, target.address);
    let known = dial(&names, Proxies::none(), trusting_as(&authority, &authority));
    let dialed = known.dial(&to, Speaks::Http1.alpn()).await.unwrap();
    assert_eq!(exchange(dialed, Speaks::Http1).await.unwrap(), "HTTP/1.1 /word");

    let refused = [
        (trusting(&authority), "model.test wants a client certificate"),
        (trusting_as(&authority, &stranger), "model.test does not accept the client certificate"),
    ];
    for (tls, expected) in refused {
        let dial = dial(&names, Proxies::none(), tls);
        // The server judges after the handshake, so its no is the answer to the first request.
        let dialed = dial.dial(&to, Speaks::Http1.alpn()).await.unwrap();
        let late = exchange(dialed, Speaks::Http1).await.unwrap_err();
        let error = DialError::of_tls(&late, &to).unwrap_or_else(|| panic!("{late:?}"));
        says(&error, TroubleKind::Tls, &[expected]);
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_its_address() {
    let address = nobody();
    let dial = dial(&Names::none(), Proxies::none(), any_tls());
    let mut to = named(false, address);
    to.host = "127.0.0.1".into();
    let error = dial.dial(&to, Speaks::Http1.alpn()).await.unwrap_err();
    let expected = format!("127.0.0.1: connection refused at {address}: check the URL");
    says(&error, TroubleKind::Connect, &[&expected, "set HTTPS_PROXY"]);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_named() {
    let mut to = named(true, nobody());
    to.host = "no such name".into();
    let error = dial(&Names::none(), Proxies::none(), any_tls()).dial(&to, Speaks::Http1.alpn()).await.unwrap_err();
    says(&error, TroubleKind::Name, &["the name no such name is not known here", "check the URL"]);
    let socks = proxies(&[("ALL_PROXY", &format!("socks5://{}", nobody()))]);
    let error = dial(&Names::none(), socks, any_tls()).dial(&to, Speaks::Http1.alpn()).await.unwrap_err();
    says(&error, TroubleKind::Name, &["the name no such name is not known here", "use socks5h://"]);
}
