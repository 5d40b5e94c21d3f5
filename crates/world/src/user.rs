//! A user with tools, and a conversation that is driven for them.

use std::sync::Arc;

use responses::chain::{Notice, Outcome, TurnId};
use responses::id::CallId;
use responses::item::Item;
use responses::request::{Request, Settings};
use testkit::Log;
use tokio::time::Instant;
use transport::{Drive, ModelClient, Told};

use crate::ledger::{Ledger, Tag};
use crate::scene::{Role, What};
use crate::story::Shared;

/// How many turns in a row may fail after the last fault of a plan.
const MOST_FAILURES: usize = 40;

/// A user, their tools, and their conversation.
pub(crate) struct User {
    role: Role,
    drive: Drive,
    settings: Settings,
    shared: Shared,
    log: Log,
    began: Instant,
    ledger: Ledger,
    turn: u64,
    said: u64,
    /// What was said to a response and not heard by it.
    returned: Vec<Item>,
    warming: Option<TurnId>,
    ended: Option<(TurnId, Outcome)>,
}

impl User {
    pub(crate) fn new(role: Role, client: &ModelClient, shared: Shared, log: Log) -> Self {
        let fields =
            format!(r#"{{"model":"scripted","store":{},"tools":[{{"type":"function","name":"do"}}]}}"#, role.store);
        let request = Request::parse(&fields).unwrap_or_default();
        Self {
            drive: client.drive(role.config(), Vec::new()),
            settings: Settings::new(&request),
            ledger: Ledger::of(role.number),
            role,
            shared,
            log,
            began: Instant::now(),
            turn: 0,
            said: 0,
            returned: Vec::new(),
            warming: None,
            ended: None,
        }
    }

    /// All turns of the scene, and then as many as it takes to see that all is well again.
    pub(crate) async fn live(mut self) {
        self.drive.connect();
        if self.role.warm_up {
            self.warming = self.drive.warm_up(&self.settings());
            self.ledger.begins(self.warming);
        }
        let mut failures = 0;
        while self.turn < self.role.turns || failures > 0 {
            self.turn += 1;
            let outcome = self.take_a_turn().await;
            self.check(&outcome);
            failures = match outcome {
                Outcome::Answered(_) => 0,
                _ => failures + 1,
            };
            if failures > MOST_FAILURES {
                self.shared.notes().violate(format!("no turn of user {} works any more", self.role.number));
            }
            if self.shared.notes().is_violated() {
                return;
            }
            self.until(Instant::now() + self.role.thinks).await;
        }
    }

    /// The settings of this turn. They say whose it is, so that the model's record can be read.
    fn settings(&self) -> Arc<Settings> {
        Arc::new(Tag { user: self.role.number, turn: self.turn }.on(&self.settings))
    }

    /// Runs the tools, says something, and waits until the turn has ended.
    async fn take_a_turn(&mut self) -> Outcome {
        let calls: Vec<CallId> = self.drive.chain().transcript().unanswered().to_vec();
        let mut items: Vec<Item> =
            calls.iter().map(|call| Item::function_output(call, &format!("did {call}"))).collect();
        items.append(&mut self.returned);
        items.push(self.words("word"));
        self.ledger.says(&items);
        let began = Instant::now();
        let turn = match self.drive.submit(items, &self.settings()) {
            Ok(turn) => turn,
            Err(refused) => {
                self.shared.notes().violate(format!("a turn was not taken: {refused}"));
                return Outcome::Cancelled;
            }
        };
        self.ledger.begins(Some(turn));
        let deeds: Vec<_> = self.role.deeds.iter().filter(|deed| deed.turn == self.turn).copied().collect();
        for deed in deeds {
            self.until(began + deed.after).await;
            match deed.what {
                What::Stop => self.stop(),
                What::Steer => self.steer(),
            }
        }
        loop {
            match self.ended.take() {
                Some((ended, outcome)) if ended == turn => return outcome,
                _ => {
                    let told = self.drive.next().await;
                    self.hear(told);
                }
            }
        }
    }

    fn words(&mut self, kind: &str) -> Item {
        self.said += 1;
        Item::user(&format!("user {} {kind} {}", self.role.number, self.said))
    }

    fn stop(&mut self) {
        if self.drive.cancel() {
            self.note("stops");
        }
    }

    fn steer(&mut self) {
        let words = self.words("steers");
        match self.drive.steer(vec![words.clone()]) {
            Ok(()) => {
                self.note("steers");
                self.ledger.steers(words);
            }
            Err(refused) => self.returned.extend(refused.0),
        }
    }

    /// Lives on until then.
    async fn until(&mut self, then: Instant) {
        loop {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(then) => return,
                told = self.drive.next() => self.hear(told),
            }
        }
    }

