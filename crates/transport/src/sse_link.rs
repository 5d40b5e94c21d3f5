//! One request over HTTP, answered by server-sent events.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Collected, Limited};
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use responses::error::ApiError;
use responses::json::Object;
use responses::sse::SseDecoder;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::head::{Head, refusal};
use crate::http::Carrier;
use crate::link::{Link, Moved, Opened, SocketId, Text, Word, Words};
use crate::tasks::Spawner;

/// How much of an error's body is read.
const MAX_ERROR_BODY: usize = 1 << 20;

/// How long that may take.
const ERROR_BODY_WITHIN: Duration = Duration::from_secs(5);

/// How much is read of an answer that came whole, by a server that does not stream.
const MAX_WHOLE_BODY: usize = 64 << 20;

/// How long the rest of an answer is waited for once its last event was heard. If it comes, the connection is kept.
const LINGER: Duration = Duration::from_secs(2);

/// What server-sent events become before they are said.
pub(crate) trait Decode: Send + 'static {
    /// The data of one event.
    fn push(&mut self, data: &str, say: &mut dyn FnMut(String));

    /// What of the request could not be carried.
    fn left_out(&self) -> Vec<Box<str>>;

    /// The server says that there are no more.
    fn done(&mut self, say: &mut dyn FnMut(String));

    /// There are no more.
    fn finish(&mut self, say: &mut dyn FnMut(String));

    /// All of it in one piece, from a server that does not stream.
    fn whole(&mut self, body: &str, say: &mut dyn FnMut(String)) -> Result<(), ApiError>;
}

/// Events of the Responses API, which are said as they are.
#[derive(Debug)]
pub(crate) struct AsItIs;

impl Decode for AsItIs {
    fn push(&mut self, data: &str, say: &mut dyn FnMut(String)) {
        say(data.to_owned());
    }

    fn left_out(&self) -> Vec<Box<str>> {
        Vec::new()
    }

    fn done(&mut self, _: &mut dyn FnMut(String)) {}

    fn finish(&mut self, _: &mut dyn FnMut(String)) {}

    fn whole(&mut self, body: &str, say: &mut dyn FnMut(String)) -> Result<(), ApiError> {
        terminal(body).map(say)
    }
}

/// A request on its way, or its answer.
#[derive(Debug)]
struct Exchange {
    settled: CancellationToken,
    /// Ends with this, until all that matters was heard.
    task: Option<AbortOnDropHandle<()>>,
    /// What carried the answer, once that is over.
    carried: Arc<OnceLock<Carrier>>,
}

/// An answer that was over before it had ended, over a connection that may be kept, says that this one is no good.
impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(carrier) = self.carried.get().filter(|_| !self.settled.is_cancelled()) {
            carrier.avoid();
        }
    }
}

/// Starts a request. `answer` sends it, and gives the head of its answer.
pub(crate) fn start<A, D>(spawner: &Spawner, words: Words, answer: A, decode: D) -> Box<dyn Link>
where
    A: Future<Output = Result<Response<Incoming>, Word>> + Send + 'static,
    D: Decode,
{
    let settled = CancellationToken::new();
    let quiet = settled.clone();
    let carried = Arc::new(OnceLock::new());
    let over = Arc::clone(&carried);
    let task = spawner.spawn(async move {
        let last = carry(&words, answer, decode, &quiet, &over).await;
        words.say(last).await;
    });
    Box::new(Exchange { settled, task: Some(AbortOnDropHandle::new(task)), carried })
}

async fn carry<A, D>(
    words: &Words,
    answer: A,
    decode: D,
    settled: &CancellationToken,
    carried: &OnceLock<Carrier>,
) -> Word
where
    A: Future<Output = Result<Response<Incoming>, Word>>,
    D: Decode,
{
    let (head, body) = match answer.await {
        Ok(answer) => answer.into_parts(),
        Err(word) => return word,
    };
    let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    if !head.status.is_success() {
        let body = read_error(body).await;
        return Word::Refused(refusal(head.status.as_u16(), &head.headers, &body, SystemTime::now()));
    }
    let opened = Opened { place: None, head: Head::of(&head.headers).into(), left_out: decode.left_out() };
    if !words.say(Word::Open(opened)).await {
        return Word::Closed(None);
    }
    if kind.starts_with("application/json") {
        return whole(words, body, decode).await;
    }
    if kind.starts_with("text/html") {
        return Word::Refused(not_events(&kind));
    }
    let finished = async {
        settled.cancelled().await;
        tokio::time::sleep(LINGER).await;
    };
    let last = tokio::select! {
        biased;
        word = stream(words, body, decode) => word,
        () = finished => Word::Closed(None),
    };
    if let Some(carrier) = head.extensions.get::<Carrier>() {
        // It is set here and nowhere else.
        let _ = carried.set(carrier.clone());
    }
    last
}

