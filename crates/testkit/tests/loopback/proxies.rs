//! Proxies: what a client sees of them, and what they remember of it.

use std::net::SocketAddr;

use testkit::RunningModel;
use testkit::proxy::{Asked, Kind, Proxy, RunningProxy};
use testkit::tls::Authority;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_rustls::TlsConnector;

use crate::support::{hello, nothing_from, soon};
use crate::trust;

const NAME: &str = "model.test";
const MODELS: &str = "GET /v1/models HTTP/1.1\r\nhost: model.test\r\nconnection: close\r\n\r\n";

async fn dial(address: SocketAddr) -> TcpStream {
    soon(TcpStream::connect(address)).await.unwrap()
}

/// Everything that is answered, up to the end.
async fn ask(mut io: impl AsyncRead + AsyncWrite + Unpin, text: impl AsRef<[u8]>) -> String {
    io.write_all(text.as_ref()).await.unwrap();
    let mut answer = Vec::new();
    soon(io.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// So many bytes of an answer.
async fn exchange(io: &mut TcpStream, bytes: impl AsRef<[u8]>, answer: usize) -> Vec<u8> {
    io.write_all(bytes.as_ref()).await.unwrap();
    let mut answer = vec![0; answer];
    soon(io.read_exact(&mut answer)).await.unwrap();
    answer
}

fn connect(target: &str, headers: &str) -> String {
    format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n{headers}\r\n")
}

fn asked(target: &str, by_name: bool, authenticated: bool, kind: Kind) -> Asked {
    Asked { target: target.to_owned(), by_name, authenticated, kind }
}

/// The bytes of a SOCKS request for a name.
fn by_name(name: &str, port: u16) -> Vec<u8> {
    let mut bytes = vec![5, 1, 0, 3, u8::try_from(name.len()).unwrap()];
    bytes.extend(name.as_bytes());
    bytes.extend(port.to_be_bytes());
    bytes
}

async fn pair(proxy: Proxy) -> (RunningModel, RunningProxy) {
    let model = hello().await;
    let proxy = proxy.resolving(NAME, model.address()).start_loopback().await.unwrap();
    (model, proxy)
}

#[tokio::test]
async fn a_tunnel_goes_to_the_address_of_a_name_that_only_the_proxy_knows() {
    let (model, proxy) = pair(Proxy::http()).await;
    let answer = ask(dial(proxy.address()).await, connect("model.test:443", "") + MODELS).await;
    let (opened, answered) = answer.split_once("\r\n\r\n").unwrap();
    assert!(opened.starts_with("HTTP/1.1 200 "), "{opened}");
    assert!(answered.starts_with("HTTP/1.1 200 OK") && answered.contains("scripted"), "{answered}");
    let unknown = ask(dial(proxy.address()).await, connect("other.test:443", "")).await;
    assert!(unknown.starts_with("HTTP/1.1 502 "), "{unknown}");
    let direct = model.address().to_string();
    ask(dial(proxy.address()).await, connect(&direct, "") + MODELS).await;
    let expected = [("model.test:443", true), ("other.test:443", true), (direct.as_str(), false)];
    assert_eq!(proxy.asked(), expected.map(|(target, named)| asked(target, named, false, Kind::Connect)));
    assert_eq!(model.log().requests().len(), 2);
    proxy.stop().await;
    model.stop().await;
}

#[tokio::test]
async fn a_proxy_is_spoken_to_over_tls() {
    let authority = Authority::new().unwrap();
    let (model, proxy) = pair(Proxy::https(&authority).unwrap()).await;
    let connector = TlsConnector::from(trust::client(&authority, &[b"http/1.1"]));
    let io = dial(proxy.address()).await;
    let io = soon(connector.connect(trust::name("localhost"), io)).await.unwrap();
    let answer = ask(io, connect("model.test:80", "") + MODELS).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("scripted"), "{answer}");
    assert_eq!(proxy.asked(), [asked("model.test:80", true, false, Kind::Connect)]);
    let plain = ask(dial(proxy.address()).await, connect("model.test:80", "")).await;
    assert!(!plain.contains("HTTP/1.1"), "{plain:?}");
    proxy.stop().await;
    model.stop().await;
}

#[tokio::test]
async fn a_plain_request_is_forwarded_without_what_was_for_the_proxy() {
    let (model, proxy) = pair(Proxy::http().with_credentials("user", "secret")).await;
    let head = "host: model.test\r\nproxy-authorization: basic dXNlcjpzZWNyZXQ=\r\ncontent-length: 14\r\n\r\n";
    let request = format!("POST http://model.test/v1/responses HTTP/1.1\r\n{head}{{\"input\":\"hi\"}}");
    let answer = ask(dial(proxy.address()).await, request).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("hello there"), "{answer}");
    let received = &model.log().requests()[0];
    assert_eq!((received.path.as_str(), received.body.as_str()), ("/v1/responses", r#"{"input":"hi"}"#));
    assert_eq!((received.header("host"), received.header("proxy-authorization")), (Some(NAME), None));
    assert_eq!(proxy.asked(), [asked("model.test:80", true, true, Kind::Forward)]);
    proxy.stop().await;
    model.stop().await;
}

#[tokio::test]
async fn credentials_are_demanded_and_wrong_ones_are_refused() {
    let (model, proxy) = pair(Proxy::http().with_credentials("user", "secret")).await;
    let wrong =
        ["", "proxy-authorization: Basic dXNlcjp3cm9uZw==\r\n", "proxy-authorization: Bearer dXNlcjpzZWNyZXQ=\r\n"];
    for headers in wrong {
        let answer = ask(dial(proxy.address()).await, connect("model.test:443", headers)).await;
        assert!(answer.starts_with("HTTP/1.1 407 "), "{answer}");
        assert!(answer.contains("\r\nproxy-authenticate: Basic realm="), "{answer}");
    }
    let right = connect("model.test:443", "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n");
    assert!(ask(dial(proxy.address()).await, right + MODELS).await.contains("scripted"));
    let shown: Vec<bool> = proxy.asked().iter().map(|asked| asked.authenticated).collect();
    assert_eq!(shown, [false, false, false, true]);
    assert_eq!(model.log().requests().len(), 1);
    proxy.stop().await;
    model.stop().await;
}

#[tokio::test]
async fn a_proxy_refuses_hangs_or_closes_and_remembers_what_it_was_asked() {
    let request = connect("model.test:443", "");
    let (model, refusing) = pair(Proxy::http().refusing(503)).await;
    let answer = ask(dial(refusing.address()).await, &request).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("the proxy refuses, as asked"), "{answer}");
    let closing = Proxy::http().closing().start_loopback().await.unwrap();
    assert_eq!(ask(dial(closing.address()).await, &request).await, "");
    let hanging = Proxy::http().hanging().start_loopback().await.unwrap();
    let mut io = dial(hanging.address()).await;
    io.write_all(request.as_bytes()).await.unwrap();
    assert!(nothing_from(io.read_u8()).await);
    for proxy in [refusing, closing, hanging] {
        assert_eq!(proxy.asked(), [asked("model.test:443", true, false, Kind::Connect)]);
        proxy.stop().await;
    }
    assert!(model.log().entries().is_empty());
    model.stop().await;
}

#[tokio::test]
async fn socks_tells_a_name_from_an_address() {
    let (model, proxy) = pair(Proxy::socks5()).await;
    let mut io = dial(proxy.address()).await;
    assert_eq!(exchange(&mut io, [5, 1, 0], 2).await, [5, 0]);
    assert_eq!(exchange(&mut io, by_name(NAME, 443), 10).await[..2], [5, 0]);
    assert!(ask(io, MODELS).await.contains("scripted"));
    let mut io = dial(proxy.address()).await;
    exchange(&mut io, [5, 2, 2, 0], 2).await;
    let mut request = vec![5, 1, 0, 1, 127, 0, 0, 1];
    request.extend(model.address().port().to_be_bytes());
    assert_eq!(exchange(&mut io, request, 10).await[..2], [5, 0]);
    assert!(ask(io, MODELS).await.contains("scripted"));
    let direct = model.address().to_string();
    let expected = [asked("model.test:443", true, false, Kind::Socks5), asked(&direct, false, false, Kind::Socks5)];
    assert_eq!(proxy.asked(), expected);
    proxy.stop().await;
    model.stop().await;
}

#[tokio::test]
async fn socks_demands_a_user_and_a_password() {
    let (model, proxy) = pair(Proxy::socks5().with_credentials("user", "secret")).await;
    let mut open = dial(proxy.address()).await;
    assert_eq!(exchange(&mut open, [5, 1, 0], 2).await, [5, 0xff]);
    let mut wrong = dial(proxy.address()).await;
    assert_eq!(exchange(&mut wrong, [5, 2, 0, 2], 2).await, [5, 2]);
    assert_eq!(exchange(&mut wrong, b"\x01\x04user\x05wrong", 2).await, [1, 1]);
    let mut right = dial(proxy.address()).await;
    exchange(&mut right, [5, 1, 2], 2).await;
    assert_eq!(exchange(&mut right, b"\x01\x04user\x06secret", 2).await, [1, 0]);
    assert_eq!(exchange(&mut right, by_name(NAME, 443), 10).await[..2], [5, 0]);
    assert!(ask(right, MODELS).await.contains("scripted"));
    let stranger = || asked("", false, false, Kind::Socks5);
    assert_eq!(proxy.asked(), [stranger(), stranger(), asked("model.test:443", true, true, Kind::Socks5)]);
    proxy.stop().await;
    model.stop().await;
}

/// What a SOCKS proxy replies to a request.
async fn replied(proxy: &RunningProxy, request: Vec<u8>) -> u8 {
    let mut io = dial(proxy.address()).await;
    exchange(&mut io, [5, 1, 0], 2).await;
    let reply = exchange(&mut io, request, 10).await;
    assert_eq!(soon(io.read(&mut [0])).await.unwrap(), 0);
    reply[1]
}

#[tokio::test]
async fn socks_has_a_reply_for_each_failure() {
    for code in 1..=8 {
        let proxy = Proxy::socks5().refusing(code).start_loopback().await.unwrap();
        assert_eq!(u16::from(replied(&proxy, by_name(NAME, 443)).await), code);
        assert_eq!(proxy.asked(), [asked("model.test:443", true, false, Kind::Socks5)]);
        proxy.stop().await;
    }
    let proxy = Proxy::socks5().start_loopback().await.unwrap();
    assert_eq!(replied(&proxy, by_name("other.test", 443)).await, 4);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap().port();
    drop(listener);
    assert_eq!(replied(&proxy, by_name("localhost", nobody)).await, 5);
    let mut bind = by_name(NAME, 443);
    bind[1] = 2;
    assert_eq!(replied(&proxy, bind).await, 7);
    proxy.stop().await;
}

#[tokio::test]
async fn nothing_is_left_of_a_proxy_and_its_tunnels() {
    let model = hello().await;
    let before = Handle::current().metrics().num_alive_tasks();
    let proxy = Proxy::http().resolving(NAME, model.address()).start_loopback().await.unwrap();
    let mut io = dial(proxy.address()).await;
    let opened = b"HTTP/1.1 200 Connection Established\r\n\r\n";
    assert_eq!(exchange(&mut io, connect("model.test:443", ""), opened.len()).await, opened);
    proxy.stop().await;
    assert!(!matches!(soon(io.read(&mut [0])).await, Ok(1..)));
    soon(model.log().until(|log| log.on_connection(1).contains(&testkit::Happened::Gone))).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before);
    model.stop().await;
}

#[tokio::test]
async fn a_dropped_proxy_lets_go_of_its_clients() {
    let proxy = Proxy::socks5().hanging().start_loopback().await.unwrap();
    let mut io = dial(proxy.address()).await;
    io.write_all(&[5, 1, 0]).await.unwrap();
    assert!(nothing_from(io.read_u8()).await);
    drop(proxy);
    assert!(!matches!(soon(io.read(&mut [0])).await, Ok(1..)));
}
