//! How a provider is asked: addresses, headers, keys.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE as UPGRADE_HEADER, USER_AGENT,
};
use hyper::upgrade::Upgraded;
use hyper::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use responses::chain::{Trouble, TroubleKind};
use responses::error::ApiError;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::compress::compress;
use crate::credentials::{Bearer, CredentialError, Credentials};
use crate::dial::{Alpn, BoxedStream, Dial, DialError, Origin, with_first};
use crate::head::{Head, TURN_STATE, refusal};
use crate::http::Http;
use crate::link::{Post, Word};
use crate::provider::{Provider, Wire};
use crate::secret::Secret;
use crate::sse_link::read_error;
use crate::websocket_link::{NotOpened, OpenSocket};

/// Who we say we are.
const AGENT: &str = concat!("capstan/", env!("CARGO_PKG_VERSION"));

/// How long a server may take over its answer to an upgrade, once it is reached.
const UPGRADE: Duration = Duration::from_secs(15);

const UNAUTHORIZED: u16 = 401;

/// Bodies larger than this are compressed on a thread of their own.
const ASIDE: usize = 1 << 20;

/// Asks one provider. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) provider: Arc<Provider>,
    /// What every request carries.
    pub(crate) headers: HeaderMap,
    pub(crate) credentials: Credentials,
    /// The key that was sent last: servers say keys back.
    pub(crate) sent: Arc<watch::Sender<Option<Secret>>>,
    pub(crate) dial: Dial,
    pub(crate) http: Http,
}

impl Caller {
    /// Opens a socket.
    pub(crate) async fn open(&self) -> Result<OpenSocket, NotOpened> {
        let bearer = self.bearer().await.map_err(NotOpened::Refused)?;
        match self.upgrade(bearer.as_ref()).await {
            Err(NotOpened::Refused(error)) if error.status == Some(UNAUTHORIZED) => {
                let another = self.another(bearer.as_ref(), &error).await.map_err(NotOpened::Refused)?;
                self.upgrade(Some(&another)).await
            }
            opened => opened,
        }
    }

