//! Every kind of proxy, with TLS to the server and without, in every protocol.

use std::sync::Arc;

use testkit::proxy::{Asked, Kind, Proxy, RunningProxy};
use testkit::tls::Authority;
use transport::dial::Path;
use transport::proxy::Proxies;

use super::network::Names;
use super::target::{Speaks, Target, exchange};
use super::{H1, H2, NAME, NAMES, dial, named, proxies, trusting};

const USER: &str = "agent";
const PASSWORD: &str = "p@ss:w/rd%";
/// The same as they stand in a URL.
const LOGIN: &str = "agent:p%40ss%3Aw%2Frd%25@";

/// A proxy, and how it is written in a variable.
struct Way {
    proxy: Option<RunningProxy>,
    scheme: &'static str,
    login: bool,
}

impl Way {
    async fn through(scheme: &'static str, login: bool, target: &Target, authority: &Authority) -> Self {
        let proxy = match scheme {
            "direct" => return Self { proxy: None, scheme, login },
            "http" => Proxy::http(),
            "https" => Proxy::https(authority).unwrap(),
            _ => Proxy::socks5(),
        };
        let proxy = if login { proxy.with_credentials(USER, PASSWORD) } else { proxy };
        // A name is told to the proxies that have to resolve it, and to no others.
        let proxy = if scheme == "socks5" { proxy } else { proxy.resolving(NAME, target.address) };
        Self { proxy: Some(proxy.start_loopback().await.unwrap()), scheme, login }
    }

    fn shown(&self) -> Option<Box<str>> {
        let proxy = self.proxy.as_ref()?;
        Some(format!("{}://{}", self.scheme, proxy.address()).into())
    }

    fn proxies(&self) -> Proxies {
        let login = if self.login { LOGIN } else { "" };
        let written = self.shown().map(|shown| shown.replacen("://", &format!("://{login}"), 1));
        proxies(&[("ALL_PROXY", &written.unwrap_or_default())])
    }

    /// Where the name is known: here, or at the proxy only.
    fn names(&self, target: &Target) -> Arc<Names> {
        match self.scheme {
            "direct" | "socks5" => Names::of(NAME, &[target.address]),
            _ => Names::none(),
        }
    }

    fn check(&self, target: &Target, path: &Path) {
        let Some(proxy) = &self.proxy else {
            assert_eq!((path.via.as_deref(), path.peer, path.proxy), (None, Some(target.address), None));
            return;
        };
        assert_eq!((&path.via, path.peer), (&self.shown(), Some(proxy.address())));
        assert!(path.proxy.is_some());
        let by_name = self.scheme != "socks5";
        let asked = Asked {
            target: if by_name { format!("{NAME}:{}", target.address.port()) } else { target.address.to_string() },
            by_name,
            authenticated: self.login,
            kind: if self.scheme.starts_with("http") { Kind::Connect } else { Kind::Socks5 },
        };
        assert_eq!(proxy.asked(), [asked]);
    }
}

/// One exchange in each protocol, with TLS and without.
async fn carries_everything(scheme: &'static str, login: bool) {
    let authority = Authority::new().unwrap();
    let cells = [
        (false, Speaks::Http1),
        (false, Speaks::WebSocket),
        (true, Speaks::Http1),
        (true, Speaks::Http2),
        (true, Speaks::WebSocket),
    ];
    for (tls, speaks) in cells {
        let config = tls.then(|| authority.server_config(&NAMES, &[H2, H1]).unwrap());
        let target = Target::start(config, speaks).await;
        let way = Way::through(scheme, login, &target, &authority).await;
        let dial = dial(&way.names(&target), way.proxies(), trusting(&authority));
        let to = named(tls, target.address);
        let dialed = dial.dial(&to, speaks.alpn()).await.unwrap_or_else(|error| panic!("{speaks:?} {tls}: {error}"));
        way.check(&target, &dialed.path);
        assert_eq!(dialed.path.tls_version, tls.then_some("TLSv1_3"));
        let alpn = tls.then_some(if speaks == Speaks::Http2 { "h2" } else { "http/1.1" });
        assert_eq!((dialed.path.alpn.as_deref(), dialed.path.tls.is_some()), (alpn, tls));
        let expected = match speaks {
            Speaks::Http1 => "HTTP/1.1 /word",
            Speaks::Http2 => "HTTP/2.0 /word",
            Speaks::WebSocket => "over a socket",
        };
        assert_eq!(exchange(dialed, speaks).await.unwrap(), expected, "{tls}");
    }
}

