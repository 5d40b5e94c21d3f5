//! A proxy that speaks SOCKS 5 (RFC 1928), with user and password if it is told so (RFC 1929).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Asked, Credentials, Desk, Kind, Mood, PATIENCE, Unreached, hang, tunnel};

const VERSION: u8 = 5;
const AUTHENTICATION_VERSION: u8 = 1;
const CONNECT: u8 = 1;

/// How a client says who it is.
const OPEN: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_OF_THESE: u8 = 0xff;

/// Replies.
const GRANTED: u8 = 0;
const GENERAL_FAILURE: u8 = 1;
const HOST_UNREACHABLE: u8 = 4;
const REFUSED: u8 = 5;
const NO_SUCH_COMMAND: u8 = 7;

/// What a client wants.
struct Wanted {
    command: u8,
    host: String,
    by_name: bool,
    port: u16,
}

/// A client that was let in.
struct Guest {
    authenticated: bool,
}

pub(super) async fn serve(desk: &Desk, mut io: TcpStream) -> io::Result<()> {
    let asked = match desk.rules.mood {
        Mood::Hanging => return hang(io).await,
        Mood::Closing => return Ok(()),
        Mood::Willing | Mood::Refusing(_) => tokio::time::timeout(PATIENCE, listen(desk, &mut io)).await??,
    };
    let Some((guest, wanted)) = asked else { return io.shutdown().await };
    let Wanted { command, host, by_name, port } = wanted;
    desk.note(Asked {
        target: if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") },
        by_name,
        authenticated: guest.authenticated,
        kind: Kind::Socks5,
    });
    let reached = match desk.rules.mood {
        Mood::Refusing(code) => Err(u8::try_from(code).unwrap_or(GENERAL_FAILURE)),
        _ if command != CONNECT => Err(NO_SUCH_COMMAND),
        _ => desk.reach(&host, port).await.map_err(code_of),
    };
    io.write_all(&reply(reached.as_ref().err().copied().unwrap_or(GRANTED))).await?;
    match reached {
        Ok(target) => tunnel(io, target).await,
        Err(_) => io.shutdown().await,
    }
}

/// What the client wants, if it is let in.
async fn listen(desk: &Desk, io: &mut TcpStream) -> io::Result<Option<(Guest, Wanted)>> {
    match greet(desk, io).await? {
        Some(guest) => Ok(Some((guest, read_request(io).await?))),
        None => Ok(None),
    }
}

fn code_of(unreached: Unreached) -> u8 {
    match unreached {
        Unreached::Unknown => HOST_UNREACHABLE,
        Unreached::Failed => REFUSED,
    }
}

/// A reply; where the tunnel begins is said to be nowhere, as many proxies do.
fn reply(code: u8) -> [u8; 10] {
    [VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0]
}

/// Settles how the client says who it is, and lets it in or not.
async fn greet(desk: &Desk, io: &mut TcpStream) -> io::Result<Option<Guest>> {
    expect(io, VERSION).await?;
    let offered = read_counted(io).await?;
    let demanded = if desk.rules.credentials.is_some() { PASSWORD } else { OPEN };
    let stranger = || Asked { target: String::new(), by_name: false, authenticated: false, kind: Kind::Socks5 };
    if !offered.contains(&demanded) {
        desk.note(stranger());
        io.write_all(&[VERSION, NONE_OF_THESE]).await?;
        return Ok(None);
    }
    io.write_all(&[VERSION, demanded]).await?;
    let Some(credentials) = &desk.rules.credentials else { return Ok(Some(Guest { authenticated: false })) };
    expect(io, AUTHENTICATION_VERSION).await?;
    let (user, password) = (read_text(io).await?, read_text(io).await?);
    if *credentials != (Credentials { user, password }) {
        desk.note(stranger());
        io.write_all(&[AUTHENTICATION_VERSION, GENERAL_FAILURE]).await?;
        return Ok(None);
    }
    io.write_all(&[AUTHENTICATION_VERSION, GRANTED]).await?;
    Ok(Some(Guest { authenticated: true }))
}

async fn read_request(io: &mut TcpStream) -> io::Result<Wanted> {
    expect(io, VERSION).await?;
    let command = io.read_u8().await?;
    expect(io, 0).await?;
    let (host, by_name) = match io.read_u8().await? {
        1 => (Ipv4Addr::from_bits(io.read_u32().await?).to_string(), false),
        3 => (read_text(io).await?, true),
        4 => (Ipv6Addr::from_bits(io.read_u128().await?).to_string(), false),
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    Ok(Wanted { command, host, by_name, port: io.read_u16().await? })
}

async fn expect(io: &mut TcpStream, byte: u8) -> io::Result<()> {
    if io.read_u8().await? == byte { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// So many bytes as the first says.
async fn read_counted(io: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(io.read_u8().await?)];
    io.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn read_text(io: &mut TcpStream) -> io::Result<String> {
    String::from_utf8(read_counted(io).await?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