    /// Sends a request, and gives the head of its answer.
    pub(crate) async fn post(&self, post: Post) -> Result<Response<Incoming>, Word> {
        let (body, compressed) = self.compressed(post.body).await;
        let uri = match self.provider.wire {
            Wire::Responses => self.provider.base_url.responses(),
            Wire::Chat => self.provider.base_url.chat_completions(),
        };
        self.exchange(|bearer| {
            let mut request = self.request(uri, bearer);
            *request.method_mut() = hyper::Method::POST;
            let headers = request.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
            if compressed {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("zstd"));
            }
            if let Some(state) = &post.turn_state {
                headers.insert(TURN_STATE, state.clone());
            }
            request.map(|()| Full::new(body.clone()))
        })
        .await
    }

    /// Asks for the list of models: the cheapest question that needs a key.
    pub(crate) async fn models(&self) -> Result<Head, Word> {
        let (head, body) = self.list_of_models().await?.into_parts();
        read_error(body).await;
        Ok(Head::of(&head.headers))
    }

    /// The list of models, as far as its head.
    pub(crate) async fn list_of_models(&self) -> Result<Response<Incoming>, Word> {
        let uri = self.provider.base_url.models();
        let answer = self.exchange(|bearer| self.request(uri, bearer).map(|()| Full::default())).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        let body = read_error(body).await;
        Err(Word::Refused(refusal(head.status.as_u16(), &head.headers, &body, SystemTime::now())))
    }

    /// One request, and once more with another key if the first is refused.
    async fn exchange(
        &self,
        request: impl Fn(Option<&Bearer>) -> Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Word> {
        let bearer = self.bearer().await.map_err(Word::Refused)?;
        let answer = self.http.send(request(bearer.as_ref())).await?;
        if answer.status() != StatusCode::UNAUTHORIZED || bearer.is_none() {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        let error = refusal(UNAUTHORIZED, &head.headers, &read_error(body).await, SystemTime::now());
        let another = self.another(bearer.as_ref(), &error).await.map_err(Word::Refused)?;
        self.http.send(request(Some(&another))).await
    }

    async fn bearer(&self) -> Result<Option<Bearer>, ApiError> {
        self.credentials.bearer().await.map_err(|error| no_key(&error))
    }

    /// A server's words without what it was told in confidence. None if they hold nothing of the kind.
    pub(crate) fn without_secrets(&self, text: &str) -> Option<String> {
        /// What is shorter is no secret, and may stand anywhere.
        const SHORTEST: usize = 8;
        let key = self.sent.borrow();
        let headers =
            self.headers.values().filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
        let secrets = key.iter().map(Secret::expose).chain(headers);
        secrets.filter(|secret| secret.len() >= SHORTEST && text.contains(secret)).fold(None, |clean, secret| {
            let text = clean.as_deref().unwrap_or(text);
            Some(text.replace(secret, "[redacted]"))
        })
    }

    /// Another key, after one was refused. If there is none, the refusal stands.
    async fn another(&self, refused: Option<&Bearer>, error: &ApiError) -> Result<Bearer, ApiError> {
        let Some(refused) = refused else { return Err(error.clone()) };
        match self.credentials.refresh(refused.generation).await {
            Ok(Some(bearer)) => Ok(bearer),
            Ok(None) => Err(error.clone()),
            Err(refused @ CredentialError::Refused { .. }) => {
                Err(ApiError { message: format!("{}: {refused}", error.message).into(), ..error.clone() })
            }
            Err(failed) => Err(no_key(&failed)),
        }
    }

    fn request(&self, uri: &Uri, bearer: Option<&Bearer>) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(bearer) = bearer {
            headers.insert(AUTHORIZATION, bearer.secret.header());
            self.sent.send_if_modified(|sent| {
                let is_new = sent.as_ref() != Some(&bearer.secret);
                if is_new {
                    *sent = Some(bearer.secret.clone());
                }
                is_new
            });
        }
        // What the user says goes before what we would say.
        headers.extend(self.headers.clone());
        request
    }

    async fn compressed(&self, body: String) -> (Bytes, bool) {
        let body = Bytes::from(body);
        if !self.provider.can.zstd {
            return (body, false);
        }
        let (began, ours) = (Instant::now(), body.clone());
        // A large body keeps a core busy, and others are waiting.
        let compressed = if body.len() > ASIDE {
            tokio::task::spawn_blocking(move || compress(&ours)).await.ok().flatten()
        } else {
            compress(&ours)
        };
        match compressed {
            Some(small) => {
                let (from, to, took) = (small.from, small.to(), began.elapsed());
                tracing::debug!(from, to, ?took, "request body compressed with zstd");
                (small.bytes, true)
            }
            None => (body, false),
        }
    }

    async fn upgrade(&self, bearer: Option<&Bearer>) -> Result<OpenSocket, NotOpened> {
        let unreachable = |kind, detail: String| NotOpened::Unreachable(Trouble::new(kind, detail));
        let uri = self.provider.base_url.socket();
        let origin = Origin::of(uri).map_err(|error| unreachable(TroubleKind::Name, error.to_string()))?;
        let dialed =
            self.dial.dial(&origin, Alpn::Http1).await.map_err(|error| NotOpened::Unreachable(error.into()))?;
        match timeout(UPGRADE, self.shake_hands(uri, bearer, dialed.stream)).await {
            Ok(Ok((stream, head))) => Ok(OpenSocket { stream, head, path: dialed.path }),
            Ok(Err(reason)) => Err(reason),
            Err(_) => Err(unreachable(TroubleKind::Timeout, "the server does not answer the upgrade".to_owned())),
        }
    }

    async fn shake_hands(
        &self,
        uri: &Uri,
        bearer: Option<&Bearer>,
        stream: BoxedStream,
    ) -> Result<(BoxedStream, Head), NotOpened> {
        let broke = |error| NotOpened::Unreachable(why_it_broke(&error, uri));
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broke)?;
        let (request, key) = self.upgrade_request(uri, bearer);
        let exchange = async {
            let mut answer = sender.send_request(request).await.map_err(broke)?;
            if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                let (head, body) = answer.into_parts();
                let body = read_error(body).await;
                return Err(NotOpened::Refused(refusal(head.status.as_u16(), &head.headers, &body, SystemTime::now())));
            }
            if answer.headers().get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes)
                != Some(derive_accept_key(key.as_bytes()).as_bytes())
            {
                let message = "what answered the upgrade does not speak websocket: check what stands before the server";
                return Err(NotOpened::Refused(ApiError::report(501, Some("not_a_websocket"), None, message)));
            }
            let head = Head::of(answer.headers());
            let stream = hyper::upgrade::on(&mut answer).await.map_err(broke)?;
            Ok((bare(stream), head))
        };
        let (mut exchange, mut connection) = (std::pin::pin!(exchange), std::pin::pin!(connection.with_upgrades()));
        tokio::select! {
            biased;
            opened = &mut exchange => opened,
            // The connection must be driven, and ends when it has become a socket.
            _ = &mut connection => exchange.await,
        }
    }

    fn upgrade_request(&self, uri: &Uri, bearer: Option<&Bearer>) -> (Request<Full<Bytes>>, String) {
        let key = generate_key();
        let (mut head, ()) = self.request(uri, bearer).into_parts();
        let host = uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
        head.uri = uri.path_and_query().map_or_else(|| Uri::from_static("/"), |path| path.clone().into());
        let fixed = [(CONNECTION, "upgrade"), (UPGRADE_HEADER, "websocket"), (SEC_WEBSOCKET_VERSION, "13")];
        head.headers.extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
        head.headers.extend(host.map(|host| (HOST, host)));
        head.headers.extend(HeaderValue::from_str(&key).ok().map(|key| (SEC_WEBSOCKET_KEY, key)));
        (Request::from_parts(head, Full::default()), key)
    }
}

/// The stream below a connection that has become a socket: nobody has to look any more whether it was read before.
fn bare(upgraded: Upgraded) -> BoxedStream {
    match upgraded.downcast::<TokioIo<BoxedStream>>() {
        Ok(parts) => with_first(parts.read_buf, parts.io.into_inner()),
        Err(upgraded) => Box::new(TokioIo::new(upgraded)),
    }
}

/// Servers that want another certificate of ours say so when the handshake is over.
fn why_it_broke(error: &hyper::Error, uri: &Uri) -> Trouble {
    let of_tls = Origin::of(uri).ok().and_then(|origin| DialError::of_tls(error, &origin));
    let broke = || Trouble::new(TroubleKind::Connect, "the connection broke in the upgrade");
    of_tls.map_or_else(broke, Trouble::from)
}

fn no_key(error: &CredentialError) -> ApiError {
    match error {
        // Another try may go better.
        CredentialError::Failed { .. } => ApiError::report(500, Some("key_failed"), None, error.to_string()),
        _ => ApiError::report(UNAUTHORIZED, Some("no_key"), None, error.to_string()),
    }
}