#[tokio::test]
async fn the_direct_way_carries_everything() {
    carries_everything("direct", false).await;
}

#[tokio::test]
async fn an_http_proxy_carries_everything() {
    carries_everything("http", false).await;
}

#[tokio::test]
async fn an_http_proxy_with_credentials_carries_everything() {
    carries_everything("http", true).await;
}

#[tokio::test]
async fn an_https_proxy_carries_everything() {
    carries_everything("https", false).await;
}

#[tokio::test]
async fn an_https_proxy_with_credentials_carries_everything() {
    carries_everything("https", true).await;
}

#[tokio::test]
async fn a_socks_proxy_carries_everything_to_addresses_resolved_here() {
    carries_everything("socks5", false).await;
}

#[tokio::test]
async fn a_socks_proxy_carries_everything_to_names_only_it_knows() {
    carries_everything("socks5h", false).await;
}

#[tokio::test]
async fn a_socks_proxy_with_credentials_carries_everything() {
    carries_everything("socks5", true).await;
}

#[tokio::test]
async fn a_name_for_the_proxy_is_not_resolved_here() {
    let target = Target::start(None, Speaks::Http1).await;
    let proxy = Proxy::socks5().resolving(NAME, target.address).start_loopback().await.unwrap();
    let names = Names::none();
    let through = proxies(&[("ALL_PROXY", &format!("socks5h://{}", proxy.address()))]);
    let dialed = dial(&names, through, trusting(&Authority::new().unwrap()))
        .dial(&named(false, target.address), Speaks::Http1.alpn())
        .await
        .unwrap();
    assert_eq!(exchange(dialed, Speaks::Http1).await.unwrap(), "HTTP/1.1 /word");
    assert_eq!(names.asked(), ["127.0.0.1"]);
}

#[tokio::test]
async fn an_address_that_a_socks_proxy_cannot_reach_is_followed_by_the_next() {
    let target = Target::start(None, Speaks::Http1).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let proxy = Proxy::socks5().start_loopback().await.unwrap();
    let names = Names::of(NAME, &[nobody, target.address]);
    let through = proxies(&[("ALL_PROXY", &format!("socks5://{}", proxy.address()))]);
    let dialed = dial(&names, through, trusting(&Authority::new().unwrap()))
        .dial(&named(false, target.address), Speaks::Http1.alpn())
        .await
        .unwrap();
    assert_eq!(exchange(dialed, Speaks::Http1).await.unwrap(), "HTTP/1.1 /word");
    let asked: Vec<_> = proxy.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(asked, [nobody.to_string(), target.address.to_string()]);
}

#[tokio::test]
async fn no_proxy_leads_past_the_proxy() {
    let target = Target::start(None, Speaks::Http1).await;
    let proxy = Proxy::http().start_loopback().await.unwrap();
    let past = proxies(&[("ALL_PROXY", &format!("http://{}", proxy.address())), ("NO_PROXY", "model.test")]);
    let dial = dial(&Names::of(NAME, &[target.address]), past, trusting(&Authority::new().unwrap()));
    let to = named(false, target.address);
    assert!(dial.proxy_for(&to).is_none());
    let dialed = dial.dial(&to, Speaks::Http1.alpn()).await.unwrap();
    assert_eq!(exchange(dialed, Speaks::Http1).await.unwrap(), "HTTP/1.1 /word");
    assert!(proxy.asked().is_empty());
}

#[tokio::test]
async fn a_server_without_http2_is_spoken_to_in_http1() {
    let authority = Authority::new().unwrap();
    for protocols in [&[H1][..], &[]] {
        let config = authority.server_config(&NAMES, protocols).unwrap();
        let target = Target::start(Some(config), Speaks::Http1).await;
        let dial = dial(&Names::of(NAME, &[target.address]), Proxies::none(), trusting(&authority));
        let dialed = dial.dial(&named(true, target.address), Speaks::Http2.alpn()).await.unwrap();
        assert_eq!(exchange(dialed, Speaks::Http1).await.unwrap(), "HTTP/1.1 /word");
    }
}
