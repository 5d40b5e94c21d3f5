//! Turns over real sockets and real HTTP.

use std::sync::Arc;

use responses::chain::{Mode, Transport};
use testkit::proxy::Proxy;
use testkit::tls::Authority;
use transport::Dial;
use transport::dial::{DialLimits, SystemNetwork};
use transport::proxy::Proxies;
use transport::tls::{Pem, Tls, TlsSettings};

use crate::support::{ALL, Talk, answered, client, client_by, counting};

#[tokio::test]
async fn over_a_socket_only_what_is_new_is_sent() {
    let model = counting().await;
    let client = client(&model.base_url(), ALL);
    let mut talk = Talk::with(&client, Mode::Auto);
    for number in 0..3 {
        let outcome = talk.turn(&format!("word {number}")).await;
        assert!(answered(&outcome), "{outcome:?}");
    }
    assert_eq!(talk.sent(), [(Transport::WebSocket, 1); 3]);
}

#[tokio::test]
async fn over_http_everything_is_sent_each_time() {
    let model = counting().await;
    let client = client(&model.base_url(), ALL);
    let mut talk = Talk::with(&client, Mode::Http);
    for number in 0..3 {
        assert!(answered(&talk.turn(&format!("word {number}")).await));
    }
    assert_eq!(talk.sent(), [(Transport::Http, 1), (Transport::Http, 3), (Transport::Http, 5)]);
    drop(talk);
}

#[tokio::test]
async fn conversations_go_through_every_kind_of_proxy_with_tls_over_sockets_and_http_2() {
    let authority = Authority::new().unwrap();
    let config = authority.server_config(&["model.test"], &[b"h2", b"http/1.1"]).unwrap();
    let model =
        testkit::FakeModel::respond_with(|seen| testkit::Turn::new().message(format!("answer {}", seen.number)))
            .start_tls(config)
            .await
            .unwrap();
    let tls = || {
        let root = Pem { name: "test".into(), bytes: authority.certificate_pem().into_bytes().into() };
        Tls::new(&TlsSettings { extra_roots: vec![root], client: None }).unwrap()
    };
    for (scheme, proxy) in
        [("http", Proxy::http()), ("https", Proxy::https(&authority).unwrap()), ("socks5h", Proxy::socks5())]
    {
        let proxy = proxy.with_credentials("user", "pass word").resolving("model.test", model.address());
        let proxy = proxy.start_loopback().await.unwrap();
        let host = if scheme == "https" { "localhost" } else { "127.0.0.1" };
        let url = format!("{scheme}://user:pass%20word@{host}:{}", proxy.address().port());
        let proxies = Proxies::from_variables([("HTTPS_PROXY", url)]).unwrap();
        let dial = Dial::new(Arc::new(SystemNetwork::new(DialLimits::default())), proxies, tls());
        // The name is known to the proxy only.
        let client = client_by(dial, "https://model.test/v1", ALL);
        for mode in [Mode::WebSocket, Mode::Http] {
            let mut talk = Talk::with(&client, mode);
            for _ in 0..2 {
                let outcome = talk.turn("word").await;
                assert!(answered(&outcome), "{scheme} {mode:?}: {outcome:?}");
            }
        }
        assert!(
            proxy.asked().iter().all(|asked| asked.by_name && asked.authenticated),
            "{scheme}: {:?}",
            proxy.asked()
        );
        assert_eq!(proxy.asked().len(), 2, "{scheme}: one way for the socket, one for HTTP, and both are kept");
    }
    let posts: Vec<bool> =
        model.log().requests().iter().filter(|request| !request.body.is_empty()).map(|request| request.http2).collect();
    assert_eq!(posts, [true; 6], "over HTTP, HTTP/2 is spoken where the server has it");
}
