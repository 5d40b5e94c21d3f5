//! A gateway in a process of its own, and clients that are no more than bytes over TCP.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use responses::json::{Json, Object, Read};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::support::Room;

/// Nothing here takes as long: whoever waits longer waits for something that does not come.
const TOO_LONG: Duration = Duration::from_mins(2);

/// Waits for something that comes.
pub(crate) async fn soon<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(TOO_LONG, wait).await.expect("it did not come")
}

/// `capstan serve`, which listens.
pub(crate) struct Served {
    pub(crate) address: String,
    child: Child,
}

impl Served {
    /// On a free port, with its data in this folder, and with no server looked for.
    pub(crate) async fn start(room: &Room, data: &Path, more: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", room, data, more).await
    }

    /// The same, listening there.
    pub(crate) async fn start_at(listen: &str, room: &Room, data: &Path, more: &[&str]) -> Self {
        let served = Self::announced(listen, room, data, more).await;
        // It says where it listens before it serves, and before it hears signals.
        assert_eq!(served.get("/readyz").await.0, 200);
        soon(async { while !served.hears_signals() {} }).await;
        served
    }

    /// One that has said where it listens, and may not serve yet.
    pub(crate) async fn announced(listen: &str, room: &Room, data: &Path, more: &[&str]) -> Self {
        let data = data.to_str().unwrap();
        let usual = ["serve", "-c", "gateway.discover=false", "--listen", listen, "--data", data];
        let mut command = room.command(&[&usual, more].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = soon(said.next_line()).await.unwrap().expect("it says where it listens");
        let address = line.strip_prefix("listening on http://").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { address, child }
    }

    /// Whether SIGINT and SIGTERM do not simply end it.
    fn hears_signals(&self) -> bool {
        const WANTED: u64 = 1 << (2 - 1) | 1 << (15 - 1);
        let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", self.pid())) else { return true };
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        u64::from_str_radix(caught.unwrap().trim(), 16).unwrap() & WANTED == WANTED
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Ends it as a crash does.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends it a signal.
    pub(crate) async fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().await.unwrap();
        assert!(sent.success());
    }

    /// Waits until it has ended; gives its exit code, if it was not a signal that ended it.
    pub(crate) async fn ended(mut self) -> Option<i32> {
        soon(self.child.wait()).await.unwrap().code()
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        soon(ask(&self.address, "GET", path, "")).await.unwrap()
    }

    /// A response that is made well.
    pub(crate) async fn create(&self, fields: &str) -> String {
        let (status, text) = soon(ask(&self.address, "POST", "/v1/responses", &body(fields))).await.unwrap();
        assert_eq!(status, 200, "{text}");
        text
    }

    pub(crate) async fn socket(&self) -> Socket {
        soon(Socket::open(&self.address)).await.unwrap()
    }

    /// One of its numbers.
    pub(crate) async fn number(&self, name: &str) -> u64 {
        let (_, counted) = self.get("/metrics").await;
        let value = counted.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// Waits until nothing runs in it and no socket is open.
    pub(crate) async fn until_idle(&self) {
        for number in ["capstan_sockets", "capstan_responses_running", "capstan_responses_waiting"] {
            soon(async { while self.number(number).await > 0 {} }).await;
        }
    }
}

/// What the scripted model is asked with.
pub(crate) fn body(fields: &str) -> String {
    format!(r#"{{"model":"scripted",{fields}}}"#)
}

/// A request of its own connection.
pub(crate) async fn begin(address: &str, method: &str, path: &str, body: &str) -> io::Result<TcpStream> {
    let mut io = TcpStream::connect(address).await?;
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}");
    io.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await?;
    Ok(io)
}

/// A whole answer: its status, and its body. One that is cut off is an error.
pub(crate) async fn ask(address: &str, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
    let mut io = begin(address, method, path, body).await?;
    let mut answer = String::new();
    io.read_to_string(&mut answer).await?;
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, rest) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return Ok((status, whole_of_chunks(rest).ok_or_else(cut)?));
    }
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
    if length == Some(rest.len()) { Ok((status, rest.to_owned())) } else { Err(cut()) }
}

