//! A gateway on loopback, and a client that is no more than the protocol.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::Layers;
use futures_util::{SinkExt, StreamExt};
use gateway::{Gateway, Settings};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use transport::Dial;
use transport::credentials::Environment;
use transport::dial::{DialLimits, SystemNetwork};
use transport::provider::BUILT_IN;
use transport::proxy::Proxies;
use transport::tls::{Tls, TlsSettings};

/// What comes of it, or why the page cannot be written.
pub(crate) type Outcomes<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Nothing here takes as long: whoever waits longer waits for something that does not come.
const TOO_LONG: Duration = Duration::from_secs(30);

/// Waits for something that comes.
pub(crate) async fn soon<T>(wait: impl Future<Output = T>) -> Outcomes<T> {
    tokio::time::timeout(TOO_LONG, wait).await.map_err(|_| "something that should come did not come".into())
}

/// A gateway that serves.
pub(crate) struct Stage {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinSet<()>,
    folder: TempDir,
}

impl Stage {
    /// With these settings, besides those that keep it to itself.
    pub(crate) fn with(settings: &str) -> Outcomes<Self> {
        Self::in_folder(settings, TempDir::new()?)
    }

    /// With what is in this folder.
    pub(crate) fn in_folder(settings: &str, folder: TempDir) -> Outcomes<Self> {
        let usual = "gateway.listen = \"127.0.0.1:0\"\ngateway.discover = false\ngateway.store = \"memory\"\n";
        let environment: Environment = Arc::new(|_: &str| None);
        let text = format!("{usual}{settings}");
        let mut table = Layers::new().built_in(BUILT_IN)?.file("gateway.toml", &text)?.merge();
        let settings = Settings::read(&mut table, &environment)?;
        let gateway = Gateway::start(settings, &environment, &|_| way_out(), folder.path())?;
        let address = gateway.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut task = JoinSet::new();
        task.spawn(gateway.serve(async {
            // Whoever drops the other end asks for the end, too.
            let _ = stopped.await;
        }));
        Ok(Self { address, stop: Some(stop), task, folder })
    }

    /// Asks it to end.
    pub(crate) fn ask_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Ends it at once.
    pub(crate) async fn end(mut self) -> Outcomes<()> {
        self.task.shutdown().await;
        Ok(self.folder.close()?)
    }

    /// Opens a socket.
    pub(crate) async fn socket(&self, headers: &[(&'static str, &str)]) -> Outcomes<Socket> {
        let mut request = format!("ws://{}/v1/responses", self.address).into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse()?);
        }
        let io = TcpStream::connect(self.address).await?;
        let (socket, _) = soon(tokio_tungstenite::client_async(request, io)).await??;
        Ok(Socket(socket))
    }

    /// Asks over HTTP: `GET /v1/models`.
    pub(crate) async fn ask(&self, asked: &str, headers: &[(&str, &str)], body: &str) -> Outcomes<Reply> {
        let (method, path) = asked.split_once(' ').ok_or("a method and a path")?;
        let io = TokioIo::new(TcpStream::connect(self.address).await?);
        let (mut sender, connection) = http1::handshake(io).await?;
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8787");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned())))?;
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let reply = soon(sender.send_request(request)).await??;
        Reply::read(reply).await
    }
}

fn way_out() -> Outcomes<Dial> {
    let proxies = Proxies::from_variables(std::iter::empty::<(String, String)>())?;
    Ok(Dial::new(Arc::new(SystemNetwork::new(DialLimits::default())), proxies, Tls::new(&TlsSettings::default())?))
}

/// An answer over HTTP.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    async fn read(reply: Response<Incoming>) -> Outcomes<Self> {
        let (head, body) = reply.into_parts();
        let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers = head.headers.iter().filter_map(header).collect();
        // An upgrade has no body that ends.
        let bytes = if head.status == 101 { Bytes::new() } else { soon(body.collect()).await??.to_bytes() };
        Ok(Self { status: head.status.as_u16(), headers, body: String::from_utf8(bytes.to_vec())? })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A client's end of a socket.
pub(crate) struct Socket(WebSocketStream<TcpStream>);

/// What comes over a socket.
pub(crate) enum Came {
    Text(String),
    Closed(Option<(u16, String)>),
}

impl Socket {
    pub(crate) async fn send(&mut self, message: Message) -> Outcomes<()> {
        Ok(soon(self.0.send(message)).await??)
    }

    pub(crate) async fn say(&mut self, text: &str) -> Outcomes<()> {
        self.send(Message::text(text)).await
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> Outcomes<Came> {
        loop {
            match soon(self.0.next()).await? {
                Some(Ok(Message::Text(text))) => return Ok(Came::Text(text.as_str().to_owned())),
                Some(Ok(Message::Close(frame))) => {
                    return Ok(Came::Closed(frame.map(|frame| (frame.code.into(), frame.reason.to_string()))));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ok(Came::Closed(None)),
            }
        }
    }

    /// The next message, which is text.
    pub(crate) async fn text(&mut self) -> Outcomes<String> {
        match self.hear().await? {
            Came::Text(text) => Ok(text),
            Came::Closed(why) => Err(format!("the socket was closed: {why:?}").into()),
        }
    }
}
