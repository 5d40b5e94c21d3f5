//! A gateway on loopback, and clients that are no more than the protocol.

use std::sync::Arc;
use std::time::Duration;

use config::Layers;
use futures_util::{SinkExt, StreamExt};
use gateway::{Gateway, Settings};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use responses::json::{Json, Object, Read};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use transport::Dial;
use transport::dial::{DialLimits, SystemNetwork};
use transport::provider::BUILT_IN;
use transport::proxy::Proxies;
use transport::tls::{Tls, TlsSettings};

/// Nothing here takes as long: whoever waits longer waits for something that does not come.
const TOO_LONG: Duration = Duration::from_mins(1);

/// Waits for something that comes.
pub(crate) async fn soon<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(TOO_LONG, wait).await.expect("it did not come")
}

/// A gateway that serves.
pub(crate) struct Running {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) folder: Arc<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinSet<()>,
}

impl Running {
    /// With the model `scripted` and nothing else.
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// With these settings.
    pub(crate) fn with(settings: &str) -> Self {
        Self::in_folder(settings, Arc::new(TempDir::new().unwrap()))
    }

    /// With what another one left behind.
    pub(crate) fn in_folder(settings: &str, folder: Arc<TempDir>) -> Self {
        let text = format!("gateway.listen = \"127.0.0.1:0\"\ngateway.discover = false\n{settings}");
        let environment: transport::credentials::Environment = Arc::new(|_: &str| None);
        let layers = Layers::new().built_in(BUILT_IN).unwrap().file("test.toml", &text);
        let mut table = layers.unwrap_or_else(|error| panic!("{error}")).merge();
        let settings = Settings::read(&mut table, &environment).unwrap_or_else(|error| panic!("{error}"));
        let dial = |_: &transport::Provider| {
            let tls = Tls::new(&TlsSettings::default())?;
            let proxies = Proxies::from_variables(std::iter::empty::<(String, String)>())?;
            Ok(Dial::new(Arc::new(SystemNetwork::new(DialLimits::default())), proxies, tls))
        };
        let gateway = Gateway::start(settings, &environment, &dial, folder.path());
        let gateway = gateway.unwrap_or_else(|error| panic!("{error}"));
        let address = gateway.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut task = JoinSet::new();
        task.spawn(gateway.serve(async {
            let _ = stopped.await;
        }));
        Self { address, folder, stop: Some(stop), task }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.ask_to_stop();
        soon(self.task.join_next()).await;
    }

    pub(crate) fn ask_to_stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Incoming> {
        let io = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let (mut sender, connection) = http1::handshake(io).await.unwrap();
        let mut request = Request::builder().method(method).uri(path).header("host", "gateway");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let reply = soon(sender.send_request(request)).await.unwrap();
        // The connection is driven for as long as the test lives; the answer's body needs it.
        driver.detach_all();
        reply
    }

    /// The status, and the whole body.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &str) -> (StatusCode, String) {
        let reply = self.send(method, path, &[], body).await;
        let status = reply.status();
        (status, whole(reply).await)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        self.ask(Method::GET, path, "").await
    }

    /// A response that is made well.
    pub(crate) async fn create(&self, fields: &str) -> String {
        let (status, text) = self.post(fields).await;
        assert_eq!(status, 200, "{text}");
        text
    }

    pub(crate) async fn post(&self, fields: &str) -> (StatusCode, String) {
        self.ask(Method::POST, "/v1/responses", &format!(r#"{{"model":"scripted",{fields}}}"#)).await
    }

    pub(crate) async fn socket(&self) -> Socket {
        self.socket_with(&[]).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) async fn socket_with(&self, headers: &[(&'static str, &str)]) -> Result<Socket, tungstenite::Error> {
        let mut request = format!("ws://{}/v1/responses", self.address).into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let io = TcpStream::connect(self.address).await?;
        let (socket, _) = soon(tokio_tungstenite::client_async(request, io)).await?;
        Ok(Socket(socket))
    }
}

pub(crate) async fn whole(reply: Response<Incoming>) -> String {
    let bytes = soon(reply.into_body().collect()).await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A client's end of a socket.
pub(crate) struct Socket(pub(crate) WebSocketStream<TcpStream>);

impl Socket {
    pub(crate) async fn say(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    /// Asks for a response of the scripted model.
    pub(crate) async fn create(&mut self, fields: &str) {
        self.say(format!(r#"{{"type":"response.create","model":"scripted",{fields}}}"#)).await;
    }

    /// The next message; none when the socket is closed.
    pub(crate) async fn hear(&mut self) -> Option<String> {
        loop {
            match soon(self.0.next()).await {
                Some(Ok(Message::Text(text))) => return Some(text.as_str().to_owned()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }

    /// All messages up to and with the next last one of a response.
    pub(crate) async fn answer(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        while let Some(text) = self.hear().await {
            let kind = text_of(&text, "type");
            heard.push(text);
            if ["response.completed", "response.incomplete", "response.failed", "error"].contains(&&*kind) {
                return heard;
            }
        }
        panic!("the socket was closed after {heard:?}")
    }

    /// A response that is made well; gives it as its last event has it.
    pub(crate) async fn made(&mut self, fields: &str) -> String {
        self.create(fields).await;
        let heard = self.answer().await;
        let last = heard.last().unwrap();
        assert_eq!(text_of(last, "type"), "response.completed", "{last}");
        of::<Json>(last, "response").text().to_owned()
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

/// What the model said first, in a response.
pub(crate) fn said(response: &str) -> String {
    text_of(response, "output.0.content.0.text")
}

/// The events of a stream of server-sent events.
pub(crate) fn events(stream: &str) -> Vec<String> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(str::to_owned).collect()
}

/// A text as JSON has it.
pub(crate) fn quoted(text: &str) -> String {
    Json::of(&text).text().to_owned()
}