/// The body of an answer that matters for its status only, as far as it comes.
pub(crate) async fn read_error(mut body: Incoming) -> Vec<u8> {
    let mut read = Vec::new();
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            let room = MAX_ERROR_BODY - read.len();
            let data = frame.into_data().unwrap_or_default();
            read.extend(data.into_iter().take(room));
            if read.len() == MAX_ERROR_BODY {
                return;
            }
        }
    };
    let _ = timeout(ERROR_BODY_WITHIN, reading).await;
    read
}

/// Says each event as it comes, until there are no more.
async fn stream(words: &Words, mut body: Incoming, mut decode: impl Decode) -> Word {
    let mut decoder = SseDecoder::default();
    let mut texts = Vec::new();
    while let Some(frame) = body.frame().await {
        // Many small servers just close. What was said before may be whole.
        let Ok(frame) = frame else { break };
        let Ok(bytes) = frame.into_data() else { continue };
        let read = decoder.push(&bytes, |event| {
            if event.is_done() {
                decode.done(&mut |text| texts.push(text));
            } else {
                decode.push(event.data, &mut |text| texts.push(text));
            }
        });
        if texts.is_empty() && !words.say(Word::Alive).await {
            return Word::Closed(None);
        }
        for text in texts.drain(..) {
            if !words.say(Word::Text(Text::from(text))).await {
                return Word::Closed(None);
            }
        }
        if let Err(error) = read {
            return Word::Refused(ApiError::report(502, Some("unreadable_stream"), None, error.to_string()));
        }
    }
    decode.finish(&mut |text| texts.push(text));
    for text in texts {
        words.say(Word::Text(Text::from(text))).await;
    }
    Word::Closed(None)
}

/// A server that was asked to stream and answers in one piece is understood all the same.
async fn whole(words: &Words, body: Incoming, mut decode: impl Decode) -> Word {
    let Ok(body) = Limited::new(body, MAX_WHOLE_BODY).collect().await.map(Collected::to_bytes) else {
        return Word::Closed(None);
    };
    let mut texts = Vec::new();
    let text = std::str::from_utf8(&body).unwrap_or_default().trim();
    if let Err(error) = decode.whole(text, &mut |text| texts.push(text)) {
        return Word::Refused(error);
    }
    for text in texts {
        words.say(Word::Text(Text::from(text))).await;
    }
    Word::Closed(None)
}

/// The last event of a stream, made of a response that came whole.
fn terminal(text: &str) -> Result<String, ApiError> {
    let object = Object::parse(text).map_err(|_| not_events("application/json"))?;
    if object.get("error").is_some_and(|error| error != "null") && object.get("output").is_none() {
        return Ok(text.to_owned());
    }
    let stage = match object.get("status") {
        Some(r#""incomplete""#) => "incomplete",
        Some(r#""failed""# | r#""cancelled""#) => "failed",
        _ if object.get("output").is_some() => "completed",
        _ => return Err(not_events("application/json")),
    };
    Ok(format!(r#"{{"type":"response.{stage}","response":{text}}}"#))
}

fn not_events(kind: &str) -> ApiError {
    let message =
        format!("the server answered with {kind} in place of events: check base_url, and what stands before it");
    ApiError::report(502, Some("not_events"), None, message)
}

impl Link for Exchange {
    /// There is nothing more to send: each request is an exchange of its own.
    fn send(&mut self, _: String) {}

    /// HTTP has no pings that a client could send.
    fn ping(&mut self) {}

    fn settled(&mut self) {
        self.settled.cancel();
        // What is left of it ends within `LINGER`.
        self.task.take().map(AbortOnDropHandle::detach);
    }

    fn moved(&self) -> Moved {
        Moved::default()
    }

    fn socket(&self) -> Option<SocketId> {
        None
    }

    fn is_gone(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_one_piece_becomes_the_last_event() {
        for (body, expected) in [
            (r#"{"status":"completed","output":[]}"#, Some("response.completed")),
            (r#"{"status":"incomplete","output":[]}"#, Some("response.incomplete")),
            (r#"{"status":"failed","error":{"message":"x"},"output":[]}"#, Some("response.failed")),
            (r#"{"output":[]}"#, Some("response.completed")),
            (r#"{"error":{"message":"x"}}"#, Some("{\"error\"")),
            (r#"{"models":[]}"#, None),
            ("[]", None),
            ("", None),
        ] {
            let text = terminal(body);
            match expected {
                Some(part) => assert!(text.as_ref().unwrap().contains(part), "{body}: {text:?}"),
                None => assert_eq!(text.unwrap_err().code.as_deref(), Some("not_events"), "{body}"),
            }
        }
    }
}