    fn note(&self, what: impl std::fmt::Display) {
        self.shared.notes().note(self.began.elapsed(), format_args!("user {}: {what}", self.role.number));
    }

    fn hear(&mut self, told: Told) {
        match told {
            Told::Notice(notice) => self.hear_notice(notice),
            Told::Route(decision) => self.note(format_args!("route: {:?}: {}", decision.state, decision.reason)),
            // What is said while it is said adds up to items; the rest is about the server and the account.
            _ => {}
        }
    }

    fn hear_notice(&mut self, notice: Notice) {
        self.note(line(&notice));
        let transcript = self.drive.chain().transcript().items();
        let violation = match &notice {
            Notice::Sent { turn, .. } if Some(*turn) == self.warming => Ok(()),
            Notice::Sent { .. } | Notice::Steered { .. } => {
                self.shared.notes().steered += usize::from(matches!(notice, Notice::Steered { .. }));
                self.ledger.model_may_see(self.turn, transcript);
                Ok(())
            }
            Notice::Item { item, .. } => self.ledger.item(item),
            Notice::SteerReturned { items, .. } => {
                self.returned.extend(items.iter().cloned());
                self.ledger.returned(items)
            }
            Notice::Dropped { .. } => {
                self.shared.notes().dropped += 1;
                Ok(())
            }
            Notice::Ended { turn, .. } => self.ledger.ends(*turn),
            Notice::Waiting { .. } | Notice::WebSocketOff { .. } | Notice::WebSocketOn => Ok(()),
        };
        self.judge(violation);
        if let Notice::Ended { turn, outcome } = notice {
            self.shared.notes().answered += usize::from(matches!(outcome, Outcome::Answered(_)));
            self.ended = Some((turn, outcome));
        }
    }

    fn check(&mut self, outcome: &Outcome) {
        let transcript = self.drive.chain().transcript().items();
        let seen = self.log.seen();
        let mut verdict = self.ledger.check_seen(&seen).and_then(|()| self.ledger.check_transcript(transcript));
        if let Outcome::Answered(response) = outcome {
            verdict = verdict.and_then(|()| self.ledger.check_answer(&seen, response, transcript));
        }
        self.judge(verdict);
    }

    fn judge(&self, verdict: Result<(), String>) {
        if let Err(violation) = verdict {
            self.shared.notes().violate(format!("user {}: {violation}", self.role.number));
        }
    }
}

/// A notice as a line of the trace.
fn line(notice: &Notice) -> String {
    match notice {
        Notice::Ended { outcome, .. } => format!("ended: {}", brief(outcome)),
        Notice::Dropped { kept, fault, .. } => format!("answer dropped, {kept} items kept: {fault}"),
        Notice::Item { item, .. } => format!("whole: {item:?}"),
        Notice::Sent { transport, all, items, bytes, .. } => {
            let what = all.map_or("what is new".to_owned(), |why| format!("all ({why:?})"));
            format!("sends {what} over {transport:?}: {items} items, {bytes} bytes")
        }
        Notice::Waiting { until, class, fault, .. } => {
            format!("waits until {:.3} s ({class:?}): {fault}", until.since_beginning().as_secs_f64())
        }
        Notice::Steered { response, .. } => format!("steered: {} ended early", response.id()),
        other => format!("{other:?}"),
    }
}

fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(response) => format!("answered by {} with {} items", response.id(), response.output().len()),
        Outcome::CallsFirst(fault) => format!("calls first: {fault}"),
        Outcome::Failed(failure) => format!("failed: {failure}"),
        other => format!("{other:?}"),
    }
}
