//! The events of a response as a stream over HTTP.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use hyper::body::Frame;

use crate::response::log::{Event, Heard, Watch};

/// How often a stream that says nothing says that it is there.
const BEAT: Duration = Duration::from_secs(15);

/// How far a stream is.
enum Telling {
    Going(Watch, Option<Heard>),
    Over,
}

/// What was heard first, and the rest.
pub(crate) fn events(
    first: Option<Heard>,
    watch: Watch,
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send {
    stream::unfold(Telling::Going(watch, first), |telling| async {
        let Telling::Going(mut watch, first) = telling else { return None };
        let heard = match first {
            Some(first) => Ok(first),
            None => tokio::time::timeout(BEAT, watch.next()).await,
        };
        let (text, next) = match heard {
            Ok(Heard::Events(events)) => (written(&events), Telling::Going(watch, None)),
            Ok(Heard::Ended(_)) => ("data: [DONE]\n\n".to_owned(), Telling::Over),
            // Only before the first event, and then there is no stream.
            Ok(Heard::Refused(error)) => (format!("event: error\ndata: {}\n\n", error.to_event(None)), Telling::Over),
            Err(_) => (": still here\n\n".to_owned(), Telling::Going(watch, None)),
        };
        Some((Ok(Frame::data(Bytes::from(text))), next))
    })
}

fn written(events: &[std::sync::Arc<Event>]) -> String {
    /// What is written around an event.
    const AROUND: usize = 16;
    let size = events.iter().map(|event| event.kind.len() + event.text.len() + AROUND).sum();
    let mut text = String::with_capacity(size);
    for event in events {
        // Writing to a String cannot fail. An event of one line stays one line: JSON has its line ends escaped, and
        // those between its tokens are of no meaning.
        let _ = write!(text, "event: {}\ndata: ", event.kind);
        if event.text.contains(['\n', '\r']) {
            text.extend(event.text.chars().map(|char| if matches!(char, '\n' | '\r') { ' ' } else { char }));
        } else {
            text.push_str(&event.text);
        }
        text.push_str("\n\n");
    }
    text
}
