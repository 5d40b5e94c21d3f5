//! SOCKS5: what is asked, and what answers mean.

use tokio::io::duplex;

use super::*;

fn credentials() -> Credentials {
    Credentials { user: (*b"user").into(), password: (*b"secret").into() }
}

#[test]
fn a_target_is_a_name_or_an_address() {
    let table: [(Target<'_>, &[u8]); 3] = [
        (Target::Name("api.test", 443), b"\x05\x01\x00\x03\x08api.test\x01\xbb"),
        (Target::Address("10.1.2.3:8080".parse().unwrap()), b"\x05\x01\x00\x01\x0a\x01\x02\x03\x1f\x90"),
        (
            Target::Address("[2001:db8::7]:443".parse().unwrap()),
            b"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x01\xbb",
        ),
    ];
    for (target, expected) in table {
        assert_eq!(request(target).unwrap(), expected, "{target:?}");
    }
    let longest = "x".repeat(255);
    assert_eq!(request(Target::Name(&longest, 1)).unwrap()[4], 255);
    assert!(matches!(request(Target::Name(&format!("{longest}x"), 1)), Err(SocksError::Name)));
}

#[test]
fn logging_in_is_offered_to_proxies_that_have_credentials() {
    assert_eq!(greeting(None), [5, 1, 0]);
    assert_eq!(greeting(Some(&credentials())), [5, 2, 0, 2]);
    assert_eq!(login(&credentials()).unwrap(), b"\x01\x04user\x06secret");
}

#[test]
fn the_proxy_chooses_how_to_log_in() {
    let credentials = credentials();
    assert!(matches!(wants_login([5, 0], Some(&credentials)), Ok(None)));
    assert!(matches!(wants_login([5, 0], None), Ok(None)));
    assert!(matches!(wants_login([5, 2], Some(&credentials)), Ok(Some(_))));
    assert!(matches!(wants_login([5, 0xff], Some(&credentials)), Err(SocksError::NoMethod)));
    assert!(matches!(wants_login([5, 0xff], None), Err(SocksError::NoMethod)));
    for nonsense in [[5, 2], [5, 1], [4, 0], *b"HT"] {
        assert!(matches!(wants_login(nonsense, None), Err(SocksError::NotSocks)), "{nonsense:?}");
    }
}

#[test]
fn a_yes_is_as_long_as_its_address() {
    assert!(agrees([5, 0]).is_ok());
    assert!(matches!(agrees([4, 0]), Err(SocksError::NotSocks)));
    assert_eq!(rest_of_yes([0, 1, 127]).unwrap(), 5);
    assert_eq!(rest_of_yes([0, 4, 0x20]).unwrap(), 17);
    assert_eq!(rest_of_yes([0, 3, 9]).unwrap(), 11);
    assert_eq!(rest_of_yes([0, 3, 0]).unwrap(), 2);
    assert!(matches!(rest_of_yes([0, 2, 0]), Err(SocksError::NotSocks)));
}

#[test]
fn each_code_of_a_no_has_its_words() {
    let said: std::collections::BTreeSet<_> = (1..=9).map(|code| agrees([5, code]).unwrap_err().to_string()).collect();
    assert_eq!(said.len(), 9);
    let of_target: Vec<u8> = (1..=255).filter(|code| agrees([5, *code]).unwrap_err().is_of_target()).collect();
    assert_eq!(of_target, [3, 4, 5, 8]);
}

/// A proxy that says this, and what it was told.
async fn answering(answer: &[u8], credentials: Option<&Credentials>) -> (Result<BoxedStream, SocksError>, Vec<u8>) {
    let (near, mut far) = duplex(1 << 10);
    far.write_all(answer).await.unwrap();
    far.shutdown().await.unwrap();
    let outcome = open(Box::new(near), Target::Name("api.test", 443), credentials).await;
    let mut told = vec![0; 1 << 10];
    let heard = far.read(&mut told).await.unwrap();
    told.truncate(heard);
    (outcome, told)
}

#[tokio::test]
async fn what_comes_with_the_yes_belongs_to_the_tunnel() {
    for address in [&b"\x01\x7f\0\0\x01\x04\x38"[..], b"\x03\x02ab\0\x50", &[4; 19]] {
        let answer = [b"\x05\0\x05\0\0", address, b"welcome"].concat();
        let (stream, _) = answering(&answer, None).await;
        let mut heard = String::new();
        stream.unwrap().read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "welcome");
    }
}

#[tokio::test]
async fn the_proxy_is_told_who_asks_if_it_wants_to_know() {
    let ask = b"\x05\x01\x00\x03\x08api.test\x01\xbb";
    let credentials = credentials();
    let yes = b"\x05\0\0\x01\0\0\0\0\0\0";
    let (stream, told) = answering(&[b"\x05\x02\x01\0", &yes[..]].concat(), Some(&credentials)).await;
    assert!(stream.is_ok());
    assert_eq!(told, [b"\x05\x02\0\x02", &b"\x01\x04user\x06secret"[..], ask].concat());
    let (stream, told) = answering(&[b"\x05\0", &yes[..]].concat(), Some(&credentials)).await;
    assert!(stream.is_ok());
    assert_eq!(told, [b"\x05\x02\0\x02", &ask[..]].concat());
}

#[tokio::test]
async fn a_no_is_told_even_if_the_proxy_closes_behind_its_code() {
    let table: [(&[u8], &str); 5] = [
        (b"\x05\0\x05\x02", "its rules do not allow it"),
        (b"\x05\0\x05\x05\0\x01\0\0\0\0\0\0", "the server refuses the connection"),
        (b"\x05\x02\x01\x01", "it does not accept the credentials"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "its answer is not SOCKS5: check its scheme and port"),
        (b"\x05", "connection closed"),
    ];
    for (answer, expected) in table {
        let (outcome, _) = answering(answer, Some(&credentials())).await;
        assert_eq!(outcome.err().unwrap().to_string(), expected, "{answer:?}");
    }
}