fn whole_of_chunks(mut rest: &str) -> Option<String> {
    let mut whole = String::new();
    loop {
        let (length, after) = rest.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(whole);
        }
        let (chunk, after) = after.split_at_checked(length)?;
        whole.push_str(chunk);
        rest = after.strip_prefix("\r\n")?;
    }
}

/// A client's end of a socket.
pub(crate) struct Socket(BufReader<TcpStream>);

impl Socket {
    pub(crate) async fn open(address: &str) -> io::Result<Self> {
        let mut io = BufReader::new(TcpStream::connect(address).await?);
        let upgrade = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13";
        let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
        let head = format!("GET /v1/responses HTTP/1.1\r\nhost: {address}\r\n{upgrade}\r\n{key}\r\n\r\n");
        io.write_all(head.as_bytes()).await?;
        let mut line = String::new();
        io.read_line(&mut line).await?;
        assert!(line.starts_with("HTTP/1.1 101 "), "{line}");
        while line != "\r\n" {
            line.clear();
            io.read_line(&mut line).await?;
        }
        Ok(Self(io))
    }

    /// Asks for a response of the scripted model.
    pub(crate) async fn create(&mut self, fields: &str) -> io::Result<()> {
        self.say(1, format!(r#"{{"type":"response.create","model":"scripted",{fields}}}"#).as_bytes()).await
    }

    pub(crate) async fn say(&mut self, opcode: u8, text: &[u8]) -> io::Result<()> {
        let mut frame = vec![0x80 | opcode];
        match u16::try_from(text.len()) {
            Ok(short @ 0..126) => frame.push(0x80 + short.to_be_bytes()[1]),
            Ok(medium) => {
                frame.push(0x80 + 126);
                frame.extend(medium.to_be_bytes());
            }
            Err(_) => {
                frame.push(0x80 + 127);
                frame.extend((text.len() as u64).to_be_bytes());
            }
        }
        // A mask of nothing but zeros leaves the text as it is.
        frame.extend([0; 4]);
        frame.extend(text);
        self.0.write_all(&frame).await
    }

    /// The next message; none when the socket is closed, or lost.
    pub(crate) async fn hear(&mut self) -> Option<String> {
        let mut message = Vec::new();
        loop {
            let mut head = [0; 2];
            self.0.read_exact(&mut head).await.ok()?;
            let length = match head[1] {
                126 => u64::from(self.0.read_u16().await.ok()?),
                127 => self.0.read_u64().await.ok()?,
                short => u64::from(short),
            };
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.0.read_exact(&mut payload).await.ok()?;
            match head[0] & 0x0f {
                0 | 1 => {
                    message.extend(payload);
                    // It may come in pieces.
                    if head[0] & 0x80 != 0 {
                        return Some(String::from_utf8(message).unwrap());
                    }
                }
                9 => self.say(10, &payload).await.ok()?,
                8 => return None,
                _ => {}
            }
        }
    }

    /// The last event of the next response that ends; none if the socket is closed before.
    pub(crate) async fn answer(&mut self) -> Option<String> {
        loop {
            let text = self.hear().await?;
            let kind = text_of(&text, "type");
            if ["response.completed", "response.incomplete", "response.failed", "error"].contains(&&*kind) {
                return Some(text);
            }
        }
    }
}

/// A field of a JSON object, by its path.
pub(crate) fn of<T: for<'a> Read<'a>>(text: &str, path: &str) -> T {
    let mut value = text.to_owned();
    for key in path.split('.') {
        let next = match key.parse::<usize>() {
            Ok(at) => responses::json::elements(&value).unwrap().get(at).map(|text| (*text).to_owned()),
            Err(_) => Object::parse(&value).unwrap().get(key).map(str::to_owned),
        };
        value = next.unwrap_or_else(|| panic!("no {path} in {text}"));
    }
    T::read(&value).unwrap_or_else(|error| panic!("{path} of {text}: {error}"))
}

/// A field that is text.
pub(crate) fn text_of(text: &str, path: &str) -> String {
    of::<Box<str>>(text, path).into()
}

/// The response that an event carries.
pub(crate) fn response_of(event: &str) -> String {
    of::<Json>(event, "response").text().to_owned()
}

/// What the model said first, in a response.
pub(crate) fn said(response: &str) -> String {
    text_of(response, "output.0.content.0.text")
}
