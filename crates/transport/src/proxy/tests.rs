//! Which proxy for which server: tables.

use super::*;

type Variables<'a> = &'a [(&'a str, &'a str)];

fn proxies(variables: Variables<'_>) -> Proxies {
    Proxies::from_variables(variables.iter().copied()).unwrap()
}

fn origin(url: &str) -> Origin {
    Origin::of(&url.parse().unwrap()).unwrap()
}

fn way(proxies: &Proxies, url: &str) -> String {
    proxies.proxy_for(&origin(url)).map_or_else(|| "direct".to_owned(), Proxy::to_string)
}

#[test]
fn variables_have_an_order() {
    let table: [(Variables<'_>, &str, &str); 17] = [
        (&[], "https://api.test", "direct"),
        (&[("HTTPS_PROXY", "http://p:1")], "https://api.test", "http://p:1"),
        (&[("HTTPS_PROXY", "http://p:1")], "wss://api.test", "http://p:1"),
        (&[("HTTPS_PROXY", "http://p:1")], "http://api.test", "direct"),
        (&[("HTTPS_PROXY", "http://p:1")], "ws://api.test", "direct"),
        (&[("HTTP_PROXY", "http://p:1")], "http://api.test", "http://p:1"),
        (&[("HTTP_PROXY", "http://p:1")], "ws://api.test", "http://p:1"),
        (&[("HTTP_PROXY", "http://p:1")], "https://api.test", "direct"),
        (&[("HTTPS_PROXY", "http://p:1"), ("https_proxy", "http://q:2")], "https://api.test", "http://q:2"),
        (&[("http_proxy", "http://q:2"), ("HTTP_PROXY", "http://p:1")], "http://api.test", "http://q:2"),
        (&[("ALL_PROXY", "socks5://p:1")], "https://api.test", "socks5://p:1"),
        (&[("ALL_PROXY", "socks5://p:1"), ("all_proxy", "socks5h://q:2")], "http://api.test", "socks5h://q:2"),
        (&[("all_proxy", "socks5://p:1"), ("HTTPS_PROXY", "http://q:2")], "https://api.test", "http://q:2"),
        (&[("all_proxy", "socks5://p:1"), ("HTTPS_PROXY", "http://q:2")], "http://api.test", "socks5://p:1"),
        (&[("https_proxy", ""), ("HTTPS_PROXY", "http://p:1")], "https://api.test", "http://p:1"),
        (&[("HTTPS_PROXY", "  "), ("ALL_PROXY", "http://q:2")], "https://api.test", "http://q:2"),
        (&[("FTP_PROXY", "http://p:1"), ("PATH", "/bin"), ("Https_Proxy", "http://p:1")], "https://api.test", "direct"),
    ];
    for (variables, url, expected) in table {
        assert_eq!(way(&proxies(variables), url), expected, "{variables:?} {url}");
    }
}

#[test]
fn lower_case_wins_for_what_goes_directly_too() {
    let both = [("ALL_PROXY", "p"), ("NO_PROXY", "upper.test"), ("no_proxy", "lower.test")];
    assert_eq!(way(&proxies(&both), "https://lower.test"), "direct");
    assert_eq!(way(&proxies(&both), "https://upper.test"), "http://p:80");
}

/// Entries of `NO_PROXY`, a server, and whether it is reached directly.
fn goes_directly(table: &[(&str, &str, bool)]) {
    for (entries, url, direct) in table {
        let proxies = proxies(&[("ALL_PROXY", "p"), ("NO_PROXY", entries)]);
        assert_eq!(proxies.proxy_for(&origin(url)).is_none(), *direct, "{entries:?} {url}");
    }
}

#[test]
fn no_proxy_names_domains_that_are_reached_directly() {
    goes_directly(&[
        ("", "https://api.test", false),
        ("*", "https://api.test", true),
        ("*", "https://10.1.2.3", true),
        ("other.test,*", "https://api.test", true),
        ("api.test", "https://api.test", true),
        ("API.Test", "https://api.test", true),
        ("api.test", "https://API.TEST", true),
        ("api.test", "https://deep.api.test", true),
        ("api.test", "https://myapi.test", false),
        ("api.test", "https://api.test.example", false),
        ("api.test", "https://test", false),
        (".api.test", "https://deep.api.test", true),
        (".api.test", "https://api.test", true),
        (".api.test", "https://myapi.test", false),
        ("*.api.test", "https://deep.api.test", true),
        ("*.api.test", "https://api.test", true),
        ("api.test.", "https://api.test", true),
        ("api.test", "https://api.test./v1", true),
        ("test", "https://api.test", true),
        (".", "https://api.test", false),
        ("a.test, b.test", "https://b.test", true),
        ("a.test b.test\tc.test", "https://c.test", true),
        (",, a.test ,", "https://a.test", true),
        ("api.test:443", "https://api.test", true),
        ("api.test:443", "wss://deep.api.test", true),
        ("api.test:8443", "https://api.test", false),
        ("api.test:8443", "https://api.test:8443", true),
        ("api.test:80", "http://api.test", true),
        ("*:8080", "http://api.test:8080", true),
        ("*:8080", "http://api.test:8081", false),
        ("api.test:many", "https://api.test", false),
        ("localhost", "http://localhost:8080", true),
        ("localhost", "http://127.0.0.1:8080", false),
        ("", "http://localhost:8080", false),
        ("<local>", "https://api.test", false),
    ]);
}

#[test]
fn no_proxy_names_addresses_that_are_reached_directly() {
    goes_directly(&[
        ("10.1.2.3", "https://10.1.2.3", true),
        ("10.1.2.3", "https://10.1.2.30", false),
        ("2.3", "https://10.1.2.3", false),
        ("10.1.2.3:444", "https://10.1.2.3", false),
        ("10.1.2.3:443", "https://10.1.2.3", true),
        ("10.0.0.0/8", "https://10.255.0.1", true),
        ("10.0.0.0/8", "https://11.0.0.1", false),
        ("10.0.0.0/8", "https://ten.test", false),
        ("192.168.5.9/20", "https://192.168.15.255", true),
        ("192.168.5.9/20", "https://192.168.16.0", false),
        ("10.0.0.1/32", "https://10.0.0.1", true),
        ("10.0.0.1/32", "https://10.0.0.2", false),
        ("0.0.0.0/0", "https://8.8.8.8", true),
        ("0.0.0.0/0", "https://[2001:db8::1]", false),
        ("10.0.0.0/33", "https://10.0.0.0", false),
        ("10.0.0.0/x", "https://10.0.0.0", false),
        ("::1", "https://[::1]", true),
        ("[::1]", "https://[::1]", true),
        ("[::1]:443", "https://[::1]", true),
        ("[::1]:444", "https://[::1]", false),
        ("::1", "https://[::2]", false),
        ("fd00::/8", "https://[fd12:3456::1]", true),
        ("fd00::/8", "https://[fe80::1]", false),
        ("::/0", "https://[2001:db8::1]", true),
        ("::/129", "https://[::1]", false),
        ("10.1.2.3", "https://[::ffff:10.1.2.3]", true),
        ("10.0.0.0/8", "https://[::ffff:10.1.2.3]", true),
        ("::ffff:10.1.2.3", "https://10.1.2.3", true),
        ("10.*", "https://10.1.2.3", false),
    ]);
}

fn parse(value: &str) -> Result<Proxy, ProxyUrlError> {
    url::parse("HTTPS_PROXY", value).map_err(|error| error.error)
}

#[test]
fn the_address_of_a_proxy_is_written_in_many_ways() {
    let table = [
        ("proxy", "http://proxy:80"),
        ("proxy:3128", "http://proxy:3128"),
        ("10.0.0.1:3128", "http://10.0.0.1:3128"),
        ("user:secret@proxy:3128", "http://proxy:3128"),
        ("http://proxy", "http://proxy:80"),
        ("http://proxy:3128/", "http://proxy:3128"),
        ("http://proxy:3128/path?query#part", "http://proxy:3128"),
        ("HTTP://Proxy.Test", "http://proxy.test:80"),
        ("https://proxy", "https://proxy:443"),
        ("https://proxy:8443", "https://proxy:8443"),
        ("socks5://proxy", "socks5://proxy:1080"),
        ("socks5h://proxy:9050", "socks5h://proxy:9050"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("[2001:DB8::1]", "http://[2001:db8::1]:80"),
        ("socks5://[::1]", "socks5://[::1]:1080"),
    ];
    for (value, expected) in table {
        assert_eq!(parse(value).unwrap().to_string(), expected, "{value}");
    }
}

#[test]
fn credentials_may_hold_anything() {
    let table: [(&str, &[u8], &[u8]); 11] = [
        ("http://user:secret@p", b"user", b"secret"),
        ("http://user@p", b"user", b""),
        ("http://:secret@p", b"", b"secret"),
        ("http://user:a%40b%3Ac%2fd@p", b"user", b"a@b:c/d"),
        ("http://user:a@b@p", b"user", b"a@b"),
        ("http://user:a:b@p", b"user", b"a:b"),
        ("http://user:a/b?c#d@p:1", b"user", b"a/b?c#d"),
        ("http://user:100%@p", b"user", b"100%"),
        ("http://user:%zz%4@p", b"user", b"%zz%4"),
        ("socks5://user:%ff%00@p", b"user", b"\xff\0"),
        ("http://domain%5Cuser:x@p", b"domain\\user", b"x"),
    ];
    for (value, user, password) in table {
        let expected = Credentials { user: user.into(), password: password.into() };
        assert_eq!(parse(value).unwrap().credentials, Some(expected), "{value}");
    }
    for value in ["http://p", "http://@p", "http://:@p"] {
        assert_eq!(parse(value).unwrap().credentials, None, "{value}");
    }
}

#[test]
fn what_names_no_proxy_is_refused() {
    let long = "x".repeat(256);
    let table = [
        ("socks4://p:1080", ProxyUrlError::Socks4),
        ("socks4a://p", ProxyUrlError::Socks4),
        ("ftp://p", ProxyUrlError::Scheme),
        ("://p", ProxyUrlError::Scheme),
        ("http://", ProxyUrlError::Host),
        ("http://:3128", ProxyUrlError::Host),
        ("http://user:secret@", ProxyUrlError::Host),
        ("http://pro xy", ProxyUrlError::Host),
        ("http://p\r\nX: y", ProxyUrlError::Host),
        ("http://[::1", ProxyUrlError::Host),
        ("http://[p]:1", ProxyUrlError::Host),
        ("http://[fe80::1%25eth0]:1", ProxyUrlError::Host),
        ("http://::1:3128", ProxyUrlError::Brackets),
        ("http://p:", ProxyUrlError::Port),
        ("http://p:0", ProxyUrlError::Port),
        ("http://p:65536", ProxyUrlError::Port),
        ("http://p:+80", ProxyUrlError::Port),
        ("http://p:http", ProxyUrlError::Port),
        ("http://[::1]3128", ProxyUrlError::Port),
        ("http://a%3Ab:c@p", ProxyUrlError::Colon),
        ("socks5://:secret@p", ProxyUrlError::Length),
        (&format!("socks5://{long}:x@p"), ProxyUrlError::Length),
        (&format!("socks5h://x:{long}@p"), ProxyUrlError::Length),
    ];
    for (value, expected) in table {
        assert_eq!(parse(value), Err(expected), "{value}");
    }
}

#[test]
fn a_bad_proxy_is_named_by_its_variable_and_its_password_is_not_shown() {
    let variables = [("https_proxy", "socks4://somebody:secret@p"), ("HTTPS_PROXY", "http://p")];
    let error = Proxies::from_variables(variables).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.starts_with("https_proxy is not the address of a proxy: SOCKS4 is not supported"), "{shown}");
    assert!(!shown.contains("secret") && !shown.contains("somebody"), "{shown}");
}

#[test]
fn a_bad_proxy_that_is_not_used_is_no_error() {
    let variables = [("https_proxy", "http://p"), ("http_proxy", "http://p"), ("ALL_PROXY", "nonsense://")];
    assert_eq!(way(&proxies(&variables), "https://api.test"), "http://p:80");
}

#[test]
fn a_proxy_is_shown_without_its_credentials() {
    let proxies = proxies(&[("ALL_PROXY", "http://somebody:secret@p:3128")]);
    let shown = format!("{proxies:?} {}", way(&proxies, "https://api.test"));
    assert!(shown.contains("http://p:3128"), "{shown}");
    // Bytes are shown as numbers where they are shown at all.
    for hidden in ["secret", "somebody", "115, 101, 99", "115, 111, 109"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
