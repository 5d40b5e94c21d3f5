//! A response as a stream of events, or whole.

use std::collections::VecDeque;
use std::convert::Infallible;

use futures_util::Stream;
use futures_util::stream::unfold;
use hyper::body::{Bytes, Frame};
use responses::chain::Context;
use responses::event::ServerEvent;

use crate::delivery::Delivery;
use crate::play::{Play, Told};
use crate::shared::{Line, pause};

/// One response on its way over HTTP.
#[derive(Debug)]
pub(crate) struct Telling {
    pub(crate) line: Line,
    pub(crate) play: Play,
    pub(crate) context: Context,
    pub(crate) delivery: Delivery,
}

impl Telling {
    /// The next event; a model that falls silent never has one. What has ended is stored before that is told.
    async fn next(&mut self) -> Told {
        pause(self.play.wait()).await;
        match self.play.next() {
            Some(told) => {
                if let Some(ending) = &told.end {
                    self.line.shared.remember(&self.play, &self.context, ending);
                }
                told
            }
            None => std::future::pending().await,
        }
    }

    /// The finished response, as a client gets it that does not stream.
    pub(crate) async fn whole(mut self) -> String {
        loop {
            if let Some(ending) = self.next().await.end {
                return ending.response;
            }
        }
    }

    /// The response as server-sent events.
    pub(crate) fn events(self) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
        let begun = Sending { telling: self, ready: VecDeque::new(), over: false };
        unfold(begun, |mut sending| async move {
            let chunk = sending.next().await?;
            Some((Ok(Frame::data(chunk.into())), sending))
        })
    }
}

struct Sending {
    telling: Telling,
    ready: VecDeque<String>,
    over: bool,
}

impl Sending {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Some(chunk);
            }
            if self.over {
                return None;
            }
            if self.telling.delivery.is_silent() {
                return std::future::pending().await;
            }
            if self.telling.delivery.close_code().is_some() {
                return None;
            }
            let Told { text, end } = self.telling.next().await;
            self.ready.extend(self.telling.delivery.pass(text).iter().map(|text| chunk(text)));
            if end.is_some() {
                self.ready.extend(self.telling.delivery.flush().iter().map(|text| chunk(text)));
                self.ready.push_back("data: [DONE]\n\n".to_owned());
                self.over = true;
            }
        }
    }
}

fn chunk(event: &str) -> String {
    let kind = ServerEvent::parse(event).map(|event| event.kind.into_owned()).unwrap_or_default();
    format!("event: {kind}\ndata: {event}\n\n")
}
