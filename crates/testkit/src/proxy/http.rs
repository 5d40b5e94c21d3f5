//! A proxy over HTTP: tunnels, and requests in absolute form. One request for each connection.

use std::io;
use std::net::IpAddr;

use data_encoding::BASE64;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::{Asked, Credentials, Desk, Kind, Mood, PATIENCE, hang, tunnel};

/// The largest head of a request.
const MAX_HEAD: u64 = 64 << 10;

/// The port of a plain request that names none.
const HTTP_PORT: u16 = 80;

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
struct Head<'a> {
    method: &'a str,
    target: &'a str,
    headers: Vec<(&'a str, &'a str)>,
}

/// Where a request is to go.
#[derive(Debug, PartialEq, Eq)]
struct Wanted<'a> {
    kind: Kind,
    host: &'a str,
    port: u16,
    /// What is asked for there, if it is not a tunnel.
    path: &'a str,
}

pub(super) async fn serve(desk: &Desk, io: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut io = BufReader::new(io);
    let text = tokio::time::timeout(PATIENCE, read_head(&mut io)).await??;
    let Some((head, wanted)) = parse(&text).and_then(|head| wanted(&head).map(|wanted| (head, wanted))) else {
        return answer(&mut io, "400 Bad Request", "", "this is a proxy: name a target").await;
    };
    let authenticated = desk.rules.credentials.as_ref().map(|credentials| shows(&head, credentials));
    desk.note(Asked {
        target: format!("{}:{}", wanted.host, wanted.port),
        by_name: bare(wanted.host).parse::<IpAddr>().is_err(),
        authenticated: authenticated == Some(true),
        kind: wanted.kind,
    });
    match desk.rules.mood {
        Mood::Hanging => return hang(io).await,
        Mood::Closing => return Ok(()),
        Mood::Willing | Mood::Refusing(_) => {}
    }
    if authenticated == Some(false) {
        let demand = "proxy-authenticate: Basic realm=\"testkit\"\r\n";
        return answer(&mut io, "407 Proxy Authentication Required", demand, "who are you?").await;
    }
    if let Mood::Refusing(status) = desk.rules.mood {
        return answer(&mut io, &format!("{status} Refused"), "", "the proxy refuses, as asked").await;
    }
    let Ok(mut target) = desk.reach(bare(wanted.host), wanted.port).await else {
        return answer(&mut io, "502 Bad Gateway", "", "the target cannot be reached").await;
    };
    match wanted.kind {
        Kind::Forward => target.write_all(forwarded(&head, &wanted).as_bytes()).await?,
        Kind::Connect | Kind::Socks5 => {
            io.write_all(b"HTTP/1.1 200 Connection Established\r\n\r\n").await?;
            io.flush().await?;
        }
    }
    tunnel(io, target).await
}

async fn read_head(io: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    let mut limited = io.take(MAX_HEAD);
    while !head.ends_with(b"\r\n\r\n") {
        if limited.read_until(b'\n', &mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    String::from_utf8(head).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Answers and ends the connection.
async fn answer(io: &mut (impl AsyncWrite + Unpin), status: &str, headers: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    io.write_all(text.as_bytes()).await?;
    io.shutdown().await
}

fn parse(text: &str) -> Option<Head<'_>> {
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?, first.next()?);
    let headers = lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect();
    Some(Head { method, target, headers })
}

fn wanted<'a>(head: &Head<'a>) -> Option<Wanted<'a>> {
    if head.method == "CONNECT" {
        let (host, port) = head.target.rsplit_once(':')?;
        return Some(Wanted { kind: Kind::Connect, host, port: port.parse().ok()?, path: "" });
    }
    let rest = head.target.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, HTTP_PORT),
    };
    Some(Wanted { kind: Kind::Forward, host, port, path: if path.is_empty() { "/" } else { path } })
}

/// A host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

impl Head<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// Whether a request shows these credentials.
fn shows(head: &Head<'_>, Credentials { user, password }: &Credentials) -> bool {
    let shown = head.header("proxy-authorization").and_then(|value| value.split_once(' '));
    let expected = BASE64.encode(format!("{user}:{password}").as_bytes());
    shown.is_some_and(|(scheme, value)| scheme.eq_ignore_ascii_case("basic") && value == expected)
}

/// The head as the target gets it: what was for the proxy is gone, and the connection ends with the answer.
fn forwarded(head: &Head<'_>, wanted: &Wanted<'_>) -> String {
    const FOR_THE_PROXY: [&str; 3] = ["proxy-authorization", "proxy-connection", "connection"];
    let mut text = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", head.method, wanted.path);
    let passed =
        head.headers.iter().filter(|(name, _)| !FOR_THE_PROXY.iter().any(|own| name.eq_ignore_ascii_case(own)));
    for (name, value) in passed {
        text.push_str(name);
        text.push_str(": ");
        text.push_str(value);
        text.push_str("\r\n");
    }
    text + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_found_in_every_form_a_client_writes() {
        let find = |line: &str| {
            let text = format!("{line} HTTP/1.1\r\n\r\n");
            let head = parse(&text)?;
            let wanted = wanted(&head)?;
            Some((wanted.host.to_owned(), wanted.port, wanted.path.to_owned()))
        };
        let expected = |host: &str, port, path: &str| Some((host.to_owned(), port, path.to_owned()));
        assert_eq!(find("CONNECT model.test:443"), expected("model.test", 443, ""));
        assert_eq!(find("CONNECT [::1]:443"), expected("[::1]", 443, ""));
        assert_eq!(find("GET http://model.test/v1?a=b:c"), expected("model.test", 80, "/v1?a=b:c"));
        assert_eq!(find("POST http://127.0.0.1:8080"), expected("127.0.0.1", 8080, "/"));
        assert_eq!(find("GET http://[::1]/x"), expected("[::1]", 80, "/x"));
        for wrong in ["CONNECT model.test", "CONNECT model.test:x", "GET /v1", "GET https://model.test/", "GET"] {
            assert_eq!(find(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_for_the_proxy_is_not_forwarded() {
        let text =
            "GET http://a/b HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic eDp5\r\nConnection: keep-alive\r\n\r\n";
        let head = parse(text).unwrap();
        let wanted = wanted(&head).unwrap();
        assert_eq!(forwarded(&head, &wanted), "GET /b HTTP/1.1\r\nconnection: close\r\nHost: a\r\n\r\n");
        let credentials = |user: &str, password: &str| Credentials { user: user.into(), password: password.into() };
        assert!(shows(&head, &credentials("x", "y")));
        assert!(!shows(&head, &credentials("x", "z")));
    }
}
