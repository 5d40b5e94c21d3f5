//! CONNECT: what is asked, and what answers mean.

use tokio::io::{AsyncRead, AsyncWrite, duplex};

use super::*;

#[test]
fn a_tunnel_is_asked_for_with_credentials_where_there_are_some() {
    let version = env!("CARGO_PKG_VERSION");
    let plain = format!("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nUser-Agent: capstan/{version}\r\n\r\n");
    assert_eq!(request("[::1]:443", None), plain);
    let credentials = Credentials { user: (*b"Aladdin").into(), password: (*b"open sesame").into() };
    let head = request("api.test:443", Some(&credentials));
    assert!(head.ends_with("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"), "{head}");
}

fn refused(status: u16, reason: &str, schemes: &[&str]) -> Answer {
    let schemes = schemes.iter().map(|scheme| Box::from(*scheme)).collect();
    Answer::Refused(Refused { status, reason: reason.into(), schemes })
}

#[test]
fn an_answer_is_a_yes_a_no_or_not_finished() {
    let table: [(&str, Answer); 18] = [
        ("", Answer::Unfinished),
        ("HT", Answer::Unfinished),
        ("HTTP/1.1 200 OK\r\n", Answer::Unfinished),
        ("HTTP/1.1 200 OK\r\nX: y\r\n", Answer::Unfinished),
        ("HTTP/1.1 200 OK\r\n\r", Answer::Unfinished),
        ("HTTP/1.1 200 Connection established\r\n\r\n", Answer::Open(39)),
        ("HTTP/1.0 200 OK\r\nX: y\r\n\r\nfirst", Answer::Open(25)),
        ("HTTP/1.1 200\r\n\r\n", Answer::Open(16)),
        ("HTTP/1.1 299 \n\n", Answer::Open(15)),
        ("HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n", Answer::Open(38)),
        ("HTTP/1.1 100 Continue\r\n\r\n", Answer::Unfinished),
        ("HTTP/1.1 103 Hints\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\n\r\nrest", Answer::Open(47)),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n\r\n", refused(403, "No", &[])),
        ("HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n", refused(407, "Who", &["Basic"])),
        (
            "HTTP/1.1 407 Who\r\nproxy-authenticate:Negotiate\r\nPROXY-AUTHENTICATE: NTLM\r\n\r\nbody",
            refused(407, "Who", &["Negotiate", "NTLM"]),
        ),
        ("HTTP/1.1 502\r\n\r\n", refused(502, "", &[])),
        ("HTTP/1.1 503 \u{1b}[31mred\u{7}\r\n\r\n", refused(503, "[31mred", &[])),
        ("HTTP/1.1 301 Moved\r\nLocation: http://login\r\n\r\n", refused(301, "Moved", &[])),
    ];
    for (received, expected) in table {
        assert_eq!(read(received.as_bytes()).unwrap(), expected, "{received:?}");
    }
}

#[test]
fn what_is_not_http_is_known_from_its_first_bytes() {
    let table = [
        "\x05\x00",
        "HTTP/2 200\r\n\r\n",
        "\x15\x03\x01",
        "SSH-2.0",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 +20 OK\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 99 OK\r\n\r\n",
        "HTTP/1.1 é0 OK\r\n\r\n",
        "HTTP/1.1 100 Go\r\n\r\nnonsense",
    ];
    for received in table {
        assert!(matches!(read(received.as_bytes()), Err(ConnectError::NotHttp)), "{received:?}");
    }
}

#[test]
fn a_head_has_a_largest_size_and_hints_count() {
    let head = |size: usize| format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(size - 20));
    assert_eq!(read(head(MAX_HEAD - 1).as_bytes()).unwrap(), Answer::Unfinished);
    assert!(matches!(read(head(MAX_HEAD).as_bytes()), Err(ConnectError::TooLarge)));
    let hints = "HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_HEAD / 25 + 1);
    assert!(matches!(read(hints.as_bytes()), Err(ConnectError::TooLarge)));
}

#[test]
fn a_long_reason_is_cut() {
    let Answer::Refused(refused) = read(format!("HTTP/1.1 500 {}\r\n\r\n", "é".repeat(500)).as_bytes()).unwrap()
    else {
        panic!("it is a no");
    };
    assert_eq!(refused.reason.chars().count(), SHOWN);
}

/// A proxy that takes one request and says this.
async fn answering(answer: &[u8]) -> (Result<BoxedStream, ConnectError>, impl AsyncRead + AsyncWrite + Unpin) {
    let (near, mut far) = duplex(1 << 16);
    let asked = request("api.test:443", None).len();
    let proxy = async {
        far.read_exact(&mut vec![0; asked]).await.unwrap();
        far.write_all(answer).await.unwrap();
        far
    };
    tokio::join!(open(Box::new(near), "api.test:443", None), proxy)
}

#[tokio::test]
async fn what_comes_with_the_yes_belongs_to_the_tunnel() {
    let (stream, mut far) = answering(b"HTTP/1.1 200 OK\r\n\r\nwelcome").await;
    let mut stream = stream.unwrap();
    far.write_all(b" home").await.unwrap();
    far.shutdown().await.unwrap();
    stream.write_all(b"thanks").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "welcome home");
    let mut said = String::new();
    far.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "thanks");
}

#[tokio::test]
async fn a_proxy_that_closes_in_place_of_an_answer_is_an_error() {
    let (near, far) = duplex(1 << 16);
    let closing = async {
        let mut far = far;
        far.read_exact(&mut [0; 7]).await.unwrap();
    };
    let (outcome, ()) = tokio::join!(open(Box::new(near), "api.test:443", None), closing);
    assert_eq!(outcome.err().unwrap().to_string(), "connection closed");
}
