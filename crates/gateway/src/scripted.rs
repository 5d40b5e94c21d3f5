//! A backend without a model: it does what the last user message says, by rule. For tests, demos and load.
//!
//! Each line of the message that is a command is one step; what other lines say is passed over. A message without any
//! command is answered with `You said: …`; or with a call, if the request insists on one, or if a word of the message is in
//! the name of a function.
//!
//! ```text
//! say TEXT             a message, a delta for each word
//! count N              a message `1 2 3 … N`, N deltas
//! bytes N              a message of N bytes, 1024 in a delta
//! json JSON            a message that is this JSON
//! recall               a message with all earlier user messages, one on each line
//! think TEXT           thoughts, with a summary
//! refuse TEXT          a refusal
//! call NAME JSON       a call; of a declared custom tool with the rest of the line as it is
//! rounds N NAME        a call with {"round":k} in each of N responses, then `done after N rounds`
//! fail CODE MESSAGE    the response fails
//! reject STATUS CODE MESSAGE    refused before anything is said
//! die                  the source breaks off
//! pause MS             silence
//! pace MS              from here on, silence before each delta
//! length N             the whole answer ends at its limit after N deltas
//! ```
//!
//! Calls in succession are made at once, and end the response. Once they are answered, the script goes on behind them;
//! where nothing is left, the answer is `Tool said: …`. An answer that is to follow a JSON schema is the smallest that
//! does, in place of any other text. A context that ends with a developer's message is to be summarised: all its user
//! messages are repeated.

mod command;
mod flow;
mod item;
mod meant;
mod schema;
mod script;
mod teller;
#[cfg(test)]
mod tests;

use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};

use crate::backend::{Ask, Said};
use teller::{Teller, Told};

/// An answer by rule, in the making.
#[derive(Debug)]
pub struct Scripted {
    teller: Teller,
    silent_until: Option<Instant>,
}

impl Scripted {
    /// Works out what is to be said.
    pub fn new(ask: &Ask) -> Self {
        Self { teller: Teller::new(ask), silent_until: None }
    }

    /// The next event. Nothing is lost where it is dropped while it waits; not to be called again after the end.
    pub async fn next(&mut self) -> Said {
        loop {
            // It seldom waits for anything: others want to run too.
            consume_budget().await;
            if let Some(until) = self.silent_until {
                sleep_until(until).await;
                self.silent_until = None;
            }
            match self.teller.next() {
                Told::Event(text) => return Said::Event(text.into()),
                Told::Silence(time) => self.silent_until = Some(Instant::now() + time),
                Told::Failed(error) => return Said::Failed(error),
                Told::Ended => return Said::Ended,
            }
        }
    }

    /// Ends the answer before its next delta. False where it has ended.
    pub fn end_early(&mut self) -> bool {
        self.silent_until = None;
        self.teller.end_early()
    }
}
