//! HTTP CONNECT: a tunnel is asked for, and opened or refused.

use std::io;

use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Credentials;
use crate::dial::{BoxedStream, with_first};

/// The largest head of an answer that is read.
const MAX_HEAD: usize = 16 * 1024;
/// How much of what a proxy says is shown.
const SHOWN: usize = 100;
const BEGINNING: &[u8] = b"HTTP/1.";

/// Why a proxy opened no tunnel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The connection broke.
    #[error("{}", crate::dial::words(.0))]
    Io(#[from] io::Error),
    /// The answer is not one.
    #[error("its answer is not HTTP: check its scheme and port")]
    NotHttp,
    /// The answer does not end.
    #[error("the head of its answer is larger than {MAX_HEAD} bytes")]
    TooLarge,
    /// It says no.
    #[error("it refuses with status {}", .0.status)]
    Refused(Refused),
}

/// A proxy's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    /// What stands beside the status.
    pub(crate) reason: Box<str>,
    /// The ways in which it can be told who asks: the first words of its challenges.
    pub(crate) schemes: Vec<Box<str>>,
}

/// The head of a request for a tunnel.
fn request(target: &str, credentials: Option<&Credentials>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: capstan/{version}\r\n");
    if let Some(Credentials { user, password }) = credentials {
        let both = BASE64.encode(&[&**user, b":", &**password].concat());
        head.push_str("Proxy-Authorization: Basic ");
        head.push_str(&both);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head
}

/// What the answer is, as far as it came.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// More has to come.
    Unfinished,
    /// The tunnel is open; it begins at this byte.
    Open(usize),
    /// There is none.
    Refused(Refused),
}

/// Reads the beginning of an answer. Heads of 1xx announce another one.
fn read(mut received: &[u8]) -> Result<Answer, ConnectError> {
    let mut before = 0;
    loop {
        if !received.iter().zip(BEGINNING).all(|(is, should)| is == should) {
            return Err(ConnectError::NotHttp);
        }
        let Some(end) = end_of_head(received) else {
            let within = before + received.len() < MAX_HEAD;
            return if within { Ok(Answer::Unfinished) } else { Err(ConnectError::TooLarge) };
        };
        let (head, rest) = received.split_at_checked(end).ok_or(ConnectError::NotHttp)?;
        before += end;
        let refused = read_head(&String::from_utf8_lossy(head)).ok_or(ConnectError::NotHttp)?;
        match refused.status {
            100..200 => received = rest,
            200..300 => return Ok(Answer::Open(before)),
            _ => return Ok(Answer::Refused(refused)),
        }
    }
}

/// Where the first empty line ends.
fn end_of_head(received: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in received.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if matches!(line, b"\r\n" | b"\n") {
            return Some(end);
        }
    }
    None
}

fn read_head(head: &str) -> Option<Refused> {
    let mut lines = head.lines();
    let (_version, rest) = lines.next()?.split_once(' ')?;
    let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let status: u16 = status.parse().ok().filter(|number| (100..600).contains(number) && status.len() == 3)?;
    let schemes = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let challenge = name.trim().eq_ignore_ascii_case("proxy-authenticate");
        challenge.then(|| shown(value.split_whitespace().next().unwrap_or_default()))
    });
    Some(Refused { status, reason: shown(reason), schemes: schemes.collect() })
}

/// What a proxy says, fit to be printed.
fn shown(text: &str) -> Box<str> {
    let printable: String = text.trim().chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    printable.into()
}

/// Asks for a tunnel. What the proxy sends behind its yes belongs to the tunnel.
pub(crate) async fn open(
    mut stream: BoxedStream,
    target: &str,
    credentials: Option<&Credentials>,
) -> Result<BoxedStream, ConnectError> {
    stream.write_all(request(target, credentials).as_bytes()).await?;
    stream.flush().await?;
    let mut received = Vec::new();
    loop {
        // An answer that is too large ends the loop, so this grows by one read beyond it at most.
        if stream.read_buf(&mut received).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        match read(&received)? {
            Answer::Unfinished => {}
            Answer::Open(end) => return Ok(with_first(received.split_off(end).into(), stream)),
            Answer::Refused(refused) => return Err(ConnectError::Refused(refused)),
        }
    }
}

#[cfg(test)]
mod tests;
