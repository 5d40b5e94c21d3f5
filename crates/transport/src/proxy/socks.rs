//! SOCKS5 (RFC 1928), and its user names and passwords (RFC 1929).

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Credentials;
use crate::dial::BoxedStream;

const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const NO_LOGIN: u8 = 0;
const LOGIN: u8 = 2;
const NOTHING_SUITS: u8 = 0xFF;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;
const NO_NETWORK: u8 = 3;
const NO_HOST: u8 = 4;
const REFUSED: u8 = 5;
const NO_SUCH_KIND: u8 = 8;

/// Why a proxy opened no tunnel.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocksError {
    /// The connection broke.
    #[error("{}", crate::dial::words(.0))]
    Io(#[from] io::Error),
    /// The answer is not one.
    #[error("its answer is not SOCKS5: check its scheme and port")]
    NotSocks,
    /// Nothing was offered that it takes.
    #[error("it takes none of the offered ways to log in")]
    NoMethod,
    /// It does not know the user.
    #[error("it does not accept the credentials")]
    Login,
    /// The name is longer than a byte can say.
    #[error("a name has at most 255 bytes")]
    Name,
    /// There is no address to ask for.
    #[error("the server has no address")]
    NoTarget,
    /// It cannot reach the server, or does not want to.
    #[error("{}", reason(*.0))]
    Refused(u8),
}

impl SocksError {
    /// Whether another address of the same server may do better.
    pub(crate) fn is_of_target(&self) -> bool {
        matches!(self, Self::Refused(NO_NETWORK | NO_HOST | REFUSED | NO_SUCH_KIND))
    }
}

/// What a tunnel leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// A name that the proxy resolves.
    Name(&'a str, u16),
    /// An address.
    Address(SocketAddr),
}

/// The codes of RFC 1928, 6.
fn reason(code: u8) -> &'static str {
    match code {
        1 => "it failed",
        2 => "its rules do not allow it",
        NO_NETWORK => "the network cannot be reached",
        NO_HOST => "the host cannot be reached, or its name is not known",
        REFUSED => "the server refuses the connection",
        6 => "the time to live is over",
        7 => "it does not support CONNECT",
        NO_SUCH_KIND => "it does not support this kind of address",
        _ => "it gives a reason that is not in the standard",
    }
}

fn greeting(credentials: Option<&Credentials>) -> &'static [u8] {
    match credentials {
        None => &[VERSION, 1, NO_LOGIN],
        Some(_) => &[VERSION, 2, NO_LOGIN, LOGIN],
    }
}

/// Whether the proxy wants to know who asks.
fn wants_login(answer: [u8; 2], credentials: Option<&Credentials>) -> Result<Option<&Credentials>, SocksError> {
    match (answer, credentials) {
        ([VERSION, NO_LOGIN], _) => Ok(None),
        ([VERSION, LOGIN], Some(credentials)) => Ok(Some(credentials)),
        ([VERSION, NOTHING_SUITS], _) => Err(SocksError::NoMethod),
        _ => Err(SocksError::NotSocks),
    }
}

fn login(credentials: &Credentials) -> Result<Vec<u8>, SocksError> {
    let mut message = vec![LOGIN_VERSION];
    for field in [&credentials.user, &credentials.password] {
        message.push(u8::try_from(field.len()).map_err(|_| SocksError::Login)?);
        message.extend_from_slice(field);
    }
    Ok(message)
}

fn request(target: Target<'_>) -> Result<Vec<u8>, SocksError> {
    let mut message = vec![VERSION, CONNECT, 0];
    let port = match target {
        Target::Name(name, port) => {
            message.push(NAME);
            message.push(u8::try_from(name.len()).map_err(|_| SocksError::Name)?);
            message.extend_from_slice(name.as_bytes());
            port
        }
        Target::Address(address) => {
            match address.ip() {
                IpAddr::V4(ip) => {
                    message.push(IPV4);
                    message.extend_from_slice(&ip.octets());
                }
                IpAddr::V6(ip) => {
                    message.push(IPV6);
                    message.extend_from_slice(&ip.octets());
                }
            }
            address.port()
        }
    };
    message.extend_from_slice(&port.to_be_bytes());
    Ok(message)
}

/// Whether the proxy says yes. Some close behind the code of a no, so nothing more is read before.
fn agrees(answer: [u8; 2]) -> Result<(), SocksError> {
    match answer {
        [VERSION, 0] => Ok(()),
        [VERSION, code] => Err(SocksError::Refused(code)),
        _ => Err(SocksError::NotSocks),
    }
}

/// How many bytes of a yes are still to come: the address that the proxy speaks from, of which the first byte is here.
fn rest_of_yes(head: [u8; 3]) -> Result<usize, SocksError> {
    const PORT: usize = 2;
    match head {
        [_, IPV4, _] => Ok(3 + PORT),
        [_, IPV6, _] => Ok(15 + PORT),
        [_, NAME, length] => Ok(usize::from(length) + PORT),
        _ => Err(SocksError::NotSocks),
    }
}

/// Asks for a tunnel. Messages are read to their last byte and no further: what follows belongs to the tunnel.
pub(crate) async fn open(
    mut stream: BoxedStream,
    target: Target<'_>,
    credentials: Option<&Credentials>,
) -> Result<BoxedStream, SocksError> {
    say(&mut stream, greeting(credentials)).await?;
    if let Some(credentials) = wants_login(hear(&mut stream).await?, credentials)? {
        say(&mut stream, &login(credentials)?).await?;
        if hear(&mut stream).await? != [LOGIN_VERSION, 0] {
            return Err(SocksError::Login);
        }
    }
    say(&mut stream, &request(target)?).await?;
    agrees(hear(&mut stream).await?)?;
    let rest = rest_of_yes(hear(&mut stream).await?)?;
    stream.read_exact(&mut vec![0; rest]).await?;
    Ok(stream)
}

async fn say(stream: &mut BoxedStream, message: &[u8]) -> io::Result<()> {
    stream.write_all(message).await?;
    stream.flush().await
}

async fn hear<const N: usize>(stream: &mut BoxedStream) -> io::Result<[u8; N]> {
    let mut message = [0; N];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

#[cfg(test)]
mod tests;
