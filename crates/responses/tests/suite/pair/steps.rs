//! What can happen next, as data: for random and for exhaustive schedules.

use std::time::Duration;

use super::pipe::ToClient;
use super::{Ending, Opening, Pair};

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Connect,
    WarmUp,
    Submit,
    Steer,
    Cancel,
    /// One message arrives at the server.
    ToServer,
    /// The model says one more thing.
    Produce,
    /// One thing arrives at the client.
    ToClient,
    /// Everything that is on its way in any direction arrives.
    Flush,
    /// Time passes until someone has to act.
    Wake,
    /// So much time passes, in seconds.
    Pass(u16),
    /// So much time passes while nobody moves, in seconds; then the servers wake first.
    Oversleep(u16),
    /// The line is cut; both ends notice.
    Cut,
    /// The line is cut; what was on its way to the client still arrives.
    CutAfterDelivery,
    /// The line is dead and nobody notices.
    HalfOpen,
    /// Something before the server swallows pings.
    SwallowPings,
    /// The server closes with a code.
    Close(u16),
    /// The server forgets what it had in memory.
    Forget,
    /// The server wants to go away.
    Drain,
    /// The next line opens like this.
    Open(Opening),
    /// The next generation ends like this.
    End(Ending),
    /// The next message to the client comes twice.
    Duplicate,
    /// The next two messages to the client change places.
    Swap,
    /// A message that makes no sense comes to the client.
    Garbage,
    /// The settings change.
    Settings(u8),
    /// The transcript is rewritten.
    Rewrite,
}

impl Pair {
    /// Does a step, if it can be done. Says whether anything happened.
    pub(crate) fn step(&mut self, step: Step) -> bool {
        match step {
            Step::Connect => {
                self.connect();
                true
            }
            Step::WarmUp => {
                self.warm_up();
                true
            }
            Step::Submit => self.submit().is_some(),
            Step::Steer => self.steer(),
            Step::Cancel => self.cancel(),
            Step::ToServer => self.deliver_to_server(),
            Step::Produce => self.produce(),
            Step::ToClient => self.deliver_to_client(),
            Step::Flush => {
                const MOST: usize = 1000;
                (0..MOST).take_while(|_| self.deliver()).count() > 0
            }
            Step::Wake => self.wake(),
            Step::Pass(seconds) => {
                self.pass(Duration::from_secs(seconds.into()));
                true
            }
            Step::Oversleep(seconds) => {
                self.oversleep(Duration::from_secs(seconds.into()));
                true
            }
            Step::Cut => self.cut(true),
            Step::CutAfterDelivery => self.cut(false),
            Step::HalfOpen => self.spoil(|pipe| {
                pipe.half_open = true;
                pipe.to_client.clear();
            }),
            Step::SwallowPings => self.spoil(|pipe| pipe.swallows_pings = true),
            Step::Close(code) => self.close_from_server(code),
            Step::Forget => self.forget(),
            Step::Drain => self.drain_server(),
            Step::Open(opening) => {
                self.opening = opening;
                true
            }
            Step::End(ending) => {
                self.model.endings.push_back(ending);
                true
            }
            Step::Duplicate => self.spoil(|pipe| {
                if let Some(text @ ToClient::Text(_)) = pipe.to_client.front().cloned() {
                    pipe.to_client.push_front(text);
                }
            }),
            Step::Swap => self.spoil(|pipe| {
                if let [ToClient::Text(_), ToClient::Text(_), ..] = pipe.to_client.make_contiguous() {
                    pipe.to_client.swap(0, 1);
                }
            }),
            Step::Garbage => self.spoil(|pipe| pipe.to_client.push_front(ToClient::Text("{\"type\":".into()))),
            Step::Settings(which) => {
                self.settings = super::settings(&format!(r#"{{"model":"m{which}","store":false}}"#));
                true
            }
            Step::Rewrite => self.rewrite(),
        }
    }

    fn spoil(&mut self, how: impl FnOnce(&mut super::Pipe)) -> bool {
        let Some((_, pipe)) = self.live_line() else { return false };
        how(pipe);
        true
    }

    fn cut(&mut self, at_once: bool) -> bool {
        let Some(pipe) = self.live_pipes().next() else { return false };
        if at_once {
            pipe.to_client.clear();
        }
        pipe.to_client.push_back(ToClient::Closed(None));
        pipe.cut_server();
        true
    }

    fn close_from_server(&mut self, code: u16) -> bool {
        let Some((_, pipe)) = self.live_line() else { return false };
        pipe.to_client.push_back(ToClient::Closed(Some(code)));
        pipe.cut_server();
        true
    }

    /// A summary takes the place of everything said so far, where that is allowed.
    fn rewrite(&mut self) -> bool {
        if !self.chain.is_idle() || !self.chain.transcript().unanswered().is_empty() {
            return false;
        }
        self.said += 1;
        let summary = responses::item::Item::user(&format!("summary {}", self.said));
        let text = summary.text().to_owned();
        if self.chain.rewrite(vec![summary]).is_err() {
            return false;
        }
        self.ledger.rewritten(text);
        true
    }
}
